"""Checks of kernels for the steps of optimizers: ``adam_step`` and ``sgd_step``."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from genesis.autograd.graph import new
from genesis.ops.optimizer_steps import adam_step, sgd_step
from genesis.testing._check import Question
from genesis.testing.backend_checks._agree import agree
from genesis.testing.backend_checks._bench import FLOATS, Array, Bench
from genesis.testing.backend_checks._kernels import Function, _reference, _watched, using

STEPS: dict[str, Any] = {"adam_step": adam_step, "sgd_step": sgd_step}
SHAPES = ((3, 4), (10,), (90, 300), (), (0, 3))

ADAM = {
    "lr": 1e-2, "beta1": 0.9, "beta2": 0.99, "eps": 1e-8, "weight_decay": 0.0, "decoupled": False,
    "maximize": False,
}  # fmt: skip
SGD = {
    "lr": 0.1,
    "momentum": 0.0,
    "dampening": 0.0,
    "weight_decay": 0.0,
    "nesterov": False,
    "maximize": False,
}
#: what to try: a name, the options that differ from the plain ones, and how many states there are
CASES: dict[str, dict[str, tuple[dict[str, Any], int]]] = {
    "adam_step": {
        "plain": ({}, 2),
        "weight decay": ({"weight_decay": 0.1}, 2),
        "decoupled": ({"weight_decay": 0.1, "decoupled": True}, 2),
        "maximize": ({"maximize": True, "weight_decay": 0.1}, 2),
        "maximize, decoupled": ({"maximize": True, "weight_decay": 0.1, "decoupled": True}, 2),
        "scaled gradients": ({"grad_scale": 0.3, "weight_decay": 0.1}, 2),
        "scaled gradients, maximize": ({"grad_scale": 0.3, "maximize": True, "weight_decay": 0.1}, 2),
        "amsgrad": ({}, 3),
        "amsgrad, decoupled": ({"weight_decay": 0.1, "decoupled": True}, 3),
        "other constants": ({"lr": 0.3, "beta1": 0.0, "beta2": 0.5, "eps": 1e-3}, 2),
    },
    "sgd_step": {
        "plain": ({}, 0),
        "weight decay": ({"weight_decay": 0.1}, 0),
        "maximize": ({"maximize": True, "weight_decay": 0.1}, 0),
        "scaled gradients": ({"grad_scale": 0.3, "weight_decay": 0.1}, 0),
        "momentum": ({"momentum": 0.9}, 1),
        "dampening": ({"momentum": 0.9, "dampening": 0.5}, 1),
        "Nesterov": ({"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}, 1),
    },
}
#: a few roundings of numbers near 1; three steps
LIMIT = {"float32": 1e-6, "float64": 1e-13}


def questions(bench: Bench, name: str, function: Function) -> Iterator[Question]:
    """Everything to ask of a kernel for a step."""
    yield f"kernel/{name}/is used", partial(is_used, bench, name, function)
    for case in CASES[name]:
        for dtype in FLOATS:
            yield f"kernel/{name}/{dtype}/{case}", partial(check, bench, name, function, dtype, case)
    yield f"kernel/{name}/strided gradients", partial(strided, bench, name, function)
    yield f"kernel/{name}/strided parameters", partial(strided_parameters, bench, name, function)
    yield f"kernel/{name}/many parameters", partial(many, bench, name, function)
    yield f"kernel/{name}/gradients stay as they are", partial(gradients_stay, bench, name, function)


def per_parameter(name: str, t: int, count: int) -> dict[str, Any]:
    """What differs between the parameters; some have started later than others."""
    if name == "adam_step":
        return {"steps": [t + 2 * (i % 3) for i in range(count)]}
    return {"first": [t == 1 or (t == 2 and i % 3 == 1) for i in range(count)]}


def _state(name: str, shape: tuple[int, ...], dtype: str) -> Array:
    # the first step overwrites a buffer of SGD, which may hold anything
    return np.full(shape, np.nan, dtype) if name == "sgd_step" else np.zeros(shape, dtype)


def _take(
    bench: Bench, name: str, case: str, dtype: str, shapes: Any = SHAPES, gradients: str = "contiguous",
    params: str = "contiguous", count: int = 3,
) -> list[list[Array]]:  # fmt: skip
    """Parameters and states after a few steps."""
    different, states = CASES[name][case]
    options = {**(ADAM if name == "adam_step" else SGD), **different}
    rng = np.random.default_rng(0)

    def numbers(shape: tuple[int, ...]) -> Array:
        return np.asarray(rng.standard_normal(shape)).astype("float32").astype(dtype)

    def tensor(x: Array, layout: str) -> Any:
        return new(bench.place(x, layout if x.ndim else "contiguous").view)

    ps = [tensor(numbers(s), params) for s in shapes]
    lists = [[tensor(_state(name, s, dtype), "contiguous") for s in shapes] for _ in range(states)]
    wanted = 3 if name == "adam_step" else 1
    given = lists + [[] for _ in range(wanted - states)]
    for t in range(1, count + 1):
        grads = [tensor(numbers(s), gradients) for s in shapes]
        STEPS[name](ps, grads, *given, **per_parameter(name, t, len(ps)), **options)
    return [[bench.read(p._view) for p in tensors] for tensors in (ps, *lists)]


def _check(
    bench: Bench,
    name: str,
    function: Function,
    dtype: str,
    case: str,
    what: str,
    advice: str = "",
    **how: Any,
) -> None:
    with using(bench, {name: function}):
        got = _take(bench, name, case, dtype, **how)
    want = _take(_reference(), name, case, "float64", **how)
    titles = ("parameter", "first state", "second state", "third state")
    if name == "adam_step":
        titles = ("parameter", "exp_avg", "exp_avg_sq", "max_exp_avg_sq")
    for title, gots, wants in zip(titles, got, want, strict=False):
        for i, (g, w) in enumerate(zip(gots, wants, strict=True)):
            limit = LIMIT[dtype]
            agree(
                g, w.astype(dtype), f"{name} of {dtype}, {what}: {title} {i} of shape {w.shape}",
                allowed=limit * (1 + np.abs(w)), why=f"{limit:.0e}, a few roundings of numbers near 1",
                advice=advice,
            )  # fmt: skip


def is_used(bench: Bench, name: str, function: Function) -> None:
    taken: list[bool] = []
    with using(bench, {name: _watched(function, taken)}):
        _take(bench, name, "plain", "float32")
    if not any(taken):
        raise AssertionError(
            f"{name} declined contiguous float32 parameters (returned NotImplemented): it is never used"
        )


def check(bench: Bench, name: str, function: Function, dtype: str, case: str) -> None:
    options = CASES[name][case][0]
    text = {
        "amsgrad": "the largest second moment so far stands in the root, and is kept in max_exp_avg_sqs",
        "plain": "steps may differ between parameters" if name == "adam_step" else "",
        "momentum": "where first[i] is True the buffer becomes the gradient, whatever it held (nan, too)",
        "decoupled": "decoupled: the parameter shrinks by 1 - lr * weight_decay first, and the gradient "
        "stays",
        "scaled gradients": "grad_scale: the gradient is multiplied by it before the weight decay is added",
        "maximize": "maximize: the gradient is negated before the weight decay is added",
    }.get(case.split(",")[0], "")
    _check(bench, name, function, dtype, case, f"{case} {options}, after three steps", text)


def strided(bench: Bench, name: str, function: Function) -> None:
    case = "plain" if name == "adam_step" else "momentum"
    for layout in ("transposed", "step"):
        _check(
            bench, name, function, "float32", case, f"with gradients of layout {layout!r}",
            "a gradient may have any strides; copy it, or decline", gradients=layout,
        )  # fmt: skip


def strided_parameters(bench: Bench, name: str, function: Function) -> None:
    case = "plain" if name == "adam_step" else "momentum"
    for layout in ("transposed", "columns"):
        _check(
            bench, name, function, "float32", case, f"with parameters of layout {layout!r}",
            "a parameter may have any strides; decline what is not contiguous, before anything is written",
            params=layout,
        )  # fmt: skip


def many(bench: Bench, name: str, function: Function) -> None:
    shapes = [(1 + i % 7, 1 + i % 5) for i in range(60)]
    case = "plain" if name == "adam_step" else "momentum"
    _check(bench, name, function, "float32", case, "60 small parameters", shapes=shapes, count=2)


def gradients_stay(bench: Bench, name: str, function: Function) -> None:
    watched: list[tuple[Any, Array, str]] = []

    def snapshot(backend: Any, *lists: Any, **options: Any) -> Any:
        flat = [v for views in lists for v in views]
        before = [bench.read(v) for v in flat]
        result = function(backend, *lists, **options)
        for i, (v, b) in enumerate(zip(flat, before, strict=True)):
            gradient = len(lists[0]) <= i < 2 * len(lists[0])
            if result is NotImplemented or gradient:
                title = "a gradient" if gradient else "a parameter or state"
                state = "declined (returned NotImplemented)" if result is NotImplemented else "ran"
                watched.append((bench.read(v), b, f"{title}, after {name} {state}"))
        return result

    layouts: list[dict[str, Any]] = [
        {},
        {"gradients": "transposed"},
        {"params": "transposed"},
        {"params": "step"},
    ]
    for how in layouts:
        with using(bench, {name: snapshot}):
            _take(bench, name, "plain", "float32", **how)
    for got, before, what in watched:
        agree(
            got, before, what,
            advice="gradients are read only; a kernel that declines must do so before it has written "
            "anything",
        )  # fmt: skip
