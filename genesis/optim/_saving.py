"""How a scheduler is saved, restored, written down as a configuration, and copied."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from genesis._errors import CheckpointError
from genesis._states import loads_state
from genesis.optim._binding import Binding, HasParamGroups
from genesis.optim._call_order import watch
from genesis.optim._origins import with_origin
from genesis.optim._rates import is_number, like, view_of
from genesis.optim._schedule import Schedule
from genesis.optim._stepping import Stepping

# What only some states have: the changes of the end, and what metric schedules have seen.
_EXTRA_STATE = frozenset({"_extensions", "_metric_states"})

_log = logging.getLogger("genesis.optim.lr_scheduler")


def _shallow(state: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a state that shares no list or dict with it."""
    return {
        name: copy.copy(value) if isinstance(value, (list, dict)) else value for name, value in state.items()
    }


class Saving(Stepping):
    """State, configuration and copies; see `LRScheduler`."""

    __slots__ = ()

    # Some versions of PyTorch save these and some do not; none of them says where a schedule stands.
    _optional_state = frozenset({"verbose", "_is_initial", "_get_lr_called_within_step"})

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "state_dict" in cls.__dict__:
            cls.state_dict = with_origin(cls.__dict__["state_dict"])  # type: ignore[method-assign]
        if "load_state_dict" in cls.__dict__:
            cls.load_state_dict = loads_state(cls.__dict__["load_state_dict"])  # type: ignore[method-assign]

    @with_origin
    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer, as a dict of plain values: the rates are lists of floats."""
        state = _shallow(self.__dict__)
        for name in ("base_lrs", "_last_lr"):
            state[name] = [float(rate) for rate in state[name]]
        if self._extensions:
            state["_extensions"] = [list(extension) for extension in self._extensions]
        if self._cells:
            state["_metric_states"] = [dict(cell.state) for cell in self._cells.values()]
        return state

    @loads_state
    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a saved state: restores the counters and writes its rates into the optimizer.

        The optimizer's state may be loaded before, after, or not at all. A state that PyTorch's scheduler of
        the same name has saved is welcome. Where several schedulers share an optimizer, load them in the
        order in which they step, the optimizer before or after all of them.

        Raises:
            CheckpointError: if the state is another class's, or for another number of parameter groups; then
                nothing is changed.
        """
        self._follow(self.last_epoch)
        self._check_state(state_dict)
        before = self.state_dict()
        try:
            self._restore(state_dict)
        except BaseException:
            self._restore(before)
            raise

    def _restore(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a state that was checked."""
        groups = view_of(self.optimizer.param_groups, self._name)
        skipped = self._optional_state | _EXTRA_STATE
        state = self._unpack({name: state_dict[name] for name in state_dict if name not in skipped})
        base_lrs, last_lr = state.pop("base_lrs"), [float(rate) for rate in state.pop("_last_lr")]
        self.__dict__.update(_shallow(state))
        self._extensions = [(int(at), int(total)) for at, total in state_dict.get("_extensions", ())]
        self.base_lrs = [like(group[self._name], rate) for group, rate in zip(groups, base_lrs, strict=True)]
        if type(self)._base_rate is Binding._base_rate:
            for group, rate in zip(groups, base_lrs, strict=True):
                group[f"initial_{self._name}"] = like(group[self._name], rate)
        self._bind()
        self._load_cells(state_dict.get("_metric_states", ()))
        self._write(last_lr)

    def _unpack(self, state: dict[str, Any]) -> dict[str, Any]:
        """The attributes that a state stands for; overridden where some are saved in another form."""
        return state

    @staticmethod
    def _saved_schedule(schedule: Schedule) -> dict[str, Any] | None:
        """A schedule as a state holds it; None where a function in it has no name."""
        try:
            return schedule.to_config()
        except TypeError:
            return None

    @staticmethod
    def _restored_schedule(
        schedule: Schedule, saved: Mapping[str, Any] | None, expected: type[Schedule] = Schedule
    ) -> Schedule:
        """The schedule that was saved, of the class expected; the given one where none could be."""
        if saved is None or saved == Saving._saved_schedule(schedule):
            return schedule
        try:
            found = expected.from_config(saved)
        except (TypeError, ValueError, LookupError) as error:
            raise CheckpointError(f"the state is not one of {schedule!r}: {error}") from error
        if found != schedule:
            _log.warning(
                "the saved state goes on with %r; the scheduler was made with %r. To go on with the latter, "
                "make the scheduler with last_epoch instead of loading its state.",
                found,
                schedule,
            )
        return found

    def _load_cells(self, states: Iterable[Mapping[str, Any]]) -> None:
        states = list(states)
        if len(states) != len(self._cells):
            raise CheckpointError(
                f"the state has seen metrics for {len(states)} schedules, but {len(self._cells)} of this "
                f"{type(self).__name__} follow one"
            )
        for cell, state in zip(self._cells.values(), states, strict=True):
            if set(state) != set(cell.state):
                raise CheckpointError(
                    f"expected the state of {cell.schedule!r}, {sorted(cell.state)}; got {state}"
                )
            cell.state = dict(state)

    def _check_state(self, state_dict: Mapping[str, Any]) -> None:
        """Refuse a state that this scheduler cannot have saved, and say how it differs."""
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"expected the dict that state_dict() returns, got {state_dict!r}")
        name, own = type(self).__name__, set(self.state_dict())
        free = self._optional_state | _EXTRA_STATE
        missing, unknown = sorted(own - set(state_dict) - free), sorted(set(state_dict) - own - free)
        if missing or unknown:
            raise CheckpointError(
                f"this is not the state of a {name}: it lacks {missing or 'nothing'} and has "
                f"{unknown or 'nothing'} that a {name} does not know"
            )
        groups = len(self.optimizer.param_groups)
        for key in ("base_lrs", "_last_lr"):
            rates = state_dict.get(key)
            if key not in own:
                continue
            right = isinstance(rates, (list, tuple)) and len(rates) == groups
            if not right or not all(map(is_number, rates or ())):
                raise CheckpointError(
                    f"the state of this {name} has {key}={rates!r}; expected a list of {groups} numbers, one "
                    "for each parameter group of the optimizer"
                )
        for key in ("last_epoch", "_step_count"):
            if key in own and not is_number(state_dict[key]):
                raise CheckpointError(f"the state has {key}={state_dict[key]!r}; expected a number")

    def to_config(self) -> dict[str, Any]:
        """The class and its arguments, without the optimizer, as a dict of plain values that JSON can hold.

        Raises:
            TypeError: if an argument cannot be written down, such as a function without a name.
        """
        from genesis.optim._config import scheduler_config

        return scheduler_config(self)

    @classmethod
    def from_config(cls, config: Mapping[str, Any], optimizer: HasParamGroups) -> Any:
        """Build the scheduler that `to_config` described, for an optimizer.

        `LRScheduler.from_config` finds the class by its name, as `Schedule.from_config` does.

        Raises:
            ValueError: if the configuration is another class's, or its arguments are not those of this one.
        """
        from genesis.optim._config import scheduler_from_config

        return scheduler_from_config(cls, config, optimizer)

    def __getstate__(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What a copy is made of: not the callbacks, and not what follows from the rest."""
        kept = {
            name: getattr(self, name)
            for name in ("optimizer", "_verbose", "_name", "_extensions", "_updates")
        }
        states = [cell.state for cell in self._cells.values()]
        return dict(self.__dict__), {**kept, "_arguments": ((), self._parameters()), "_cells": states}

    def __setstate__(self, state: tuple[dict[str, Any], dict[str, Any]]) -> None:
        """Unpickle; the copy of the optimizer is watched anew."""
        attributes, slots = state
        states = slots.pop("_cells", [])
        self.__dict__.update(attributes)
        for name, value in slots.items():
            object.__setattr__(self, name, value)
        self._watched = watch(self.optimizer)
        self._bind()
        self._load_cells(states)

    def __copy__(self) -> Any:
        twin = type(self).__new__(type(self))
        twin.__setstate__(self.__getstate__())
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """A copy with a state of its own that drives the same optimizer, or the copy of it made before."""
        memo.setdefault(id(self.optimizer), self.optimizer)
        twin = type(self).__new__(type(self))
        memo[id(self)] = twin
        twin.__setstate__(copy.deepcopy(self.__getstate__(), memo))
        return twin
