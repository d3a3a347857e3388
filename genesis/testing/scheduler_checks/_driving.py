"""What a scheduler writes into an optimizer: its rates, those of each group, and nothing else."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from genesis.optim import LRScheduler
from genesis.testing._check import Question
from genesis.testing.scheduler_checks._algebra import rate
from genesis.testing.scheduler_checks._optimizers import (
    ADDED,
    RATES,
    Make,
    PlainOptimizer,
    add,
    new_group,
    rates_of,
    tensor_of,
)
from genesis.testing.scheduler_checks._subject import Subject, close, members_of, shown, telling

# The groups of some optimizers hold it, too; it is the same entry.
_MOMENTUM = {"momentum", "betas"}


def questions(subject: Subject, name: str, make: Make) -> Iterator[Question]:
    """Ask a scheduler what it writes into one kind of optimizer."""
    driving = _Driving(subject, name, make)
    names = ["first_rate", "rates", "added_group", "other_options"]
    if make is PlainOptimizer:  # the optimizer makes no difference
        names += ["groups", "zero_rate"]
        if subject.known:
            names.append("preview")
        if subject.described and not subject.follows_metric:
            names.append("extend")
    if subject.driven == "lr":
        names.append("tensor_rates")
    if not subject.follows_metric:
        names.append("order")
    alone = ("groups", "zero_rate", "preview", "extend")
    for each in names:
        text = f"drive/{each}" if each in alone else f"drive/{each}/{name}"
        yield text, getattr(driving, each)


class _Driving:
    """The questions about one kind of optimizer."""

    def __init__(self, subject: Subject, name: str, make: Make) -> None:
        self.subject, self.name, self.make = subject, name, make

    def _built(self, *rates: Any) -> tuple[Any, Any]:
        optimizer = self.make(*(rates or RATES))
        with telling(f"making it for {self.name}"):
            return optimizer, self.subject.build(optimizer)

    def _in_force(self, optimizer: Any, scheduler: Any, step: int) -> list[float]:
        """The rates in the groups, which are those that get_last_lr tells."""
        found = rates_of(optimizer, self.subject.driven)
        told = [float(each) for each in scheduler.get_last_lr()]
        assert told == found, (
            f"at step {step} the groups hold {found} and get_last_lr() tells {told}: return the rates from "
            "schedule_for or get_lr, and let step() write them"
        )
        return found

    def first_rate(self) -> None:
        """It writes the rate of step 0 when it is made."""
        subject = self.subject
        optimizer, scheduler = self._built()
        found = self._in_force(optimizer, scheduler, 0)
        assert scheduler.last_epoch == 0, (
            f"a new scheduler stands at step {scheduler.last_epoch}, not 0: call super().__init__(optimizer, "
            "last_epoch, verbose) last in your __init__"
        )
        if subject.follows_metric and subject.known:
            expected = scheduler.preview(1, metrics=subject.metrics)[0].tolist()
        elif subject.known:
            expected = [float(each) for each in scheduler.value_at(0)]
        else:
            return
        assert found == expected, (
            f"made, it has written {shown(found)}; the rate of step 0 is {shown(expected)} and has to be "
            "there before the first optimizer.step()"
        )

    def rates(self) -> None:
        """Each step writes a finite rate: that of its schedule, to the last bit."""
        subject, shape = self.subject, self.subject.pure
        optimizer, scheduler = self._built()
        pure = shape if subject.driven == "lr" else None
        usual = None
        if self.make is not PlainOptimizer and subject.driven == "lr":
            usual = subject.course(PlainOptimizer)
        for step in range(subject.steps + 1):
            found = self._in_force(optimizer, scheduler, step)
            for group, value in enumerate(found):
                right = math.isfinite(value) and value >= 0
                assert right, f"at step {step} the rate of group {group} is {value!r}"
            if pure is not None:
                expected = [rate(pure, base, step) for base in RATES]
                scale = max(*RATES, *map(abs, expected))
                exact = pure.for_base(RATES[0]) == pure
                assert found == expected or (
                    not exact and all(close(a, b, scale) for a, b in zip(found, expected, strict=True))
                ), (
                    f"at step {step} the driver wrote {shown(found)}, and the schedule gives "
                    f"{shown(expected)}: compiled() or factors() does not agree with at()"
                )
            if usual is not None:
                assert found == usual[step], (
                    f"at step {step} it wrote {shown(found)} into {self.name} and {shown(usual[step])} into "
                    "another optimizer: a schedule should not look at what kind of optimizer it has"
                )
            assert scheduler.last_epoch == step, (
                f"after {step} steps last_epoch is {scheduler.last_epoch}: leave counting to step()"
            )
            if step < subject.steps:
                with telling(f"step() number {step + 1}"):
                    subject.step(scheduler, step)

    def preview(self) -> None:
        """What it tells of other steps is what stepping gives."""
        subject = self.subject
        stepped = subject.course(self.make)
        optimizer, scheduler = self._built()
        for stand in (0, 3):
            before = copy.deepcopy(scheduler.state_dict()), rates_of(optimizer, subject.driven)
            with telling(f"preview({len(stepped)}) at step {scheduler.last_epoch}"):
                metrics = [subject.metric(step) for step in range(subject.steps)]
                given = {"metrics": metrics} if subject.follows_metric else {}
                seen = scheduler.preview(len(stepped), **given)
            told: list[tuple[str, list[list[float]]]] = [("preview", np.asarray(seen).tolist())]
            if not subject.follows_metric:
                with telling("value_at"):
                    told.append(("value_at", [list(scheduler.value_at(n)) for n in range(len(stepped))]))
            for what, rates in told:
                for step, (found, right) in enumerate(zip(rates, stepped, strict=True)):
                    scale = max(right)
                    exact = what == "value_at" and not subject.follows_metric
                    same = (
                        [float(each) for each in found] == right
                        if exact
                        else all(close(a, b, max(scale, *RATES)) for a, b in zip(found, right, strict=True))
                    )
                    assert same, (
                        f"{what} tells {shown(list(map(float, found)))} for step {step}, and stepping gives "
                        f"{shown(right)}: compute each rate from the step and the base rate, not from the "
                        "rate before, which gathers rounding"
                    )
            after = scheduler.state_dict(), rates_of(optimizer, subject.driven)
            assert after == before, f"looking ahead has changed the scheduler: {before} became {after}"
            if stand == 0:
                subject.go(optimizer, scheduler, 0, min(3, subject.steps))

    def groups(self) -> None:
        """Each group has the rates that it would have alone."""
        subject = self.subject
        together = subject.course(self.make)
        for number, base in enumerate(RATES):
            optimizer = self.make(base)
            try:
                scheduler = subject.build(optimizer)
            except (TypeError, ValueError):
                return  # options with one value for each of two groups
            for step in range(subject.steps + 1):
                (alone,) = rates_of(optimizer, subject.driven)
                assert alone == together[step][number], (
                    f"step {step}: beside another group, a group with the base rate {base} gets "
                    f"{shown(together[step][number])}, and alone {shown(alone)}: make the rates of each "
                    "group from its own base rate, base_lrs[index], which schedule_for(index, base_lr) is "
                    "given"
                )
                if step < subject.steps:
                    subject.step(scheduler, step)

    def zero_rate(self) -> None:
        """A group whose base rate is 0 disturbs nothing; it may be refused with a reason."""
        subject, usual = self.subject, self.subject.course(self.make)
        optimizer = self.make(0.0, *RATES[1:])
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it may say what such a group can expect
                scheduler = subject.build(optimizer)
        except ValueError:
            return
        for step in range(subject.steps + 1):
            frozen, *others = rates_of(optimizer, subject.driven)
            assert math.isfinite(frozen), (
                f"at step {step} the rate of a group whose base rate is 0 is {frozen}: divide by a base rate "
                "only where it is not 0"
            )
            if subject.driven == "lr":
                assert others == usual[step][1:], (
                    f"at step {step} the other groups have {shown(others)} beside a group of rate 0, and "
                    f"{shown(usual[step][1:])} without it"
                )
            if step < subject.steps:
                with telling(f"step() number {step + 1} with a group whose base rate is 0"):
                    subject.step(scheduler, step)

    def added_group(self) -> None:
        """A group that the optimizer gets in mid-run is followed, or refused with a reason."""
        subject = self.subject
        usual, start = subject.course(self.make), min(3, subject.steps - 1)
        optimizer, scheduler = self._built()
        subject.go(optimizer, scheduler, 0, start)
        group = new_group(optimizer)
        add(optimizer, group)
        for step in range(start, subject.steps):
            try:
                subject.step(scheduler, step)
            except (ValueError, RuntimeError, NotImplementedError) as error:
                if str(error):
                    return
                raise AssertionError(
                    f"after add_param_group step() raised {error!r}, without a word"
                ) from error
            except Exception as error:
                raise AssertionError(
                    f"after add_param_group, step() number {step + 1} raised {type(error).__name__}: "
                    f"{error}. Ask for the groups at each step, or refuse with a ValueError that says why"
                ) from error
            found = self._in_force(optimizer, scheduler, step + 1)
            assert found[:-1] == usual[step + 1], (
                f"with a group more, the others have the rates {shown(found[:-1])} at step {step + 1}; they "
                f"had {shown(usual[step + 1])}"
            )
            assert math.isfinite(found[-1]), f"the rate of the added group is {found[-1]} at step {step + 1}"
            expected = self._of_added(step + 1)
            if expected is not None:
                assert close(found[-1], expected, ADDED), (
                    f"the added group, whose base rate is {ADDED}, has the rate {shown(found[-1])} at step "
                    f"{step + 1}; with this base rate from the start it would be {shown(expected)}"
                )

    def _of_added(self, step: int) -> float | None:
        """The rate of a group with this base rate, where it is known and nothing is carried on."""
        subject = self.subject
        if subject.chainable or subject.composed or not subject.described or subject.follows_metric:
            return None
        optimizer = self.make(ADDED)
        try:
            return float(subject.build(optimizer).value_at(step)[0])
        except (TypeError, ValueError):
            return None

    def other_options(self) -> None:
        """Nothing else in the groups changes."""
        subject = self.subject
        optimizer = self.make(*RATES)
        before = [{key: copy.copy(value) for key, value in group.items()} for group in optimizer.param_groups]
        ids = [[id(parameter) for parameter in group["params"]] for group in optimizer.param_groups]
        scheduler = subject.build(optimizer)
        allowed = {"lr", "initial_lr", "params", subject.driven, f"initial_{subject.driven}"}
        allowed |= set(_others(scheduler))
        allowed |= _MOMENTUM if allowed & _MOMENTUM else set()
        subject.go(optimizer, scheduler, 0, subject.steps)
        for number, (group, old) in enumerate(zip(optimizer.param_groups, before, strict=True)):
            assert [id(parameter) for parameter in group["params"]] == ids[number], (
                f"the parameters of group {number} have changed, or their order; a schedule leaves them alone"
            )
            for key in old:
                assert key in group, f"group {number} has lost its {key!r}; a schedule leaves it alone"
                if key not in allowed:
                    assert group[key] is old[key] or group[key] == old[key], (
                        f"{key!r} of group {number} was {old[key]!r} and is {group[key]!r} after "
                        f"{subject.steps} steps: a schedule of {subject.driven!r} leaves the rest alone. "
                        "What it drives besides it returns from more_schedules_for, or ParamScheduler drives "
                        "it"
                    )

    def extend(self) -> None:
        """A new end in mid-run: no jump, the same value at the end, and the state records it."""
        subject = self.subject
        optimizer, scheduler = self._built()
        subject.go(optimizer, scheduler, 0, min(3, subject.steps - 1))
        stand, state = scheduler.last_epoch, copy.deepcopy(scheduler.state_dict())
        total = stand + 40
        present = rates_of(optimizer, subject.driven)
        try:
            scheduler.extend(total)
        except ValueError:
            assert scheduler.state_dict() == state, "extend() was refused, and has changed the scheduler"
            return
        for step in range(stand + 1):
            found, expected = list(scheduler.value_at(step)), subject.course(self.make)[step]
            assert all(close(a, b, max(RATES)) for a, b in zip(found, expected, strict=True)), (
                f"extend({total}) at step {stand} changed the rates of step {step}, which has passed: "
                f"{shown(found)}, not {shown(expected)}"
            )
        assert rates_of(optimizer, subject.driven) == present, "extend() has written rates; step() does that"
        twin = self.make(*RATES)
        follower = subject.build(twin)
        with telling("load_state_dict of an extended scheduler"):
            follower.load_state_dict(copy.deepcopy(scheduler.state_dict()))
        for step in (stand + 1, total - 1, total):
            assert list(follower.value_at(step)) == list(scheduler.value_at(step)), (
                f"after extend({total}) and load_state_dict the rate of step {step} is "
                f"{shown(list(follower.value_at(step)))}, not {shown(list(scheduler.value_at(step)))}"
            )

    def tensor_rates(self) -> None:
        """Rates that are tensors are changed in place."""
        subject = self.subject
        usual = subject.course(self.make)
        tensors = [tensor_of(self.name, base) for base in RATES]
        optimizer, scheduler = self._built(*tensors)
        for step in range(subject.steps + 1):
            for number, (group, tensor) in enumerate(zip(optimizer.param_groups, tensors, strict=True)):
                assert group["lr"] is tensor, (
                    f"the rate of group {number} was a tensor, and is {group['lr']!r} at step {step}: it is "
                    "changed in place, with fill_, so that what was compiled with it sees the change. step() "
                    "does that with the rates that it is given"
                )
            found = rates_of(optimizer)
            assert all(close(a, b, max(RATES)) for a, b in zip(found, usual[step], strict=True)), (
                f"with rates that are tensors step {step} has {shown(found)}, with numbers "
                f"{shown(usual[step])}"
            )
            if step < subject.steps:
                with telling(f"step() number {step + 1} with a rate that is a tensor"):
                    subject.step(scheduler, step)

    def order(self) -> None:
        """Before optimizer.step() it warns, once; after it, never."""
        subject = self.subject
        for right in (True, False):
            optimizer, scheduler = self._built()
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                for _ in range(min(2, subject.steps)):
                    if right:
                        optimizer.step()
                    scheduler.step()
            texts = [str(each.message) for each in caught if "optimizer.step()" in str(each.message)]
            if right:
                assert not texts, f"optimizer.step() came first, and yet it warned: {texts[0]}"
            else:
                assert len(texts) == 1, (
                    f"scheduler.step() before optimizer.step() warned {len(texts)} times; it should once: "
                    "call super().__init__(optimizer, last_epoch, verbose), and super().step() where you "
                    "write one"
                )


def _others(scheduler: Any) -> Iterator[str]:
    """The other entries of the groups that a scheduler drives."""
    for index in range(len(RATES)):
        yield from scheduler.more_schedules_for(index)
    for member in members_of(scheduler):
        if isinstance(member, LRScheduler):
            yield from _others(member)
