"""OneCycleLR: one rise of the learning rate, one fall, and the momentum the other way round."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from genesis.optim import LRScheduler, Schedule
from genesis_schedulers._checks import choice, number, steps, whole
from genesis_schedulers._groups import check_momentum, one_each, same_for_all
from genesis_schedulers.cyclic import along, along_array, half_cosine, line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

STRATEGIES = ("cos", "linear")


@dataclass(frozen=True, repr=False)
class Phases(Schedule):
    """Values that lead from one to the next along a line or half a cosine; there is an end, and no further.

    Args:
        ends: The places at which the phases end, ascending; they need not be whole, and need not be positive.
        levels: The values at step 0 and at each end.
        anneal: `"cos"` or `"linear"`.

    One step after the last end is allowed, and has the last value.
    """

    formula: ClassVar[str] = "levels[0] at step 0, levels[i + 1] at ends[i], in between as `anneal` says"
    ends: tuple[float, ...]
    levels: tuple[float, ...]
    anneal: Literal["cos", "linear"] = "cos"
    kind: Literal["factor", "value"] = field(default="value", kw_only=True)
    end: Literal["hold", "repeat", "raise"] = field(default="raise", kw_only=True)

    @property
    def horizon(self) -> int:
        return math.floor(self.ends[-1]) + 1

    def at(self, step: float) -> float:
        return along(step, self.ends, self.levels, self.anneal)

    def at_array(self, steps: NDArray[Any]) -> NDArray[np.float64]:
        return along_array(steps, self.ends, self.levels, self.anneal)

    def phase(self, step: float) -> str:
        """ "rise", "fall" or, with three phases, "last"."""
        return ("rise", "fall", "last")[min(bisect_left(self.ends, step), len(self.ends) - 1)]

    def _fold(self, step: float, horizon: int) -> float:
        if step > horizon:
            raise ValueError(
                f"Tried to step {step} times. The specified number of total steps is {horizon}: the cycle is "
                "over. Make it longer with total_steps, or stop stepping"
            )
        return horizon


class OneCycleLR(LRScheduler):
    """Let the learning rate rise once and fall far below the first, and the momentum fall and rise.

    It starts at max_lr / div_factor, is max_lr at step pct_start * total_steps - 1, and ends at step
    total_steps - 1 with the first rate divided by final_div_factor. With `three_phase` the fall takes as long
    as the rise and leads back to the first rate; the rest of the steps goes down to the last.

    Args:
        optimizer: The one whose learning rates are set: ours, PyTorch's, or anything with `param_groups`.
        max_lr: The rate at the peak: a number, or a list with one for each parameter group.
        total_steps: How many steps there are, step 0 included.
        epochs: Where `total_steps` is not given: the epochs; there are epochs * steps_per_epoch steps.
        steps_per_epoch: The steps of an epoch.
        pct_start: The part of the steps that rises, from 0 to 1.
        anneal_strategy: `"cos"` or `"linear"`: the form of all phases.
        cycle_momentum: Whether the momentum, or the first of the betas, falls and rises.
        base_momentum: The momentum at the peak: a number, or a list with one for each parameter group.
        max_momentum: The momentum at both ends, likewise.
        div_factor: The peak divided by the first rate, above 0.
        final_div_factor: The first rate divided by the last, above 0.
        three_phase: Fall back to the first rate before the last phase.
        last_epoch: The last step that was taken; -1 to start.
        verbose: Report each change to the logger `genesis.optim.lr_scheduler`, at level INFO.

    Raises:
        TypeError: if `optimizer` is not an optimizer, or a number is not one.
        ValueError: if a number is not finite or out of its range, a list has not one for each group, a word
            is none of those above, the optimizer has no momentum to cycle, or more steps are taken than
            there are.

    Example:
        >>> from genesis.optim import OneCycleLR
        >>> scheduler = OneCycleLR(optimizer, max_lr=0.1, epochs=10, steps_per_epoch=100)  # doctest: +SKIP

    Reference: Smith and Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large
    Learning Rates", https://arxiv.org/abs/1708.07120
    """

    __slots__ = ("_firsts",)

    total_steps: int
    _firsts: list[float]

    def __init__(
        self,
        optimizer: Any,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        groups = self._param_groups(optimizer)
        self.total_steps = _total(total_steps, epochs, steps_per_epoch)
        part = number("pct_start", pct_start, low=0, high=1)
        self._schedule_phases = _phases(part * self.total_steps, self.total_steps, three_phase)
        self._anneal_func_type = choice("anneal_strategy", anneal_strategy, STRATEGIES)
        maxima = one_each("max_lr", max_lr, len(groups))
        first = number("div_factor", div_factor, above=0)
        last = number("final_div_factor", final_div_factor, above=0)
        self._firsts = [peak / first for peak in maxima]
        self.cycle_momentum = bool(cycle_momentum)
        values: dict[str, list[float]] = {
            "max_lr": maxima,
            "min_lr": [start / last for start in self._firsts],
        }
        if cycle_momentum:
            self.use_beta1 = check_momentum(optimizer)
            values["max_momentum"] = one_each("max_momentum", max_momentum, len(groups))
            values["base_momentum"] = one_each("base_momentum", base_momentum, len(groups))
        for index, group in enumerate(groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", self._like(group["lr"], self._firsts[index]))
            for name, listed in values.items():
                if last_epoch == -1 or name not in group:
                    group[name] = listed[index]
        super().__init__(optimizer, last_epoch, verbose)
        self._firsts = []

    def schedule_for(self, index: int, base_lr: float) -> Schedule:
        """The phases of the group's rate."""
        return self._between(index, "lr", base_lr)

    def more_schedules_for(self, index: int) -> Mapping[str, Schedule]:
        """The phases of the group's momentum."""
        return {"momentum": self._between(index, "momentum", 0.0)} if self.cycle_momentum else {}

    def _between(self, index: int, what: str, first: float) -> Schedule:
        """The schedule of the phases, which name the entries of the group that they lead between."""
        group, phases = self.optimizer.param_groups[index], self._schedule_phases
        names = [phases[0][f"start_{what}"], *(phase[f"end_{what}"] for phase in phases)]
        levels = tuple(first if name == "initial_lr" else float(group[name]) for name in names)
        anneal: Any = self._anneal_func_type
        return Phases(tuple(float(phase["end_step"]) for phase in phases), levels, anneal)

    def _base_rate(self, index: int, group: Any) -> Any:
        """The first rate; an initial rate that another scheduler starts from is not looked at."""
        return self._like(group["lr"], self._firsts[index] if self._firsts else float(self.base_lrs[0]))

    def _follow(self, step: float) -> None:
        groups, known = self.optimizer.param_groups, len(self.base_lrs)
        if len(groups) > known:
            first = same_for_all("max_lr", [float(base) for base in self.base_lrs])
            names = ["max_lr", "min_lr", *(("max_momentum", "base_momentum") if self.cycle_momentum else ())]
            shared = {name: same_for_all(name, [float(g[name]) for g in groups[:known]]) for name in names}
            for group in groups[known:]:
                group.update(shared)
                group.setdefault("initial_lr", self._like(group["lr"], first))
        super()._follow(step)

    def _check_state(self, state_dict: Mapping[str, Any]) -> None:
        if isinstance(state_dict, Mapping) and "anneal_func" in state_dict:
            state_dict = self._unpack(dict(state_dict))
        super()._check_state(state_dict)

    def _unpack(self, state: dict[str, Any]) -> dict[str, Any]:
        """States of older versions of PyTorch hold the function of the form instead of its name."""
        function = state.pop("anneal_func", None)
        if function is not None:
            name = "linear" if "linear" in getattr(function, "__name__", "") else "cos"
            state.setdefault("_anneal_func_type", name)
        return state

    @staticmethod
    def _annealing_cos(start: float, end: float, pct: float) -> float:
        """From `start` to `end` along half a cosine; PyTorch's name for it, which its old states hold."""
        return half_cosine(start, end, pct)

    @staticmethod
    def _annealing_linear(start: float, end: float, pct: float) -> float:
        """From `start` to `end` along a line."""
        return line(start, end, pct)


def _total(total_steps: Any, epochs: Any, steps_per_epoch: Any) -> int:
    """The number of steps, given as it is or by epochs."""
    if total_steps is not None:
        return whole("total_steps", steps("total_steps", total_steps))
    if epochs is None or steps_per_epoch is None:
        raise ValueError(
            "how long is the cycle? Give total_steps, or both epochs and steps_per_epoch; got "
            f"epochs={epochs!r} and steps_per_epoch={steps_per_epoch!r}"
        )
    return whole("epochs", epochs) * whole("steps_per_epoch", steps_per_epoch)


def _phases(rise: float, total: int, three: bool) -> list[dict[str, Any]]:
    """Where the phases end, and between which entries of a group they lead, under PyTorch's names."""
    corners: list[tuple[float, str, str]] = [(float(rise) - 1, "max_lr", "base_momentum")]
    if three:
        corners.append((float(2 * rise) - 2, "initial_lr", "max_momentum"))
    corners.append((total - 1, "min_lr", "max_momentum"))
    phases, rate, momentum = [], "initial_lr", "max_momentum"
    for end, next_rate, next_momentum in corners:
        phases.append(
            {
                "end_step": end,
                "start_lr": rate,
                "end_lr": next_rate,
                "start_momentum": momentum,
                "end_momentum": next_momentum,
            }
        )
        rate, momentum = next_rate, next_momentum
    return phases
