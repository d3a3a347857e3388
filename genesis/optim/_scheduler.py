"""The driver of schedules: it writes their values into the learning rates of an optimizer, step by step."""

from __future__ import annotations

import logging
import operator
import warnings
from collections.abc import Callable, Mapping
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from genesis._errors import CheckpointError
from genesis.optim._call_order import warn_if_wrong, watch
from genesis.optim._schedule import Schedule

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["EPOCH_DEPRECATION_WARNING", "LRScheduler", "LastLR"]

EPOCH_DEPRECATION_WARNING = (
    "`scheduler.step(epoch)` is deprecated: it sets the step counter to `epoch` and takes the rate for it. "
    "Call `scheduler.step()` without it; `scheduler.value_at(step)` shows the rate of any step."
)

_NO_INITIAL_LR = (
    "param 'initial_lr' is not specified in param_groups[{}] when resuming scheduler with last_epoch >= 0.\n"
    "Load the state of the optimizer before you make the scheduler, set 'initial_lr' in every group, or "
    "start with last_epoch=-1 and load the scheduler's own state."
)

# Some versions of PyTorch save these and some do not; none of them says where a schedule stands.
_OPTIONAL_STATE = frozenset({"verbose", "_is_initial", "_get_lr_called_within_step"})

_log = logging.getLogger("genesis.optim.lr_scheduler")


class HasParamGroups(Protocol):
    """What a scheduler needs of an optimizer: a list of dicts that each hold `"lr"`."""

    param_groups: list[dict[str, Any]]


class LastLR(list[Any]):
    """The learning rates of all parameter groups: a list that formats like a number.

    With one group `float(rates)` is its rate. A format specification applies to each rate, and with one group
    the brackets are left out.

    Example:
        >>> f"{LastLR([0.1]):.3f}", f"{LastLR([0.1, 0.01]):.3f}", LastLR([0.1]) == [0.1]
        ('0.100', '[0.100, 0.010]', True)
    """

    def __float__(self) -> float:
        if len(self) != 1:
            raise TypeError(f"there are {len(self)} learning rates, one for each group; take one by index")
        return float(self[0])

    def __format__(self, spec: str) -> str:
        if not spec:
            return str(self)
        rates = [format(float(rate), spec) for rate in self]
        return rates[0] if len(rates) == 1 else f"[{', '.join(rates)}]"


class _Bound(NamedTuple):
    """The schedule of a parameter group, with what each step needs of it."""

    schedule: Schedule
    at: Callable[[int], float]
    horizon: float
    absolute: bool


class LRScheduler:
    """Base class of the learning-rate schedulers: a schedule for each parameter group of an optimizer.

    The rate of step 0 is written at once. `step()`, called after `optimizer.step()`, writes the next one:

        rate = base_lr * schedule(step)     (or the schedule's value itself, where its kind is "value")

    A subclass stores its parameters as attributes, calls this constructor, and chooses the `Schedule` of a
    group in `schedule_for`. Or it overrides `get_lr`, as schedulers written for PyTorch do.

    Args:
        optimizer: Ours, PyTorch's, or anything with `param_groups`, a list of dicts that each hold `"lr"`. A
            learning rate that is a tensor is changed in place.
        last_epoch: The last step that was taken: -1 to start, or n to go on from step n + 1 with an optimizer
            whose state was loaded.
        verbose: Report each change of a rate to the logger `genesis.optim.lr_scheduler`, at level INFO.

    Raises:
        TypeError: if `optimizer` has no parameter groups with learning rates.
        KeyError: if `last_epoch` is not -1 and a group has no `"initial_lr"`.

    Reference: https://docs.pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate
    """

    # `__dict__` holds the state that is saved, under PyTorch's names; what is not saved has a slot.
    __slots__ = ("__dict__", "__weakref__", "_bound", "_verbose", "_watched", "optimizer")

    base_lrs: list[Any]
    last_epoch: int
    optimizer: HasParamGroups
    _bound: list[_Bound] | None
    _last_lr: list[Any]
    _step_count: int
    _is_initial: bool
    _get_lr_called_within_step: bool

    def __init__(self, optimizer: HasParamGroups, last_epoch: int = -1, verbose: bool = False) -> None:
        groups = _groups_of(optimizer, type(self).__name__)
        if operator.index(last_epoch) < -1:
            raise ValueError(f"last_epoch is -1 to start, or the last step that was taken; got {last_epoch}")
        for number, group in enumerate(groups):
            if last_epoch >= 0 and "initial_lr" not in group:
                raise KeyError(_NO_INITIAL_LR.format(number))
        self.optimizer = optimizer
        self.base_lrs = [_copy(group.get("initial_lr", group["lr"])) for group in groups]
        self.last_epoch = operator.index(last_epoch)
        self._last_lr = [_copy(group["lr"]) for group in groups]
        self._step_count = 0
        self._get_lr_called_within_step = False
        self._is_initial = True
        self._verbose = verbose
        self._bind()
        for group in groups:
            group.setdefault("initial_lr", _copy(group["lr"]))
        self._watched = watch(optimizer)
        self.step()
        self._is_initial = False

    def schedule_for(self, index: int, base_lr: float) -> Schedule:
        """Choose the schedule of a parameter group; subclasses define this.

        It is asked for every group when the scheduler is made and when a state is loaded, and for a group
        that the optimizer gets later.

        Args:
            index: The number of the group.
            base_lr: The group's base rate, for schedules whose kind is `"value"`.
        """
        raise NotImplementedError(f"{type(self).__name__} has no schedule: define its schedule_for()")

    def step(self, epoch: int | None = None) -> None:
        """Go on to the next step and write its rates into the optimizer.

        Args:
            epoch: Deprecated: the step to go to, instead of the next one.
        """
        if self._step_count == 1 and self._watched:
            warn_if_wrong(self.optimizer)
        before = self.last_epoch
        if epoch is None:
            self.last_epoch = before + 1
        else:
            warnings.warn(EPOCH_DEPRECATION_WARNING, UserWarning, stacklevel=2)
            self.last_epoch = epoch
        try:
            if len(self.optimizer.param_groups) != len(self.base_lrs):
                self._follow()
            bound = self._bound
            rates = self._own_rates() if bound is None else self._rates(bound)
        except BaseException:
            self.last_epoch = before  # a step that fails leaves the scheduler where it was
            raise
        self._step_count += 1
        self._write(rates)

    def get_last_lr(self) -> LastLR:
        """The rates in force now, one for each parameter group, as a list that formats like a number."""
        return LastLR(self._last_lr)

    def get_lr(self) -> list[Any]:
        """Compute the rates of step `last_epoch`; meant to be called by `step`, and to be overridden.

        To see the present rates use `get_last_lr`; for those of any step, `value_at`.
        """
        if not self._get_lr_called_within_step:
            warnings.warn(
                "To get the last learning rate computed by the scheduler, please use `get_last_lr()`.",
                UserWarning,
                stacklevel=2,
            )
        return self._rates(self._schedules())

    def value_at(self, step: int | NDArray[np.integer[Any]]) -> Any:
        """The rates at any step, past or future; the optimizer is not touched.

        Args:
            step: A step, or an integer array of steps.

        Returns:
            For an int a list with a rate for each group; for an array of shape (...) a float64 array of shape
            (..., groups).
        """
        asked, rates = None, []
        value: Any = None
        for bound, base in zip(self._schedules(), self.base_lrs, strict=True):
            if bound.schedule is not asked:
                asked, value = bound.schedule, bound.schedule(step)
            rates.append(value if bound.absolute else float(base) * value)
        if isinstance(step, int):
            return LastLR(rates)
        import numpy as np

        return np.stack(rates, axis=-1)

    def preview(self, num_steps: int) -> NDArray[np.float64]:
        """The rates of steps 0 to num_steps - 1, an array (num_steps, groups); touches no optimizer."""
        import numpy as np

        rates: NDArray[np.float64] = self.value_at(np.arange(num_steps))
        return rates

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer, as a dict of plain values: the rates are lists of floats."""
        state = dict(self.__dict__)
        for name in ("base_lrs", "_last_lr"):
            state[name] = [float(rate) for rate in state[name]]
        return state

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a saved state: restores the counters and writes its rates into the optimizer.

        The optimizer's state may be loaded before, after, or not at all. A state that PyTorch's scheduler of
        the same name has saved is welcome.

        Raises:
            CheckpointError: if the state is another class's, or for another number of parameter groups; then
                nothing is changed.
        """
        self._follow()
        self._check_state(state_dict)
        groups = self.optimizer.param_groups
        state = self._unpack({name: state_dict[name] for name in state_dict if name not in _OPTIONAL_STATE})
        base_lrs, last_lr = state.pop("base_lrs"), [float(rate) for rate in state.pop("_last_lr")]
        self.__dict__.update(state)
        self.base_lrs = [_like(group["lr"], rate) for group, rate in zip(groups, base_lrs, strict=True)]
        for group, rate in zip(groups, base_lrs, strict=True):
            group["initial_lr"] = _like(group["lr"], rate)
        self._bind()
        self._write(last_lr)

    def _unpack(self, state: dict[str, Any]) -> dict[str, Any]:
        """The attributes that a state stands for; overridden where some are saved in another form."""
        return state

    def _check_state(self, state_dict: Mapping[str, Any]) -> None:
        """Refuse a state that this scheduler cannot have saved, and say how it differs."""
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"expected the dict that state_dict() returns, got {state_dict!r}")
        name, own = type(self).__name__, set(self.state_dict())
        missing = sorted(own - set(state_dict) - _OPTIONAL_STATE)
        unknown = sorted(set(state_dict) - own - _OPTIONAL_STATE)
        if missing or unknown:
            raise CheckpointError(
                f"this is not the state of a {name}: it lacks {missing or 'nothing'} and has "
                f"{unknown or 'nothing'} that a {name} does not know"
            )
        groups = len(self.optimizer.param_groups)
        for key in ("base_lrs", "_last_lr"):
            rates = state_dict[key]
            right = isinstance(rates, (list, tuple)) and len(rates) == groups
            if not right or not all(map(_is_number, rates)):
                raise CheckpointError(
                    f"the state of this {name} has {key}={rates!r}; expected a list of {groups} numbers, one "
                    "for each parameter group of the optimizer"
                )
        for key in ("last_epoch", "_step_count"):
            if not _is_number(state_dict[key]):
                raise CheckpointError(f"the state has {key}={state_dict[key]!r}; expected a number")

    def _bind(self) -> None:
        """Ask for the schedule of every group; a class with its own `get_lr` needs none."""
        self._bound = None
        if type(self).get_lr is LRScheduler.get_lr:
            self._bound = []
            self._bind_more(self.base_lrs)

    def _bind_more(self, base_lrs: list[Any]) -> None:
        """Ask for the schedules of the groups after those already bound; equal ones become one object."""
        bound = list(self._schedules())
        for number, base in enumerate(base_lrs, start=len(bound)):
            schedule = self.schedule_for(number, float(base))
            if bound and bound[-1].schedule == schedule:
                schedule = bound[-1].schedule
            horizon = inf if schedule.horizon is None else schedule.horizon
            bound.append(_Bound(schedule, schedule.at, horizon, schedule.kind == "value"))
        self._bound = bound

    def _schedules(self) -> list[_Bound]:
        if self._bound is None:
            raise NotImplementedError(
                f"{type(self).__name__} computes its rates step by step in get_lr(), so those of other steps "
                "are not known; define schedule_for() instead"
            )
        return self._bound

    def _rates(self, bound: list[_Bound]) -> list[Any]:
        """The rates of step `last_epoch` by the schedules; one that several groups share is asked once."""
        step, asked, value = self.last_epoch, None, 0.0
        rates: list[Any] = []
        for (schedule, at, horizon, absolute), base in zip(bound, self.base_lrs):  # noqa: B905 (strict is slow)
            if schedule is not asked:
                asked = schedule
                value = at(step) if step < horizon else schedule(step)
                if type(value) is not float or value != value:
                    value = schedule.checked(value, step)
            rates.append(value if absolute else base * value)
        return rates

    def _own_rates(self) -> list[Any]:
        """The rates of step `last_epoch` by the `get_lr` of a subclass."""
        self._get_lr_called_within_step = True
        try:
            rates = self.get_lr()
        finally:
            self._get_lr_called_within_step = False
        if len(rates) != len(self.base_lrs):
            name, groups = type(self).__name__, len(self.base_lrs)
            raise ValueError(f"{name}.get_lr() gave {len(rates)} rates for {groups} parameter groups")
        return rates

    def _follow(self) -> None:
        """Take up the groups that the optimizer got since; their base rate is the one that they came with."""
        groups, known = self.optimizer.param_groups, len(self.base_lrs)
        if len(groups) < known:
            raise ValueError(
                f"the optimizer had {known} parameter groups and has {len(groups)} now; make a new scheduler"
            )
        added = [_copy(group.get("initial_lr", group["lr"])) for group in groups[known:]]
        if self._bound is not None:
            self._bind_more(added)
        self.base_lrs = [*self.base_lrs, *added]
        self._last_lr = [*self._last_lr, *(_copy(group["lr"]) for group in groups[known:])]
        for group in groups[known:]:
            group.setdefault("initial_lr", _copy(group["lr"]))

    def _write(self, rates: list[Any]) -> None:
        """Write the rates into the optimizer, in place where they are tensors."""
        last = []
        for group, rate in zip(self.optimizer.param_groups, rates):  # noqa: B905 (strict is slow)
            lr = group["lr"]
            if type(lr) is not float and hasattr(lr, "fill_"):
                lr.fill_(float(rate))
                last.append(lr.clone())
            else:
                group["lr"] = rate
                last.append(rate)
        if self._verbose:
            self._report(last)
        self._last_lr = last

    def _report(self, rates: list[Any]) -> None:
        for number, (old, new) in enumerate(zip(self._last_lr, rates, strict=True)):
            if new != old:
                change = (self.last_epoch, number, float(old), float(new))
                _log.info("step %s: learning rate of group %d: %g -> %g", *change)

    def __setstate__(self, state: tuple[dict[str, Any], dict[str, Any]]) -> None:
        """Unpickle; the copy of the optimizer is watched anew."""
        attributes, slots = state
        self.__dict__.update(attributes)
        for name, value in slots.items():
            setattr(self, name, value)
        self._watched = watch(self.optimizer)

    def __repr__(self) -> str:
        rates = [float(rate) for rate in self._last_lr]
        return f"{type(self).__name__}(last_epoch={self.last_epoch}, last_lr={rates})"


def _groups_of(optimizer: Any, scheduler: str) -> list[dict[str, Any]]:
    """The parameter groups of an optimizer, or an error that says what was given instead."""
    groups = getattr(optimizer, "param_groups", None)
    if not isinstance(groups, list) or not all(isinstance(group, dict) and "lr" in group for group in groups):
        raise TypeError(
            f"{type(optimizer).__name__} is not an Optimizer: {scheduler} expects an object with "
            f"`param_groups`, a list of dicts that each hold a learning rate 'lr'; got {optimizer!r}"
        )
    return groups


def _copy(rate: Any) -> Any:
    """A rate that shares nothing with this one: a clone of a tensor, or else a plain float."""
    return rate.clone() if hasattr(rate, "fill_") else float(rate)


def _like(rate: Any, value: Any) -> Any:
    """A new rate with this value, of the type that `rate` has."""
    if not hasattr(rate, "fill_"):
        return float(value)
    new = rate.clone()
    new.fill_(float(value))
    return new


def _is_number(value: Any) -> bool:
    """Whether it has a value as a float; a tensor with one element has."""
    try:
        float(value)
    except (TypeError, ValueError, RuntimeError):
        return False
    return True
