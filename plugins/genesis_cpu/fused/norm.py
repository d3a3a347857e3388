"""layer_norm: mean and deviation of a row while it is in the cache, and all three gradients in one pass."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from genesis.backend import Backend, Shape, View
from genesis_cpu import _threads
from genesis_cpu._kernel import Kernel, launch, parts
from genesis_cpu._memory import address, empty, scratch
from genesis_cpu.kernels.map import contiguous

if TYPE_CHECKING:  # what kernels find in their file
    from genesis_cpu._names import accumulate, float64, fma_, number, real, reals, slot, sqrt_


def _layer_norm(args, lo, hi):
    n = slot(args, 2)
    size = slot(args, 3)
    weight, bias = slot(args, 4), slot(args, 5)
    means, rstds = reals(slot(args, 6)), reals(slot(args, 7))
    eps = real(number(args, 8))
    for row in range(lo, hi):
        out = reals(slot(args, 0) + row * n * size)
        x = reals(slot(args, 1) + row * n * size)
        total = real(0)
        for i in range(n):
            total = accumulate(total, x[i])
        mean = total / real(n)
        square = real(0)
        for i in range(n):
            d = x[i] - mean
            square = accumulate(square, d * d)
        rstd = real(1) / sqrt_(square / real(n) + eps)
        means[row] = mean
        rstds[row] = rstd
        if weight and bias:
            w, b = reals(weight), reals(bias)
            for i in range(n):
                out[i] = fma_((x[i] - mean) * rstd, w[i], b[i])
        elif weight:
            w = reals(weight)
            for i in range(n):
                out[i] = (x[i] - mean) * rstd * w[i]
        else:
            for i in range(n):
                out[i] = (x[i] - mean) * rstd


def _backward(args, lo, hi):
    """Blocks of rows: gx for each row, plus ``total``; and each block's sums of the other gradients."""
    gx_at, g_at, x_at, weight = slot(args, 0), slot(args, 1), slot(args, 2), slot(args, 3)
    means, rstds = reals(slot(args, 4)), reals(slot(args, 5))
    n, rows, size, per_block = slot(args, 6), slot(args, 7), slot(args, 8), slot(args, 9)
    sums, total = slot(args, 10), slot(args, 11)
    for block in range(lo, hi):
        gw = reals(sums + (2 * block) * n * size)
        gb = reals(sums + (2 * block + 1) * n * size)
        if sums:
            for i in range(n):
                gw[i] = real(0)
                gb[i] = real(0)
        for row in range(block * per_block, min((block + 1) * per_block, rows)):
            g = reals(g_at + row * n * size)
            x = reals(x_at + row * n * size)
            mean = means[row]
            rstd = rstds[row]
            if sums:
                for i in range(n):
                    gw[i] = fma_(g[i], (x[i] - mean) * rstd, gw[i])
                for i in range(n):
                    gb[i] = gb[i] + g[i]
            if gx_at:
                gx = reals(gx_at + row * n * size)
                first = real(0)
                second = real(0)
                if weight:
                    w = reals(weight)
                    for i in range(n):
                        p = g[i] * w[i]
                        first = accumulate(first, p)
                        second = accumulate(second, p * ((x[i] - mean) * rstd))
                    first = first / real(n)
                    second = second / real(n)
                    for i in range(n):
                        gx[i] = rstd * (g[i] * w[i] - first - (x[i] - mean) * rstd * second)
                else:
                    for i in range(n):
                        first = accumulate(first, g[i])
                        second = accumulate(second, g[i] * ((x[i] - mean) * rstd))
                    first = first / real(n)
                    second = second / real(n)
                    for i in range(n):
                        gx[i] = rstd * (g[i] - first - (x[i] - mean) * rstd * second)
                if total:
                    other = reals(total + row * n * size)
                    for i in range(n):
                        gx[i] = other[i] + gx[i]


def _columns(args, lo, hi):
    """Add up the blocks' sums, in float64 and always in the same order."""
    gw, gb, sums = slot(args, 0), slot(args, 1), slot(args, 2)
    n, blocks, size = slot(args, 3), slot(args, 4), slot(args, 5)
    for which in range(2):
        target = gb if which else gw
        if target:
            out = reals(target)
            for i in range(lo, hi):
                total = float64(0)
                for block in range(blocks):
                    total += float64(reals(sums + (2 * block + which) * n * size)[i])
                out[i] = real(total)


forward, backward, columns = Kernel(_layer_norm), Kernel(_backward), Kernel(_columns)


class _Rows:
    """A tensor as rows of ``n`` elements, and how passes over them are cut."""

    __slots__ = ("blocks", "columns", "cut", "cut_back", "inner", "n", "outer", "per_block", "rows")

    def __init__(self, shape: Shape, axes: int) -> None:
        split = len(shape) - axes
        self.inner, self.outer = shape[split:], shape[:split] + (1,) * axes
        self.n = math.prod(self.inner)
        size = math.prod(shape)
        self.rows = size // self.n
        # the blocks depend on the shape alone, so the sums do not depend on the number of threads
        self.per_block = max(16, -(-self.rows // 64))
        self.blocks = -(-self.rows // self.per_block)
        self.cut, self.cut_back = parts(size * 4, self.rows), parts(size * 6, self.blocks)
        self.columns = parts(self.blocks * self.n, self.n)


@lru_cache(1024)
def _rows(shape: Shape, axes: int, threads: int) -> _Rows:
    return _Rows(shape, axes)


def layer_norm(
    backend: Backend, x: View, weight: View | None, bias: View | None, *, axes: int, eps: float
) -> Any:
    """``(x - mean) / sqrt(variance + eps) * weight + bias`` over the last ``axes`` axes.

    Returns:
        the result, the mean, and one over the deviation.
    """
    dtype = x.dtype
    if (
        not dtype.is_floating_point
        or 0 in x.shape
        or (weight is None and bias is not None)
        or (weight is not None and weight.dtype is not dtype)
        or (bias is not None and bias.dtype is not dtype)
    ):
        return NotImplemented
    x = contiguous(x)
    weight = None if weight is None else contiguous(weight)
    bias = None if bias is None else contiguous(bias)
    rows = _rows(x.shape, axes, _threads.get_num_threads())
    device = x.buffer.device
    out = empty(x.shape, dtype, device)
    mean, rstd = empty(rows.outer, dtype, device), empty(rows.outer, dtype, device)
    words = (
        address(out), address(x), rows.n, dtype.itemsize, 0 if weight is None else address(weight),
        0 if bias is None else address(bias), address(mean), address(rstd),
    )  # fmt: skip
    launch(forward(dtype.name), rows.rows, rows.cut, words, (eps,), (out, x, weight, bias, mean, rstd))
    return out, mean, rstd


def layer_norm_backward(
    backend: Backend,
    needs: Sequence[bool],
    grad: View,
    x: View,
    weight: View | None,
    bias: View | None,
    mean: View | None,
    rstd: View | None,
    *,
    axes: int,
    eps: float,
    total: View | None = None,
) -> Any:
    """The gradients of input, weight and bias; to the first, ``total`` is added."""
    dtype = x.dtype
    if mean is None or rstd is None or 0 in x.shape or not dtype.is_floating_point or grad.dtype is not dtype:
        return NotImplemented
    if weight is not None and weight.dtype is not dtype:
        return NotImplemented
    grad, x, mean, rstd = contiguous(grad), contiguous(x), contiguous(mean), contiguous(rstd)
    weight = None if weight is None else contiguous(weight)
    total = None if total is None else contiguous(total)
    rows = _rows(x.shape, axes, _threads.get_num_threads())
    n, size, blocks = rows.n, dtype.itemsize, rows.blocks
    device = x.buffer.device
    gx = empty(x.shape, dtype, device) if needs[0] else None
    gw = empty(rows.inner, dtype, device) if needs[1] else None
    gb = empty(rows.inner, dtype, device) if needs[2] else None
    room, owner = scratch(2 * blocks * n * size) if gw or gb else (0, None)  # noqa: RUF059 - owner keeps it
    words = (
        0 if gx is None else address(gx), address(grad), address(x), 0 if weight is None else address(weight),
        address(mean), address(rstd), n, rows.rows, size, rows.per_block, room,
        0 if total is None else address(total),
    )  # fmt: skip
    launch(
        backward(dtype.name), blocks, rows.cut_back, words, views=(gx, grad, x, weight, mean, rstd, total)
    )  # fmt: skip
    if room:
        rest = (
            0 if gw is None else address(gw), 0 if gb is None else address(gb), room, n, blocks, size,
        )  # fmt: skip
        launch(columns(dtype.name), n, rows.columns, rest, views=(gw, gb))
    return gx, gw, gb


def layer_norm_onto(backend: Backend, total: View, needs: Sequence[bool], *args: Any, **options: Any) -> Any:
    """The same, with the gradient that the input has from elsewhere."""
    x = args[1]
    if not needs[0] or total.dtype is not x.dtype or total.shape != x.shape:
        return NotImplemented
    return layer_norm_backward(backend, needs, *args, total=total, **options)
