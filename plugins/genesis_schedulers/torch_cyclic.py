"""CyclicLR: learning rates and momenta that go up and down between two bounds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import FunctionType
from typing import Any, ClassVar, Literal

from genesis import CheckpointError
from genesis.optim import LRScheduler, Schedule
from genesis_schedulers._checks import choice, function, number, steps
from genesis_schedulers._groups import check_momentum, one_each, same_for_all
from genesis_schedulers.cyclic import Triangular, wave

MODES = ("triangular", "triangular2", "exp_range")


@dataclass(frozen=True, repr=False)
class ScaledTriangular(Schedule):
    """A wave of straight lines between two rates, whose height a function scales.

    Args:
        low: The rate at the start of each cycle.
        high: The rate at a peak that is scaled by 1.
        step_size_up: The steps from `low` to the peak, above 0.
        step_size_down: The steps back, above 0.
        scale: Maps the number of the cycle, from 1, or of the step, to a factor.
        scale_mode: `"cycle"` or `"iterations"`: which of the two.
    """

    formula: ClassVar[str] = "low + (high - low) * s * scale(cycle or t), s from 0 up to 1 and back"
    low: float
    high: float
    step_size_up: float
    step_size_down: float
    scale: Callable[[float], float]
    scale_mode: Literal["cycle", "iterations"] = "cycle"
    kind: Literal["factor", "value"] = field(default="value", kw_only=True)

    def at(self, step: float) -> float:
        cycle = math.floor(1 + step / (self.step_size_up + self.step_size_down))
        height = wave(step, self.step_size_up, self.step_size_down)
        scale = self.checked(self.scale(cycle if self.scale_mode == "cycle" else step), step)
        return self.low + (self.high - self.low) * height * scale


class CyclicLR(LRScheduler):
    """Let the learning rate go up and down between two rates, and the momentum down and up.

    rate = base_lr + (max_lr - base_lr) * s * scale, s from 0 up to 1 and back in each cycle;
    momentum = max_momentum - (max_momentum - base_momentum) * s * scale

    Args:
        optimizer: The one whose learning rates are set: ours, PyTorch's, or anything with `param_groups`.
        base_lr: The lower rate: a number, or a list with one for each parameter group.
        max_lr: The upper rate, likewise.
        step_size_up: The steps from the lower to the upper rate, above 0.
        step_size_down: The steps back, above 0; None for as many as up.
        mode: `"triangular"` for a scale of 1, `"triangular2"` to halve it with each cycle, `"exp_range"` for
            gamma**t.
        gamma: The ratio of `"exp_range"`, 0 or more.
        scale_fn: A function that gives the scale instead of `mode`.
        scale_mode: What it is asked with: `"cycle"`, the number of the cycle from 1, or `"iterations"`, t.
        cycle_momentum: Whether the momentum, or the first of the betas, goes down and up.
        base_momentum: The lower momentum: a number, or a list with one for each parameter group.
        max_momentum: The upper momentum, likewise.
        last_epoch: The last step that was taken; -1 to start.
        verbose: Report each change to the logger `genesis.optim.lr_scheduler`, at level INFO.

    Raises:
        TypeError: if `optimizer` is not an optimizer, or a number is not one.
        ValueError: if a number is not finite or out of its range, a list has not one for each group, a word
            is none of those above, or the optimizer has no momentum to cycle.

    Example:
        >>> from genesis.optim import CyclicLR
        >>> scheduler = CyclicLR(optimizer, base_lr=0.001, max_lr=0.1, step_size_up=500)  # doctest: +SKIP

    Reference: Smith, "Cyclical Learning Rates for Training Neural Networks", section 3,
    https://arxiv.org/abs/1506.01186
    """

    __slots__ = ("_lows",)

    max_lrs: list[float]
    base_momentums: list[float]
    max_momentums: list[float]
    _lows: list[float]

    def __init__(
        self,
        optimizer: Any,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: Literal["triangular", "triangular2", "exp_range"] = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: Literal["cycle", "iterations"] = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float = 0.8,
        max_momentum: float = 0.9,
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        groups = self._param_groups(optimizer)
        self._lows = one_each("base_lr", base_lr, len(groups))
        self.max_lrs = one_each("max_lr", max_lr, len(groups))
        up = float(number("step_size_up", steps("step_size_up", step_size_up), above=0))
        down = up
        if step_size_down is not None:
            down = float(number("step_size_down", steps("step_size_down", step_size_down), above=0))
        self.total_size = up + down
        self.step_ratio = up / self.total_size
        self.mode = mode if scale_fn is not None else choice("mode", mode, MODES)
        self.gamma = number("gamma", gamma, low=0)
        self._scale_fn_custom = None if scale_fn is None else function("scale_fn", scale_fn)
        self.scale_mode = choice("scale_mode", scale_mode, ("cycle", "iterations"))
        if scale_fn is None:
            self.scale_mode = "iterations" if mode == "exp_range" else "cycle"
        self.cycle_momentum = bool(cycle_momentum)
        if cycle_momentum:
            self.use_beta1 = check_momentum(optimizer)
            self.base_momentums = one_each("base_momentum", base_momentum, len(groups))
            self.max_momentums = one_each("max_momentum", max_momentum, len(groups))
        if last_epoch == -1:
            self._fill(groups, 0, self._lows)
        super().__init__(optimizer, last_epoch, verbose)
        self._lows = []

    def _base_rate(self, index: int, group: Any) -> Any:
        """The lower rate; an initial rate that another scheduler starts from is not looked at."""
        return self._like(group["lr"], self._lows[index] if self._lows else float(self.base_lrs[0]))

    def _fill(self, groups: list[dict[str, Any]], known: int, lows: list[float]) -> None:
        """Write into new groups what PyTorch keeps there; an initial rate of another scheduler stays."""
        for index, group in enumerate(groups[known:], start=known):
            group.setdefault("initial_lr", self._like(group["lr"], lows[index]))
            if self.cycle_momentum:
                group["max_momentum"] = self.max_momentums[index]
                group["base_momentum"] = self.base_momentums[index]

    def _follow(self, step: float) -> None:
        groups, known = self.optimizer.param_groups, len(self.base_lrs)
        if more := max(0, len(groups) - known):
            low = same_for_all("base_lr", [float(base) for base in self.base_lrs])
            names = ["max_lrs", *(("base_momentums", "max_momentums") if self.cycle_momentum else ())]
            values = {name: same_for_all(name, getattr(self, name)) for name in names}
            for name, value in values.items():
                self.__dict__[name] = [*getattr(self, name), *[value] * more]
            self._fill(groups, known, [low] * len(groups))
        super()._follow(step)

    def schedule_for(self, index: int, base_lr: float) -> Schedule:
        """The wave of the group's rate."""
        return self._wave(base_lr, self.max_lrs[index])

    def more_schedules_for(self, index: int) -> Mapping[str, Schedule]:
        """The wave of the group's momentum, which goes down first."""
        if not self.cycle_momentum:
            return {}
        return {"momentum": self._wave(self.max_momentums[index], self.base_momentums[index])}

    def _wave(self, low: float, high: float) -> Schedule:
        up = self.total_size * self.step_ratio
        if math.isclose(up, round(up), rel_tol=1e-12):  # what the division has cost
            up = round(up)
        down = self.total_size - up
        if self._scale_fn_custom is not None:
            mode: Any = self.scale_mode
            return ScaledTriangular(low, high, up, down, self._scale_fn_custom, mode)
        return Triangular(low, high, up, down, self.mode, self.gamma)  # type: ignore[arg-type]

    def scale_fn(self, x: float) -> float:
        """The scale for a cycle or a step."""
        return float((self._scale_fn_custom or self._scale_fn_ref)(x))

    @property
    def _scale_fn_ref(self) -> Callable[[float], float]:
        """The function of the mode."""
        if self.mode == "exp_range":
            return partial(_powers, self.gamma)
        return _halving if self.mode == "triangular2" else _constant

    def state_dict(self) -> dict[str, Any]:
        """The state without the optimizer: of `scale_fn` the attributes, if it is an object that has some."""
        custom = self._scale_fn_custom
        saved = None if custom is None or isinstance(custom, FunctionType) else dict(vars(custom))
        return {**super().state_dict(), "_scale_fn_custom": saved}

    def _unpack(self, state: dict[str, Any]) -> dict[str, Any]:
        """The function stays; an object gets its saved attributes back."""
        custom, saved = self._scale_fn_custom, state.pop("_scale_fn_custom")
        if saved:
            if custom is None or isinstance(custom, FunctionType):
                raise CheckpointError(
                    f"the state holds the attributes {saved!r} of scale_fn, which is {custom!r}"
                )
            vars(custom).update(saved)
        return state


def _constant(x: float) -> float:
    return 1.0


def _halving(x: float) -> float:
    return float(0.5 ** (x - 1))


def _powers(gamma: float, x: float) -> float:
    return float(float(gamma) ** x)
