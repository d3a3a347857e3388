"""Attention as functions."""

from __future__ import annotations

import math
from typing import Any

import genesis
from genesis import ops
from genesis._dtypes import bool_
from genesis._tensor import Tensor
from genesis.nn._checks import check_dropout_probability, shape_of
from genesis.nn.functional._linear import linear


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """``softmax(Q Kᵀ * scale + mask) V`` (Vaswani et al. 2017, arXiv:1706.03762).

    Args:
        query: ``(*, H, L, E)``.
        key: ``(*, H, S, E)``.
        value: ``(*, H, S, Ev)``.
        attn_mask: broadcast to ``(*, H, L, S)``; bool (True takes part) or added to the scores. A row in
            which nothing takes part gives zeros.
        dropout_p: probability that a weight is dropped; the caller passes 0 when not training.
        is_causal: position i sees positions up to i only, counted from the first of both.
        scale: ``1/sqrt(E)`` unless given.
        enable_gqa: let ``key`` and ``value`` have fewer heads than ``query``; each serves a group.

    Returns:
        Shape ``(*, H, L, Ev)``.

    Raises:
        RuntimeError: shapes or dtypes do not fit, or a mask is given beside ``is_causal``.
        ValueError: ``dropout_p`` is no probability.
    """
    check_dropout_probability(dropout_p)
    out: Tensor = ops.scaled_dot_product_attention(
        query, key, value, attn_mask, dropout_p, is_causal, scale, enable_gqa
    )
    return out


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Multi-head attention with all weights as arguments (arXiv:1706.03762, section 3.2.2).

    Args:
        query: ``(L, N, E)``, or ``(L, E)`` without a batch.
        key, value: ``(S, N, *)`` or ``(S, *)``.
        embed_dim_to_check: what E has to be.
        num_heads: E is divided among them.
        in_proj_weight: ``(3E, E)``, of query, key and value; or None with separate weights.
        in_proj_bias: ``(3E,)`` or None.
        bias_k, bias_v: ``(1, 1, E)``, one more key and value, or None.
        add_zero_attn: one more key and value of zeros.
        dropout_p: probability that a weight is dropped, if ``training``.
        out_proj_weight, out_proj_bias: ``(E, E)`` and ``(E,)``.
        key_padding_mask: ``(N, S)``; bool (True is left out) or added to the scores.
        need_weights: also return the weights, averaged over heads with ``average_attn_weights``.
        attn_mask: ``(L, S)`` or ``(N * num_heads, L, S)``; bool (True is left out) or added.
        use_separate_proj_weight: take ``q_proj_weight``, ``k_proj_weight`` and ``v_proj_weight``.
        static_k, static_v: ``(N * num_heads, S, E / num_heads)``, used instead of the projections.
        is_causal: a hint that ``attn_mask`` is the causal mask.

    Returns:
        ``(L, N, E)``, and None or the weights, ``(N, L, S)`` or ``(N, num_heads, L, S)``; without a batch all
        lack N.
    """
    weights: tuple[Any, ...]
    if use_separate_proj_weight:
        weights = (q_proj_weight, k_proj_weight, v_proj_weight)
        if any(w is None for w in weights):
            raise AssertionError("use_separate_proj_weight is True, but not all of the weights are given")
    else:
        weights = (in_proj_weight,)
        if in_proj_weight is None:
            raise AssertionError("use_separate_proj_weight is False, but in_proj_weight is None")
    return attend(
        query, key, value, num_heads, weights, in_proj_bias, out_proj_weight, out_proj_bias,
        embed_dim=embed_dim_to_check, more=(bias_k, bias_v), add_zero_attn=add_zero_attn,
        dropout_p=dropout_p if training else 0.0, key_padding_mask=key_padding_mask,
        need_weights=need_weights, attn_mask=attn_mask, static=(static_k, static_v),
        average=average_attn_weights, is_causal=is_causal, batch_first=False,
    )  # fmt: skip


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    heads: int,
    weights: tuple[Any, ...],
    bias: Tensor | None,
    out_weight: Tensor,
    out_bias: Tensor | None,
    *,
    embed_dim: int,
    more: tuple[Tensor | None, Tensor | None],
    add_zero_attn: bool,
    dropout_p: float,
    key_padding_mask: Tensor | None,
    need_weights: bool,
    attn_mask: Tensor | None,
    static: tuple[Tensor | None, Tensor | None],
    average: bool,
    is_causal: bool,
    batch_first: bool,
) -> tuple[Tensor, Tensor | None]:
    """``multi_head_attention_forward`` for either order of axes: nothing is copied to turn them.

    ``weights``: one for query, key and value together, or one for each; ``more``: ``bias_k`` and ``bias_v``.
    """
    batched = _check_shapes(query, key, value, key_padding_mask, attn_mask, heads)
    if is_causal and attn_mask is None:
        raise RuntimeError(
            "need attn_mask if specifying the is_causal hint; nn.Transformer.generate_square_subsequent_mask "
            "makes it"
        )
    if query.shape[-1] != embed_dim:
        raise AssertionError(f"was expecting embedding dimension of {embed_dim}, but got {query.shape[-1]}")
    if embed_dim % heads:
        raise AssertionError(f"embed_dim {embed_dim} is not divisible by num_heads {heads}")
    if key.shape[:-1] != value.shape[:-1] or (len(weights) == 1 and key.shape != value.shape):
        raise AssertionError(f"key shape {shape_of(key)} does not match value shape {shape_of(value)}")
    key_padding_mask = canonical_mask(key_padding_mask, "key_padding_mask", query.dtype)
    if is_causal and key_padding_mask is None and not need_weights:
        attn_mask = None
    else:
        attn_mask = canonical_mask(attn_mask, "attn_mask", query.dtype)
        is_causal = False
    axis = 0 if batch_first else 1
    q, k, v = _projected(query, key, value, weights, bias)
    if not batched:
        axis = 1
        q, k, v = q.unsqueeze(1), k.unsqueeze(1), v.unsqueeze(1)
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    batch, length = q.shape[axis], q.shape[1 - axis]
    source = k.shape[1 - axis]
    if k.shape[axis] != batch:
        raise RuntimeError(f"query has a batch of {batch}, key and value one of {k.shape[axis]}")
    if attn_mask is not None:
        attn_mask = _check_mask(attn_mask, batch, heads, length, source)
    q, k, v = (_heads(x, heads, axis) for x in (q, k, v))
    k, v = (x if s is None else _static(s, batch, heads, x) for x, s in zip((k, v), static, strict=True))
    if (more[0] is None) != (more[1] is None):
        raise AssertionError("bias_k and bias_v must both be given, or none of them")
    extra = []
    if more[0] is not None and more[1] is not None:
        if static != (None, None):
            raise AssertionError("bias cannot be added to static key or value")
        extra.append([b.reshape(1, heads, 1, -1).expand(batch, -1, -1, -1) for b in more if b is not None])
    if add_zero_attn:
        shape = (batch, heads, 1, k.shape[-1])
        extra.append([genesis.zeros(*shape, dtype=x.dtype, device=x.device) for x in (k, v)])
    if extra:
        k, v = (ops.cat([x, *[e[i] for e in extra]], 2) for i, x in enumerate((k, v)))
        attn_mask, key_padding_mask = (
            None if m is None else ops.cat([m, m.new_zeros(*m.shape[:-1], len(extra))], -1)
            for m in (attn_mask, key_padding_mask)
        )
    if key_padding_mask is not None:
        if tuple(key_padding_mask.shape) != (batch, k.shape[2]):
            raise AssertionError(
                f"expected key_padding_mask of shape {(batch, k.shape[2])}, got {shape_of(key_padding_mask)}"
            )
        padding = key_padding_mask.reshape(batch, 1, 1, -1)
        attn_mask = padding if attn_mask is None else attn_mask + padding
    found: Tensor | None = None
    if need_weights:
        out, found = _with_weights(q, k, v, attn_mask, dropout_p, average)
    else:
        out = ops.scaled_dot_product_attention(q, k, v, attn_mask, dropout_p, is_causal)
    order = (0, 2, 1, 3) if axis == 0 else (2, 0, 1, 3)
    out = linear(out.permute(*order).flatten(2), out_weight, out_bias)
    if not batched:
        out, found = out.squeeze(1), None if found is None else found.squeeze(0)
    return out, found


def canonical_mask(mask: Tensor | None, name: str, dtype: Any) -> Tensor | None:
    """A mask of numbers to add: -inf where a bool mask is True.

    Raises:
        AssertionError: it is neither bool nor floating-point.
    """
    if mask is None or mask.dtype.is_floating_point:
        return mask
    if mask.dtype is not bool_:
        raise AssertionError(f"only bool and floating types of {name} are supported, got {mask.dtype}")
    return genesis.zeros(*mask.shape, dtype=dtype, device=mask.device).masked_fill(mask, -math.inf)


def _check_shapes(
    query: Tensor, key: Tensor, value: Tensor, padding: Tensor | None, mask: Tensor | None, heads: int
) -> bool:
    """Whether there is a batch.

    Raises:
        AssertionError: the numbers of dimensions do not fit.
    """
    n = query.dim()
    if n not in (2, 3):
        raise AssertionError(f"query should be unbatched 2D or batched 3D, got {n}-D")
    if key.dim() != n or value.dim() != n:
        raise AssertionError(
            f"key and value must be {n}-D as the query, got {key.dim()}-D and {value.dim()}-D"
        )
    if padding is not None and padding.dim() != n - 1:
        raise AssertionError(f"key_padding_mask must be {n - 1}-D for a {n}-D query, got {padding.dim()}-D")
    if mask is not None:
        if mask.dim() not in (2, 3):
            raise AssertionError(f"attn_mask must be 2-D or 3-D, got {mask.dim()}-D")
        if n == 2 and mask.dim() == 3 and tuple(mask.shape) != (heads, query.shape[0], key.shape[0]):
            want = (heads, query.shape[0], key.shape[0])
            raise AssertionError(f"expected attn_mask of shape {want}, got {shape_of(mask)}")
    return n == 3


def _check_mask(mask: Tensor, batch: int, heads: int, length: int, source: int) -> Tensor:
    """An attention mask as (1 or batch, 1 or heads, length, source)."""
    want = (length, source) if mask.dim() == 2 else (batch * heads, length, source)
    if tuple(mask.shape) != want:
        raise RuntimeError(
            f"the shape of the {mask.dim()}D attn_mask is {shape_of(mask)}, but should be {want}"
        )
    return mask.reshape(1, 1, *want) if mask.dim() == 2 else mask.reshape(batch, heads, length, source)


def _projected(
    query: Tensor, key: Tensor, value: Tensor, weights: tuple[Tensor, ...], bias: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Query, key and value times their weights, in as few products as possible."""
    biases: Any = (None,) * 3 if bias is None else bias.chunk(3)
    if len(weights) == 1:
        (weight,) = weights
        width = weight.shape[0] // 3
        if key is value and query is key:
            q, k, v = linear(query, weight, bias).split(width, -1)
            return q, k, v
        if key is value:
            both = linear(key, weight[width:], None if bias is None else bias[width:])
            k, v = both.split(width, -1)
            return linear(query, weight[:width], biases[0]), k, v
        weights = tuple(weight.chunk(3))
    q, k, v = (linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases, strict=True))
    return q, k, v


def _heads(x: Tensor, heads: int, batch_axis: int) -> Tensor:
    """(batch, heads, steps, width) of (batch, steps, heads * width) or (steps, batch, heads * width)."""
    x = x.unflatten(-1, (heads, x.shape[-1] // heads))
    return x.permute(0, 2, 1, 3) if batch_axis == 0 else x.permute(1, 2, 0, 3)


def _static(x: Tensor, batch: int, heads: int, like: Tensor) -> Tensor:
    if x.dim() != 3 or x.shape[0] != batch * heads or x.shape[2] != like.shape[-1]:
        want = (batch * heads, "S", like.shape[-1])
        raise AssertionError(f"expected a static key or value of shape {want}, got {shape_of(x)}")
    return x.unflatten(0, (batch, heads))


def _with_weights(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, dropout_p: float, average: bool
) -> tuple[Tensor, Tensor]:
    scores = (q * math.sqrt(1.0 / q.shape[-1])) @ k.transpose(-1, -2)
    if mask is not None:
        if mask.dtype is not scores.dtype:
            raise RuntimeError(f"expected a mask of {scores.dtype} as the query, got {mask.dtype}")
        scores = scores + mask
    weights: Tensor = ops.softmax(scores, -1)
    if dropout_p > 0.0:
        weights = ops.dropout(weights, dropout_p)
    return weights @ v, weights.mean(1) if average else weights
