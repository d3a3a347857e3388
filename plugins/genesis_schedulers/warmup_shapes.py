"""The shapes of the schedules that begin with a warmup: pure functions of the step."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from genesis.optim import Schedule
from genesis_schedulers._checks import number, steps
from genesis_schedulers._fields import last_step, put

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def least(one: Any, other: Any, m: Any) -> Any:
    """The lesser of two numbers, or of arrays: `m` is `math` or `numpy`, so that one formula serves both."""
    return min(one, other) if m is math else m.minimum(one, other)


@dataclass(frozen=True, repr=False)
class ConstantWithWarmup(Schedule):
    r"""A linear rise from 0 to 1, and then 1 for ever.

    .. math:: \min(1, s / W)

    Args:
        num_warmup_steps: W, the steps of the rise; 0 for none.

    Raises:
        TypeError: if it is not a number.
        ValueError: if it is negative or not finite.

    Example:
        >>> [ConstantWithWarmup(4)(step) for step in (0, 1, 4, 1000)]
        [0.0, 0.25, 1.0, 1.0]

    Reference: Goyal et al., "Accurate, Large Minibatch SGD", https://arxiv.org/abs/1706.02677
    """

    formula: ClassVar[str] = "min(1, t / num_warmup_steps)"
    num_warmup_steps: float

    def __post_init__(self) -> None:
        put(self, num_warmup_steps=steps("num_warmup_steps", self.num_warmup_steps))
        super().__post_init__()

    def at(self, step: float) -> float:
        value: float = self._rise(step, math) if step < self.num_warmup_steps else self._after(step, math)
        return value

    def at_array(self, steps: NDArray[Any]) -> NDArray[np.float64]:
        import numpy as np

        warmup, time = self.num_warmup_steps, steps.astype(np.float64)
        rise, after = self._rise(np.minimum(time, warmup), np), self._after(np.maximum(time, warmup), np)
        values: NDArray[np.float64] = np.where(time < warmup, rise, after)
        return values

    def phase(self, step: float) -> str:
        """The part of the schedule that a step lies in."""
        return "warmup" if step < self.num_warmup_steps else self._phase_after

    _phase_after: ClassVar[str] = "constant"

    def _rise(self, step: Any, m: Any) -> Any:
        return step / (self.num_warmup_steps or 1)

    def _after(self, step: Any, m: Any) -> Any:
        return 1.0


@dataclass(frozen=True, repr=False)
class InverseSqrtWithWarmup(ConstantWithWarmup):
    r"""A linear rise from 0 to 1, then a fall with the inverse of the square root of the step; it never ends.

    .. math:: s / W \text{ for } s < W, \text{ then } \sqrt{T / (s - W + T)}

    Args:
        num_warmup_steps: W, the steps of the rise; 0 for none.
        timescale: T, above 0: T steps after the warmup the value is the square root of a half. None: W, or
            10 000 if there is no warmup.

    Raises:
        TypeError: if one of them is not a number.
        ValueError: if one is out of its range.

    Example:
        >>> [InverseSqrtWithWarmup(4)(step) for step in (0, 2, 4, 16, 64)]
        [0.0, 0.5, 1.0, 0.5, 0.25]

    Reference: Vaswani et al., "Attention Is All You Need", https://arxiv.org/abs/1706.03762; with a scale of
    its own: Zhai et al., "Scaling Vision Transformers", https://arxiv.org/abs/2106.04560
    """

    formula: ClassVar[str] = "t / num_warmup_steps, then sqrt(timescale / (t - num_warmup_steps + timescale))"
    _phase_after: ClassVar[str] = "decay"
    timescale: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        timescale = self.num_warmup_steps or 10_000 if self.timescale is None else self.timescale
        put(self, timescale=number("timescale", steps("timescale", timescale), above=0))

    def _after(self, step: Any, m: Any) -> Any:
        timescale: Any = self.timescale
        return 1.0 / m.sqrt((step + (timescale - self.num_warmup_steps)) / timescale)


@dataclass(frozen=True, repr=False)
class LinearWithWarmup(ConstantWithWarmup):
    r"""A linear rise from 0 to 1, then a linear fall to 0.

    .. math:: s / W \text{ for } s < W, \text{ then } (N - s) / (N - W)

    Args:
        num_warmup_steps: W, from 0 to N; a text such as `"10%"` is a part of N.
        num_training_steps: N, above 0; the warmup is a part of it. From there the value stays.

    Raises:
        TypeError: if one of them is not a number.
        ValueError: if one is out of its range.

    Example:
        >>> [LinearWithWarmup(2, 6)(step) for step in range(8)]
        [0.0, 0.5, 1.0, 0.75, 0.5, 0.25, 0.0, 0.0]

    Reference: Devlin et al., "BERT", https://arxiv.org/abs/1810.04805
    """

    formula: ClassVar[str] = (
        "t / num_warmup_steps, then (num_training_steps - t) / (num_training_steps - num_warmup_steps)"
    )
    _phase_after: ClassVar[str] = "decay"
    num_training_steps: float

    def __post_init__(self) -> None:
        total = number("num_training_steps", steps("num_training_steps", self.num_training_steps), above=0)
        warmup = steps("num_warmup_steps", self.num_warmup_steps, total=total)
        put(self, num_training_steps=total, num_warmup_steps=warmup)
        if warmup > total:
            raise ValueError(
                f"num_warmup_steps={warmup} is more than num_training_steps={total}: the warmup is a part of "
                "the training steps"
            )
        super().__post_init__()

    @property
    def horizon(self) -> int:
        return last_step(self.num_training_steps)

    @property
    def _fall_steps(self) -> float:
        return (self.num_training_steps - self.num_warmup_steps) or 1

    def _progress(self, step: Any, m: Any) -> Any:
        """How much of the fall is done, 0 to 1."""
        return least(1.0, (step - self.num_warmup_steps) / self._fall_steps, m)

    def _after(self, step: Any, m: Any) -> Any:
        return (self.num_training_steps - least(step, self.num_training_steps, m)) / self._fall_steps


@dataclass(frozen=True, repr=False)
class CosineWithWarmup(LinearWithWarmup):
    r"""A linear rise from 0 to 1, then a fall along a cosine.

    With W warmup steps, N steps in all and c cycles, the factor at step s is

    .. math:: s / W \text{ for } s < W, \text{ then } \tfrac12 (1 + \cos(2 \pi c \, (s - W) / (N - W)))

    After step N it stays at its end value: 0 for half a cycle.

    Args:
        num_warmup_steps: W, from 0 to N; a text such as `"10%"` is a part of N.
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

    formula: ClassVar[str] = (
        "t / num_warmup_steps, then (1 + cos(2 pi num_cycles p)) / 2, p = 0..1 of the fall"
    )
    num_cycles: float = 0.5

    def __post_init__(self) -> None:
        put(self, num_cycles=number("num_cycles", self.num_cycles, low=0))
        super().__post_init__()

    def _after(self, step: Any, m: Any) -> Any:
        return 0.5 * (1.0 + m.cos(m.pi * self.num_cycles * 2.0 * self._progress(step, m)))

    def compiled(self) -> Callable[[float], float]:
        if type(self) is not CosineWithWarmup or self.end != "hold":
            return super().compiled()
        warmup, rise, fall = self.num_warmup_steps, self.num_warmup_steps or 1, self._fall_steps
        cos, wave, horizon = math.cos, math.pi * self.num_cycles * 2.0, self.horizon

        def value(step: float) -> float:
            if step < warmup:
                return step / rise
            progress = ((step if step < horizon else horizon) - warmup) / fall
            return 0.5 * (1.0 + cos(wave * (progress if progress < 1.0 else 1.0)))

        return value


@dataclass(frozen=True, repr=False)
class CosineRestartsWithWarmup(LinearWithWarmup):
    r"""A linear rise from 0 to 1, then several falls along a cosine, each from 1 anew.

    .. math:: s / W \text{ for } s < W, \text{ then }
        \tfrac12 (1 + \cos(\pi \, (c \, (s - W) / (N - W) \bmod 1))), \text{ and } 0 \text{ from } N

    Args:
        num_warmup_steps: W, from 0 to N; a text such as `"10%"` is a part of N.
        num_training_steps: N, above 0; the warmup is a part of it.
        num_cycles: c, above 0: how many falls there are.

    Raises:
        TypeError: if one of them is not a number.
        ValueError: if one is out of its range.

    Example:
        >>> [round(CosineRestartsWithWarmup(2, 6, num_cycles=2)(step), 4) for step in range(8)]
        [0.0, 0.5, 1.0, 0.5, 1.0, 0.5, 0.0, 0.0]

    Reference: Loshchilov and Hutter, "SGDR", https://arxiv.org/abs/1608.03983
    """

    formula: ClassVar[str] = (
        "t / num_warmup_steps, then (1 + cos(pi (num_cycles p mod 1))) / 2, p = 0..1 of the falls"
    )
    num_cycles: float = 1

    def __post_init__(self) -> None:
        put(self, num_cycles=number("num_cycles", self.num_cycles, above=0))
        super().__post_init__()

    def _after(self, step: Any, m: Any) -> Any:
        progress = self._progress(step, m)
        fall = 0.5 * (1.0 + m.cos(m.pi * ((self.num_cycles * progress) % 1.0)))
        return fall * (progress < 1.0)  # at the very end the last fall is over, and no other begins
