"""layer_norm and rms_norm: a row is read from memory once; the gradients of weight and bias by columns."""

from __future__ import annotations

import math as _math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genesis.backend import Backend, View
from genesis_cuda._copies import contiguous, empty
from genesis_cuda._driver import Unit
from genesis_cuda._kernel import Template, blocks_for
from genesis_cuda._memory import address, handle
from genesis_cuda._rows import RowKernel
from genesis_cuda._sizes import THREADS as _THREADS

if TYPE_CHECKING:  # what kernels find in their module
    from genesis_cuda._names import CENTERED, GROUP, THREADS, WARPS, cuda, math, real, row_sum, udiv, wide


def _normalize(rows, n, out, x, weight, has_weight, bias, has_bias, means, rstds, eps):
    shared = cuda.shared.array(WARPS, wide)
    me = cuda.threadIdx.x % GROUP
    row = (cuda.blockIdx.x * THREADS + cuda.threadIdx.x) // GROUP
    if row < rows:
        at = row * n
        mean = wide(0)
        if CENTERED:
            i = me
            while i < n:
                mean += wide(x[at + i])
                i += GROUP
            mean = row_sum(mean, shared) / wide(n)
        square = wide(0)
        i = me
        while i < n:
            d = wide(x[at + i]) - mean
            square += d * d
            i += GROUP
        square = row_sum(square, shared)
        rstd = wide(1) / math.sqrt(square / wide(n) + wide(eps))
        i = me
        while i < n:
            v = (wide(x[at + i]) - mean) * rstd
            if has_weight != 0:
                v *= wide(weight[i])
            if has_bias != 0:
                v += wide(bias[i])
            out[at + i] = real(v)
            i += GROUP
        if me == 0:
            rstds[row] = real(rstd)
            if CENTERED:
                means[row] = real(mean)


def _backward(rows, n, gx, g, x, weight, has_weight, means, rstds):
    shared = cuda.shared.array(WARPS, wide)
    me = cuda.threadIdx.x % GROUP
    row = (cuda.blockIdx.x * THREADS + cuda.threadIdx.x) // GROUP
    if row < rows:
        at = row * n
        mean = wide(means[row]) if CENTERED else wide(0)
        rstd = wide(rstds[row])
        first, second = wide(0), wide(0)
        i = me
        while i < n:
            p = wide(g[at + i])
            if has_weight != 0:
                p *= wide(weight[i])
            first += p
            second += p * ((wide(x[at + i]) - mean) * rstd)
            i += GROUP
        first = row_sum(first, shared) / wide(n) if CENTERED else wide(0)
        second = row_sum(second, shared) / wide(n)
        i = me
        while i < n:
            p = wide(g[at + i])
            if has_weight != 0:
                p *= wide(weight[i])
            gx[at + i] = real(rstd * (p - first - (wide(x[at + i]) - mean) * rstd * second))
            i += GROUP


def _columns(rows, n, parts, chunk, sums, g, x, means, rstds):
    """A thread does a column of a part of the rows: what weight and bias get from them."""
    item = cuda.grid(1)
    while item < n * parts:
        part = udiv(item, n)
        column = item - part * n
        row = part * chunk
        end = min(row + chunk, rows)
        first, second = wide(0), wide(0)
        while row < end:
            v = wide(g[row * n + column])
            mean = wide(means[row]) if CENTERED else wide(0)
            first += v
            second += v * ((wide(x[row * n + column]) - mean) * wide(rstds[row]))
            row += 1
        sums[2 * part * n + column] = second
        sums[(2 * part + 1) * n + column] = first
        item += cuda.gridsize(1)


def _add_parts(n, parts, sums, gw, wants_w, gb, wants_b):
    """Add up the parts, always in the same order."""
    column = cuda.grid(1)
    while column < n:
        first, second = wide(0), wide(0)
        for part in range(parts):
            second += sums[2 * part * n + column]
            first += sums[(2 * part + 1) * n + column]
        if wants_w != 0:
            gw[column] = real(second)
        if wants_b != 0:
            gb[column] = real(first)
        column += cuda.gridsize(1)


_NAMES = {True: "layer", False: "rms"}
_FORWARD = "real* real* real* int64 real* int64 real* real* float64"
_BACKWARD = "real* real* real* real* int64 real* real*"
_COLUMNS = "int64 int64 int64 int64 wide* real* real* real* real*"
forward = {c: RowKernel(_normalize, _FORWARD, _NAMES[c], CENTERED=str(c)) for c in (True, False)}
backward = {c: RowKernel(_backward, _BACKWARD, _NAMES[c], CENTERED=str(c)) for c in (True, False)}
columns = {c: Template(_columns, _COLUMNS, variant=_NAMES[c], CENTERED=str(c)) for c in (True, False)}
add_parts = Template(_add_parts, "int64 int64 wide* real* int64 real* int64")


def _run(x: View, weight: View | None, bias: View | None, axes: int, eps: float, centered: bool) -> Any:
    dtype, device = x.dtype, x.buffer.device
    if not dtype.is_floating_point or not x.size or any(p and p.dtype is not dtype for p in (weight, bias)):
        return NotImplemented
    x = contiguous(x)
    weight, bias = (None if p is None else contiguous(p) for p in (weight, bias))
    n = _math.prod(x.shape[x.ndim - axes :])
    shape = x.shape[: x.ndim - axes] + (1,) * axes
    out, rstd = empty(x.shape, dtype, device), empty(shape, dtype, device)
    mean = empty(shape, dtype, device) if centered else None
    args = (
        address(out), address(x), _place(weight), int(weight is not None), _place(bias),
        int(bias is not None), _place(mean), address(rstd), float(eps),
    )  # fmt: skip
    forward[centered](handle(x).unit, dtype.name, x.size // n, n, args)
    return out, mean, rstd


def _place(v: View | None) -> int:
    return 0 if v is None else address(v)


def _run_backward(
    needs: Sequence[bool],
    grad: View,
    x: View,
    weight: View | None,
    mean: View | None,
    rstd: View | None,
    axes: int,
) -> Any:
    dtype, device = x.dtype, x.buffer.device
    if rstd is None or not x.size or not dtype.is_floating_point or grad.dtype is not dtype:
        return NotImplemented
    if weight is not None and weight.dtype is not dtype:
        return NotImplemented
    centered = mean is not None
    grad, x, rstd = contiguous(grad), contiguous(x), contiguous(rstd)
    weight, mean = (None if p is None else contiguous(p) for p in (weight, mean))
    unit = handle(x).unit
    n = _math.prod(x.shape[x.ndim - axes :])
    rows = x.size // n
    gx = empty(x.shape, dtype, device) if needs[0] else None
    if gx is not None:
        places = (address(gx), address(grad), address(x), _place(weight), int(weight is not None))
        backward[centered](unit, dtype.name, rows, n, (*places, _place(mean), address(rstd)))
    if not any(needs[1:]):
        return gx, None, None
    shape = x.shape[x.ndim - axes :]
    gw = empty(shape, dtype, device) if needs[1] else None
    gb = empty(shape, dtype, device) if len(needs) > 2 and needs[2] else None
    parts = _parts(unit, rows, n)
    chunk = -(-rows // parts)
    parts = -(-rows // chunk)  # none of them is empty
    sums = empty((parts, 2, n), dtype, device)
    words = (rows, n, parts, chunk, address(sums), address(grad), address(x), _place(mean), address(rstd))
    columns[centered](dtype.name)(unit, blocks_for(unit, n * parts), words)
    ends = (_place(gw), int(gw is not None), _place(gb), int(gb is not None))
    add_parts(dtype.name)(unit, blocks_for(unit, n), (n, parts, address(sums), *ends))
    return gx, gw, gb


def _parts(unit: Unit, rows: int, n: int) -> int:
    """In how many parts to add up the rows, so that there is work for the whole GPU."""
    return max(1, min(-(-rows // 16), 8 * _THREADS * unit.processors // n, 256))


def layer_norm(
    backend: Backend, x: View, weight: View | None, bias: View | None, *, axes: int, eps: float
) -> Any:
    """``(x - mean) / sqrt(variance + eps) * weight + bias`` over the last ``axes`` axes.

    Returns:
        the result, the mean, and one over the deviation.
    """
    return _run(x, weight, bias, axes, eps, True)


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
) -> Any:
    """The gradients of input, weight and bias."""
    if mean is None:
        return NotImplemented
    return _run_backward(needs, grad, x, weight, mean, rstd, axes)


def rms_norm(backend: Backend, x: View, weight: View | None, *, axes: int, eps: float) -> Any:
    """``x / sqrt(mean(x^2) + eps) * weight`` over the last ``axes`` axes, and the factor of each row."""
    made = _run(x, weight, None, axes, eps, False)
    return made if made is NotImplemented else (made[0], made[2])


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
    made = _run_backward(needs, grad, x, weight, None, rstd, axes)
    return made if made is NotImplemented else made[:2]
