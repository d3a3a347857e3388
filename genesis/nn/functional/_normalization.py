"""Normalizations as functions."""

from __future__ import annotations

import math
from collections.abc import Sequence

from genesis import ops
from genesis._tensor import Tensor


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """``(x - mean) / sqrt(var + eps) * weight + bias`` over the last dimensions.

    Args:
        input: ``(*, *normalized_shape)``.
        normalized_shape: the dimensions that mean and (biased) variance are taken over.
        weight, bias: of shape ``normalized_shape``, or None.
        eps: added to the variance.
    """
    out: Tensor = ops.layer_norm(input, normalized_shape, weight, bias, eps)
    return out


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """``x / max(‖x‖_p, eps)`` along ``dim``.

    Args:
        input: any shape that has ``dim``.
        p: exponent of the norm, ``math.inf`` for the largest absolute value.
        dim: the dimension the norm is taken along.
        eps: smallest divisor.
    """
    if p <= 0:
        raise ValueError(f"normalize: p must be positive, got {p}")
    size = input.abs()
    if p == math.inf:
        norm = size.amax(dim, keepdim=True)
    elif p == 1:
        norm = size.sum(dim, keepdim=True)
    else:
        # Divided by the largest element first: powers neither overflow nor vanish, and at x = 0 the
        # root is taken of 1 rather than 0, where its slope is infinite.
        top = size.detach().amax(dim, keepdim=True).clamp(min=eps)
        total = ((size / top) ** p).sum(dim, keepdim=True)
        norm = top * total.clamp(min=eps) ** (1 / p)
    return input / norm.clamp(min=eps)
