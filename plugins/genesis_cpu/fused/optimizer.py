"""Optimizer steps: one launch for all parameters of a group, which are read and written once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from genesis.backend import Backend, View
from genesis_cpu._kernel import Kernel, launch, parts
from genesis_cpu._memory import address

if TYPE_CHECKING:  # what kernels find in their file
    from genesis_cpu._math import fma_, max_, sqrt_
    from genesis_cpu._pointers import float64_pointer, int64_pointer, number, real, reals, slot


# Both kernels work on a range of the elements of all tensors laid end to end.  The table has a row of addresses
# for each tensor, the starts say where its elements begin in that range, and the scales are what differs
# between tensors.
def _adam(args, lo, hi):  # type: ignore[no-untyped-def]
    table, starts = int64_pointer(slot(args, 0)), int64_pointer(slot(args, 1))
    scales, amsgrad = float64_pointer(slot(args, 2)), slot(args, 3)
    options = float64_pointer(slot(args, 4))
    sign, l2, keep = real(options[0]), real(options[1]), real(options[2])
    new1, keep2, new2, eps = real(options[3]), real(options[4]), real(options[5]), real(options[6])
    t = 0
    while starts[t + 1] <= lo:
        t += 1
    at = lo
    while at < hi:
        a = at - starts[t]
        b = min(hi, starts[t + 1]) - starts[t]
        p, g, m = reals(table[5 * t]), reals(table[5 * t + 1]), reals(table[5 * t + 2])
        v, top = reals(table[5 * t + 3]), reals(table[5 * t + 4])
        step, root = real(scales[2 * t]), real(scales[2 * t + 1])
        if amsgrad:
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


def _sgd(args, lo, hi):  # type: ignore[no-untyped-def]
    table, starts = int64_pointer(slot(args, 0)), int64_pointer(slot(args, 1))
    scales, nesterov = float64_pointer(slot(args, 2)), slot(args, 3)
    options = float64_pointer(slot(args, 4))
    sign, l2, lr, momentum = real(options[0]), real(options[1]), real(options[2]), real(options[3])
    t = 0
    while starts[t + 1] <= lo:
        t += 1
    at = lo
    while at < hi:
        a = at - starts[t]
        b = min(hi, starts[t + 1]) - starts[t]
        p, g, buffer = reals(table[3 * t]), reals(table[3 * t + 1]), reals(table[3 * t + 2])
        if table[3 * t + 2] == 0:
            for i in range(a, b):
                p[i] = p[i] - lr * fma_(l2, p[i], sign * g[i])
        else:
            # a fresh buffer is set to the gradient: it keeps nothing, and takes all
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
_WEIGHT = 4  # additions that one element costs


def _serves(*groups: Sequence[View]) -> bool:
    """All tensors contiguous, of one floating-point type, and alike in size."""
    first = groups[0]
    if not first:
        return False
    dtype = first[0].dtype
    return dtype.is_floating_point and all(
        v.dtype is dtype and v.contiguous and v.shape == p.shape
        for group in groups
        if group
        for v, p in zip(group, first, strict=True)
    )


def _launch(
    kernel: Kernel, params: Sequence[View], table: list[int], scales: list[float], flag: bool, options: Any
) -> None:
    starts = [0]
    for p in params:
        starts.append(starts[-1] + p.size)
    total = starts[-1]
    if not total:
        return
    # one block: the addresses, the starts, and the floats as they are
    whole = np.array(table + starts, np.int64)
    floats = np.array([*scales, *options], np.float64)
    first, second = whole.ctypes.data, floats.ctypes.data
    words = (first, first + 8 * len(table), second, int(flag), second + 8 * len(scales))
    launch(kernel(params[0].dtype.name), total, parts(total * _WEIGHT, total), words)


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
) -> Any:
    """One step of Adam (arXiv 1412.6980, algorithm 1) or, decoupled, of AdamW (arXiv 1711.05101), in place."""
    if not _serves(params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs):
        return NotImplemented
    amsgrad = bool(max_exp_avg_sqs)
    table: list[int] = []
    scales: list[float] = []
    known: dict[float, tuple[float, float]] = {}
    for k, t in enumerate(steps):
        table += (address(params[k]), address(grads[k]), address(exp_avgs[k]), address(exp_avg_sqs[k]))
        table.append(address(max_exp_avg_sqs[k]) if amsgrad else 0)
        if t not in known:
            known[t] = lr / (1 - beta1**t), 1 / math.sqrt(1 - beta2**t)
        scales += known[t]
    l2 = 0.0 if decoupled else weight_decay
    keep = 1 - lr * weight_decay if decoupled else 1.0
    options = (-1.0 if maximize else 1.0, l2, keep, 1 - beta1, beta2, 1 - beta2, eps)
    _launch(adam, params, table, scales, amsgrad, options)
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
) -> Any:
    """One step of gradient descent with momentum (PyTorch's form: the rate multiplies the buffer), in place."""
    if not _serves(params, grads, momentum_buffers):
        return NotImplemented
    table: list[int] = []
    scales: list[float] = []
    for k, p in enumerate(params):
        table += (address(p), address(grads[k]), address(momentum_buffers[k]) if momentum_buffers else 0)
        scales += (0.0, 1.0) if momentum_buffers and first[k] else (momentum, 1 - dampening)
    options = (-1.0 if maximize else 1.0, weight_decay, lr, momentum)
    _launch(sgd, params, table, scales, nesterov, options)
    return None
