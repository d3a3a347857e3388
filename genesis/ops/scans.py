"""Running extremes and totals along an axis, and differences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from genesis._dtypes import DtypeError, bool_, default_dtype
from genesis.autograd.grad_mode import state
from genesis.autograd.graph import Node, new
from genesis.ops import elementwise as ew
from genesis.ops._op import primitive
from genesis.ops.reduction import ValuesAndIndices, axis_of, cumsum, sum

if TYPE_CHECKING:
    from genesis._tensor import Tensor

# mypy: disable-error-code="no-any-return"


def _running_extreme(x: Any, dim: int, name: str) -> ValuesAndIndices:
    """On the host: NumPy accumulates along an axis, and equal elements give the last position."""
    from genesis.ops.creation import from_host
    from genesis.ops.indexing import gather

    axis = axis_of(dim, x.dim())
    device = x._view.buffer.device
    if not x.dim():
        return ValuesAndIndices(x.clone(), from_host(np.zeros((), np.int64), device))
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
    from genesis.ops.shape import cat

    if not input.dim():
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    axis = axis_of(dim, input.dim())
    parts = [p for p in (prepend, input, append) if p is not None]
    x = cat(parts, axis) if len(parts) > 1 else input
    for _ in range(min(n, x._view.shape[axis])):
        length = max(x._view.shape[axis] - 1, 0)
        low, high = x.narrow(axis, 0, length), x.narrow(axis, x._view.shape[axis] - length, length)
        x = ew.logical_xor(high, low) if x.dtype is bool_ else ew.minus(high, low)
    return x if n else x.clone()


def _areas(y: Any, x: Any, dx: Any, dim: int) -> tuple[Any, int]:
    """The area under each piece of a broken line."""
    axis = axis_of(dim, y.dim())
    length = max(y._view.shape[axis] - 1, 0)
    both = y.narrow(axis, 0, length) + y.narrow(axis, y._view.shape[axis] - length, length)
    if x is None:
        return both * (0.5 if dx is None else dx / 2), axis
    if x.dim() == 1 and y.dim() > 1:
        if x._view.shape[0] != y._view.shape[axis]:
            raise RuntimeError(
                f"there must be one x for each of {y._view.shape[axis]} y values, got {x._view.shape[0]}"
            )
        shape = [1] * y.dim()
        shape[axis] = -1
        return both * diff(x).reshape(shape) * 0.5, axis
    return both * diff(x, dim=axis - y.dim()) * 0.5, axis


def trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """The integral along ``dim`` by the trapezoidal rule, at the points ``x`` or at a distance ``dx`` (1).

    Raises:
        RuntimeError: both ``x`` and ``dx`` are given.
    """
    if x is not None and dx is not None:
        raise RuntimeError("trapezoid takes either x or dx")
    if not y.dtype.is_floating_point:
        y = y.to(default_dtype())
    areas, axis = _areas(y, x, dx, dim)
    return sum(areas, axis - y.dim())


def cumulative_trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Tensor:
    """The running ``trapezoid``, one shorter along ``dim``."""
    if x is not None and dx is not None:
        raise RuntimeError("cumulative_trapezoid takes either x or dx")
    areas, axis = _areas(y if y.dtype.is_floating_point else y.to(default_dtype()), x, dx, dim)
    return cumsum(areas, axis - y.dim())
