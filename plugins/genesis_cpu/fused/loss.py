"""cross_entropy from logits: one pass over each row, and no probabilities in memory.

Scores (N, C) are rows. In scores (N, C, L) the classes of a position lie L apart, so positions are walked
side by side, a tile of them at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genesis.backend import Backend, View
from genesis_cpu._kernel import Kernel, even, launch, parts
from genesis_cpu._memory import address, array, empty, report
from genesis_cpu.kernels.map import contiguous

if TYPE_CHECKING:  # what kernels find in their file
    from genesis_cpu._names import (
        accumulate,
        call,
        exp_,
        float64,
        int64_pointer,
        log_,
        max_,
        number,
        order,
        real,
        reals,
        slot,
        udiv,
        unorder,
    )


def _rows(args, lo, hi):
    """Per row: its loss, and the logarithm of the sum of exponentials.  A bad target is left in ``bad``.

    Then the kernel whose address is argument 10, if there is one, with the arguments behind it.
    """
    logits, size, n = slot(args, 0), slot(args, 1), slot(args, 2)
    target, step, ignore = int64_pointer(slot(args, 3)), slot(args, 4), slot(args, 5)
    losses, lses, bad = reals(slot(args, 6)), reals(slot(args, 7)), int64_pointer(slot(args, 8))
    weighted, weight = slot(args, 9), reals(slot(args, 9))
    smoothing = real(number(args, 20))
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
            if weighted:
                loss = loss * weight[t]
            if smoothing != real(0):
                spread = real(0)
                if weighted:
                    for i in range(n):
                        spread = accumulate(spread, weight[i] * (log_total - (x[i] - largest)))
                else:
                    for i in range(n):
                        spread = accumulate(spread, log_total - (x[i] - largest))
                loss = (real(1) - smoothing) * loss + smoothing * spread / real(n)
            losses[row] = loss
    if slot(args, 10):
        call(slot(args, 10), args + 88, 0, 1)


def _planes(args, lo, hi):
    """The same for tiles of positions that lie side by side; the results hold what is found on the way."""
    logits, size, n = slot(args, 0), slot(args, 1), slot(args, 2)
    target, ignore, bad = slot(args, 3), slot(args, 5), int64_pointer(slot(args, 8))
    weighted, weight, length, tiles = slot(args, 9), reals(slot(args, 9)), slot(args, 10), slot(args, 11)
    smoothing = real(number(args, 16))
    for item in range(lo, hi):
        image = udiv(item, tiles)
        first = (item - image * tiles) * slot(args, 12)
        width = min(slot(args, 12), length - first)
        at = image * length + first
        base = logits + (image * n * length + first) * size
        tops, totals = reals(slot(args, 6) + at * size), reals(slot(args, 7) + at * size)
        x = reals(base)
        for j in range(width):
            tops[j] = x[j]
            totals[j] = real(0)
        for c in range(1, n):
            x = reals(base + c * length * size)
            for j in range(width):
                tops[j] = max_(tops[j], x[j])
        for c in range(n):
            x = reals(base + c * length * size)
            for j in range(width):
                totals[j] = totals[j] + exp_(x[j] - tops[j])
        x = reals(base)
        goals = int64_pointer(target + at * 8)
        for j in range(width):
            largest, log_total, t = tops[j], log_(totals[j]), goals[j]
            totals[j] = largest + log_total
            if t == ignore:
                tops[j] = real(0)
            elif t < 0 or t >= n:
                bad[0] = 1
                bad[1] = t
            else:
                loss = log_total - (x[t * length + j] - largest)
                if weighted:
                    loss = loss * weight[t]
                if smoothing != real(0):
                    spread = real(0)
                    for c in range(n):
                        w = weight[c] if weighted else real(1)
                        spread += w * (log_total - (x[c * length + j] - largest))
                    loss = (real(1) - smoothing) * loss + smoothing * spread / real(n)
                tops[j] = loss


def _total(args, lo, hi):
    """Sum of the rows' losses over the weights of the counted rows (or over 1), in float64."""
    losses, n = reals(slot(args, 0)), slot(args, 1)
    target, step, ignore, mean = int64_pointer(slot(args, 2)), slot(args, 3), slot(args, 4), slot(args, 5)
    loss, divisor = reals(slot(args, 6)), reals(slot(args, 7))
    weighted, weight = slot(args, 8), reals(slot(args, 8))
    total, count = float64(0), float64(0)
    for row in range(n):
        total = accumulate(total, float64(losses[row]))
    if not mean:
        count = float64(1)
    elif weighted:
        for row in range(n):
            t = target[row * step]
            if t != ignore:
                count += float64(weight[t])
    else:
        counted = 0
        for row in range(n):
            if target[row * step] != ignore:
                counted += 1
        count = float64(counted)
    loss[0] = real(total / count)
    divisor[0] = real(count)


def _backward(args, lo, hi):
    """``grad * (softmax - smoothed target)``, zero for ignored rows."""
    result, logits, size, n = slot(args, 0), slot(args, 1), slot(args, 2), slot(args, 3)
    target, step, ignore = int64_pointer(slot(args, 4)), slot(args, 5), slot(args, 6)
    lses, lse_step, total = reals(slot(args, 7)), slot(args, 8), reals(slot(args, 9))
    grad, grad_step = reals(slot(args, 10)), slot(args, 11)
    weighted, weight = slot(args, 12), reals(slot(args, 12))
    smoothing, whole = real(number(args, 16)), real(number(args, 17))
    for row in range(lo, hi):
        g = reals(result + row * n * size)
        x = reals(logits + row * n * size)
        t = target[row * step]
        if t == ignore:
            for i in range(n):
                g[i] = real(0)
        else:
            share = grad[row * grad_step] / total[0]
            own = share * (real(1) - smoothing)
            if weighted:
                own = own * weight[t]
            less = share * (smoothing / real(n))
            scale = own + less * whole
            lse = lses[row * lse_step]
            if weighted and smoothing != real(0):
                for i in range(n):
                    g[i] = scale * exp_(x[i] - lse) - less * weight[i]
            else:
                for i in range(n):
                    g[i] = scale * exp_(x[i] - lse) - less
            g[t] = g[t] - own


def _planes_backward(args, lo, hi):
    """The same for tiles of positions; ``scales`` and ``lesses`` have room for a number for each."""
    result, logits, size, n = slot(args, 0), slot(args, 1), slot(args, 2), slot(args, 3)
    target, ignore, total = slot(args, 4), slot(args, 6), reals(slot(args, 9))
    grad, grad_step = reals(slot(args, 10)), slot(args, 11)
    weighted, weight = slot(args, 12), reals(slot(args, 12))
    length, tiles = slot(args, 13), slot(args, 14)
    smoothing, whole = real(number(args, 18)), real(number(args, 19))
    for item in range(lo, hi):
        image = udiv(item, tiles)
        first = (item - image * tiles) * slot(args, 15)
        width = min(slot(args, 15), length - first)
        at = image * length + first
        base = (image * n * length + first) * size
        lses = reals(slot(args, 7) + at * size)
        scales, lesses = reals(slot(args, 16) + at * size), reals(slot(args, 17) + at * size)
        goals = int64_pointer(target + at * 8)
        for j in range(width):
            scales[j] = real(0)
            lesses[j] = real(0)
            if goals[j] != ignore:
                share = grad[(at + j) * grad_step] / total[0]
                own = share * (real(1) - smoothing)
                if weighted:
                    own = own * weight[goals[j]]
                lesses[j] = share * (smoothing / real(n))
                scales[j] = own + lesses[j] * whole
        for c in range(n):
            x, g = reals(logits + base + c * length * size), reals(result + base + c * length * size)
            w = weight[c] if weighted else real(1)
            for j in range(width):
                value = scales[j] * exp_(x[j] - lses[j]) - lesses[j] * w
                g[j] = value if scales[j] != real(0) else real(0)
        g = reals(result + base)
        for j in range(width):
            if goals[j] != ignore:
                g[goals[j] * length + j] -= scales[j] - lesses[j] * whole


rows, planes, total = Kernel(_rows), Kernel(_planes), Kernel(_total)
backward, planes_backward = Kernel(_backward), Kernel(_planes_backward)
_TILE = 256  # positions side by side: what is kept of each stays in the first-level cache


def serves(logits: View, target: View, weight: View | None) -> bool:
    return (
        logits.ndim in (2, 3)
        and logits.dtype.is_floating_point
        and target.dtype.name == "int64"
        and logits.size > 0
        and target.shape == logits.shape[:1] + logits.shape[2:]
        and (weight is None or (weight.dtype is logits.dtype and weight.shape == logits.shape[1:2]))
    )


def check_targets(classes: int) -> None:
    """Raise what a kernel has reported.

    Raises:
        IndexError: a target is neither ``ignore_index`` nor in [0, ``classes``).
    """
    bad = report.take()
    if bad is not None:
        raise IndexError(f"target {bad} is out of range for {classes} classes; it must be 0 to {classes - 1}")


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
    logits, target = contiguous(logits), contiguous(target)
    classes, n = logits.shape[1], target.size
    dtype, device = logits.dtype, logits.buffer.device
    losses, lse = empty(target.shape, dtype, device), empty(target.shape, dtype, device)
    count = empty((), dtype, device)
    loss = losses if reduction == "none" else empty((), dtype, device)
    weights = 0 if weight is None else address(weight := contiguous(weight))
    goals, each = address(target), address(losses)
    words: tuple[int, ...] = (
        address(logits), dtype.itemsize, classes, goals, 1, ignore_index,
        each, address(lse), report.address, weights,
    )  # fmt: skip
    # without a reduction this leaves its sum in the place of the divisor first
    rest = (
        each, n, goals, 1, ignore_index, int(reduction == "mean"),
        address(count if reduction == "none" else loss), address(count), weights,
    )  # fmt: skip
    adds = total(dtype.name)
    together = False
    if logits.ndim == 2:
        cut = parts(n * classes * 10, n)
        together = cut == 1
        launch(rows(dtype.name), n, cut, [*words, adds * together, *rest], (label_smoothing,))
    else:
        tiles, width = even(logits.shape[2], _TILE)
        items = logits.shape[0] * tiles
        words += (logits.shape[2], tiles, width)
        launch(planes(dtype.name), items, parts(logits.size * 10, items), words, (label_smoothing,))
    check_targets(classes)
    if not together:
        launch(adds, 1, 1, rest)
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
    logits, target, lse = contiguous(logits), contiguous(target), contiguous(lse)
    grad = contiguous(grad) if grad.ndim > 1 else grad
    n, classes, *rest = logits.shape
    dtype, device = logits.dtype, logits.buffer.device
    result = empty(logits.shape, dtype, device)
    words: tuple[int, ...] = (
        address(result), address(logits), dtype.itemsize, classes, address(target), 1,
        ignore_index, address(lse), 1, address(total), address(grad),
        grad.strides[-1] if grad.ndim else 0, 0 if weight is None else address(weight := contiguous(weight)),
    )  # fmt: skip
    # what the even part of a smoothed target adds up to
    whole = float(classes) if weight is None else float(array(weight).sum(dtype="float64"))
    floats = (label_smoothing, whole)
    if not rest:
        views = (result, logits, target, lse, total, grad, weight)
        launch(backward(dtype.name), n, parts(logits.size * 8, n), words, floats, views)
    else:
        tiles, width = even(rest[0], _TILE)
        spare = empty((2, target.size), dtype, device)
        place = address(spare)
        words += (rest[0], tiles, width, place, place + target.size * dtype.itemsize)
        launch(planes_backward(dtype.name), n * tiles, parts(logits.size * 8, n * tiles), words, floats)
    return result, None, None
