"""nll_loss: the score of each target, wherever it lies, and a gradient that is zero everywhere else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genesis.backend import Backend, View
from genesis_cpu._kernel import Kernel, launch, parts
from genesis_cpu._memory import address, empty, report
from genesis_cpu.fused.loss import check_targets, serves
from genesis_cpu.kernels.map import contiguous

if TYPE_CHECKING:  # what kernels find in their file
    from genesis_cpu._names import float64, int64_pointer, real, reals, slot


def _forward(args, lo, hi):
    """Images of ``length`` positions; strides are in bytes.  One thread, so the sum has one order."""
    scores, classes, length = slot(args, 0), slot(args, 1), slot(args, 2)
    target, ignore, bad = int64_pointer(slot(args, 3)), slot(args, 4), int64_pointer(slot(args, 5))
    losses, single, mean = reals(slot(args, 6)), slot(args, 6), slot(args, 7)
    loss, divisor = reals(slot(args, 8)), reals(slot(args, 9))
    weighted, weight = slot(args, 10), reals(slot(args, 10))
    total, count = float64(0), float64(0)
    for image in range(lo, hi):
        for j in range(length):
            t = target[image * length + j]
            value = real(0)
            if t != ignore:
                if t < 0 or t >= classes:
                    bad[0] = 1
                    bad[1] = t
                else:
                    at = image * slot(args, 11) + t * slot(args, 12) + j * slot(args, 13)
                    w = weight[t] if weighted else real(1)
                    value = -(w * reals(scores + at)[0])
                    count += float64(w)
            total += float64(value)
            if single:
                losses[image * length + j] = value
    if not mean:
        count = float64(1)
    if not single:
        loss[0] = real(total / count)
    divisor[0] = real(count)


def _backward(args, lo, hi):
    result, classes, length, size = slot(args, 0), slot(args, 1), slot(args, 2), slot(args, 3)
    target, ignore = int64_pointer(slot(args, 4)), slot(args, 5)
    total, grad, grad_step = reals(slot(args, 6)), reals(slot(args, 7)), slot(args, 8)
    weighted, weight = slot(args, 9), reals(slot(args, 9))
    for image in range(lo, hi):
        g = reals(result + image * classes * length * size)
        for i in range(classes * length):
            g[i] = real(0)
        for j in range(length):
            t = target[image * length + j]
            if t != ignore:
                w = weight[t] if weighted else real(1)
                g[t * length + j] = -(w * (grad[(image * length + j) * grad_step] / total[0]))


forward, backward = Kernel(_forward), Kernel(_backward)


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
    target = contiguous(target)
    n, classes, *rest = log_probs.shape
    dtype, device = log_probs.dtype, log_probs.buffer.device
    single = reduction == "none"
    loss, total = empty(target.shape if single else (), dtype, device), empty((), dtype, device)
    weights = 0 if weight is None else address(weight := contiguous(weight))
    size = dtype.itemsize
    words = (
        address(log_probs), classes, rest[0] if rest else 1, address(target), ignore_index, report.address,
        address(loss) if single else 0, int(reduction == "mean"), address(loss), address(total), weights,
        *[s * size for s in log_probs.strides],
    )  # fmt: skip
    launch(forward(dtype.name), n, 1, words)
    check_targets(classes)
    return loss, total


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
    target = contiguous(target)
    grad = contiguous(grad) if grad.ndim > 1 else grad
    n, classes, *rest = log_probs.shape
    result = empty(log_probs.shape, log_probs.dtype, log_probs.buffer.device)
    words = (
        address(result), classes, rest[0] if rest else 1, log_probs.dtype.itemsize, address(target),
        ignore_index, address(total), address(grad), grad.strides[-1] if grad.ndim else 0,
        0 if weight is None else address(weight := contiguous(weight)),
    )  # fmt: skip
    launch(backward(log_probs.dtype.name), n, parts(result.size, n), words)
    return result, None, None
