"""The schedulers of PyTorch that follow a cosine: one that swings for ever, and one that restarts."""

from __future__ import annotations

import math
from typing import Any

from genesis.optim import LRScheduler, Schedule
from genesis_schedulers._checks import number, steps, whole
from genesis_schedulers.cosine import CosineRestarts, CosineWave
from genesis_schedulers.cycles import cycle_at
from genesis_schedulers.torch_decay import ClosedFormLR


class CosineAnnealingLR(ClosedFormLR):
    """Let the learning rate fall along a cosine to a minimum; after that it climbs back, and so on.

    rate = eta_min + (base_lr - eta_min) * (1 + cos(pi * t / T_max)) / 2

    Args:
        optimizer: The one whose learning rates are set: ours, PyTorch's, or anything with `param_groups`.
        T_max: The steps of one fall, above 0; the training should end there. The shape `Cosine` stays at its
            end.
        eta_min: The least rate, the same for all groups.
        last_epoch: The last step that was taken; -1 to start.
        verbose: Report each change to the logger `genesis.optim.lr_scheduler`, at level INFO.

    Raises:
        TypeError: if `optimizer` is not an optimizer, or a number is not one.
        ValueError: if a number is not finite or out of its range.

    Example:
        >>> from genesis.optim import CosineAnnealingLR
        >>> scheduler = CosineAnnealingLR(optimizer, T_max=100)  # doctest: +SKIP

    Reference: Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", equation 5,
    https://arxiv.org/abs/1608.03983
    """

    def __init__(
        self,
        optimizer: Any,
        T_max: int,
        eta_min: float = 0.0,
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        self.T_max = number("T_max", steps("T_max", T_max), above=0)
        self.eta_min = number("eta_min", eta_min)
        super().__init__(optimizer, last_epoch, verbose)

    def schedule_for(self, index: int, base_lr: float) -> Schedule:
        """The wave."""
        wave = CosineWave(self.T_max)
        return wave.towards(self.eta_min) if self.eta_min else wave

    def anchor_for(self, index: int) -> float:
        """The least rate."""
        return self.eta_min


class CosineAnnealingWarmRestarts(LRScheduler):
    """Let the learning rate fall along a cosine, and start over; each cycle may be longer than the last.

    rate = eta_min + (base_lr - eta_min) * (1 + cos(pi * T_cur / T_i)) / 2, T_cur steps into a cycle of T_i

    Args:
        optimizer: The one whose learning rates are set: ours, PyTorch's, or anything with `param_groups`.
        T_0: The steps of the first cycle, an int above 0.
        T_mult: How many times longer each cycle is than the one before, an int of 1 or more.
        eta_min: The least rate, the same for all groups.
        last_epoch: The last step that was taken; -1 to start.
        verbose: Report each change to the logger `genesis.optim.lr_scheduler`, at level INFO.

    Raises:
        TypeError: if `optimizer` is not an optimizer.
        ValueError: if one of the others is not a number as described.

    Example:
        >>> from genesis.optim import CosineAnnealingWarmRestarts
        >>> scheduler = CosineAnnealingWarmRestarts(optimizer, T_0=10, T_mult=2)  # doctest: +SKIP
        >>> for epoch in range(30):  # doctest: +SKIP
        ...     for number, batch in enumerate(loader):
        ...         train(batch)
        ...         scheduler.step(epoch + number / len(loader))

    Reference: Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", equation 5,
    https://arxiv.org/abs/1608.03983
    """

    T_cur: float
    T_i: int

    def __init__(
        self,
        optimizer: Any,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        self.T_0 = whole("T_0", steps("T_0", T_0, low=-math.inf))
        self.T_i = self.T_0
        self.T_mult = whole("T_mult", T_mult)
        if isinstance(eta_min, str):
            raise ValueError(f"Expected a number for eta_min, got {eta_min!r}")
        self.eta_min = number("eta_min", eta_min)
        self.T_cur = last_epoch
        super().__init__(optimizer, last_epoch, verbose)

    def schedule_for(self, index: int, base_lr: float) -> Schedule:
        """The cycles."""
        cycles = CosineRestarts(self.T_0, self.T_mult)
        return cycles.towards(self.eta_min) if self.eta_min else cycles

    def step(self, epoch: float | None = None) -> None:
        """Go on by one step, or to any: the number of the epoch, with the part of it that has passed.

        Args:
            epoch: The place, 0 or more; it may be fractional.
        """
        own = self.__dict__
        if epoch is None and self._plain and own["_step_count"] > 1 and type(own["T_cur"]) is int:
            super().step()
            return
        if epoch is None:
            # Cycles begin at whole steps: last_epoch has those, and T_cur what goes beyond them.
            part = 0 if self._is_initial else self.T_cur % 1
            epoch = self.last_epoch + 1 + part
        elif epoch < 0:
            raise ValueError(f"Expected non-negative epoch, but got {epoch}")
        self._update_lr(epoch)

    def _next_step(self, own: dict[str, Any], groups: list[Any], bases: list[Any]) -> None:
        super()._next_step(own, groups, bases)
        own["T_cur"] += 1
        if own["T_cur"] >= own["T_i"]:
            own["T_cur"], own["T_i"] = 0, own["T_i"] * self.T_mult

    def _go_to(self, step: float, metric: Any = None) -> None:
        super()._go_to(step, metric)
        self._note_place(step)

    def _stand_at(self, step: float, rates: list[Any]) -> None:
        super()._stand_at(step, rates)
        self._note_place(step)

    def _note_place(self, step: float) -> None:
        """Say where in which cycle a step lies, in PyTorch's attributes."""
        own = self.__dict__
        own["last_epoch"] = math.floor(step)
        if step >= 0:
            _, start, length = cycle_at(step, self.T_0, self.T_mult)
            own["T_cur"], own["T_i"] = step - int(start), int(length)
