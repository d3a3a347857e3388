"""Shapes that rise and fall: triangular waves and one cycle."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from genesis.optim import Schedule
from genesis_schedulers._checks import choice, number, steps
from genesis_schedulers._fields import flag, put

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    _Steps = NDArray[Any]
    _Floats = NDArray[np.float64]


def wave(step: float, up: float, down: float) -> float:
    """The height of a wave of straight lines: from 0 to 1 in `up` steps, and back in `down` steps."""
    place = step % (up + down)
    return place / up if place <= up else (up + down - place) / down


@dataclass(frozen=True, repr=False)
class Triangular(Schedule):
    """A wave of straight lines between two rates, whose peaks may shrink.

    Args:
        low: The rate at the start of each cycle.
        high: The rate at the peak; below `low`, the wave goes down first, as a momentum should.
        step_size_up: The steps from `low` to `high`, above 0.
        step_size_down: The steps back, above 0; None for as many as up.
        mode: `"triangular"` for peaks of one height, `"triangular2"` to halve it with each cycle,
            `"exp_range"` to multiply it by `gamma` with each step.
        gamma: The ratio of `"exp_range"`, 0 or more.

    Raises:
        TypeError: if a number is not a number.
        ValueError: if one is not finite or out of its range, or `mode` is none of the three.

    Example:
        >>> from genesis.optim import Triangular
        >>> [Triangular(0.0, 1.0, step_size_up=2, mode="triangular2")(step) for step in range(8)]
        [0.0, 0.5, 1.0, 0.5, 0.0, 0.25, 0.5, 0.25]

    Reference: Smith, "Cyclical Learning Rates for Training Neural Networks", section 3,
    https://arxiv.org/abs/1506.01186
    """

    formula: ClassVar[str] = (
        "low + (high - low) * s * scale, s from 0 up to 1 and back in each cycle, "
        "scale = 1, 0.5**cycle or gamma**t by mode"
    )
    low: float
    high: float
    step_size_up: float = 2000
    step_size_down: float | None = None
    mode: Literal["triangular", "triangular2", "exp_range"] = "triangular"
    gamma: float = 1.0
    kind: Literal["factor", "value"] = field(default="value", kw_only=True)

    def __post_init__(self) -> None:
        down = self.step_size_down
        put(
            self,
            low=number("low", self.low),
            high=number("high", self.high),
            step_size_up=number("step_size_up", steps("step_size_up", self.step_size_up), above=0),
            step_size_down=(
                None if down is None else number("step_size_down", steps("step_size_down", down), above=0)
            ),
            mode=choice("mode", self.mode, ("triangular", "triangular2", "exp_range")),
            gamma=number("gamma", self.gamma, low=0),
        )
        super().__post_init__()

    def _down(self) -> float:
        return self.step_size_up if self.step_size_down is None else self.step_size_down

    def at(self, step: float) -> float:
        up, down = self.step_size_up, self._down()
        height = wave(step, up, down)
        if self.mode == "triangular2":
            height *= 0.5 ** (step // (up + down))
        elif self.mode == "exp_range":
            height *= float(self.gamma) ** step
        return self.low + (self.high - self.low) * height

    def at_array(self, steps: _Steps) -> _Floats:
        import numpy as np

        up, down = self.step_size_up, self._down()
        place = steps % (up + down)
        height = np.where(place <= up, place / up, (up + down - place) / down)
        if self.mode == "triangular2":
            height = height * np.float_power(0.5, steps // (up + down))
        elif self.mode == "exp_range":
            height = height * np.float_power(self.gamma, steps)
        return np.asarray(self.low + (self.high - self.low) * height)

    def phase(self, step: float) -> str:
        """The number of the cycle, from 1, and "up" or "down"."""
        cycle, place = divmod(step, self.step_size_up + self._down())
        return f"cycle {int(cycle) + 1}, {'up' if place <= self.step_size_up else 'down'}"


def along(step: float, ends: tuple[float, ...], levels: tuple[float, ...], anneal: str) -> float:
    """A value that leads from one level to the next, along lines or half cosines.

    Args:
        step: Where.
        ends: The steps at which the phases end; they need not be whole, and need not be positive.
        levels: The values at step 0 and at each end.
        anneal: `"cos"` or `"linear"`.
    """
    index = bisect_left(ends, step)
    if index == len(ends):
        return float(levels[-1])
    begin = ends[index - 1] if index else 0.0
    if ends[index] <= begin:  # a phase of no length, at whose end we are
        return float(levels[index + 1])
    part = (step - begin) / (ends[index] - begin)
    return (line if anneal == "linear" else half_cosine)(levels[index], levels[index + 1], part)


def along_array(steps: _Steps, ends: tuple[float, ...], levels: tuple[float, ...], anneal: str) -> _Floats:
    """`along` for an array of steps."""
    import numpy as np

    corners, heights = np.array(ends, dtype=np.float64), np.array(levels, dtype=np.float64)
    index = np.searchsorted(corners, steps, side="left")
    late, index = index == len(corners), np.minimum(index, len(corners) - 1)
    begin = np.array((0.0, *ends[:-1]))[index]
    length = corners[index] - begin
    part = np.where(length > 0, (steps - begin) / np.where(length > 0, length, 1.0), 1.0)
    start, end = heights[index], heights[index + 1]
    if anneal == "linear":
        curve = (end - start) * part + start
    else:
        curve = end + (start - end) / 2.0 * (np.cos(math.pi * part) + 1.0)
    return np.asarray(np.where(late, heights[-1], curve))


def line(start: float, end: float, part: float) -> float:
    """The value after a part of the straight way between two."""
    return (end - start) * part + start


def half_cosine(start: float, end: float, part: float) -> float:
    """The value after a part of the way between two along half a cosine."""
    return end + (start - end) / 2.0 * (math.cos(math.pi * part) + 1.0)


@dataclass(frozen=True, repr=False)
class OneCycle(Schedule):
    """One rise to the largest rate, one fall far below the first: the 1cycle policy.

    It starts at max_lr / div_factor and ends, at step total_steps - 1, at that divided by
    final_div_factor. With `three_phase` the fall takes as long as the rise and leads back to the first
    rate; the rest of the steps goes down to the last.

    Args:
        max_lr: The rate at the peak.
        total_steps: How many steps there are, step 0 included; a whole number, 1 or more.
        pct_start: The part of them that rises, from 0 to 1.
        anneal: The form of all phases: `"cos"` or `"linear"`.
        div_factor: The peak divided by the first rate, above 0.
        final_div_factor: The first rate divided by the last, above 0.
        three_phase: Fall back to the first rate before the last phase.

    Raises:
        TypeError: if a number is not a number, or `three_phase` not a bool.
        ValueError: if one is not finite or out of its range, or `anneal` is neither of the two.

    Example:
        >>> from genesis.optim import OneCycle
        >>> shape = OneCycle(1.0, total_steps=7, pct_start=3 / 7, anneal="linear", div_factor=2)
        >>> [round(shape(step), 2) for step in range(7)]
        [0.5, 0.75, 1.0, 0.75, 0.5, 0.25, 0.0]

    Reference: Smith and Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large
    Learning Rates", https://arxiv.org/abs/1708.07120
    """

    formula: ClassVar[str] = (
        "max_lr / div_factor up to max_lr at pct_start * total_steps - 1, "
        "down to max_lr / div_factor / final_div_factor at total_steps - 1"
    )
    max_lr: float
    total_steps: float
    pct_start: float = 0.3
    anneal: Literal["cos", "linear"] = "cos"
    div_factor: float = 25.0
    final_div_factor: float = 1e4
    three_phase: bool = False
    kind: Literal["factor", "value"] = field(default="value", kw_only=True)

    def __post_init__(self) -> None:
        total = number("total_steps", steps("total_steps", self.total_steps), low=1)
        if total != int(total):
            raise ValueError(f"total_steps must be a whole number, got {self.total_steps!r}")
        put(
            self,
            max_lr=number("max_lr", self.max_lr),
            total_steps=int(total),
            pct_start=number("pct_start", self.pct_start, low=0, high=1),
            anneal=choice("anneal", self.anneal, ("cos", "linear")),
            div_factor=number("div_factor", self.div_factor, above=0),
            final_div_factor=number("final_div_factor", self.final_div_factor, above=0),
            three_phase=flag("three_phase", self.three_phase),
        )
        super().__post_init__()

    @property
    def horizon(self) -> int:
        return int(self.total_steps) - 1

    def _corners(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """The steps at which the phases end, which need not be whole, and the rates there and at step 0."""
        first = self.max_lr / self.div_factor
        peak, last = self.pct_start * self.total_steps - 1, self.total_steps - 1
        if self.three_phase:
            ends: tuple[float, ...] = (peak, 2 * self.pct_start * self.total_steps - 2, last)
            return ends, (first, self.max_lr, first, first / self.final_div_factor)
        return (peak, last), (first, self.max_lr, first / self.final_div_factor)

    def at(self, step: float) -> float:
        return along(step, *self._corners(), self.anneal)

    def at_array(self, steps: _Steps) -> _Floats:
        return along_array(steps, *self._corners(), self.anneal)

    def phase(self, step: float) -> str:
        """One of "rise", "fall" and, with three phases, "last"."""
        ends, _ = self._corners()
        return ("rise", "fall", "last")[sum(step > end for end in ends[:-1])]
