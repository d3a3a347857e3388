"""Steps of optimizers over lists of parameters, in place: one call a step, so that a device can fuse it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genesis.autograd.grad_mode import state
from genesis.autograd.graph import TensorCore
from genesis.backend.dispatch import kernel
from genesis.backend.expr import call
from genesis.ops._elementwise import Elementwise


def _native(name: str, lists: Sequence[Sequence[Any]], options: dict[str, Any]) -> bool:
    """Run the device's own kernel; False when it has none or declines."""
    backend = lists[0][0]._view.buffer.device.backend
    own = kernel(backend, name)
    if own is None or own(backend, *[[t._view for t in tensors] for tensors in lists], **options) is NotImplemented:
        return False
    return True


def _touch(*lists: Sequence[TensorCore]) -> None:
    for tensors in lists:
        for t in tensors:
            t._view.buffer.version += 1


_decayed = Elementwise("decay", lambda g, p, wd: g + wd * p, 3, "same")
_average = Elementwise("average", lambda m, g, b: m + (g - m) * (1 - b), 3, "same")
_square_average = Elementwise("square_average", lambda v, g, b: v * b + g * g * (1 - b), 3, "same")
_adam_update = Elementwise(
    "adam_update", lambda p, m, v, size, root, eps: p - size * (m / (call("sqrt", v) / root + eps)), 6, "same"
)
_momentum = Elementwise("momentum", lambda b, g, m, damp: b * m + g * (1 - damp), 4, "same")
_minus = Elementwise("step", lambda p, d, lr: p - lr * d, 3, "same")


def adam_step(
    params: Sequence[Any],
    grads: Sequence[Any],
    exp_avgs: Sequence[Any],
    exp_avg_sqs: Sequence[Any],
    max_exp_avg_sqs: Sequence[Any],
    *,
    steps: Sequence[float],
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    decoupled: bool,
    maximize: bool,
) -> None:
    """One step of Adam, or of AdamW when ``decoupled``, on every parameter, in place.

    With g the gradient (negated when ``maximize``), plus ``weight_decay * p`` unless decoupled:
    ``m = beta1 m + (1 - beta1) g``, ``v = beta2 v + (1 - beta2) g^2``, and
    ``p = p (1 - lr weight_decay)`` if decoupled, then
    ``p = p - lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + eps)``.
    With ``max_exp_avg_sqs`` (amsgrad) the largest v so far stands in the root.

    Args:
        steps: t of each parameter, counted from 1.

    References: Kingma and Ba, arXiv 1412.6980, algorithm 1; Loshchilov and Hutter, arXiv 1711.05101, algorithm 2;
    Reddi, Kale, Kumar, arXiv 1904.09237, algorithm 2.
    """
    if not params:
        return
    options = dict(
        steps=list(steps), lr=lr, beta1=beta1, beta2=beta2, eps=eps,
        weight_decay=weight_decay, decoupled=decoupled, maximize=maximize,
    )  # fmt: skip
    if _native("adam_step", (params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs), options):
        _touch(params, exp_avgs, exp_avg_sqs, max_exp_avg_sqs)
        return
    before, state.enabled = state.enabled, False
    try:
        for i, (p, g, m, v, t) in enumerate(zip(params, grads, exp_avgs, exp_avg_sqs, steps, strict=True)):
            if maximize:
                g = -g
            if weight_decay and decoupled:
                p.mul_(1 - lr * weight_decay)
            elif weight_decay:
                g = _decayed(g, p, weight_decay)
            _average.into(m, m, g, beta1)
            _square_average.into(v, v, g, beta2)
            if max_exp_avg_sqs:
                v = max_exp_avg_sqs[i].copy_(max_exp_avg_sqs[i].maximum(v))
            _adam_update.into(p, p, m, v, lr / (1 - beta1**t), (1 - beta2**t) ** 0.5, eps)
    finally:
        state.enabled = before


def sgd_step(
    params: Sequence[Any],
    grads: Sequence[Any],
    momentum_buffers: Sequence[Any],
    *,
    lr: float,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
    maximize: bool,
    first: Sequence[bool],
) -> None:
    """One step of gradient descent on every parameter, in place.

    With g the gradient (negated when ``maximize``) plus ``weight_decay * p``: without momentum ``p -= lr g``;
    with it ``b = momentum b + (1 - dampening) g`` (``b = g`` the first time) and ``p -= lr b``, or
    ``p -= lr (g + momentum b)`` for Nesterov's.

    Args:
        momentum_buffers: one for each parameter, or none without momentum.
        first: whether each buffer is fresh.

    Reference: Sutskever et al., ICML 2013, section 2, in PyTorch's form (the rate is outside the buffer).
    """
    if not params:
        return
    options = dict(
        lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay,
        nesterov=nesterov, maximize=maximize, first=list(first),
    )  # fmt: skip
    if _native("sgd_step", (params, grads, momentum_buffers), options):
        _touch(params, momentum_buffers)
        return
    before, state.enabled = state.enabled, False
    try:
        for i, (p, g) in enumerate(zip(params, grads, strict=True)):
            if maximize:
                g = -g
            if weight_decay:
                g = _decayed(g, p, weight_decay)
            if momentum_buffers:
                b = momentum_buffers[i]
                if first[i]:
                    b.copy_(g)
                else:
                    _momentum.into(b, b, g, momentum, dampening)
                g = _decayed(g, b, momentum) if nesterov else b
            _minus.into(p, p, g, lr)
    finally:
        state.enabled = before
