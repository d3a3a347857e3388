"""cross_entropy from logits: one pass over each row, and no probabilities in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genesis.backend import Backend, View
from genesis_cuda._copies import contiguous, empty
from genesis_cuda._kernel import Template
from genesis_cuda._memory import address, handle
from genesis_cuda._rows import RowKernel
from genesis_cuda._sizes import THREADS as _THREADS
from genesis_cuda._sizes import WARP
from genesis_cuda.kernels.indexing import wrong

if TYPE_CHECKING:  # what kernels find in their module
    from genesis_cuda._names import (
        GROUP,
        THREADS,
        WARPS,
        block_sum,
        cuda,
        float64,
        math,
        real,
        row_max,
        row_sum,
        wide,
    )


def _losses(rows, n, losses, lses, x, target, weighted, weight, ignore, smoothing):
    """Per row: its loss, and the logarithm of the sum of exponentials."""
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
        t = target[row]
        loss = wide(0)
        if t != ignore:
            # from the largest logit: adding it to a small logarithm would lose digits
            loss = log_total - (wide(x[at + t]) - top)
            if weighted != 0:
                loss *= wide(weight[t])
        spread = wide(0)
        if smoothing != 0:
            i = me
            while i < n:
                part = log_total - (wide(x[at + i]) - top)
                spread += part * wide(weight[i]) if weighted != 0 else part
                i += GROUP
            spread = row_sum(spread, shared)
            if t != ignore:
                loss = wide(1 - smoothing) * loss + wide(smoothing / n) * spread
        if me == 0:
            losses[row] = real(loss)
            lses[row] = real(top + log_total)
        row += cuda.gridDim.x * (THREADS // GROUP)


def _total(n, loss, divisor, losses, target, mean, weighted, weight, ignore):
    """One block: the sum of the losses over that of the counted rows' weights (or over 1)."""
    shared = cuda.shared.array(WARPS, float64)
    me = cuda.threadIdx.x
    total, count = float64(0), float64(0)
    i = me
    while i < n:
        total += float64(losses[i])
        t = target[i]
        if t != ignore:
            count += float64(weight[t]) if weighted != 0 else float64(1)
        i += THREADS
    total = block_sum(total, shared)
    count = block_sum(count, shared)
    if me == 0:
        count = count if mean != 0 else float64(1)
        loss[0] = real(total / count)
        divisor[0] = real(count)


def _backward(rows, n, gx, x, target, lses, total, grad, step, weighted, weight, ignore, smoothing):
    """``grad * (softmax - smoothed target)``, zero for ignored rows."""
    shared = cuda.shared.array(WARPS, wide)
    me = cuda.threadIdx.x % GROUP
    row = (cuda.blockIdx.x * THREADS + cuda.threadIdx.x) // GROUP
    while row < rows:
        at = row * n
        t = target[row]
        lse = wide(lses[row])
        share = wide(grad[row * step]) / wide(total[0])
        own = share * wide(1 - smoothing)
        if weighted != 0 and t != ignore:
            own *= wide(weight[t])
        less = share * wide(smoothing / n)
        whole = wide(n)
        if weighted != 0 and smoothing != 0:  # what the even part of a smoothed target adds up to
            whole = wide(0)
            i = me
            while i < n:
                whole += wide(weight[i])
                i += GROUP
            whole = row_sum(whole, shared)
        scale = own + less * whole
        i = me
        while i < n:
            even = less * wide(weight[i]) if weighted != 0 else less
            value = scale * math.exp(wide(x[at + i]) - lse) - even
            gx[at + i] = real(value) if t != ignore else real(0)
            i += GROUP
        if t != ignore and t % GROUP == me:  # who has written it
            gx[at + t] = real(wide(gx[at + t]) - own)
        row += cuda.gridDim.x * (THREADS // GROUP)


losses_kernel = RowKernel(_losses, "real* real* real* int64* int64 real* int64 float64")
backward_kernel = RowKernel(_backward, "real* real* int64* real* real* real* int64 int64 real* int64 float64")
total_kernel = Template(
    _total, "int64 real* real* real* int64* int64 int64 real* int64", WARPS=str(_THREADS // WARP)
)


def _serves(logits: View, target: View, weight: View | None) -> bool:
    return (
        logits.ndim == 2
        and logits.dtype.is_floating_point
        and target.dtype.name == "int64"
        and logits.size > 0
        and target.shape == logits.shape[:1]
        and (weight is None or (weight.dtype is logits.dtype and weight.shape == logits.shape[1:2]))
    )


def cross_entropy(
    backend: Backend,
    logits: View,
    target: View,
    weight: View | None,
    *,
    ignore_index: int,
    reduction: str,
    label_smoothing: float,
) -> Any:
    """``logsumexp(logits) - logits[target]``, smoothed, then summed or averaged.

    Returns:
        the loss; the logsumexp of each row; what was divided by: for ``"mean"`` the counted rows' weight.

    Raises:
        IndexError: a target is neither ``ignore_index`` nor in [0, C).
    """
    if not _serves(logits, target, weight):
        return NotImplemented
    rows, classes = logits.shape
    bad = wrong(target, classes, ignore_index)
    if bad is not None:
        raise IndexError(f"target {bad} is out of range for {classes} classes; it must be 0 to {classes - 1}")
    logits, target = contiguous(logits), contiguous(target)
    weight = None if weight is None else contiguous(weight)
    dtype, device, unit = logits.dtype, logits.buffer.device, handle(logits).unit
    losses, lse, count = (empty(shape, dtype, device) for shape in (target.shape, target.shape, ()))
    weights = 0 if weight is None else address(weight)
    places = (address(losses), address(lse), address(logits), address(target))
    losses_kernel(
        unit, dtype.name, rows, classes,
        (*places, int(weights != 0), weights, ignore_index, label_smoothing),
    )  # fmt: skip
    loss = losses if reduction == "none" else empty((), dtype, device)
    # without a reduction this leaves its sum in the place of the divisor first
    first = address(count if reduction == "none" else loss)
    mean = int(reduction == "mean")
    sums = (rows, first, address(count), address(losses), address(target), mean)
    total_kernel(dtype.name)(unit, 1, (*sums, int(weights != 0), weights, ignore_index))
    return loss, lse, count


def cross_entropy_backward(
    backend: Backend,
    needs: Sequence[bool],
    grad: View,
    logits: View,
    target: View,
    weight: View | None,
    lse: View | None,
    total: View | None,
    *,
    ignore_index: int,
    reduction: str,
    label_smoothing: float,
) -> Any:
    """The gradient with respect to the logits."""
    if lse is None or total is None or not _serves(logits, target, weight) or grad.dtype is not logits.dtype:
        return NotImplemented
    if not needs[0]:
        return None, None, None
    logits, target, lse = contiguous(logits), contiguous(target), contiguous(lse)
    weight = None if weight is None else contiguous(weight)
    rows, classes = logits.shape
    result = empty(logits.shape, logits.dtype, logits.buffer.device)
    weights = 0 if weight is None else address(weight)
    backward_kernel(
        handle(logits).unit, logits.dtype.name, rows, classes,
        (
            address(result), address(logits), address(target), address(lse), address(total), address(grad),
            grad.strides[0] if grad.ndim else 0, int(weights != 0), weights, ignore_index, label_smoothing,
        ),
    )  # fmt: skip
    return result, None, None
