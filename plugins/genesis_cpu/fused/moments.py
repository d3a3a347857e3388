"""Variances, deviations and vectors of length 1, over neighbouring axes; sums are of float64."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genesis.backend import Backend, View
from genesis_cpu._kernel import Kernel, launch, parts
from genesis_cpu._memory import address, empty, scratch
from genesis_cpu.kernels.map import contiguous

if TYPE_CHECKING:  # what kernels find in their file
    from genesis_cpu._names import accumulate, float64, float64_pointer, number, real, reals, slot, sqrt_

_TILE = 512  # columns that are added up together: their sums stay in the first-level cache


# Both kernels see (outer, n, inner) and reduce n; a column is one index of outer and inner.  Each item is a
# share of the tiles of columns, with room for two sums a column.  The block: x, the result, a gradient and
# that of x (or 0), outer, n, inner, the size of an element, items, the room, columns of a tile, a flag; then
# a number.
def _spread(args, lo, hi):
    """The variance, or its root where the flag says so, or the gradient of either."""
    outer, n, inner, size = slot(args, 4), slot(args, 5), slot(args, 6), slot(args, 7)
    items, tile, root = slot(args, 8), slot(args, 10), slot(args, 11)
    count = number(args, 16)
    tiles = (inner + tile - 1) // tile
    for item in range(lo, hi):
        means = float64_pointer(slot(args, 9) + item * 2 * tile * 8)
        totals = float64_pointer(slot(args, 9) + (item * 2 + 1) * tile * 8)
        for k in range(outer * tiles * item // items, outer * tiles * (item + 1) // items):
            first = k % tiles * tile
            m = min(tile, inner - first)
            start = (k // tiles * n * inner + first) * size
            at = (k // tiles * inner + first) * size
            if inner == 1:
                x = reals(slot(args, 0) + start)
                total = float64(0)
                for i in range(n):
                    total = accumulate(total, float64(x[i]))
                means[0] = total / n
            else:
                for j in range(m):
                    means[j] = float64(0)
                for i in range(n):
                    x = reals(slot(args, 0) + start + i * inner * size)
                    for j in range(m):
                        means[j] += float64(x[j])
                for j in range(m):
                    means[j] /= n
            out = reals(slot(args, 1) + at)
            if slot(args, 3) == 0:
                if inner == 1:
                    x = reals(slot(args, 0) + start)
                    mean, total = means[0], float64(0)
                    for i in range(n):
                        d = float64(x[i]) - mean
                        total = accumulate(total, d * d)
                    totals[0] = total
                else:
                    for j in range(m):
                        totals[j] = float64(0)
                    for i in range(n):
                        x = reals(slot(args, 0) + start + i * inner * size)
                        for j in range(m):
                            d = float64(x[j]) - means[j]
                            totals[j] += d * d
                for j in range(m):
                    out[j] = real(sqrt_(totals[j] / count) if root else totals[j] / count)
            else:
                g = reals(slot(args, 2) + at)
                for j in range(m):
                    slope = 2 * float64(g[j]) / count
                    if root:  # where all elements are equal, the root has no slope: 0 is taken
                        slope = 0.0 if out[j] == real(0) else slope * 0.5 / float64(out[j])
                    totals[j] = slope
                if inner == 1:
                    x, gx = reals(slot(args, 0) + start), reals(slot(args, 3) + start)
                    mean, slope = means[0], totals[0]
                    for i in range(n):
                        gx[i] = real((float64(x[i]) - mean) * slope)
                else:
                    for i in range(n):
                        x = reals(slot(args, 0) + start + i * inner * size)
                        gx = reals(slot(args, 3) + start + i * inner * size)
                        for j in range(m):
                            gx[j] = real((float64(x[j]) - means[j]) * totals[j])


def _unit(args, lo, hi):
    """``x / max(|x|, eps)``, or its gradient; the flag: none flows through a divisor that is eps."""
    outer, n, inner, size = slot(args, 4), slot(args, 5), slot(args, 6), slot(args, 7)
    items, tile, flat = slot(args, 8), slot(args, 10), slot(args, 11)
    eps = number(args, 16)
    tiles = (inner + tile - 1) // tile
    for item in range(lo, hi):
        lengths = float64_pointer(slot(args, 9) + item * 2 * tile * 8)
        dots = float64_pointer(slot(args, 9) + (item * 2 + 1) * tile * 8)
        for k in range(outer * tiles * item // items, outer * tiles * (item + 1) // items):
            first = k % tiles * tile
            m = min(tile, inner - first)
            start = (k // tiles * n * inner + first) * size
            if inner == 1:
                x = reals(slot(args, 0) + start)
                total = float64(0)
                for i in range(n):
                    total = accumulate(total, float64(x[i]) * float64(x[i]))
                lengths[0] = sqrt_(total)
            else:
                for j in range(m):
                    lengths[j] = float64(0)
                for i in range(n):
                    x = reals(slot(args, 0) + start + i * inner * size)
                    for j in range(m):
                        lengths[j] += float64(x[j]) * float64(x[j])
                for j in range(m):
                    lengths[j] = sqrt_(lengths[j])
            if slot(args, 3) == 0:
                if inner == 1:
                    x, out = reals(slot(args, 0) + start), reals(slot(args, 1) + start)
                    divisor = real(eps if lengths[0] < eps else lengths[0])
                    for i in range(n):
                        out[i] = x[i] / divisor
                else:
                    for i in range(n):
                        x = reals(slot(args, 0) + start + i * inner * size)
                        out = reals(slot(args, 1) + start + i * inner * size)
                        for j in range(m):
                            out[j] = x[j] / real(eps if lengths[j] < eps else lengths[j])
                continue
            if inner == 1:
                y, g = reals(slot(args, 1) + start), reals(slot(args, 2) + start)
                total = float64(0)
                for i in range(n):
                    total = accumulate(total, float64(y[i]) * float64(g[i]))
                dots[0] = total
            else:
                for j in range(m):
                    dots[j] = float64(0)
                for i in range(n):
                    y = reals(slot(args, 1) + start + i * inner * size)
                    g = reals(slot(args, 2) + start + i * inner * size)
                    for j in range(m):
                        dots[j] += float64(y[j]) * float64(g[j])
            for j in range(m):
                if lengths[j] == 0.0 or (flat and lengths[j] < eps):
                    dots[j] = 0.0
                else:
                    dots[j] /= lengths[j]
                lengths[j] = 1.0 / (eps if lengths[j] < eps else lengths[j])
            if inner == 1:
                y, g, gx = (
                    reals(slot(args, 1) + start),
                    reals(slot(args, 2) + start),
                    reals(slot(args, 3) + start),
                )
                a, b = real(lengths[0]), real(dots[0])
                for i in range(n):
                    gx[i] = g[i] * a - y[i] * b
            else:
                for i in range(n):
                    at = start + i * inner * size
                    y, g, gx = reals(slot(args, 1) + at), reals(slot(args, 2) + at), reals(slot(args, 3) + at)
                    for j in range(m):
                        gx[j] = g[j] * real(lengths[j]) - y[j] * real(dots[j])


spread, units = Kernel(_spread), Kernel(_unit)


def _walk(x: View, axes: Sequence[int]) -> tuple[int, int, int] | None:
    """Lengths before, along and behind the axes; None where they are not next to each other."""
    if not x.dtype.is_floating_point or not x.size or not axes or axes[-1] - axes[0] + 1 != len(axes):
        return None
    shape = x.shape
    return math.prod(shape[: axes[0]]), math.prod(shape[a] for a in axes), math.prod(shape[axes[-1] + 1 :])


def _run(
    kernel: Kernel, walk: Sequence[int], x: View, others: Sequence[View | None], flag: bool, value: float
) -> None:
    outer, _, inner = walk
    tile = min(inner, _TILE)
    columns = outer * -(-inner // tile)
    items = parts(3 * x.size, columns)
    room, owner = scratch(16 * items * tile)
    places = [0 if v is None else address(v) for v in others]
    words = (address(x), *places, *walk, x.dtype.itemsize, items, room, tile, flag)
    launch(kernel(x.dtype.name), items, items, words, (value,))
    del owner


def _moment(x: View, axes: tuple[int, ...], keepdim: bool, count: float, root: bool) -> Any:
    walk = _walk(x, axes)
    if walk is None:
        return NotImplemented
    kept = [1 if i in axes else s for i, s in enumerate(x.shape)]
    out = empty(
        tuple(kept if keepdim else [s for i, s in enumerate(x.shape) if i not in axes]),
        x.dtype, x.buffer.device,
    )  # fmt: skip
    _run(spread, walk, contiguous(x), (out, None, None), root, count)
    return out


def _moment_backward(
    needs: Sequence[bool], grad: View, x: View, out: View | None, axes: tuple[int, ...], count: float
) -> Any:
    walk = _walk(x, axes)
    if walk is None or grad.dtype is not x.dtype or count <= 0:
        return NotImplemented
    x, grad = contiguous(x), contiguous(grad)
    result = empty(x.shape, x.dtype, x.buffer.device)
    root = out is not None
    _run(spread, walk, x, (contiguous(out) if out is not None else None, grad, result), root, count)
    return (result,)


def var(backend: Backend, x: View, *, axes: tuple[int, ...], keepdim: bool, count: float) -> Any:
    """``sum (x - mean)^2 / count`` over neighbouring axes."""
    return _moment(x, axes, keepdim, count, root=False)


def var_backward(
    backend: Backend, needs: Sequence[bool], grad: View, x: View, *, axes: Any, keepdim: bool, count: float
) -> Any:
    """``2 (x - mean) / count``, times the gradient."""
    return _moment_backward(needs, grad, x, None, axes, count)


def std(backend: Backend, x: View, *, axes: tuple[int, ...], keepdim: bool, count: float) -> Any:
    """The root of ``var``."""
    return _moment(x, axes, keepdim, count, root=True)


def std_backward(
    backend: Backend,
    needs: Sequence[bool],
    grad: View,
    x: View,
    out: View,
    *,
    axes: Any,
    keepdim: bool,
    count: float,
) -> Any:
    """``(x - mean) / (count std)``, times the gradient; 0 where all elements are equal."""
    return _moment_backward(needs, grad, x, out, axes, count)


def unit(backend: Backend, x: View, *, axis: int, eps: float, flat: bool) -> Any:
    """Float32 vectors along an axis, divided by their lengths: in float64 no square overflows or vanishes."""
    walk = _walk(x, (axis,))
    if walk is None or x.dtype.itemsize != 4:
        return NotImplemented
    out = empty(x.shape, x.dtype, x.buffer.device)
    _run(units, walk, contiguous(x), (out, None, None), flat, eps)
    return out


def unit_backward(
    backend: Backend,
    needs: Sequence[bool],
    grad: View,
    x: View,
    out: View,
    *,
    axis: int,
    eps: float,
    flat: bool,
) -> Any:
    """``g / divisor - out (g · out) / |x|``, without the second part where the divisor has no slope."""
    walk = _walk(x, (axis,))
    if walk is None or x.dtype.itemsize != 4 or grad.dtype is not x.dtype:
        return NotImplemented
    result = empty(x.shape, x.dtype, x.buffer.device)
    _run(units, walk, contiguous(x), (contiguous(out), contiguous(grad), result), flat, eps)
    return (result,)
