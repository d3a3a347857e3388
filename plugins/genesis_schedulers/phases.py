"""Shapes of a warmup, a plateau and a decay."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from genesis.optim import Schedule
from genesis_schedulers._checks import choice, number, steps
from genesis_schedulers._fields import last_step, part_of, put

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    _Steps = NDArray[Any]
    _Floats = NDArray[np.float64]

_DECAYS = ("1-sqrt", "linear", "cosine", "power", "exp")


@dataclass(frozen=True, repr=False)
class WSD(Schedule):
    """Warmup, stable, decay: a rise, a plateau that can be extended at any time, and a fall at the end.

    With p from 0 to 1 over the decay and s(t) the stable curve, 1 or `stable`, t counted from the end of
    the warmup, the factor after the warmup is

    .. math:: end\\_factor + (\\max(s(t), end\\_factor) - end\\_factor) \\, f(p)

    where f is 1 until the decay starts, and then by `decay`:
    1 - sqrt(p), 1 - p, (1 + cos(pi p)) / 2, 1 - p**decay_power, or
    (decay_ratio**p - decay_ratio) / (1 - decay_ratio).

    Extending the schedule before the decay has begun (`extend` of a driver, `stretched` here) makes the
    plateau longer and leaves the warmup and the decay as they are.

    Args:
        steps: The length of all three, above 0.
        decay_steps: The length of the decay, above 0: a number or a part of `steps` such as `"10%"`.
        warmup_steps: The length of the warmup, 0 or more; with the decay at most `steps`.
        decay: The form of the decay: `"1-sqrt"`, `"linear"`, `"cosine"`, `"power"` or `"exp"`.
        end_factor: The value at the end.
        start_factor: The value at the start of the warmup.
        stable: A schedule that the plateau follows, such as `InverseSqrt`; None for 1. It starts after the
            warmup and goes on under the decay.
        decay_power: The exponent of `"power"`, above 0.
        decay_ratio: How much of the height the exponential of `"exp"` keeps before it is brought down to the
            end, between 0 and 1: the smaller, the faster it falls at first.

    Raises:
        TypeError: if a number is not a number, or `stable` not a schedule.
        ValueError: if a number is not finite or out of its range, the phases are longer than `steps`, or
            `stable` gives rates instead of factors.

    Example:
        >>> from genesis.optim import WSD
        >>> shape = WSD(10, decay_steps=4, warmup_steps=2, decay="linear")
        >>> [shape(step) for step in range(11)]
        [0.0, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25, 0.0]
        >>> shape.stretched(6, 20)
        WSD(steps=20, decay_steps=4, warmup_steps=2, decay='linear')

    Reference: Hu et al., "MiniCPM: Unveiling the Potential of Small Language Models", section 4,
    https://arxiv.org/abs/2404.06395; "1-sqrt": Hägele et al., "Scaling Laws and Compute-Optimal Training
    Beyond Fixed Training Durations", https://arxiv.org/abs/2405.18392
    """

    formula: ClassVar[str] = (
        "start_factor + (1 - start_factor) * t / warmup_steps, then 1 (or stable), "
        "then down to end_factor as `decay` says, in the last decay_steps of steps"
    )
    steps: float
    decay_steps: float
    warmup_steps: float = 0
    decay: Literal["1-sqrt", "linear", "cosine", "power", "exp"] = "1-sqrt"
    end_factor: float = 0.0
    start_factor: float = 0.0
    stable: Schedule | None = None
    decay_power: float = 0.5
    decay_ratio: float = 0.1

    def __post_init__(self) -> None:
        total = number("steps", steps("steps", self.steps), above=0)
        fall = number("decay_steps", steps("decay_steps", self.decay_steps, total=total), above=0)
        rise = steps("warmup_steps", self.warmup_steps, total=total)
        if rise + fall > total:
            raise ValueError(
                f"the warmup and the decay are a part of the steps, but warmup_steps={rise} and "
                f"decay_steps={fall} are more than steps={total}"
            )
        if self.stable is not None and part_of("stable", self.stable).kind != "factor":
            raise ValueError(f"stable must give factors, not rates; got {self.stable!r}")
        put(
            self,
            steps=total,
            decay_steps=fall,
            warmup_steps=rise,
            decay=choice("decay", self.decay, _DECAYS),
            end_factor=number("end_factor", self.end_factor),
            start_factor=number("start_factor", self.start_factor),
            decay_power=number("decay_power", self.decay_power, above=0),
            decay_ratio=number("decay_ratio", self.decay_ratio, above=0, below=1),
        )
        super().__post_init__()

    @property
    def horizon(self) -> int:
        return last_step(self.steps)

    def _fall(self, p: float) -> float:
        """How much of the way from the plateau to the end is left, p of the decay having passed."""
        if self.decay == "1-sqrt":
            return 1.0 - math.sqrt(p)
        if self.decay == "linear":
            return 1.0 - p
        if self.decay == "cosine":
            return 0.5 * (1.0 + math.cos(math.pi * p))
        if self.decay == "power":
            return float(1.0 - p**self.decay_power)
        return float((self.decay_ratio**p - self.decay_ratio) / (1.0 - self.decay_ratio))

    def at(self, step: float) -> float:
        if step < self.warmup_steps:
            return self.start_factor + (1.0 - self.start_factor) * step / self.warmup_steps
        end = float(self.end_factor)
        if step >= self.steps:
            return end
        height = 1.0 if self.stable is None else max(self.stable.value(step - self.warmup_steps), end)
        late = step - (self.steps - self.decay_steps)
        return height if late <= 0 else end + (height - end) * self._fall(late / self.decay_steps)

    def at_array(self, steps: _Steps) -> _Floats:
        import numpy as np

        end, warmup = float(self.end_factor), self.warmup_steps
        rise = self.start_factor + (1.0 - self.start_factor) * steps / (warmup or 1)
        height: Any = 1.0
        if self.stable is not None:
            height = np.maximum(self.stable.values(np.maximum(steps - warmup, 0)), end)
        p = np.clip((steps - (self.steps - self.decay_steps)) / self.decay_steps, 0.0, 1.0)
        falls = {
            "1-sqrt": lambda: 1.0 - np.sqrt(p),
            "linear": lambda: 1.0 - p,
            "cosine": lambda: 0.5 * (1.0 + np.cos(math.pi * p)),
            "power": lambda: 1.0 - p**self.decay_power,
            "exp": lambda: (self.decay_ratio**p - self.decay_ratio) / (1.0 - self.decay_ratio),
        }
        fall = np.where(p > 0, end + (height - end) * falls[self.decay](), height)
        return np.where(steps < warmup, rise, np.where(steps >= self.steps, end, fall))

    def phase(self, step: float) -> str:
        """One of "warmup", "stable" and "decay"."""
        if step < self.warmup_steps:
            return "warmup"
        return "stable" if step <= self.steps - self.decay_steps else "decay"

    def parts_at(self, step: float) -> Iterator[tuple[str, Schedule, float]]:
        if self.stable is not None and step >= self.warmup_steps:
            yield "stable", self.stable, step - self.warmup_steps

    def stretched(self, at: int, total: int) -> Schedule:
        """The same with a longer, or shorter, plateau, as long as the decay has not begun at step `at`."""
        begins = total - self.decay_steps
        if at <= self.steps - self.decay_steps and begins >= max(at, self.warmup_steps):
            return replace(self, steps=total)
        return super().stretched(at, total)


@dataclass(frozen=True, repr=False)
class TriStage(Schedule):
    """A linear rise, a plateau, and an exponential fall, as speech models are trained.

    Args:
        warmup_steps: The length of the rise from `init_scale` to 1, 0 or more.
        hold_steps: The length of the plateau, 0 or more.
        decay_steps: The length of the fall to `final_scale`, above 0.
        init_scale: The factor at step 0, if there is a rise.
        final_scale: The factor at the end, above 0; an exponential never reaches 0.

    Raises:
        TypeError: if one of them is not a number.
        ValueError: if one is not finite or out of its range.

    Example:
        >>> from genesis.optim import TriStage
        >>> shape = TriStage(2, 2, 2, init_scale=0.5, final_scale=0.25)
        >>> [shape(step) for step in range(8)]
        [0.5, 0.75, 1.0, 1.0, 1.0, 0.5, 0.25, 0.25]

    Reference: Park et al., "SpecAugment: A Simple Data Augmentation Method for Automatic Speech Recognition",
    https://arxiv.org/abs/1904.08779
    """

    formula: ClassVar[str] = (
        "init_scale + (1 - init_scale) * t / warmup_steps, then 1, "
        "then final_scale ** p, p = 0..1 of the decay"
    )
    warmup_steps: float
    hold_steps: float
    decay_steps: float
    init_scale: float = 0.01
    final_scale: float = 0.01

    def __post_init__(self) -> None:
        put(
            self,
            warmup_steps=steps("warmup_steps", self.warmup_steps),
            hold_steps=steps("hold_steps", self.hold_steps),
            decay_steps=number("decay_steps", steps("decay_steps", self.decay_steps), above=0),
            init_scale=number("init_scale", self.init_scale),
            final_scale=number("final_scale", self.final_scale, above=0),
        )
        super().__post_init__()

    @property
    def _falls(self) -> float:
        return self.warmup_steps + self.hold_steps

    @property
    def horizon(self) -> int:
        return last_step(self._falls + self.decay_steps)

    def at(self, step: float) -> float:
        if step < self.warmup_steps:
            return self.init_scale + (1.0 - self.init_scale) * step / self.warmup_steps
        late = max(0.0, step - self._falls) / self.decay_steps
        return float(float(self.final_scale) ** min(1.0, late))

    def at_array(self, steps: _Steps) -> _Floats:
        import numpy as np

        rise = self.init_scale + (1.0 - self.init_scale) * steps / (self.warmup_steps or 1)
        late = np.clip((steps - self._falls) / self.decay_steps, 0.0, 1.0)
        return np.where(steps < self.warmup_steps, rise, np.float_power(self.final_scale, late))

    def phase(self, step: float) -> str:
        """One of "warmup", "hold" and "decay"."""
        if step < self.warmup_steps:
            return "warmup"
        return "hold" if step <= self._falls else "decay"

    def stretched(self, at: int, total: int) -> Schedule:
        """The same with a longer, or shorter, plateau, as long as the decay has not begun at step `at`."""
        begins = total - self.decay_steps
        if at <= self._falls and begins >= max(at, self.warmup_steps):
            return replace(self, hold_steps=begins - self.warmup_steps)
        return super().stretched(at, total)
