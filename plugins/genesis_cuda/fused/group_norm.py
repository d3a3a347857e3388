"""group_norm: a group is a row whose elements lie side by side; weight and bias belong to channels of it.

Backward the sums of each channel of each sample are taken first. Those of a channel over the samples are the
gradients of weight and bias; those of a group, times the weights, are what its elements need.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genesis.backend import Backend, View
from genesis_cuda._copies import contiguous, empty
from genesis_cuda._kernel import Template, blocks_for
from genesis_cuda._memory import address, handle
from genesis_cuda._rows import RowKernel
from genesis_cuda.fused.norm import add_parts

if TYPE_CHECKING:  # what kernels find in their module
    from genesis_cuda._names import GROUP, THREADS, WARPS, cuda, math, real, row_sum, udiv, umod, wide

_LIMIT = 1 << 31


def _normalize(
    rows, n, groups, size, out, x, weight, has_weight, bias, has_bias, means, variances, rstds, eps
):
    """Rows are groups of ``n`` elements, of which each channel has ``size``."""
    shared = cuda.shared.array(WARPS, wide)
    me = cuda.threadIdx.x % GROUP
    row = (cuda.blockIdx.x * THREADS + cuda.threadIdx.x) // GROUP
    if row < rows:
        at = row * n
        total = wide(0)
        i = me
        while i < n:
            total += wide(x[at + i])
            i += GROUP
        mean = row_sum(total, shared) / wide(n)
        total = wide(0)
        i = me
        while i < n:
            d = wide(x[at + i]) - mean
            total += d * d
            i += GROUP
        variance = row_sum(total, shared) / wide(n)
        rstd = wide(1) / math.sqrt(variance + wide(eps))
        first = umod(row, groups) * udiv(n, size)
        i = me
        while i < n:
            channel = first + udiv(i, size)
            v = (wide(x[at + i]) - mean) * rstd
            if has_weight != 0:
                v *= wide(weight[channel])
            if has_bias != 0:
                v += wide(bias[channel])
            out[at + i] = real(v)
            i += GROUP
        if me == 0:
            means[row] = real(mean)
            variances[row] = real(variance)
            rstds[row] = real(rstd)


def _sums(rows, size, channels, each, sums, g, x, means, rstds):
    """Rows are channels of samples: the sums of g unit and of g, as ``add_parts`` takes them."""
    shared = cuda.shared.array(WARPS, wide)
    me = cuda.threadIdx.x % GROUP
    row = (cuda.blockIdx.x * THREADS + cuda.threadIdx.x) // GROUP
    if row < rows:
        mean = wide(means[udiv(row, each)])
        first, second = wide(0), wide(0)
        i = me
        while i < size:
            v = wide(g[row * size + i])
            first += v
            second += v * (wide(x[row * size + i]) - mean)
            i += GROUP
        first = row_sum(first, shared)
        second = row_sum(second, shared)
        if me == 0:
            sample = udiv(row, channels)
            to = 2 * sample * channels + (row - sample * channels)
            sums[to] = second * wide(rstds[udiv(row, each)])
            sums[to + channels] = first


def _of_groups(count, channels, each, size, pairs, sums, weight, has_weight):
    """A thread for each group: the means of g weight unit and of g weight."""
    group = cuda.grid(1)
    while group < count:
        sample = udiv(group * each, channels)
        first = group * each - sample * channels
        a, b = wide(0), wide(0)
        for k in range(each):
            w = wide(weight[first + k]) if has_weight != 0 else wide(1)
            a += w * sums[2 * sample * channels + first + k]
            b += w * sums[(2 * sample + 1) * channels + first + k]
        pairs[2 * group] = a / wide(each * size)
        pairs[2 * group + 1] = b / wide(each * size)
        group += cuda.gridsize(1)


def _backward(n, channels, each, size, gx, g, x, weight, has_weight, means, rstds, pairs):
    """``rstd (g weight - mean of g weight - unit mean of g weight unit)``; a thread for each element."""
    i = cuda.grid(1)
    while i < n:
        row = udiv(i, size)
        group = udiv(row, each)
        rstd = wide(rstds[group])
        v = wide(g[i])
        if has_weight != 0:
            v *= wide(weight[umod(row, channels)])
        unit = (wide(x[i]) - wide(means[group])) * rstd
        gx[i] = real(rstd * (v - pairs[2 * group + 1] - unit * pairs[2 * group]))
        i += cuda.gridsize(1)


normalize = RowKernel(_normalize, "int64 int64 real* real* real* int64 real* int64 real* real* real* float64")
sums = RowKernel(_sums, "int64 int64 wide* real* real* real* real*")
of_groups = Template(_of_groups, "int64 int64 int64 int64 wide* wide* real* int64")
backward = Template(_backward, "int64 int64 int64 int64 real* real* real* real* int64 real* real* wide*")


def _serves(x: View, *vectors: View | None) -> bool:
    return bool(
        0 < x.size < _LIMIT
        and x.dtype.name in ("float32", "float64")
        and all(v is None or v.dtype is x.dtype for v in vectors)
    )


def _place(v: View | None) -> int:
    return 0 if v is None else address(v)


def group_norm(
    backend: Backend, x: View, weight: View | None, bias: View | None, *, groups: int, eps: float
) -> Any:
    """The result, and mean, variance and one over the deviation of each group."""
    if not _serves(x, weight, bias):
        return NotImplemented
    x = contiguous(x)
    weight, bias = (None if p is None else contiguous(p) for p in (weight, bias))
    dtype, device, (batch, channels) = x.dtype, x.buffer.device, x.shape[:2]
    rows, size = batch * groups, x.size // (batch * channels)
    out = empty(x.shape, dtype, device)
    mean, var, rstd = (empty((batch, groups), dtype, device) for _ in range(3))
    factors = (_place(weight), int(weight is not None), _place(bias), int(bias is not None))
    moments = (address(mean), address(var), address(rstd), float(eps))
    args = (groups, size, address(out), address(x), *factors, *moments)
    normalize(handle(x).unit, dtype.name, rows, x.size // rows, args)
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
    dtype, device, unit, name = x.dtype, x.buffer.device, handle(x).unit, x.dtype.name
    batch, channels = x.shape[:2]
    size, each = x.size // (batch * channels), channels // groups
    partial = empty((batch, 2, channels), dtype, device)
    data = (address(grad), address(x), address(mean), address(rstd))
    sums(unit, name, batch * channels, size, (channels, each, address(partial), *data))
    gw, gb = (empty((channels,), dtype, device) if need else None for need in needs[1:3])
    if gw is not None or gb is not None:
        ends = (_place(gw), int(gw is not None), _place(gb), int(gb is not None))
        add_parts(name)(unit, blocks_for(unit, channels), (channels, batch, address(partial), *ends))
    if not needs[0]:
        return None, gw, gb
    gx, pairs = empty(x.shape, dtype, device), empty((batch, groups, 2), dtype, device)
    factor = (_place(weight), int(weight is not None))
    count = batch * groups
    words = (count, channels, each, size, address(pairs), address(partial), *factor)
    of_groups(name)(unit, blocks_for(unit, count), words)
    places = (address(gx), address(grad), address(x), *factor, address(mean), address(rstd), address(pairs))
    backward(name)(unit, blocks_for(unit, x.size), (x.size, channels, each, size, *places))
    return gx, gw, gb
