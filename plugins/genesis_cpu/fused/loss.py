"""cross_entropy from logits: one pass over each row, and no probabilities in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genesis.backend import Backend, View
from genesis_cpu._kernel import Kernel, launch, parts
from genesis_cpu._memory import address, empty, report
from genesis_cpu.kernels.map import contiguous

if TYPE_CHECKING:  # what kernels find in their file
    from genesis_cpu._names import (
        accumulate,
        exp_,
        float64,
        int64_pointer,
        log_,
        number,
        order,
        real,
        reals,
        slot,
        unorder,
    )


def _rows(args, lo, hi):
    """Per row: its loss, and the logarithm of the sum of exponentials.  A bad target is left in ``bad``."""
    logits, size, n = slot(args, 0), slot(args, 1), slot(args, 2)
    target, step, ignore = int64_pointer(slot(args, 3)), slot(args, 4), slot(args, 5)
    losses, lses, bad = reals(slot(args, 6)), reals(slot(args, 7)), int64_pointer(slot(args, 8))
    smoothing = real(number(args, 16))
    for row in range(lo, hi):
        x = reals(logits + row * n * size)
        top = order(x[0])
        for i in range(1, n):
            top = max(top, order(x[i]))
        largest = unorder(top)
        total = real(0)
        for i in range(n):
            total = accumulate(total, exp_(x[i] - largest))
        log_total = log_(total)
        lses[row] = largest + log_total
        t = target[row * step]
        if t == ignore:
            losses[row] = real(0)
        elif t < 0 or t >= n:
            bad[0] = 1
            bad[1] = t
        else:
            # from the largest logit: adding it to a small log would lose digits
            loss = log_total - (x[t] - largest)
            if smoothing != real(0):
                mean = real(0)
                for i in range(n):
                    mean = accumulate(mean, x[i] - largest)
                loss = (real(1) - smoothing) * loss + smoothing * (log_total - mean / real(n))
            losses[row] = loss


def _total(args, lo, hi):
    """Sum of the rows' losses over the number of counted rows (or over 1), in float64."""
    losses, n = reals(slot(args, 0)), slot(args, 1)
    target, step, ignore, mean = int64_pointer(slot(args, 2)), slot(args, 3), slot(args, 4), slot(args, 5)
    loss, divisor = reals(slot(args, 6)), reals(slot(args, 7))
    total = float64(0)
    counted = 0
    for row in range(n):
        total = accumulate(total, float64(losses[row]))
        if target[row * step] != ignore:
            counted += 1
    count = float64(counted) if mean else float64(1)
    loss[0] = real(total / count)
    divisor[0] = real(count)


def _backward(args, lo, hi):
    """``grad * (softmax - smoothed target)``, zero for ignored rows."""
    result, logits, size, n = slot(args, 0), slot(args, 1), slot(args, 2), slot(args, 3)
    target, step, ignore = int64_pointer(slot(args, 4)), slot(args, 5), slot(args, 6)
    lses, lse_step, total = reals(slot(args, 7)), slot(args, 8), reals(slot(args, 9))
    grad, grad_step = reals(slot(args, 10)), slot(args, 11)
    smoothing = real(number(args, 16))
    share = smoothing / real(n)
    for row in range(lo, hi):
        g = reals(result + row * n * size)
        x = reals(logits + row * n * size)
        t = target[row * step]
        if t == ignore:
            for i in range(n):
                g[i] = real(0)
        else:
            scale = grad[row * grad_step] / total[0]
            lse = lses[row * lse_step]
            less = scale * share
            for i in range(n):
                g[i] = scale * exp_(x[i] - lse) - less
            g[t] = g[t] - scale * (real(1) - smoothing)


rows, total, backward = Kernel(_rows), Kernel(_total), Kernel(_backward)


def _serves(logits: View, target: View, weight: View | None) -> bool:
    return (
        weight is None
        and logits.ndim == 2
        and target.ndim == 1
        and logits.dtype.is_floating_point
        and target.dtype.name == "int64"
        and logits.size > 0
        and logits.shape[0] == target.shape[0]
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
        the loss; the rows' logsumexp; and the divisor (the number of counted rows for ``"mean"``, else 1).

    Raises:
        IndexError: a target is neither ``ignore_index`` nor in [0, C).
    """
    if not _serves(logits, target, weight):
        return NotImplemented
    logits = contiguous(logits)
    n, classes = logits.shape
    dtype, device = logits.dtype, logits.buffer.device
    losses, lse, count = (empty(shape, dtype, device) for shape in ((n,), (n,), ()))
    words = (
        address(logits), dtype.itemsize, classes, address(target), target.strides[0], ignore_index,
        address(losses), address(lse), report.address,
    )  # fmt: skip
    launch(rows(dtype.name), n, parts(logits.size * 10, n), words, (label_smoothing,))
    bad = report.take()
    if bad is not None:
        raise IndexError(f"target {bad} is out of range for {classes} classes; it must be 0 to {classes - 1}")
    loss = losses if reduction == "none" else empty((), dtype, device)
    # without a reduction this leaves its sum in the place of the divisor first
    rest = (
        address(losses), n, address(target), target.strides[0], ignore_index, int(reduction == "mean"),
        address(count if reduction == "none" else loss), address(count),
    )  # fmt: skip
    launch(total(dtype.name), 1, 1, rest)
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
    logits = contiguous(logits)
    n, classes = logits.shape
    result = empty(logits.shape, logits.dtype, logits.buffer.device)
    words = (
        address(result), address(logits), logits.dtype.itemsize, classes, address(target), target.strides[0],
        ignore_index, address(lse), lse.strides[0], address(total), address(grad),
        grad.strides[0] if grad.ndim else 0,
    )  # fmt: skip
    launch(backward(logits.dtype.name), n, parts(logits.size * 8, n), words, (label_smoothing,))
    return result, None, None
