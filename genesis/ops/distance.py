"""Distances and similarities of vectors."""

from __future__ import annotations

from typing import Any

from genesis._dtypes import result_type
from genesis._errors import ShapeError
from genesis.backend.view import broadcast_shapes
from genesis.ops._autocast import in_full_on_cuda
from genesis.ops._half_calls import in_float32
from genesis.ops.moments import norm
from genesis.ops.norms import unit
from genesis.ops.reduction import axis_of, sum
from genesis.ops.shape import expand


@in_full_on_cuda
@in_float32
def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """``x1 · x2 / (max(‖x1‖, eps) max(‖x2‖, eps))`` along ``dim`` of the broadcast shape.

    Args:
        x1, x2: of shapes that broadcast.
        dim: the dimension of the vectors.
        eps: smallest divisor.

    Returns:
        The broadcast shape without ``dim``.
    """
    common = result_type([(x1.dtype, x1.dim()), (x2.dtype, x2.dim())], [])
    if not common.is_floating_point:
        raise RuntimeError(f"cosine_similarity needs floating-point tensors, got {x1.dtype} and {x2.dtype}")
    shape = broadcast_shapes(tuple(x1.shape), tuple(x2.shape)) or (1,)
    a, b = (expand(x.to(common), shape) for x in (x1, x2))
    # each is divided by its own length: the product of two lengths could overflow
    axis = axis_of(dim, len(shape))
    a, b = (unit(x, axis=axis, eps=float(eps), flat=False) for x in (a, b))
    return sum(a * b, axis)


def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Any:
    """``‖x1 - x2 + eps‖_p`` along the last dimension.

    Args:
        x1, x2: ``(N, D)`` or ``(D,)``, or any shapes that broadcast.
        p: exponent of the norm.
        eps: added to every difference, which keeps the gradient away from the kink.
        keepdim: keep the last dimension, as 1.
    """
    return norm(x1 - x2 + eps, p, -1, keepdim)


@in_full_on_cuda
def pdist(input: Any, p: float = 2.0) -> Any:
    """The p-norm distances of all pairs of rows i < j of ``(N, D)``: shape ``(N (N - 1) / 2,)``.

    Raises:
        RuntimeError: ``input`` does not have two dimensions, or ``p`` is negative.
    """
    if input.dim() != 2:
        raise ShapeError(f"pdist only supports 2D tensors, got shape {tuple(input.shape)}")
    if not input.dtype.is_floating_point:
        raise RuntimeError(f"pdist only supports floating-point dtypes, got {input.dtype}")
    if p < 0:
        raise RuntimeError(f"pdist only supports non-negative p values, got {p}")
    import numpy as np

    from genesis.ops.creation import from_host
    from genesis.ops.distances import length_of
    from genesis.ops.indexing import index_select

    first, second = np.triu_indices(input.shape[0], 1)
    device = input._view.buffer.device
    rows = [index_select(input, 0, from_host(i.astype(np.int64), device)) for i in (first, second)]
    return length_of(rows[0] - rows[1], p)
