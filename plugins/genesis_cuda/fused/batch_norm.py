"""batch_norm: each channel's moments in parts, and then every element.

The moments of a part are taken about its own mean, and joined by the formula of Chan, Golub and LeVeque
(1979), so that a large mean costs no digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genesis.backend import Backend, View, arg, call, cast
from genesis_cuda._copies import contiguous, duplicate, empty
from genesis_cuda._driver import Unit
from genesis_cuda._kernel import Template, blocks_for
from genesis_cuda._memory import address, handle
from genesis_cuda._rows import RowKernel
from genesis_cuda._sizes import THREADS as _THREADS
from genesis_cuda.fused.norm import add_parts
from genesis_cuda.kernels import map as elementwise

if TYPE_CHECKING:  # what kernels find in their module
    from genesis_cuda._names import (
        GROUP,
        THREADS,
        WARPS,
        cuda,
        float64,
        math,
        real,
        row_sum,
        udiv,
        umod,
        wide,
    )

_LIMIT = 1 << 31
_BESIDE = 32  # elements of a plane below which neighbouring threads do neighbouring channels


def _moments(items, count, channels, size, chunk, means, squares, x):
    """Items are parts of channels: of ``count`` elements each takes ``chunk``."""
    shared = cuda.shared.array(WARPS, wide)
    me = cuda.threadIdx.x % GROUP
    item = (cuda.blockIdx.x * THREADS + cuda.threadIdx.x) // GROUP
    if item < items:
        part = udiv(item, channels)
        base = (item - part * channels) * size
        start = part * chunk
        end = min(start + chunk, count)
        total = wide(0)
        i = start + me
        while i < end:
            image = udiv(i, size)
            total += wide(x[base + (image * channels - image) * size + i])
            i += GROUP
        mean = row_sum(total, shared) / wide(end - start)
        total = wide(0)
        i = start + me
        while i < end:
            image = udiv(i, size)
            d = wide(x[base + (image * channels - image) * size + i]) - mean
            total += d * d
            i += GROUP
        total = row_sum(total, shared)
        if me == 0:
            means[item] = mean
            squares[item] = total


def _join_moments(channels, parts, chunk, count, means, squares, mean, var, rstd, eps):
    """A thread for each channel."""
    c = cuda.grid(1)
    while c < channels:
        center = float64(0)
        for part in range(parts):
            n = min(chunk, count - part * chunk)
            center += float64(means[part * channels + c]) * float64(n)
        center /= float64(count)
        total = float64(0)
        for part in range(parts):
            n = min(chunk, count - part * chunk)
            d = float64(means[part * channels + c]) - center
            total += float64(squares[part * channels + c]) + d * d * float64(n)
        total /= float64(count)
        mean[c] = real(center)
        var[c] = real(total)
        rstd[c] = real(1.0 / math.sqrt(total + eps))
        c += cuda.gridsize(1)


def _apply(n, channels, size, out, x, weight, has_weight, bias, has_bias, mean, rstd):
    """A thread for each element."""
    i = cuda.grid(1)
    while i < n:
        c = umod(udiv(i, size), channels)
        v = (wide(x[i]) - wide(mean[c])) * wide(rstd[c])
        if has_weight != 0:
            v *= wide(weight[c])
        if has_bias != 0:
            v += wide(bias[c])
        out[i] = real(v)
        i += cuda.gridsize(1)


def _sums(items, count, channels, size, chunk, sums, g, x, mean, rstd):
    """For each part of a channel the sums of g (x - mean) rstd and of g, as ``add_parts`` takes them."""
    shared = cuda.shared.array(WARPS, wide)
    me = cuda.threadIdx.x % GROUP
    item = (cuda.blockIdx.x * THREADS + cuda.threadIdx.x) // GROUP
    if item < items:
        part = udiv(item, channels)
        c = item - part * channels
        center = wide(mean[c])
        first, second = wide(0), wide(0)
        i = part * chunk + me
        end = min(part * chunk + chunk, count)
        while i < end:
            image = udiv(i, size)
            at = c * size + (image * channels - image) * size + i
            v = wide(g[at])
            first += v
            second += v * (wide(x[at]) - center)
            i += GROUP
        first = row_sum(first, shared)
        second = row_sum(second, shared)
        if me == 0:
            sums[2 * part * channels + c] = second * wide(rstd[c])
            sums[(2 * part + 1) * channels + c] = first


def _backward(n, count, channels, size, gx, g, x, weight, has_weight, mean, rstd, tracked, gw, gb):
    """``rstd weight (g - mean of g - unit mean of g unit)``; without the means where moments are given."""
    i = cuda.grid(1)
    while i < n:
        c = umod(udiv(i, size), channels)
        scale = wide(rstd[c])
        v = wide(g[i])
        if tracked == 0:
            unit = (wide(x[i]) - wide(mean[c])) * scale
            v -= (wide(gb[c]) + unit * wide(gw[c])) / wide(count)
        if has_weight != 0:
            scale *= wide(weight[c])
        gx[i] = real(v * scale)
        i += cuda.gridsize(1)


_FORMS = ("thread", "block")
moments = RowKernel(_moments, "int64 int64 int64 wide* wide* real*", "", _FORMS)
join_moments = Template(_join_moments, "int64 int64 int64 int64 wide* wide* real* real* real* float64")
apply = Template(_apply, "int64 int64 int64 real* real* real* int64 real* int64 real* real*")
sums = RowKernel(_sums, "int64 int64 int64 wide* real* real* real* real*", "", _FORMS)
backward = Template(
    _backward, "int64 int64 int64 int64 real* real* real* real* int64 real* real* int64 real* real*"
)


def _serves(x: View, *vectors: View | None) -> bool:
    return bool(
        0 < x.size < _LIMIT
        and x.ndim >= 2
        and x.dtype.name in ("float32", "float64")
        and all(v is None or v.dtype is x.dtype for v in vectors)
    )


def _place(v: View | None) -> int:
    return 0 if v is None else address(v)


def _parts(unit: Unit, channels: int, count: int, size: int) -> tuple[str, int, int]:
    """By what, in how many parts, and how long they are, so that there is work for the whole GPU."""
    if size < _BESIDE:
        form, parts = "thread", min(8 * _THREADS * unit.processors // channels, count // 16)
        parts = max(parts, -(-count // 1024))  # a long chain of additions rounds too often
    else:
        form, parts = "block", min(8 * unit.processors // channels, count // (8 * _THREADS))
    chunk = -(-count // max(1, parts))
    return form, -(-count // chunk), chunk  # none of them is empty


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
    if not _serves(x, weight, bias, running_mean, running_var):
        return NotImplemented
    x = contiguous(x)
    weight, bias = (None if p is None else contiguous(p) for p in (weight, bias))
    dtype, device, unit, name = x.dtype, x.buffer.device, handle(x).unit, x.dtype.name
    channels, size, count = x.shape[1], x.size // (x.shape[0] * x.shape[1]), x.size // x.shape[1]
    if running_mean is not None and running_var is not None:
        mean, var = duplicate(running_mean), duplicate(running_var)
        rstd = empty((channels,), dtype, device)
        one = call("sqrt", arg(0) + cast(arg(1), dtype))
        elementwise.run(1.0 / one, rstd, (var, float(eps)))
    else:
        mean, var, rstd = (empty((channels,), dtype, device) for _ in range(3))
        form, parts, chunk = _parts(unit, channels, count, size)
        means, squares = (empty((parts, channels), dtype, device) for _ in range(2))
        places = (address(means), address(squares))
        items = parts * channels
        moments.launch(form, unit, name, items, (items, count, channels, size, chunk, *places, address(x)))
        results = (address(mean), address(var), address(rstd), float(eps))
        words = (channels, parts, chunk, count, *places, *results)
        join_moments(name)(unit, blocks_for(unit, channels), words)
    out = empty(x.shape, dtype, device)
    factors = (_place(weight), int(weight is not None), _place(bias), int(bias is not None))
    args = (x.size, channels, size, address(out), address(x), *factors, address(mean), address(rstd))
    apply(name)(unit, blocks_for(unit, x.size), args)
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
    if mean is None or rstd is None or not _serves(x, grad, weight):
        return NotImplemented
    grad, x, mean, rstd = contiguous(grad), contiguous(x), contiguous(mean), contiguous(rstd)
    weight = None if weight is None else contiguous(weight)
    dtype, device, unit, name = x.dtype, x.buffer.device, handle(x).unit, x.dtype.name
    channels, size, count = x.shape[1], x.size // (x.shape[0] * x.shape[1]), x.size // x.shape[1]
    tracked = running_mean is not None
    gw, gb = (empty((channels,), dtype, device) for _ in range(2))
    if not tracked or needs[1] or needs[2]:
        form, parts, chunk = _parts(unit, channels, count, size)
        partial = empty((parts, 2, channels), dtype, device)
        items = parts * channels
        places = [address(v) for v in (partial, grad, x, mean, rstd)]
        sums.launch(form, unit, name, items, (items, count, channels, size, chunk, *places))
        words = (channels, parts, address(partial), address(gw), 1, address(gb), 1)
        add_parts(name)(unit, blocks_for(unit, channels), words)
    gx = empty(x.shape, dtype, device) if needs[0] else None
    if gx is not None:
        places = [address(v) for v in (gx, grad, x)]
        factors = (_place(weight), int(weight is not None), address(mean), address(rstd), int(tracked))
        args = (x.size, count, channels, size, *places, *factors, address(gw), address(gb))
        backward(name)(unit, blocks_for(unit, x.size), args)
    return gx, gw if needs[1] else None, gb if needs[2] else None, None, None
