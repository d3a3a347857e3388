"""nll_loss: one element for each target, added up as for ``cross_entropy``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genesis.backend import Backend, View, arg, cast
from genesis_cuda._copies import contiguous, empty
from genesis_cuda._kernel import Template, blocks_for
from genesis_cuda._memory import address, handle
from genesis_cuda.fused.loss import serves, total_kernel
from genesis_cuda.kernels import map as elementwise
from genesis_cuda.kernels.indexing import wrong

if TYPE_CHECKING:  # what kernels find in their module
    from genesis_cuda._names import cuda, real, udiv, wide


def _picked(rows, n, step, losses, x, target, weighted, weight, ignore):
    """A thread for each target; the classes lie ``step`` apart."""
    row = cuda.grid(1)
    while row < rows:
        t = target[row]
        loss = wide(0)
        if t != ignore:
            loss = -wide(x[row + udiv(row, step) * (n - 1) * step + t * step])
            if weighted != 0:
                loss *= wide(weight[t])
        losses[row] = real(loss)
        row += cuda.gridsize(1)


def _backward(rows, n, step, gx, target, total, grad, g_step, weighted, weight, ignore):
    """A thread for each target; all else is 0 before."""
    row = cuda.grid(1)
    while row < rows:
        t = target[row]
        if t != ignore:
            share = wide(grad[row * g_step]) / wide(total[0])
            if weighted != 0:
                share *= wide(weight[t])
            gx[row + udiv(row, step) * (n - 1) * step + t * step] = real(-share)
        row += cuda.gridsize(1)


picked = Template(_picked, "int64 int64 int64 real* real* int64* int64 real* int64")
backward = Template(_backward, "int64 int64 int64 real* int64* real* real* int64 int64 real* int64")


def nll_loss(
    backend: Backend,
    log_probs: View,
    target: View,
    weight: View | None,
    *,
    ignore_index: int,
    reduction: str,
) -> Any:
    """``-weight[target] * log_probs[target]``, summed or averaged, and the divisor.

    Raises:
        IndexError: a target is neither ``ignore_index`` nor in [0, C).
    """
    if not serves(log_probs, target, weight):
        return NotImplemented
    rows, classes, step = target.size, log_probs.shape[1], math.prod(log_probs.shape[2:])
    bad = wrong(target, classes, ignore_index)
    if bad is not None:
        raise IndexError(f"target {bad} is out of range for {classes} classes; it must be 0 to {classes - 1}")
    log_probs, target = contiguous(log_probs), contiguous(target)
    weight = None if weight is None else contiguous(weight)
    dtype, device, unit = log_probs.dtype, log_probs.buffer.device, handle(log_probs).unit
    losses, count = empty(target.shape, dtype, device), empty((), dtype, device)
    factor = (int(weight is not None), 0 if weight is None else address(weight))
    places = (address(losses), address(log_probs), address(target), *factor, ignore_index)
    picked(dtype.name)(unit, blocks_for(unit, rows), (rows, classes, step, *places))
    loss = losses if reduction == "none" else empty((), dtype, device)
    # without a reduction this leaves its sum in the place of the divisor first
    first = address(count if reduction == "none" else loss)
    sums = (rows, first, address(count), address(losses), address(target), int(reduction == "mean"))
    total_kernel(dtype.name)(unit, 1, (*sums, *factor, ignore_index))
    return loss, count


def nll_loss_backward(
    backend: Backend,
    needs: Sequence[bool],
    grad: View,
    log_probs: View,
    target: View,
    weight: View | None,
    total: View | None,
    *,
    ignore_index: int,
    reduction: str,
) -> Any:
    """The gradient with respect to the log-probabilities."""
    if total is None or not serves(log_probs, target, weight) or grad.dtype is not log_probs.dtype:
        return NotImplemented
    if not needs[0]:
        return None, None, None
    target, grad = contiguous(target), contiguous(grad)
    weight = None if weight is None else contiguous(weight)
    rows, classes, step = target.size, log_probs.shape[1], math.prod(log_probs.shape[2:])
    dtype, unit = log_probs.dtype, handle(log_probs).unit
    gx = empty(log_probs.shape, dtype, log_probs.buffer.device)
    elementwise.run(cast(arg(0), dtype), gx, (0.0,))
    factor = (int(weight is not None), 0 if weight is None else address(weight))
    places = (address(gx), address(target), address(total), address(grad), int(grad.ndim > 0))
    args = (rows, classes, step, *places, *factor, ignore_index)
    backward(dtype.name)(unit, blocks_for(unit, rows), args)
    return gx, None, None
