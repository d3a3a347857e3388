"""Does it compute what its formula says, on every device, in both types, for every layout in memory?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from inspect import Parameter, signature
from typing import Any, NamedTuple

import numpy as np

import genesis
from genesis.testing._check import Question
from genesis.testing.optimizer_checks._subject import (
    MATRICES,
    Case,
    Floats,
    Shapes,
    array,
    gradients,
    starts,
    take,
    telling,
    values,
)

STEPS = 20
# What a run may be off, as a part of the way that its parameter has gone: sums in another order, a root and
# a division, 20 times; and besides, for each step, the rounding of the parameter (a product and a sum).
OF_THE_WAY = {"float32": 1e-4, "float64": 1e-10}
ROUNDINGS = 2.0

Advance = Callable[[list[Floats], list[Floats], int], list[Floats]]


class Course(NamedTuple):
    """What a run in float64 did: its gradients, and the parameters after each step."""

    grads: list[list[Floats]]
    params: list[list[Floats]]
    whose: str


def questions(case: Case) -> list[Question]:
    asked: list[Question] = []
    for dtype in ("float32", "float64"):
        if case.reference is not None:
            asked.append((f"reference/{case.device}/{dtype}", partial(_follows, case, dtype, by_reference)))
        if (case.device, dtype) != ("ref", "float64"):
            asked.append((f"float64/{case.device}/{dtype}", partial(_follows, case, dtype, by_itself)))
    asked.append((f"float64/{case.device}/mixed_types", partial(mixed, case)))
    for name, make in LAYOUTS.items():
        if len(make[0]) != 2 and case.shapes is MATRICES:
            continue
        asked.append((f"shapes/{name}/{case.device}", partial(layout, case, name, make)))
    return asked


# -- a small network -------------------------------------------------------------------------------------
def _network(params: list[Floats]) -> list[Floats]:
    """The gradients of the mean square error of a small network, with or without biases, on fixed samples."""
    layers = (
        [(w, None) for w in params] if params[1].ndim == 2 else [*zip(params[::2], params[1::2], strict=True)]
    )
    x = np.random.default_rng(0).normal(size=(8, 3))
    outputs = [x]
    for w, b in layers:
        before = outputs[-1] @ w.T + (0 if b is None else b)
        outputs.append(before if w is layers[-1][0] else np.tanh(before))
    e = 2 * (outputs[-1] - np.sin(x.sum(1, keepdims=True))) / len(x)
    grads: list[Floats] = []
    for (w, b), given in zip(reversed(layers), reversed(outputs[:-1]), strict=True):
        grads[:0] = [e.T @ given] if b is None else [e.T @ given, e.sum(0)]
        e = e @ w * (1 - given * given)
    return [g.astype(np.float32).astype(np.float64) for g in grads]  # every type holds them exactly


def _course(case: Case, advance: Advance, whose: str) -> Course:
    params, found = case.starts(), Course([], [], whose)
    for step in range(1, STEPS + 1):
        grads = _network(params)
        params = advance(params, grads, step)
        found.grads.append(grads)
        found.params.append(params)
    return found


def by_reference(case: Case) -> Course:
    """A run by the formula that the author gave."""
    function = case.reference
    assert function is not None
    options = _accepted(function, case.group)
    states: list[dict[str, Any]] = [{} for _ in case.shapes]

    def advance(params: list[Floats], grads: list[Floats], step: int) -> list[Floats]:
        new = []
        for p, g, state in zip(params, grads, states, strict=True):
            with telling(f"reference(param, grad, state, {step}, **options)"):
                result = np.asarray(function(p.copy(), g.copy(), state, step, **options), np.float64)
            assert result.shape == p.shape, (
                f"the reference gave shape {result.shape} for a parameter of shape {p.shape}; it returns the "
                "new parameter"
            )
            new.append(result)
        return new

    return _course(case, advance, "the reference")


def _accepted(function: Any, group: dict[str, Any]) -> dict[str, Any]:
    """The options of a group that a reference takes."""
    own = {key: float(value) if isinstance(value, genesis.Tensor) else value for key, value in group.items()}
    parameters = signature(function).parameters.values()
    if any(p.kind is Parameter.VAR_KEYWORD for p in parameters):
        return own
    return {key: value for key, value in own.items() if key in {p.name for p in parameters}}


def by_itself(case: Case) -> Course:
    """A run of the optimizer itself in float64 on the device `ref`."""
    exact = case.on("ref")
    params = exact.leaves(genesis.float64)
    optimizer = exact.make(params)

    def advance(_: list[Floats], grads: list[Floats], step: int) -> list[Floats]:
        exact.give(params, grads)
        take(optimizer, f"step() number {step} in float64 on 'ref'")
        return values(params)

    genesis.manual_seed(0)
    return _course(case, advance, "its own run in float64 on 'ref'")


def _follows(case: Case, dtype: str, course: Callable[[Case], Course]) -> None:
    """Given the gradients of the course, it goes the same way."""
    expected = course(case)
    params = case.leaves(getattr(genesis, dtype))
    optimizer = case.make(params)
    before, way = case.starts(), [np.zeros(()) for _ in params]
    genesis.manual_seed(0)
    for step, (grads, wanted) in enumerate(zip(expected.grads, expected.params, strict=True), 1):
        case.give(params, grads)
        take(optimizer, f"step() number {step}")
        for number, (p, want) in enumerate(zip(params, wanted, strict=True)):
            way[number] = way[number] + np.abs(want - before[number]).max()
            allowed = (
                OF_THE_WAY[dtype] * way[number]
                + ROUNDINGS * step * float(np.finfo(dtype).eps) * np.abs(want).max()
            )
            found = array(p).astype(np.float64)
            off = float(np.max(np.abs(found - want)))
            assert off <= allowed, (
                f"after step {step}, parameter {number} ({dtype} on {case.device!r}) is off from "
                f"{expected.whose} by {off:.3g}; {allowed:.2g} is "
                f"allowed.{_meaning(step, found, want, before[number])}"
            )
        before = wanted


def _meaning(step: int, found: Floats, want: Floats, before: Floats) -> str:
    """What an error in this step usually comes from."""
    if not np.isfinite(found).all():
        return " It is no longer finite: look for a division by zero or a root of a negative number."
    if step > 1:
        return (
            f" The {'first step is' if step == 2 else f'first {step - 1} steps are'} right: look at what is "
            "carried from one step to the next, averages, their type, and the count of the steps."
        )
    went, should = found - before, want - before
    ratio = float((went * should).sum() / max((should * should).sum(), 1e-300))
    straight = np.abs(went - ratio * should).max() <= 1e-3 * np.abs(went).max()
    if straight and ratio < 0:
        return f" The first step has the opposite direction ({ratio:.4g} times it): look at the sign."
    if straight and abs(ratio - 1) > 1e-3:
        return (
            f" The first step is {ratio:.4g} times what it should be: look at the factors, such as a bias "
            "correction, a dampening or the rate."
        )
    return (
        " Already the first step differs: look at the formula, at weight decay and at what is rounded to a "
        "smaller type."
    )


# -- types and layouts -----------------------------------------------------------------------------------
def mixed(case: Case) -> None:
    """float32 and float64 parameters in one group go as they go alone."""
    shapes: Shapes = ((2, 3), (5, 1) if case.shapes is MATRICES else (5,))
    types = (genesis.float32, genesis.float64)
    together = [p for dtype in types for p in case.leaves(dtype, shapes)]
    grads = [gradients(n, shapes * 2) for n in range(3)]
    optimizer = case.make(together)
    for number, given in enumerate(grads):
        case.give(together, given)
        take(optimizer, f"step() number {number + 1} with float32 and float64 parameters in one group")
    alone = [p for dtype in types for p in case.leaves(dtype, shapes)]
    for number, p in enumerate(alone):
        single = case.make([p])
        for given in grads:
            case.give([p], [given[number]])
            take(single)
        kind = str(p.dtype).rpartition(".")[2]
        gap, way = _gap(together[number], p, case.leaves(p.dtype, shapes)[number % 2])
        assert together[number].dtype is p.dtype, f"a step made a {together[number].dtype} of a {p.dtype}"
        assert gap <= OF_THE_WAY[kind] * way, (
            f"beside parameters of another type in its group, parameter {number} ({kind}) is off by "
            f"{gap:.3g} from where it goes alone: treat each parameter in its own type"
        )


def _gap(x: genesis.Tensor, y: genesis.Tensor, start: genesis.Tensor) -> tuple[float, float]:
    a, b = array(x).astype(np.float64), array(y).astype(np.float64)
    scale = np.abs(b - array(start)).max(initial=0.0) + np.abs(b).max(initial=0.0)
    return float(np.abs(a - b).max(initial=0.0)), float(scale)


Made = tuple[Any, Callable[[Floats], Any]]


def _plain(case: Case, values: Floats) -> Made:
    return case.leaf(values), lambda grad: genesis.tensor(grad, dtype=genesis.float32, device=case.device)


def _transposed(case: Case, values: Floats) -> Made:
    p = case.leaf(values.T.copy()).detach().t().detach().requires_grad_()
    return p, lambda grad: _plain(case, grad)[0].detach()


def _transposed_gradient(case: Case, values: Floats) -> Made:
    return case.leaf(values), lambda grad: case.leaf(grad.T.copy()).detach().t()


def _sliced(case: Case, values: Floats) -> Made:
    wide = np.full((2 * values.shape[0], values.shape[1] + 2), 7.0)
    wide[::2, 1:-1] = values
    p = case.leaf(wide).detach()[::2, 1:-1].detach().requires_grad_()
    return p, lambda grad: _plain(case, grad)[0].detach()


def _expanded_gradient(case: Case, values: Floats) -> Made:
    return case.leaf(values), lambda grad: case.leaf(grad[:, :1]).detach().expand(*grad.shape)


LAYOUTS: dict[str, tuple[tuple[int, ...], Callable[[Case, Floats], Made]]] = {
    "scalar": ((), _plain),
    "one_number": ((1,), _plain),
    "vector": ((5,), _plain),
    "empty": ((0, 3), _plain),
    "five_axes": ((2, 1, 3, 1, 2), _plain),
    "large": ((70, 300), _plain),
    "transposed": ((3, 4), _transposed),
    "sliced": ((3, 4), _sliced),
    "transposed_gradient": ((3, 4), _transposed_gradient),
    "expanded_gradient": ((3, 4), _expanded_gradient),
}


def layout(
    case: Case, name: str, made: tuple[tuple[int, ...], Callable[[Case, Floats], Made]], steps: int = 3
) -> None:
    """A parameter or gradient of this shape and these strides goes as a plain one does in float64."""
    shape, make = made
    (start,) = starts([shape])
    grads = [gradients(number, [shape])[0] for number in range(steps)]
    if name == "expanded_gradient":
        grads = [np.broadcast_to(grad[:, :1], shape).copy() for grad in grads]
    exact = case.on("ref")
    wanted = exact.leaf(start, genesis.float64)
    _steps(exact, wanted, [exact.leaf(grad, genesis.float64).detach() for grad in grads], name)
    p, gradient = make(case, start)
    _steps(case, p, [gradient(grad) for grad in grads], name)
    assert tuple(p.shape) == shape, (
        f"a step changed the shape of a parameter from {shape} to {tuple(p.shape)}"
    )
    gap, scale = _gap(p, wanted, exact.leaf(start))
    assert gap <= OF_THE_WAY["float32"] * scale, (
        f"{_WHAT.get(name, f'a parameter of shape {shape}')} is off by {gap:.3g} after {steps} steps, "
        f"compared with a plain one on 'ref' in float64; {OF_THE_WAY['float32'] * scale:.2g} is allowed. "
        + (
            "Are its strides ignored?"
            if name in _WHAT
            else "Is the shape taken into account where it should not be?"
        )
    )


_WHAT = {
    "transposed": "a parameter that is a transposed view",
    "sliced": "a parameter that is a slice of a larger tensor",
    "transposed_gradient": "a parameter whose gradient is a transposed view",
    "expanded_gradient": "a parameter whose gradient is one column, expanded",
}


def _steps(case: Case, p: Any, grads: Sequence[Any], name: str) -> None:
    optimizer = case.make([p])
    genesis.manual_seed(0)
    for number, grad in enumerate(grads, 1):
        p.grad = grad
        take(
            optimizer,
            f"step() number {number} of {_WHAT.get(name, f'a parameter of shape {tuple(p.shape)}')}",
        )
