"""softmax and log_softmax along the last axis: a row is read from memory once, and then lies in a cache."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genesis.backend import Backend, View
from genesis_cuda._copies import contiguous, empty
from genesis_cuda._memory import address, handle
from genesis_cuda._rows import RowKernel

if TYPE_CHECKING:  # what kernels find in their module
    from genesis_cuda._names import GROUP, THREADS, WARPS, cuda, math, real, row_max, row_sum, wide


def _softmax(rows, n, out, x):
    shared = cuda.shared.array(WARPS, wide)
    me = cuda.threadIdx.x % GROUP
    row = (cuda.blockIdx.x * THREADS + cuda.threadIdx.x) // GROUP
    while row < rows:
        at = row * n
        top = wide(x[at])
        i = me
        while i < n:
            v = wide(x[at + i])
            top = v if v > top or v != v else top
            i += GROUP
        top = row_max(top, shared)
        total = wide(0)
        i = me
        while i < n:
            total += math.exp(wide(x[at + i]) - top)
            i += GROUP
        total = row_sum(total, shared)
        i = me
        while i < n:
            out[at + i] = real(math.exp(wide(x[at + i]) - top) / total)
            i += GROUP
        row += cuda.gridDim.x * (THREADS // GROUP)


def _log_softmax(rows, n, out, x):
    shared = cuda.shared.array(WARPS, wide)
    me = cuda.threadIdx.x % GROUP
    row = (cuda.blockIdx.x * THREADS + cuda.threadIdx.x) // GROUP
    while row < rows:
        at = row * n
        top = wide(x[at])
        i = me
        while i < n:
            v = wide(x[at + i])
            top = v if v > top or v != v else top
            i += GROUP
        top = row_max(top, shared)
        total = wide(0)
        i = me
        while i < n:
            total += math.exp(wide(x[at + i]) - top)
            i += GROUP
        log_total = math.log(row_sum(total, shared))
        i = me
        while i < n:
            out[at + i] = real((wide(x[at + i]) - top) - log_total)
            i += GROUP
        row += cuda.gridDim.x * (THREADS // GROUP)


def _softmax_backward(rows, n, gx, g, out):
    shared = cuda.shared.array(WARPS, wide)
    me = cuda.threadIdx.x % GROUP
    row = (cuda.blockIdx.x * THREADS + cuda.threadIdx.x) // GROUP
    while row < rows:
        at = row * n
        dot = wide(0)
        i = me
        while i < n:
            dot += wide(g[at + i]) * wide(out[at + i])
            i += GROUP
        dot = row_sum(dot, shared)
        i = me
        while i < n:
            gx[at + i] = real((wide(g[at + i]) - dot) * wide(out[at + i]))
            i += GROUP
        row += cuda.gridDim.x * (THREADS // GROUP)


def _log_softmax_backward(rows, n, gx, g, out):
    shared = cuda.shared.array(WARPS, wide)
    me = cuda.threadIdx.x % GROUP
    row = (cuda.blockIdx.x * THREADS + cuda.threadIdx.x) // GROUP
    while row < rows:
        at = row * n
        total = wide(0)
        i = me
        while i < n:
            total += wide(g[at + i])
            i += GROUP
        total = row_sum(total, shared)
        i = me
        while i < n:
            gx[at + i] = real(wide(g[at + i]) - math.exp(wide(out[at + i])) * total)
            i += GROUP
        row += cuda.gridDim.x * (THREADS // GROUP)


_forward = {False: RowKernel(_softmax, "real* real*"), True: RowKernel(_log_softmax, "real* real*")}
_backward = {
    False: RowKernel(_softmax_backward, "real* real* real*"),
    True: RowKernel(_log_softmax_backward, "real* real* real*"),
}


def _run(x: View, dim: int, logarithm: bool) -> Any:
    if dim != x.ndim - 1 or not x.size or not x.dtype.is_floating_point:
        return NotImplemented
    x = contiguous(x)
    out = empty(x.shape, x.dtype, x.buffer.device)
    n = x.shape[-1]
    _forward[logarithm](handle(x).unit, x.dtype.name, x.size // n, n, (address(out), address(x)))
    return out


def _run_backward(needs: Sequence[bool], grad: View, out: View, dim: int, logarithm: bool) -> Any:
    if dim != out.ndim - 1 or not out.size or grad.dtype is not out.dtype or not out.dtype.is_floating_point:
        return NotImplemented
    if not needs[0]:
        return (None,)
    grad, out = contiguous(grad), contiguous(out)
    gx = empty(out.shape, out.dtype, out.buffer.device)
    n = out.shape[-1]
    places = (address(gx), address(grad), address(out))
    _backward[logarithm](handle(out).unit, out.dtype.name, out.size // n, n, places)
    return (gx,)


def softmax(backend: Backend, x: View, *, dim: int) -> Any:
    """``exp(x - max) / sum(exp(x - max))`` along the last axis."""
    return _run(x, dim, False)


def log_softmax(backend: Backend, x: View, *, dim: int) -> Any:
    """``x - max - log(sum(exp(x - max)))`` along the last axis."""
    return _run(x, dim, True)


def softmax_backward(backend: Backend, needs: Sequence[bool], grad: View, out: View, *, dim: int) -> Any:
    """``(grad - sum(grad * out)) * out``"""
    return _run_backward(needs, grad, out, dim, False)


def log_softmax_backward(backend: Backend, needs: Sequence[bool], grad: View, out: View, *, dim: int) -> Any:
    """``grad - exp(out) * sum(grad)``"""
    return _run_backward(needs, grad, out, dim, True)
