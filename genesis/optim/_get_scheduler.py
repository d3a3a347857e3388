"""One function for every schedule by name, called as transformers' function of that name is called."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from enum import Enum
from inspect import Parameter, signature
from typing import Any

from genesis.optim._create import create_scheduler
from genesis.optim._lengths import TRAINING_NAMES, WARMUP_NAMES, to_steps, training_length
from genesis.optim._scheduler import LRScheduler
from genesis.plugin import UnknownNameError, registry


class SchedulerType(str, Enum):
    """The names that transformers gave its schedules; `get_scheduler` takes these and many more."""

    LINEAR = "linear"
    COSINE = "cosine"
    COSINE_WITH_RESTARTS = "cosine_with_restarts"
    POLYNOMIAL = "polynomial"
    CONSTANT = "constant"
    CONSTANT_WITH_WARMUP = "constant_with_warmup"
    INVERSE_SQRT = "inverse_sqrt"
    REDUCE_ON_PLATEAU = "reduce_lr_on_plateau"
    COSINE_WITH_MIN_LR = "cosine_with_min_lr"
    COSINE_WARMUP_WITH_MIN_LR = "cosine_warmup_with_min_lr"
    WARMUP_STABLE_DECAY = "warmup_stable_decay"
    GREEDY = "greedy"


# What plugins declare them as, where that is another name.
_DECLARED = {
    "linear": "get_linear_schedule_with_warmup",
    "cosine": "get_cosine_schedule_with_warmup",
    "cosine_with_restarts": "get_cosine_with_hard_restarts_schedule_with_warmup",
    "polynomial": "get_polynomial_decay_schedule_with_warmup",
    "constant": "get_constant_schedule",
    "constant_with_warmup": "get_constant_schedule_with_warmup",
    "inverse_sqrt": "get_inverse_sqrt_schedule",
    "reduce_lr_on_plateau": "get_reduce_on_plateau_schedule",
    "cosine_with_min_lr": "get_cosine_with_min_lr_schedule_with_warmup",
    "cosine_warmup_with_min_lr": "get_cosine_with_min_lr_schedule_with_warmup_lr_rate",
    "warmup_stable_decay": "get_wsd_schedule",
    "greedy": "get_greedy_schedule",
}


def get_scheduler(
    name: str | SchedulerType,
    optimizer: Any,
    num_warmup_steps: float | str | None = None,
    num_training_steps: float | str | None = None,
    scheduler_specific_kwargs: Mapping[str, Any] | None = None,
) -> LRScheduler:
    """Return a schedule bound to an optimizer, found by its name, with the lengths that it takes.

    Args:
        name: One of `SchedulerType` or its value, such as `"cosine"`, or any of `genesis.list_schedulers()`.
        optimizer: The one whose learning rates are set: ours, PyTorch's, or anything with `param_groups`.
        num_warmup_steps: The steps of the warmup, for schedules that have one.
        num_training_steps: All steps, for schedules that end; for the others it is what a length such as
            `"10%"` is a part of.
        scheduler_specific_kwargs: The other options of the schedule, such as `{"num_cycles": 3}`.

    Raises:
        ValueError: if there is no schedule of the name, or it needs a length that is not given.
        TypeError: if it does not take one of the options, or `optimizer` is not an optimizer.

    Warns:
        UserWarning: if a warmup is asked of a schedule that has none.

    Example:
        >>> from genesis.optim import get_scheduler
        >>> scheduler = get_scheduler("cosine", optimizer, 100, 1000)  # doctest: +SKIP
        >>> scheduler = get_scheduler(
        ...     "OneCycleLR", optimizer, scheduler_specific_kwargs={"max_lr": 0.1, "total_steps": 1000}
        ... )  # doctest: +SKIP

    Reference: https://huggingface.co/docs/transformers/main_classes/optimizer_schedules
    """
    name = getattr(name, "value", name)
    if hasattr(optimizer, "optimizer_dict"):
        raise TypeError(
            f"{type(optimizer).__name__} only stands for the optimizers in its optimizer_dict, so a schedule "
            "for it would set none of their rates; make one for each of them"
        )
    target = _target(name)
    takes = signature(target).parameters
    lengths = {"num_warmup_steps": num_warmup_steps, "num_training_steps": num_training_steps}
    for length, value in lengths.items():
        if value is None and length in takes and takes[length].default is Parameter.empty:
            raise ValueError(f"{name} requires `{length}`, please provide that argument.")
    specific = dict(scheduler_specific_kwargs or {})
    # Their own names count in any case; of the others, what the schedule cannot do without, and its warmup.
    needed = {key for key in takes if takes[key].default is Parameter.empty} - set(specific)
    options = {key: value for key, value in lengths.items() if key in takes and value is not None}
    if "num_training_steps" not in takes and num_training_steps is not None:
        options |= dict.fromkeys(needed & {*TRAINING_NAMES, "steps"}, num_training_steps)
    if "num_warmup_steps" not in takes and num_warmup_steps is not None:
        options |= dict.fromkeys({"warmup_steps"} & (set(takes) - set(specific)), num_warmup_steps)
    for twice in options.keys() & specific.keys():
        raise TypeError(f"{twice} is given twice, as an argument and in scheduler_specific_kwargs")
    if num_warmup_steps and not set(WARMUP_NAMES) & set(takes):
        warnings.warn(
            f"{name} takes no num_warmup_steps, so num_warmup_steps={num_warmup_steps!r} has no effect",
            UserWarning,
            stacklevel=2,
        )
    with _training_of(num_training_steps):
        return create_scheduler(_DECLARED.get(name, name), optimizer, **options, **specific)


def _training_of(num_training_steps: float | str | None) -> Any:
    """What the lengths in percent are a part of, while the schedule is made."""
    if num_training_steps is None:
        return nullcontext()
    total = to_steps(num_training_steps, name="num_training_steps")
    return training_length(total_steps=round(total)) if total else nullcontext()


def _target(name: Any) -> Callable[..., Any]:
    """What makes the schedule of this name; it may be a class, or a function."""
    if not isinstance(name, str):
        raise ValueError(f"expected the name of a schedule, got {type(name).__name__}: {name!r}")
    try:
        target: Callable[..., Any] = registry("schedulers").find(_DECLARED.get(name, name)).load()
    except UnknownNameError as error:
        declared = registry("schedulers").contributions()
        others = ", ".join(sorted({str(found) for found in declared} - set(_DECLARED)))
        raise ValueError(
            f"{name!r} is not a valid SchedulerType, nor another schedule that is installed. There are "
            f"{', '.join(_DECLARED)}; and {others}"
        ) from error
    return target
