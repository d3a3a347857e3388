"""The driver of schedules: it writes their values into the learning rates of an optimizer, step by step."""

from __future__ import annotations

import copy
import logging
import operator
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import Signature, signature
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from genesis._errors import CheckpointError
from genesis.optim._call_order import updates_of, warn_if_wrong, watch
from genesis.optim._metric import Cell, MetricSchedule, in_force, live
from genesis.optim._rates import (
    Explanations,
    LastLR,
    RateChange,
    carried_on,
    copy_of,
    groups_of,
    is_number,
    like,
    put,
    view_of,
)
from genesis.optim._schedule import Explanation, Schedule

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["EPOCH_DEPRECATION_WARNING", "LRScheduler", "LastLR"]

EPOCH_DEPRECATION_WARNING = (
    "`scheduler.step(epoch)` is deprecated: it sets the step counter to `epoch` and takes the rate for it. "
    "Call `scheduler.step()` without it; `scheduler.value_at(step)` shows the rate of any step."
)

_NO_INITIAL = (
    "param 'initial_{name}' is not specified in param_groups[{number}] when resuming scheduler with "
    "last_epoch >= 0.\nLoad the state of the optimizer before you make the scheduler, set 'initial_{name}' "
    "in every group, or start with last_epoch=-1 and load the scheduler's own state."
)

# Some versions of PyTorch save these and some do not; none of them says where a schedule stands.
_OPTIONAL_STATE = frozenset({"verbose", "_is_initial", "_get_lr_called_within_step"})

# What only some states have: the changes of the end, and what metric schedules have seen.
_EXTRA_STATE = frozenset({"_extensions", "_metric_states"})

_log = logging.getLogger("genesis.optim.lr_scheduler")


class HasParamGroups(Protocol):
    """What a scheduler needs of an optimizer: a list of dicts that each hold `"lr"`."""

    param_groups: list[dict[str, Any]]


class _Bound(NamedTuple):
    """The schedule of a parameter group, with what each step needs of it."""

    schedule: Schedule
    function: Callable[[float], float]
    absolute: bool


class _InitSignature:
    """The signature of a class whose `__new__` takes anything: that of its `__init__`."""

    def __get__(self, instance: object, owner: type[Any]) -> Signature:
        parameters = list(signature(owner.__init__).parameters.values())
        return Signature(parameters[1:])


def _shallow(state: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a state that shares no list or dict with it."""
    return {
        name: copy.copy(value) if isinstance(value, (list, dict)) else value for name, value in state.items()
    }


class LRScheduler:
    """Base class of the learning-rate schedulers: a schedule for each parameter group of an optimizer.

    The rate of step 0 is written at once. `step()`, called after `optimizer.step()`, writes the next one:

        rate = base_lr * schedule(step)     (or the schedule's value itself, where its kind is "value")

    A subclass stores its parameters as attributes, calls this constructor, and chooses the `Schedule` of a
    group in `schedule_for`; state, resuming, previews, added groups, copies and configurations follow from
    that. Or it overrides `get_lr`, as schedulers written for PyTorch do.

    Schedulers of one optimizer compose: `a.then(b, at=10)`, `a * b`, `a.clip(low, high)`, `a.repeat(times)`,
    `a.with_warmup(steps)` are schedulers too, and take the place of those that they are made of.

    Args:
        optimizer: Ours, PyTorch's, or anything with `param_groups`, a list of dicts that each hold `"lr"`. A
            learning rate that is a tensor is changed in place.
        last_epoch: The last step that was taken: -1 to start, or n to go on from step n + 1 with an optimizer
            whose state was loaded.
        verbose: Report each change of a rate to the logger `genesis.optim.lr_scheduler`, at level INFO.

    Attributes:
        chainable: Whether a rate that somebody else has changed, another scheduler or the user, is carried
            on, as PyTorch's recursive schedulers do. A class that says False overwrites it.
        carries: Whether, as a later part of a sequence, the scheduler goes on from the rate at which the part
            before left off, rather than from the base rate.

    Raises:
        TypeError: if `optimizer` has no parameter groups with learning rates.
        KeyError: if `last_epoch` is not -1 and a group has no `"initial_lr"`.

    Reference: https://docs.pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate
    """

    # `__dict__` holds the state that is saved, under PyTorch's names; what is not saved has a slot.
    __slots__ = (
        "__dict__",
        "__weakref__",
        "_arguments",
        "_bound",
        "_cells",
        "_chained",
        "_expected",
        "_extensions",
        "_listeners",
        "_more",
        "_name",
        "_own_get_lr",
        "_plain",
        "_shared",
        "_towards",
        "_updates",
        "_verbose",
        "_watched",
        "optimizer",
    )

    chainable: bool = False
    carries: bool = False
    _members: Sequence[Any] = ()

    base_lrs: list[Any]
    last_epoch: int
    optimizer: HasParamGroups
    _bound: list[_Bound] | None
    _cells: dict[tuple[MetricSchedule, int], Cell]
    _expected: list[Any] | None
    _extensions: list[tuple[int, int]]
    _listeners: list[Callable[[RateChange], object]]
    _last_lr: list[Any]
    _more: list[dict[str, Callable[[float], float]]]
    _chained: bool
    _name: str
    _own_get_lr: bool
    _plain: bool
    _shared: Callable[[float], float] | None
    _towards: list[tuple[float, float]] | None
    _step_count: int
    _is_initial: bool
    _get_lr_called_within_step: bool

    __signature__ = _InitSignature()

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        self = super().__new__(cls)
        self._arguments = (args, kwargs)  # for to_config
        self._own_get_lr = cls.get_lr is not LRScheduler.get_lr
        self._bound = self._expected = None
        self._chained = self._plain = False
        self._shared = self._towards = None
        self._cells, self._more, self._listeners, self._extensions = {}, [], [], []
        self._name, self._verbose, self._watched, self._updates = "lr", False, False, 0
        return self

    def __init__(self, optimizer: HasParamGroups, last_epoch: int = -1, verbose: bool = False) -> None:
        name = self._name
        groups_of(optimizer, type(self).__name__, name)
        groups = view_of(optimizer.param_groups, name)
        if operator.index(last_epoch) < -1:
            raise ValueError(f"last_epoch is -1 to start, or the last step that was taken; got {last_epoch}")
        initial = f"initial_{name}"
        for number, group in enumerate(groups):
            if last_epoch >= 0 and initial not in group:
                raise KeyError(_NO_INITIAL.format(name=name, number=number))
        self.optimizer = optimizer
        self.base_lrs = [copy_of(self._base_rate(number, group)) for number, group in enumerate(groups)]
        self.last_epoch = operator.index(last_epoch)
        self._last_lr = [copy_of(group[name]) for group in groups]
        self._step_count = 0
        self._get_lr_called_within_step = False
        self._is_initial = True
        self._verbose = verbose
        self._bind()
        for group in groups:
            group.setdefault(initial, copy_of(group[name]))
        self._watched = watch(optimizer)
        self._updates = updates_of(optimizer)
        self._initial_step()

    def _base_rate(self, index: int, group: Any) -> Any:
        """The base rate of a group: the one that it came with."""
        return group.get(f"initial_{self._name}", group[self._name])

    def _initial_step(self) -> None:
        """Write the first rates."""
        self._step_count = 0
        self._is_initial = True
        self.step()
        self._is_initial = False

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        # A parameter that changes in mid-run has its effect from the next step on, as in PyTorch.
        if name[0] != "_" and name != "optimizer":
            object.__setattr__(self, "_expected", None)
            if name != "last_epoch":
                object.__setattr__(self, "_bound", None)
                object.__setattr__(self, "_plain", False)

    # What a subclass defines.

    def schedule_for(self, index: int, base_lr: float) -> Schedule:
        """Choose the schedule of a parameter group; subclasses define this.

        It is asked for every group when the scheduler is made, when a state is loaded or a parameter is
        changed, and for a group that the optimizer gets later.

        Args:
            index: The number of the group.
            base_lr: The group's base rate, for schedules whose kind is `"value"`.
        """
        raise NotImplementedError(f"{type(self).__name__} has no schedule: define its schedule_for()")

    def anchor_for(self, index: int) -> float:
        """The rate from which distances are carried on, where the scheduler is `chainable`: a floor, or 0."""
        return 0.0

    @property
    def follows_metric(self) -> bool:
        """Whether `step` takes a metric."""
        return bool(self._cells)

    def more_schedules_for(self, index: int) -> Mapping[str, Schedule]:
        """Schedules of values for other entries of a group, such as `{"momentum": …}`; none by default.

        `"momentum"` is the first of the `"betas"` in a group that has no momentum.
        """
        return {}

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
        return self._next_rates()

    # Stepping.

    def step(self, epoch: float | None = None) -> None:
        """Go on to the next step and write its rates into the optimizer.

        Args:
            epoch: Deprecated: the step to go to, instead of the next one. A scheduler with a schedule that
                follows a metric takes the metric here: `step(validation_loss)`.
        """
        own = self.__dict__
        if epoch is None and self._plain and own["_step_count"] > 1:
            groups, bases = self.optimizer.param_groups, own["base_lrs"]
            if len(groups) == len(bases):
                self._next_step(own, groups, bases)
                return
        if own["_step_count"] == 1 and self._watched:
            warn_if_wrong(self.optimizer)
        if epoch is None:
            self._go_to(own["last_epoch"] + 1)
        elif self._cells:
            self._go_to(own["last_epoch"] + 1, epoch)
        else:
            warnings.warn(EPOCH_DEPRECATION_WARNING, UserWarning, stacklevel=2)
            self._update_lr(epoch)

    def _next_step(self, own: dict[str, Any], groups: list[Any], bases: list[Any]) -> None:
        """`_go_to(last_epoch + 1)` where nothing is special, in one piece, because it is called so often."""
        own["last_epoch"] = step = own["last_epoch"] + 1
        shared = self._shared
        try:
            if shared is None:
                rates = self._rates(self._bound, step)
            else:
                value = shared(step)
                if type(value) is not float or value != value:
                    value = self._bound[0].schedule.checked(value, step)  # type: ignore[index]
                if self._towards is None:
                    rates = [base * value for base in bases]
                else:
                    rates = [rate + span * value for rate, span in self._towards]
            if self._chained:
                if [group["lr"] for group in groups] == self._expected:
                    _remember(self, rates)
                else:
                    rates = self._next_rates()
        except BaseException:
            own["last_epoch"] = step - 1  # a step that fails leaves the scheduler where it was
            raise
        own["_step_count"] += 1
        for group, rate in zip(groups, rates):  # noqa: B905 (strict is slow)
            if type(group["lr"]) is not float:
                self._write(rates)
                break
            group["lr"] = rate
        else:
            own["_last_lr"] = rates
            if self._members:
                self._keep_in_step(step, rates)

    def _update_lr(self, epoch: float | None = None) -> None:
        """Go to the next step, or to that given, which is entered afresh: nothing is carried on."""
        if epoch is not None:
            self._expected = []
        self._go_to(self.last_epoch + 1 if epoch is None else epoch)

    def _go_to(self, step: float, metric: Any = None) -> None:
        """Take a step, all of it or nothing."""
        own = self.__dict__
        before = own["last_epoch"]
        own["last_epoch"] = step
        try:
            if len(self.optimizer.param_groups) != len(own["base_lrs"]):
                self._follow(before)
            if self._own_get_lr:
                rates = self._own_rates(self._expected == [])
            else:
                if self._cells:
                    self._observe(step, metric)
                rates = self._next_rates()
        except BaseException:
            own["last_epoch"] = before  # a step that fails leaves the scheduler where it was
            raise
        own["_step_count"] += 1
        self._write(rates)

    def _next_rates(self) -> list[Any]:
        """The rates of step `last_epoch`, what others did to the present ones carried on."""
        bound = self._bound
        if bound is None:
            bound = self._bind()
        step = self.__dict__["last_epoch"]
        rates = self._rates(bound, step)
        if not self._chained:
            return rates
        expected = self._expected
        _remember(self, rates)
        if expected is None:
            if step <= 0:
                expected = self.base_lrs
            elif self._is_initial:
                return rates
            else:
                expected = self._rates(bound, step - 1)
        name = self._name
        groups = self.optimizer.param_groups if name == "lr" else view_of(self.optimizer.param_groups, name)
        for number, (group, old) in enumerate(zip(groups, expected)):  # noqa: B905 (strict is slow)
            present = group[name]
            if present != old or type(present) is not float:
                if rates is self._expected:
                    rates = list(rates)
                rates[number] = self._carried_on(number, present, old, rates[number])
        return rates

    def _carried_on(self, number: int, present: Any, old: Any, new: Any) -> Any:
        """The next rate of a group whose present one is not what the schedule expects."""
        anchor = self.anchor_for(number)
        if float(self.base_lrs[number]) != anchor or float(old) != anchor:
            return carried_on(present, old, new, anchor)
        # From this base rate the schedule does not move, but from the present rate it does.
        step = self.__dict__["last_epoch"]
        before, after = (self._rate_of(number, anchor + 1.0, at) - anchor for at in (max(0, step - 1), step))
        return float(present) if before == 0 else anchor + (float(present) - anchor) * (after / before)

    def _rates(self, bound: list[_Bound] | None, step: float) -> list[Any]:
        """The rates of a step by the schedules alone; one that several groups share is asked once."""
        asked, value = None, 0.0
        rates: list[Any] = []
        for (schedule, function, absolute), base in zip(bound or (), self.base_lrs):  # noqa: B905
            if schedule is not asked:
                asked = schedule
                value = function(step)
                if type(value) is not float or value != value:
                    value = schedule.checked(value, step)
            rates.append(value if absolute else base * value)
        return rates

    def _own_rates(self, afresh: bool) -> list[Any]:
        """The rates of step `last_epoch` by the `get_lr` of a subclass; afresh, by its closed form."""
        closed: Any = getattr(self, "_get_closed_form_lr", None)
        self._get_lr_called_within_step = True
        try:
            rates = closed() if afresh and closed is not None else self.get_lr()
        finally:
            self._get_lr_called_within_step = False
        if len(rates) != len(self.base_lrs):
            name, groups = type(self).__name__, len(self.base_lrs)
            raise ValueError(f"{name}.get_lr() gave {len(rates)} rates for {groups} parameter groups")
        return rates

    def _observe(self, step: float, metric: Any) -> None:
        """Show a metric to the schedules that follow one and are in force."""
        bound = self._bound if self._bound is not None else self._bind()
        cells = {id(c): c for each in bound for c, local in in_force(each.schedule, step) if local >= 1}
        if not cells:
            return
        if metric is None:
            names = ", ".join(sorted({repr(cell.schedule) for cell in cells.values()}))
            raise TypeError(f"{names} needs a metric at step {step}: call step(metric)")
        value = float(metric)
        for cell in cells.values():
            cell.observe(value)

    def _write(self, rates: list[Any]) -> None:
        """Write the rates into the optimizer, in place where they are tensors."""
        name, last = self._name, []
        groups = self.optimizer.param_groups if name == "lr" else view_of(self.optimizer.param_groups, name)
        for group, rate in zip(groups, rates):  # noqa: B905 (strict is slow)
            if type(group[name]) is float:
                group[name] = rate
                last.append(rate)
            else:
                last.append(put(group, name, rate))
        if self._more:
            self._write_more(max(0, self.__dict__["last_epoch"]))
        if self._members:
            self._keep_in_step(self.__dict__["last_epoch"], last)
        if self._verbose or self._listeners:
            self._report(last)
        self.__dict__["_last_lr"] = last

    def _write_more(self, step: float) -> None:
        """Write the values of the other entries that the scheduler drives."""
        for group, functions in zip(self.optimizer.param_groups, self._more, strict=True):
            for name, function in functions.items():
                (view,) = view_of([group], name)
                put(view, name, function(step))

    def _report(self, rates: list[Any]) -> None:
        for number, (old, new) in enumerate(zip(self._last_lr, rates, strict=True)):
            if new == old:
                continue
            change = RateChange(self.last_epoch, number, self._name, float(old), float(new))
            if self._verbose:
                what = "learning rate" if change.name == "lr" else change.name
                _log.info("step %s: %s of group %d: %g -> %g", change.step, what, number, *change[3:])
            for listener in self._listeners:
                listener(change)

    def _keep_in_step(self, step: float, rates: list[Any]) -> None:
        """Let the members of a composition note where they stand."""

    def _stand_at(self, step: float, rates: list[Any]) -> None:
        """Note where a composition stands that this scheduler is a member of."""
        own = self.__dict__
        own["last_epoch"], own["_step_count"], own["_last_lr"] = step, step + 1, rates

    def advance(self, metrics: Any = None) -> int:
        """Take a step for each update of the optimizer since the last call.

        Where gradients are accumulated over several batches, or an update is left out because a gradient
        overflowed, call this after every batch instead of `step`: the schedule counts updates, not batches.

        Args:
            metrics: For a scheduler that follows a metric: the metric.

        Returns:
            How many steps were taken.
        """
        if not self._watched:
            raise RuntimeError(
                f"the updates of this {type(self.optimizer).__name__} cannot be counted: its step() cannot "
                "be watched; call scheduler.step() after each update"
            )
        updates = updates_of(self.optimizer)
        taken, self._updates = updates - self._updates, updates
        for _ in range(taken):
            self.step() if metrics is None else self.step(metrics)
        return taken

    # Looking.

    def get_last_lr(self) -> LastLR:
        """The rates in force now, one for each parameter group, as a list that formats like a number."""
        return LastLR(self._last_lr)

    def value_at(self, step: float | NDArray[Any]) -> Any:
        """The rates at any step, past or future; the optimizer is not touched.

        They are those of this scheduler alone: what somebody else makes of the rates is not known.

        Args:
            step: A step, or an array of steps.

        Returns:
            For a number a list with a rate for each group; for an array of shape (...) a float64 array of
            shape (..., groups).

        Raises:
            NotImplementedError: if the scheduler only knows the way from one rate to the next.
            ValueError: if a rate depends on metrics, which only `preview` takes.
        """
        asked: Schedule | None = None
        rates: list[Any] = []
        value: Any = None
        now = isinstance(step, (int, float)) and step == self.last_epoch
        for bound, base in zip(self._schedules(), self.base_lrs, strict=True):
            if bound.schedule is not asked:
                asked = bound.schedule
                pure = not self._cells or now
                value = (asked if pure else self._schedule_of(len(rates), float(base)))(step)
            rates.append(value if bound.absolute else float(base) * value)
        if not getattr(step, "ndim", 0):
            return LastLR(rates)
        import numpy as np

        return np.stack(rates, axis=-1)

    def preview(self, num_steps: int, metrics: Iterable[float] | None = None) -> NDArray[np.float64]:
        """The rates of steps 0 to num_steps - 1; nothing is touched.

        Args:
            num_steps: How many steps.
            metrics: What a schedule that follows a metric is to see: the metric given to the first
                `step(metric)`, to the second, and so on; num_steps - 1 of them are used.

        Returns:
            A float64 array (num_steps, groups).
        """
        import numpy as np

        self._schedules()
        if not self._cells:
            rates: NDArray[np.float64] = self.value_at(np.arange(num_steps))
            return rates
        seen = list(metrics) if metrics is not None else []
        if len(seen) < num_steps - 1:
            raise ValueError(
                f"a preview of {num_steps} steps needs metrics=, one for each step but the first; "
                f"got {len(seen) if metrics is not None else 'none'}"
            )
        twin = copy.copy(self)
        twin._cells = {}
        twin.base_lrs = [float(base) for base in twin.base_lrs]
        rows = [twin._rates(twin._bind(), 0)]
        for step in range(1, num_steps):
            twin._observe(step, seen[step - 1])
            rows.append(twin._rates(twin._schedules(), step))
        return np.array(rows[:num_steps], dtype=np.float64).reshape(-1, len(self.base_lrs))

    def explain(self, step: float | None = None) -> Explanations:
        """Say for each group where its rate at a step comes from: phase, formula and each factor.

        Args:
            step: The step; by default the present one.
        """
        step = self.last_epoch if step is None else step
        explained = []
        for bound, base in zip(self._schedules(), self.base_lrs, strict=True):
            inner = bound.schedule.explain(step)
            if not bound.absolute:
                rate = float(base) * inner.value
                inner = Explanation(f"{float(base):g} * factor", step, rate, parts=(("factor", inner),))
            explained.append(inner)
        return Explanations(explained)

    def plot(self, num_steps: int | None = None, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the rates over the steps with matplotlib, a line for each different group.

        Args:
            num_steps: How many steps; by default to the end of the schedule and a little further.
            ax: The axes to draw into; by default new ones.
            **options: For `Axes.plot`, such as `label=` or `color=`; and `metrics=` as `preview` takes it.

        Returns:
            The axes.
        """
        from genesis.optim._plot import plot_scheduler

        return plot_scheduler(self, num_steps, ax, **options)

    def on_change(self, callback: Callable[[RateChange], object]) -> Callable[[RateChange], object]:
        """Call a function with a `RateChange` at each change of a rate; it may be used as a decorator.

        Callbacks are neither saved nor copied.
        """
        self._listeners.append(callback)
        self._plain = False
        return callback

    # Composing.

    def then(self, other: LRScheduler, at: int | None = None) -> LRScheduler:
        """This scheduler up to step `at`, by default its end; then the other one, from its own step 0."""
        from genesis.optim._composed import then

        return then(self, other, at)

    def __mul__(self, other: LRScheduler | float) -> LRScheduler:
        """Both at once: the base rates multiplied by the factors of both, or by a factor and a number."""
        from genesis.optim._composed import times

        return times(self, other)

    __rmul__ = __mul__

    def clip(self, low: float | None = None, high: float | None = None) -> LRScheduler:
        """This scheduler, its rates kept between two rates, of which either may be left out."""
        from genesis.optim._composed import changed

        return changed(self, "clip_rate", low=low, high=high)

    def repeat(self, times: int | None = None) -> LRScheduler:
        """This scheduler again and again, `times` times or for ever."""
        from genesis.optim._composed import changed

        return changed(self, "repeat", times=times)

    def with_warmup(self, steps: int, start: float = 0.0, overlap: bool = False) -> LRScheduler:
        """A straight rise to this scheduler's first rate, then this one; see `Schedule.with_warmup`."""
        from genesis.optim._composed import changed

        return changed(self, "with_warmup", steps=steps, start=start, overlap=overlap)

    def extend(self, total_steps: int) -> None:
        """Move the end of the schedule to step `total_steps`, without a jump of the rates.

        What is left of the curve is drawn out, or pressed together, from the present step on; a schedule with
        a stable phase changes the length of that. The state records it: load it into a scheduler that is
        built as before.

        Raises:
            ValueError: if the schedule has no end or has passed it, or `total_steps` is not after this step.
        """
        for bound in self._schedules():
            bound.schedule.stretched(self.last_epoch, total_steps)  # or an error, before anything changes
        self._extensions = [*self._extensions, (self.last_epoch, operator.index(total_steps))]
        self._bind()

    # Saving, loading, copying.

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
        self._restore(state_dict)

    def _restore(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a state that was checked."""
        groups = view_of(self.optimizer.param_groups, self._name)
        skipped = _OPTIONAL_STATE | _EXTRA_STATE
        state = self._unpack({name: state_dict[name] for name in state_dict if name not in skipped})
        base_lrs, last_lr = state.pop("base_lrs"), [float(rate) for rate in state.pop("_last_lr")]
        self.__dict__.update(_shallow(state))
        self._extensions = [(int(at), int(total)) for at, total in state_dict.get("_extensions", ())]
        self.base_lrs = [like(group[self._name], rate) for group, rate in zip(groups, base_lrs, strict=True)]
        if type(self)._base_rate is LRScheduler._base_rate:
            for group, rate in zip(groups, base_lrs, strict=True):
                group[f"initial_{self._name}"] = like(group[self._name], rate)
        self._bind()
        self._load_cells(state_dict.get("_metric_states", ()))
        self._write(last_lr)

    def _unpack(self, state: dict[str, Any]) -> dict[str, Any]:
        """The attributes that a state stands for; overridden where some are saved in another form."""
        return state

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
        missing = sorted(own - set(state_dict) - _OPTIONAL_STATE - _EXTRA_STATE)
        unknown = sorted(set(state_dict) - own - _OPTIONAL_STATE - _EXTRA_STATE)
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

    def __repr__(self) -> str:
        shown = {**self._parameters(), "last_epoch": self.last_epoch}
        shown["last_lr"] = [float(rate) for rate in self._last_lr]
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in shown.items())})"

    def _parameters(self) -> dict[str, Any]:
        """The constructor's arguments as they are now, but for the optimizer, last_epoch and verbose."""
        from genesis.optim._config import arguments_of

        return arguments_of(self)

    # Binding schedules to groups.

    def _bind(self) -> list[_Bound]:
        """Ask for the schedule of every group; a class with a `get_lr` of its own may have none."""
        states = [cell.state for cell in self._cells.values()]
        self._cells, self._more, self._bound, self._expected = {}, [], None, None
        if self._own_get_lr and type(self).schedule_for is LRScheduler.schedule_for:
            return []
        bound = self._bind_more(self.base_lrs)
        for cell, state in zip(self._cells.values(), states, strict=False):
            cell.state = state
        return bound

    def _bind_more(self, base_lrs: list[Any]) -> list[_Bound]:
        """Ask for the schedules of the groups after those already bound; equal ones become one object."""
        bound = list(self._bound or ())
        for number, base in enumerate(base_lrs, start=len(bound)):
            schedule = live(self._schedule_of(number, float(base)), self._cells)
            if bound and bound[-1].schedule == schedule:
                bound.append(bound[-1])
            else:
                bound.append(_Bound(schedule, schedule.compiled(), schedule.kind == "value"))
            more = {name: each.compiled() for name, each in self.more_schedules_for(number).items()}
            if more or self._more:
                self._more += [{} for _ in range(number - len(self._more))] + [more]
        self._bound = bound
        self._chained = self.chainable
        self._share([each.schedule for each in bound])
        special = self._own_get_lr or self._cells or self._more or self._verbose or self._listeners
        self._plain = not special and self._name == "lr"
        return bound

    def _share(self, schedules: list[Schedule]) -> None:
        """Find the function that the rates of all groups are made of, if there is one: it is asked once."""
        factors = [each.factors() for each in schedules]
        first = factors[0]
        self._shared = self._towards = None
        if first is not None and all(each is not None and each[0] == first[0] for each in factors):
            self._shared = first[0].compiled()
            if first[1] is not None:
                self._towards = [each[1] for each in factors if each is not None and each[1] is not None]

    def _schedule_of(self, index: int, base: float) -> Schedule:
        """The schedule of a group for a base rate, with the changes of its end."""
        return self._unbound(index, base).for_base(base)

    def _unbound(self, index: int, base: float) -> Schedule:
        schedule = self.schedule_for(index, base)
        for at, total in self._extensions:
            schedule = schedule.stretched(at, total)
        return schedule

    def _schedules(self) -> list[_Bound]:
        if self._own_get_lr:
            raise NotImplementedError(
                f"{type(self).__name__} computes its rates step by step in get_lr(), so those of other steps "
                "are not known; define schedule_for() instead"
            )
        return self._bind() if self._bound is None else self._bound

    def _follow(self, step: float) -> None:
        """Take up the groups that the optimizer got since."""
        name, known = self._name, len(self.base_lrs)
        groups = view_of(self.optimizer.param_groups, name)
        if len(groups) < known:
            raise ValueError(
                f"the optimizer had {known} parameter groups and has {len(groups)} now; make a new scheduler"
            )
        if len(groups) == known:
            return
        added: list[Any] = []
        for number, group in enumerate(groups[known:], start=known):
            base = self._base_rate(number, group)
            if self.chainable and not self._own_get_lr:
                base = like(base, self._base_for(number, float(group[name]), step))
            added.append(copy_of(base))
            group.setdefault(f"initial_{name}", copy_of(base))
        if self._bound is not None:
            self._bind_more(added)
        own = self.__dict__
        own["base_lrs"] = [*self.base_lrs, *added]
        own["_last_lr"] = [*self._last_lr, *(copy_of(group[name]) for group in groups[known:])]
        self._expected = None

    def _base_for(self, index: int, rate: float, step: float) -> float:
        """The base rate with which a group has this rate at a step: a new group goes on from its own rate."""
        at_rate, at_double = (self._rate_of(index, base, max(0, step)) for base in (rate, 2 * rate))
        slope = (at_double - at_rate) / rate if rate else 0.0
        return rate if slope == 0 else rate + (rate - at_rate) / slope

    def _rate_of(self, index: int, base: float, step: float) -> float:
        schedule = self._schedule_of(index, base)
        value = schedule(step)
        return value if schedule.kind == "value" else base * value


# The name that scripts written for PyTorch before version 2.0 derive from.
_LRScheduler = LRScheduler

# A slot is set faster by its descriptor than through __setattr__, which looks at the name.
_remember: Callable[[LRScheduler, list[Any]], None] = LRScheduler._expected.__set__  # type: ignore[attr-defined]
