"""Optimizer steps: one launch for all parameters of a group, which are read and written once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

from genesis.backend import Backend, View
from genesis_cuda._kernel import Kernel
from genesis_cuda.fused import _multi

_OPTIONS = ("sign", "l2", "keep", "new1", "keep2", "new2", "eps")


@cache
def adam_kernel(real: str, amsgrad: bool) -> Kernel:
    """The step of Adam for a type of elements."""
    names = ["p", "g", "m", "v", *(["top"] if amsgrad else [])]
    element = [
        "x = p[i]",
        "d = sign * g[i] + l2 * x",
        "old = m[i]",
        "mean = old + new1 * (d - old)",
        "square = keep2 * v[i] + new2 * d * d",
        "m[i] = mean",
        "v[i] = square",
        *(["square = max_f(top[i], square)", "top[i] = square"] if amsgrad else []),
        "p[i] = x * keep - step * (mean / (math.sqrt(square) * root + eps))",
    ]
    kind = "adam_amsgrad" if amsgrad else "adam"
    return _multi.kernel(kind, real, names, ("step", "root"), _OPTIONS, element)


@cache
def sgd_kernel(real: str, momentum: bool, nesterov: bool) -> Kernel:
    """The step of gradient descent for a type of elements."""
    names = ["p", "g", *(["buffer"] if momentum else [])]
    element = ["x = p[i]", "d = sign * g[i] + l2 * x"]
    if momentum:
        # a fresh buffer is set to the gradient: what it holds may be anything, nan included
        element += [
            f"mean = d if stay == {real}(0) else stay * buffer[i] + new * d",
            "buffer[i] = mean",
            "d = d + momentum * mean" if nesterov else "d = mean",
        ]
    element.append("p[i] = x - lr * d")
    kind = "sgd_nesterov" if nesterov else "sgd_momentum" if momentum else "sgd"
    own = ("stay", "new") if momentum else ()
    return _multi.kernel(kind, real, names, own, ("sign", "l2", "lr", "momentum"), element)


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
    tops = [max_exp_avg_sqs] if amsgrad else []
    lists = _multi.lists_of(params, grads, exp_avgs, exp_avg_sqs, *tops, copies=1)
    if lists is None:
        return NotImplemented
    own: list[float] = []
    for t in steps:
        own += (lr / (1 - beta1**t), 1 / math.sqrt(1 - beta2**t))
    l2 = 0.0 if decoupled else weight_decay
    keep = 1 - lr * weight_decay if decoupled else 1.0
    options = (-grad_scale if maximize else grad_scale, l2, keep, 1 - beta1, beta2, 1 - beta2, eps)
    _multi.launch(adam_kernel(params[0].dtype.name, amsgrad), lists, own, options)
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
    buffers = [momentum_buffers] if momentum_buffers else []
    lists = _multi.lists_of(params, grads, *buffers, copies=1)
    if lists is None:
        return NotImplemented
    own: list[float] = []
    if buffers:
        for fresh in first:
            own += (0.0, 1.0) if fresh else (momentum, 1 - dampening)
    options = (-grad_scale if maximize else grad_scale, weight_decay, lr, momentum)
    _multi.launch(sgd_kernel(params[0].dtype.name, bool(buffers), nesterov), lists, own, options)
    return None
