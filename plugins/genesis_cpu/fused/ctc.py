"""The CTC loss: all steps of a sample in one go, samples side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genesis.backend import Backend, View
from genesis_cpu._kernel import Kernel, launch, parts
from genesis_cpu._memory import address, empty
from genesis_cpu.kernels.map import contiguous

if TYPE_CHECKING:  # what kernels find in their file
    from genesis_cpu._names import exp_, inf, int64_pointer, log_, real, reals, slot


def _forward(args, lo, hi):
    """Per sample: the logarithms alpha of the paths to each position at each time, and the loss."""
    log_probs, times, count, classes = slot(args, 0), slot(args, 1), slot(args, 2), slot(args, 3)
    labels, jumps, lengths, lasts = slot(args, 4), slot(args, 5), slot(args, 6), slot(args, 7)
    alphas, losses, width, size = slot(args, 8), reals(slot(args, 9)), slot(args, 10), slot(args, 11)
    none = real(-inf)
    for n in range(lo, hi):
        label = int64_pointer(labels + n * width * 8)
        jump = int64_pointer(jumps + n * width * 8)
        length, last = int64_pointer(lengths)[n], int64_pointer(lasts)[n]
        for t in range(times):
            row = reals(log_probs + (t * count + n) * classes * size)
            alpha = reals(alphas + (t * count + n) * width * size)
            if t == 0:
                for s in range(width):
                    alpha[s] = row[label[s]] if s < 2 and s <= last else none
            else:
                before = reals(alphas + ((t - 1) * count + n) * width * size)
                for s in range(width):
                    a = before[s]
                    b = before[s - 1] if s > 0 else none
                    c = before[s - 2] if s > 1 and jump[s] != 0 else none
                    if a == none and b == none and c == none:
                        alpha[s] = none
                    else:
                        top = a
                        if b > top:
                            top = b
                        if c > top:
                            top = c
                        total = exp_(a - top) + exp_(b - top) + exp_(c - top)
                        alpha[s] = (top + log_(total)) + row[label[s]]
        if length == 0:
            losses[n] = real(0) if last == 0 else real(inf)
        else:
            alpha = reals(alphas + ((length - 1) * count + n) * width * size)
            a = alpha[last]
            b = alpha[last - 1] if last > 0 else none
            if a == none and b == none:
                losses[n] = real(inf)
            else:
                top = a
                if b > top:
                    top = b
                losses[n] = -(top + log_(exp_(a - top) + exp_(b - top)))


def _backward(args, lo, hi):
    """Per sample: the recursion from the end, and the gradient for outputs of log_softmax."""
    log_probs, times, count, classes = slot(args, 0), slot(args, 1), slot(args, 2), slot(args, 3)
    labels, jumps, lengths, lasts = slot(args, 4), slot(args, 5), slot(args, 6), slot(args, 7)
    alphas, losses, width, size = slot(args, 8), reals(slot(args, 9)), slot(args, 10), slot(args, 11)
    grads, results, scratch = reals(slot(args, 12)), slot(args, 13), slot(args, 14)
    none = real(-inf)
    for n in range(lo, hi):
        label = int64_pointer(labels + n * width * 8)
        jump = int64_pointer(jumps + n * width * 8)
        length, last = int64_pointer(lengths)[n], int64_pointer(lasts)[n]
        loss, grad = losses[n], grads[n]
        lost = loss == real(inf) and grad != real(0)
        for back in range(times):
            t = times - 1 - back
            row = reals(log_probs + (t * count + n) * classes * size)
            out = reals(results + (t * count + n) * classes * size)
            if lost:
                for c in range(classes):
                    out[c] = real(inf) - real(inf)
            elif t >= length:
                for c in range(classes):
                    out[c] = real(0)
            else:
                for c in range(classes):
                    out[c] = exp_(row[c])
                alpha = reals(alphas + (t * count + n) * width * size)
                beta = reals(scratch + (2 * n + t % 2) * width * size)
                after = reals(scratch + (2 * n + 1 - t % 2) * width * size)
                for s in range(width):
                    here = row[label[s]]
                    if t == length - 1:
                        value = here if s == last or s == last - 1 else none
                    else:
                        x = after[s]
                        y = after[s + 1] if s + 1 < width else none
                        z = after[s + 2] if s + 2 < width and jump[s + 2] != 0 else none
                        if x == none and y == none and z == none:
                            value = none
                        else:
                            top = x
                            if y > top:
                                top = y
                            if z > top:
                                top = z
                            total = exp_(x - top) + exp_(y - top) + exp_(z - top)
                            value = (top + log_(total)) + here
                    beta[s] = value
                    if alpha[s] != none and value != none:
                        out[label[s]] = out[label[s]] - exp_(alpha[s] + value - here + loss)
                for c in range(classes):
                    out[c] = out[c] * grad


forward, backward = Kernel(_forward), Kernel(_backward)


def ctc_loss(backend: Backend, log_probs: View, labels: View, jump: View, lengths: View, last: View) -> Any:
    """The losses of the samples, and alpha for the backward pass."""
    if not log_probs.size or not log_probs.dtype.is_floating_point:
        return NotImplemented
    log_probs, labels, jump = contiguous(log_probs), contiguous(labels), contiguous(jump)
    lengths, last = contiguous(lengths), contiguous(last)
    times, n, classes = log_probs.shape
    width = labels.shape[1]
    dtype, device = log_probs.dtype, log_probs.buffer.device
    loss, alpha = empty((n,), dtype, device), empty((times, n, width), dtype, device)
    words = (
        address(log_probs), times, n, classes, address(labels), address(jump), address(lengths),
        address(last), address(alpha), address(loss), width, dtype.itemsize,
    )  # fmt: skip
    launch(forward(dtype.name), n, parts(alpha.size * 40, n), words)
    return loss, alpha


def ctc_loss_backward(
    backend: Backend,
    needs: Sequence[bool],
    grad: View,
    log_probs: View,
    labels: View,
    jump: View,
    lengths: View,
    last: View,
    loss: View,
    alpha: View | None,
) -> Any:
    """The gradient with respect to the log-probabilities."""
    if alpha is None or not log_probs.size or grad.dtype is not log_probs.dtype:
        return NotImplemented
    if not needs[0]:
        return None, None, None, None, None
    log_probs, labels, jump = contiguous(log_probs), contiguous(labels), contiguous(jump)
    lengths, last, loss, alpha = (contiguous(v) for v in (lengths, last, loss, alpha))
    grad = contiguous(grad)
    times, n, classes = log_probs.shape
    width = labels.shape[1]
    dtype, device = log_probs.dtype, log_probs.buffer.device
    result, scratch = empty(log_probs.shape, dtype, device), empty((n, 2, width), dtype, device)
    words = (
        address(log_probs), times, n, classes, address(labels), address(jump), address(lengths),
        address(last), address(alpha), address(loss), width, dtype.itemsize, address(grad), address(result),
        address(scratch),
    )  # fmt: skip
    launch(backward(dtype.name), n, parts(alpha.size * 60, n), words)
    return result, None, None, None, None
