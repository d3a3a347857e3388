"""The shapes of the built-in schedules: pure functions of the step, with nothing that follows them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from genesis.optim import Schedule

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, repr=False)
class FromFunction(Schedule):
    """The schedule that a function gives.

    Args:
        function: Maps a step to a number. It should depend on the step alone: it is called to preview, too.

    Example:
        >>> FromFunction(lambda step: 0.5**step)(3)
        0.125
    """

    function: Callable[[int], float]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not callable(self.function):
            given = type(self.function).__name__
            raise TypeError(f"expected a function of the step, got {given}: {self.function!r}")

    def at(self, step: int) -> float:
        return self.function(step)

    def to_config(self) -> dict[str, Any]:
        raise TypeError(f"{self!r} cannot be a configuration: a function has no parameters to write down")


@dataclass(frozen=True, repr=False)
class CosineWithWarmup(Schedule):
    r"""A linear rise from 0 to 1, then a fall along a cosine.

    With W warmup steps, N steps in all and c cycles, the factor at step s is

    .. math:: s / W \text{ for } s < W, \text{ then } \tfrac12 (1 + \cos(2 \pi c \, (s - W) / (N - W)))

    After step N it stays at its end value: 0 for half a cycle.

    Args:
        num_warmup_steps: W, from 0 to N.
        num_training_steps: N, above 0; the warmup is a part of it.
        num_cycles: c, 0 or more; a half falls from 1 to 0 once.

    Raises:
        TypeError: if one of them is not a number.
        ValueError: if one is out of its range.

    Example:
        >>> shape = CosineWithWarmup(2, 6)
        >>> [round(shape(step), 4) for step in range(8)]
        [0.0, 0.5, 1.0, 0.8536, 0.5, 0.1464, 0.0, 0.0]

    Reference: Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts" (the cosine),
    https://arxiv.org/abs/1608.03983; Goyal et al., https://arxiv.org/abs/1706.02677 (the warmup).
    """

    num_warmup_steps: float
    num_training_steps: float
    num_cycles: float = 0.5

    def __post_init__(self) -> None:
        for name in ("num_warmup_steps", "num_training_steps", "num_cycles"):
            object.__setattr__(self, name, _number(name, getattr(self, name)))
        if self.num_training_steps <= 0:
            raise ValueError(f"num_training_steps must be above 0, got {self.num_training_steps}")
        if self.num_warmup_steps > self.num_training_steps:
            raise ValueError(
                f"num_warmup_steps={self.num_warmup_steps} is more than num_training_steps="
                f"{self.num_training_steps}: the warmup is a part of the training steps"
            )
        super().__post_init__()

    @property
    def horizon(self) -> int:
        return math.ceil(self.num_training_steps)

    def at(self, step: int) -> float:
        warmup = self.num_warmup_steps
        if step < warmup:
            return step / warmup
        progress = (step - warmup) / max(1, self.num_training_steps - warmup)
        return 0.5 * (1.0 + math.cos(math.pi * self.num_cycles * 2.0 * min(1.0, progress)))

    def at_array(self, steps: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
        import numpy as np

        warmup = self.num_warmup_steps
        progress = (steps - warmup) / max(1, self.num_training_steps - warmup)
        cosine = 0.5 * (1.0 + np.cos(math.pi * self.num_cycles * 2.0 * np.minimum(1.0, progress)))
        return np.where(steps < warmup, steps / max(1, warmup), cosine)


def _number(name: str, value: Any) -> float:
    """A finite number that is 0 or more, as a plain int or float; anything else is an error that names it."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, got {type(value).__name__}: {value!r}")
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"{name} must be a finite number and 0 or more, got {value!r}")
    return int(value) if isinstance(value, Integral) else float(value)
