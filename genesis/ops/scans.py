"""Running extremes and totals along an axis, and differences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from genesis._dtypes import DtypeError, bool_, default_dtype
from genesis.autograd.grad_mode import state
from genesis.autograd.graph import Node, TensorCore, new
from genesis.backend import halves
from genesis.backend.dispatch import kernel
from genesis.ops import elementwise as ew
from genesis.ops._op import primitive
from genesis.ops.reduction import ValuesAndIndices, axis_of, cumsum, sum

if TYPE_CHECKING:
    from genesis._tensor import Tensor

# mypy: disable-error-code="no-any-return"


def _running_extreme(x: Any, dim: int, name: str) -> ValuesAndIndices:
    """The last of equal elements; on the host, where NumPy accumulates, unless the device has a kernel."""
    from genesis.ops.creation import from_host
    from genesis.ops.indexing import gather

    axis = axis_of(dim, x.dim())
    device = x._view.buffer.device
    if not x.dim():
        return ValuesAndIndices(x.clone(), from_host(np.zeros((), np.int64), device))
    own = kernel(device.backend, "running_extreme")
    if own is not None and x._view.size:
        view = halves.widened(x._view) if x.dtype.is_half else x._view
        places_there = own(device.backend, view, axis=axis, largest=name == "max")
        if places_there is not NotImplemented:
            indices = new(places_there)
            return ValuesAndIndices(gather(x, axis, indices), indices)
    host = device.backend.read(x._view)
    best = (np.maximum if name == "max" else np.minimum).accumulate(host, axis=axis)
    shape = [1] * host.ndim
    shape[axis] = -1
    here = np.arange(host.shape[axis]).reshape(shape)
    hits = (host == best) | (host != host)  # a nan is not equal to itself
    places = np.maximum.accumulate(np.where(hits, here, 0), axis=axis)
    indices = from_host(np.ascontiguousarray(places), device)
    return ValuesAndIndices(gather(x, axis, indices), indices)


def cummax(x: Any, dim: int) -> ValuesAndIndices:
    """Running maximum along ``dim``: (values, indices), the last of equal ones; a nan stays."""
    return _running_extreme(x, dim, "max")


def cummin(x: Any, dim: int) -> ValuesAndIndices:
    """Running minimum along ``dim``: (values, indices), the last of equal ones; a nan stays."""
    return _running_extreme(x, dim, "min")


@primitive("logcumsumexp")
def _logcumsumexp(node: Node, grad: Any) -> tuple[Any]:
    x, out = node.unpack()
    dim = node.options
    if state.enabled:  # to be differentiated again: a plain sum, which a spread beyond that of exp overflows
        out = logcumsumexp(x, dim)
        terms = grad * ew.exp(out.detach().amax(dim, keepdim=True) - out)
        total = cumsum(terms.flip(dim), dim).flip(dim)
        return (ew.exp(x - out.detach().amax(dim, keepdim=True)) * total,)
    # in logarithms, apart for both signs of the gradient, so that nothing overflows

    def part(log_grad: Any) -> Any:
        total = logcumsumexp((log_grad - out).flip(dim), dim).flip(dim)
        return ew.exp(total + x)

    up = ew.where(ew.gt(grad, 0), ew.log(ew.abs(grad)), -math.inf)
    down = ew.where(ew.lt(grad, 0), ew.log(ew.abs(grad)), -math.inf)
    return (part(up) - part(down),)


def logcumsumexp(x: Any, dim: int) -> Tensor:
    """Logarithm of the running sum of exponentials along ``dim``, without overflow."""
    from genesis.ops.creation import from_host

    if not x.dtype.is_floating_point:
        raise DtypeError(f"logcumsumexp needs a floating-point tensor, got {x.dtype}; convert with .float()")
    axis = axis_of(dim, x.dim())
    if not x.dim():
        return x.clone()
    device = x._view.buffer.device
    own = kernel(device.backend, "logcumsumexp")
    if own is not None and x._view.size:
        view = own(device.backend, halves.widened(x._view) if x.dtype.is_half else x._view, axis=axis)
        if view is not NotImplemented:
            view = halves.rounded(view, x.dtype) if x.dtype.is_half else view
            return _logcumsumexp.wrap(view, (x,), (x, new(view)), axis)
    host = device.backend.read(x._view)
    with np.errstate(all="ignore"):
        total = np.logaddexp.accumulate(host.astype(np.float64), axis=axis).astype(host.dtype)
    view = from_host(np.ascontiguousarray(total), device)._view
    return _logcumsumexp.wrap(view, (x,), (x, new(view)), axis)


def diff(input: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Tensor:
    """The ``n``-th differences of neighbours along ``dim``, with ``prepend`` and ``append`` joined to it.

    Raises:
        RuntimeError: ``input`` has no axes, or ``n`` is negative.
    """
    from genesis.ops.joining import cat

    if not input.dim():
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    axis = axis_of(dim, input.dim())
    if n == 0:
        return input.clone()
    parts = [p for p in (prepend, input, append) if p is not None]
    x = cat(parts, axis) if len(parts) > 1 else input
    for _ in range(min(n, x._view.shape[axis])):
        length = max(x._view.shape[axis] - 1, 0)
        low, high = x.narrow(axis, 0, length), x.narrow(axis, x._view.shape[axis] - length, length)
        x = ew.logical_xor(high, low) if x.dtype is bool_ else ew.minus(high, low)
    return x


def _areas(y: Any, x: Any, dx: Any, dim: int) -> tuple[Any, int]:
    """The area under each piece of a broken line; twice that where there are points ``x``."""
    if x is not None and dx is not None:
        raise RuntimeError("the trapezoidal rule takes either x or dx")
    if x is None and not y.dtype.is_floating_point:
        y = y.to(default_dtype())
    axis = axis_of(dim, y.dim())
    length = max(y._view.shape[axis] - 1, 0)
    both = y.narrow(axis, 0, length) + y.narrow(axis, y._view.shape[axis] - length, length)
    if x is None:
        return both * (0.5 if dx is None else dx / 2), axis
    steps = diff(x, dim=0) if x.dim() == 1 and y.dim() > 1 else diff(x, dim=axis - y.dim())
    if x.dim() == 1 and y.dim() > 1:
        if x._view.shape[0] != y._view.shape[axis]:
            raise RuntimeError(
                f"there must be one x for each of {y._view.shape[axis]} y values, got {x._view.shape[0]}"
            )
        shape = [1] * y.dim()
        shape[axis] = -1
        steps = steps.reshape(shape)
    return both * steps, axis


def trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """The integral along ``dim`` by the trapezoidal rule, at the points ``x`` or at a distance ``dx`` (1).

    Raises:
        RuntimeError: both ``x`` and ``dx`` are given.
    """
    areas, axis = _areas(y, x, dx, dim)
    total = sum(areas, axis - y.dim())
    return total if x is None else total / 2


def cumulative_trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """The running ``trapezoid``, one shorter along ``dim``."""
    areas, axis = _areas(y, x, dx, dim)
    total = cumsum(areas, axis - y.dim())
    return total if x is None else total / 2


def gradient(input: Any, *, spacing: Any = 1, dim: Any = None, edge_order: int = 1) -> tuple[Tensor, ...]:
    """The slope along each axis: differences of second order inside, of ``edge_order`` at the ends.

    Args:
        input: values at the points of a grid.
        spacing: the distance of the points, a number for all axes or for each; or tensors of coordinates.
        dim: an axis or several; all unless given.
        edge_order: 1 or 2.

    Raises:
        RuntimeError: an axis is too short, or there is not a spacing for each axis.
    """
    from genesis.ops.joining import cat
    from genesis.ops.reduction import axes_of

    spacing = 1 if spacing is None else spacing
    if edge_order not in (1, 2):
        raise RuntimeError("gradient only supports edge_order=1 and edge_order=2")
    if dim is None:
        axes: tuple[int, ...] = tuple(range(input.dim()))
    else:
        axes = tuple(axis_of(d, input.dim()) for d in ((dim,) if isinstance(dim, int) else dim))
        axes_of(axes, input.dim())  # none twice
    spaces = list(spacing) if isinstance(spacing, list | tuple) else [spacing] * len(axes)
    if len(spaces) != len(axes):
        raise RuntimeError(f"gradient: expected a spacing for each of {len(axes)} axes, got {len(spaces)}")
    found = []
    for axis, space in zip(axes, spaces, strict=True):
        n = input._view.shape[axis]
        if n < edge_order + 1:
            raise RuntimeError(
                f"gradient expected each dimension size to be at least edge_order+1, got {n} for axis {axis}"
            )
        shape = [1] * input.dim()
        shape[axis] = -1
        if isinstance(space, TensorCore) and space._view.shape:
            h: Any = diff(space).reshape(shape)
        else:
            h = input.detach().narrow(axis, 0, n - 1)._filled_like(1) * space
        slope = diff(input, dim=axis) / h
        first, last = slope.narrow(axis, 0, 1), slope.narrow(axis, n - 2, 1)
        if n == 2:
            found.append(cat([first, last], axis))
            continue
        h0, h1 = h.narrow(axis, 0, n - 2), h.narrow(axis, 1, n - 2)
        s0, s1 = slope.narrow(axis, 0, n - 2), slope.narrow(axis, 1, n - 2)
        middle = (s0 * h1 + s1 * h0) / (h0 + h1)
        if edge_order == 2:  # the slope of the parabola through the last three points
            bend = (s1 - s0) / (h0 + h1)
            first = first - bend.narrow(axis, 0, 1) * h0.narrow(axis, 0, 1)
            last = last + bend.narrow(axis, n - 3, 1) * h1.narrow(axis, n - 3, 1)
        found.append(cat([first, middle, last], axis))
    return tuple(found)
