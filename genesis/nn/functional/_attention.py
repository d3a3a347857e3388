"""Attention as a function."""

from __future__ import annotations

from genesis import ops
from genesis._errors import ShapeError
from genesis._tensor import Tensor
from genesis.nn._checks import check_dropout_probability, shape_of


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
        attn_mask: broadcast to ``(*, H, L, S)``; bool (True takes part) or added to the scores.
        dropout_p: probability that a weight is dropped; the caller passes 0 when not training.
        is_causal: position i sees positions up to i only.
        scale: ``1/sqrt(E)`` unless given.
        enable_gqa: let ``key`` and ``value`` have fewer heads than ``query``; each serves a group.

    Returns:
        Shape ``(*, H, L, Ev)``.
    """
    check_dropout_probability(dropout_p)
    q, k, v = shape_of(query), shape_of(key), shape_of(value)
    if min(len(q), len(k), len(v)) < 2 or q[-1] != k[-1] or k[-2] != v[-2]:
        raise ShapeError(
            f"scaled_dot_product_attention: query {q}, key {k} and value {v} do not fit; "
            "expected (..., L, E), (..., S, E) and (..., S, Ev)"
        )
    out: Tensor = ops.scaled_dot_product_attention(
        query, key, value, attn_mask, dropout_p, is_causal, scale, enable_gqa
    )
    return out
