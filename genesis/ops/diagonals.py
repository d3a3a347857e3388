"""Diagonals as vectors and back, traces, triangles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genesis._dtypes import bool_, int64
from genesis.autograd.graph import new
from genesis.backend.dispatch import run_map
from genesis.backend.expr import INDEX, arg, call
from genesis.ops import elementwise as ew
from genesis.ops._autocast import in_full_on_cpu
from genesis.ops._view import zeros_of
from genesis.ops.parts import diagonal
from genesis.ops.reduction import axis_of, sum
from genesis.ops.shape import reshape

if TYPE_CHECKING:
    from genesis._tensor import Tensor


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The last axis as the diagonal of two new axes ``dim1`` and ``dim2``; zeros elsewhere.

    Args:
        offset: 0 for the main diagonal, above it where positive, below where negative.

    Raises:
        RuntimeError: the two axes are one.
    """
    ndim = input.dim() + 1
    if not input.dim():
        raise RuntimeError("diag_embed needs a tensor with at least one dimension")
    first, second = axis_of(dim1, ndim), axis_of(dim2, ndim)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    size = input._view.shape[-1] + abs(offset)
    rest = iter(input._view.shape[:-1])
    shape = tuple([size if i in (first, second) else next(rest) for i in range(ndim)])
    out: Any = zeros_of(shape, input)
    diagonal(out, offset, first, second).copy_(input)
    return out  # type: ignore[no-any-return]


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """A vector as a matrix with this diagonal, or the diagonal of a matrix (a copy)."""
    if input.dim() == 1:
        return diag_embed(input, diagonal)
    if input.dim() != 2:
        raise RuntimeError(f"diag(): supports 1D or 2D tensors, got {input.dim()}D")
    return _diagonal(input, diagonal, 0, 1).clone()


_diagonal = diagonal


def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """All elements as the diagonal of a matrix."""
    return diag_embed(reshape(input, -1), offset)


@in_full_on_cpu
def trace(input: Tensor) -> Tensor:
    """The sum of the diagonal of a matrix."""
    if input.dim() != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.dim()}")
    return sum(diagonal(input, 0, 0, 1))


def fill_diagonal_(input: Tensor, fill_value: float, wrap: bool = False) -> Tensor:
    """Write a number into the main diagonal, where all indices are equal; in place.

    Args:
        wrap: of a tall matrix, go on with the diagonal below, one row further down.

    Raises:
        RuntimeError: there are fewer than two axes, or more, of different lengths.
    """
    shape = input._view.shape
    if len(shape) < 2:
        raise RuntimeError("fill_diagonal_: dimensions must larger than 1")
    if len(shape) > 2 and len(set(shape)) > 1:
        raise RuntimeError(f"all dimensions of input must be of equal length, got {tuple(shape)}")
    n = min(shape)
    if len(shape) > 2:
        line: Any = input
        for _ in range(len(shape) - 1):
            line = diagonal(line, 0, 0, line.dim() - 1)
        line.fill_(fill_value)
        return input
    diagonal(input).fill_(fill_value)
    if wrap:
        for first in range(n + 1, shape[0], n + 1):
            diagonal(input[first:]).fill_(fill_value)
    return input


_ABOVE, _BELOW = call("lt", arg(0) + arg(2), arg(1)), call("lt", arg(1), arg(0) + arg(2))


# -- triangles ---------------------------------------------------------------------------------------------
def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of the last two axes; zeros above ``diagonal``."""
    return _triangle(input, diagonal, lower=True)


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of the last two axes; zeros below ``diagonal``."""
    return _triangle(input, diagonal, lower=False)


def _triangle(x: Any, diagonal: int, lower: bool) -> Tensor:
    if x.dim() < 2:
        raise RuntimeError(f"a triangle needs at least 2 dimensions, got shape {tuple(x.shape)}")
    rows, columns = x._view.shape[-2:]
    device = x._view.buffer.device
    mask = device.backend.empty((rows, columns), bool_, device)
    if mask.size:
        count = device.backend.empty((max(rows, columns),), int64, device)
        run_map(device.backend, INDEX, count)
        row = count.like((rows, columns), (1, 0))
        column = count.like((rows, columns), (0, 1))
        run_map(device.backend, _ABOVE if lower else _BELOW, mask, row, column, int(diagonal))
    return ew.masked_fill(x, new(mask), 0)  # type: ignore[no-any-return]
