"""The shapes of the schedules that begin with a warmup and end at a floor."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from genesis.optim import Schedule
from genesis_schedulers._checks import choice, number, steps
from genesis_schedulers._fields import last_step, put
from genesis_schedulers.warmup_shapes import CosineWithWarmup, LinearWithWarmup, least

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, repr=False)
class PolynomialWithWarmup(LinearWithWarmup):
    r"""A linear rise from 0 to 1, then a fall to an absolute rate along a power of the steps that remain.

    With the base rate b of a group and the end rate e, the factor is

    .. math:: s / W \text{ for } s < W, \text{ then }
        \left( (b - e) \left( 1 - \tfrac{s - W}{N - W} \right)^p + e \right) / b

    Args:
        num_warmup_steps: W, from 0 to N; a text such as `"10%"` is a part of N.
        num_training_steps: N, above 0; the warmup is a part of it.
        lr_end: e, the rate at the end: 0 or more, and below the base rate of every group.
        power: p, above 0.
        lr_init: b. A scheduler fills in the base rate of each group; without one it is taken as 1.

    Raises:
        TypeError: if one of them is not a number.
        ValueError: if one is out of its range.

    Example:
        >>> [PolynomialWithWarmup(2, 6, lr_end=0.5, lr_init=2.0)(step) for step in range(8)]
        [0.0, 0.5, 1.0, 0.8125, 0.625, 0.4375, 0.25, 0.25]

    Reference: Liu et al., "ParseNet", https://arxiv.org/abs/1506.04579 (the power); Devlin et al., "BERT",
    https://arxiv.org/abs/1810.04805 (with a warmup).
    """

    formula: ClassVar[str] = (
        "t / num_warmup_steps, then ((lr - lr_end) * (1 - p) ** power + lr_end) / lr, p = 0..1 of the fall"
    )
    lr_end: float = 1e-7
    power: float = 1.0
    lr_init: float | None = None

    def __post_init__(self) -> None:
        put(self, lr_end=number("lr_end", self.lr_end, low=0), power=number("power", self.power, above=0))
        if self.lr_init is not None:
            lr_init = number("lr_init", self.lr_init, low=0)
            put(self, lr_init=lr_init)
            if 0 < lr_init <= self.lr_end:
                raise ValueError(f"lr_end ({self.lr_end}) must be smaller than the initial rate ({lr_init})")
        super().__post_init__()

    def for_base(self, base: float) -> PolynomialWithWarmup:
        """This shape for a group with this base rate, so that it ends at `lr_end` whatever the base is."""
        return replace(self, lr_init=base)

    def _after(self, step: Any, m: Any) -> Any:
        lr_end, lr_init = _absolute(self.lr_end, self.lr_init)
        length = self.num_training_steps - self.num_warmup_steps
        remaining = 1 - least(1.0, (step - self.num_warmup_steps) / length, m) if length else 0.0
        return ((lr_init - lr_end) * remaining**self.power + lr_end) / lr_init


@dataclass(frozen=True, repr=False)
class CosineWithMinLR(CosineWithWarmup):
    r"""A linear rise from 0 to 1, then a fall along a cosine to a floor.

    With the value f of `CosineWithWarmup` and the floor r, after the warmup

    .. math:: f \, (1 - r) + r

    Args:
        num_warmup_steps: W, from 0 to N; a text such as `"10%"` is a part of N.
        num_training_steps: N, above 0; the warmup is a part of it.
        num_cycles: The waves of the cosine; a half falls once.
        min_lr: The floor as a rate, the same for every group: 0 or more, at most the base rate.
        min_lr_rate: The floor as a part of the base rate, 0 to 1. Exactly one of the two is given.
        lr_init: A scheduler fills in the base rate of each group; without one it is taken as 1.

    Raises:
        TypeError: if one of them is not a number.
        ValueError: if one is out of its range, or if both floors or neither are given.

    Example:
        >>> [round(CosineWithMinLR(2, 6, min_lr=0.2, lr_init=2.0)(step), 4) for step in range(8)]
        [0.0, 0.5, 1.0, 0.8682, 0.55, 0.2318, 0.1, 0.1]

    Reference: Loshchilov and Hutter, "SGDR", https://arxiv.org/abs/1608.03983
    """

    formula: ClassVar[str] = (
        "t / num_warmup_steps, then f (1 - r) + r, f = (1 + cos(2 pi num_cycles p)) / 2, "
        "p = 0..1 of the fall, r = min_lr_rate or min_lr / lr"
    )
    min_lr: float | None = None
    min_lr_rate: float | None = None
    lr_init: float | None = None

    def __post_init__(self) -> None:
        if (self.min_lr is None) == (self.min_lr_rate is None):
            given = "neither" if self.min_lr is None else "both"
            raise ValueError(f"one of min_lr and min_lr_rate should be set, and only one; got {given}")
        if self.min_lr_rate is not None:
            put(self, min_lr_rate=number("min_lr_rate", self.min_lr_rate, low=0, high=1))
        if self.min_lr is not None:
            put(self, min_lr=number("min_lr", self.min_lr, low=0))
        if self.lr_init is not None:
            put(self, lr_init=number("lr_init", self.lr_init, low=0))
            if self.min_lr is not None and 0 < self.lr_init < self.min_lr:
                raise ValueError(
                    f"min_lr ({self.min_lr}) must be at most the initial rate ({self.lr_init}); "
                    "min_lr_rate sets a floor that is a part of each group's rate"
                )
        super().__post_init__()

    def for_base(self, base: float) -> CosineWithMinLR:
        """This shape for a group with this base rate, so that it ends at `min_lr` whatever the base is."""
        return self if self.min_lr is None else replace(self, lr_init=base)

    def _after(self, step: Any, m: Any) -> Any:
        floor = self.min_lr_rate
        if floor is None:
            low, lr_init = _absolute(self.min_lr or 0.0, self.lr_init)
            floor = low / lr_init
        return super()._after(step, m) * (1 - floor) + floor


@dataclass(frozen=True, repr=False)
class CosineWarmupWithMinLR(CosineWithMinLR):
    r"""`CosineWithMinLR` one step ahead: no step has the rate 0, and the floor is reached at step N - 1.

    .. math:: (s + 1) / W \text{ or } w + (1 - w) \, s / (W - 1) \text{ for } s < W, \text{ then the cosine }
        \text{at } (s - W + 1) / (N - W)

    Args:
        num_warmup_steps: W, from 0 to N; a text such as `"10%"` is a part of N.
        num_training_steps: N, above 0; the warmup is a part of it.
        num_cycles: The waves of the cosine; a half falls once.
        min_lr: The floor as a rate, the same for every group: 0 or more, at most the base rate.
        min_lr_rate: The floor as a part of the base rate, 0 to 1. Exactly one of the two is given.
        lr_init: A scheduler fills in the base rate of each group; without one it is taken as 1.
        warmup_lr_rate: w, the part of the base rate that the warmup begins at, 0 to 1. None: 1 / W.

    Raises:
        TypeError: if one of them is not a number.
        ValueError: if one is out of its range, or if both floors or neither are given.

    Example:
        >>> [round(CosineWarmupWithMinLR(2, 6, min_lr_rate=0.0)(step), 4) for step in range(7)]
        [0.5, 1.0, 0.8536, 0.5, 0.1464, 0.0, 0.0]

    Reference: https://huggingface.co/docs/transformers/main_classes/optimizer_schedules
    """

    formula: ClassVar[str] = (
        "(t + 1) / num_warmup_steps, then f (1 - r) + r, f = (1 + cos(2 pi num_cycles p)) / 2, "
        "p = 0..1 of the fall, one step ahead, r = min_lr_rate or min_lr / lr"
    )
    warmup_lr_rate: float | None = None

    def __post_init__(self) -> None:
        if self.warmup_lr_rate is not None:
            put(self, warmup_lr_rate=number("warmup_lr_rate", self.warmup_lr_rate, low=0, high=1))
        super().__post_init__()

    def _rise(self, step: Any, m: Any) -> Any:
        warmup, start = self.num_warmup_steps, self.warmup_lr_rate
        if start is None:
            return least(1.0, (step + 1.0) / max(1.0, warmup), m)
        length = max(1.0, warmup - 1.0)
        return start + (1.0 - start) * least(step, length, m) / length

    def _progress(self, step: Any, m: Any) -> Any:
        length = max(1.0, self.num_training_steps - self.num_warmup_steps)
        return least(1.0, (step - self.num_warmup_steps + 1.0) / length, m)


def _absolute(floor: float, base: float | None) -> tuple[float, float]:
    """A floor and the base rate that it is a part of; a base of 0 stays 0 whatever the factor is."""
    if base is None:
        return floor, 1.0
    return (floor, base) if base else (0.0, 1.0)


_SHAPES = ("linear", "cosine", "1-sqrt")


@dataclass(frozen=True, repr=False)
class WarmupStableDecay(Schedule):
    r"""A warmup, a plateau at 1, and a decay to a floor.

    With the progress p of a phase, 0 to 1, and the floor r, both slopes are f (1 - r) + r, where f is

    .. math:: \text{warmup: } p, \ \tfrac12 (1 - \cos \pi p), \ 1 - \sqrt{1 - p}; \qquad
        \text{decay: } 1 - p, \ \tfrac12 (1 + \cos 2 \pi c p), \ 1 - \sqrt p

    Args:
        num_warmup_steps: Steps of the warmup, 0 or more.
        num_stable_steps: Steps of the plateau, 0 or more.
        num_decay_steps: Steps of the decay, 0 or more; after it the value is r.
        warmup_type: `"linear"`, `"cosine"` or `"1-sqrt"`: the three of the warmup, in order.
        decay_type: The same words: the three of the decay.
        min_lr_ratio: r, 0 to 1: where the warmup begins and the decay ends.
        num_cycles: c, the waves of the cosine decay; a half falls once.

    Raises:
        TypeError: if a number is not one.
        ValueError: if a number is out of its range, or a type is unknown.

    Example:
        >>> [WarmupStableDecay(2, 3, 2, decay_type="linear")(step) for step in range(9)]
        [0.0, 0.5, 1.0, 1.0, 1.0, 1.0, 0.5, 0.0, 0.0]

    Reference: Hu et al., "MiniCPM", https://arxiv.org/abs/2404.06395; Haegele et al., "Scaling Laws and
    Compute-Optimal Training Beyond Fixed Training Durations", https://arxiv.org/abs/2405.18392 (1-sqrt).
    """

    formula: ClassVar[str] = "warmup, then 1, then decay to min_lr_ratio"
    num_warmup_steps: float
    num_stable_steps: float
    num_decay_steps: float
    warmup_type: str = "linear"
    decay_type: str = "cosine"
    min_lr_ratio: float = 0
    num_cycles: float = 0.5

    def __post_init__(self) -> None:
        for name in ("num_warmup_steps", "num_stable_steps", "num_decay_steps"):
            put(self, **{name: steps(name, getattr(self, name))})
        for name in ("warmup_type", "decay_type"):
            choice(name, getattr(self, name), _SHAPES)
        put(self, min_lr_ratio=number("min_lr_ratio", self.min_lr_ratio, low=0, high=1))
        put(self, num_cycles=number("num_cycles", self.num_cycles, low=0))
        number("the number of steps in all", self._last, above=0)
        super().__post_init__()

    @property
    def _last(self) -> float:
        return self.num_warmup_steps + self.num_stable_steps + self.num_decay_steps

    @property
    def horizon(self) -> int:
        return last_step(self._last)

    def phase(self, step: float) -> str:
        """The part of the schedule that a step lies in."""
        if step < self.num_warmup_steps:
            return "warmup"
        if step < self.num_warmup_steps + self.num_stable_steps:
            return "stable"
        return "decay" if step < self._last else "end"

    def stretched(self, at: int, total: int) -> Schedule:
        """The same warmup and decay with a longer or shorter plateau, unless the decay has begun."""
        stable = total - self.num_warmup_steps - self.num_decay_steps
        if total <= at or at > self.num_warmup_steps + min(stable, self.num_stable_steps) or stable < 0:
            return super().stretched(at, total)
        return replace(self, num_stable_steps=stable)

    def at(self, step: float) -> float:
        phase = self.phase(step)
        if phase == "stable":
            return 1.0
        if phase == "end":
            return float(self.min_lr_ratio)
        value: float = self._rise(step, math) if phase == "warmup" else self._fall(step, math)
        return value

    def at_array(self, steps: NDArray[Any]) -> NDArray[np.float64]:
        import numpy as np

        time, warmup = steps.astype(np.float64), self.num_warmup_steps
        falls = warmup + self.num_stable_steps
        rise = self._rise(np.minimum(time, warmup), np)
        fall = self._fall(np.clip(time, falls, self._last), np)
        late = np.where(time < falls, 1.0, np.where(time < self._last, fall, self.min_lr_ratio))
        return np.where(time < warmup, rise, late)

    def _rise(self, step: Any, m: Any) -> Any:
        progress = step / (self.num_warmup_steps or 1)
        if self.warmup_type == "linear":
            factor = progress
        elif self.warmup_type == "cosine":
            factor = 0.5 * (1.0 - m.cos(m.pi * progress))
        else:
            factor = 1.0 - m.sqrt(1.0 - progress)
        return factor * (1.0 - self.min_lr_ratio) + self.min_lr_ratio

    def _fall(self, step: Any, m: Any) -> Any:
        progress = (step - (self.num_warmup_steps + self.num_stable_steps)) / (self.num_decay_steps or 1)
        if self.decay_type == "linear":
            factor = 1.0 - progress
        elif self.decay_type == "cosine":
            factor = 0.5 * (1.0 + m.cos(m.pi * self.num_cycles * 2.0 * progress))
        else:
            factor = 1.0 - m.sqrt(progress)
        return factor * (1.0 - self.min_lr_ratio) + self.min_lr_ratio
