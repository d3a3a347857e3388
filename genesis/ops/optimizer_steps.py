"""Steps of optimizers over lists of parameters, in place: one call a step, so that a device can fuse it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from inspect import signature
from itertools import chain, repeat
from typing import Any, ParamSpec

from genesis._errors import DeviceError, ShapeError
from genesis.autograd.grad_mode import state
from genesis.backend.dispatch import kernel
from genesis.backend.expr import call
from genesis.backend.view import View
from genesis.ops._elementwise import Elementwise

P = ParamSpec("P")


def step_op(*, each: Sequence[str] = ()) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Declare the step of an optimizer as an operation that a device may have a kernel for.

    The decorated function is the definition, the composite. It takes lists, one entry for each parameter:
    the parameters, their gradients, and tensors of state, where a list of state may be empty; and options,
    which are keyword-only. It writes into parameters and states, and runs with gradients off.

    Called, it first asks for a kernel under the function's name: `kernel(backend, *lists, **options)`, with
    lists of views instead of tensors. A kernel writes to the same places and returns None, or returns
    NotImplemented before it writes anything; then the composite runs. Either gets parameters of one type on
    one device only: a call with several is cut into parts.

    Args:
        each: The options that are lists, one entry for each parameter, such as counts of steps.

    Raises:
        RuntimeError: when called, a gradient or state differs from its parameter in shape, type or device.

    Example:
        >>> @step_op()
        ... def acme_descent_step(params, grads, *, lr):
        ...     for p, g in zip(params, grads, strict=True):
        ...         p.sub_(g, alpha=lr)
    """

    def declare(composite: Callable[P, None]) -> Callable[P, None]:
        name, expected = composite.__name__, signature(composite)

        @wraps(composite)
        def step(*args: P.args, **kwargs: P.kwargs) -> None:
            given = expected.bind(*args, **kwargs)
            given.apply_defaults()
            options = dict(given.kwargs)
            run_step(name, composite, given.args, {key: options.pop(key) for key in each}, options)

        return step

    return declare


def run_step(
    name: str,
    composite: Callable[..., None],
    lists: Sequence[Sequence[Any]],
    each: dict[str, Sequence[float]],
    options: dict[str, Any],
    title: str = "",
) -> None:
    """Take a step on every part of the parameters: by the device's own kernel, or else by the composite.

    Args:
        lists: parameters, gradients and states; a list of states may be empty.
        each: what differs between parameters; a list that is not needed may be empty.
        options: what does not.
        title: what to call the step in errors, its name unless given.
    """
    if not lists[0]:
        return
    n = len(lists[0])
    views: list[list[View]] = [[t._view for t in tensors] for tensors in lists]
    parts: Sequence[Sequence[int]] = _WHOLE if _alike(views, n) else _parts(title or name, views)
    for part in parts:
        own_lists, own_each, own_views = lists, each, views
        if len(parts) > 1:
            own_lists = [[tensors[i] for i in part] if tensors else [] for tensors in lists]
            own_each = {k: [v[i] for i in part] if v else [] for k, v in each.items()}
            own_views = [[t._view for t in tensors] for tensors in own_lists]
        backend = own_views[0][0].buffer.device.backend
        own = None if own_views[0][0].dtype.is_half else kernel(backend, name)
        if own is not None and own(backend, *own_views, **own_each, **options) is not NotImplemented:
            for written in (own_views[0], *own_views[2:]):
                for v in written:
                    v.buffer.version += 1
            continue
        before, state.enabled = state.enabled, False
        try:
            composite(*own_lists, **own_each, **options)
        finally:
            state.enabled = before


#: all parameters are one part, whose numbers are not looked at
_WHOLE: Sequence[Sequence[int]] = ((),)


def _alike(views: Sequence[Sequence[View]], n: int) -> bool:
    """Whether all are of one type on one device, and each list has the shapes of the first, or is empty."""
    flat: list[View] = []
    for some in views:
        if some:
            if len(some) != n:
                return False
            flat += some
    total = len(flat)
    shapes = [v.shape for v in flat]
    return (
        shapes == shapes[:n] * (total // n)
        and [v.dtype for v in flat].count(flat[0].dtype) == total
        and [v.buffer.device for v in flat].count(flat[0].buffer.device) == total
    )


def _parts(name: str, lists: Sequence[Sequence[View]]) -> Sequence[Sequence[int]]:
    """The numbers of the parameters, in parts of one type on one device; one part has not to be looked at.

    Raises:
        RuntimeError: what belongs to a parameter is not alike in shape, type and device.
    """
    params = lists[0]
    shapes, dtypes = [v.shape for v in params], [v.dtype for v in params]
    devices = [v.buffer.device for v in params]
    for what, views in zip(chain(("gradient",), repeat("state")), lists[1:], strict=False):
        if views and (
            [v.shape for v in views] != shapes
            or [v.dtype for v in views] != dtypes
            or [v.buffer.device for v in views] != devices
        ):
            raise _unlike(name, what, params, views)
    n = len(params)
    if dtypes.count(dtypes[0]) == n and devices.count(devices[0]) == n:
        return _WHOLE
    kinds = list(zip(dtypes, devices, strict=True))
    return [[i for i, k in enumerate(kinds) if k == kind] for kind in dict.fromkeys(kinds)]


def _unlike(name: str, what: str, params: Sequence[View], views: Sequence[View]) -> Exception:
    """Which one is not like its parameter, and in what."""
    if len(params) != len(views):
        return ShapeError(f"{name}: {len(params)} parameters, but {len(views)} tensors of kind {what}")
    for i, (p, v) in enumerate(zip(params, views, strict=True)):
        for attribute, have, want, error in (
            ("shape", v.shape, p.shape, ShapeError),
            ("type", v.dtype, p.dtype, RuntimeError),
            ("device", v.buffer.device, p.buffer.device, DeviceError),
        ):
            if have != want:
                return error(
                    f"{name}: the {what} of parameter {i} has the {attribute} {have}, and the parameter has "
                    f"{want}; they must be alike"
                )
    raise AssertionError("all are alike")


_decayed = Elementwise("decay", lambda g, p, wd: g + wd * p, 3, "same")
# What is left of a rate comes as a number of its own: 1 - 0.999 in float32 would be wrong in the fifth digit.
_average = Elementwise("average", lambda m, g, new: m + (g - m) * new, 3, "same")
_square_average = Elementwise("square_average", lambda v, g, b, new: v * b + g * g * new, 4, "same")
_adam_update = Elementwise(
    "adam_update", lambda p, m, v, size, root, eps: p - size * (m / (call("sqrt", v) / root + eps)), 6, "same"
)
_momentum = Elementwise("momentum", lambda b, g, m, new: b * m + g * new, 4, "same")
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
    grad_scale: float = 1.0,
) -> None:
    """One step of Adam, or of AdamW when ``decoupled``, on every parameter, in place.

    With g the gradient (negated when ``maximize``), plus ``weight_decay * p`` unless decoupled:
    ``m = beta1 m + (1 - beta1) g``, ``v = beta2 v + (1 - beta2) g^2``, and
    ``p = p (1 - lr weight_decay)`` if decoupled, then
    ``p = p - lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + eps)``.
    With ``max_exp_avg_sqs`` (amsgrad) the largest v so far stands in the root.

    Args:
        max_exp_avg_sqs: one for each parameter, or none without amsgrad.
        steps: t of each parameter, counted from 1.
        grad_scale: what gradients are multiplied by first, as where they are clipped; kernels are only told
            of it where it is not 1.

    Raises:
        RuntimeError: a gradient or state differs from its parameter in shape, type or device.

    References: Kingma and Ba, arXiv 1412.6980, algorithm 1; Loshchilov and Hutter, arXiv 1711.05101,
    algorithm 2; Reddi, Kale, Kumar, arXiv 1904.09237, algorithm 2.
    """
    options = dict(
        lr=lr, beta1=beta1, beta2=beta2, eps=eps,
        weight_decay=weight_decay, decoupled=decoupled, maximize=maximize,
    )  # fmt: skip
    if grad_scale != 1.0:
        options["grad_scale"] = grad_scale
    lists = (params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs)
    run_step("adam_step", _adam, lists, {"steps": steps}, options)


def _adam(
    params: Sequence[Any], grads: Sequence[Any], exp_avgs: Sequence[Any], exp_avg_sqs: Sequence[Any],
    max_exp_avg_sqs: Sequence[Any], *, steps: Sequence[float], lr: float, beta1: float, beta2: float,
    eps: float, weight_decay: float, decoupled: bool, maximize: bool, grad_scale: float = 1.0,
) -> None:  # fmt: skip
    for i, (p, g, m, v, t) in enumerate(zip(params, grads, exp_avgs, exp_avg_sqs, steps, strict=True)):
        if maximize or grad_scale != 1.0:
            g = g * (-grad_scale if maximize else grad_scale)
        if weight_decay and decoupled:
            p.mul_(1 - lr * weight_decay)
        elif weight_decay:
            g = _decayed(g, p, weight_decay)
        _average.into(m, m, g, 1 - beta1)
        _square_average.into(v, v, g, beta2, 1 - beta2)
        if max_exp_avg_sqs:
            v = max_exp_avg_sqs[i].copy_(max_exp_avg_sqs[i].maximum(v))
        _adam_update.into(p, p, m, v, lr / (1 - beta1**t), (1 - beta2**t) ** 0.5, eps)


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
    grad_scale: float = 1.0,
) -> None:
    """One step of gradient descent on every parameter, in place.

    With g the gradient (negated when ``maximize``) plus ``weight_decay * p``: without momentum ``p -= lr g``;
    with it ``b = momentum b + (1 - dampening) g`` (``b = g`` the first time) and ``p -= lr b``, or
    ``p -= lr (g + momentum b)`` for Nesterov's.

    Args:
        momentum_buffers: one for each parameter, or none without momentum.
        first: whether each buffer is fresh.
        grad_scale: as of ``adam_step``.

    Raises:
        RuntimeError: a gradient or buffer differs from its parameter in shape, type or device.

    Reference: Sutskever et al., ICML 2013, section 2, in PyTorch's form (the rate is outside the buffer).
    """
    options = dict(
        lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay,
        nesterov=nesterov, maximize=maximize,
    )  # fmt: skip
    if grad_scale != 1.0:
        options["grad_scale"] = grad_scale
    run_step("sgd_step", _sgd, (params, grads, momentum_buffers), {"first": first}, options)


def _sgd(
    params: Sequence[Any], grads: Sequence[Any], momentum_buffers: Sequence[Any], *, lr: float,
    momentum: float, dampening: float, weight_decay: float, nesterov: bool, maximize: bool,
    first: Sequence[bool], grad_scale: float = 1.0,
) -> None:  # fmt: skip
    for i, (p, g) in enumerate(zip(params, grads, strict=True)):
        if maximize or grad_scale != 1.0:
            g = g * (-grad_scale if maximize else grad_scale)
        if weight_decay:
            g = _decayed(g, p, weight_decay)
        if momentum_buffers:
            b = momentum_buffers[i]
            if first[i]:
                b.copy_(g)
            else:
                _momentum.into(b, b, g, momentum, 1 - dampening)
            g = _decayed(g, b, momentum) if nesterov else b
        _minus.into(p, p, g, lr)
