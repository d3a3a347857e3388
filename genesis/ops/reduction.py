"""Reductions: sums, products, extremes, moments and running totals."""

from __future__ import annotations

import math
from collections import namedtuple
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from genesis._dtypes import as_dtype, bool_, float32, float64, int64, uint8
from genesis._errors import ShapeError
from genesis.autograd.grad_mode import state
from genesis.autograd.graph import Node, TensorCore, new
from genesis.backend import halves
from genesis.backend.dispatch import run_map
from genesis.backend.expr import arg, cast
from genesis.backend.view import Shape, View, contiguous_strides
from genesis.ops import elementwise as ew
from genesis.ops._autocast import full_on_cuda, in_full, in_full_on_cuda
from genesis.ops._op import op, primitive

if TYPE_CHECKING:
    from genesis._tensor import Tensor


class EmptyReductionError(ShapeError, IndexError):
    """Nothing has no largest or smallest element."""


class ValuesAndIndices(NamedTuple):
    """Result of an operation that finds elements: what they are and where."""

    values: Any
    indices: Any

    def __repr__(self) -> str:
        return f"{type(self).__name__}(\nvalues={self.values!r},\nindices={self.indices!r})"


@cache
def named_result(name: str, *fields: str) -> Any:
    """The class of a result of several named parts."""
    return namedtuple(name, fields)


def axes_of(dim: int | Sequence[int] | None, ndim: int) -> tuple[int, ...]:
    """Sorted, non-negative axes; None and () mean all.  A 0-d tensor has none, but may be asked for 0 or -1.

    Raises:
        IndexError: an axis is out of range.
        RuntimeError: an axis appears twice.
    """
    if dim is None:
        return tuple(range(ndim))
    dims = (dim,) if isinstance(dim, int) else tuple(dim)
    if not dims:
        return tuple(range(ndim))
    axes = sorted(axis_of(d, ndim) for d in dims)
    if len(set(axes)) != len(axes):
        raise RuntimeError(f"dim {axes[0]} appears multiple times in the list of dims {dims}")
    return tuple(axes) if ndim else ()


def axis_of(dim: int, ndim: int) -> int:
    """A non-negative axis.

    Raises:
        IndexError: it is out of range.
    """
    limit = ndim or 1
    if not -limit <= dim < limit:
        raise IndexError(f"dimension out of range (expected to be in [{-limit}, {limit - 1}], but got {dim})")
    return dim % limit


@lru_cache(4096)
def _layout(shape: Shape, dim: Any, keepdim: bool) -> tuple[tuple[int, ...], Shape, Shape]:
    """The reduced axes, the shape with these as 1, and the shape of the result."""
    axes = axes_of(dim, len(shape))
    kept = tuple([1 if i in axes else s for i, s in enumerate(shape)])
    return axes, kept, kept if keepdim else tuple([s for i, s in enumerate(shape) if i not in axes])


def _plan(x: Any, dim: Any, keepdim: bool) -> tuple[tuple[int, ...], Shape, Shape]:
    """``_layout`` for the axes as people give them."""
    return _layout(x._view.shape, tuple(dim) if isinstance(dim, list) else dim, keepdim)


@primitive("expand")
def _expand(node: Node, grad: Any) -> tuple[Any]:
    return (sum(grad, *node.options),)


def _expand_back(grad: Any, shape: Shape, axes: tuple[int, ...], keepdim: bool) -> Any:
    """The gradient of a reduction, repeated over the reduced axes: a view, no memory is written."""
    if not axes:
        return grad
    view = grad._view
    strides = iter(view.strides)
    wide = []
    for i in range(len(shape)):
        stride = next(strides) if keepdim or i not in axes else 0
        wide.append(0 if i in axes else stride)
    return _expand.wrap(view.like(shape, tuple(wide)), (grad,), (), (axes, keepdim))


def _run(name: str, view: View, kept: Shape, shape: Shape, dtype: Any) -> View:
    """Reduce to ``kept``; the result as ``shape``."""
    device = view.buffer.device
    out: View = device.backend.empty(kept, dtype, device)
    if view.dtype.is_half:
        halves.reduce(device.backend, name, out, view)
    else:
        device.backend.reduce(name, out, view)
    return out if shape == kept else out.like(shape, contiguous_strides(shape))


#: so many small integers are copied as int64 at once
_MANY = 1 << 25


# -- sum and what follows from it --------------------------------------------------------------------------
@primitive("sum")
def _sum(node: Node, grad: Any) -> tuple[Any]:
    shape, axes, keepdim = node.options
    return (_expand_back(grad, shape, axes, keepdim),)


def sum(x: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """Sum over ``dim`` (an axis, several, or all); integers and bools are summed as int64."""
    if dtype is None and x.numel() > _MANY and not x.dtype.is_floating_point and x.dtype is not int64:
        axes = _plan(x, dim, keepdim)[0]
        if axes:
            longest = sorted(axes, key=lambda axis: x.shape[axis])[-1]
            count, step = x.shape[longest], -(-x.shape[longest] * _MANY // x.numel())
            parts = [x.narrow(longest, at, step) for at in range(0, count - step, step)]
            if parts:
                total = sum(x.narrow(longest, len(parts) * step, count - len(parts) * step), dim, keepdim)
                for part in parts:
                    total += sum(part, dim, keepdim)
                return total
    x = _total_type(x, dtype)
    if x._view.dtype.is_half and dtype is None:
        (x,) = full_on_cuda("sum", (x,))
    axes, kept, shape = _plan(x, dim, keepdim)
    view = _run("sum", x._view, kept, shape, x._view.dtype)
    return _sum.wrap(view, (x,), (), (x._view.shape, axes, keepdim))


def _total_type(x: Any, dtype: Any) -> Any:
    """``x`` in the type that its elements are summed and multiplied in."""
    if dtype is not None:
        return x.to(as_dtype(dtype))
    return x if x._view.dtype.is_floating_point else x.to(int64)


def sum_to_shape(x: Tensor, shape: Shape) -> Tensor:
    """Sum over the axes along which ``shape`` was broadcast to the shape of ``x``."""
    have = x._view.shape
    if have == shape:
        return x
    lead = len(have) - len(shape)
    ones = tuple([i + lead for i, s in enumerate(shape) if s == 1 and have[i + lead] != 1])
    if not ones and lead:
        return sum(x, tuple(range(lead)))
    if not lead and ones:
        return sum(x, ones, keepdim=True)
    return sum(x, (*range(lead), *ones), keepdim=True).reshape(shape)


@primitive("mean")
def _mean(node: Node, grad: Any) -> tuple[Any]:
    shape, axes, keepdim, count = node.options
    return (_expand_back(grad / count, shape, axes, keepdim),)


_shares = {d: arg(0) / cast(arg(1), d) for d in (float32, float64)}


def mean(x: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """Arithmetic mean over ``dim``.

    Raises:
        RuntimeError: ``x`` is not of a floating-point type and no ``dtype`` is given.
    """
    if dtype is not None:
        x = x.to(dtype)
    if not x.dtype.is_floating_point:
        raise RuntimeError(
            f"mean needs a floating-point tensor, got {x.dtype}; use x.float().mean() or dtype="
        )
    source: View = x._view
    axes, kept, shape = _plan(x, dim, keepdim)
    count = math.prod([source.shape[i] for i in axes])
    wide = halves.widened(source) if source.dtype.is_half else source
    view = _run("sum", wide, kept, shape, wide.dtype)
    run_map(view.buffer.device.backend, _shares[view.dtype], view, view, float(count))
    if wide is not source:
        view = halves.rounded(view, source.dtype)
    return _mean.wrap(view, (x,), (), (source.shape, axes, keepdim, count))


# -- products and extremes ---------------------------------------------------------------------------------
@primitive("prod")
def _prod(node: Node, grad: Any) -> tuple[Any]:
    (x,) = node.unpack()
    axes, keepdim = node.options
    full = _expand_back(grad, x._view.shape, axes, keepdim)
    zeros = ew.eq(x, 0)
    if not _any_true(zeros):
        return (full * (prod(x, axes, keepdim=True) / x),)
    if state.enabled:
        return (full * _others(x, axes),)
    # with one zero, only that element has a gradient: the product of the others; with more, none has
    count = sum(zeros, axes, keepdim=True)
    filled = ew.masked_fill(x, zeros, 1)
    others = prod(filled, axes, keepdim=True)
    alone = ew.where(ew.logical_and(zeros, ew.eq(count, 1)), others, 0.0)
    return (full * ew.where(ew.eq(count, 0), others / filled, alone),)


def _others(x: Any, axes: tuple[int, ...]) -> Any:
    """For each element the product of the others, as products of those before and behind it."""
    from genesis.ops.joining import cat
    from genesis.ops.rearranging import flip
    from genesis.ops.shape import permute, reshape

    if not axes:
        return x._ones_like()
    kept = [i for i in range(x.dim()) if i not in axes]
    order = (*kept, *axes)
    moved = permute(x, order)
    rows = reshape(moved, (*moved._view.shape[: len(kept)], -1))
    n, axis = rows._view.shape[-1], len(kept)
    one = rows._ones_like().narrow(axis, 0, 1)
    before = cat([one, cumprod(rows.narrow(axis, 0, n - 1), axis)], axis)
    behind = flip(cat([one, cumprod(flip(rows, axis).narrow(axis, 0, n - 1), axis)], axis), axis)
    out = reshape(before * behind, moved._view.shape)
    return permute(out, tuple(order.index(i) for i in range(x.dim())))


def _any_true(x: Any) -> bool:
    return bool(any(x).item())


@in_full
def prod(x: Tensor, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """Product over ``dim``; integers and bools are multiplied as int64."""
    x = _total_type(x, dtype)
    axes, kept, shape = _plan(x, dim, keepdim)
    out = _run("prod", x._view, kept, shape, x._view.dtype)
    return _prod.wrap(out, (x,), (x,), (axes, keepdim))


@primitive("extreme")
def _extreme(node: Node, grad: Any) -> tuple[Any]:
    x, out = node.unpack()
    axes, keepdim, nans = node.options
    shape = x._view.shape
    top = _expand_back(out, shape, axes, keepdim)
    chosen = ew.eq(x, top)
    if nans:  # those share the gradient where the result is one; else it is nan there
        chosen = ew.logical_or(chosen, ew.logical_and(ew.isnan(x), ew.isnan(top)))
    chosen = chosen.to(grad.dtype)
    return (chosen * (_expand_back(grad, shape, axes, keepdim) / sum(chosen, axes, keepdim=True)),)


def _nonempty(x: Any, axes: tuple[int, ...], name: str) -> None:
    if 0 in [x._view.shape[i] for i in axes]:
        raise EmptyReductionError(
            f"{name}: cannot reduce an axis of length 0 of shape {tuple(x.shape)}; it has no extreme"
        )


def _amost(name: str, x: Any, dim: Any, keepdim: bool, nans: bool = False) -> Tensor:
    axes, kept, shape = _plan(x, dim, keepdim)
    _nonempty(x, axes, f"a{name}")
    source = (x.to(uint8) if x.dtype is bool_ else x)._view
    view = _run(name, source, kept, shape, source.dtype)
    if x.dtype is bool_:
        return new(view).to(bool_)
    return _extreme.wrap(view, (x,), (x, new(view)), (axes, keepdim, nans))


def amax(x: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Largest element over ``dim``; equal elements share the gradient."""
    return _amost("max", x, dim, keepdim)


def amin(x: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Smallest element over ``dim``; equal elements share the gradient."""
    return _amost("min", x, dim, keepdim)


def _arg(name: str, x: Any, dim: int | None, keepdim: bool) -> Tensor:
    if dim is None:
        flat = _arg(name, x.reshape(-1), 0, False)
        return flat.reshape((1,) * x.dim()) if keepdim else flat
    if not x.dim():
        axis_of(dim, 0)
        return _arg(name, x.reshape(1), 0, False)
    axes, kept, shape = _plan(x, dim, keepdim)
    _nonempty(x, axes, name)
    view = (x.to(uint8) if x.dtype is bool_ else x)._view
    return new(_run(name, view, kept, shape, int64))


def argmax(x: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Position of the (first) largest element along ``dim``, or in the flattened tensor; int64."""
    return _arg("argmax", x, dim, keepdim)


def argmin(x: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Position of the (first) smallest element along ``dim``, or in the flattened tensor; int64."""
    return _arg("argmin", x, dim, keepdim)


def _most(name: str, x: Any, dim: Any, keepdim: bool, other: Any) -> Any:
    if other is not None or isinstance(dim, TensorCore):
        return (ew.maximum if name == "max" else ew.minimum)(x, dim if other is None else other)
    if dim is None:
        return _amost(name, x, None, keepdim, nans=True)
    if not isinstance(dim, int):
        raise TypeError(f"{name}() takes one axis or a tensor, got {dim!r}; see a{name} for several axes")
    if not x.dim():
        return ValuesAndIndices(x.clone(), _arg(f"arg{name}", x, dim, False))
    from genesis.ops.indexing import gather

    indices = _arg(f"arg{name}", x, dim, True)
    values = gather(x, dim, indices)
    if keepdim:
        return ValuesAndIndices(values, indices)
    return ValuesAndIndices(values.squeeze(dim), indices.squeeze(dim))


def max(x: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The largest element; with ``dim``, the pair (values, indices) along it; with a tensor, ``maximum``."""
    return _most("max", x, dim, keepdim, other)


def min(x: Tensor, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The smallest element; with ``dim``, the pair (values, indices) along it; with a tensor, ``minimum``."""
    return _most("min", x, dim, keepdim, other)


def _truth(name: str, x: Any, dim: Any, keepdim: bool) -> Tensor:
    flags = (x if x.dtype is bool_ else ew.ne(x, 0)).to(uint8)._view
    axes, kept, shape = _plan(x, dim, keepdim)
    if 0 in [flags.shape[i] for i in axes]:  # all of nothing is true, any of nothing is false
        name = "prod" if name == "min" else "sum"
    out = new(_run(name, flags, kept, shape, uint8))
    return out if x.dtype is uint8 else out.to(bool_)


def all(x: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """True where every element over ``dim`` is non-zero."""
    return _truth("min", x, dim, keepdim)


def any(x: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    """True where some element over ``dim`` is non-zero."""
    return _truth("max", x, dim, keepdim)


# -- running totals and the rest ---------------------------------------------------------------------------
def _scan(name: str, x: Any, axis: int) -> View:
    device = x._view.buffer.device
    out: View = device.backend.empty(x._view.shape, x._view.dtype, device)
    if x._view.dtype.is_half:
        halves.scan(
            device.backend,
            name,
            out.like((1,), (1,)) if not x._view.shape else out,
            x._view.like((1,), (1,)) if not x._view.shape else x._view,
            axis,
        )
    elif x._view.shape:
        device.backend.scan(name, out, x._view, axis)
    else:
        device.backend.reduce("sum", out, x._view)
    return out


def _scanned(x: Any, dim: int, dtype: Any) -> tuple[Any, int]:
    """``x`` in the type of its running totals, and a non-negative axis."""
    want = as_dtype(dtype) if dtype is not None else x.dtype if x.dtype.is_floating_point else int64
    return x.to(want), axis_of(dim, x.dim())


@op()
def running_sum(x: Any, *, axis: int, back: bool) -> Any:
    """For each element the sum of those before it and itself; ``back``: of those behind it and itself."""
    if not back:
        return new(_scan("sum", x, axis))
    return running_sum(x.flip(axis), axis=axis, back=False).flip(axis)


@running_sum.backward_rule
def _running_sum(needs: Any, grad: Any, *, axis: int, back: bool) -> tuple[Any]:
    return (running_sum(grad, axis=axis, back=not back),)


@in_full_on_cuda
def cumsum(x: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """Running sum along ``dim``."""
    x, axis = _scanned(x, dim, dtype)
    return running_sum(x, axis=axis, back=False)  # type: ignore[no-any-return]


@primitive("cumprod")
def _cumprod(node: Node, grad: Any) -> tuple[Any]:
    (x,) = node.unpack()
    dim = node.options
    if not _any_true(ew.eq(x, 0)):
        return (running_sum(grad * cumprod(x, dim), axis=dim, back=True) / x,)
    # division is not possible: for every element, the running products without it
    from genesis.ops.creation import arange
    from genesis.ops.joining import cat

    if not x.dim():
        return (grad,)
    position = arange(x._view.shape[dim], device=x.device).reshape(-1, *(1,) * (x.dim() - 1 - dim))
    parts = []
    for i in range(x._view.shape[dim]):
        here = ew.eq(position, i)
        terms = grad * cumprod(ew.masked_fill(x, here, 1), dim)
        parts.append(sum(ew.masked_fill(terms, ew.lt(position, i), 0), dim, keepdim=True))
    return (cat(parts, dim),)


@in_full_on_cuda
def cumprod(x: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """Running product along ``dim``."""
    x, axis = _scanned(x, dim, dtype)
    return _cumprod.wrap(_scan("prod", x, axis), (x,), (x,), axis)
