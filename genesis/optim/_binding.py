"""A schedule for each parameter group: how a scheduler asks for them, follows groups, and notices changes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from inspect import Signature, signature
from typing import Any, NamedTuple, Protocol
from weakref import ref

from genesis.optim._metric import Cell, MetricSchedule, live
from genesis.optim._rates import RateChange, copy_of, groups_of, like, view_of
from genesis.optim._schedule import Schedule


class HasParamGroups(Protocol):
    """What a scheduler needs of an optimizer: a list of dicts that each hold `"lr"`."""

    param_groups: list[dict[str, Any]]


class Bound(NamedTuple):
    """The schedule of a parameter group, with what each step needs of it."""

    schedule: Schedule
    function: Callable[[float], float]
    absolute: bool


class _InitSignature:
    """The signature of a class whose `__new__` takes anything: that of its `__init__`."""

    def __get__(self, instance: object, owner: type[Any]) -> Signature:
        parameters = list(signature(owner.__init__).parameters.values())
        return Signature(parameters[1:])


class Binding:
    """What a scheduler holds, and the schedules of its groups; see `LRScheduler`."""

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
        "_owner",
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
    _bound: list[Bound] | None
    _cells: dict[tuple[MetricSchedule, int], Cell]
    _expected: list[Any] | None
    _extensions: list[tuple[int, int]]
    _listeners: list[Callable[[RateChange], object]]
    _last_lr: list[Any]
    _more: list[dict[str, Callable[[float], float]]]
    _chained: bool
    _name: str
    _own_get_lr: bool
    _owner: ref[Binding] | None
    _plain: bool
    _verbose: bool
    _watched: bool
    _updates: int
    _shared: Callable[[float], float] | None
    _towards: list[tuple[float, float]] | None
    _step_count: int
    _is_initial: bool
    _get_lr_called_within_step: bool

    __signature__ = _InitSignature()

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        self = super().__new__(cls)
        self._arguments = (args, kwargs)  # for to_config
        self._own_get_lr = cls.get_lr is not Binding.get_lr
        self._bound = self._expected = None
        self._chained = self._plain = False
        self._shared = self._towards = self._owner = None
        self._cells, self._more, self._listeners, self._extensions = {}, [], [], []
        self._name, self._verbose, self._watched, self._updates = "lr", False, False, 0
        return self

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        # A parameter that changes in mid-run has its effect from the next step on, as in PyTorch.
        if name[0] != "_" and name != "optimizer":
            object.__setattr__(self, "_expected", None)
            if name != "last_epoch":
                self._forget_schedules()

    def _forget_schedules(self) -> None:
        """Ask for the schedules anew at the next step, and so does the composition that this is a part of."""
        self._bound = self._expected = None
        self._plain = False
        owner = self._owner() if self._owner is not None else None
        if owner is not None:
            owner._forget_schedules()

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

    def _next_rates(self) -> list[Any]:
        """The rates of step `last_epoch`; `Stepping` has them."""
        raise NotImplementedError

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

    def _param_groups(self, optimizer: Any) -> list[dict[str, Any]]:
        """The parameter groups of an optimizer, or an error that says what was given instead."""
        return groups_of(optimizer, type(self).__name__, self._name)

    # A new rate with a value, of the type that another one has.
    _like = staticmethod(like)

    def _base_rate(self, index: int, group: Any) -> Any:
        """The base rate of a group: the one that it came with."""
        return group.get(f"initial_{self._name}", group[self._name])

    def _parameters(self) -> dict[str, Any]:
        """The constructor's arguments as they are now, but for the optimizer, last_epoch and verbose."""
        from genesis.optim._config import arguments_of

        return arguments_of(self)

    # Binding schedules to groups.

    def _bind(self) -> list[Bound]:
        """Ask for the schedule of every group; a class with a `get_lr` of its own may have none."""
        states = [cell.state for cell in self._cells.values()]
        self._cells, self._more, self._bound, self._expected = {}, [], None, None
        if self._own_get_lr and type(self).schedule_for is Binding.schedule_for:
            return []
        bound = self._bind_more(self.base_lrs)
        for cell, state in zip(self._cells.values(), states, strict=False):
            cell.state = state
        return bound

    def _bind_more(self, base_lrs: list[Any]) -> list[Bound]:
        """Ask for the schedules of the groups after those already bound; equal ones become one object."""
        bound, before = list(self._bound or ()), dict[str, Schedule]()
        for number, base in enumerate(base_lrs, start=len(bound)):
            schedule = live(self._schedule_of(number, float(base)), self._cells)
            if bound and bound[-1].schedule == schedule:
                bound.append(bound[-1])
            else:
                bound.append(Bound(schedule, schedule.compiled(), schedule.kind == "value"))
            others = {name: self._extended(each) for name, each in self.more_schedules_for(number).items()}
            same = bool(self._more) and others == before
            more = self._more[-1] if same else {name: each.compiled() for name, each in others.items()}
            before = others
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
        if first is not None and all(
            each is not None and each[0] == first[0] and (each[1] is None) == (first[1] is None)
            for each in factors
        ):
            self._shared = first[0].compiled()
            if first[1] is not None:
                self._towards = [each[1] for each in factors if each is not None and each[1] is not None]

    def _schedule_of(self, index: int, base: float) -> Schedule:
        """The schedule of a group for a base rate, with the changes of its end."""
        return self._unbound(index, base).for_base(base)

    def _unbound(self, index: int, base: float) -> Schedule:
        return self._extended(self.schedule_for(index, base))

    def _extended(self, schedule: Schedule) -> Schedule:
        """The schedule with the changes of its end."""
        for at, total in self._extensions:
            schedule = schedule.stretched(at, total)
        return schedule

    def _later_part(self, index: int, base: float) -> Schedule:
        """The schedule of a group where the scheduler is a later part of a sequence."""
        return self._unbound(index, base)

    def _schedules(self) -> list[Bound]:
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


# A slot is set faster by its descriptor than through __setattr__, which looks at the name.
remember: Callable[[Binding, list[Any]], None] = vars(Binding)["_expected"].__set__
