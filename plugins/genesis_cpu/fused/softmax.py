"""softmax and log_softmax along the last axis: a row stays in the cache between its passes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genesis.backend import Backend, View
from genesis_cpu._kernel import Kernel, launch, parts
from genesis_cpu._memory import address, empty
from genesis_cpu.kernels.map import contiguous

if TYPE_CHECKING:  # what kernels find in their file
    from genesis_cpu._names import accumulate, exp_, log_, order, real, reals, slot, unorder


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


_forward_kernels = {"softmax": Kernel(_softmax), "log_softmax": Kernel(_log_softmax)}
_backward_kernels = {"softmax": Kernel(_softmax_backward), "log_softmax": Kernel(_log_softmax_backward)}
_WEIGHT = 12  # additions that one element costs, exp included


def _serves(x: View, dim: int) -> bool:
    return x.dtype.is_floating_point and x.ndim > 0 and dim in (-1, x.ndim - 1) and x.size > 0


def _forward(kernel: Kernel, x: View, dim: int) -> Any:
    if not _serves(x, dim):
        return NotImplemented
    x = contiguous(x)
    out = empty(x.shape, x.dtype, x.buffer.device)
    n = x.shape[-1]
    rows = x.size // n
    words = (address(out), address(x), n, x.dtype.itemsize)
    launch(kernel(x.dtype.name), rows, parts(x.size * _WEIGHT, rows), words)
    return out


def _backward(kernel: Kernel, grad: View, out: View, dim: int) -> Any:
    if not _serves(out, dim) or grad.dtype is not out.dtype:
        return NotImplemented
    grad, out = contiguous(grad), contiguous(out)
    gx = empty(out.shape, out.dtype, out.buffer.device)
    n = out.shape[-1]
    rows = out.size // n
    words = (address(gx), address(grad), address(out), n, out.dtype.itemsize)
    launch(kernel(out.dtype.name), rows, parts(out.size * 3, rows), words)
    return (gx,)


def softmax(backend: Backend, x: View, *, dim: int) -> Any:
    """``exp(x - max) / sum(exp(x - max))`` along the last axis."""
    return _forward(_forward_kernels["softmax"], x, dim)


def log_softmax(backend: Backend, x: View, *, dim: int) -> Any:
    """``x - max - log(sum(exp(x - max)))`` along the last axis."""
    return _forward(_forward_kernels["log_softmax"], x, dim)


def softmax_backward(backend: Backend, needs: Sequence[bool], grad: View, out: View, *, dim: int) -> Any:
    """``(grad - sum(grad * out)) * out``."""
    return _backward(_backward_kernels["softmax"], grad, out, dim)


def log_softmax_backward(backend: Backend, needs: Sequence[bool], grad: View, out: View, *, dim: int) -> Any:
    """``grad - exp(out) * sum(grad)``."""
    return _backward(_backward_kernels["log_softmax"], grad, out, dim)
