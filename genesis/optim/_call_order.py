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

    It refers to the optimizer weakly: no cycle may keep its tensors alive. A pickled or deep copy of an
    optimizer gets the `step` of its own class back, not one that steps the original.
    """

    _wrapped_by_lr_sched = True

    def __init__(self, optimizer: Any, function: Callable[..., Any]) -> None:
        update_wrapper(self, function)
        self._function = function
        self._optimizer = ref(optimizer)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        optimizer: Any = self._optimizer()
        optimizer._opt_called = True
        return self._function(optimizer, *args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (self._optimizer(), "step")


def watch(optimizer: Any) -> bool:
    """Let the optimizer note on itself that its `step` has run; False if that cannot be done.

    The names are PyTorch's, so that its schedulers and ours can share an optimizer.
    """
    step: Any = getattr(optimizer, "step", None)
    if hasattr(step, "_wrapped_by_lr_sched"):
        return True
    if not isinstance(step, MethodType) or id(step.__self__) != id(optimizer):
        return False
    try:
        optimizer.step = _WatchedStep(optimizer, step.__func__)
    except (AttributeError, TypeError):  # it takes no attributes, or no weak references
        return False
    return True


def warn_if_wrong(optimizer: Any) -> None:
    """Warn the caller of the scheduler's `step` if the step of a watched optimizer has not run."""
    if not hasattr(getattr(optimizer, "step", None), "_wrapped_by_lr_sched"):
        warnings.warn(_STEP_REPLACED, UserWarning, stacklevel=3)
    elif not getattr(optimizer, "_opt_called", False):
        warnings.warn(_WRONG_ORDER, UserWarning, stacklevel=3)
