"""Shapes of a cosine: one fall, an endless wave, and falls with warm restarts."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from genesis.optim import Schedule
from genesis_schedulers._checks import number, steps
from genesis_schedulers._fields import last_step, put
from genesis_schedulers.cycles import cycle_at, cycles_at

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    _Steps = NDArray[Any]
    _Floats = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class Cosine(Schedule):
    """A fall from 1 to an end factor along half a wave of a cosine; then it stays there.

    Args:
        steps: The length, above 0.
        end_factor: The value at the end.
        exponent: The power to which the cosine is raised, above 0; 1 leaves it as it is.
        k_decay: The exponent of time itself, above 0: more than 1 stays high for longer and falls faster.

    Raises:
        TypeError: if one of them is not a number.
        ValueError: if one is not finite or out of its range.

    Example:
        >>> from genesis.optim import Cosine
        >>> [round(Cosine(4)(step), 4) for step in range(6)]
        [1.0, 0.8536, 0.5, 0.1464, 0.0, 0.0]

    Reference: Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", equation 5,
    https://arxiv.org/abs/1608.03983; `k_decay`: Zhang and Li, https://arxiv.org/abs/2004.05909
    """

    formula: ClassVar[str] = (
        "(1 - end_factor) * (0.5 * (1 + cos(pi * (t / steps) ** k_decay))) ** exponent + end_factor"
    )
    steps: float
    end_factor: float = 0.0
    exponent: float = 1.0
    k_decay: float = 1.0

    def __post_init__(self) -> None:
        put(
            self,
            steps=number("steps", steps("steps", self.steps), above=0),
            end_factor=number("end_factor", self.end_factor),
            exponent=number("exponent", self.exponent, above=0),
            k_decay=number("k_decay", self.k_decay, above=0),
        )
        super().__post_init__()

    @property
    def horizon(self) -> int:
        return last_step(self.steps)

    def at(self, step: float) -> float:
        if step >= self.steps:
            return float(self.end_factor)
        if self.k_decay == 1:
            angle = math.pi * step / self.steps
        else:
            angle = math.pi * (step / self.steps) ** self.k_decay
        fall = 0.5 * (1.0 + math.cos(angle))
        if self.exponent != 1:
            fall **= self.exponent
        return (1.0 - self.end_factor) * fall + self.end_factor

    def at_array(self, steps: _Steps) -> _Floats:
        import numpy as np

        if self.k_decay == 1:
            angle = math.pi * steps / self.steps
        else:
            angle = math.pi * (steps / self.steps) ** self.k_decay
        fall = 0.5 * (1.0 + np.cos(angle))
        if self.exponent != 1:
            fall = fall**self.exponent
        curve = (1.0 - self.end_factor) * fall + self.end_factor
        return np.where(steps >= self.steps, float(self.end_factor), curve)


@dataclass(frozen=True, repr=False)
class CosineWave(Schedule):
    """A cosine that falls from 1 to 0 and climbs back, for ever.

    Args:
        half_period: The steps of one fall, and of one climb, above 0.

    Raises:
        TypeError: if it is not a number.
        ValueError: if it is not finite or not above 0.

    Example:
        >>> from genesis.optim import CosineWave
        >>> [round(CosineWave(2)(step), 4) for step in range(6)]
        [1.0, 0.5, 0.0, 0.5, 1.0, 0.5]

    Reference:
    https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingLR.html
    """

    formula: ClassVar[str] = "0.5 * (1 + cos(pi * t / half_period))"
    half_period: float

    def __post_init__(self) -> None:
        put(self, half_period=number("half_period", steps("half_period", self.half_period), above=0))
        super().__post_init__()

    @property
    def length(self) -> int:
        return last_step(self.half_period)

    def at(self, step: float) -> float:
        return 0.5 * (1.0 + math.cos(math.pi * step / self.half_period))

    def compiled(self) -> Callable[[float], float]:
        if self.end != "hold":
            return super().compiled()
        cos, pi, half = math.cos, math.pi, self.half_period
        return lambda step: 0.5 * (1.0 + cos(pi * step / half))

    def at_array(self, steps: _Steps) -> _Floats:
        import numpy as np

        return np.asarray(0.5 * (1.0 + np.cos(math.pi * steps / self.half_period)))


@dataclass(frozen=True, repr=False)
class CosineRestarts(Schedule):
    """Falls along half a cosine, again and again; each may be longer and start lower than the one before.

    In cycle i = 0, 1, 2 and so on, which is first * mul**i steps long and of which tau steps have passed,

    .. math:: end\\_factor + (1 - end\\_factor) \\, decay^i \\, \\tfrac12 (1 + \\cos(\\pi \\tau / T_i))

    At the step of a restart the value is that of the new cycle. Values between whole steps follow the
    same formula.

    Args:
        first: T_0, the length of the first cycle, above 0.
        mul: How many times longer each cycle is than the one before, 1 or more.
        decay: How much of its height each cycle keeps of the one before, 0 or more.
        end_factor: The value that each cycle falls to.

    Raises:
        TypeError: if one of them is not a number.
        ValueError: if one is not finite or out of its range.

    Example:
        >>> from genesis.optim import CosineRestarts
        >>> [round(CosineRestarts(2, mul=2, decay=0.5)(step), 4) for step in range(7)]
        [1.0, 0.5, 0.5, 0.4268, 0.25, 0.0732, 0.25]

    Reference: Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", equation 5,
    https://arxiv.org/abs/1608.03983
    """

    formula: ClassVar[str] = (
        "end_factor + (1 - end_factor) * decay**i * 0.5 * (1 + cos(pi * tau / T)), "
        "tau steps into cycle i of T = first * mul**i steps"
    )
    first: float
    mul: float = 1.0
    decay: float = 1.0
    end_factor: float = 0.0

    def __post_init__(self) -> None:
        put(
            self,
            first=number("first", steps("first", self.first), above=0),
            mul=number("mul", self.mul, low=1),
            decay=number("decay", self.decay, low=0),
            end_factor=number("end_factor", self.end_factor),
        )
        super().__post_init__()

    def at(self, step: float) -> float:
        index, start, length = cycle_at(step, self.first, self.mul)
        fall = float(self.decay) ** index * (0.5 * (1.0 + math.cos(math.pi * (step - start) / length)))
        return (1.0 - self.end_factor) * fall + self.end_factor

    def at_array(self, steps: _Steps) -> _Floats:
        import numpy as np

        index, start, length = cycles_at(steps, self.first, self.mul)
        height = np.float_power(self.decay, index)
        fall = height * (0.5 * (1.0 + np.cos(math.pi * (steps - start) / length)))
        return np.asarray((1.0 - self.end_factor) * fall + self.end_factor)

    def phase(self, step: float) -> str:
        """The number of the cycle, from 1."""
        return f"cycle {cycle_at(step, self.first, self.mul)[0] + 1}"
