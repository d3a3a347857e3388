"""Pooling over up to three axes.

Forward a thread does a window; backward it does an element, and adds up what it gets from the windows that
hold it, in their order: nothing is added to memory that another thread adds to.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genesis import int64 as _int64
from genesis.backend import Backend, View, arg, cast
from genesis_cuda._copies import contiguous, empty
from genesis_cuda._kernel import Template, blocks_for
from genesis_cuda._memory import address, handle
from genesis_cuda.kernels import map as elementwise
from genesis_cuda.kernels import reduce

if TYPE_CHECKING:  # what kernels find in their module
    from genesis_cuda._names import (
        cuda,
        int32,
        int64,
        place_of,
        real,
        wide,
        window_count,
        windows_of,
        windows_on,
    )

Sizes = tuple[int, ...]


def _largest(
    n, adaptive, s0, s1, s2, o0, o1, o2, k0, k1, k2, t0, t1, t2, p0, p1, p2, d0, d1, d2, out, where, x
):  # fmt: skip
    """The first largest element of each window; of several nans it is the last."""
    i = cuda.grid(1)
    while i < n:
        geometry = (s0, s1, s2, o0, o1, o2, k0, k1, k2, t0, t1, t2, p0, p1, p2)
        plane, w0, w1, w2 = place_of(i, o0, o1, o2)
        a, a_end, b_start, b_end, c_start, c_end = windows_of(adaptive, w0, w1, w2, geometry, d0, d1, d2)
        base = plane * s0 * s1 * s2
        at = (a * s1 + b_start) * s2 + c_start
        best = x[base + at]
        while a < a_end:
            b = b_start
            while b < b_end:
                c = c_start
                while c < c_end:
                    place = (a * s1 + b) * s2 + c
                    v = x[base + place]
                    if v > best or v != v:
                        best = v
                        at = place
                    c = int32(c + d2)
                b = int32(b + d1)
            a = int32(a + d0)
        out[i] = best
        where[i] = int64(at)
        i += cuda.gridsize(1)


def _largest_backward(
    n, adaptive, s0, s1, s2, o0, o1, o2, k0, k1, k2, t0, t1, t2, p0, p1, p2, d0, d1, d2, gx, where, grad
):  # fmt: skip
    i = cuda.grid(1)
    while i < n:
        geometry = (s0, s1, s2, o0, o1, o2, k0, k1, k2, t0, t1, t2, p0, p1, p2)
        plane, i0, i1, i2 = place_of(i, s0, s1, s2)
        a, a_end, b_start, b_end, c_start, c_end = windows_on(adaptive, i0, i1, i2, geometry, d0, d1, d2)
        place = i - plane * s0 * s1 * s2
        total = wide(0)
        while a < a_end:
            b = b_start
            while b < b_end:
                at = ((plane * o0 + a) * o1 + b) * o2
                for c in range(c_start, c_end):
                    if where[at + c] == place:
                        total += wide(grad[at + c])
                b = int32(b + 1)
            a = int32(a + 1)
        gx[i] = real(total)
        i += cuda.gridsize(1)


def _average(
    n, adaptive, s0, s1, s2, o0, o1, o2, k0, k1, k2, t0, t1, t2, p0, p1, p2, out, x, padded, divisor
):  # fmt: skip
    """``padded``: what windows hold of the padding counts. ``divisor``: in place of the count, if not 0."""
    i = cuda.grid(1)
    while i < n:
        geometry = (s0, s1, s2, o0, o1, o2, k0, k1, k2, t0, t1, t2, p0, p1, p2)
        plane, w0, w1, w2 = place_of(i, o0, o1, o2)
        count = wide(divisor)
        if divisor == 0:
            each = window_count(adaptive, padded, w0, s0, o0, k0, t0, p0)
            each *= window_count(adaptive, padded, w1, s1, o1, k1, t1, p1)
            count = wide(each * window_count(adaptive, padded, w2, s2, o2, k2, t2, p2))
        a, a_end, b_start, b_end, c_start, c_end = windows_of(adaptive, w0, w1, w2, geometry, 1, 1, 1)
        total = wide(0)
        while a < a_end:
            b = b_start
            while b < b_end:
                at = ((plane * s0 + a) * s1 + b) * s2
                for c in range(c_start, c_end):
                    total += wide(x[at + c])
                b = int32(b + 1)
            a = int32(a + 1)
        out[i] = real(total / count)
        i += cuda.gridsize(1)


def _average_shares(
    n, adaptive, s0, s1, s2, o0, o1, o2, k0, k1, k2, t0, t1, t2, p0, p1, p2, out, grad, padded, divisor
):  # fmt: skip
    """What each element of a window gets of its gradient."""
    i = cuda.grid(1)
    while i < n:
        _, w0, w1, w2 = place_of(i, o0, o1, o2)
        count = wide(divisor)
        if divisor == 0:
            each = window_count(adaptive, padded, w0, s0, o0, k0, t0, p0)
            each *= window_count(adaptive, padded, w1, s1, o1, k1, t1, p1)
            count = wide(each * window_count(adaptive, padded, w2, s2, o2, k2, t2, p2))
        out[i] = real(wide(grad[i]) / count)
        i += cuda.gridsize(1)


def _average_backward(
    n, adaptive, s0, s1, s2, o0, o1, o2, k0, k1, k2, t0, t1, t2, p0, p1, p2, gx, shares
):  # fmt: skip
    i = cuda.grid(1)
    while i < n:
        geometry = (s0, s1, s2, o0, o1, o2, k0, k1, k2, t0, t1, t2, p0, p1, p2)
        plane, i0, i1, i2 = place_of(i, s0, s1, s2)
        a, a_end, b_start, b_end, c_start, c_end = windows_on(adaptive, i0, i1, i2, geometry, 1, 1, 1)
        total = wide(0)
        while a < a_end:
            b = b_start
            while b < b_end:
                at = ((plane * o0 + a) * o1 + b) * o2
                for c in range(c_start, c_end):
                    total += wide(shares[at + c])
                b = int32(b + 1)
            a = int32(a + 1)
        gx[i] = real(total)
        i += cuda.gridsize(1)


_GEOMETRY = "int64 " * 17
largest = Template(_largest, f"{_GEOMETRY} int64 int64 int64 real* int64* real*")
largest_backward = Template(_largest_backward, f"{_GEOMETRY} int64 int64 int64 real* int64* real*")
average = Template(_average, f"{_GEOMETRY} real* real* int64 float64")
average_shares = Template(_average_shares, f"{_GEOMETRY} real* real* int64 float64")
average_backward = Template(_average_backward, f"{_GEOMETRY} real* real*")
_LIMIT = 1 << 31


def _three(sizes: Sizes, fill: int = 1) -> Sizes:
    return (fill,) * (3 - len(sizes)) + tuple(sizes)


def _words(x: View, shape: Sizes, kernel: Sizes | None, stride: Sizes = (), padding: Sizes = ()) -> Sizes:
    """Whether windows are adaptive, then source, windows, kernel, stride and padding of three axes."""
    axes = len(shape)
    spatial = x.shape[x.ndim - axes :]
    if kernel is None:  # those that cover the axes
        kernel, stride, padding, adaptive = (1,) * axes, (1,) * axes, (0,) * axes, 1
    else:
        adaptive = 0
    parts = (*_three(spatial), *_three(shape), *_three(kernel), *_three(stride), *_three(padding, 0))
    return (adaptive, *parts)


def _serves(x: View, shape: Sizes, *more: View) -> bool:
    return bool(
        0 < x.size < _LIMIT
        and x.dtype.name in ("float32", "float64")
        and 0 < math.prod(x.shape[: x.ndim - len(shape)] + shape) < _LIMIT
        and all(v.dtype is x.dtype for v in more)
    )


def _max(x: View, shape: Sizes, words: Sizes, dilation: Sizes) -> tuple[View, View]:
    x = contiguous(x)
    device, unit = x.buffer.device, handle(x).unit
    lead = x.shape[: x.ndim - len(shape)]
    out, where = empty(lead + shape, x.dtype, device), empty(lead + shape, _int64, device)
    args = (out.size, *words, *_three(dilation), address(out), address(where), address(x))
    largest(x.dtype.name)(unit, blocks_for(unit, out.size), args)
    return out, where


def _max_backward(grad: View, x: View, where: View, words: Sizes, dilation: Sizes) -> Any:
    grad, where = contiguous(grad), contiguous(where)
    gx, unit = empty(x.shape, x.dtype, x.buffer.device), handle(x).unit
    args = (gx.size, *words, *_three(dilation), address(gx), address(where), address(grad))
    largest_backward(x.dtype.name)(unit, blocks_for(unit, gx.size), args)
    return (gx,)


def max_pool(
    backend: Backend, x: View, *, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, shape: Sizes
) -> Any:
    """The largest element of each window, and where it was."""
    if not _serves(x, shape):
        return NotImplemented
    return _max(x, shape, _words(x, shape, kernel, stride, padding), dilation)


def max_pool_backward(
    backend: Backend,
    needs: Sequence[bool],
    grad: View,
    x: View,
    where: View | None,
    *,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    shape: Sizes,
) -> Any:
    """The gradient of each window at its largest element."""
    if where is None or not _serves(x, shape, grad):
        return NotImplemented
    return _max_backward(grad, x, where, _words(x, shape, kernel, stride, padding), dilation)


def adaptive_max_pool(backend: Backend, x: View, *, shape: Sizes) -> Any:
    """The largest element of each window, and where it was."""
    if not _serves(x, shape):
        return NotImplemented
    return _max(x, shape, _words(x, shape, None), (1,) * len(shape))


def adaptive_max_pool_backward(
    backend: Backend, needs: Sequence[bool], grad: View, x: View, where: View | None, *, shape: Sizes
) -> Any:
    """The gradient of each window at its largest element."""
    if where is None or not _serves(x, shape, grad):
        return NotImplemented
    return _max_backward(grad, x, where, _words(x, shape, None), (1,) * len(shape))


def _averages(x: View, shape: Sizes, words: Sizes, padded: bool, override: int | None) -> View:
    x = contiguous(x)
    out = empty(x.shape[: x.ndim - len(shape)] + shape, x.dtype, x.buffer.device)
    unit = handle(x).unit
    args = (out.size, *words, address(out), address(x), int(padded), float(override or 0))
    average(x.dtype.name)(unit, blocks_for(unit, out.size), args)
    return out


def _averages_backward(grad: View, x: View, words: Sizes, padded: bool, override: int | None) -> Any:
    grad = contiguous(grad)
    gx, shares = (empty(v.shape, x.dtype, x.buffer.device) for v in (x, grad))
    unit = handle(x).unit
    args = (shares.size, *words, address(shares), address(grad), int(padded), float(override or 0))
    average_shares(x.dtype.name)(unit, blocks_for(unit, shares.size), args)
    places = (address(gx), address(shares))
    average_backward(x.dtype.name)(unit, blocks_for(unit, gx.size), (gx.size, *words, *places))
    return (gx,)


def avg_pool(
    backend: Backend,
    x: View,
    *,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    shape: Sizes,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Any:
    """The average of each window."""
    if not _serves(x, shape):
        return NotImplemented
    words = _words(x, shape, kernel, stride, padding)
    return _averages(x, shape, words, count_include_pad, divisor_override)


def avg_pool_backward(
    backend: Backend,
    needs: Sequence[bool],
    grad: View,
    x: View,
    *,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    shape: Sizes,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Any:
    """The gradient of each window, divided, at all its elements."""
    if not _serves(x, shape, grad):
        return NotImplemented
    words = _words(x, shape, kernel, stride, padding)
    return _averages_backward(grad, x, words, count_include_pad, divisor_override)


def adaptive_avg_pool(backend: Backend, x: View, *, shape: Sizes) -> Any:
    """The average of each window; where there is one for all, a sum by blocks."""
    if not _serves(x, shape):
        return NotImplemented
    if math.prod(shape) > 1:
        return _averages(x, shape, _words(x, shape, None), False, None)
    out = empty(x.shape[: x.ndim - len(shape)] + shape, x.dtype, x.buffer.device)
    reduce.run("sum", out, x)
    elementwise.run(arg(0) / cast(arg(1), x.dtype), out, (out, float(x.size // out.size)))
    return out


def adaptive_avg_pool_backward(
    backend: Backend, needs: Sequence[bool], grad: View, x: View, *, shape: Sizes
) -> Any:
    """The gradient of each window, divided, at all its elements."""
    if not _serves(x, shape, grad):
        return NotImplemented
    return _averages_backward(grad, x, _words(x, shape, None), False, None)
