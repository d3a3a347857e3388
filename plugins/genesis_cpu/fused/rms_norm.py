"""rms_norm: the mean square of a row while it is in the cache, and both gradients in one pass."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genesis.backend import Backend, View
from genesis_cpu._kernel import Kernel, launch, parts
from genesis_cpu._memory import address, empty
from genesis_cpu.kernels.map import contiguous

if TYPE_CHECKING:  # what kernels find in their file
    from genesis_cpu._names import accumulate, float64, fma_, number, real, reals, slot, sqrt_


def _forward(args, lo, hi):
    n, size, weight, rstds = slot(args, 2), slot(args, 3), slot(args, 4), reals(slot(args, 5))
    eps = real(number(args, 8))
    for row in range(lo, hi):
        out = reals(slot(args, 0) + row * n * size)
        x = reals(slot(args, 1) + row * n * size)
        total = real(0)
        for i in range(n):
            total = accumulate(total, x[i] * x[i])
        rstd = real(1) / sqrt_(total / real(n) + eps)
        rstds[row] = rstd
        if weight:
            w = reals(weight)
            for i in range(n):
                out[i] = x[i] * rstd * w[i]
        else:
            for i in range(n):
                out[i] = x[i] * rstd


def _backward(args, lo, hi):
    """Blocks of rows: gx for each row, and each block's sums of the gradient of the weight."""
    gx_at, g_at, x_at, weight = slot(args, 0), slot(args, 1), slot(args, 2), slot(args, 3)
    rstds, n, rows, size = reals(slot(args, 4)), slot(args, 5), slot(args, 6), slot(args, 7)
    per_block, sums = slot(args, 8), slot(args, 9)
    for block in range(lo, hi):
        gw = reals(sums + block * n * size)
        if sums:
            for i in range(n):
                gw[i] = real(0)
        for row in range(block * per_block, min((block + 1) * per_block, rows)):
            g = reals(g_at + row * n * size)
            x = reals(x_at + row * n * size)
            rstd = rstds[row]
            if sums:
                for i in range(n):
                    gw[i] = fma_(g[i], x[i] * rstd, gw[i])
            if gx_at:
                gx = reals(gx_at + row * n * size)
                dot = real(0)
                if weight:
                    w = reals(weight)
                    for i in range(n):
                        dot = accumulate(dot, g[i] * w[i] * x[i])
                    slope = dot / real(n) * rstd * rstd
                    for i in range(n):
                        gx[i] = rstd * (g[i] * w[i] - x[i] * slope)
                else:
                    for i in range(n):
                        dot = accumulate(dot, g[i] * x[i])
                    slope = dot / real(n) * rstd * rstd
                    for i in range(n):
                        gx[i] = rstd * (g[i] - x[i] * slope)


def _columns(args, lo, hi):
    """Add up the blocks' sums, in float64 and always in the same order."""
    out, sums, n, blocks, size = slot(args, 0), slot(args, 1), slot(args, 2), slot(args, 3), slot(args, 4)
    for i in range(lo, hi):
        total = float64(0)
        for block in range(blocks):
            total += float64(reals(sums + block * n * size)[i])
        reals(out)[i] = real(total)


forward, backward, columns = Kernel(_forward), Kernel(_backward), Kernel(_columns)


def rms_norm(backend: Backend, x: View, weight: View | None, *, axes: int, eps: float) -> Any:
    """``x / sqrt(mean(x^2) + eps) * weight`` over the last ``axes`` axes, and the factor of each row."""
    dtype = x.dtype
    if not dtype.is_floating_point or not x.size or (weight is not None and weight.dtype is not dtype):
        return NotImplemented
    x = contiguous(x)
    weight = None if weight is None else contiguous(weight)
    device = x.buffer.device
    n = math.prod(x.shape[x.ndim - axes :])
    rows = x.size // n
    out = empty(x.shape, dtype, device)
    rstd = empty(x.shape[: x.ndim - axes] + (1,) * axes, dtype, device)
    words = (
        address(out), address(x), n, dtype.itemsize, 0 if weight is None else address(weight), address(rstd),
    )  # fmt: skip
    launch(forward(dtype.name), rows, parts(x.size * 3, rows), words, (eps,), (out, x, weight, rstd))
    return out, rstd


def rms_norm_backward(
    backend: Backend,
    needs: Sequence[bool],
    grad: View,
    x: View,
    weight: View | None,
    rstd: View | None,
    *,
    axes: int,
    eps: float,
) -> Any:
    """The gradients of input and weight."""
    dtype = x.dtype
    if rstd is None or not x.size or not dtype.is_floating_point or grad.dtype is not dtype:
        return NotImplemented
    if weight is not None and weight.dtype is not dtype:
        return NotImplemented
    grad, x, rstd = contiguous(grad), contiguous(x), contiguous(rstd)
    weight = None if weight is None else contiguous(weight)
    device = x.buffer.device
    n = math.prod(x.shape[x.ndim - axes :])
    rows = x.size // n
    # the cut depends on the shape alone, so the sums do not depend on the number of threads
    per_block = max(16, -(-rows // 64))
    blocks = -(-rows // per_block)
    gx = empty(x.shape, dtype, device) if needs[0] else None
    gw = empty(x.shape[x.ndim - axes :], dtype, device) if needs[1] else None
    sums = empty((blocks, n), dtype, device) if gw else None
    words = (
        address(gx) if gx else 0, address(grad), address(x), address(weight) if weight else 0, address(rstd),
        n, rows, dtype.itemsize, per_block, address(sums) if sums else 0,
    )  # fmt: skip
    views = (gx, grad, x, weight, rstd)
    launch(backward(dtype.name), blocks, parts(x.size * 4, blocks), words, views=views)
    if gw is not None and sums is not None:
        rest = (address(gw), address(sums), n, blocks, dtype.itemsize)
        launch(columns(dtype.name), n, parts(blocks * n, n), rest, views=(gw,))
    return gx, gw
