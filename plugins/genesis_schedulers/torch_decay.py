"""The schedulers of PyTorch that multiply the base rate by a factor that falls, or rises, in closed form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from genesis import CheckpointError
from genesis.optim import LRScheduler, Schedule
from genesis_schedulers._checks import number, steps
from genesis_schedulers._fields import places
from genesis_schedulers.decay import ConstantUntil, Exponential, Linear, MultiStep, Polynomial, Step


class ClosedFormLR(LRScheduler):
    """Base class of PyTorch's schedulers that carry changes on and know the rate of any step as well."""

    chainable = True

    def _get_closed_form_lr(self) -> list[Any]:
        """The rates of step `last_epoch`, whatever those in force are; PyTorch's name for it."""
        return self._rates(self._bind() if self._bound is None else self._bound, self.last_epoch)


class StepLR(ClosedFormLR):
    """Multiply the learning rate by `gamma` after every `step_size` steps.

    rate = base_lr * gamma ** floor(t / step_size)

    Args:
        optimizer: The one whose learning rates are set: ours, PyTorch's, or anything with `param_groups`.
        step_size: How many steps have the same rate, above 0.
        gamma: The ratio, 0 or more.
        last_epoch: The last step that was taken; -1 to start.
        verbose: Report each change to the logger `genesis.optim.lr_scheduler`, at level INFO.

    Raises:
        TypeError: if `optimizer` is not an optimizer, or a number is not one.
        ValueError: if a number is not finite or out of its range.

    Example:
        >>> from genesis.optim import StepLR
        >>> scheduler = StepLR(optimizer, step_size=30, gamma=0.1)  # doctest: +SKIP

    Reference: https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.StepLR.html
    """

    def __init__(
        self,
        optimizer: Any,
        step_size: int,
        gamma: float = 0.1,
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        self.step_size = number("step_size", steps("step_size", step_size), above=0)
        self.gamma = number("gamma", gamma, low=0)
        super().__init__(optimizer, last_epoch, verbose)

    def schedule_for(self, index: int, base_lr: float) -> Schedule:
        """The stairs."""
        return Step(self.step_size, self.gamma)


class MultiStepLR(ClosedFormLR):
    """Multiply the learning rate by `gamma` at each of a list of steps.

    rate = base_lr * gamma ** (number of milestones <= t)

    Args:
        optimizer: The one whose learning rates are set: ours, PyTorch's, or anything with `param_groups`.
        milestones: The steps, ascending; one that comes twice counts twice.
        gamma: The ratio, 0 or more.
        last_epoch: The last step that was taken; -1 to start.
        verbose: Report each change to the logger `genesis.optim.lr_scheduler`, at level INFO.

    Raises:
        TypeError: if `optimizer` is not an optimizer, or a number is not one.
        ValueError: if the milestones are not ascending, or a number is not finite or out of its range.

    Example:
        >>> from genesis.optim import MultiStepLR
        >>> scheduler = MultiStepLR(optimizer, milestones=[30, 80], gamma=0.1)  # doctest: +SKIP

    Reference: https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.MultiStepLR.html
    """

    milestones: Counter[float]

    def __init__(
        self,
        optimizer: Any,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        self.milestones = Counter(places("milestones", milestones))
        self.gamma = number("gamma", gamma, low=0)
        super().__init__(optimizer, last_epoch, verbose)

    def schedule_for(self, index: int, base_lr: float) -> Schedule:
        """The stairs."""
        return MultiStep(tuple(sorted(self.milestones.elements())), self.gamma)

    def _unpack(self, state: dict[str, Any]) -> dict[str, Any]:
        """With the milestones as a Counter; a checkpoint has them as a plain dict."""
        counts = state.get("milestones")
        if not isinstance(counts, Mapping) or not all(
            isinstance(count, int) and 0 < count <= 1000 for count in counts.values()
        ):
            raise CheckpointError(f"milestones are a dict that says how often each comes, got {counts!r:.80}")
        return {**state, "milestones": Counter(counts)}


class ConstantLR(ClosedFormLR):
    """Multiply the learning rate by a factor for the first steps.

    rate = base_lr * (factor if t < total_iters else 1)

    Args:
        optimizer: The one whose learning rates are set: ours, PyTorch's, or anything with `param_groups`.
        factor: From 0 to 1.
        total_iters: For how many steps, 0 or more.
        last_epoch: The last step that was taken; -1 to start.
        verbose: Report each change to the logger `genesis.optim.lr_scheduler`, at level INFO.

    Raises:
        TypeError: if `optimizer` is not an optimizer, or a number is not one.
        ValueError: if a number is not finite or out of its range.

    Example:
        >>> from genesis.optim import ConstantLR
        >>> scheduler = ConstantLR(optimizer, factor=0.5, total_iters=40)  # doctest: +SKIP

    Reference: https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ConstantLR.html
    """

    def __init__(
        self,
        optimizer: Any,
        factor: float = 1.0 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        self.factor = number("factor", factor, low=0, high=1)
        self.total_iters = steps("total_iters", total_iters)
        super().__init__(optimizer, last_epoch, verbose)

    def schedule_for(self, index: int, base_lr: float) -> Schedule:
        """The factor, then 1."""
        return ConstantUntil(self.factor, self.total_iters)


class LinearLR(ClosedFormLR):
    """Multiply the learning rate by a factor that changes along a straight line, and then stays.

    rate = base_lr * (start_factor + (end_factor - start_factor) * min(t, total_iters) / total_iters)

    Args:
        optimizer: The one whose learning rates are set: ours, PyTorch's, or anything with `param_groups`.
        start_factor: The factor of step 0, above 0 and at most 1.
        end_factor: The factor from step `total_iters` on, from 0 to 1.
        total_iters: The length of the line, 0 or more; with 0 it is at its end at once.
        last_epoch: The last step that was taken; -1 to start.
        verbose: Report each change to the logger `genesis.optim.lr_scheduler`, at level INFO.

    The shape `Linear`, driven by `ParamScheduler`, takes any factors.

    Raises:
        TypeError: if `optimizer` is not an optimizer, or a number is not one.
        ValueError: if a number is not finite or out of its range.

    Example:
        >>> from genesis.optim import LinearLR
        >>> warmup = LinearLR(optimizer, start_factor=0.01, total_iters=500)  # doctest: +SKIP

    Reference: https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LinearLR.html
    """

    def __init__(
        self,
        optimizer: Any,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        self.start_factor = number("start_factor", start_factor, above=0, high=1)
        self.end_factor = number("end_factor", end_factor, low=0, high=1)
        self.total_iters = steps("total_iters", total_iters)
        super().__init__(optimizer, last_epoch, verbose)

    def schedule_for(self, index: int, base_lr: float) -> Schedule:
        """The line."""
        return Linear(self.total_iters, self.start_factor, self.end_factor)


class ExponentialLR(ClosedFormLR):
    """Multiply the learning rate by `gamma` at each step.

    rate = base_lr * gamma ** t

    Args:
        optimizer: The one whose learning rates are set: ours, PyTorch's, or anything with `param_groups`.
        gamma: The ratio, 0 or more.
        last_epoch: The last step that was taken; -1 to start.
        verbose: Report each change to the logger `genesis.optim.lr_scheduler`, at level INFO.

    Raises:
        TypeError: if `optimizer` is not an optimizer, or `gamma` not a number.
        ValueError: if `gamma` is not finite, or negative.

    Example:
        >>> from genesis.optim import ExponentialLR
        >>> scheduler = ExponentialLR(optimizer, gamma=0.95)  # doctest: +SKIP

    Reference: https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ExponentialLR.html
    """

    def __init__(self, optimizer: Any, gamma: float, last_epoch: int = -1, verbose: bool = False) -> None:
        self.gamma = number("gamma", gamma, low=0)
        super().__init__(optimizer, last_epoch, verbose)

    def schedule_for(self, index: int, base_lr: float) -> Schedule:
        """The powers of `gamma`."""
        return Exponential(self.gamma)


class PolynomialLR(ClosedFormLR):
    """Let the learning rate fall to 0 with a power of the time that is left.

    rate = base_lr * (1 - min(t, total_iters) / total_iters) ** power

    Args:
        optimizer: The one whose learning rates are set: ours, PyTorch's, or anything with `param_groups`.
        total_iters: The length of the fall, above 0.
        power: The exponent, above 0; 1 is a straight line.
        last_epoch: The last step that was taken; -1 to start.
        verbose: Report each change to the logger `genesis.optim.lr_scheduler`, at level INFO.

    The shape `Polynomial`, driven by `ParamScheduler`, can end above 0.

    Raises:
        TypeError: if `optimizer` is not an optimizer, or a number is not one.
        ValueError: if a number is not finite or out of its range.

    Example:
        >>> from genesis.optim import PolynomialLR
        >>> scheduler = PolynomialLR(optimizer, total_iters=1000, power=0.9)  # doctest: +SKIP

    Reference: https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.PolynomialLR.html
    """

    def __init__(
        self,
        optimizer: Any,
        total_iters: int = 5,
        power: float = 1.0,
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        self.total_iters = number("total_iters", steps("total_iters", total_iters), above=0)
        self.power = number("power", power, above=0)
        super().__init__(optimizer, last_epoch, verbose)

    def schedule_for(self, index: int, base_lr: float) -> Schedule:
        """The fall."""
        return Polynomial(self.total_iters, self.power)
