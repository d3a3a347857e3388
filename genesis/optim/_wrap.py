"""Schedules made of one other: kept between bounds, repeated, warmed up, led to a rate, stretched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from genesis.optim._composition import (
    Composition,
    Function,
    check_stretch,
    flag,
    number,
    schedules,
    step_count,
    text_of,
)
from genesis.optim._schedule import Schedule

if TYPE_CHECKING:
    from genesis.optim._composition import Floats, Numbers


@dataclass(frozen=True, repr=False)
class Wrapped(Composition):
    """Base class of the compositions with one part."""

    part: Schedule

    def __post_init__(self) -> None:
        schedules((self.part,))
        self._check()
        super().__post_init__()

    def _check(self) -> None:
        """Check the other parameters, `part` being a schedule."""

    def _parts(self) -> tuple[Schedule, ...]:
        return (self.part,)

    @property
    def horizon(self) -> int | None:
        return self.part.ending

    @property
    def length(self) -> int | None:
        return self.part.length

    def parts_at(self, step: float) -> Iterator[tuple[str, Schedule, float]]:
        yield "of", self.part, step

    def stretched(self, at: int, total: int) -> Schedule:
        return replace(self, part=self.part.stretched(at, total))


@dataclass(frozen=True, repr=False)
class Clip(Wrapped):
    """A schedule whose values are kept between two bounds.

    Args:
        part: The schedule.
        low, high: The bounds; None for none.
        rates: Whether the bounds are learning rates, also where the values of `part` are factors.
    """

    formula: ClassVar[str] = "min(max(value, low), high)"

    low: float | None = None
    high: float | None = None
    rates: bool = False

    def _check(self) -> None:
        flag("rates", self.rates)
        for name in ("low", "high"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, number(name, getattr(self, name)))
        if self.low is None and self.high is None:
            raise ValueError("clip needs a bound: low, high or both")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"clip needs low <= high, got low={self.low}, high={self.high}")

    def _kind(self) -> str:
        return "value" if self.rates else self.part.kind

    @property
    def needs_base(self) -> bool:
        return super().needs_base or (self.rates and self.part.kind == "factor")

    def for_base(self, base: float) -> Schedule:
        return self.map_parts(
            lambda part: as_rate(part.for_base(base), base) if self.rates else part.for_base(base)
        )

    def _raw(self) -> Function:
        function, low, high = self.part.compiled(), self.low, self.high
        if high is None:
            floor = float(low or 0.0)
            return lambda step: max(function(step), floor)
        if low is None:
            return lambda step: min(function(step), high)
        return lambda step: min(max(function(step), low), high)

    def at_array(self, steps: Numbers) -> Floats:
        import numpy as np

        return np.clip(self.part.values(steps), self.low, self.high)

    def _text(self) -> str:
        bounds = [
            f"{name}={getattr(self, name)}" for name in ("low", "high") if getattr(self, name) is not None
        ]
        return f"{text_of(self.part)}.{'clip_rate' if self.rates else 'clip'}({', '.join(bounds)})"


@dataclass(frozen=True, repr=False)
class Repeat(Wrapped):
    """A schedule again and again.

    Args:
        part: The schedule; it must end.
        times: How often in all; None for ever. After the last time it stays at its end value.

    A part that starts over by itself (`end="repeat"`) does so as often as is said here.
    """

    formula: ClassVar[str] = "the part at t modulo its length"

    times: int | None = None

    def _check(self) -> None:
        if self.times is not None:
            object.__setattr__(self, "times", step_count("times", self.times))
            if self.times == 0:
                raise ValueError("times must be 1 or more, got 0")
        if not self.part.horizon:
            raise ValueError(
                f"only a schedule that ends, after a step or more, can be repeated; {self.part!r} has "
                f"horizon={self.part.horizon}"
            )
        if self.part.end == "repeat":
            object.__setattr__(self, "part", replace(self.part, end="hold"))

    def _period(self) -> int:
        period = self.part.horizon
        assert period is not None
        return period

    @property
    def horizon(self) -> int | None:
        return None if self.times is None else self.times * self._period()

    @property
    def length(self) -> int | None:
        return self.horizon

    def _raw(self) -> Function:
        function, period, horizon = self.part.compiled(), self._period(), self.horizon
        if horizon is None:
            return lambda step: function(step % period)
        return lambda step: function(step % period if step < horizon else period)

    def at_array(self, steps: Numbers) -> Floats:
        import numpy as np

        local = steps % self._period()
        if self.horizon is not None:
            local = np.where(steps < self.horizon, local, self._period())
        return self.part.values(local)

    def parts_at(self, step: float) -> Iterator[tuple[str, Schedule, float]]:
        period, horizon = self._period(), self.horizon
        if horizon is not None and step >= horizon:
            yield f"after {self.times} times", self.part, period
        else:
            yield f"time {int(step // period) + 1}", self.part, step % period

    def stretched(self, at: int, total: int) -> Schedule:
        check_stretch(self, at, total)
        return Stretch(self, at, total)

    def _text(self) -> str:
        return f"{text_of(self.part)}.repeat({'' if self.times is None else self.times})"


@dataclass(frozen=True, repr=False)
class Warmup(Wrapped):
    """A straight rise to the first value of a schedule, then the schedule.

    Args:
        part: The schedule.
        steps: The length of the rise.
        start: Where it starts, as a part of the first value.
        overlap: Whether the schedule runs during the rise, multiplied by it, rather than after it.

    Reference: Goyal et al., "Accurate, Large Minibatch SGD", section 2.2, https://arxiv.org/abs/1706.02677
    """

    formula: ClassVar[str] = "(start + (1 - start) * t / steps) * part for t < steps, then part"

    steps: int = 0
    start: float = 0.0
    overlap: bool = False

    def _check(self) -> None:
        object.__setattr__(self, "steps", step_count("the steps of a warmup", self.steps))
        object.__setattr__(self, "start", number("the start of a warmup", self.start))
        flag("overlap", self.overlap)

    @property
    def _shift(self) -> int:
        """The step at which the part starts."""
        return 0 if self.overlap else self.steps

    @property
    def horizon(self) -> int | None:
        horizon = self.part.ending
        return None if horizon is None else max(self.steps, self._shift + horizon)

    @property
    def length(self) -> int | None:
        length = self.part.length
        return None if length is None else max(self.steps, self._shift + length)

    def _raw(self) -> Function:
        function, steps, start, shift = self.part.compiled(), self.steps, self.start, self._shift
        rise = (1.0 - start) / steps if steps else 0.0

        def value(step: float) -> float:
            if step < steps:
                return (start + rise * step) * function(max(0, step - shift))
            return function(step - shift)

        return value

    def at_array(self, steps: Numbers) -> Floats:
        import numpy as np

        values = self.part.values(np.maximum(0, steps - self._shift))
        rise = (1.0 - self.start) / self.steps if self.steps else 0.0
        result: Floats = values * np.where(steps < self.steps, self.start + rise * steps, 1.0)
        return result

    def phase(self, step: float) -> str:
        return "warmup" if step < self.steps else ""

    def parts_at(self, step: float) -> Iterator[tuple[str, Schedule, float]]:
        yield "of" if step >= self.steps else "rises to", self.part, max(0, step - self._shift)

    def stretched(self, at: int, total: int) -> Schedule:
        """The part stretched; the rise too where the new end lies within it, or the part has ended before."""
        check_stretch(self, at, total)
        local = max(0, at - self._shift)
        if total <= self.steps or local >= (self.part.length or 0):
            return Stretch(self, at, total)
        return replace(self, part=self.part.stretched(local, total - self._shift))

    def _text(self) -> str:
        more = (f", start={self.start}" if self.start else "") + (", overlap=True" if self.overlap else "")
        return f"{text_of(self.part)}.with_warmup({self.steps}{more})"


@dataclass(frozen=True, repr=False)
class Towards(Wrapped):
    """The learning rates that lead from the base rate to `rate`: rate + (base - rate) * factor.

    Args:
        part: A schedule of factors.
        rate: Where they lead.
        base: The base rate of the group; `for_base` sets it.

    Raises:
        ValueError: if the values of `part` are rates already.
    """

    formula: ClassVar[str] = "rate + (base - rate) * factor"

    rate: float = 0.0
    base: float | None = None

    def _check(self) -> None:
        object.__setattr__(self, "rate", number("rate", self.rate))
        if self.base is not None:
            object.__setattr__(self, "base", number("base", self.base))
        if self.part.kind != "factor":
            raise ValueError(f"towards() is for schedules of factors; the values of {self.part!r} are rates")

    def _kind(self) -> str:
        return "value"

    @property
    def needs_base(self) -> bool:
        return super().needs_base or self.base is None

    def for_base(self, base: float) -> Schedule:
        if self.base is not None:
            return self
        part = self.part.for_base(base)
        if part.kind != "factor":
            raise ValueError(f"towards() is for schedules of factors; the values of {part!r} are rates")
        return replace(self, part=part, base=base)

    def factors(self) -> tuple[Schedule, tuple[float, float] | None] | None:
        if self.base is None or self.end != "hold":
            return None
        return self.part, (self.rate, self._given_base())

    def _given_base(self) -> float:
        assert self.base is not None
        return self.base

    def _raw(self) -> Function:
        function, rate, base = self.part.compiled(), self.rate, self._given_base()

        def value(step: float) -> float:
            factor = function(step)
            return base * factor + rate * (1.0 - factor)  # exact at both ends

        return value

    def at_array(self, steps: Numbers) -> Floats:
        factors = self.part.values(steps)
        result: Floats = self._given_base() * factors + self.rate * (1.0 - factors)
        return result

    def _text(self) -> str:
        base = "" if self.base is None else f" from {self.base}"
        return f"{text_of(self.part)}.towards({self.rate}{base})"


@dataclass(frozen=True, repr=False)
class Stretch(Wrapped):
    """A schedule whose rest, from step `at_step` on, takes longer or shorter, so that it ends at `total`.

    At step t > at_step the part is asked at at_step + (t - at_step) * (L - at_step) / (total - at_step), L
    being its length: there is no jump at at_step, and the last value is the same.
    """

    formula: ClassVar[str] = "the part at at_step + (t - at_step) * (length - at_step) / (total - at_step)"

    at_step: int = 0
    total: int = 0

    def _check(self) -> None:
        at, total = step_count("the present step", self.at_step), step_count("total_steps", self.total)
        check_stretch(self.part, at, total)
        object.__setattr__(self, "at_step", at)
        object.__setattr__(self, "total", total)

    @property
    def horizon(self) -> int | None:
        return None if self.part.ending is None else self.total

    @property
    def length(self) -> int | None:
        return self.total

    def _old_length(self) -> int:
        length = self.part.length
        assert length is not None
        return length

    def _local(self, step: float) -> float:
        at, total, length = self.at_step, self.total, self._old_length()
        if step <= at:
            return step
        if step < total or self.part.ending is None:
            return at + (step - at) * (length - at) / (total - at)
        return length + (step - total)  # beyond the end, exactly

    def _raw(self) -> Function:
        function, local, at = self.part.compiled(), self._local, self.at_step
        return lambda step: function(step if step <= at else local(step))

    def at_array(self, steps: Numbers) -> Floats:
        import numpy as np

        at, total, length = self.at_step, self.total, self._old_length()
        inside = at + (steps - at) * (length - at) / (total - at)
        if self.part.ending is not None:
            inside = np.where(steps < total, inside, length + (steps - total))
        return self.part.values(np.where(steps <= at, steps, inside))

    def parts_at(self, step: float) -> Iterator[tuple[str, Schedule, float]]:
        yield "of", self.part, self._local(step)

    def stretched(self, at: int, total: int) -> Schedule:
        return Stretch(self, at, total)

    def _text(self) -> str:
        return f"{text_of(self.part)}.stretched({self.at_step}, {self.total})"


def as_rate(part: Schedule, base: float) -> Schedule:
    """The schedule of rates that a schedule of factors gives for a base rate."""
    return part if part.kind == "value" else Towards(part, 0.0, base)
