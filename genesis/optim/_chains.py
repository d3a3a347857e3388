"""The compositions of schedulers: one after another, several at once, and one that is changed."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from math import inf
from typing import Any, ClassVar

from genesis.optim._compose import Joined, Product
from genesis.optim._composed import ComposedLR, check_list, has_schedule, steps_afresh_of
from genesis.optim._lengths import to_steps
from genesis.optim._param_scheduler import ParamScheduler
from genesis.optim._schedule import Schedule
from genesis.optim._scheduler import LRScheduler


class JoinedLR(ComposedLR):
    """One scheduler after another: what `a.then(b, at=10)` returns.

    Args:
        optimizer: The one that all of them drive.
        schedulers: The schedulers.
        milestones: The step at which each but the first takes over, and counts from 0.
        last_epoch: The last step that was taken; -1 to start.
        verbose: Report each change to the logger `genesis.optim.lr_scheduler`, at level INFO.
    """

    _saved = ("_milestones", "last_epoch", "_last_lr")

    def __init__(
        self,
        optimizer: Any,
        schedulers: Sequence[Any],
        milestones: Sequence[int],
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        if not isinstance(milestones, (list, tuple)):
            raise TypeError(f"milestones must be a list of steps, got {milestones!r}")
        check_list(schedulers, type(self).__name__)
        self._milestones = [_resolved(at) for at in milestones]
        if len(self._milestones) != len(schedulers) - 1 and schedulers:
            raise ValueError(
                "Sequential Schedulers expects number of schedulers provided to be one more than the number "
                f"of milestone points, but got number of schedulers {len(schedulers)} and the number of "
                f"milestones to be equal to {len(self._milestones)}"
            )
        super().__init__(optimizer, schedulers, last_epoch, verbose)

    def _steps_afresh(self) -> set[int]:
        starts = [0, *self._milestones]
        steps = {
            at for at, member in zip(starts[1:], self._schedulers[1:], strict=True) if not member.carries
        }
        for start, end, member in zip(starts, [*starts[1:], inf], self._schedulers, strict=True):
            steps |= {start + at for at in steps_afresh_of(member) if start + at < end}
        return steps

    def compose(self, parts: list[Schedule]) -> Schedule:
        """The schedules of the members one after another."""
        carry = tuple(bool(member.carries) for member in self._schedulers[1:])
        return Joined(tuple(parts), tuple(self._milestones), carry)

    def _keep_in_step(self, step: float, rates: list[Any]) -> None:
        number = bisect_right(self._milestones, step)
        self._schedulers[number]._stand_at(step - self._milestones[number - 1] if number else step, rates)

    def _part_of(self, member: Any, index: int, base: float) -> Schedule:
        if member is self._schedulers[0]:
            return super()._part_of(member, index, base)
        part: Schedule = member._later_part(index, base)
        return part

    def _carried(self, member: Any) -> bool:
        return bool(member.carries) and member is not self._schedulers[0]

    def members_at(self, step: float) -> list[tuple[int, float]]:
        """The member in force."""
        number = bisect_right(self._milestones, step)
        return [(number, step - self._milestones[number - 1] if number else step)]

    def _parameters(self) -> dict[str, Any]:
        return {**super()._parameters(), "milestones": self._milestones}


class ProductLR(ComposedLR):
    """Several schedulers at once, their factors multiplied: what `a * b` returns.

    Args:
        optimizer: The one that all of them drive.
        schedulers: The schedulers.
        last_epoch: The last step that was taken; -1 to start.
        verbose: Report each change to the logger `genesis.optim.lr_scheduler`, at level INFO.
    """

    __slots__ = ("_notes",)

    _saved = ("_last_lr",)

    _notes: list[dict[str, Any]] | None

    def __init__(
        self, optimizer: Any, schedulers: Sequence[Any], last_epoch: int = -1, verbose: bool = False
    ) -> None:
        standing = {getattr(member, "last_epoch", 0) for member in schedulers}
        if last_epoch == -1 and len(standing) == 1:
            last_epoch = max(0, *standing) - 1  # members that are in mid-run go on
        super().__init__(optimizer, schedulers, last_epoch, verbose)

    def _bind(self) -> Any:
        simple = all(type(member)._stand_at is LRScheduler._stand_at for member in self._schedulers)
        self._notes = [member.__dict__ for member in self._schedulers] if simple else None
        return super()._bind()

    def _keep_in_step(self, step: float, rates: list[Any]) -> None:
        if self._notes is None:
            super()._keep_in_step(step, rates)
            return
        for own in self._notes:  # as _stand_at does
            own["last_epoch"], own["_step_count"], own["_last_lr"] = step, step + 1, rates

    def _apart(self) -> bool:
        return len({getattr(member, "last_epoch", 0) for member in self._schedulers}) > 1

    def compose(self, parts: list[Schedule]) -> Schedule:
        """The product of the members' schedules."""
        return Product(tuple(parts))

    def _initial_step(self) -> None:
        if self._stepped:
            # The members wrote their first rates, one upon the other, when they were made.
            self.last_epoch = max(0, self.last_epoch)
            self._step_count = 0
            self._note()
            self._is_initial = False
        else:
            super()._initial_step()


class ChangedLR(ComposedLR):
    """A scheduler with a changed schedule: what `a.clip(…)`, `a.repeat(…)` and `a.with_warmup(…)` return.

    Args:
        optimizer: The one that it drives.
        schedulers: The scheduler, in a list.
        change: The name of a method of `Schedule`, such as `"repeat"`.
        options: Its arguments.
        last_epoch: The last step that was taken; -1 to start.
        verbose: Report each change to the logger `genesis.optim.lr_scheduler`, at level INFO.
    """

    _saved = ("last_epoch", "_last_lr")

    _CHANGES: ClassVar[tuple[str, ...]] = ("clip_rate", "repeat", "with_warmup", "__mul__")

    def __init__(
        self,
        optimizer: Any,
        schedulers: Sequence[Any],
        change: str,
        options: Mapping[str, Any],
        last_epoch: int = -1,
        verbose: bool = False,
    ) -> None:
        if change not in self._CHANGES:
            raise ValueError(f"change must be one of {self._CHANGES}, got {change!r}")
        if not all(map(has_schedule, schedulers)):
            raise TypeError(
                f"{schedulers[0]!r} only knows the way from one rate to the next, so it cannot be changed as "
                "a whole; define schedule_for() in its class"
            )
        self._change, self._options = change, dict(options)
        super().__init__(optimizer, schedulers, last_epoch, verbose)

    def compose(self, parts: list[Schedule]) -> Schedule:
        """The member's schedule, changed."""
        changed: Schedule = getattr(parts[0], self._change)(**self._options)
        return changed

    def _steps_afresh(self) -> set[int]:
        return set()

    def members_at(self, step: float) -> list[tuple[int, float]]:
        """The member, at the step that the changed schedule asks it for."""
        bound = self._bound
        if not bound:
            return []
        found = list(bound[0].schedule.parts_at(step))
        return [(0, found[0][2] if found else step)]

    def _parameters(self) -> dict[str, Any]:
        return {**super()._parameters(), "change": self._change, "options": self._options}


def then(first: LRScheduler, second: LRScheduler | Schedule, at: int | None) -> JoinedLR:
    """`first.then(second, at)`."""
    if isinstance(second, Schedule):
        second = ParamScheduler(first.optimizer, second)
    if at is None:
        horizons = [bound.schedule.horizon for bound in first._schedules()]
        if None in horizons:
            raise ValueError(f"{first!r} has no end; say at which step the next takes over: then(…, at=…)")
        at = max(horizon or 0 for horizon in horizons)
    return JoinedLR(first.optimizer, [first, second], [at])


def times(first: LRScheduler, second: LRScheduler | float) -> ComposedLR:
    """`first * second`."""
    if isinstance(second, LRScheduler):
        return ProductLR(first.optimizer, [first, second])
    return changed(first, "__mul__", other=second)


def changed(scheduler: LRScheduler, change: str, **options: Any) -> ChangedLR:
    """The scheduler with its schedule changed by a method of `Schedule`."""
    return ChangedLR(scheduler.optimizer, [scheduler], change, options)


def _resolved(at: Any) -> Any:
    """A milestone; a text such as "10%" as a number of steps."""
    return to_steps(at, name="a milestone") if isinstance(at, str) else at
