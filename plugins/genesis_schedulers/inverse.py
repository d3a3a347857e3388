"""Shapes that fall with the inverse of time, or of its square root, and never end."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from genesis.optim import Schedule
from genesis_schedulers._checks import number, steps
from genesis_schedulers._fields import flag, put

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    _Steps = NDArray[Any]
    _Floats = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class InverseTime(Schedule):
    """A fall with the inverse of the time, smooth or in stairs.

    Args:
        steps: The unit of time, above 0.
        rate: How fast it falls, 0 or more: after `steps` steps the factor is 1 / (1 + rate).
        staircase: Count only whole units of time.

    Raises:
        TypeError: if a number is not a number, or `staircase` not a bool.
        ValueError: if one is not finite or out of its range.

    Example:
        >>> from genesis.optim import InverseTime
        >>> [InverseTime(1, rate=1)(step) for step in (0, 1, 3)]
        [1.0, 0.5, 0.25]

    Reference: Robbins and Monro, "A Stochastic Approximation Method", https://doi.org/10.1214/aoms/1177729586
    (sequences of type 1/n); https://keras.io/api/optimizers/learning_rate_schedules/inverse_time_decay/
    """

    formula: ClassVar[str] = "1 / (1 + rate * t / steps)"
    steps: float
    rate: float
    staircase: bool = False

    def __post_init__(self) -> None:
        put(
            self,
            steps=number("steps", steps("steps", self.steps), above=0),
            rate=number("rate", self.rate, low=0),
            staircase=flag("staircase", self.staircase),
        )
        super().__post_init__()

    def at(self, step: float) -> float:
        time = step / self.steps
        return 1.0 / (1.0 + self.rate * (math.floor(time) if self.staircase else time))

    def at_array(self, steps: _Steps) -> _Floats:
        import numpy as np

        time = steps / self.steps
        return np.asarray(1.0 / (1.0 + self.rate * (np.floor(time) if self.staircase else time)))


@dataclass(frozen=True, repr=False)
class InverseSqrt(Schedule):
    """A fall with the inverse square root of the time, or with another power of it.

    After a warmup of W steps, `InverseSqrt(W).with_warmup(W)`, it is sqrt(W / t): the usual schedule of
    Transformers.

    Args:
        timescale: The time that seems to have passed at step 0, above 0; large ones fall slowly.
        power: The exponent, above 0; a half is the square root.

    Raises:
        TypeError: if one of them is not a number.
        ValueError: if one is not finite or not above 0.

    Example:
        >>> from genesis.optim import InverseSqrt
        >>> [InverseSqrt(1)(step) for step in (0, 3, 15)]
        [1.0, 0.5, 0.25]

    Reference: Zhai et al., "Scaling Vision Transformers", section 3.5, https://arxiv.org/abs/2106.04560;
    `power`: Shen et al., "Power Scheduler", https://arxiv.org/abs/2408.13359
    """

    formula: ClassVar[str] = "(1 + t / timescale) ** -power"
    timescale: float
    power: float = 0.5

    def __post_init__(self) -> None:
        put(
            self,
            timescale=number("timescale", steps("timescale", self.timescale), above=0),
            power=number("power", self.power, above=0),
        )
        super().__post_init__()

    def at(self, step: float) -> float:
        if self.power == 0.5:  # correctly rounded, unlike the power
            return math.sqrt(self.timescale / (step + self.timescale))
        return float((1.0 + step / self.timescale) ** -self.power)

    def at_array(self, steps: _Steps) -> _Floats:
        import numpy as np

        if self.power == 0.5:
            return np.asarray(np.sqrt(self.timescale / (steps + self.timescale)))
        return np.asarray((1.0 + steps / self.timescale) ** -self.power)


@dataclass(frozen=True, repr=False)
class Noam(Schedule):
    """The rates of "Attention Is All You Need": a linear rise, then a fall with the inverse square root.

    Step 0 here is step 1 there, so the first rate is not 0. The peak, at step `warmup_steps` - 1, is
    scale / sqrt(model_size * warmup_steps).

    Args:
        model_size: The width of the model, above 0.
        warmup_steps: The length of the rise, above 0.
        scale: Multiplies all rates, above 0.

    Raises:
        TypeError: if one of them is not a number.
        ValueError: if one is not finite or not above 0.

    Example:
        >>> from genesis.optim import Noam
        >>> [Noam(64, warmup_steps=4)(step) for step in (0, 3, 15)]
        [0.015625, 0.0625, 0.03125]

    Reference: Vaswani et al., "Attention Is All You Need", equation 3, https://arxiv.org/abs/1706.03762
    """

    formula: ClassVar[str] = "scale * model_size**-0.5 * min((t + 1)**-0.5, (t + 1) * warmup_steps**-1.5)"
    model_size: float
    warmup_steps: float
    scale: float = 1.0
    kind: Literal["factor", "value"] = field(default="value", kw_only=True)

    def __post_init__(self) -> None:
        put(
            self,
            model_size=number("model_size", self.model_size, above=0),
            warmup_steps=number("warmup_steps", steps("warmup_steps", self.warmup_steps), above=0),
            scale=number("scale", self.scale, above=0),
        )
        super().__post_init__()

    def at(self, step: float) -> float:
        time = step + 1.0
        return float(self.scale * self.model_size**-0.5 * min(time**-0.5, time * self.warmup_steps**-1.5))

    def at_array(self, steps: _Steps) -> _Floats:
        import numpy as np

        time = steps + 1.0
        factor = np.minimum(time**-0.5, time * self.warmup_steps**-1.5)
        return np.asarray(self.scale * self.model_size**-0.5 * factor)

    def phase(self, step: float) -> str:
        """It is "warmup" until the peak, then "decay"."""
        return "warmup" if step + 1 < self.warmup_steps else "decay"
