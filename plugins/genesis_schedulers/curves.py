"""Shapes of one fall with a profile of their own, and curves through given points."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from genesis.optim import Schedule
from genesis_schedulers._checks import choice, number, steps
from genesis_schedulers._fields import last_step, numbers, places, put

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    _Steps = NDArray[Any]
    _Floats = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class Tanh(Schedule):
    """A fall along a hyperbolic tangent: high for long, steep in the middle, low at the end.

    With p = t / steps the factor is end_factor + (1 - end_factor) f,

    .. math:: f = \\tfrac12 (1 - \\tanh(lb \\, (1 - p) + ub \\, p))

    It is near 1 at step 0, and near `end_factor` at the end: how near, `lb` and `ub` say.

    Args:
        steps: The length, above 0.
        lb: The argument of the tangent at step 0, below `ub`.
        ub: The argument of the tangent at the end.
        end_factor: The value that the end is near.

    Raises:
        TypeError: if one of them is not a number.
        ValueError: if one is not finite or out of its range, or `lb` is not below `ub`.

    Example:
        >>> from genesis.optim import Tanh
        >>> [round(Tanh(10)(step), 4) for step in (0, 5, 7, 10)]
        [1.0, 0.982, 0.5, 0.0025]

    Reference: Hsueh et al., "Stochastic Gradient Descent with Hyperbolic-Tangent Decay on Classification",
    https://arxiv.org/abs/1806.01593
    """

    formula: ClassVar[str] = (
        "0.5 * (1 - tanh(lb * (1 - t / steps) + ub * t / steps)), with the end at end_factor"
    )
    steps: float
    lb: float = -7.0
    ub: float = 3.0
    end_factor: float = 0.0

    def __post_init__(self) -> None:
        put(
            self,
            steps=number("steps", steps("steps", self.steps), above=0),
            lb=number("lb", self.lb),
            ub=number("ub", self.ub),
            end_factor=number("end_factor", self.end_factor),
        )
        if self.lb >= self.ub:
            raise ValueError(f"lb must be below ub, got lb={self.lb} and ub={self.ub}")
        super().__post_init__()

    @property
    def horizon(self) -> int:
        return last_step(self.steps)

    def at(self, step: float) -> float:
        part = min(step, self.steps) / self.steps
        fall = 0.5 * (1.0 - math.tanh(self.lb * (1.0 - part) + self.ub * part))
        return self.end_factor + (1.0 - self.end_factor) * fall

    def at_array(self, steps: _Steps) -> _Floats:
        import numpy as np

        part = np.minimum(steps, self.steps) / self.steps
        fall = 0.5 * (1.0 - np.tanh(self.lb * (1.0 - part) + self.ub * part))
        return np.asarray(self.end_factor + (1.0 - self.end_factor) * fall)


@dataclass(frozen=True, repr=False)
class REX(Schedule):
    """A fall that is slow at first and ever faster, for trainings of any budget.

    Args:
        steps: The length, above 0.
        end_factor: The value at the end.

    Raises:
        TypeError: if one of them is not a number.
        ValueError: if one is not finite or out of its range.

    Example:
        >>> from genesis.optim import REX
        >>> [round(REX(4)(step), 4) for step in range(5)]
        [1.0, 0.8571, 0.6667, 0.4, 0.0]

    Reference: Chen, Wolfe and Kyrillidis, "REX: Revisiting Budgeted Training with an Improved Schedule",
    https://arxiv.org/abs/2107.04197
    """

    formula: ClassVar[str] = "(1 - p) / (1/2 + (1 - p) / 2), p = t / steps, with the end at end_factor"
    steps: float
    end_factor: float = 0.0

    def __post_init__(self) -> None:
        put(
            self,
            steps=number("steps", steps("steps", self.steps), above=0),
            end_factor=number("end_factor", self.end_factor),
        )
        super().__post_init__()

    @property
    def horizon(self) -> int:
        return last_step(self.steps)

    def at(self, step: float) -> float:
        left = 1.0 - min(step, self.steps) / self.steps
        return self.end_factor + (1.0 - self.end_factor) * (left / (0.5 + 0.5 * left))

    def at_array(self, steps: _Steps) -> _Floats:
        import numpy as np

        left = 1.0 - np.minimum(steps, self.steps) / self.steps
        return np.asarray(self.end_factor + (1.0 - self.end_factor) * (left / (0.5 + 0.5 * left)))


@dataclass(frozen=True, repr=False)
class Piecewise(Schedule):
    """A curve through given values: stairs, straight lines, or halves of a cosine between them.

    The first value is that of step 0, each other one that of its boundary; after the last it stays.

    Args:
        boundaries: The steps at which a value is reached, strictly ascending, each above 0; at least one.
        levels: The values, one more than there are boundaries.
        between: `"constant"` keeps each value until the next boundary, `"linear"` and `"cosine"` lead to it.

    Raises:
        TypeError: if one of the lists is not a list of numbers.
        ValueError: if the boundaries are not strictly ascending, the lists do not fit together, a number is
            not finite, or `between` is none of the three.

    Example:
        >>> from genesis.optim import Piecewise
        >>> stairs = Piecewise([2, 4], [1.0, 0.5, 0.1])
        >>> [stairs(step) for step in range(6)]
        [1.0, 1.0, 0.5, 0.5, 0.1, 0.1]
        >>> Piecewise([2, 4], [1.0, 0.5, 0.1], between="linear")(1)
        0.75
    """

    formula: ClassVar[str] = (
        "levels[0] at step 0, levels[i + 1] at boundaries[i], in between as `between` says"
    )
    boundaries: tuple[float, ...]
    levels: tuple[float, ...]
    between: Literal["constant", "linear", "cosine"] = "constant"

    def __post_init__(self) -> None:
        put(
            self,
            boundaries=places("boundaries", self.boundaries, strictly=True),
            levels=numbers("levels", self.levels),
            between=choice("between", self.between, ("constant", "linear", "cosine")),
        )
        if not self.boundaries or len(self.levels) != len(self.boundaries) + 1:
            raise ValueError(
                f"Piecewise needs boundaries, and one level more than there are of them; got "
                f"{len(self.boundaries)} boundaries and {len(self.levels)} levels"
            )
        super().__post_init__()

    @property
    def horizon(self) -> int | None:
        return None if self.between == "constant" else last_step(self.boundaries[-1])

    def at(self, step: float) -> float:
        index = bisect_right(self.boundaries, step)
        if self.between == "constant" or index == len(self.boundaries):
            return float(self.levels[index])
        begin = self.boundaries[index - 1] if index else 0.0
        part = (step - begin) / (self.boundaries[index] - begin)
        start, end = self.levels[index], self.levels[index + 1]
        if self.between == "linear":
            return (end - start) * part + start
        return end + (start - end) / 2.0 * (math.cos(math.pi * part) + 1.0)

    def at_array(self, steps: _Steps) -> _Floats:
        import numpy as np

        levels, bounds = np.array(self.levels, dtype=np.float64), np.array((0.0, *self.boundaries))
        index = np.searchsorted(bounds[1:], steps, side="right")
        if self.between == "constant":
            return np.asarray(levels[index])
        late = index == len(self.boundaries)
        index = np.where(late, 0, index)
        start, end = levels[index], levels[index + 1]
        part = (steps - bounds[index]) / (bounds[index + 1] - bounds[index])
        if self.between == "linear":
            curve = (end - start) * part + start
        else:
            curve = end + (start - end) / 2.0 * (np.cos(math.pi * part) + 1.0)
        return np.asarray(np.where(late, levels[-1], curve))
