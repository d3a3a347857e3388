"""batch_norm: a channel's moments and result while it is in the cache; for (N, C), channels side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genesis.backend import Backend, View
from genesis_cpu._kernel import Kernel, launch, parts
from genesis_cpu._memory import address, empty, scratch
from genesis_cpu.kernels.map import contiguous

if TYPE_CHECKING:  # what kernels find in their file
    from genesis_cpu._names import (
        accumulate,
        float64,
        float64_pointer,
        fma_,
        number,
        real,
        reals,
        slot,
        sqrt_,
        umod,
    )


def _forward(args, lo, hi):
    """Channels: ``n`` rows of ``size`` elements each, in one of ``channels`` planes."""
    n, channels, size, width = slot(args, 2), slot(args, 3), slot(args, 4), slot(args, 5)
    weight, bias = slot(args, 6), slot(args, 7)
    means, variances, rstds = reals(slot(args, 8)), reals(slot(args, 9)), reals(slot(args, 10))
    eps = real(number(args, 16))
    for c in range(lo, hi):
        total = float64(0)
        for b in range(n):
            x = reals(slot(args, 1) + (b * channels + c) * size * width)
            part = real(0)
            for i in range(size):
                part = accumulate(part, x[i])
            total += float64(part)
        mean = real(total / float64(n * size))
        total = float64(0)
        for b in range(n):
            x = reals(slot(args, 1) + (b * channels + c) * size * width)
            part = real(0)
            for i in range(size):
                d = x[i] - mean
                part = accumulate(part, d * d)
            total += float64(part)
        means[c] = mean
        variances[c] = real(total / float64(n * size))
        rstd = real(1) / sqrt_(variances[c] + eps)
        rstds[c] = rstd
        scale = rstd * reals(weight)[c] if weight else rstd
        shift = reals(bias)[c] if bias else real(0)
        for b in range(n):
            x = reals(slot(args, 1) + (b * channels + c) * size * width)
            out = reals(slot(args, 0) + (b * channels + c) * size * width)
            for i in range(size):
                out[i] = fma_(x[i] - mean, scale, shift)


def _apply(args, lo, hi):
    """Rows in the order of memory, where the moments are known."""
    channels, size, width = slot(args, 3), slot(args, 4), slot(args, 5)
    weight, bias = slot(args, 6), slot(args, 7)
    means, variances = reals(slot(args, 8)), reals(slot(args, 9))
    eps = real(number(args, 16))
    for row in range(lo, hi):
        c = umod(row, channels)
        mean = means[c]
        rstd = real(1) / sqrt_(variances[c] + eps)
        scale = rstd * reals(weight)[c] if weight else rstd
        shift = reals(bias)[c] if bias else real(0)
        x = reals(slot(args, 1) + row * size * width)
        out = reals(slot(args, 0) + row * size * width)
        for i in range(size):
            out[i] = fma_(x[i] - mean, scale, shift)


def _known(args, lo, hi):
    """Moments that are given: copies of them, and one over the deviation of each channel."""
    means, variances, rstds = reals(slot(args, 0)), reals(slot(args, 1)), reals(slot(args, 2))
    mean, variance, eps = reals(slot(args, 3)), reals(slot(args, 4)), real(number(args, 8))
    for c in range(lo, hi):
        means[c] = mean[c]
        variances[c] = variance[c]
        rstds[c] = real(1) / sqrt_(variance[c] + eps)


def _forward_columns(args, lo, hi):
    """The same for one element in a row: channels side by side; ``sums`` is float64 for each of them."""
    n, channels, width = slot(args, 2), slot(args, 3), slot(args, 5)
    weight, bias = slot(args, 6), slot(args, 7)
    means, variances, rstds = reals(slot(args, 8)), reals(slot(args, 9)), reals(slot(args, 10))
    tracked, sums, scales = slot(args, 11), float64_pointer(slot(args, 12)), reals(slot(args, 13))
    eps = real(number(args, 16))
    if not tracked:
        for c in range(lo, hi):
            sums[c] = float64(0)
        for b in range(0, n - 3, 4):
            x = reals(slot(args, 1) + b * channels * width)
            for c in range(lo, hi):
                two = x[c] + x[c + channels]
                sums[c] += float64(two + (x[c + 2 * channels] + x[c + 3 * channels]))
        for b in range(n // 4 * 4, n):
            x = reals(slot(args, 1) + b * channels * width)
            for c in range(lo, hi):
                sums[c] += float64(x[c])
        for c in range(lo, hi):
            means[c] = real(sums[c] / float64(n))
            sums[c] = float64(0)
        for b in range(0, n - 3, 4):
            x = reals(slot(args, 1) + b * channels * width)
            for c in range(lo, hi):
                d, e = x[c] - means[c], x[c + channels] - means[c]
                f, g = x[c + 2 * channels] - means[c], x[c + 3 * channels] - means[c]
                sums[c] += float64((d * d + e * e) + (f * f + g * g))
        for b in range(n // 4 * 4, n):
            x = reals(slot(args, 1) + b * channels * width)
            for c in range(lo, hi):
                d = x[c] - means[c]
                sums[c] += float64(d * d)
        for c in range(lo, hi):
            variances[c] = real(sums[c] / float64(n))
            rstds[c] = real(1) / sqrt_(variances[c] + eps)
    for c in range(lo, hi):
        scales[c] = rstds[c] * reals(weight)[c] if weight else rstds[c]
    for b in range(n):
        x = reals(slot(args, 1) + b * channels * width)
        out = reals(slot(args, 0) + b * channels * width)
        if bias:
            shift = reals(bias)
            for c in range(lo, hi):
                out[c] = fma_(x[c] - means[c], scales[c], shift[c])
        else:
            for c in range(lo, hi):
                out[c] = (x[c] - means[c]) * scales[c]


def _backward(args, lo, hi):
    """Channels: both sums, and with them the gradient of each element."""
    n, channels, size, width = slot(args, 3), slot(args, 4), slot(args, 5), slot(args, 6)
    weight, gw, gb = slot(args, 7), slot(args, 8), slot(args, 9)
    means, rstds, tracked = reals(slot(args, 10)), reals(slot(args, 11)), slot(args, 12)
    for c in range(lo, hi):
        mean, rstd = means[c], rstds[c]
        plain, product = float64(0), float64(0)
        if gw or gb or not tracked:
            for b in range(n):
                at = (b * channels + c) * size * width
                g, x = reals(slot(args, 1) + at), reals(slot(args, 2) + at)
                first, second = real(0), real(0)
                for i in range(size):
                    first = accumulate(first, g[i])
                    second = accumulate(second, g[i] * (x[i] - mean))
                plain += float64(first)
                product += float64(second)
        if gw:
            reals(gw)[c] = real(product) * rstd
        if gb:
            reals(gb)[c] = real(plain)
        if slot(args, 0):
            scale = rstd * reals(weight)[c] if weight else rstd
            middle = real(0)
            slope = real(0)
            if not tracked:
                middle = real(plain / float64(n * size))
                slope = real(product / float64(n * size)) * rstd * rstd
            for b in range(n):
                at = (b * channels + c) * size * width
                gx = reals(slot(args, 0) + at)
                g, x = reals(slot(args, 1) + at), reals(slot(args, 2) + at)
                for i in range(size):
                    gx[i] = (g[i] - middle - (x[i] - mean) * slope) * scale


def _backward_columns(args, lo, hi):
    n, channels, width = slot(args, 3), slot(args, 4), slot(args, 6)
    weight, gw, gb = slot(args, 7), slot(args, 8), slot(args, 9)
    means, rstds, tracked = reals(slot(args, 10)), reals(slot(args, 11)), slot(args, 12)
    plain, product = float64_pointer(slot(args, 13)), float64_pointer(slot(args, 13) + 8 * channels)
    for c in range(lo, hi):
        plain[c] = float64(0)
        product[c] = float64(0)
    for b in range(n):
        at = b * channels * width
        g, x = reals(slot(args, 1) + at), reals(slot(args, 2) + at)
        for c in range(lo, hi):
            plain[c] += float64(g[c])
            product[c] += float64(g[c] * (x[c] - means[c]))
    for c in range(lo, hi):
        first, second = plain[c], product[c]
        if gw:
            reals(gw)[c] = real(second) * rstds[c]
        if gb:
            reals(gb)[c] = real(first)
        # the sums give way to what an element needs, which takes no more room
        plain[c] = first / float64(n) if not tracked else float64(0)
        product[c] = second / float64(n) * float64(rstds[c] * rstds[c]) if not tracked else float64(0)
    if slot(args, 0):
        scales = reals(slot(args, 14))
        for c in range(lo, hi):
            scales[c] = rstds[c] * reals(weight)[c] if weight else rstds[c]
        for b in range(n):
            at = b * channels * width
            gx = reals(slot(args, 0) + at)
            g, x = reals(slot(args, 1) + at), reals(slot(args, 2) + at)
            for c in range(lo, hi):
                gx[c] = (g[c] - real(plain[c]) - (x[c] - means[c]) * real(product[c])) * scales[c]


forward, forward_columns = Kernel(_forward), Kernel(_forward_columns)
apply, known = Kernel(_apply), Kernel(_known)
backward, backward_columns = Kernel(_backward), Kernel(_backward_columns)
_COLUMNS = 16  # channels that a thread should have at least: a line of the cache


def _serves(x: View, *vectors: View | None) -> bool:
    return bool(
        x.size and x.dtype.is_floating_point and all(v is None or v.dtype is x.dtype for v in vectors)
    )


def _at(v: View | None) -> int:
    return 0 if v is None else address(v)


def _vectors(count: int, length: int, dtype: Any, device: Any) -> list[View]:
    """New vectors that share one piece of memory."""
    whole = empty((count, length), dtype, device)
    start, step = address(whole), length * dtype.itemsize
    return [
        View(whole.buffer, dtype, (length,), (1,), k * length, (start + k * step, None)) for k in range(count)
    ]


def batch_norm(
    backend: Backend,
    x: View,
    weight: View | None,
    bias: View | None,
    running_mean: View | None,
    running_var: View | None,
    *,
    eps: float,
) -> Any:
    """The result, mean, variance, and one over the deviation of each channel."""
    if not _serves(x, weight, bias, running_mean, running_var) or x.ndim < 2:
        return NotImplemented
    x = contiguous(x)
    weight, bias = (None if p is None else contiguous(p) for p in (weight, bias))
    device, dtype = x.buffer.device, x.dtype
    n, channels = x.shape[:2]
    size = x.size // (n * channels)
    out = empty(x.shape, dtype, device)
    mean, var, rstd = _vectors(3, channels, dtype, device)
    tracked = running_mean is not None
    words = [
        address(out), address(x), n, channels, size, dtype.itemsize, _at(weight), _at(bias), address(mean),
        address(var), address(rstd), tracked,
    ]  # fmt: skip
    if running_mean is not None and running_var is not None:
        running_mean, running_var = contiguous(running_mean), contiguous(running_var)
        given = [*words[8:11], address(running_mean), address(running_var)]
        launch(known(dtype.name), channels, 1, given, (eps,))
    if size > 1 and tracked:
        launch(apply(dtype.name), n * channels, parts(x.size * 2, n * channels), words, (eps,))
    elif size > 1:
        launch(forward(dtype.name), channels, parts(x.size * 4, channels), words, (eps,))
    else:
        place, owner = scratch(channels * (8 + dtype.itemsize))
        cut = parts(x.size * 4, max(channels // _COLUMNS, 1))
        words += [place, place + 8 * channels]
        launch(forward_columns(dtype.name), channels, cut, words, (eps,))
        del owner
    return out, mean, var, rstd


def batch_norm_backward(
    backend: Backend,
    needs: Sequence[bool],
    grad: View,
    x: View,
    weight: View | None,
    bias: View | None,
    running_mean: View | None,
    running_var: View | None,
    mean: View | None,
    rstd: View | None,
    *,
    eps: float,
) -> Any:
    """The gradients of input, weight and bias."""
    if mean is None or rstd is None or not _serves(x, grad, weight) or x.ndim < 2:
        return NotImplemented
    grad, x, mean, rstd = contiguous(grad), contiguous(x), contiguous(mean), contiguous(rstd)
    weight = None if weight is None else contiguous(weight)
    device, dtype = x.buffer.device, x.dtype
    n, channels = x.shape[:2]
    size = x.size // (n * channels)
    gx = empty(x.shape, dtype, device) if needs[0] else None
    gw, gb = (empty((channels,), dtype, device) if need else None for need in needs[1:3])
    words = [
        _at(gx), address(grad), address(x), n, channels, size, dtype.itemsize, _at(weight), _at(gw), _at(gb),
        address(mean), address(rstd), running_mean is not None,
    ]  # fmt: skip
    if size > 1:
        launch(backward(dtype.name), channels, parts(x.size * 5, channels), words)
    else:
        place, owner = scratch(channels * (16 + dtype.itemsize))
        cut = parts(x.size * 5, max(channels // _COLUMNS, 1))
        launch(backward_columns(dtype.name), channels, cut, [*words, place, place + 16 * channels])
        del owner
    return gx, gw, gb, None, None
