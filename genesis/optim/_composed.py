"""Schedulers made of schedulers: their schedule is composed of those of their members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from weakref import ref

from genesis._errors import CheckpointError
from genesis._states import loads_state
from genesis.optim._schedule import Schedule
from genesis.optim._scheduler import LRScheduler
from genesis.optim._wrap import Towards


class ComposedLR(LRScheduler):
    """Base class of the schedulers made of schedulers.

    The members share its optimizer. It takes their place: step it, not them; they are kept in step with it.
    Where all members have schedules, so has the composition, in closed form. One that has none, such as a
    PyTorch scheduler or a class with a `get_lr` of its own, is stepped itself.
    """

    __slots__ = ("_entries", "_stepped")

    # What a state has, under PyTorch's names.
    _saved: ClassVar[tuple[str, ...]] = ("last_epoch", "_last_lr")

    _schedulers: list[Any]
    _entries: frozenset[int]
    _stepped: bool

    def __init__(
        self, optimizer: Any, schedulers: Sequence[Any], last_epoch: int = -1, verbose: bool = False
    ) -> None:
        name = type(self).__name__
        self._param_groups(optimizer)
        check_list(schedulers, name)
        if not schedulers:
            raise ValueError(f"{name} expects at least one scheduler to be chained, but got no scheduler.")
        for index, member in enumerate(schedulers):
            if not hasattr(member, "optimizer"):
                raise TypeError(
                    f"{name} at index {index} should have `optimizer` as its attribute: {member!r}"
                )
            if member.optimizer is not optimizer:
                raise ValueError(
                    f"{name} expects all schedulers to belong to the same optimizer, but got scheduler at "
                    f"index {index} in {list(schedulers)}, whose optimizer is {member.optimizer!r}, which is "
                    f"different from {optimizer!r}."
                )
        self._schedulers = list(schedulers)
        self._stepped = not all(map(has_schedule, self._schedulers)) or self._apart()
        super().__init__(optimizer, last_epoch, verbose)

    @property
    def chainable(self) -> bool:  # type: ignore[override]
        """Whether all members carry on what others did to the rates."""
        return all(member.chainable for member in self._schedulers)

    @property
    def carries(self) -> bool:  # type: ignore[override]
        """Whether the first member does."""
        return bool(self._schedulers[0].carries)

    def _apart(self) -> bool:
        """Whether the members stand at steps that no one schedule has."""
        return False

    @property
    def follows_metric(self) -> bool:
        """Whether `step` takes a metric: whether a member's does."""
        return any(map(follows_metric, self._schedulers))

    def compose(self, parts: list[Schedule]) -> Schedule:
        """The schedule of a group, made of those of the members."""
        raise NotImplementedError

    def members_at(self, step: float) -> list[tuple[int, float]]:
        """The numbers of the members in force at a step, each with the step as it counts it."""
        return [(number, step) for number in range(len(self._schedulers))]

    def schedule_for(self, index: int, base_lr: float) -> Schedule:
        """Compose the schedules of the members."""
        parts = []
        for member in self._schedulers:
            base = float(member.base_lrs[index]) if index < len(_bases(member)) else base_lr
            part = self._part_of(member, index, base)
            if base != base_lr and not self._carried(member):
                part = part.for_base(base)
                part = part if part.kind == "value" else Towards(part, 0.0, base)
            parts.append(part)
        return self.compose(parts)

    def _steps_afresh(self) -> set[int]:
        """The steps at which a member starts afresh, whatever the rate before it has become."""
        return set().union(*(steps_afresh_of(member) for member in self._schedulers))

    def _part_of(self, member: Any, index: int, base: float) -> Schedule:
        part: Schedule = member._unbound(index, base)
        return part

    def _carried(self, member: Any) -> bool:
        """Whether the base rate of a member is where the one before it left off."""
        return False

    def step(self, metrics: Any = None) -> None:
        """Go on to the next step and write its rates into the optimizer.

        Args:
            metrics: For a member that follows a metric, such as `ReduceLROnPlateau`: the metric.

        Raises:
            TypeError: if a metric is given that nobody follows, or none where one is needed.
        """
        if metrics is not None and not self.follows_metric:
            raise TypeError(
                f"{type(self).__name__}.step() takes no epoch, and a metric only where a scheduler follows "
                f"one; got {metrics!r}"
            )
        if self._stepped:
            self._step_members(metrics)
            return
        if self.__dict__["last_epoch"] + 1 in self._entries:  # a member starts afresh
            if self._bound is None:
                self._bind()
            self._expected = []
        super().step(metrics)

    @property
    def _members(self) -> list[Any]:  # type: ignore[override]
        return self._schedulers

    def _keep_in_step(self, step: float, rates: list[Any]) -> None:
        for number, local in self.members_at(step):
            self._schedulers[number]._stand_at(local, rates)

    def _stand_at(self, step: float, rates: list[Any]) -> None:
        super()._stand_at(step, rates)
        self._keep_in_step(step, rates)

    def _write_more(self, step: float) -> None:
        for number, local in self.members_at(step):
            member = self._schedulers[number]
            if member._more:
                member._write_more(local)

    def _schedules(self) -> Any:
        if self._stepped:
            steppers = [type(member).__name__ for member in self._schedulers if not has_schedule(member)]
            raise NotImplementedError(
                f"{' and '.join(steppers) or 'a member'} only knows the way from one rate to the next, so "
                f"the rates of other steps of this {type(self).__name__} are not known; define "
                "schedule_for() in it"
            )
        return super()._schedules()

    def _bind(self) -> Any:
        if self._stepped:
            return []
        for member in self._schedulers:
            member._owner = ref(self)
        self._entries = frozenset(self._steps_afresh())
        bound = super()._bind()
        if any(member._more for member in self._schedulers):
            self._more, self._plain = [{} for _ in self.base_lrs], False
        return bound

    def _follow(self, step: float) -> None:
        for member in self._schedulers:
            if has_schedule(member) and hasattr(member, "base_lrs"):
                member._follow(member.last_epoch)
        super()._follow(step)

    # Members that have to be stepped themselves.

    def _initial_step(self) -> None:
        if self._step_count:  # a composition of PyTorch starts this one anew
            self.__dict__["last_epoch"] = -1
        if not self._stepped:
            for member in self._schedulers:
                member._stand_at(-1, self._last_lr)
            self._expected = []  # what the members wrote when they were made is not carried on
            super()._initial_step()
            return
        for group, base in zip(self.optimizer.param_groups, self.base_lrs, strict=True):
            group["lr"] = base
        self.last_epoch = -1
        self._step_count = 0
        for member in self._schedulers:
            member.last_epoch -= 1
        self._enter_members()
        self._is_initial = False

    def _enter_members(self) -> None:
        """Let the members in force at step 0 write their first rates."""
        self.__dict__["last_epoch"] += 1
        for number, _ in self.members_at(0):
            self._schedulers[number]._initial_step()
        self._note()

    def _step_members(self, metrics: Any) -> None:
        step = self.last_epoch + 1
        for number, local in self.members_at(step):
            member = self._schedulers[number]
            if local and metrics is None and follows_metric(member):
                raise TypeError(f"{type(member).__name__} needs a metric at step {step}: call step(metric)")
        for number, local in self.members_at(step):
            member = self._schedulers[number]
            if local == 0:
                member._update_lr(0)
            elif follows_metric(member):
                member.step(metrics)
            else:
                member.step()
        self.__dict__["last_epoch"] = step
        self._note()

    def _note(self) -> None:
        self._step_count += 1
        self.__dict__["_last_lr"] = [group["lr"] for group in self.optimizer.param_groups]

    # State.

    def state_dict(self) -> dict[str, Any]:
        """The counters, the rates, and the states of the members: PyTorch's keys."""
        whole = super().state_dict()
        kept = {
            name: whole[name] for name in (*self._saved, "_extensions", "_metric_states") if name in whole
        }
        return {**kept, "_schedulers": [member.state_dict() for member in self._schedulers]}

    @loads_state
    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a saved state; see `LRScheduler.load_state_dict`.

        Raises:
            CheckpointError: if it is not the state of such a composition; then nothing is changed.
        """
        self._follow(self.last_epoch)
        # PyTorch gives a chain within a sequence this key too.
        state_dict = {key: state_dict[key] for key in state_dict if key != "_step_count"}
        self._check_state(state_dict)
        states = state_dict["_schedulers"]
        if not isinstance(states, (list, tuple)) or len(states) != len(self._schedulers):
            raise CheckpointError(
                f"the state of this {type(self).__name__} is that of {len(states)} schedulers; it has "
                f"{len(self._schedulers)}"
            )
        before = [member.state_dict() for member in self._schedulers]
        rates = [group["lr"] for group in self.optimizer.param_groups]
        try:
            for member, state in zip(self._schedulers, states, strict=True):
                member.load_state_dict(state)
        except BaseException:
            for member, state in zip(self._schedulers, before, strict=True):
                member.load_state_dict(state)
            for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
                group["lr"] = rate
            raise
        present = self.__dict__["last_epoch"]
        whole = {
            **super().state_dict(),
            "last_epoch": self._last_of(states, present),
            "base_lrs": [group["initial_lr"] for group in self.optimizer.param_groups],
            **state_dict,
        }
        whole["_step_count"] = whole["last_epoch"] + 1
        del whole["_schedulers"]
        self._restore(whole)

    def _last_of(self, states: Sequence[Mapping[str, Any]], present: int) -> int:
        """The step at which a state without a step of its own stands: that of the first member."""
        return int(states[0].get("last_epoch", present))

    def _parameters(self) -> dict[str, Any]:
        return {**super()._parameters(), "schedulers": self._schedulers}

    def __getstate__(self) -> tuple[dict[str, Any], dict[str, Any]]:
        attributes, slots = super().__getstate__()
        return attributes, {"_stepped": self._stepped, **slots}


def steps_afresh_of(scheduler: Any) -> set[int]:
    return scheduler._steps_afresh() if isinstance(scheduler, ComposedLR) else set()


def has_schedule(scheduler: Any) -> bool:
    """Whether a scheduler is described by a schedule, rather than by the way from one rate to the next."""
    if not isinstance(scheduler, LRScheduler) or scheduler._own_get_lr:
        return False
    if isinstance(scheduler, ComposedLR):
        return not scheduler._stepped
    return type(scheduler).schedule_for is not LRScheduler.schedule_for


def follows_metric(scheduler: Any) -> bool:
    """Whether `step` of a scheduler takes a metric."""
    return bool(getattr(scheduler, "follows_metric", hasattr(scheduler, "num_bad_epochs")))


def check_list(schedulers: Any, name: str) -> None:
    if not isinstance(schedulers, (list, tuple)):
        raise TypeError(f"{name} takes a list of schedulers, got {type(schedulers).__name__}: {schedulers!r}")


def _bases(scheduler: Any) -> list[Any]:
    return getattr(scheduler, "base_lrs", [])
