"""Optimizer steps: one launch for all parameters of a group, which are read and written once."""

from __future__ import annotations

import math
import struct
import threading
from collections.abc import Sequence
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any

from genesis.backend import Backend, View
from genesis_cpu import _threads
from genesis_cpu._kernel import Kernel, launch, launch_later, parts
from genesis_cpu._memory import address, layout
from genesis_cpu._pool import Loan, pool
from genesis_cpu.kernels.map import duplicate, remember

if TYPE_CHECKING:  # what kernels find in their file
    from genesis_cpu._names import (
        float64_pointer,
        fma_,
        int64_pointer,
        max_,
        ratio_,
        real,
        reals,
        slot,
        sqrt_,
    )


# Both kernels work on a range of the elements of all tensors laid end to end.  The table has the addresses of
# all parameters, then those of all gradients, and so on; the starts say where the elements of each begin in
# that range, and the scales are what differs between parameters.
def _adam(args, lo, hi):
    table, starts = int64_pointer(slot(args, 0)), int64_pointer(slot(args, 1))
    scales, amsgrad = float64_pointer(slot(args, 2)), slot(args, 3)
    options, n = float64_pointer(slot(args, 4)), slot(args, 5)
    sign, l2, keep = real(options[0]), real(options[1]), real(options[2])
    new1, keep2, new2, eps = real(options[3]), real(options[4]), real(options[5]), real(options[6])
    plain = sign == real(1) and l2 == real(0)
    t = 0
    while starts[t + 1] <= lo:
        t += 1
    at = lo
    while at < hi:
        a = at - starts[t]
        b = min(hi, starts[t + 1]) - starts[t]
        p, g = reals(table[t]), reals(table[n + t])
        m, v = reals(table[2 * n + t]), reals(table[3 * n + t])
        step, root = real(scales[2 * t]), real(scales[2 * t + 1])
        if amsgrad:
            top = reals(table[4 * n + t])
            for i in range(a, b):
                x = p[i] * keep
                d = fma_(l2, p[i], sign * g[i])
                mean = fma_(new1, d - m[i], m[i])
                square = fma_(new2 * d, d, keep2 * v[i])
                largest = max_(top[i], square)
                m[i] = mean
                v[i] = square
                top[i] = largest
                p[i] = x - step * (mean / (sqrt_(largest) * root + eps))
        elif plain and step > real(0):
            # the same with fewer products, which is what takes the time
            scale, least = root / step, eps / step
            for i in range(a, b):
                x = p[i] * keep
                d = g[i]
                mean = fma_(new1, d - m[i], m[i])
                square = fma_(new2, fma_(d, d, -v[i]), v[i])
                m[i] = mean
                v[i] = square
                p[i] = x - ratio_(mean, fma_(sqrt_(square), scale, least))
        else:
            for i in range(a, b):
                x = p[i] * keep
                d = fma_(l2, p[i], sign * g[i])
                mean = fma_(new1, d - m[i], m[i])
                square = fma_(new2 * d, d, keep2 * v[i])
                m[i] = mean
                v[i] = square
                p[i] = x - step * (mean / (sqrt_(square) * root + eps))
        at = starts[t] + b
        t += 1


def _sgd(args, lo, hi):
    table, starts = int64_pointer(slot(args, 0)), int64_pointer(slot(args, 1))
    scales, nesterov = float64_pointer(slot(args, 2)), slot(args, 3)
    options, n, width = float64_pointer(slot(args, 4)), slot(args, 5), slot(args, 6)
    sign, l2, lr, momentum = real(options[0]), real(options[1]), real(options[2]), real(options[3])
    t = 0
    while starts[t + 1] <= lo:
        t += 1
    at = lo
    while at < hi:
        a = at - starts[t]
        b = min(hi, starts[t + 1]) - starts[t]
        p, g = reals(table[t]), reals(table[n + t])
        if width == 2:
            for i in range(a, b):
                p[i] = p[i] - lr * fma_(l2, p[i], sign * g[i])
        else:
            # a fresh buffer is set to the gradient: it keeps nothing, and takes all
            buffer = reals(table[2 * n + t])
            keep, new = real(scales[2 * t]), real(scales[2 * t + 1])
            fresh = keep == real(0)
            for i in range(a, b):
                d = fma_(l2, p[i], sign * g[i])
                # what a fresh buffer holds may be anything, nan included
                mean = d if fresh else fma_(keep, buffer[i], new * d)
                buffer[i] = mean
                p[i] = p[i] - lr * (fma_(momentum, mean, d) if nesterov else mean)
        at = starts[t] + b
        t += 1


adam, sgd = Kernel(_adam), Kernel(_sgd)
#: additions that one element costs; Adam's has a root and a division
_ADAM, _SGD = 10, 3
#: elements of a part that a thread takes: as many as make eight parts each, but not less or more than these;
#: and most parts in all
_LEAST, _MOST, _PARTS = 32768, 262144, 4095


#: of lists of shapes: where the elements of each begin among all, and the strides of each
_ends: dict[tuple[Any, ...], tuple[list[int], list[Any]]] = {}


def tabulate(
    params: Sequence[View], grads: Sequence[View] = (), *states: Sequence[View]
) -> tuple[Any, ...] | None:
    """Addresses (a list for each of the lists), where each parameter's elements start, and more.

    That is: how much of the pool had been shown when nobody outside knew any of this memory (-1 if somebody
    does), and what must live until the launch.

    None unless all are contiguous, and of one floating-point type. The caller has seen to it that what
    belongs to a parameter has its shape.
    """
    dtype = params[0].dtype
    if not dtype.is_floating_point:
        return None
    shapes = tuple([v.shape for v in params])
    found = _ends.get(shapes)
    if found is None:
        layouts = [layout(shape) for shape in shapes]
        starts = list(accumulate([size for size, _ in layouts], initial=0))
        if len(_ends) > 256:
            _ends.clear()
        found = _ends[shapes] = starts, [strides for _, strides in layouts]
    starts, strides = found
    flat = [*params, *grads, *chain(*states)]
    many = len(flat)
    if [v.dtype for v in flat].count(dtype) != many:
        return None
    if [v.strides for v in flat] != strides * (many // len(strides)):
        grads = [g if g.contiguous else duplicate(g) for g in grads]
        flat = [*params, *grads, *chain(*states)]
        if not all([v.contiguous for v in flat]):
            return None
    table = [address(v) if v.native is None else v.native[0] for v in flat]
    shown = pool.shown
    if [type(v.buffer) for v in flat].count(Loan) != many:
        shown = -1
    return table, starts, shown, grads


class _Arguments:
    """Memory for what a launch reads.

    Attributes:
        reader: the number of the launch that may still read it, or 0.
    """

    def __init__(self, nbytes: int) -> None:
        self.nbytes, self.reader = nbytes, 0
        block = pool.take(nbytes)
        _threads.settle()  # it may have been another thread's, which has ended
        self.address, self._loan = block.native[0], Loan(block, nbytes, None)
        self.memory = memoryview(block.handle)  # type: ignore[arg-type]


class _Room(threading.local):
    """Two of them for a thread, in turn: a launch may still read one of them when the next is written."""

    def __init__(self) -> None:
        self.free, self.last = _Arguments(512), _Arguments(512)


_room = _Room()


#: of counts of words and floats: how they are laid out
_layouts: dict[tuple[int, int], struct.Struct] = {}


def pack(words: Sequence[int], floats: Sequence[float] = ()) -> int:
    """The address of these words and then floats, until the second next call of this thread."""
    many = len(words), len(floats)
    found = _layouts.get(many)
    if found is None:
        found = remember(_layouts, many, struct.Struct(f"{many[0]}q{many[1]}d"))
    room = _room
    place = room.free
    if found.size > place.nbytes:
        place = _Arguments(2 * found.size)
    elif place.reader:
        _threads.settle(place.reader)
        place.reader = 0
    room.free, room.last = room.last, place
    found.pack_into(place.memory, 0, *words, *floats)
    return place.address


def launch_step(
    kernel: int, weight: float, plan: tuple[Any, ...], scales: Sequence[float], flag: int, options: Any
) -> None:
    """Run a kernel over all elements of a plan of ``tabulate``.

    Args:
        kernel: its address; it finds table, starts, scales, flag, options and the count of parameters in its
            block.
        weight: additions that one element costs.
        scales: numbers that differ between parameters.
        options: numbers that do not.
    """
    table, starts, shown, _ = plan
    total = starts[-1]
    if not total:
        return
    # one block: the addresses, the starts, the scales, the options
    k = len(table) + len(starts)
    place = pack([*table, *starts], [*scales, *options])
    words = (
        place, place + 8 * len(table), place + 8 * k, int(flag), place + 8 * (k + len(scales)),
        len(starts) - 1, len(table) // (len(starts) - 1),
    )  # fmt: skip
    cut = parts(total * weight, total)
    if cut > 1:  # the same parts, whoever knows the memory: where one ends, a rounding may be another
        portion = min(max(_LEAST, total // (8 * cut)), _MOST)
        cut = max(cut, min(total // portion, _PARTS))
    if shown >= 0 and cut > 1:
        block = _room.last
        block.reader = -1  # an interrupt may come before the number is known
        block.reader = launch_later(kernel, total, cut, words, shown, total * weight)
    else:
        launch(kernel, total, cut, words)


def adam_step(
    backend: Backend,
    params: Sequence[View],
    grads: Sequence[View],
    exp_avgs: Sequence[View],
    exp_avg_sqs: Sequence[View],
    max_exp_avg_sqs: Sequence[View],
    *,
    steps: Sequence[float],
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    decoupled: bool,
    maximize: bool,
    grad_scale: float = 1.0,
) -> Any:
    """One step of Adam (arXiv 1412.6980, algorithm 1) or, decoupled, AdamW (arXiv 1711.05101), in place."""
    amsgrad = bool(max_exp_avg_sqs)
    plan = tabulate(params, grads, exp_avgs, exp_avg_sqs, *([max_exp_avg_sqs] if amsgrad else []))
    if plan is None:
        return NotImplemented
    if steps.count(steps[0]) == len(steps):
        scales = [lr / (1 - beta1 ** steps[0]), 1 / math.sqrt(1 - beta2 ** steps[0])] * len(steps)
    else:
        known = {t: (lr / (1 - beta1**t), 1 / math.sqrt(1 - beta2**t)) for t in {*steps}}
        scales = [x for t in steps for x in known[t]]
    l2 = 0.0 if decoupled else weight_decay
    keep = 1 - lr * weight_decay if decoupled else 1.0
    options = (-grad_scale if maximize else grad_scale, l2, keep, 1 - beta1, beta2, 1 - beta2, eps)
    launch_step(adam(params[0].dtype.name), _ADAM, plan, scales, amsgrad, options)
    return None


def sgd_step(
    backend: Backend,
    params: Sequence[View],
    grads: Sequence[View],
    momentum_buffers: Sequence[View],
    *,
    lr: float,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
    maximize: bool,
    first: Sequence[bool],
    grad_scale: float = 1.0,
) -> Any:
    """One step of gradient descent with momentum (the rate multiplies the buffer), in place."""
    plan = tabulate(params, grads, *([momentum_buffers] if momentum_buffers else []))
    if plan is None:
        return NotImplemented
    scales: list[float] = []
    for fresh in first:
        scales += (0.0, 1.0) if fresh else (momentum, 1 - dampening)
    options = (-grad_scale if maximize else grad_scale, weight_decay, lr, momentum)
    launch_step(sgd(params[0].dtype.name), _SGD, plan, scales, nesterov, options)
    return None
