"""softmax and log_softmax: a row, or a tile of rows side by side, stays in the cache between its passes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genesis.backend import Backend, View
from genesis_cpu._kernel import Kernel, even, launch, parts
from genesis_cpu._memory import address, empty, scratch
from genesis_cpu.kernels.map import contiguous

if TYPE_CHECKING:  # what kernels find in their file
    from genesis_cpu._names import accumulate, exp_, log_, max_, order, real, reals, slot, udiv, unorder


def _softmax(args, lo, hi):
    n = slot(args, 2)
    size = slot(args, 3)
    for row in range(lo, hi):
        out = reals(slot(args, 0) + row * n * size)
        x = reals(slot(args, 1) + row * n * size)
        top = order(x[0])
        for i in range(1, n):
            top = max(top, order(x[i]))
        largest = unorder(top)
        total = real(0)
        for i in range(n):
            e = exp_(x[i] - largest)
            out[i] = e
            total = accumulate(total, e)
        scale = real(1) / total
        for i in range(n):
            out[i] = out[i] * scale


def _log_softmax(args, lo, hi):
    n = slot(args, 2)
    size = slot(args, 3)
    for row in range(lo, hi):
        out = reals(slot(args, 0) + row * n * size)
        x = reals(slot(args, 1) + row * n * size)
        top = order(x[0])
        for i in range(1, n):
            top = max(top, order(x[i]))
        largest = unorder(top)
        total = real(0)
        for i in range(n):
            total = accumulate(total, exp_(x[i] - largest))
        log_total = log_(total)
        for i in range(n):
            out[i] = (x[i] - largest) - log_total


def _softmax_backward(args, lo, hi):
    n = slot(args, 3)
    size = slot(args, 4)
    for row in range(lo, hi):
        gx = reals(slot(args, 0) + row * n * size)
        g = reals(slot(args, 1) + row * n * size)
        out = reals(slot(args, 2) + row * n * size)
        dot = real(0)
        for i in range(n):
            dot = accumulate(dot, g[i] * out[i])
        for i in range(n):
            gx[i] = (g[i] - dot) * out[i]


def _log_softmax_backward(args, lo, hi):
    n = slot(args, 3)
    size = slot(args, 4)
    for row in range(lo, hi):
        gx = reals(slot(args, 0) + row * n * size)
        g = reals(slot(args, 1) + row * n * size)
        out = reals(slot(args, 2) + row * n * size)
        total = real(0)
        for i in range(n):
            total = accumulate(total, g[i])
        for i in range(n):
            gx[i] = g[i] - exp_(out[i]) * total


def _planes(args, lo, hi):
    """Along an axis that is not the last: tiles of positions side by side, with room for two numbers each."""
    n, size, length, tiles = slot(args, 2), slot(args, 3), slot(args, 4), slot(args, 5)
    logarithm = slot(args, 8)
    for item in range(lo, hi):
        outer = udiv(item, tiles)
        first = (item - outer * tiles) * slot(args, 6)
        width = min(slot(args, 6), length - first)
        base = (outer * n * length + first) * size
        tops = reals(slot(args, 7) + (outer * length + first) * 2 * size)
        totals = reals(slot(args, 7) + ((outer * length + first) * 2 + width) * size)
        x = reals(slot(args, 1) + base)
        for j in range(width):
            tops[j] = x[j]
            totals[j] = real(0)
        for c in range(1, n):
            x = reals(slot(args, 1) + base + c * length * size)
            for j in range(width):
                tops[j] = max_(tops[j], x[j])
        if logarithm:
            for c in range(n):
                x = reals(slot(args, 1) + base + c * length * size)
                for j in range(width):
                    totals[j] = totals[j] + exp_(x[j] - tops[j])
            for j in range(width):
                totals[j] = log_(totals[j])
            for c in range(n):
                x = reals(slot(args, 1) + base + c * length * size)
                out = reals(slot(args, 0) + base + c * length * size)
                for j in range(width):
                    out[j] = (x[j] - tops[j]) - totals[j]
        else:
            for c in range(n):
                x = reals(slot(args, 1) + base + c * length * size)
                out = reals(slot(args, 0) + base + c * length * size)
                for j in range(width):
                    e = exp_(x[j] - tops[j])
                    out[j] = e
                    totals[j] = totals[j] + e
            for j in range(width):
                totals[j] = real(1) / totals[j]
            for c in range(n):
                out = reals(slot(args, 0) + base + c * length * size)
                for j in range(width):
                    out[j] = out[j] * totals[j]


def _planes_backward(args, lo, hi):
    n, size, length, tiles = slot(args, 3), slot(args, 4), slot(args, 5), slot(args, 6)
    logarithm = slot(args, 9)
    for item in range(lo, hi):
        outer = udiv(item, tiles)
        first = (item - outer * tiles) * slot(args, 7)
        width = min(slot(args, 7), length - first)
        base = (outer * n * length + first) * size
        totals = reals(slot(args, 8) + (outer * length + first) * size)
        for j in range(width):
            totals[j] = real(0)
        for c in range(n):
            at = base + c * length * size
            g, out = reals(slot(args, 1) + at), reals(slot(args, 2) + at)
            if logarithm:
                for j in range(width):
                    totals[j] = totals[j] + g[j]
            else:
                for j in range(width):
                    totals[j] = totals[j] + g[j] * out[j]
        for c in range(n):
            at = base + c * length * size
            gx, g, out = reals(slot(args, 0) + at), reals(slot(args, 1) + at), reals(slot(args, 2) + at)
            if logarithm:
                for j in range(width):
                    gx[j] = g[j] - exp_(out[j]) * totals[j]
            else:
                for j in range(width):
                    gx[j] = (g[j] - totals[j]) * out[j]


_forward_kernels = {"softmax": Kernel(_softmax), "log_softmax": Kernel(_log_softmax)}
_backward_kernels = {"softmax": Kernel(_softmax_backward), "log_softmax": Kernel(_log_softmax_backward)}
planes, planes_backward = Kernel(_planes), Kernel(_planes_backward)
_WEIGHT = 12  # additions that one element costs, exp included
_TILE, _LEAST = 256, 8  # positions of a tile; fewer than the least are not worth a loop


def _serves(x: View, dim: int) -> bool:
    if not x.dtype.is_floating_point or not x.ndim or not x.size:
        return False
    axis = dim % x.ndim
    return axis == x.ndim - 1 or math.prod(x.shape[axis + 1 :]) >= _LEAST


def _tiles(x: View, axis: int) -> tuple[int, int, int, int]:
    """The number of positions after the axis, of tiles, of all positions, and the width of a tile."""
    length = math.prod(x.shape[axis + 1 :])
    tiles, width = even(length, _TILE)
    return length, tiles, x.size // x.shape[axis], width


def _forward(name: str, x: View, dim: int) -> Any:
    if not _serves(x, dim):
        return NotImplemented
    x = contiguous(x)
    out = empty(x.shape, x.dtype, x.buffer.device)
    axis, size = dim % x.ndim, x.dtype.itemsize
    n = x.shape[axis]
    words: tuple[int, ...] = (address(out), address(x), n, size)
    if axis == x.ndim - 1:
        rows = x.size // n
        cut = parts(x.size * _WEIGHT, rows)
        launch(_forward_kernels[name](x.dtype.name), rows, cut, words, views=(out, x))
        return out
    length, tiles, positions, width = _tiles(x, axis)
    spare, owner = scratch(2 * positions * size)
    words += (length, tiles, width, spare, name == "log_softmax")
    items = positions // length * tiles
    launch(planes(x.dtype.name), items, parts(x.size * _WEIGHT, items), words)
    del owner
    return out


def _backward(name: str, grad: View, out: View, dim: int) -> Any:
    if not _serves(out, dim) or grad.dtype is not out.dtype:
        return NotImplemented
    grad, out = contiguous(grad), contiguous(out)
    gx = empty(out.shape, out.dtype, out.buffer.device)
    axis, size = dim % out.ndim, out.dtype.itemsize
    n = out.shape[axis]
    words: tuple[int, ...] = (address(gx), address(grad), address(out), n, size)
    if axis == out.ndim - 1:
        rows = out.size // n
        cut = parts(out.size * 3, rows)
        launch(_backward_kernels[name](out.dtype.name), rows, cut, words, views=(gx, grad, out))
        return (gx,)
    length, tiles, positions, width = _tiles(out, axis)
    spare, owner = scratch(positions * size)
    words += (length, tiles, width, spare, name == "log_softmax")
    items = positions // length * tiles
    launch(planes_backward(out.dtype.name), items, parts(out.size * 3, items), words)
    del owner
    return (gx,)


def softmax(backend: Backend, x: View, *, dim: int) -> Any:
    """``exp(x - max) / sum(exp(x - max))`` along an axis."""
    return _forward("softmax", x, dim)


def log_softmax(backend: Backend, x: View, *, dim: int) -> Any:
    """``x - max - log(sum(exp(x - max)))`` along an axis."""
    return _forward("log_softmax", x, dim)


def softmax_backward(backend: Backend, needs: Sequence[bool], grad: View, out: View, *, dim: int) -> Any:
    """``(grad - sum(grad * out)) * out``."""
    return _backward("softmax", grad, out, dim)


def log_softmax_backward(backend: Backend, needs: Sequence[bool], grad: View, out: View, *, dim: int) -> Any:
    """``grad - exp(out) * sum(grad)``."""
    return _backward("log_softmax", grad, out, dim)
