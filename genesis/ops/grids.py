"""Ranges on another scale, grids of points, and the positions of triangles."""

from __future__ import annotations

import builtins
import math
from itertools import combinations as _subsets
from itertools import combinations_with_replacement as _multisets
from typing import TYPE_CHECKING, Any

import numpy as np

from genesis._dtypes import as_dtype, default_dtype, float64, int64
from genesis.ops import elementwise as ew
from genesis.ops._view import size_of
from genesis.ops.creation import _leaf, _place, arange, check_range, empty, from_host, linspace
from genesis.ops.shape import permute

if TYPE_CHECKING:
    from genesis._tensor import Tensor


def range(
    start: float = 0,
    end: Any = None,
    step: float = 1,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``start, start + step, …`` up to and with ``end``; old in PyTorch, where ``arange`` is preferred.

    Raises:
        RuntimeError: the step is 0 or leads away from ``end``.
    """
    if end is None:
        raise TypeError("range() is missing the argument 'end'")
    start, end, step = (v.item() if hasattr(v, "item") else v for v in (start, end, step))
    check_range("range", start, end, step)
    want = default_dtype() if dtype is None else as_dtype(dtype)
    count = math.floor((end - start) / step) + 1
    if not want.is_floating_point:
        start, step = int(start), int(step)
    inner = float64 if want.is_floating_point else int64
    positions = arange(count, dtype=inner, device=device)
    return _leaf((positions * step + start).to(want), requires_grad)


def empty_permuted(
    size: Any,
    physical_layout: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Memory whose axes lie in the order ``physical_layout``, outermost first; its elements are arbitrary.

    Raises:
        RuntimeError: ``physical_layout`` does not name each axis once.
    """
    shape, order = size_of((size,)), tuple(physical_layout)
    if sorted(order) != list(builtins.range(len(shape))):
        raise RuntimeError(
            f"empty_permuted: physical_layout {order} must name each of the {len(shape)} axes of {shape} once"
        )
    memory = empty(tuple([shape[i] for i in order]), dtype=dtype, device=device)
    out = permute(memory, dims=tuple([order.index(i) for i in builtins.range(len(shape))]))
    return _leaf(out.pin_memory() if pin_memory else out, requires_grad)


def logspace(
    start: Any,
    end: Any,
    steps: int,
    base: float = 10.0,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``steps`` numbers from ``base**start`` to ``base**end``, evenly spaced in the exponent."""
    want = default_dtype() if dtype is None else as_dtype(dtype)
    start, end = (v.item() if hasattr(v, "item") else v for v in (start, end))
    if not want.is_floating_point:  # PyTorch takes the ends in the type of the result
        start, end = int(start), int(end)
    exponents = linspace(start, end, steps, dtype=float64, device=device)
    out = ew.power(float(base), exponents).to(want)
    return _leaf(out, requires_grad)


def _triangle_indices(lower: bool, row: int, col: int, offset: int, dtype: Any, device: Any) -> Tensor:
    if row < 0 or col < 0:
        raise RuntimeError(f"row and col must be non-negative, got {row} and {col}")
    mask = np.tri(row, col, offset, bool) if lower else ~np.tri(row, col, offset - 1, bool)
    places = np.stack(np.nonzero(mask)).astype(np.int64)
    return from_host(places, _place(device)).to(int64 if dtype is None else as_dtype(dtype))


def tril_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Rows and columns of the lower triangle of a matrix, an integer tensor of shape (2, count)."""
    return _triangle_indices(True, row, col, offset, dtype, device)


def triu_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Rows and columns of the upper triangle of a matrix, an integer tensor of shape (2, count)."""
    return _triangle_indices(False, row, col, offset, dtype, device)


def _sequence(tensors: tuple[Any, ...]) -> list[Any]:
    if len(tensors) == 1 and isinstance(tensors[0], list | tuple):
        tensors = tuple(tensors[0])
    return list(tensors)


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """The coordinates of a grid: the i-th tensor repeated along all axes but the i-th, as views.

    Args:
        tensors: 0-d or 1-d, of one type.
        indexing: ``"ij"`` (the default), or ``"xy"`` with the first two axes exchanged, as for images.

    Raises:
        RuntimeError: there is no tensor, one has more axes, or the types differ.
    """
    parts = _sequence(tensors)
    if not parts:
        raise RuntimeError("meshgrid expects a non-empty list of tensors")
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError(f"meshgrid: indexing must be one of 'xy' or 'ij', but got {indexing!r}")
    for p in parts:
        if p.dim() > 1:
            raise RuntimeError(f"meshgrid expects 0D or 1D tensors, got one of shape {tuple(p.shape)}")
        if p.dtype is not parts[0].dtype:
            raise RuntimeError("meshgrid expects all tensors to have the same dtype")
    swap = indexing == "xy" and len(parts) > 1
    if swap:
        parts[0], parts[1] = parts[1], parts[0]
    sizes = [p.numel() for p in parts]
    grids = []
    for i, p in enumerate(parts):
        shape = [1] * len(parts)
        shape[i] = sizes[i]
        grids.append(p.reshape(shape).expand(*sizes))
    if swap:
        grids[0], grids[1] = grids[1], grids[0]
    return tuple(grids)


def cartesian_prod(*tensors: Any) -> Tensor:
    """All combinations of one element of each 1-d tensor, a row each."""
    from genesis.ops.joining import stack

    parts = _sequence(tensors)
    if any(p.dim() != 1 for p in parts):
        raise RuntimeError("cartesian_prod expects 1D tensors")
    if len(parts) == 1:
        return parts[0]  # type: ignore[no-any-return]
    return stack([g.reshape(-1) for g in meshgrid(*parts)], 1)


def combinations(input: Any, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All selections of ``r`` elements of a 1-d tensor, a row each, in order."""
    from genesis.ops.creation import empty

    if input.dim() != 1:
        raise RuntimeError(f"combinations expects a 1D tensor, got shape {tuple(input.shape)}")
    if r < 0:
        raise RuntimeError(f"combinations expects a non-negative number, got {r}")
    if r == 0:
        return empty(0, dtype=input.dtype, device=input.device)
    choose = _multisets if with_replacement else _subsets
    places = np.array(list(choose(builtins.range(input.numel()), r)), np.int64).reshape(-1, r)
    index = from_host(places, input._view.buffer.device)
    return input[index]  # type: ignore[no-any-return]


def vander(x: Any, N: int | None = None, increasing: bool = False) -> Tensor:
    """Powers of the elements of a 1-d tensor, a row each: ``x^(N-1), …, x, 1``, or the other way round."""
    if x.dim() != 1:
        raise RuntimeError(f"x must be a one-dimensional tensor, got shape {tuple(x.shape)}")
    n = x.numel() if N is None else N
    if n < 0:
        raise RuntimeError(f"N must be non-negative, got {n}")
    from genesis.ops.joining import cat
    from genesis.ops.rearranging import flip
    from genesis.ops.reduction import cumprod

    if not x.dtype.is_floating_point:
        x = x.to(int64)
    column = x.reshape(-1, 1)
    powers = [column._ones_like(), cumprod(column.expand(x.numel(), max(n - 1, 0)), 1)]
    out = cat(powers, 1).narrow(1, 0, n)
    return out if increasing else flip(out, 1)


def unravel_index(indices: Any, shape: Any) -> tuple[Tensor, ...]:
    """The indices along each axis of ``shape`` of the given positions in the flattened tensor.

    Raises:
        ValueError: a position is negative or behind the end.
    """
    from genesis.ops.reduction import all

    sizes = (shape,) if isinstance(shape, int) else tuple(int(n) for n in shape)
    indices, total = indices.to(int64), 1
    for n in sizes:
        total *= n
    if not bool(all(ew.logical_and(ew.ge(indices, 0), ew.lt(indices, total))).item()):
        raise ValueError(f"unravel_index: indices must lie in [0, {total}), for the shape {sizes}")
    found = []
    for n in reversed(sizes):
        found.append(ew.remainder(indices, n))
        indices = ew.floor_divide(indices, n)
    return tuple(reversed(found))
