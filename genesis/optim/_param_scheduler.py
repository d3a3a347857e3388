"""The driver of any schedule, for any entry of the parameter groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genesis._errors import CheckpointError
from genesis.optim._rates import groups_of, is_number, view_of
from genesis.optim._schedule import Schedule
from genesis.optim._scheduler import LRScheduler


class ParamScheduler(LRScheduler):
    """Let an entry of each parameter group, such as its learning rate, follow a `Schedule`.

    value = base * schedule(step), or the schedule's own value where its kind is "value"; a learning rate is
    also multiplied by the group's `"lr_scale"`, if it has one.

    Args:
        optimizer: Ours, PyTorch's, or anything with `param_groups`.
        schedule: The schedule for all groups, or a list with one for each.
        param_name: The entry: `"lr"`, `"weight_decay"`, `"momentum"` (the first of the `"betas"` in a group
            without momentum), or any other that is a number.
        last_epoch: The last step that was taken; -1 to start.
        verbose: Report each change to the logger `genesis.optim.lr_scheduler`, at level INFO.

    Raises:
        TypeError: if `optimizer` is not an optimizer, or `schedule` no schedule.
        ValueError: if a group has no such entry, or a list has not one schedule for each group.

    Example:
        >>> from genesis.optim import Cosine, ParamScheduler
        >>> wd = ParamScheduler(optimizer, Cosine(100), param_name="weight_decay")  # doctest: +SKIP
    """

    __slots__ = ("_one_for_all",)

    def __init__(
        self,
        optimizer: Any,
        schedule: Schedule | Sequence[Schedule],
        param_name: str = "lr",
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        self._one_for_all = isinstance(schedule, Schedule)
        several = isinstance(schedule, Sequence) and not isinstance(schedule, str)
        schedules: tuple[Any, ...] = tuple(schedule) if several else (schedule,)  # type: ignore[arg-type]
        for each in schedules:
            if not isinstance(each, Schedule):
                raise TypeError(f"expected a Schedule, got {type(each).__name__}: {each!r}")
        if not isinstance(param_name, str):
            given = type(param_name).__name__
            raise TypeError(f"param_name is the name of an entry such as 'lr', got {given}: {param_name!r}")
        _check_numbers(groups_of(optimizer, type(self).__name__, param_name), param_name)
        self.schedules: tuple[Schedule, ...] = schedules
        self.param_name = self._name = param_name
        super().__init__(optimizer, last_epoch, verbose)

    def schedule_for(self, index: int, base_lr: float) -> Schedule:
        """The schedule given for the group; a group added later gets the one that was given for all."""
        groups = self.optimizer.param_groups
        if not self._one_for_all and len(self.schedules) != len(groups):
            raise ValueError(
                f"expected {len(groups)} schedules, one for each parameter group of the optimizer, but got "
                f"{len(self.schedules)}"
            )
        schedule = self.schedules[0 if self._one_for_all else index]
        scale = groups[index].get("lr_scale", 1.0) if self._name == "lr" else 1.0
        return schedule if scale == 1.0 else schedule * float(scale)

    def state_dict(self) -> dict[str, Any]:
        """The state without the optimizer, the schedules by their configurations."""
        return {
            **super().state_dict(),
            "schedules": [self._saved_schedule(schedule) for schedule in self.schedules],
        }

    def _unpack(self, state: dict[str, Any]) -> dict[str, Any]:
        saved = state["schedules"]
        if state["param_name"] != self.param_name:
            raise CheckpointError(f"this is the state of {state['param_name']!r}, not of {self.param_name!r}")
        if not isinstance(saved, (list, tuple)) or len(saved) != len(self.schedules):
            number = len(saved) if isinstance(saved, (list, tuple)) else repr(saved)
            raise CheckpointError(f"the state has {number} schedules; expected {len(self.schedules)}")
        schedules = tuple(
            self._restored_schedule(schedule, record)
            for schedule, record in zip(self.schedules, saved, strict=True)
        )
        return {**state, "schedules": schedules}

    def _parameters(self) -> dict[str, Any]:
        schedule = self.schedules[0] if self._one_for_all else list(self.schedules)
        named = {} if self.param_name == "lr" else {"param_name": self.param_name}
        return {"schedule": schedule, **named}

    def __getstate__(self) -> tuple[dict[str, Any], dict[str, Any]]:
        attributes, slots = super().__getstate__()
        return attributes, {"_one_for_all": self._one_for_all, **slots}


def _check_numbers(groups: list[dict[str, Any]], name: str) -> None:
    """Refuse an entry that a schedule cannot be written into."""
    for number, group in enumerate(view_of(groups, name)):
        value = group[name]
        if isinstance(value, bool) or not is_number(value):
            raise ValueError(
                f"param_groups[{number}][{name!r}] is {value!r}; a schedule drives an entry that is a number"
            )
