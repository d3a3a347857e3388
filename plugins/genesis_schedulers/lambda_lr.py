"""LambdaLR: the base rates multiplied by functions of the step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import FunctionType, MethodType
from typing import Any

from genesis import CheckpointError
from genesis.optim import LRScheduler, Schedule
from genesis_schedulers.shapes import FromFunction


class FunctionLR(LRScheduler):
    """Base class of the schedulers with a function for each group: which, and how they are saved."""

    __slots__ = ("_one_for_all",)

    lr_lambdas: list[Callable[[int], float]]

    def __init__(
        self,
        optimizer: Any,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        self._one_for_all = not isinstance(lr_lambda, (list, tuple))
        self.lr_lambdas = [lr_lambda] if self._one_for_all else list(lr_lambda)  # type: ignore[list-item, arg-type]
        super().__init__(optimizer, last_epoch, verbose)

    def function_for(self, index: int) -> Any:
        """The function of a group; one added later gets the one that was given for all.

        Raises:
            ValueError: if a list has not one for each group.
        """
        lambdas, groups = self.lr_lambdas, len(self.optimizer.param_groups)
        if self._one_for_all:
            lambdas += lambdas[:1] * (groups - len(lambdas))
        if len(lambdas) != groups:
            raise ValueError(
                f"expected {groups} lr_lambdas, one for each parameter group of the optimizer, but got "
                f"{len(lambdas)}"
            )
        return lambdas[index]

    def state_dict(self) -> dict[str, Any]:
        """The state without the optimizer: functions as None, other callables as a dict of attributes."""
        return {
            **super().state_dict(),
            "lr_lambdas": [self._saved_function(function) for function in self.lr_lambdas],
        }

    def _unpack(self, state: dict[str, Any]) -> dict[str, Any]:
        """Functions are not saved, so they stay; objects and schedules get their saved parameters back."""
        saved, groups = state["lr_lambdas"], len(self.lr_lambdas)
        if not isinstance(saved, (list, tuple)) or len(saved) != groups:
            raise CheckpointError(f"the state has lr_lambdas={saved!r}; expected a list of {groups}")
        lambdas = [
            self._restored_function(function, record)
            for function, record in zip(self.lr_lambdas, saved, strict=True)
        ]
        return {**state, "lr_lambdas": lambdas}

    def _saved_function(self, function: Any) -> dict[str, Any] | None:
        """The parameters of a callable object; a function has none that a state could hold."""
        if isinstance(function, Schedule):
            return self._saved_schedule(function)
        if isinstance(function, (FunctionType, MethodType, type)) or not hasattr(function, "__dict__"):
            return None
        return dict(function.__dict__)

    def _restored_function(self, function: Any, saved: Any) -> Any:
        """The callable with its saved parameters; an empty record leaves it as it is."""
        if not saved:
            return function
        if isinstance(function, Schedule):
            return self._restored_schedule(function, saved, type(function))
        if self._saved_function(function) is None:
            raise CheckpointError(f"the state holds the parameters {saved!r}, but {function!r} has none")
        function.__dict__.update(saved)
        return function

    def _parameters(self) -> dict[str, Any]:
        first, *rest = self.lr_lambdas
        same = self._one_for_all and all(function == first for function in rest)
        return {"lr_lambda": first if same else list(self.lr_lambdas)}

    def __getstate__(self) -> tuple[dict[str, Any], dict[str, Any]]:
        attributes, slots = super().__getstate__()
        return attributes, {"_one_for_all": self._one_for_all, **slots}


class LambdaLR(FunctionLR):
    """Multiply the initial learning rate of each parameter group by a function of the step.

    rate = base_lr * lr_lambda(step)

    Args:
        optimizer: The one whose learning rates are set: ours, PyTorch's, or anything with `param_groups`.
        lr_lambda: A function (or another callable, such as a `Schedule`) from the step, 0, 1, 2 and so on, to
            a factor, or a list with one for each parameter group. It should depend on the step alone. A step
            is a call of `scheduler.step()`: an epoch, if that is called once an epoch.
        last_epoch: The last step that was taken; -1 to start.
        verbose: Report each change to the logger `genesis.optim.lr_scheduler`, at level INFO.

    Raises:
        TypeError: if `optimizer` is not an optimizer, or `lr_lambda` cannot be called.
        ValueError: if a list has not one function for each parameter group.

    Example:
        >>> from genesis.optim import LambdaLR
        >>> scheduler = LambdaLR(optimizer, lambda epoch: 0.95**epoch)  # doctest: +SKIP

    Reference: https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LambdaLR.html
    """

    __slots__ = ()

    def schedule_for(self, index: int, base_lr: float) -> Schedule:
        """The group's function as a schedule."""
        function = self.function_for(index)
        if not isinstance(function, Schedule):
            return FromFunction(function)
        schedule = function.for_base(base_lr)
        if schedule.kind == "factor":
            self.lr_lambdas[index] = schedule  # so that lr_lambdas[index](step) is the factor, as in PyTorch
        return function
