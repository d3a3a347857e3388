"""group_norm: a group's moments and its result while it is in the cache, and all three gradients."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genesis.backend import Backend, View
from genesis_cpu._kernel import Kernel, launch, parts
from genesis_cpu._memory import address, empty, scratch
from genesis_cpu.kernels.map import contiguous

if TYPE_CHECKING:  # what kernels find in their file
    from genesis_cpu._names import accumulate, float64, fma_, number, real, reals, slot, sqrt_, umod


def _forward(args, lo, hi):
    """Groups of all samples: ``each`` channels of ``size`` elements."""
    each, size, width, groups = slot(args, 2), slot(args, 3), slot(args, 4), slot(args, 5)
    weight, bias = slot(args, 6), slot(args, 7)
    means, variances, rstds = reals(slot(args, 8)), reals(slot(args, 9)), reals(slot(args, 10))
    eps = real(number(args, 16))
    n = each * size
    for group in range(lo, hi):
        out, x = reals(slot(args, 0) + group * n * width), reals(slot(args, 1) + group * n * width)
        total = real(0)
        for i in range(n):
            total = accumulate(total, x[i])
        mean = total / real(n)
        square = real(0)
        for i in range(n):
            d = x[i] - mean
            square = accumulate(square, d * d)
        variance = square / real(n)
        rstd = real(1) / sqrt_(variance + eps)
        means[group] = mean
        variances[group] = variance
        rstds[group] = rstd
        first = umod(group, groups) * each
        if weight or bias:
            for k in range(each):
                scale = rstd * reals(weight)[first + k] if weight else rstd
                shift = reals(bias)[first + k] if bias else real(0)
                for i in range(k * size, (k + 1) * size):
                    out[i] = fma_(x[i] - mean, scale, shift)
        else:
            for i in range(n):
                out[i] = (x[i] - mean) * rstd


def _backward(args, lo, hi):
    """Groups: for each channel the sums of g and of g (x - mean), kept in ``sums``; then the gradient."""
    each, size, width, groups = slot(args, 3), slot(args, 4), slot(args, 5), slot(args, 6)
    weight = slot(args, 7)
    means, rstds = reals(slot(args, 8)), reals(slot(args, 9))
    n = each * size
    for group in range(lo, hi):
        at = group * n * width
        g, x = reals(slot(args, 1) + at), reals(slot(args, 2) + at)
        sums = reals(slot(args, 10) + 2 * group * each * width)
        mean, rstd = means[group], rstds[group]
        first = umod(group, groups) * each
        plain, product = real(0), real(0)
        for k in range(each):
            a, b = real(0), real(0)
            for i in range(k * size, (k + 1) * size):
                a = accumulate(a, g[i])
                b = accumulate(b, g[i] * (x[i] - mean))
            sums[2 * k] = a
            sums[2 * k + 1] = b * rstd
            w = reals(weight)[first + k] if weight else real(1)
            plain += a * w
            product += b * w
        if slot(args, 0):
            gx = reals(slot(args, 0) + at)
            middle = plain / real(n)
            slope = product / real(n) * rstd * rstd
            for k in range(each):
                w = reals(weight)[first + k] if weight else real(1)
                for i in range(k * size, (k + 1) * size):
                    gx[i] = rstd * (g[i] * w - middle - (x[i] - mean) * slope)


def _channels(args, lo, hi):
    """Channels: the sums over the samples, in float64."""
    gw, gb, n, channels, width = slot(args, 0), slot(args, 1), slot(args, 3), slot(args, 4), slot(args, 5)
    for c in range(lo, hi):
        plain, product = float64(0), float64(0)
        for b in range(n):
            sums = reals(slot(args, 2) + 2 * (b * channels + c) * width)
            plain += float64(sums[0])
            product += float64(sums[1])
        if gw:
            reals(gw)[c] = real(product)
        if gb:
            reals(gb)[c] = real(plain)


forward, backward, channel_sums = Kernel(_forward), Kernel(_backward), Kernel(_channels)


def _serves(x: View, *vectors: View | None) -> bool:
    return bool(
        x.size and x.dtype.is_floating_point and all(v is None or v.dtype is x.dtype for v in vectors)
    )


def _at(v: View | None) -> int:
    return 0 if v is None else address(v)


def group_norm(
    backend: Backend, x: View, weight: View | None, bias: View | None, *, groups: int, eps: float
) -> Any:
    """The result, mean, variance, and one over the deviation of each group."""
    if not _serves(x, weight, bias):
        return NotImplemented
    x = contiguous(x)
    weight, bias = (None if p is None else contiguous(p) for p in (weight, bias))
    device, dtype = x.buffer.device, x.dtype
    n, channels = x.shape[:2]
    size = math.prod(x.shape[2:])
    out = empty(x.shape, dtype, device)
    mean, var, rstd = (empty((n, groups), dtype, device) for _ in range(3))
    words = (
        address(out), address(x), channels // groups, size, dtype.itemsize, groups, _at(weight), _at(bias),
        address(mean), address(var), address(rstd),
    )  # fmt: skip
    launch(forward(dtype.name), n * groups, parts(x.size * 4, n * groups), words, (eps,))
    return out, mean, var, rstd


def group_norm_backward(
    backend: Backend,
    needs: Sequence[bool],
    grad: View,
    x: View,
    weight: View | None,
    bias: View | None,
    mean: View | None,
    rstd: View | None,
    *,
    groups: int,
    eps: float,
) -> Any:
    """The gradients of input, weight and bias."""
    if mean is None or rstd is None or not _serves(x, grad, weight):
        return NotImplemented
    grad, x, mean, rstd = contiguous(grad), contiguous(x), contiguous(mean), contiguous(rstd)
    weight = None if weight is None else contiguous(weight)
    device, dtype = x.buffer.device, x.dtype
    n, channels = x.shape[:2]
    size = math.prod(x.shape[2:])
    gx = empty(x.shape, dtype, device) if needs[0] else None
    gw, gb = (empty((channels,), dtype, device) if need else None for need in needs[1:])
    place, owner = scratch(2 * n * channels * dtype.itemsize)
    words = (
        _at(gx), address(grad), address(x), channels // groups, size, dtype.itemsize, groups, _at(weight),
        address(mean), address(rstd), place,
    )  # fmt: skip
    launch(backward(dtype.name), n * groups, parts(x.size * 5, n * groups), words)
    if gw or gb:
        rest = (_at(gw), _at(gb), place, n, channels, dtype.itemsize)
        launch(channel_sums(dtype.name), channels, parts(2 * n * channels, channels), rest)
    del owner
    return gx, gw, gb
