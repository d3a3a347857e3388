"""What schedules compose to: each composition is a schedule again, so they nest to any depth."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from math import isfinite
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

from genesis.optim._schedule import Schedule

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    _Floats = NDArray[np.float64]
    _Numbers = NDArray[Any]

_Function = Callable[[float], float]


@dataclass(frozen=True, repr=False)
class Composition(Schedule):
    """Base class of the compositions.

    The end policies are those of the parts, unless the composition itself has another than `"hold"`. Its kind
    follows from the parts; what is given for it is ignored.
    """

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", self._kind())
        super().__post_init__()

    @property
    def needs_base(self) -> bool:
        """Whether the values are known only for a given base rate: after `for_base`."""
        return any(_needs_base(part) for part in self._parts())

    def _kind(self) -> str:
        return self._parts()[0].kind

    def _parts(self) -> tuple[Schedule, ...]:
        """All parts."""
        raise NotImplementedError

    def _raw(self) -> _Function:
        """The value at a step as a plain function, without the composition's own end policy."""
        raise NotImplementedError

    def at(self, step: float) -> float:
        self._check_base()
        return self._raw()(step)

    def value(self, step: float) -> float:
        return self.at(step) if self.end == "hold" else super().value(step)

    def values(self, steps: _Numbers) -> _Floats:
        self._check_base()
        return self.at_array(steps) if self.end == "hold" else super().values(steps)

    def compiled(self) -> _Function:
        self._check_base()
        compiled = self._raw()
        horizon = self.horizon
        if self.end == "hold" or horizon is None:
            return compiled
        fold = self._fold
        return lambda step: compiled(step if step < horizon else fold(step, horizon))

    def to_config(self) -> dict[str, Any]:
        config = super().to_config()
        del config["kind"]  # it follows from the parts
        return config

    def _check_base(self) -> None:
        if self.needs_base:
            raise ValueError(
                f"the values of {self!r} depend on the base rate of the group; ask .for_base(rate), or the "
                "value_at of a scheduler that follows it"
            )


@dataclass(frozen=True, repr=False)
class Joined(Composition):
    """One schedule after another: `a.then(b, at=10)`.

    Args:
        parts: The schedules.
        milestones: The step at which each but the first takes over, and counts from 0.
        carry: For each but the first, whether its base rate is the rate at which the one before left off,
            rather than the group's.
    """

    formula: ClassVar[str] = "the part in force"

    parts: tuple[Schedule, ...]
    milestones: tuple[int, ...]
    carry: tuple[bool, ...] = ()

    def __post_init__(self) -> None:
        parts, milestones = _schedules(self.parts), tuple(_step("at", at) for at in self.milestones)
        carry = tuple(map(bool, self.carry)) or (False,) * len(milestones)
        if len(milestones) != len(parts) - 1 or len(carry) != len(milestones):
            raise ValueError(
                f"{len(parts)} schedules one after another need {len(parts) - 1} milestones, the steps at "
                f"which the next takes over; got {len(milestones)}"
            )
        if any(second < first for first, second in pairwise(milestones)):
            raise ValueError(f"milestones must rise, got {list(milestones)}")
        for name, value in (("parts", parts), ("milestones", milestones), ("carry", carry)):
            object.__setattr__(self, name, value)
        super().__post_init__()

    def _kind(self) -> str:
        return "value" if all(part.kind == "value" for part in self.parts) else "factor"

    def _parts(self) -> tuple[Schedule, ...]:
        return self.parts

    @property
    def needs_base(self) -> bool:
        return super().needs_base or len({part.kind for part in self.parts}) > 1

    @property
    def horizon(self) -> int | None:
        last = _horizon(self.parts[-1])
        return None if last is None else self._starts()[-1] + last

    @property
    def length(self) -> int | None:
        last = self.parts[-1].length
        return None if last is None else self._starts()[-1] + last

    def _starts(self) -> tuple[int, ...]:
        return (0, *self.milestones)

    def for_base(self, base: float) -> Schedule:
        bound: list[Schedule] = []
        for part, start, carried in zip(self.parts, self._starts(), (False, *self.carry), strict=True):
            own = base
            if carried and start > 0 and _needs_base(part):
                before = Joined(tuple(bound), self.milestones[: len(bound) - 1])
                value = before.value(start - 1)
                own = value if before.kind == "value" else base * value
            bound.append(part.for_base(own))
        if len({part.kind for part in bound}) > 1:
            bound = [_as_rate(part, base) for part in bound]
        # What was bound to its own base carries no more.
        carry = tuple(was and now.kind == "factor" for was, now in zip(self.carry, bound[1:], strict=True))
        return replace(self, parts=tuple(bound), carry=carry)

    def _raw(self) -> _Function:
        functions = [part.compiled() for part in self.parts]
        starts, milestones = self._starts(), self.milestones
        for number, carried in enumerate(self.carry, start=1):
            if carried and starts[number] > 0:
                functions[number] = _carried(functions[number], functions[number - 1], starts, number)
        if len(functions) == 1:
            return functions[0]
        if len(functions) == 2:
            (first, second), (start,) = functions, milestones
            return lambda step: first(step) if step < start else second(step - start)

        def value(step: float) -> float:
            number = bisect_right(milestones, step)
            return functions[number](step - starts[number])

        return value

    def at_array(self, steps: _Numbers) -> _Floats:
        import numpy as np

        flat = steps.ravel()
        order = None if (flat[1:] >= flat[:-1]).all() else np.argsort(flat, kind="stable")
        flat = flat if order is None else flat[order]
        bounds = [0, *np.searchsorted(flat, self.milestones).tolist(), flat.size]
        result = np.empty(flat.shape, dtype=np.float64)
        scale = 1.0
        for number, (start, low, high) in enumerate(zip(self._starts(), bounds, bounds[1:], strict=False)):
            part = self.parts[number]
            if number and self.carry[number - 1] and start > 0:
                scale *= self.parts[number - 1].value(start - 1 - self._starts()[number - 1])
            else:
                scale = 1.0
            if low < high:
                result[low:high] = part.values(flat[low:high] - start)
                if scale != 1.0:
                    result[low:high] *= scale
        if order is not None:
            result[order] = result.copy()
        return result.reshape(steps.shape)

    def parts_at(self, step: float) -> Iterator[tuple[str, Schedule, float]]:
        number = bisect_right(self.milestones, step)
        yield f"part {number + 1} of {len(self.parts)}", self.parts[number], step - self._starts()[number]

    def stretched(self, at: int, total: int) -> Schedule:
        start = self._starts()[-1]
        last = self.parts[-1].stretched(max(0, at - start), total - start)
        return replace(self, parts=(*self.parts[:-1], last))

    def __repr__(self) -> str:
        text = _text(self.parts[0])
        for part, at, carried in zip(self.parts[1:], self.milestones, self.carry, strict=True):
            text += f".then({part!r}, at={at}{', carried on' if carried else ''})"
        return text


@dataclass(frozen=True, repr=False)
class Product(Composition):
    """The product of schedules and a number: `a * b * 0.5`.

    Of schedules whose values are rates, each counts as the factor rate / base.

    Args:
        parts: The schedules.
        scale: The number.
        base: The base rate of the group, where several of the parts are rates; `for_base` sets it.
    """

    formula: ClassVar[str] = "the product of its parts"

    parts: tuple[Schedule, ...]
    scale: float = 1.0
    base: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", _schedules(self.parts))
        object.__setattr__(self, "scale", _number("the factor of a schedule", self.scale))
        super().__post_init__()

    def _kind(self) -> str:
        return "value" if any(part.kind == "value" for part in self.parts) else "factor"

    def _parts(self) -> tuple[Schedule, ...]:
        return self.parts

    @property
    def needs_base(self) -> bool:
        return super().needs_base or (self.base is None and self._rates() > 1)

    def _rates(self) -> int:
        return sum(part.kind == "value" for part in self.parts)

    def _factor(self) -> float:
        """The number that the parts' values are multiplied by."""
        surplus = self._rates() - 1
        if surplus < 1:
            return self.scale
        base = self.base
        assert base is not None
        return self.scale / base**surplus if base else 0.0

    @property
    def horizon(self) -> int | None:
        horizons = [_horizon(part) for part in self.parts]
        return None if None in horizons else max(horizon or 0 for horizon in horizons)

    @property
    def length(self) -> int | None:
        return max((part.length for part in self.parts if part.length is not None), default=None)

    def for_base(self, base: float) -> Schedule:
        bound = self.map_parts(lambda part: part.for_base(base))
        return replace(bound, base=base) if bound._rates() > 1 else bound

    def _raw(self) -> _Function:
        factor, functions = self._factor(), [part.compiled() for part in self.parts]
        if factor == 1.0 and len(functions) == 2:
            first, second = functions
            return lambda step: first(step) * second(step)

        def value(step: float) -> float:
            result = factor
            for function in functions:
                result *= function(step)
            return result

        return value

    def at_array(self, steps: _Numbers) -> _Floats:
        result = self.parts[0].values(steps) * self._factor()
        for part in self.parts[1:]:
            result *= part.values(steps)
        return result

    def parts_at(self, step: float) -> Iterator[tuple[str, Schedule, float]]:
        for part in self.parts:
            yield "times" if part is not self.parts[0] else "first", part, step

    def stretched(self, at: int, total: int) -> Schedule:
        length = self.length
        if length is None:
            return super().stretched(at, total)
        parts = tuple(part.stretched(at, total) if part.length == length else part for part in self.parts)
        return replace(self, parts=parts)

    def __repr__(self) -> str:
        scale = [] if self.scale == 1.0 else [repr(self.scale)]
        return " * ".join([*map(_text, self.parts), *scale])


@dataclass(frozen=True, repr=False)
class _Wrapped(Composition):
    """Base class of the compositions with one part."""

    part: Schedule

    def __post_init__(self) -> None:
        _schedules((self.part,))
        super().__post_init__()

    def _parts(self) -> tuple[Schedule, ...]:
        return (self.part,)

    @property
    def horizon(self) -> int | None:
        return _horizon(self.part)

    @property
    def length(self) -> int | None:
        return self.part.length

    def parts_at(self, step: float) -> Iterator[tuple[str, Schedule, float]]:
        yield "of", self.part, step

    def stretched(self, at: int, total: int) -> Schedule:
        return replace(self, part=self.part.stretched(at, total))


@dataclass(frozen=True, repr=False)
class Clip(_Wrapped):
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

    def __post_init__(self) -> None:
        for name in ("low", "high"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, _number(name, getattr(self, name)))
        if self.low is None and self.high is None:
            raise ValueError("clip needs a bound: low, high or both")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"clip needs low <= high, got low={self.low}, high={self.high}")
        super().__post_init__()

    @property
    def needs_base(self) -> bool:
        return super().needs_base or (self.rates and self.part.kind == "factor")

    def for_base(self, base: float) -> Schedule:
        part = self.part.for_base(base)
        return replace(self, part=_as_rate(part, base) if self.rates else part)

    def _raw(self) -> _Function:
        function, low, high = self.part.compiled(), self.low, self.high
        if high is None:
            floor = float(low or 0.0)
            return lambda step: max(function(step), floor)
        if low is None:
            return lambda step: min(function(step), high)
        return lambda step: min(max(function(step), low), high)

    def at_array(self, steps: _Numbers) -> _Floats:
        import numpy as np

        return np.clip(self.part.values(steps), self.low, self.high)

    def __repr__(self) -> str:
        bounds = [
            f"{name}={getattr(self, name)}" for name in ("low", "high") if getattr(self, name) is not None
        ]
        return f"{_text(self.part)}.{'clip_rate' if self.rates else 'clip'}({', '.join(bounds)})"


@dataclass(frozen=True, repr=False)
class Repeat(_Wrapped):
    """A schedule again and again.

    Args:
        part: The schedule; it must end.
        times: How often in all; None for ever. After the last time it stays at its end value.
    """

    formula: ClassVar[str] = "the part at t modulo its length"

    times: int | None = None

    def __post_init__(self) -> None:
        if self.times is not None:
            object.__setattr__(self, "times", _step("times", self.times))
            if self.times == 0:
                raise ValueError("times must be 1 or more, got 0")
        if not self.part.horizon:
            raise ValueError(f"only a schedule that ends can be repeated; {self.part!r} does not")
        super().__post_init__()

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

    def _raw(self) -> _Function:
        function, period, horizon = self.part.compiled(), self._period(), self.horizon
        if horizon is None:
            return lambda step: function(step % period)
        return lambda step: function(step % period if step < horizon else period)

    def at_array(self, steps: _Numbers) -> _Floats:
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
        return Stretch(self, at, total)

    def __repr__(self) -> str:
        return f"{_text(self.part)}.repeat({'' if self.times is None else self.times})"


@dataclass(frozen=True, repr=False)
class Warmup(_Wrapped):
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

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", _step("the steps of a warmup", self.steps))
        object.__setattr__(self, "start", _number("the start of a warmup", self.start))
        super().__post_init__()

    @property
    def _shift(self) -> int:
        """The step at which the part starts."""
        return 0 if self.overlap else self.steps

    @property
    def horizon(self) -> int | None:
        horizon = _horizon(self.part)
        return None if horizon is None else max(self.steps, self._shift + horizon)

    @property
    def length(self) -> int | None:
        return None if self.part.length is None else max(self.steps, self._shift + self.part.length)

    def _raw(self) -> _Function:
        function, steps, start, shift = self.part.compiled(), self.steps, self.start, self._shift
        rise = (1.0 - start) / steps if steps else 0.0

        def value(step: float) -> float:
            if step < steps:
                return (start + rise * step) * function(max(0, step - shift))
            return function(step - shift)

        return value

    def at_array(self, steps: _Numbers) -> _Floats:
        import numpy as np

        values = self.part.values(np.maximum(0, steps - self._shift))
        rise = (1.0 - self.start) / self.steps if self.steps else 0.0
        values[steps < self.steps] *= (self.start + rise * steps)[steps < self.steps]
        return values

    def phase(self, step: float) -> str:
        return "warmup" if step < self.steps else ""

    def parts_at(self, step: float) -> Iterator[tuple[str, Schedule, float]]:
        yield "of" if step >= self.steps else "rises to", self.part, max(0, step - self._shift)

    def stretched(self, at: int, total: int) -> Schedule:
        part = self.part.stretched(max(0, at - self._shift), total - self._shift)
        return replace(self, part=part)

    def __repr__(self) -> str:
        more = (f", start={self.start}" if self.start else "") + (", overlap=True" if self.overlap else "")
        return f"{_text(self.part)}.with_warmup({self.steps}{more})"


@dataclass(frozen=True, repr=False)
class Towards(_Wrapped):
    """The learning rates that lead from the base rate to `rate`: rate + (base - rate) * factor.

    Args:
        part: A schedule of factors.
        rate: Where they lead.
        base: The base rate of the group; `for_base` sets it.
    """

    formula: ClassVar[str] = "rate + (base - rate) * factor"

    rate: float = 0.0
    base: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "rate", _number("rate", self.rate))
        if self.part.kind != "factor":
            raise ValueError(f"towards() is for schedules of factors; the values of {self.part!r} are rates")
        super().__post_init__()

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

    def _span(self) -> float:
        assert self.base is not None
        return self.base - self.rate

    def _raw(self) -> _Function:
        function, rate, span = self.part.compiled(), self.rate, self._span()
        return lambda step: rate + span * function(step)

    def at_array(self, steps: _Numbers) -> _Floats:
        result: _Floats = self.part.values(steps) * self._span() + self.rate
        return result

    def __repr__(self) -> str:
        base = "" if self.base is None else f" from {self.base}"
        return f"{_text(self.part)}.towards({self.rate}{base})"


@dataclass(frozen=True, repr=False)
class Stretch(_Wrapped):
    """A schedule whose rest, from step `at_step` on, takes longer or shorter, so that it ends at `total`.

    At step t > at_step the part is asked at at_step + (t - at_step) * (L - at_step) / (total - at_step), L
    being its length: there is no jump at at_step, and the last value is the same.
    """

    formula: ClassVar[str] = "the part at at_step + (t - at_step) * (length - at_step) / (total - at_step)"

    at_step: int = 0
    total: int = 0

    def __post_init__(self) -> None:
        at, total = _step("the present step", self.at_step), _step("total_steps", self.total)
        length = self.part.length
        if length is None:
            raise ValueError(f"{self.part!r} has no end that could be moved to step {total}")
        if at >= length:
            raise ValueError(f"{self.part!r} ended at step {length}; at step {at} it cannot be extended")
        if total <= at:
            raise ValueError(f"the new end must lie after the present step {at}, got total_steps={total}")
        object.__setattr__(self, "at_step", at)
        object.__setattr__(self, "total", total)
        super().__post_init__()

    @property
    def horizon(self) -> int | None:
        return None if self.part.horizon is None else self.total

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
        if step < total or self.part.horizon is None:
            return at + (step - at) * (length - at) / (total - at)
        return length + (step - total)

    def _raw(self) -> _Function:
        function, local, at = self.part.compiled(), self._local, self.at_step
        return lambda step: function(step if step <= at else local(step))

    def at_array(self, steps: _Numbers) -> _Floats:
        import numpy as np

        at, total, length = self.at_step, self.total, self._old_length()
        inside = at + (steps - at) * ((length - at) / 1) / (total - at)
        if self.part.horizon is not None:
            inside = np.where(steps < total, inside, length + (steps - total))
        return self.part.values(np.where(steps <= at, steps, inside))

    def parts_at(self, step: float) -> Iterator[tuple[str, Schedule, float]]:
        yield "of", self.part, self._local(step)

    def stretched(self, at: int, total: int) -> Schedule:
        return Stretch(self, at, total)

    def __repr__(self) -> str:
        return f"{_text(self.part)}.stretched({self.at_step}, {self.total})"


def joined(first: Schedule, second: Schedule, at: int | None) -> Joined:
    """`first.then(second, at)`; a chain of them becomes one Joined."""
    if at is None:
        at = _horizon(first)
        if at is None:
            raise ValueError(f"{first!r} has no end; say at which step the next takes over: then(…, at=…)")
    at = _step("at", at)
    if type(first) is Joined and first.end == "hold" and at >= (first.milestones or (0,))[-1]:
        return Joined((*first.parts, second), (*first.milestones, at), (*first.carry, False))
    return Joined((first, second), (at,))


def product(first: Schedule, second: Schedule | float) -> Product:
    """`first * second`; a chain of them becomes one Product."""
    pairs = []
    for factor in (first, second):
        if type(factor) is Product and factor.end == "hold" and factor.base is None:
            pairs.append((factor.parts, factor.scale))
        elif isinstance(factor, Schedule):
            pairs.append(((factor,), 1.0))
        else:
            pairs.append(((), _number("the factor of a schedule", factor)))
    parts = tuple(chain.from_iterable(parts for parts, _ in pairs))
    return Product(parts, pairs[0][1] * pairs[1][1])


def _as_rate(part: Schedule, base: float) -> Schedule:
    """The schedule of rates that a schedule of factors gives for a base rate."""
    return part if part.kind == "value" else Towards(part, 0.0, base)


def _carried(function: _Function, before: _Function, starts: tuple[int, ...], number: int) -> _Function:
    """A factor that goes on from where the part before left off."""
    last = starts[number] - 1 - starts[number - 1]
    return lambda step: before(last) * function(step)


def _needs_base(schedule: Schedule) -> bool:
    return isinstance(schedule, Composition) and schedule.needs_base


def _horizon(part: Schedule) -> int | None:
    """Where a part ends; one that starts over does not."""
    return None if part.end == "repeat" else part.horizon


def _text(part: Schedule) -> str:
    """A part's text, in brackets where it is a product."""
    return f"({part!r})" if isinstance(part, Product) else repr(part)


def _schedules(given: Any) -> tuple[Schedule, ...]:
    parts: tuple[Schedule, ...] = tuple(given)
    for part in parts:
        if not isinstance(part, Schedule):
            raise TypeError(f"schedules compose with schedules; got {type(part).__name__}: {part!r}")
    if not parts:
        raise ValueError("a composition needs at least one schedule")
    return parts


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or not isfinite(value):
        raise TypeError(f"{name} must be a finite number, got {type(value).__name__}: {value!r}")
    return float(value)


def _step(name: str, value: Any) -> int:
    """A number of steps; texts such as "10%" are resolved."""
    if isinstance(value, str):
        from genesis.optim._lengths import to_steps

        value = to_steps(value, name=name)
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be an int, got {type(value).__name__}: {value!r}")
    if value < 0:
        raise ValueError(f"{name} must be 0 or more, got {value}")
    return int(value)
