"""Schedules that follow a metric: what they decide is pure, and what they remember lies with their driver."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import Field, dataclass, fields
from itertools import count
from typing import Any

from genesis.optim._schedule import Schedule


@dataclass(frozen=True, repr=False)
class MetricSchedule(Schedule):
    """A schedule of factors that depend on a metric, such as the validation loss, rather than on the step.

    It is immutable as every schedule: what it has seen so far is a dict of plain values, which the scheduler
    that follows it keeps, saves and restores. A subclass writes `start`, `observe` and `factor_of`. It may be
    a part of compositions: `Linear(5, 0.0, 1.0).then(Plateau())`. Its scheduler is then stepped with the
    metric, `scheduler.step(loss)`, and hands it on while this schedule is in force.
    """

    def start(self) -> dict[str, Any]:
        """The state before any metric was seen: a dict of plain values."""
        raise NotImplementedError(f"{type(self).__name__} has no state: define start()")

    def observe(self, state: dict[str, Any], metric: float) -> dict[str, Any]:
        """The state after one more metric; the old one is not changed."""
        raise NotImplementedError(f"{type(self).__name__} does not look at metrics: define observe()")

    def factor_of(self, state: dict[str, Any]) -> float:
        """The factor that follows from a state."""
        raise NotImplementedError(f"{type(self).__name__} has no factor: define factor_of()")

    def at(self, step: float) -> float:
        """The first factor, at step 0; that of a later one is not known without the metrics."""
        if step == 0:
            return self.factor_of(self.start())
        raise ValueError(
            f"{self!r} depends on metrics, so its value at step {step} is not known; give them to the "
            "`preview(num_steps, metrics)` of a scheduler that follows it"
        )


class Cell:
    """What a driver remembers of a metric schedule."""

    __slots__ = ("schedule", "state")

    def __init__(self, schedule: MetricSchedule) -> None:
        self.schedule = schedule
        self.state = schedule.start()

    def observe(self, metric: float) -> None:
        self.state = self.schedule.observe(self.state, metric)


@dataclass(frozen=True, repr=False)
class Live(Schedule):
    """A metric schedule with what was seen so far: its value is the present one, whatever the step."""

    schedule: MetricSchedule
    cell: Cell

    @property
    def horizon(self) -> int | None:
        return self.schedule.horizon

    @property
    def length(self) -> int | None:
        return self.schedule.length

    def at(self, step: float) -> float:
        return self.schedule.factor_of(self.cell.state)

    def at_array(self, steps: Any) -> Any:
        raise ValueError(
            f"{self!r} depends on metrics, so its values at other steps are not known; give them to "
            "preview(num_steps, metrics)"
        )

    def __repr__(self) -> str:
        return repr(self.schedule)


def live(schedule: Schedule, cells: dict[Any, Cell]) -> Schedule:
    """The schedule with each metric schedule in it replaced by a live one.

    Equal ones at the same place in the schedules of several groups share their cell: they see the same
    metrics at the same steps.
    """
    return _live(schedule, cells, ())


def _live(part: Schedule, cells: dict[Any, Cell], place: tuple[Any, ...]) -> Schedule:
    if isinstance(part, MetricSchedule):
        cell = cells.setdefault((part, *place), Cell(part))
        return Live(part, cell, end=part.end, kind=part.kind)
    number = count()
    around = tuple(
        getattr(part, field.name)
        for field in fields(part)
        if field.name not in _BASES and not _holds(part, field)
    )
    return part.map_parts(lambda inner: _live(inner, cells, (*place, type(part), around, next(number))))


# The fields of compositions that differ between groups, but say nothing of when a part is in force.
_BASES = frozenset({"base", "scale"})


def _holds(part: Schedule, field: Field[Any]) -> bool:
    """Whether a field holds parts."""
    value = getattr(part, field.name)
    return any(isinstance(item, Schedule) for item in (value if isinstance(value, tuple) else (value,)))


def shown(schedules: Iterable[Schedule], step: float) -> tuple[list[Cell], list[Cell]]:
    """The cells that see the metric of a step, and those that start with it, or start over.

    A schedule sees the metrics of the steps that were taken under it: not that of the step at which it comes
    into force, nor that at which it is repeated.
    """
    schedules = list(schedules)
    now, before = (
        {id(cell): (cell, local) for each in schedules for cell, local in in_force(each, at)}
        if at >= 0
        else {}
        for at in (step, step - 1)
    )
    seeing, starting = [], []
    for key, (cell, local) in now.items():
        if key not in before or local < before[key][1]:
            starting.append(cell)
        elif local > before[key][1]:
            seeing.append(cell)
    return seeing, starting


def in_force(schedule: Schedule, step: float) -> Iterator[tuple[Cell, float]]:
    """The cells of the live schedules in force at a step, with the step as they count it."""
    if isinstance(schedule, Live):
        yield schedule.cell, step
        return
    horizon = schedule.horizon
    if schedule.end == "repeat" and horizon:
        step %= horizon
    for _, part, local in schedule.parts_at(step):
        yield from in_force(part, local)
