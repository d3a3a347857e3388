"""softmax and log_softmax along any axis: a row is read from memory once, and then lies in a cache."""

from __future__ import annotations

import math as _math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genesis.backend import Backend, View
from genesis_cuda._copies import contiguous, empty
from genesis_cuda._memory import address, handle
from genesis_cuda._rows import RowKernel

if TYPE_CHECKING:  # what kernels find in their module
    from genesis_cuda._names import (
        GROUP,
        LOGARITHM,
        THREADS,
        WARPS,
        cuda,
        exp_sum_of_share,
        math,
        real,
        row_max,
        row_sum,
        top_of_share,
        udiv,
        wide,
    )


def _forward(rows, n, step, out, x):
    """The elements of a row lie ``step`` apart, and so many rows side by side."""
    shared = cuda.shared.array(WARPS, wide)
    me = cuda.threadIdx.x % GROUP
    row = (cuda.blockIdx.x * THREADS + cuda.threadIdx.x) // GROUP
    if row < rows:
        at = row + udiv(row, step) * (n - 1) * step
        top = row_max(top_of_share(x, at, n, step, me, GROUP, wide(0)), shared)
        total = row_sum(exp_sum_of_share(x, at, n, step, me, GROUP, top), shared)
        if LOGARITHM:
            total = math.log(total)
        i = at + me * step
        while i < at + n * step:
            v = wide(x[i]) - top
            out[i] = real(v - total) if LOGARITHM else real(math.exp(v) / total)
            i += GROUP * step


def _backward(rows, n, step, gx, g, out):
    shared = cuda.shared.array(WARPS, wide)
    me = cuda.threadIdx.x % GROUP
    row = (cuda.blockIdx.x * THREADS + cuda.threadIdx.x) // GROUP
    if row < rows:
        at = row + udiv(row, step) * (n - 1) * step
        total = wide(0)
        i = at + me * step
        while i < at + n * step:
            total += wide(g[i]) if LOGARITHM else wide(g[i]) * wide(out[i])
            i += GROUP * step
        total = row_sum(total, shared)
        i = at + me * step
        while i < at + n * step:
            v, y = wide(g[i]), wide(out[i])
            gx[i] = real(v - math.exp(y) * total) if LOGARITHM else real((v - total) * y)
            i += GROUP * step


_FORMS = ("thread", "warp", "block")
_NAMES = {False: "", True: "log"}
forward = {
    log: RowKernel(_forward, "int64 real* real*", name, _FORMS, LOGARITHM=str(log))
    for log, name in _NAMES.items()
}
backward = {
    log: RowKernel(_backward, "int64 real* real* real*", name, _FORMS, LOGARITHM=str(log))
    for log, name in _NAMES.items()
}
_LIMIT = 1 << 32  # so many rows are numbered with 32 bits, whose division is cheap


def _lie(x: View, dim: int) -> tuple[int, int, int] | None:
    """Rows, their length, and the step from element to element of a contiguous view."""
    if not x.size or x.dtype.name not in ("float32", "float64"):
        return None
    n = x.shape[dim]
    rows = x.size // n
    return (rows, n, _math.prod(x.shape[dim + 1 :])) if rows < _LIMIT else None


def _run(x: View, dim: int, logarithm: bool) -> Any:
    found = _lie(x, dim)
    if found is None:
        return NotImplemented
    rows, n, step = found
    x = contiguous(x)
    out = empty(x.shape, x.dtype, x.buffer.device)
    args = (step, address(out), address(x))
    forward[logarithm](handle(x).unit, x.dtype.name, rows, n, args, step)
    return out


def _run_backward(needs: Sequence[bool], grad: View, out: View, dim: int, logarithm: bool) -> Any:
    found = _lie(out, dim)
    if found is None or grad.dtype is not out.dtype:
        return NotImplemented
    if not needs[0]:
        return (None,)
    rows, n, step = found
    grad, out = contiguous(grad), contiguous(out)
    gx = empty(out.shape, out.dtype, out.buffer.device)
    args = (step, address(gx), address(grad), address(out))
    backward[logarithm](handle(out).unit, out.dtype.name, rows, n, args, step)
    return (gx,)


def softmax(backend: Backend, x: View, *, dim: int) -> Any:
    """``exp(x - max) / sum(exp(x - max))`` along an axis."""
    return _run(x, dim, False)


def log_softmax(backend: Backend, x: View, *, dim: int) -> Any:
    """``x - max - log(sum(exp(x - max)))`` along an axis."""
    return _run(x, dim, True)


def softmax_backward(backend: Backend, needs: Sequence[bool], grad: View, out: View, *, dim: int) -> Any:
    """``(grad - sum(grad * out)) * out``"""
    return _run_backward(needs, grad, out, dim, False)


def log_softmax_backward(backend: Backend, needs: Sequence[bool], grad: View, out: View, *, dim: int) -> Any:
    """``grad - exp(out) * sum(grad)``"""
    return _run_backward(needs, grad, out, dim, True)
