"""Does it find the minimum of a parabola, and the valley of Rosenbrock's function?"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

import genesis
from genesis.testing._check import Question
from genesis.testing.optimizer_checks._subject import Case, Floats, array, take

# The rate that suits a problem is not the one that suits a network; some of these suit almost everything.
RATES = (1.0, 0.1, 0.01, 0.001, 0.0001)


class Problem(NamedTuple):
    """A function of a few numbers to minimize.

    Attributes:
        value, gradient: Of the point.
        start: Where to begin.
        steps, factor: In this many steps the value has to fall to less than this part of the first one.
    """

    name: str
    value: Callable[[Floats], float]
    gradient: Callable[[Floats], Floats]
    start: tuple[float, ...]
    steps: int
    factor: float


_CURVATURE, _LOWEST = np.array([0.5, 1.0, 2.0]), np.array([1.0, -0.5, 0.25])

PARABOLA = Problem(
    "a parabola",
    lambda x: float((_CURVATURE * (x - _LOWEST) ** 2).sum() / 2),
    lambda x: _CURVATURE * (x - _LOWEST),
    (0.0, 1.0, -1.0),
    steps=1000,  # Adadelta begins with tiny steps
    factor=0.01,
)
ROSENBROCK = Problem(
    "Rosenbrock's function",
    lambda x: float((1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2),
    lambda x: np.array([-2 * (1 - x[0]) - 400 * x[0] * (x[1] - x[0] ** 2), 200 * (x[1] - x[0] ** 2)]),
    (-1.0, 1.0),
    steps=2500,  # the sign of the gradient takes 1239 with a rate of 0.001, plain descent 731
    factor=0.25,
)


def questions(case: Case) -> list[Question]:
    asked: list[Question] = [
        (f"learns/parabola/{case.device}", lambda: learns(case, PARABOLA)),
        (f"learns/rosenbrock/{case.device}", lambda: learns(case, ROSENBROCK)),
    ]
    if "maximize" in case.group:
        asked.append((f"learns/maximize/{case.device}", lambda: maximizes(case)))
    return asked


def learns(case: Case, problem: Problem) -> None:
    """The value falls by the factor, with one of the rates."""
    first = problem.value(np.array(problem.start))
    ends: dict[str, tuple[float, float]] = {}
    for rate in [None] if case.rate is None else dict.fromkeys((case.rate, *RATES)):
        changed = {} if rate is None else {"lr": rate}
        if case.group.get("weight_decay"):
            changed["weight_decay"] = 0.0  # it pulls away from the minimum
        lowest, last = _descend(case, problem, changed)
        if lowest <= problem.factor * first:
            return
        ends["as it is" if rate is None else f"lr={rate:g}"] = lowest, last
    lowest = min(low for low, _ in ends.values())
    tried = ", ".join(f"{last:.3g} with {name}" for name, (_, last) in ends.items())
    if all(last > first for _, last in ends.values()) and lowest >= first:
        why = (
            "It never got below the start: the step goes up the gradient. Subtract the step from the "
            "parameter, and look where `maximize` changes the sign"
        )
    elif lowest >= first:
        why = "It never got below the start: does the step reach the parameter at all?"
    else:
        why = "It falls, but too slowly: look at the size of the step, and whether averages start from zero"
    raise AssertionError(
        f"{problem.name} starts at {first:.3g} and should fall below {problem.factor * first:.3g} in "
        f"{problem.steps} steps at one of these rates; it ended at {tried}. {why}."
    )


def _descend(case: Case, problem: Problem, changed: dict[str, float]) -> tuple[float, float]:
    """The lowest and the last value; the descent ends where it has arrived or is lost."""
    sign = -1.0 if case.options.get("maximize") else 1.0
    p = case.leaf([problem.start], genesis.float64)
    try:
        optimizer = case.make([p], **changed)
    except (ValueError, TypeError):  # a rate that it does not take
        return np.inf, np.inf
    first = last = lowest = problem.value(np.array(problem.start))
    for number in range(problem.steps):
        case.give([p], [sign * problem.gradient(array(p)[0])[None]])
        take(optimizer, f"step() number {number + 1} on {problem.name}")
        last = problem.value(array(p)[0])
        lowest = min(lowest, last)
        if lowest <= problem.factor * first or not last < 1e6 * first:
            break
    return lowest, last


def maximizes(case: Case) -> None:
    """With `maximize` it goes where it goes without, for the opposite gradient."""
    goes = bool(case.options.get("maximize"))
    p, q = case.leaves(), case.leaves()
    case.run(case.make(p), p, 0, 5)
    case.run(case.make(q, maximize=not goes), q, 0, 5, scale=-1.0)
    for number, (x, y) in enumerate(zip(p, q, strict=True)):
        path = np.abs(array(x) - np.asarray(case.leaves()[number].tolist(), np.float32)).max()
        # Only the order of the roundings may differ: a few of the parameter, and of the way that it went.
        off = np.abs(array(x) - array(y)).max()
        assert off <= 1e-6 * (np.abs(array(x)).max() + path), (
            f"with maximize={not goes} and the opposite gradients, parameter {number} is off by {off:.3g} "
            f"after 5 steps; it moved by {path:.3g}. `maximize` should be the same as a gradient with the "
            "opposite sign: weight decay, for one, stays what it is"
        )
