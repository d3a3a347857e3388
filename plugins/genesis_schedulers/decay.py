"""Shapes that fall: constant, linear, polynomial, exponential, in stairs, and as the inverse of time."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from genesis.optim import Schedule
from genesis_schedulers._checks import number, steps
from genesis_schedulers._fields import flag, last_step, places, put

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    _Steps = NDArray[Any]
    _Floats = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class Constant(Schedule):
    """The same factor at every step.

    Args:
        factor: The value.

    Raises:
        TypeError, ValueError: if `factor` is not a finite number.

    Example:
        >>> from genesis.optim import Constant
        >>> Constant(0.5)(0), Constant(0.5)(1000)
        (0.5, 0.5)
    """

    formula: ClassVar[str] = "factor"
    factor: float = 1.0

    def __post_init__(self) -> None:
        put(self, factor=number("factor", self.factor))
        super().__post_init__()

    def at(self, step: float) -> float:
        return float(self.factor)

    def at_array(self, steps: _Steps) -> _Floats:
        import numpy as np

        return np.full(steps.shape, self.factor, dtype=np.float64)


@dataclass(frozen=True, repr=False)
class ConstantUntil(Schedule):
    """One factor until a step, and 1 from there on.

    Args:
        factor: The value before `steps`.
        steps: How many steps have it, 0 or more.

    Raises:
        TypeError: if one of them is not a number.
        ValueError: if one is not finite, or `steps` is negative.

    Example:
        >>> from genesis.optim import ConstantUntil
        >>> [ConstantUntil(0.25, 2)(step) for step in range(4)]
        [0.25, 0.25, 1.0, 1.0]

    Reference: https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ConstantLR.html
    """

    formula: ClassVar[str] = "factor if t < steps else 1"
    factor: float
    steps: float

    def __post_init__(self) -> None:
        put(self, factor=number("factor", self.factor), steps=steps("steps", self.steps))
        super().__post_init__()

    @property
    def horizon(self) -> int:
        return last_step(self.steps)

    def at(self, step: float) -> float:
        return float(self.factor) if step < self.steps else 1.0

    def at_array(self, steps: _Steps) -> _Floats:
        import numpy as np

        return np.where(steps < self.steps, float(self.factor), 1.0)


@dataclass(frozen=True, repr=False)
class Linear(Schedule):
    """A straight line from one factor to another.

    Args:
        steps: The length, 0 or more; with 0 it is at its end at once.
        start_factor: The value at step 0.
        end_factor: The value from step `steps` on.

    Raises:
        TypeError: if one of them is not a number.
        ValueError: if one is not finite, or `steps` is negative.

    Example:
        >>> from genesis.optim import Linear
        >>> [Linear(4)(step) for step in range(6)]
        [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    """

    formula: ClassVar[str] = "start_factor + (end_factor - start_factor) * min(t, steps) / steps"
    steps: float
    start_factor: float = 1.0
    end_factor: float = 0.0

    def __post_init__(self) -> None:
        put(
            self,
            steps=steps("steps", self.steps),
            start_factor=number("start_factor", self.start_factor),
            end_factor=number("end_factor", self.end_factor),
        )
        super().__post_init__()

    @property
    def horizon(self) -> int:
        return last_step(self.steps)

    def at(self, step: float) -> float:
        if step >= self.steps:  # start + (end - start) may miss the end by a rounding
            return float(self.end_factor)
        return self.start_factor + (self.end_factor - self.start_factor) * step / self.steps

    def at_array(self, steps: _Steps) -> _Floats:
        import numpy as np

        line = self.start_factor + (self.end_factor - self.start_factor) * steps / (self.steps or 1)
        return np.where(steps >= self.steps, float(self.end_factor), line)


@dataclass(frozen=True, repr=False)
class Polynomial(Schedule):
    """A fall from 1 to an end factor with a power of the time that is left.

    With `cycle` it never ends: each time it has arrived, it falls again over a stretch that is `steps`
    longer than all before, counted from step 0.

    Args:
        steps: The length, above 0.
        power: The exponent, above 0; 1 is a straight line.
        end_factor: The value at the end.
        cycle: Start anew after the end, with the length rounded up to the next multiple of `steps`.
        k_decay: The exponent of time itself, above 0: more than 1 stays high for longer and falls faster.

    Raises:
        TypeError: if a number is not a number, or `cycle` not a bool.
        ValueError: if one is not finite or out of its range.

    Example:
        >>> from genesis.optim import Polynomial
        >>> [Polynomial(4, power=2)(step) for step in range(6)]
        [1.0, 0.5625, 0.25, 0.0625, 0.0, 0.0]

    Reference: `k_decay`: Zhang and Li, "k-decay: A New Method for Learning Rate Schedule",
    https://arxiv.org/abs/2004.05909; `cycle`: https://keras.io/api/optimizers/learning_rate_schedules/
    """

    formula: ClassVar[str] = "(1 - end_factor) * (1 - (t / steps) ** k_decay) ** power + end_factor"
    steps: float
    power: float = 1.0
    end_factor: float = 0.0
    cycle: bool = False
    k_decay: float = 1.0

    def __post_init__(self) -> None:
        put(
            self,
            steps=number("steps", steps("steps", self.steps), above=0),
            power=number("power", self.power, above=0),
            end_factor=number("end_factor", self.end_factor),
            cycle=flag("cycle", self.cycle),
            k_decay=number("k_decay", self.k_decay, above=0),
        )
        super().__post_init__()

    @property
    def horizon(self) -> int | None:
        return None if self.cycle else last_step(self.steps)

    def at(self, step: float) -> float:
        length = self.steps
        if self.cycle:
            length *= max(1, math.ceil(step / length))
        progress = min(step, length) / length
        if self.k_decay != 1:
            progress **= self.k_decay
        return float((1.0 - self.end_factor) * (1.0 - progress) ** self.power + self.end_factor)

    def at_array(self, steps: _Steps) -> _Floats:
        import numpy as np

        length = self.steps * np.ones(steps.shape)
        if self.cycle:
            length *= np.maximum(1.0, np.ceil(steps / self.steps))
        progress = np.minimum(steps, length) / length
        if self.k_decay != 1:
            progress = progress**self.k_decay
        return np.asarray((1.0 - self.end_factor) * (1.0 - progress) ** self.power + self.end_factor)


@dataclass(frozen=True, repr=False)
class Exponential(Schedule):
    """The same ratio from each step to the next.

    Args:
        gamma: The ratio, 0 or more.

    Raises:
        TypeError: if it is not a number.
        ValueError: if it is not finite, or negative.

    Example:
        >>> from genesis.optim import Exponential
        >>> [Exponential(0.5)(step) for step in range(4)]
        [1.0, 0.5, 0.25, 0.125]
    """

    formula: ClassVar[str] = "gamma ** t"
    gamma: float

    def __post_init__(self) -> None:
        put(self, gamma=number("gamma", self.gamma, low=0))
        super().__post_init__()

    def at(self, step: float) -> float:
        return float(float(self.gamma) ** step)

    def compiled(self) -> Callable[[float], float]:
        gamma = float(self.gamma)
        return lambda step: gamma**step

    def at_array(self, steps: _Steps) -> _Floats:
        import numpy as np

        return np.asarray(np.float_power(self.gamma, steps))


@dataclass(frozen=True, repr=False)
class ExponentialDecay(Schedule):
    """A ratio over a number of steps, smooth or in stairs, from a first step and down to an end.

    Args:
        steps: Over how many steps the factor changes by `rate`, above 0.
        rate: The ratio, above 0.
        staircase: Change only after each `steps` whole steps.
        begin: How many steps the factor stays at 1 first, 0 or more.
        end_factor: Where the change stops: the least factor for a rate below 1, the largest for one above.

    Raises:
        TypeError: if a number is not a number, or `staircase` not a bool.
        ValueError: if one is not finite or out of its range.

    Example:
        >>> from genesis.optim import ExponentialDecay
        >>> [ExponentialDecay(2, 0.25)(step) for step in range(4)]
        [1.0, 0.5, 0.25, 0.125]
        >>> [ExponentialDecay(2, 0.25, staircase=True)(step) for step in range(4)]
        [1.0, 1.0, 0.25, 0.25]

    Reference: https://optax.readthedocs.io/en/latest/api/optimizer_schedules.html (exponential_decay)
    """

    formula: ClassVar[str] = "rate ** (max(0, t - begin) / steps), down to end_factor"
    steps: float
    rate: float
    staircase: bool = False
    begin: float = 0
    end_factor: float | None = None

    def __post_init__(self) -> None:
        end = self.end_factor
        put(
            self,
            steps=number("steps", steps("steps", self.steps), above=0),
            rate=number("rate", self.rate, above=0),
            staircase=flag("staircase", self.staircase),
            begin=steps("begin", self.begin),
            end_factor=None if end is None else number("end_factor", end),
        )
        if self.end_factor is not None and (self.end_factor - 1) * (self.rate - 1) < 0:
            side = "at most" if self.rate < 1 else "at least"
            raise ValueError(f"end_factor must be {side} 1 with rate={self.rate}, got {self.end_factor}")
        super().__post_init__()

    def _most(self) -> float:
        """A power that lies beyond the end of a rise: larger ones would only overflow."""
        end = self.end_factor
        return math.inf if end is None or self.rate <= 1 else 1 + math.log(end) / math.log(self.rate)

    def at(self, step: float) -> float:
        power = min(max(0, step - self.begin) / self.steps, self._most())
        value = float(float(self.rate) ** (math.floor(power) if self.staircase else power))
        if self.end_factor is None:
            return value
        return float((max if self.rate < 1 else min)(value, self.end_factor))

    def at_array(self, steps: _Steps) -> _Floats:
        import numpy as np

        power = np.minimum(np.maximum(0, steps - self.begin) / self.steps, self._most())
        value = np.float_power(self.rate, np.floor(power) if self.staircase else power)
        if self.end_factor is not None:
            value = (np.maximum if self.rate < 1 else np.minimum)(value, self.end_factor)
        return np.asarray(value)


@dataclass(frozen=True, repr=False)
class Step(Schedule):
    """A stair at each multiple of a number of steps.

    Args:
        step_size: The length of a stair, above 0.
        gamma: The ratio from one stair to the next, 0 or more.

    Raises:
        TypeError: if one of them is not a number.
        ValueError: if one is not finite or out of its range.

    Example:
        >>> from genesis.optim import Step
        >>> [Step(2, gamma=0.5)(step) for step in range(6)]
        [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
    """

    formula: ClassVar[str] = "gamma ** floor(t / step_size)"
    step_size: float
    gamma: float = 0.1

    def __post_init__(self) -> None:
        put(
            self,
            step_size=number("step_size", steps("step_size", self.step_size), above=0),
            gamma=number("gamma", self.gamma, low=0),
        )
        super().__post_init__()

    def at(self, step: float) -> float:
        return float(float(self.gamma) ** (step // self.step_size))

    def at_array(self, steps: _Steps) -> _Floats:
        import numpy as np

        return np.asarray(np.float_power(self.gamma, steps // self.step_size))


@dataclass(frozen=True, repr=False)
class MultiStep(Schedule):
    """A stair at each of a list of steps.

    Args:
        milestones: The steps, ascending, each 0 or more; one that comes twice counts twice.
        gamma: The ratio from one stair to the next, 0 or more.

    Raises:
        TypeError: if `milestones` is not a list of numbers, or `gamma` not a number.
        ValueError: if the milestones are not sorted, or a number is not finite or out of its range.

    Example:
        >>> from genesis.optim import MultiStep
        >>> [MultiStep([2, 4], gamma=0.5)(step) for step in range(6)]
        [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
    """

    formula: ClassVar[str] = "gamma ** (number of milestones <= t)"
    milestones: tuple[float, ...]
    gamma: float = 0.1

    def __post_init__(self) -> None:
        put(
            self,
            milestones=places("milestones", self.milestones),
            gamma=number("gamma", self.gamma, low=0),
        )
        super().__post_init__()

    def at(self, step: float) -> float:
        return float(float(self.gamma) ** bisect_right(self.milestones, step))

    def at_array(self, steps: _Steps) -> _Floats:
        import numpy as np

        stairs = np.searchsorted(np.array(self.milestones, dtype=np.float64), steps, side="right")
        return np.asarray(np.float_power(self.gamma, stairs))
