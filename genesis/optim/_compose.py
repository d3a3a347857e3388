"""What schedules compose to: one after another, or all at once. A composition is a schedule again."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from typing import TYPE_CHECKING, ClassVar

from genesis.optim._composition import (
    Composition,
    Function,
    check_stretch,
    flag,
    items,
    number,
    schedules,
    step_count,
    text_of,
)
from genesis.optim._schedule import Explanation, Schedule
from genesis.optim._wrap import Stretch, as_rate

if TYPE_CHECKING:
    from genesis.optim._composition import Floats, Numbers

__all__ = ["Joined", "Product", "joined", "product"]


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
        parts = schedules(self.parts)
        milestones = tuple(step_count("at", at) for at in items("milestones", self.milestones))
        carry = tuple(flag("each of carry", each) for each in items("carry", self.carry))
        carry = carry or (False,) * len(milestones)
        if len(milestones) != len(parts) - 1:
            raise ValueError(
                f"{len(parts)} schedules one after another need {len(parts) - 1} milestones, the steps at "
                f"which the next takes over; got {len(milestones)}"
            )
        if len(carry) != len(milestones):
            raise ValueError(f"carry has one for each milestone, {len(milestones)}; got {len(carry)}")
        if any(second < first for first, second in pairwise(milestones)):
            raise ValueError(f"milestones must rise, got {list(milestones)}")
        for name, value in (("parts", parts), ("milestones", milestones), ("carry", carry)):
            object.__setattr__(self, name, value)
        super().__post_init__()

    def _kind(self) -> str:
        # Where one of the parts gives rates, all do, once the base rate is known.
        return "value" if any(part.kind == "value" for part in self.parts) else "factor"

    def _parts(self) -> tuple[Schedule, ...]:
        return self.parts

    @property
    def needs_base(self) -> bool:
        return super().needs_base or len({part.kind for part in self.parts}) > 1

    @property
    def horizon(self) -> int | None:
        last = self.parts[-1].ending
        return None if last is None else self._starts()[-1] + last

    @property
    def length(self) -> int | None:
        last = self.parts[-1].length
        return None if last is None else self._starts()[-1] + last

    def _starts(self) -> tuple[int, ...]:
        return (0, *self.milestones)

    def _before(self, index: int) -> tuple[int, int] | None:
        """The part that a carried one goes on from, and its last step as it counts; None if there is none."""
        starts = self._starts()
        if not index or not self.carry[index - 1] or starts[index] == 0:
            return None
        last = starts[index] - 1
        part = bisect_right(self.milestones, last)  # parts between the two may have no step at all
        return part, last - starts[part]

    def _multiplied(self, index: int) -> tuple[int, int] | None:
        """The same for a bound part; one whose values are rates has its base already."""
        return None if self.parts[index].kind == "value" else self._before(index)

    def for_base(self, base: float) -> Schedule:
        bound = [part.for_base(base) for part in self.parts]
        rates = any(part.kind == "value" for part in bound)
        if not rates and all(new is old for new, old in zip(bound, self.parts, strict=True)):
            return self

        def own(index: int) -> float:
            """The base rate of a part."""
            if (before := self._before(index)) is None:
                return base
            last, step = before
            value = bound[last].value(step)
            return value if bound[last].kind == "value" else own(last) * value

        for index, part in enumerate(self.parts):
            # A factor that is the same for every base is left to be multiplied, unless there are rates.
            if self._before(index) is not None and (rates or bound[index] is not part):
                bound[index] = part.for_base(own(index))
            if rates:
                bound[index] = as_rate(bound[index], own(index))
        # Rates have their base now, and carry no more.
        carry = (False,) * len(self.carry) if rates else self.carry
        return replace(self, parts=tuple(bound), carry=carry)

    def _raw(self) -> Function:
        functions = [part.compiled() for part in self.parts]
        starts, milestones = self._starts(), self.milestones
        for index, function in enumerate(functions):
            if (before := self._multiplied(index)) is not None:
                functions[index] = _carried(function, functions[before[0]], before[1])
        if len(functions) == 1:
            return functions[0]
        if len(functions) == 2:
            (first, second), (start,) = functions, milestones
            return lambda step: first(step) if step < start else second(step - start)

        def value(step: float) -> float:
            number = bisect_right(milestones, step)
            return functions[number](step - starts[number])

        return value

    def at_array(self, steps: Numbers) -> Floats:
        import numpy as np

        flat = steps.ravel()
        order = None if (flat[1:] >= flat[:-1]).all() else np.argsort(flat, kind="stable")
        flat = flat if order is None else flat[order]
        bounds = [0, *np.searchsorted(flat, self.milestones).tolist(), flat.size]
        result = np.empty(flat.shape, dtype=np.float64)
        scales: list[float] = []
        for index, (start, low, high) in enumerate(zip(self._starts(), bounds, bounds[1:], strict=False)):
            before = self._multiplied(index)
            scale = 1.0
            if before is not None:
                scale = self.parts[before[0]].value(before[1]) * scales[before[0]]
            scales.append(scale)
            if low < high:
                result[low:high] = self.parts[index].values(flat[low:high] - start)
                if scale != 1.0:
                    result[low:high] *= scale
        if order is not None:
            result[order] = result.copy()
        return result.reshape(steps.shape)

    def parts_at(self, step: float) -> Iterator[tuple[str, Schedule, float]]:
        index = bisect_right(self.milestones, step)
        yield f"part {index + 1} of {len(self.parts)}", self.parts[index], step - self._starts()[index]

    def explain(self, step: float) -> Explanation:
        """Besides the part in force show those whose last values it is multiplied by, if it is carried on."""
        explained = super().explain(step)
        index, parts = bisect_right(self.milestones, explained.step), list(explained.parts)
        while (before := self._multiplied(index)) is not None:
            index, last = before
            parts.append((f"times the end of part {index + 1}", self.parts[index].explain(last)))
        return replace(explained, parts=tuple(parts))

    def stretched(self, at: int, total: int) -> Schedule:
        """The last part stretched; all that is left if it has no length, or the new end lies before it."""
        check_stretch(self, at, total)
        start, last = self._starts()[-1], self.parts[-1]
        if total <= start or not last.length:
            return Stretch(self, at, total)
        return replace(self, parts=(*self.parts[:-1], last.stretched(max(0, at - start), total - start)))

    def _text(self) -> str:
        text = text_of(self.parts[0])
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

    formula: ClassVar[str] = "scale * the product of its parts, all rates but one divided by the base rate"
    brackets: ClassVar[bool] = True

    parts: tuple[Schedule, ...]
    scale: float = 1.0
    base: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", schedules(self.parts))
        object.__setattr__(self, "scale", number("the factor of a schedule", self.scale))
        if self.base is not None:
            object.__setattr__(self, "base", number("base", self.base))
        super().__post_init__()

    def _kind(self) -> str:
        return "value" if any(part.kind == "value" for part in self.parts) else "factor"

    def _parts(self) -> tuple[Schedule, ...]:
        return self.parts

    @property
    def needs_base(self) -> bool:
        return super().needs_base or (self.base is None and self._surplus() > 0)

    def _surplus(self) -> int:
        """How many of the parts are rates besides the first that is."""
        return max(0, sum(part.kind == "value" for part in self.parts) - 1)

    def _factor(self) -> float:
        """The number that the parts' values are multiplied by."""
        surplus = self._surplus()
        if surplus == 0:
            return self.scale
        base = self.base
        assert base is not None
        return self.scale / base**surplus if base else 0.0

    @property
    def horizon(self) -> int | None:
        horizons = [part.ending for part in self.parts]
        return None if None in horizons else max(horizon or 0 for horizon in horizons)

    @property
    def length(self) -> int | None:
        return max((length for length in self._lengths() if length is not None), default=None)

    def _lengths(self) -> list[int | None]:
        """The lengths of the parts that end, or, where none does, of those with a period."""
        ending = [part.ending is not None for part in self.parts]
        return [
            part.length if ends or not any(ending) else None
            for part, ends in zip(self.parts, ending, strict=True)
        ]

    def for_base(self, base: float) -> Schedule:
        if self.base is not None:
            return self
        bound = self.map_parts(lambda part: part.for_base(base))
        return replace(bound, base=base) if bound._surplus() else bound

    def _raw(self) -> Function:
        factor, functions = self._factor(), [part.compiled() for part in self.parts]
        if factor == 1.0 and len(functions) == 2:
            first, second = functions
            return lambda step: first(step) * second(step)
        if factor == 1.0 and len(functions) == 4:  # a chain of four is common; a loop takes twice as long
            a, b, c, d = functions
            return lambda step: a(step) * b(step) * c(step) * d(step)

        def value(step: float) -> float:
            result = factor
            for function in functions:
                result *= function(step)
            return result

        return value

    def at_array(self, steps: Numbers) -> Floats:
        result = self.parts[0].values(steps) * self._factor()
        for part in self.parts[1:]:
            result *= part.values(steps)
        return result

    def parts_at(self, step: float) -> Iterator[tuple[str, Schedule, float]]:
        for index, part in enumerate(self.parts):
            yield "times" if index else "first", part, step

    def stretched(self, at: int, total: int) -> Schedule:
        """The longest parts stretched, and those pressed together that would end after the new end."""
        check_stretch(self, at, total)
        lengths = self._lengths()
        least = min(total + 1, max(length for length in lengths if length is not None))
        parts = tuple(
            part.stretched(at, total) if length is not None and length >= least else part
            for part, length in zip(self.parts, lengths, strict=True)
        )
        return replace(self, parts=parts)

    def _text(self) -> str:
        factors = [*map(text_of, self.parts), *([] if self.scale == 1.0 else [repr(self.scale)])]
        surplus = self._surplus() if self.base is not None else 0
        power = f"**{surplus}" if surplus > 1 else ""
        return " * ".join(factors) + (f" / {self.base}{power}" if surplus else "")


def joined(first: Schedule, second: Schedule, at: int | None) -> Joined:
    """`first.then(second, at)`; a chain of them becomes one Joined."""
    if at is None:
        at = first.ending
        if at is None:
            raise ValueError(f"{first!r} has no end; say at which step the next takes over: then(…, at=…)")
    at = step_count("at", at)
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
            pairs.append(((), number("the factor of a schedule", factor)))
    parts = tuple(chain.from_iterable(parts for parts, _ in pairs))
    return Product(parts, pairs[0][1] * pairs[1][1])


def _carried(function: Function, before: Function, last: float) -> Function:
    """A factor that goes on from where the part before left off, asked each time: a metric may move it."""
    return lambda step: before(last) * function(step)
