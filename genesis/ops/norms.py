"""Norms of vectors and matrices, conditions, matrices of powers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from genesis._dtypes import as_dtype, int64
from genesis.ops import _host
from genesis.ops import elementwise as ew
from genesis.ops._autocast import in_full_on_cpu, in_full_on_cuda
from genesis.ops._op import op
from genesis.ops.decompositions import svdvals
from genesis.ops.linalg import unread
from genesis.ops.loss_formulas import raised
from genesis.ops.parts import diagonal
from genesis.ops.reduction import amax, amin, axes_of, axis_of, sum
from genesis.ops.shape import movedim, reshape, squeeze, unsqueeze
from genesis.ops.solving import inv

if TYPE_CHECKING:
    from genesis._tensor import Tensor


@op(saves=("x", "out"))
def power_norm(x: Any, *, p: float, axes: tuple[int, ...], keepdim: bool) -> Any:
    """``(sum |x|^p)^(1/p)`` over ``axes``; ``p`` is finite."""
    if p == 0:
        return sum(ew.ne(x, 0).to(x.dtype), axes, keepdim)
    if p == 1:
        return sum(ew.abs(x), axes, keepdim)
    if p == 2:
        return ew.sqrt(sum(ew.square(x), axes, keepdim))
    return ew.pow(sum(ew.pow(ew.abs(x), float(p)), axes, keepdim), 1.0 / p)


@power_norm.backward_rule
def _power_norm(needs: Any, grad: Any, x: Any, out: Any, *, p: float, axes: Any, keepdim: bool) -> Any:
    # d|x|_p = sign(x) |x|^(p-1) |x|_p^(1-p), and 0 where the norm is, as PyTorch's norm_backward
    if not keepdim:
        kept = [1 if i in axes else s for i, s in enumerate(x._view.shape)]
        grad, out = reshape(grad, kept), reshape(out, kept)
    if p == 0:
        return (x * 0 * grad,)
    if p == 1:
        return (ew.sign(x) * grad,)
    zero = ew.eq(out, 0)
    if p == 2:
        return (x * ew.where(zero, 0.0, grad / ew.where(zero, 1.0, out)),)
    flat = ew.eq(x, 0)
    part = ew.sign(x) * ew.pow(ew.where(flat, 1.0, ew.abs(x)), p - 1.0)
    scale = ew.where(zero, 0.0, grad * ew.pow(ew.where(zero, 1.0, out), 1.0 - p))
    return (ew.where(flat, 0.0, part * scale),)


@op(saves=("x", "out"))
def unit(x: Any, *, axis: int, eps: float, flat: bool) -> Any:
    """``x / max(|x|, eps)`` along an axis, with Euclidean lengths.

    ``flat``: where the divisor is eps, no gradient flows through it.
    """
    return x / ew.clamp(_length(x, axis), eps)


@unit.backward_rule
def _unit(needs: Any, grad: Any, x: Any, out: Any, *, axis: int, eps: float, flat: bool) -> Any:
    length = _length(x, axis)
    without = ew.lt(length, eps) if flat else ew.eq(length, 0)
    slope = sum(grad * out, axis, keepdim=True) / ew.where(without, 1.0, length)
    divisor = ew.clamp(length, eps) if flat else raised(length, eps)
    return (grad / divisor - out * ew.where(without, 0.0, slope),)


def _length(x: Any, axis: int) -> Any:
    """Euclidean lengths; divided by the largest element first, no square overflows or vanishes."""
    if not x._view.shape[axis]:
        return sum(x, axis, keepdim=True)
    top = amax(ew.abs(x.detach()), axis, keepdim=True)
    top = ew.where(ew.logical_and(ew.gt(top, 0), ew.isfinite(top)), top, 1.0)
    return power_norm(x / top, p=2.0, axes=(axis,), keepdim=True) * top


@in_full_on_cuda
def vector_norm(
    x: Tensor, ord: float = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """``(sum |x|^ord)^(1/ord)`` of the elements along ``dim``; its gradient at zero is zero.

    Args:
        ord: a number, inf, -inf, or 0: how many are not 0.
        dim: an axis, several, or None: all.
        dtype: convert to this type first.

    Raises:
        RuntimeError: ``x`` is not of a floating-point type, or nothing has an extreme.
    """
    if dtype is not None:
        x = x.to(as_dtype(dtype))
    _host.numbers("linalg.vector_norm", x)
    if isinstance(ord, str):
        raise TypeError(f"linalg.vector_norm: ord must be a number, got {ord!r}")
    p = float(ord)
    shape = x._view.shape
    axes = tuple(a for a in axes_of(dim, len(shape)) if a < len(shape))
    if (p < 0 or p == math.inf) and any(shape[a] == 0 for a in axes):
        raise RuntimeError(f"linalg.vector_norm cannot compute the {ord} norm on an axis of length 0")
    if math.isinf(p):
        size = ew.abs(x)
        if not axes:
            return size
        return amax(size, axes, keepdim) if p > 0 else amin(size, axes, keepdim)
    out: Tensor = power_norm(x, p=p, axes=axes, keepdim=keepdim)
    return out


def _largest(x: Any, axis: int, keepdim: bool = False) -> Any:
    """The maximum of numbers that are not negative; 0 of none."""
    return amax(x, axis, keepdim) if x._view.shape[axis] else sum(x, axis, keepdim)


@in_full_on_cuda
def matrix_norm(
    A: Tensor, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """A norm of matrices over the two axes ``dim``.

    Args:
        ord: ``"fro"``; ``"nuc"``, the sum of the singular values; inf and -inf, the largest and smallest sum
            of absolute values of a row; 1 and -1, of a column; 2 and -2, the largest and smallest singular
            value.

    Raises:
        RuntimeError: ``ord`` is something else, or ``dim`` are not two axes.
    """
    if dtype is not None:
        A = A.to(as_dtype(dtype))
    _host.matrices("linalg.matrix_norm", A)
    if isinstance(dim, int) or len(dim) != 2:
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple, got {dim}")
    rows, columns = (axis_of(d, A.dim()) for d in dim)
    if rows == columns:
        raise RuntimeError(f"linalg.matrix_norm: dims must be different, got {dim}")
    if ord == "fro":
        return vector_norm(A, 2, (rows, columns), keepdim)
    if ord == "nuc" or ord in (2, -2):
        values = svdvals(movedim(A, (rows, columns), (-2, -1)))
        out = sum(values, -1) if ord == "nuc" else _largest(values, -1) if ord > 0 else amin(values, -1)
        if keepdim:
            for axis in sorted((rows, columns)):
                out = unsqueeze(out, axis)
        return out
    if isinstance(ord, str) or abs(ord) not in (1, math.inf):
        raise RuntimeError(f"linalg.matrix_norm: order {ord} not supported")
    first, second = (rows, columns) if abs(ord) == 1 else (columns, rows)
    totals = sum(ew.abs(A), first, keepdim=True)
    out = _largest(totals, second, keepdim=True) if ord > 0 else amin(totals, second, keepdim=True)
    return out if keepdim else squeeze(out, (rows, columns))


@in_full_on_cuda
def norm(
    input: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """``vector_norm`` or ``matrix_norm``, by the number of axes.

    Without ``ord``, the Euclidean norm of all elements (along ``dim``).  With it, along one axis that of
    vectors, along two that of matrices; without ``dim``, ``input`` has one or two axes.
    """
    if dim is None and ord is not None and input.dim() not in (1, 2):
        raise RuntimeError(
            f"linalg.norm: if dim is not specified but ord is, the input must be 1D or 2D, got {input.dim()}D"
        )
    if ord is not None:
        axes = tuple(range(input.dim())) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
        if len(axes) == 2:
            return matrix_norm(input, ord, axes, keepdim, dtype=dtype)
        if isinstance(ord, str):
            raise RuntimeError(f"linalg.norm: order {ord!r} can only be used for matrices")
    return vector_norm(input, 2 if ord is None else ord, dim, keepdim, dtype=dtype)


@in_full_on_cpu
def cond(A: Tensor, p: Any = None) -> Tensor:
    """The condition of each matrix in the norm ``p``: ``|A| |A^-1|``; 2 unless given, also of rectangles.

    Infinite where a square matrix is singular.
    """
    _host.matrices("linalg.cond", A)
    if not A._view.size:
        if A._view.shape[-1] != A._view.shape[-2] and p not in (None, 2, -2):
            _host.square("linalg.cond", A)
        return sum(A, (-2, -1))
    if p is None or p in (2, -2):
        values = svdvals(A)
        low, high = values[..., -1], values[..., 0]
        return high / low if p is None or p == 2 else low / high
    _host.square("linalg.cond", A)
    from genesis.ops.solving import inv_ex

    try:
        return matrix_norm(A, p) * matrix_norm(inv(A), p)
    except _host.LinAlgError:
        inverse, info = inv_ex(A)
        product = matrix_norm(A, p) * matrix_norm(inverse, p)
        return ew.where(ew.ne(info, 0), math.inf, product)  # type: ignore[no-any-return]


def vander(x: Tensor, N: int | None = None) -> Tensor:
    """Powers 0 … N - 1 (by default as many as elements) of each element of the last axis: (…, n, N)."""
    if not x.dtype.is_floating_point:
        x = x.to(int64)
    if not x.dim():
        x = unsqueeze(x, 0)
    count = x._view.shape[-1] if N is None else N
    if N is not None and N <= 1:
        raise RuntimeError(f"N must be greater than 1, got {N}")
    from genesis.ops.joining import stack

    columns: list[Any] = [unread(x, x._ones_like())]
    while len(columns) < count:
        columns.append(columns[-1] * x)
    return stack(columns, -1)


def matrix_diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """``diagonal`` of the last two axes."""
    return diagonal(A, offset, dim1, dim2)
