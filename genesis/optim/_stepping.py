"""How a scheduler steps: it computes the next rates, carries on what others did, and writes."""

from __future__ import annotations

import logging
import operator
import warnings
from collections.abc import Callable
from typing import Any

from genesis.optim._binding import Binding, Bound, HasParamGroups, remember
from genesis.optim._call_order import updates_of, warn_if_wrong, watch
from genesis.optim._metric import shown
from genesis.optim._rates import RateChange, as_metric, carried_on, copy_of, put, view_of

EPOCH_DEPRECATION_WARNING = (
    "`scheduler.step(epoch)` is deprecated: it sets the step counter to `epoch` and takes the rate for it. "
    "Call `scheduler.step()` without it; `scheduler.value_at(step)` shows the rate of any step."
)

_NO_INITIAL = (
    "param 'initial_{name}' is not specified in param_groups[{number}] when resuming scheduler with "
    "last_epoch >= 0.\nLoad the state of the optimizer before you make the scheduler, set 'initial_{name}' "
    "in every group, or start with last_epoch=-1 and load the scheduler's own state."
)

_log = logging.getLogger("genesis.optim.lr_scheduler")


class Stepping(Binding):
    """The way from one rate to the next; see `LRScheduler`."""

    __slots__ = ()

    def __init__(self, optimizer: HasParamGroups, last_epoch: int = -1, verbose: bool = False) -> None:
        name = self._name
        groups = view_of(self._param_groups(optimizer), name)
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
        self._watch()
        self._initial_step()

    def _watch(self) -> None:
        """Watch the optimizer's steps, for the order of calls and for `advance`."""
        self._watched = watch(self.optimizer)
        self._updates = updates_of(self.optimizer)

    def _initial_step(self) -> None:
        """Write the first rates."""
        self._step_count = 0
        self._is_initial = True
        self.step()
        self._is_initial = False

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
        own["_step_count"] += 1
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
                    rates = [base * value + rate * (1.0 - value) for rate, base in self._towards]
            if self._chained:
                expected = self._expected or (None,)
                for group, rate, old in zip(groups, rates, expected):  # noqa: B905 (strict is slow)
                    if group["lr"] is not old:
                        break
                    group["lr"] = rate
                else:
                    remember(self, rates)
                    own["_last_lr"] = rates
                    if self._members:
                        self._keep_in_step(step, rates)
                    return
                # Somebody has written another rate: those before it are taken back, and all are carried on.
                for earlier, old in zip(groups, expected):  # noqa: B905
                    if earlier is group:
                        break
                    earlier["lr"] = old
                rates = self._next_rates()
        except BaseException:
            own["last_epoch"] = step - 1  # a step that fails leaves the scheduler where it was
            own["_step_count"] -= 1
            raise
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
        """Go to the next step, or to that given, which is entered afresh: nothing is carried on.

        What carries on the rate of a part before does so when it is entered at step 0.
        """
        if epoch is None:
            self._go_to(self.last_epoch + 1)
            return
        if not isinstance(epoch, (int, float)) or not epoch >= 0:
            raise ValueError(f"a step is a number, 0 or more; got {epoch!r}")
        if self._bound is None:
            self._bind()
        self._expected = None if self.carries and epoch == 0 else []
        self._go_to(epoch)

    def _go_to(self, step: float, metric: Any = None) -> None:
        """Take a step, all of it or nothing."""
        own = self.__dict__
        before, seen = own["last_epoch"], [(cell, cell.state) for cell in self._cells.values()]
        own["last_epoch"] = step
        own["_step_count"] += 1  # before the rates: a get_lr may look at it
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
            own["_step_count"] -= 1
            for cell, state in seen:
                cell.state = state
            raise
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
        remember(self, rates)
        if expected is None:
            if step <= 0:
                expected = self.base_lrs
            elif self._is_initial:
                return rates
            else:
                expected = self._rates(bound, step - 1)
        name = self._name
        groups = view_of(self.optimizer.param_groups, name)
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

    def _rates(self, bound: list[Bound] | None, step: float) -> list[Any]:
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
        if self._is_initial:  # nothing was trained yet
            return
        bound = self._bound if self._bound is not None else self._bind()
        cells, starting = shown([each.schedule for each in bound], step)
        for cell in starting:
            cell.state = cell.schedule.start()
        if not cells:
            return
        if metric is None:
            names = ", ".join(sorted({repr(cell.schedule) for cell in cells}))
            raise TypeError(f"{names} needs a metric at step {step}: call step(metric)")
        value = as_metric(metric)
        for cell in cells:
            cell.observe(value)

    def _write(self, rates: list[Any]) -> None:
        """Write the rates into the optimizer, in place where they are tensors."""
        name, last = self._name, []
        groups = view_of(self.optimizer.param_groups, name)
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
        before, self.__dict__["_last_lr"] = self._last_lr, last
        if self._verbose or self._listeners:
            self._report(before, last)

    def _write_more(self, step: float) -> None:
        """Write the values of the other entries that the scheduler drives."""
        asked, value = None, 0.0
        for group, functions in zip(self.optimizer.param_groups, self._more, strict=True):
            for name, function in functions.items():
                if function is not asked:
                    asked, value = function, function(step)
                if type(group.get(name)) is float:
                    group[name] = value
                else:
                    (view,) = view_of([group], name)
                    put(view, name, value)

    def _report(self, before: list[Any], rates: list[Any]) -> None:
        for number, (old, new) in enumerate(zip(before, rates, strict=True)):
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

    def on_change(self, callback: Callable[[RateChange], object]) -> Callable[[RateChange], object]:
        """Call a function with a `RateChange` at each change of a rate; it may be used as a decorator.

        Callbacks are neither saved nor copied.
        """
        if not callable(callback):
            raise TypeError(f"expected a function of a RateChange, got {callback!r}")
        self._listeners.append(callback)
        self._plain = False
        return callback
