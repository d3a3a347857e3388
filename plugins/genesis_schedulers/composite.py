"""Schedulers made of others, under PyTorch's names: one after another, or all at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genesis.optim import JoinedLR, LRScheduler, ProductLR


class SequentialLR(JoinedLR):
    """One scheduler after another.

    At step t the scheduler number i is in force, milestones[i - 1] <= t < milestones[i], at its own step
    t - milestones[i - 1]. `ReduceLROnPlateau` may be a member; then give the metric to `step`. Members may be
    compositions themselves, to any depth.

    Args:
        optimizer: The one that all of them drive: ours, PyTorch's, or anything with `param_groups`.
        schedulers: The schedulers, made before this one.
        milestones: The steps at which the next takes over; they rise, and there is one less than schedulers.
        last_epoch: The last step that was taken; -1 to start.
        verbose: Report each change to the logger `genesis.optim.lr_scheduler`, at level INFO.

    Raises:
        TypeError: if `optimizer` is not an optimizer, or a member not a scheduler.
        ValueError: if there are no schedulers, one drives another optimizer, or the milestones do not fit.

    Example:
        >>> warmup = ConstantLR(optimizer, factor=0.1, total_iters=20)  # doctest: +SKIP
        >>> decay = ExponentialLR(optimizer, gamma=0.9)  # doctest: +SKIP
        >>> scheduler = SequentialLR(optimizer, [warmup, decay], milestones=[20])  # doctest: +SKIP

    Reference: https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.SequentialLR.html
    """

    def __init__(
        self,
        optimizer: Any,
        schedulers: list[LRScheduler],
        milestones: list[int],
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        super().__init__(optimizer, schedulers, milestones, last_epoch, verbose)


class ChainedScheduler(ProductLR):
    """Several schedulers at once: the base rate multiplied by the factors of all.

    rate = base_lr * factor_1(t) * factor_2(t) * ...

    A member whose values are rates counts as the factor rate / base_lr. `ReduceLROnPlateau` may be a member;
    then give the metric to `step`. Members may be compositions themselves, to any depth.

    Args:
        schedulers: The schedulers, made before this one.
        optimizer: The one that all of them drive; by default that of the first.
        verbose: Report each change to the logger `genesis.optim.lr_scheduler`, at level INFO.

    Raises:
        TypeError: if a member is not a scheduler.
        ValueError: if there are no schedulers, or one drives another optimizer.

    Example:
        >>> scheduler = ChainedScheduler(
        ...     [LinearLR(optimizer, total_iters=5), ExponentialLR(optimizer, gamma=0.9)]
        ... )  # doctest: +SKIP

    Reference: https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ChainedScheduler.html
    """

    def __init__(
        self, schedulers: Sequence[LRScheduler], optimizer: Any = None, verbose: bool = False
    ) -> None:
        if len(schedulers) < 1:
            raise ValueError(
                "ChainedScheduler expects at least one scheduler to be chained, but got no scheduler."
            )
        if optimizer is None:
            optimizer = getattr(schedulers[0], "optimizer", None)
            if optimizer is None:
                raise TypeError(
                    f"ChainedScheduler at index 0 should have `optimizer` as its attribute: {schedulers[0]!r}"
                )
        super().__init__(optimizer, schedulers, -1, verbose)
