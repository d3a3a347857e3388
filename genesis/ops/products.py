"""Products of many kinds, made of matrix products: Kronecker, cross, contractions, chains, powers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from genesis._errors import ShapeError
from genesis.autograd.graph import TensorCore
from genesis.backend.view import broadcast_shapes
from genesis.ops._autocast import LOWER, in_widest_on_cuda, listed
from genesis.ops._view import size_of
from genesis.ops.joining import tensors_of
from genesis.ops.linalg import matmul, product, unread
from genesis.ops.rearranging import roll
from genesis.ops.reduction import axis_of, sum
from genesis.ops.shape import clone, expand, permute, reshape, unsqueeze

if TYPE_CHECKING:
    from genesis._tensor import Tensor


def kron(input: Tensor, other: Tensor) -> Tensor:
    """The Kronecker product: blocks ``input[i, j] * other``, for any number of axes."""
    ndim = max(input.dim(), other.dim())
    a = (1,) * (ndim - input.dim()) + input._view.shape
    b = (1,) * (ndim - other.dim()) + other._view.shape
    wide_a = reshape(input, [n for s in a for n in (s, 1)])
    wide_b = reshape(other, [n for s in b for n in (1, s)])
    return reshape(wide_a * wide_b, [n * m for n, m in zip(a, b, strict=True)])


@in_widest_on_cuda
def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """The cross product of vectors of three elements along ``dim`` (the first axis of length 3 unless given).

    Raises:
        RuntimeError: there is no such axis, or the shapes do not fit.
    """
    if dim is None:
        if input.dim() != other.dim():
            raise RuntimeError("cross: inputs must have the same number of dimensions")
        shape = broadcast_shapes(input._view.shape, other._view.shape)
        if 3 not in shape:
            raise RuntimeError(f"no dimension of size 3 in input of shape {tuple(shape)}")
        dim = shape.index(3)
    return linalg_cross(input, other, dim=dim)


def linalg_cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """The cross product along ``dim``; other axes broadcast."""
    if input.dim() != other.dim():
        raise RuntimeError(
            f"linalg.cross: inputs must have equally many dimensions, got {input.dim()} and {other.dim()}"
        )
    axis = axis_of(dim, input.dim())
    if input._view.shape[axis : axis + 1] != (3,) or other._view.shape[axis : axis + 1] != (3,):
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {tuple(input.shape)} and "
            f"{tuple(other.shape)}"
        )
    broadcast_shapes(input._view.shape, other._view.shape)
    turned = input * roll(other, -1, axis) - roll(input, -1, axis) * other
    return roll(turned, -1, axis)


@listed(cpu=LOWER, cuda=LOWER)
def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """Inner products of vectors along ``dim``; other axes broadcast."""
    return sum(x * y, dim)


def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """A contraction over several axes, as one matrix product.

    Args:
        dims: a number n: the last n axes of ``a`` with the first n of ``b``; or two sequences of axes.

    Raises:
        RuntimeError: the axes do not fit.
    """
    if isinstance(dims, TensorCore):
        dims = dims.tolist()  # type: ignore[attr-defined]
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a.dim(), b.dim()):
            raise RuntimeError(f"tensordot expects dims <= {min(a.dim(), b.dim())}, but got dims={dims}")
        first, second = list(range(a.dim() - dims, a.dim())), list(range(dims))
    else:
        given = [size_of((d,)) for d in dims]
        first = [axis_of(d, a.dim()) for d in given[0]]
        second = [axis_of(d, b.dim()) for d in given[1]]
    s, t = a._view.shape, b._view.shape
    if len(first) != len(second):
        raise RuntimeError(f"tensordot: both dimension lists should have same length, got {dims}")
    if len(set(first)) != len(first) or len(set(second)) != len(second):
        raise RuntimeError(f"tensordot: a dimension appears twice in {dims}")
    a_sizes, b_sizes = [s[i] for i in first], [t[i] for i in second]
    if any(m != n and 1 not in (m, n) for m, n in zip(a_sizes, b_sizes, strict=True)):
        raise ShapeError(f"contracted dimensions need to match, but shapes are {s} and {t} over {dims}")
    for i, j in zip(first, second, strict=True):  # an axis of length 1 stands for any
        if s[i] == 1 and t[j] != 1:
            b = sum(b, j, keepdim=True, dtype=b.dtype)
        elif t[j] == 1 and s[i] != 1:
            a = sum(a, i, keepdim=True, dtype=a.dtype)
    s, t = a._view.shape, b._view.shape
    left = [i for i in range(a.dim()) if i not in first]
    right = [i for i in range(b.dim()) if i not in second]
    k = math.prod(s[i] for i in first)
    rows, columns = math.prod(s[i] for i in left), math.prod(t[i] for i in right)
    if a.dtype is not b.dtype:
        raise RuntimeError(f"tensordot: both inputs should have same dtype, got {a.dtype} and {b.dtype}")
    out = product(
        reshape(permute(a, left + first), (rows, k)), reshape(permute(b, second + right), (k, columns))
    )
    return reshape(out, [s[i] for i in left] + [t[i] for i in right])


# -- chains and powers -------------------------------------------------------------------------------------
def chain_matmul(*matrices: Any) -> Tensor:
    """The product of matrices, in the order of the fewest multiplications."""
    if len(matrices) == 1 and not isinstance(matrices[0], TensorCore):
        matrices = tuple(matrices[0])
    parts = tensors_of("chain_matmul", matrices)
    if any(x.dim() != 2 for x in parts):
        raise RuntimeError(f"chain_matmul expects matrices, got {[tuple(x.shape) for x in parts]}")
    return parts[0] if len(parts) == 1 else _chain(parts)  # type: ignore[no-any-return]


def multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """The product of two or more matrices, in the order of the fewest multiplications.

    The first and the last may be vectors: a row and a column.

    Raises:
        RuntimeError: there are fewer than two, or the shapes do not fit.
    """
    parts = tensors_of("multi_dot", tensors)
    if len(parts) < 2:
        raise RuntimeError("multi_dot(): expected at least 2 tensors but got 1")
    row, column = parts[0].dim() == 1, parts[-1].dim() == 1
    if row:
        parts[0] = unsqueeze(parts[0], 0)
    if column:
        parts[-1] = unsqueeze(parts[-1], 1)
    if any(x.dim() != 2 for x in parts):
        raise RuntimeError(f"multi_dot(): expected matrices, got shapes {[tuple(x.shape) for x in parts]}")
    out = _chain(parts)
    shape = out._view.shape
    return reshape(out, (() if row else shape[:1]) + (() if column else shape[1:]))


def _chain(parts: list[Any]) -> Any:
    """Matrix chain order by dynamic programming (Cormen et al., Introduction to Algorithms, 15.2)."""
    for x, y in pairwise(parts):
        if x._view.shape[1] != y._view.shape[0]:
            raise ShapeError(f"a chain of shapes {[tuple(z.shape) for z in parts]} cannot be multiplied")
    n = len(parts)
    sizes = [parts[0]._view.shape[0], *[x._view.shape[1] for x in parts]]
    cost = [[0] * n for _ in range(n)]
    cut = [[0] * n for _ in range(n)]
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            options = [
                (cost[i][k] + cost[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)
            ]
            cost[i][j], cut[i][j] = min(options)

    def multiply(i: int, j: int) -> Any:
        if i == j:
            return parts[i]
        return matmul(multiply(i, cut[i][j]), multiply(cut[i][j] + 1, j))

    return multiply(0, n - 1)


def matrix_power(input: Tensor, n: int) -> Tensor:
    """Square matrices multiplied by themselves ``n`` times; a negative ``n`` takes the inverse first.

    Raises:
        RuntimeError: the matrices are not square.
    """
    shape = input._view.shape
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise RuntimeError(f"matrix_power: expected square matrices (or batches of them), got shape {shape}")
    if n < 0:
        from genesis.ops.solving import inv

        return matrix_power(inv(input), -n)
    if n == 0:
        from genesis.ops.creation import eye

        one = eye(shape[-1], dtype=input.dtype, device=input.device)
        return unread(input, clone(expand(one, shape)))
    out: Any = None
    square: Any = input
    while n:
        if n & 1:
            out = square if out is None else matmul(out, square)
        n >>= 1
        if n:
            square = matmul(square, square)
    return clone(out) if out is input else out
