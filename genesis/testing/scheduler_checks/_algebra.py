"""A schedule in compositions: each has the rates that its definition gives, worked out from the parts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from genesis.optim import Schedule
from genesis.testing._check import Question
from genesis.testing.scheduler_checks._objects import configurable
from genesis.testing.scheduler_checks._optimizers import RATES
from genesis.testing.scheduler_checks._subject import Subject, close, telling

_STEPS = 14


@dataclass(frozen=True, repr=False)
class KitSlope(Schedule):
    """What the kit composes schedules with: 1, 1/2, 1/3 and so on."""

    formula: ClassVar[str] = "1 / (1 + t)"

    def at(self, step: float) -> float:
        return 1.0 / (1.0 + step)


def rate(schedule: Schedule, base: float, step: float) -> float:
    """The rate of a group with a base rate."""
    bound = schedule.for_base(base)
    value = bound(step)
    return value if bound.kind == "value" else base * value


def questions(subject: Subject) -> Iterator[Question]:
    """Ask for the compositions of a pure schedule."""
    shape = subject.pure
    if shape is None:
        return
    algebra = _Algebra(shape)
    names = ["with_warmup", "product", "then", "after", "clip", "nested"]
    names += ["repeat"] if shape.horizon else []
    names += ["towards"] if shape.for_base(RATES[0]) == shape and shape.kind == "factor" else []
    for name in names:
        yield f"compose/{name}", getattr(algebra, name)


class _Algebra:
    """The questions to one schedule."""

    def __init__(self, shape: Schedule) -> None:
        self.shape, self.configurable = shape, configurable(shape)
        horizon = shape.horizon
        self.last = _STEPS if shape.end != "raise" or horizon is None else min(_STEPS, horizon)

    def _own(self, step: float, base: float) -> float:
        return rate(self.shape, base, step)

    def _is(
        self, composed: Schedule, text: str, expected: Callable[[int, float], float], steps: int | None = None
    ) -> None:
        """Compare the rates of a composition with what its definition gives."""
        for base in RATES:
            count = self.last + 1 if steps is None else steps
            right = [expected(step, base) for step in range(count)]
            for step in range(count):
                with telling(f"{text} at step {step}"):
                    found = rate(composed, base, step)
                # The rates before count, too: a part of a product may be large where the other is small.
                assert close(found, right[step], max(map(abs, right))), (
                    f"{text} has the rate {found!r} at step {step} for a base rate of {base}; worked out "
                    f"from the schedule itself it is {right[step]!r}. Something that is overridden (value, "
                    "values, compiled, horizon, ending, for_base, map_parts) does not agree with at()"
                )
        if self.configurable:
            with telling(f"the configuration of {text}"):
                again = Schedule.from_config(json.loads(json.dumps(composed.to_config())))
            assert again == composed, f"the configuration of {text} came back as {again!r}"

    def with_warmup(self) -> None:
        """A rise to the first value, then the schedule."""
        self._is(
            self.shape.with_warmup(3),
            "schedule.with_warmup(3)",
            lambda step, base: self._own(0, base) * step / 3 if step < 3 else self._own(step - 3, base),
        )
        self._is(
            self.shape.with_warmup(3, start=0.5, overlap=True),
            "schedule.with_warmup(3, start=0.5, overlap=True)",
            lambda step, base: (0.5 + 0.5 * step / 3 if step < 3 else 1.0) * self._own(step, base),
        )

    def product(self) -> None:
        """With a number, and with a schedule."""
        self._is(self.shape * 0.5, "schedule * 0.5", lambda step, base: 0.5 * self._own(step, base))
        self._is(
            self.shape * KitSlope(),
            "schedule * Slope()",
            lambda step, base: self._own(step, base) / (1 + step),
        )

    def then(self) -> None:
        """Something after it."""
        at = min(5, self.last)
        self._is(
            self.shape.then(KitSlope(), at=at),
            f"schedule.then(Slope(), at={at})",
            lambda step, base: self._own(step, base) if step < at else base / (1 + step - at),
            _STEPS,
        )

    def after(self) -> None:
        """Something before it."""
        self._is(
            KitSlope().then(self.shape, at=4),
            "Slope().then(schedule, at=4)",
            lambda step, base: self._own(step - 4, base) if step >= 4 else base / (1 + step),
            self.last + 5,
        )

    def clip(self) -> None:
        """Rates between two bounds."""
        self._is(
            self.shape.clip_rate(low=0.02, high=0.3),
            "schedule.clip_rate(0.02, 0.3)",
            lambda step, base: min(max(self._own(step, base), 0.02), 0.3),
        )

    def nested(self) -> None:
        """A composition of compositions."""
        self._is(
            ((self.shape * 0.5).with_warmup(2) * KitSlope()).clip_rate(high=0.1),
            "((schedule * 0.5).with_warmup(2) * Slope()).clip_rate(high=0.1)",
            lambda step, base: min(
                0.1,
                0.5 * (self._own(0, base) * step / 2 if step < 2 else self._own(step - 2, base)) / (1 + step),
            ),
        )

    def repeat(self) -> None:
        """Twice, then its end."""
        period = self.shape.horizon
        assert period
        self._is(
            self.shape.repeat(2),
            "schedule.repeat(2)",
            lambda step, base: self._own(step % period, base),
            min(2 * period, 40),
        )

    def towards(self) -> None:
        """From each base rate to one rate."""
        self._is(
            self.shape.towards(0.01),
            "schedule.towards(0.01)",
            lambda step, base: 0.01 + (base - 0.01) * self.shape(step),
        )
