"""Scaled dot-product attention."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from genesis._dtypes import bool_, float32
from genesis._errors import ShapeError
from genesis.backend.view import broadcast_shapes
from genesis.ops import elementwise as ew
from genesis.ops._op import op
from genesis.ops.creation import ones
from genesis.ops.diagonals import tril
from genesis.ops.linalg import matmul
from genesis.ops.normalization import dropout, softmax
from genesis.ops.rearranging import repeat_interleave
from genesis.ops.reduction import amax, sum, sum_to_shape
from genesis.ops.shape import expand, transpose


def _weights(query: Any, key: Any, mask: Any, scale: float, is_causal: bool) -> Any:
    """``softmax(scale * query @ key.T + mask)``; zeros in a row where nothing takes part."""
    scores = matmul(query * scale, transpose(key, -1, -2))
    length, source = scores._view.shape[-2:]
    if is_causal:
        mask = tril(ones(length, source, dtype=bool_, device=query.device))
    if mask is None:
        return softmax(scores, -1)
    scores = ew.where(mask, scores, -math.inf) if mask.dtype is bool_ else scores + mask
    if is_causal or not source:
        return softmax(scores, -1)
    none = amax(scores, -1, keepdim=True) == -math.inf
    return ew.where(none, 0, softmax(ew.where(none, 0, scores), -1))


@op(saves=("query", "key", "value", "mask", "out", "kept"), results=("out", "kept"))
def attention(
    query: Any, key: Any, value: Any, mask: Any = None, *, scale: float, is_causal: bool
) -> tuple[Any, Any]:
    """``softmax(scale * query @ key.T + mask) @ value``.

    The leading axes of query (…, L, E), key (…, S, E) and value (…, S, Ev) are equal; those of the mask
    (bool: True takes part; or numbers to add) broadcast to (…, L, S).  What is kept for the gradient are the
    weights (…, L, S), or what else a device chooses, with fewer axes.
    """
    weights = _weights(query, key, mask, scale, is_causal)
    return matmul(weights, value), weights


@attention.backward_rule
def _attention(
    needs: Sequence[bool], grad: Any, query: Any, key: Any, value: Any, mask: Any, out: Any, kept: Any,
    *, scale: float, is_causal: bool,
) -> tuple[Any, ...]:  # fmt: skip
    if kept is None or kept.dim() != query.dim():
        kept = _weights(query, key, mask, scale, is_causal)
    gq = gk = gv = gm = None
    if needs[2]:
        gv = matmul(transpose(kept, -1, -2), grad)
    if needs[0] or needs[1] or needs[3]:
        g = matmul(grad, transpose(value, -1, -2))
        g = kept * (g - sum(g * kept, -1, keepdim=True))
        gq = matmul(g, key) * scale if needs[0] else None
        gk = matmul(transpose(g, -1, -2), query) * scale if needs[1] else None
        gm = sum_to_shape(g, mask._view.shape) if needs[3] else None
    return gq, gk, gv, gm


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """``softmax(scale * query @ key.T + mask) @ value``.

    Args:
        query: (…, L, E).
        key: (…, S, E).
        value: (…, S, Ev).
        attn_mask: broadcastable to (…, L, S): bool (True takes part) or numbers to add.
        dropout_p: probability of dropping an attention weight.
        is_causal: position i attends to positions <= i only, counted from the first of both.
        scale: default 1 / sqrt(E).
        enable_gqa: heads (axis -3) of key and value are repeated to those of query.

    A row that attends to nothing gives zeros.

    Reference: Vaswani et al., arXiv 1706.03762, equation 1; for grouped queries Ainslie et al.,
    arXiv 2305.13245.
    """
    q, k, v = query._view.shape, key._view.shape, value._view.shape
    if min(len(q), len(k), len(v)) < 2 or q[-1] != k[-1] or k[-2] != v[-2]:
        raise ShapeError(
            f"scaled_dot_product_attention: query {q}, key {k} and value {v} do not fit; "
            "expected (..., L, E), (..., S, E) and (..., S, Ev)"
        )
    if not (query.dtype is key.dtype is value.dtype and query.dtype.is_floating_point):
        raise RuntimeError(
            "scaled_dot_product_attention: expected query, key and value of one floating-point dtype, got "
            f"{query.dtype}, {key.dtype} and {value.dtype}"
        )
    if is_causal and attn_mask is not None:
        raise RuntimeError("scaled_dot_product_attention: attn_mask must be None when is_causal=True")
    if enable_gqa:
        key, value = (_repeated(query, t) for t in (key, value))
    batch = broadcast_shapes(q[:-2], key._view.shape[:-2], value._view.shape[:-2])
    query, key, value = (
        t if t._view.shape[:-2] == batch else expand(t, (*batch, *t._view.shape[-2:]))
        for t in (query, key, value)
    )
    if attn_mask is not None:
        attn_mask = _checked_mask(attn_mask, query, (*batch, q[-2], k[-2]))
    factor = 1.0 / math.sqrt(max(q[-1], 1)) if scale is None else float(scale)
    if dropout_p:
        weights = _weights(query, key, attn_mask, factor, is_causal)
        return matmul(dropout(weights, dropout_p), value)
    return attention(query, key, value, attn_mask, scale=factor, is_causal=bool(is_causal))


def _repeated(query: Any, x: Any) -> Any:
    """Key or value with each head as often as there are query heads for it."""
    if min(query.dim(), x.dim()) < 3:
        raise ShapeError("enable_gqa: query, key and value need an axis of heads, the third from the end")
    heads, own = query._view.shape[-3], x._view.shape[-3]
    if not own or heads % own:
        raise ShapeError(f"enable_gqa: {heads} query heads are not a multiple of {own} heads of key or value")
    return x if heads == own else repeat_interleave(x, heads // own, -3)


def _checked_mask(mask: Any, query: Any, shape: tuple[int, ...]) -> Any:
    if mask.dtype not in (bool_, float32, query.dtype):
        raise RuntimeError(
            f"expected attn_mask dtype to be bool or to match query dtype {query.dtype}, got {mask.dtype}"
        )
    have = mask._view.shape
    if len(have) < 2:
        raise IndexError(f"attn_mask needs at least 2 dimensions (..., L, S), got shape {have}")
    padded = (1,) * (len(shape) - len(have)) + have
    if len(have) > len(shape) or any(m not in (1, n) for m, n in zip(padded, shape, strict=True)):
        raise ShapeError(f"attn_mask of shape {have} does not broadcast to (..., L, S) = {shape}")
    return mask if mask.dtype is bool_ else mask.to(query.dtype)
