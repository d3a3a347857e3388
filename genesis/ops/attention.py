"""Scaled dot-product attention."""

from __future__ import annotations

import math
from typing import Any

from genesis._dtypes import bool_
from genesis.ops import elementwise as ew
from genesis.ops.creation import ones, tril
from genesis.ops.linalg import matmul
from genesis.ops.normalization import dropout, softmax
from genesis.ops.shape import repeat_interleave, transpose


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
        is_causal: position i attends to positions <= i only.
        scale: default 1 / sqrt(E).
        enable_gqa: heads (axis -3) of key and value are repeated to those of query.

    Reference: Vaswani et al., arXiv 1706.03762, equation 1.
    """
    if is_causal and attn_mask is not None:
        raise RuntimeError("attn_mask must be None when is_causal=True")
    if enable_gqa:
        groups = query.shape[-3] // key.shape[-3]
        if groups * key.shape[-3] != query.shape[-3]:
            raise RuntimeError(
                f"enable_gqa: {query.shape[-3]} query heads are not a multiple of {key.shape[-3]}"
            )
        key, value = (repeat_interleave(t, groups, -3) for t in (key, value))
    factor = 1.0 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = matmul(query * factor, transpose(key, -1, -2))
    if is_causal:
        length, source = scores.shape[-2:]
        attn_mask = tril(ones(length, source, dtype=bool_, device=query.device))
    if attn_mask is not None:
        scores = ew.where(attn_mask, scores, -math.inf) if attn_mask.dtype is bool_ else scores + attn_mask
    weights = softmax(scores, -1)
    return matmul(dropout(weights, dropout_p) if dropout_p else weights, value)
