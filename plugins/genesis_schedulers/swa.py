"""SWALR: from the rate in force to that of stochastic weight averaging."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

from genesis.optim import LRScheduler, Schedule
from genesis_schedulers._checks import choice
from genesis_schedulers._groups import one_each, same_for_all
from genesis_schedulers.cosine import Cosine
from genesis_schedulers.decay import Linear


class SWALR(LRScheduler):
    """Lead the learning rate to a fixed one, for stochastic weight averaging.

    rate = swa_lr + (base_lr - swa_lr) * left, left falling from 1 to 0 in `anneal_epochs` steps

    It may take over from another scheduler in mid-run: made at the start and stepped from then on, it leads
    from the rate that it finds there.

    Args:
        optimizer: The one whose learning rates are set: ours, PyTorch's, or anything with `param_groups`.
        swa_lr: The rate to lead to: a number, or a list with one for each parameter group.
        anneal_epochs: The steps that it takes, an int of 0 or more; with 0 it is there at once.
        anneal_strategy: `"cos"` or `"linear"`: the form of the way.
        last_epoch: The last step that was taken; -1 to start.
        verbose: Report each change to the logger `genesis.optim.lr_scheduler`, at level INFO.

    Raises:
        TypeError: if `optimizer` is not an optimizer, or `swa_lr` not a number.
        ValueError: if one of the others is not as described, or a list has not one rate for each group.

    Example:
        >>> from genesis.optim import SWALR
        >>> swa = SWALR(optimizer, swa_lr=0.05, anneal_epochs=20)  # doctest: +SKIP

    Reference: Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization",
    https://arxiv.org/abs/1803.05407
    """

    chainable = True
    carries = True

    def __init__(
        self,
        optimizer: Any,
        swa_lr: float,
        anneal_epochs: int = 10,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        groups = self._param_groups(optimizer)
        rates = one_each("swa_lr", swa_lr, len(groups))
        self._anneal_strategy = choice("anneal_strategy", anneal_strategy, ("cos", "linear"))
        if isinstance(anneal_epochs, bool) or not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be an int of 0 or more, got {anneal_epochs!r}")
        self.anneal_epochs = anneal_epochs
        for group, rate in zip(groups, rates, strict=True):
            group["swa_lr"] = self._like(group["lr"], rate)
        super().__init__(optimizer, last_epoch, verbose)

    def schedule_for(self, index: int, base_lr: float) -> Schedule:
        """The way."""
        return self._left().towards(self.anchor_for(index))

    def anchor_for(self, index: int) -> float:
        """The rate that it leads to."""
        return float(self.optimizer.param_groups[index]["swa_lr"])

    def _left(self) -> Schedule:
        if self._anneal_strategy == "linear" or self.anneal_epochs == 0:
            return Linear(self.anneal_epochs)
        return Cosine(self.anneal_epochs)

    def _carried_on(self, number: int, present: Any, old: Any, new: Any) -> Any:
        if self.last_epoch > self.anneal_epochs:  # it had arrived: nothing is left of any other rate
            return new
        return super()._carried_on(number, present, old, new)

    def _follow(self, step: float) -> None:
        groups, known = self.optimizer.param_groups, len(self.base_lrs)
        if len(groups) > known:
            shared = same_for_all("swa_lr", [self.anchor_for(index) for index in range(known)])
            for group in groups[known:]:
                group["swa_lr"] = self._like(group["lr"], shared)
        super()._follow(step)

    @property
    def anneal_func(self) -> Callable[[float], float]:
        """The form: from 0 to 1 how much of the way lies behind, by how much of the time has passed."""
        return _linear if self._anneal_strategy == "linear" else _cosine


def _linear(part: float) -> float:
    return part


def _cosine(part: float) -> float:
    return (1 - math.cos(math.pi * part)) / 2
