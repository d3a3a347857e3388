"""The values of a pure schedule: finite, the same whenever asked, the same for an array, right at the end."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from genesis.optim import Schedule
from genesis.testing._check import Question
from genesis.testing.scheduler_checks._optimizers import RATES
from genesis.testing.scheduler_checks._subject import Subject, close, telling

_SHOWN = 64


def questions(subject: Subject) -> Iterator[Question]:
    """Ask a pure schedule for its values."""
    shape = subject.pure
    if shape is None:
        return
    values = _Values(shape)
    for name in ("pure", "finite", "plain", "array", "wrong_steps", "horizon", "compiled", "for_base"):
        yield f"values/{name}", getattr(values, name)
    if values.fractional:
        yield "values/fractions", values.fractions
    if shape.horizon is not None:
        yield "end/hold", values.hold
        yield "end/raise", values.refuse
        if shape.horizon:
            yield "end/repeat", values.repeat
    if values.fractional and shape.length is not None and shape.length > 2:
        yield "end/stretched", values.stretched


class _Values:
    """The questions to one schedule."""

    def __init__(self, shape: Schedule) -> None:
        self.shape = shape
        self.bound = shape.for_base(RATES[0])
        horizon = self.bound.horizon
        if isinstance(horizon, (int, float)) and horizon >= 0:
            end = math.ceil(horizon)
            self.steps = sorted({*range(min(end, _SHOWN) + 1), *range(max(0, end - 3), end + 1)})
        else:
            self.steps = list(range(_SHOWN))
        try:
            self.fractional = math.isfinite(self.bound(min(0.5, self.steps[-1])))
        except Exception:
            self.fractional = False  # whole steps only: that is the author's choice

    def _at(self, step: Any, schedule: Schedule | None = None) -> Any:
        schedule = self.bound if schedule is None else schedule
        with telling(f"{schedule!r} at step {step!r}"):
            return schedule(step)

    def pure(self) -> None:
        """The same value whenever a step is asked."""
        first = [self._at(step) for step in self.steps]
        for step, value in reversed(list(zip(self.steps, first, strict=True))):
            again = self._at(step)
            assert again == value, (
                f"step {step} gave {value!r} when it was asked first and {again!r} when it was asked again: "
                "a schedule is a pure function of the step. Keep no counters in it, and take random numbers "
                "from a generator that is seeded with seed + step"
            )

    def finite(self) -> None:
        """A finite number, 0 or more, at every step, and at one far away."""
        for base in RATES:
            schedule = self.shape.for_base(base)
            for step in [*self.steps, *self._far(schedule)]:
                value = self._at(step, schedule)
                assert math.isfinite(value), (
                    f"the value of step {step} is {value}; a rate that is not finite spoils every parameter"
                )
                assert value >= 0, f"the value of step {step} is {value!r}; a learning rate is never below 0"

    def _far(self, schedule: Schedule) -> list[int]:
        """A step far away, where the schedule has one: it has not ended, and does not rise for ever."""
        if schedule.horizon is not None:
            return [] if schedule.end == "raise" else [10**12]
        return [] if schedule(self.steps[-1]) > schedule(self.steps[-2]) else [10**6]

    def plain(self) -> None:
        """Plain floats, for numbers of numpy as well."""
        for step in self.steps[:6]:
            expected = self._at(step)
            assert type(expected) is float, f"step {step} gave {expected!r}, not a plain float"
            for kind in (np.int64, np.int32, np.uint8, *([np.float64] if self.fractional else [])):
                value = self._at(kind(step))
                assert type(value) is float, f"step {kind.__name__}({step}) gave {value!r}, not a plain float"
                assert value == expected, (
                    f"step {kind.__name__}({step}) gave {value!r}, and {step} gave {expected!r}: number "
                    "types of numpy should make no difference"
                )

    def _same(self, steps: Any, what: str) -> None:
        """Compare the values of an array with those of its steps."""
        before = steps.copy()
        found = self._at(steps)
        kind = getattr(found, "dtype", type(found).__name__)
        assert kind == np.float64, f"{what} gave {kind}; at_array returns an array of float64"
        assert found.shape == steps.shape, (
            f"{what} of shape {steps.shape} gave values of shape {found.shape}; at_array keeps the shape"
        )
        assert (steps == before).all(), f"at_array changed the {what} that it was given"
        expected = [self._at(step) for step in steps.ravel().tolist()]
        scale = max((abs(value) for value in expected), default=0.0)
        for step, value, right in zip(steps.ravel().tolist(), found.ravel().tolist(), expected, strict=True):
            assert close(value, right, scale), (
                f"at_array differs from at at step {step}: {value!r} in {what}, {right!r} alone, off by "
                f"{abs(value - right):.3g}. They are the same formula, written twice: correct one of them, "
                "or leave at_array out"
            )

    def array(self) -> None:
        """The values of an array are those of its steps."""
        steps = np.array(self.steps)
        self._same(steps, "an array of ints")
        self._same(steps[::-1], "an array that falls")
        self._same(steps.astype(np.int32), "an array of int32")
        if self.fractional:
            self._same(steps.astype(np.float64), "an array of floats")
        self._same(np.resize(steps, (2, 3)), "an array of two dimensions")
        self._same(steps[:0], "an empty array")
        self._same(np.array([0, *self._far(self.bound)]), "an array with a step far away")

    def fractions(self) -> None:
        """The same between the steps."""
        fractions = np.arange(0, min(self.steps[-1], _SHOWN) + 0.25, 0.25)
        fractions = fractions[fractions <= self.steps[-1]]
        for step in fractions.tolist():
            assert math.isfinite(self._at(step)), f"the value of step {step} is {self._at(step)}"
        self._same(fractions, "an array of quarters of steps")

    def wrong_steps(self) -> None:
        """No step before 0, and nothing that is no number."""
        wrong: list[tuple[Any, type[Exception]]] = [
            (-1, ValueError),
            (-0.5, ValueError),
            (np.array([3, -1]), ValueError),
            (math.nan, ValueError),
            ("3", TypeError),
        ]
        for step, expected in wrong:
            try:
                value = self.bound(step)
            except expected:
                continue
            except Exception as error:
                raise AssertionError(
                    f"step {step!r} raised {type(error).__name__}: {error}; expected a {expected.__name__}"
                ) from error
            raise AssertionError(
                f"step {step!r} gave {value!r}; it should be refused with a {expected.__name__}. Write at(), "
                "and leave __call__ to Schedule"
            )

    def horizon(self) -> None:
        """Whole numbers for the end, and the same at each question."""
        shape = self.shape
        for name in ("horizon", "ending", "length"):
            value = getattr(shape, name)
            assert value is None or (type(value) is int and value >= 0), (
                f"{name} is {value!r}; expected an int, 0 or more, or None. Of a length with a fraction it "
                "is math.ceil of it"
            )
            assert getattr(shape, name) == value, f"{name} is {value!r}, then {getattr(shape, name)!r}"
        if shape.end == "repeat" and shape.horizon is not None:
            assert shape.ending is None, f"ending is {shape.ending!r} for end='repeat'; it never ends"
        elif shape.ending is not None:
            assert shape.ending == shape.horizon, (
                f"ending is {shape.ending!r} and horizon {shape.horizon!r}; they are equal where it ends for "
                "good"
            )

    def compiled(self) -> None:
        """What a driver asks is what a user asks."""
        for end in ("hold", "repeat", "raise"):
            if end != self.bound.end and not self.bound.horizon:
                continue
            schedule = self.bound if end == self.bound.end else self._with(end)
            function: Callable[[float], float] = schedule.compiled()
            past = 0 if end == "raise" or schedule.horizon is None else 3
            for step in [*self.steps, *(self.steps[-1] + more for more in range(1, past))]:
                found, expected = function(step), self._at(step, schedule)
                assert float(found) == expected, (
                    f"compiled() gives {found!r} at step {step}, and the schedule itself {expected!r} "
                    f"(end={end!r}): compiled is the same function without checks, end policy included"
                )

    def for_base(self) -> None:
        """A schedule for each base rate, and it stays that."""
        before = repr(self.shape)
        for base in RATES:
            bound = self.shape.for_base(base)
            assert isinstance(bound, Schedule), f"for_base({base}) gave {bound!r}, which is no Schedule"
            again = bound.for_base(base)
            for step in self.steps:
                found, expected = self._at(step, again), self._at(step, bound)
                assert found == expected, (
                    f"for_base({base}) applied twice gives {found!r} at step {step}, applied once "
                    f"{expected!r}: it sets the base, it does not add to it"
                )
        assert repr(self.shape) == before, f"for_base changed the schedule: {before} became {self.shape!r}"

    # The end.

    def _with(self, end: Any) -> Schedule:
        with telling(f"replace({self.bound!r}, end={end!r})"):
            return replace(self.bound, end=end)

    def hold(self) -> None:
        """It stays at its last value."""
        schedule = self._with("hold")
        end = self.steps[-1]
        expected = self._at(end, schedule)
        for step in (end + 1, end + 1000):
            for found in (self._at(step, schedule), float(self._at(np.array([step]), schedule)[0])):
                assert close(found, expected, expected), (
                    f"after its horizon, {end}, it should stay at {expected!r}, but at step {step} it is "
                    f"{found!r} (end='hold')"
                )

    def repeat(self) -> None:
        """It starts over."""
        schedule, period = self._with("repeat"), self.steps[-1]
        for step in self.steps[:-1]:
            expected = self._at(step, schedule)
            for at in (step + period, step + 5 * period):
                for found in (self._at(at, schedule), float(self._at(np.array([at]), schedule)[0])):
                    assert close(found, expected, expected), (
                        f"with end='repeat' step {at} is step {step} again, {expected!r}; it is {found!r}"
                    )

    def refuse(self) -> None:
        """It says that it has ended."""
        schedule, end = self._with("raise"), self.steps[-1]
        self._at(end, schedule)
        for step in (end + 1, np.array([0, end + 1])):
            try:
                value = schedule(step)
            except ValueError:
                continue
            raise AssertionError(
                f"with end='raise' step {end + 1}, after its horizon {end}, gave {value!r}; expected a "
                "ValueError"
            )

    def stretched(self) -> None:
        """Another length from a step on: the past stays, and it ends where it did."""
        length = self.bound.length
        assert length is not None
        at, total = max(1, length // 3), length + 4
        with telling(f"stretched({at}, {total})"):
            longer = self.bound.stretched(at, total)
        for step in range(min(at, _SHOWN) + 1):
            found, expected = self._at(step, longer), self._at(step)
            assert close(found, expected, expected), (
                f"stretched({at}, {total}) gives {found!r} at step {step}, which has passed; it was "
                f"{expected!r}"
            )
        found, expected = self._at(total, longer), self._at(length)
        scale = max(self._at(step) for step in self.steps)
        # The formula is asked for a fraction of a step that is off by a rounding.
        assert abs(found - expected) <= 1e-12 * max(scale, expected), (
            f"stretched({at}, {total}) should end at step {total} with {expected!r}, and gives {found!r}"
        )
