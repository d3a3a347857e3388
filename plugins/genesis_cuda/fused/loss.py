"""cross_entropy from logits: one pass over each row, and no probabilities in memory.

A row is the logits of one target: side by side for (N, C), ``step`` elements apart for (N, C, d1, …).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod as _prod
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
        SMOOTH,
        THREADS,
        WARPS,
        block_sum,
        cuda,
        exp_sum_of_share,
        float64,
        math,
        real,
        row_max,
        row_sum,
        top_of_share,
        udiv,
        wide,
    )


def _losses(rows, n, step, losses, lses, x, target, weighted, weight, ignore, smoothing):
    """Per row: its loss, and the logarithm of the sum of exponentials."""
    shared = cuda.shared.array(WARPS, wide)
    me = cuda.threadIdx.x % GROUP
    row = (cuda.blockIdx.x * THREADS + cuda.threadIdx.x) // GROUP
    if row < rows:
        at = row + udiv(row, step) * (n - 1) * step
        top = row_max(top_of_share(x, at, n, step, me, GROUP, wide(0)), shared)
        log_total = math.log(row_sum(exp_sum_of_share(x, at, n, step, me, GROUP, top), shared))
        spread = wide(0)
        if SMOOTH:
            i, place = me, at + me * step
            while i < n:
                part = log_total - (wide(x[place]) - top)
                spread += part * wide(weight[i]) if weighted != 0 else part
                i += GROUP
                place += GROUP * step
            spread = row_sum(spread, shared)
        if me == 0:
            t = target[row]
            loss = wide(0)
            if t != ignore:
                # from the largest logit: adding it to a small logarithm would lose digits
                loss = log_total - (wide(x[at + t * step]) - top)
                if weighted != 0:
                    loss *= wide(weight[t])
                if SMOOTH:
                    loss = wide(1 - smoothing) * loss + wide(smoothing / n) * spread
            losses[row] = real(loss)
            lses[row] = real(top + log_total)


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


def _backward(rows, n, step, gx, x, target, lses, total, grad, g_step, weighted, weight, ignore, smoothing):
    """``grad * (softmax - smoothed target)``, zero for ignored rows."""
    shared = cuda.shared.array(WARPS, wide)
    me = cuda.threadIdx.x % GROUP
    row = (cuda.blockIdx.x * THREADS + cuda.threadIdx.x) // GROUP
    if row < rows:
        at = row + udiv(row, step) * (n - 1) * step
        t = target[row]
        lse = wide(lses[row])
        share = wide(grad[row * g_step]) / wide(total[0])
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
        i, place = me, at + me * step
        while i < n:
            even = less * wide(weight[i]) if weighted != 0 else less
            value = scale * math.exp(wide(x[place]) - lse) - even
            gx[place] = real(value) if t != ignore else real(0)
            i += GROUP
            place += GROUP * step
        if t != ignore and t % GROUP == me:  # who has written it
            gx[at + t * step] = real(wide(gx[at + t * step]) - own)


_FORMS = ("thread", "warp", "block")
_LOSSES = "int64 real* real* real* int64* int64 real* int64 float64"
losses_kernel = {
    False: RowKernel(_losses, _LOSSES, "", _FORMS, SMOOTH="False"),
    True: RowKernel(_losses, _LOSSES, "smooth", _FORMS, SMOOTH="True"),
}
backward_kernel = RowKernel(
    _backward,
    "int64 real* real* int64* real* real* real* int64 int64 real* int64 float64",
    forms=_FORMS,
)
total_kernel = Template(
    _total, "int64 real* real* real* int64* int64 int64 real* int64", WARPS=str(_THREADS // WARP)
)


def serves(logits: View, target: View, weight: View | None) -> bool:
    """Whether the kernels of losses of classes take these."""
    return (
        logits.ndim >= 2
        and logits.dtype.name in ("float32", "float64")
        and target.dtype.name == "int64"
        and logits.size > 0
        and target.shape == logits.shape[:1] + logits.shape[2:]
        and target.size < 1 << 32
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
    if not serves(logits, target, weight):
        return NotImplemented
    rows, classes = target.size, logits.shape[1]
    step = _prod(logits.shape[2:])
    bad = wrong(target, classes, ignore_index)
    if bad is not None:
        raise IndexError(f"target {bad} is out of range for {classes} classes; it must be 0 to {classes - 1}")
    logits, target = contiguous(logits), contiguous(target)
    weight = None if weight is None else contiguous(weight)
    dtype, device, unit = logits.dtype, logits.buffer.device, handle(logits).unit
    losses, lse, count = (empty(shape, dtype, device) for shape in (target.shape, target.shape, ()))
    weights = 0 if weight is None else address(weight)
    places = (address(losses), address(lse), address(logits), address(target))
    losses_kernel[label_smoothing != 0](
        unit, dtype.name, rows, classes,
        (step, *places, int(weights != 0), weights, ignore_index, label_smoothing), step,
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
    if lse is None or total is None or not serves(logits, target, weight) or grad.dtype is not logits.dtype:
        return NotImplemented
    if not needs[0]:
        return None, None, None
    logits, target, lse, grad = (contiguous(v) for v in (logits, target, lse, grad))
    weight = None if weight is None else contiguous(weight)
    rows, classes = target.size, logits.shape[1]
    step = _prod(logits.shape[2:])
    result = empty(logits.shape, logits.dtype, logits.buffer.device)
    weights = 0 if weight is None else address(weight)
    backward_kernel(
        handle(logits).unit, logits.dtype.name, rows, classes,
        (
            step, address(result), address(logits), address(target), address(lse), address(total),
            address(grad), int(grad.ndim > 0), int(weights != 0), weights, ignore_index, label_smoothing,
        ),
        step,
    )  # fmt: skip
    return result, None, None
