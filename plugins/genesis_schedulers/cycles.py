"""A curve that starts over and over: each cycle may be longer than the one before, and lower."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from genesis.optim import Schedule
from genesis_schedulers._checks import number
from genesis_schedulers._fields import last_step, part_of, put

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    _Steps = NDArray[Any]
    _Floats = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class Cycles(Schedule):
    """A schedule that starts over each time it ends, for longer each time and from a lower peak.

    In cycle i = 0, 1, 2 and so on, tau steps after its start, the value is

    .. math:: end\\_factor + (decay^i - end\\_factor) \\, part(\\tau / mul^i)

    After the last cycle, if there is one, it is `end_factor`.

    Args:
        part: The first cycle: a schedule with an end, whose values lead from 1 to 0.
        mul: How many times longer each cycle is than the one before, 1 or more; with a `limit` above 0.
        decay: How much lower each cycle starts than the one before, above 0.
        limit: How many cycles there are, 1 or more; None for no end.
        end_factor: What each cycle leads to.

    The values are factors or rates as those of `part` are.

    Raises:
        TypeError: if `part` is not a schedule, or a number is not a number.
        ValueError: if `part` has no end, or a number is not finite or out of its range.

    Example:
        >>> from genesis.optim import Cycles
        >>> from genesis.optim import Linear
        >>> shape = Cycles(Linear(2), mul=2, decay=0.5, limit=2)
        >>> [shape(step) for step in range(7)]
        [1.0, 0.5, 0.5, 0.375, 0.25, 0.125, 0.0]

    Reference: Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", section 3,
    https://arxiv.org/abs/1608.03983
    """

    formula: ClassVar[str] = (
        "end_factor + (decay**i - end_factor) * part(tau / mul**i), tau steps into cycle i"
    )
    part: Schedule
    mul: float = 1.0
    decay: float = 1.0
    limit: int | None = None
    end_factor: float = 0.0

    def __post_init__(self) -> None:
        part, limit = part_of("Cycles", self.part), self.limit
        if not part.horizon:
            raise ValueError(f"Cycles needs a schedule that ends; {part!r} has horizon={part.horizon}")
        if limit is not None and number("limit", limit, low=1) != int(limit):
            raise ValueError(f"limit must be a whole number or None, got {limit!r}")
        low, above = (1.0, None) if limit is None else (None, 0.0)
        put(
            self,
            mul=number("mul", self.mul, low=low, above=above),
            decay=number("decay", self.decay, above=0),
            limit=None if limit is None else int(limit),
            end_factor=number("end_factor", self.end_factor),
            kind=part.kind,
        )
        super().__post_init__()

    @property
    def _first(self) -> int:
        return self.part.horizon or 1

    def _end(self) -> float:
        return math.inf if self.limit is None else cycle_start(self.limit, self._first, self.mul)

    @property
    def horizon(self) -> int | None:
        return None if self.limit is None else last_step(self._end())

    def _place(self, step: float) -> tuple[int, float]:
        """The index of the cycle, and the step as the part counts it."""
        index, start, length = cycle_at(step, self._first, self.mul)
        return index, min((step - start) * (self._first / length), self._first)

    def compiled(self) -> Callable[[float], float]:
        if self.end != "hold":
            return super().compiled()
        part, place, last = self._once().compiled(), self._place, self._end()
        end, decay = float(self.end_factor), float(self.decay)

        def value(step: float) -> float:
            if step >= last:
                return end
            index, local = place(step)
            return end + (decay**index - end) * part(local)

        return value

    def at(self, step: float) -> float:
        if step >= self._end():
            return float(self.end_factor)
        index, local = self._place(step)
        return self.end_factor + (float(self.decay) ** index - self.end_factor) * self._once().value(local)

    def at_array(self, steps: _Steps) -> _Floats:
        import numpy as np

        index, start, length = cycles_at(np.minimum(steps, self._end()), self._first, self.mul)
        local = np.minimum((steps - start) * (self._first / length), self._first)
        height = np.float_power(self.decay, index) - self.end_factor
        curve = self.end_factor + height * self._once().values(local)
        return np.where(steps >= self._end(), float(self.end_factor), curve)

    def _once(self) -> Schedule:
        """The part; one that starts over by itself as if it did not."""
        return self.part if self.part.end != "repeat" else replace(self.part, end="hold")

    def phase(self, step: float) -> str:
        """The number of the cycle, from 1."""
        return "" if step >= self._end() else f"cycle {self._place(step)[0] + 1}"

    def parts_at(self, step: float) -> Iterator[tuple[str, Schedule, float]]:
        if step < self._end():
            yield "part", self.part, self._place(step)[1]


def cycle_at(step: float, first: float, mul: float) -> tuple[int, float, float]:
    """The index of the cycle that a step lies in, the step it starts at, and its length.

    Cycle i is first * mul**i steps long. A logarithm only estimates i: at the edge of a cycle it is often
    one too low (log(243, 3) is a little below 5), so the estimate is compared with the edges.
    """
    if mul == 1:
        index = int(step // first)
        return index, index * first, first
    index = int(math.log(1.0 + step / first * (mul - 1.0)) / math.log(mul))
    if step >= cycle_start(index + 1, first, mul):
        index += 1
    elif step < cycle_start(index, first, mul):
        index -= 1
    return index, cycle_start(index, first, mul), first * float(mul) ** index


def cycles_at(steps: _Steps, first: float, mul: float) -> tuple[_Floats, _Floats, _Floats]:
    """What `cycle_at` gives, for many steps."""
    import numpy as np

    if mul == 1:
        index = np.asarray(steps // first, dtype=np.float64)
        return index, index * first, np.full(steps.shape, float(first))
    index = np.floor(np.log(1.0 + steps / first * (mul - 1.0)) / math.log(mul))
    late = steps >= first * (np.float_power(mul, index + 1) - 1.0) / (mul - 1.0)
    early = steps < first * (np.float_power(mul, index) - 1.0) / (mul - 1.0)
    index = index + late - (early & ~late)
    return index, first * (np.float_power(mul, index) - 1.0) / (mul - 1.0), first * np.float_power(mul, index)


def cycle_start(index: int, first: float, mul: float) -> float:
    """The step at which a cycle starts: the sum of the lengths before."""
    return index * first if mul == 1 else first * (float(mul) ** index - 1.0) / (mul - 1.0)
