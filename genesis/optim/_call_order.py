"""The optimizer first, then the scheduler: how a scheduler sees whether it is called in that order."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import update_wrapper
from types import MethodType
from typing import Any
from weakref import ref

_STEP_REPLACED = (
    "`optimizer.step()` has been overridden after the learning rate scheduler was made, so the scheduler "
    "cannot see whether it runs. Make the scheduler last, and call `optimizer.step()` before "
    "`lr_scheduler.step()`. "
    "See https://docs.pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"
)

_WRONG_ORDER = (
    "Detected call of `lr_scheduler.step()` before `optimizer.step()`. In this order no step is taken with "
    "the first rate of the schedule: call `optimizer.step()` first. "
    "See https://docs.pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"
)


class _WatchedStep:
    """The `step` of an optimizer; when it runs, it notes that on the optimizer.

    It counts the updates. It refers to the optimizer weakly: no cycle may keep its tensors alive. A pickled
    or deep copy of an optimizer gets the `step` of its own class back, not one that steps the original.
    """

    _wrapped_by_lr_sched = True

    def __init__(self, optimizer: Any, function: Callable[..., Any]) -> None:
        update_wrapper(self, function)
        self._function = function
        self._optimizer = ref(optimizer)
        self.updates = 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        optimizer: Any = self._optimizer()
        optimizer._opt_called = True
        self.updates += 1
        return self._function(optimizer, *args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (self._optimizer(), "step")


def watch(optimizer: Any) -> bool:
    """Let the optimizer note on itself that its `step` has run; False if that cannot be done.

    The names are PyTorch's, so that its schedulers and ours can share an optimizer.
    """
    step: Any = getattr(optimizer, "step", None)
    if hasattr(step, "updates"):
        return True
    if hasattr(step, "_wrapped_by_lr_sched"):  # by a scheduler of PyTorch, which does not count
        function = _without_self(step)
    elif isinstance(step, MethodType) and id(step.__self__) == id(optimizer):
        function = step.__func__
    else:
        return False
    try:
        optimizer.step = _WatchedStep(optimizer, function)
    except (AttributeError, TypeError):  # it takes no attributes, or no weak references
        return False
    return True


def updates_of(optimizer: Any) -> int:
    """How often the step of a watched optimizer has run since it is watched."""
    return getattr(optimizer.step, "updates", 0) if hasattr(optimizer, "step") else 0


def _without_self(step: Callable[..., Any]) -> Callable[..., Any]:
    """A function that knows its optimizer, as one that is told."""

    def function(_: Any, *args: Any, **kwargs: Any) -> Any:
        return step(*args, **kwargs)

    return update_wrapper(function, step)


def warn_if_wrong(optimizer: Any) -> None:
    """Warn the caller of the scheduler's `step` if the step of a watched optimizer has not run."""
    if not hasattr(getattr(optimizer, "step", None), "_wrapped_by_lr_sched"):
        warnings.warn(_STEP_REPLACED, UserWarning, stacklevel=3)
    elif not getattr(optimizer, "_opt_called", False):
        warnings.warn(_WRONG_ORDER, UserWarning, stacklevel=3)
