"""Going on from a saved state: after any number of steps, loaded in any order, as if never stopped."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from functools import cached_property
from inspect import signature
from typing import Any

from genesis.optim import LRScheduler
from genesis.testing._check import Question
from genesis.testing.scheduler_checks._optimizers import RATES, Make, PlainOptimizer, rates_of, written
from genesis.testing.scheduler_checks._subject import STOPS, Subject, quiet, shown, telling

_PLAIN = (int, float, bool, str, type(None))
# After so many steps a state has got as large as it gets.
_SETTLED = 256
_WRITTEN = ("rate", "weight decay", "momentum")


def questions(subject: Subject, name: str, make: Make) -> Iterator[Question]:
    """Ask for every way to go on with one kind of optimizer."""
    resuming = _Resuming(subject, name, make)
    ways = ["optimizer_first", "scheduler_first", "scheduler_alone", "built_last"]
    for way in ways[2:3] if make is PlainOptimizer else ways:
        yield f"resume/{way}/{name}", resuming.by(getattr(resuming, way), way.replace("_", " "))
    if subject.takes_last_epoch:
        yield f"resume/last_epoch/{name}", resuming.last_epoch


class _Resuming:
    """The questions about one kind of optimizer."""

    def __init__(self, subject: Subject, name: str, make: Make) -> None:
        self.subject, self.name, self.make = subject, name, make

    def optimizer_first(self, optimizer_state: Any, scheduler_state: Any) -> tuple[Any, Any]:
        """Make both, load the optimizer's state, then the scheduler's."""
        optimizer, scheduler = self._both()
        optimizer.load_state_dict(optimizer_state)
        scheduler.load_state_dict(scheduler_state)
        return optimizer, scheduler

    def scheduler_first(self, optimizer_state: Any, scheduler_state: Any) -> tuple[Any, Any]:
        """Make both, load the scheduler's state, then the optimizer's."""
        optimizer, scheduler = self._both()
        scheduler.load_state_dict(scheduler_state)
        optimizer.load_state_dict(optimizer_state)
        return optimizer, scheduler

    def scheduler_alone(self, optimizer_state: Any, scheduler_state: Any) -> tuple[Any, Any]:
        """Make both, load the scheduler's state only."""
        optimizer, scheduler = self._both()
        scheduler.load_state_dict(scheduler_state)
        return optimizer, scheduler

    def built_last(self, optimizer_state: Any, scheduler_state: Any) -> tuple[Any, Any]:
        """Load the optimizer's state, make the scheduler, load its state."""
        optimizer = self.make(*RATES)
        optimizer.load_state_dict(optimizer_state)
        scheduler = self.subject.build(optimizer)
        scheduler.load_state_dict(scheduler_state)
        return optimizer, scheduler

    def _both(self) -> tuple[Any, Any]:
        optimizer = self.make(*RATES)
        return optimizer, self.subject.build(optimizer)

    @cached_property
    def _run(self) -> tuple[list[Any], list[tuple[Any, Any]]]:
        """What is in the groups at each step of an uninterrupted run, and the states there."""
        optimizer, scheduler = self._both()
        rows, states = [written(optimizer)], []
        for step in range(self.subject.steps + 1):
            states.append(copy.deepcopy((optimizer.state_dict(), scheduler.state_dict())))
            if step < self.subject.steps:
                rows += self.subject.go(optimizer, scheduler, step, step + 1)
        return rows, states

    def _stops(self) -> list[int]:
        return [stop for stop in STOPS if stop < self.subject.steps]

    def by(self, way: Callable[[Any, Any], tuple[Any, Any]], text: str) -> Callable[[], None]:
        """Go on after every number of steps."""

        def check() -> None:
            rows, states = self._run
            for stop in self._stops():
                with telling(f"going on after {stop} steps ({text})"):
                    optimizer, scheduler = way(*copy.deepcopy(states[stop]))
                self._compare(stop, stop, written(optimizer), rows[stop], text)
                for step in range(stop, self.subject.steps):
                    with telling(f"after going on at step {stop} ({text}):"):
                        (found,) = self.subject.go(optimizer, scheduler, step, step + 1)
                    self._compare(stop, step + 1, found, rows[step + 1], text)
                told = [float(each) for each in scheduler.get_last_lr()]
                assert told == rates_of(optimizer, self.subject.driven), (
                    f"resumed after {stop} steps ({text}), get_last_lr() tells {told}, and the groups hold "
                    f"{rates_of(optimizer, self.subject.driven)}"
                )
                assert scheduler.last_epoch == self.subject.steps, (
                    f"resumed after {stop} steps ({text}), last_epoch is {scheduler.last_epoch} where it "
                    f"should be {self.subject.steps}: call super().load_state_dict(state)"
                )

        return check

    def _compare(self, stop: int, step: int, found: Any, expected: Any, text: str) -> None:
        if found == expected:
            return
        group = next(n for n, (a, b) in enumerate(zip(found, expected, strict=True)) if a != b)
        entry = next(n for n, (a, b) in enumerate(zip(found[group], expected[group], strict=True)) if a != b)
        raise AssertionError(
            f"resumed after {stop} steps ({text}), the {_WRITTEN[entry]} of step {step} is "
            f"{shown(found[group][entry])} and should be {shown(expected[group][entry])} (group {group}, "
            f"{self.name}): {_blame(self.subject)}"
        )

    def last_epoch(self) -> None:
        """Make it with last_epoch, for an optimizer whose state was loaded."""
        rows, states = self._run
        for stop in self._stops():
            optimizer = self.make(*RATES)
            optimizer.load_state_dict(copy.deepcopy(states[stop][0]))
            with telling(f"making it with last_epoch={stop - 1}"):
                scheduler = self.subject.build(optimizer, last_epoch=stop - 1)
            found = [written(optimizer)]
            if found[0] == rows[stop]:
                found += self.subject.go(optimizer, scheduler, stop, self.subject.steps)
            for step, (row, expected) in enumerate(zip(found, rows[stop:], strict=False), start=stop):
                assert row == expected, (
                    f"made with last_epoch={stop - 1}, that is after {stop} steps, it has {row} at step "
                    f"{step} and should have {expected}, for each group the rate, weight decay and momentum: "
                    "hand last_epoch on to super().__init__, and make rates from the step and base_lrs"
                )


def _blame(subject: Subject) -> str:
    """What the state lacks, as far as it can be seen."""
    lost = sorted(_hidden(subject))
    if lost:
        names = ", ".join(map(repr, lost))
        return f"the state lacks {names}; save what step() changes in state_dict, and take it back in "
        "load_state_dict"
    return (
        "the state does not tell all that the next rate depends on. What step() changes belongs into "
        "state_dict, and what load_state_dict takes back should be used by the next step(); a rate that is "
        "made from the one before depends on the order of loading, one made from the step and base_lrs does "
        "not"
    )


def _hidden(subject: Subject) -> set[str]:
    """The attributes that stepping changes and the state does not hold."""
    optimizer = PlainOptimizer(*RATES)
    try:
        scheduler = subject.build(optimizer)
        before = _attributes(scheduler)
        subject.go(optimizer, scheduler, 0, min(8, subject.steps))
        changed = {name for name, text in _attributes(scheduler).items() if before.get(name) != text}
        return changed - set(scheduler.state_dict())
    except Exception:
        return set()


def _attributes(scheduler: Any) -> dict[str, str]:
    """What a class holds beside what every scheduler does, each value as text."""
    base = {name for cls in LRScheduler.__mro__ for name in getattr(cls, "__slots__", ())}
    slots = {name for cls in type(scheduler).__mro__ for name in getattr(cls, "__slots__", ())}
    names = (set(vars(scheduler)) | slots) - base
    return {name: _text(getattr(scheduler, name, None)) for name in names}


def _text(value: Any) -> str:
    return repr(vars(value)) if hasattr(value, "__dict__") else repr(value)


def state_questions(subject: Subject) -> Iterator[Question]:
    """Ask what a state holds."""
    yield "state/plain", lambda: _plain(subject)
    yield "state/bounded", lambda: _bounded(subject)
    yield "state/apart", lambda: _apart(subject)
    yield "state/foreign", lambda: _foreign(subject)
    # A chainable one may carry the saved rate on with the options given, and a function is not saved at all.
    if isinstance(subject.target, type) and not subject.chainable:
        yield "state/other_options", lambda: _other_options(subject)


def _after(subject: Subject, steps: int) -> tuple[Any, Any]:
    optimizer = PlainOptimizer(*RATES)
    scheduler = subject.build(optimizer)
    subject.go(optimizer, scheduler, 0, min(steps, subject.steps))
    return optimizer, scheduler


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{path}[{key!r}]")
    elif isinstance(value, (list, tuple)):
        for number, item in enumerate(value):
            yield from _leaves(item, f"{path}[{number}]")
    else:
        yield path, value


def _plain(subject: Subject) -> None:
    for steps in (0, 5):
        state = _after(subject, steps)[1].state_dict()
        for path, value in _leaves(state):
            assert type(value) in _PLAIN, (
                f"state_dict(){path} is a {type(value).__name__}, {value!r}: a state holds numbers, texts, "
                "lists and dicts only, so that every checkpoint can hold it; save numbers, and build the "
                "object again in load_state_dict"
            )
        with telling("json.dumps(state_dict())"):
            json.dumps(state)


def _bounded(subject: Subject) -> None:
    optimizer = PlainOptimizer(*RATES)
    scheduler = subject.build(optimizer)
    sizes = {}
    for step in range(2 * _SETTLED):
        try:
            subject.step(scheduler, step)
        except ValueError:
            break  # it has ended
        if (step + 1) % (_SETTLED // 8) == 0:
            sizes[step + 1] = len(list(_leaves(scheduler.state_dict())))
    if 2 * _SETTLED not in sizes:
        return
    early, late = sizes[_SETTLED], sizes[2 * _SETTLED]
    if early != late:
        state = scheduler.state_dict()
        longest = max(state, key=lambda name: len(list(_leaves(state[name]))))
        raise AssertionError(
            f"the state holds {early} values after {_SETTLED} steps and {late} after {2 * _SETTLED}: it "
            f"grows with the training, in {longest!r}. Keep what the next step needs, not what has been"
        )


def _apart(subject: Subject) -> None:
    optimizer, scheduler = _after(subject, 2)
    state = scheduler.state_dict()
    before = copy.deepcopy(state)
    subject.go(optimizer, scheduler, 2, min(8, subject.steps))
    assert state == before, (
        "a state that was taken at step 2 changes with the steps after it: it shares a list or a dict with "
        "the scheduler; copy it in state_dict"
    )


def _foreign(subject: Subject) -> None:
    optimizer, scheduler = _after(subject, 3)
    before = copy.deepcopy(scheduler.state_dict()), written(optimizer)
    for wrong in ({}, {"something": "else"}):
        try:
            scheduler.load_state_dict(wrong)
        except Exception:
            pass
        else:
            raise AssertionError(
                f"load_state_dict({wrong!r}) was taken in silence: a state that is not its own is refused "
                "with a CheckpointError; super().load_state_dict(state) does that"
            )
        assert (scheduler.state_dict(), written(optimizer)) == before, (
            f"load_state_dict({wrong!r}) was refused, and yet it has changed the scheduler or the rates"
        )


def _other_options(subject: Subject) -> None:
    """A state in a scheduler with other options: those of the state count, or it is refused."""
    stop = min(4, subject.steps - 1)
    state = _after(subject, stop)[1].state_dict()
    expected = subject.course(PlainOptimizer)
    for name, options in _perturbed(subject):
        optimizer = PlainOptimizer(*RATES)
        try:
            other = subject.build(optimizer, options)
            given = PlainOptimizer(*RATES)
            plan = subject.build(given, options)
            rates = [rates_of(given, subject.driven)]
            for step in range(subject.steps):
                subject.step(plan, step)
                rates.append(rates_of(given, subject.driven))
        except Exception:
            continue  # these options do not fit together
        if rates == expected:
            continue
        before = rates_of(optimizer, subject.driven)
        try:
            with quiet():
                other.load_state_dict(copy.deepcopy(state))
        except Exception:
            assert rates_of(optimizer, subject.driven) == before, (
                "a state that it refuses has changed its rates"
            )
            continue
        found = []
        for step in range(stop, subject.steps):
            subject.step(other, step)
            found.append(rates_of(optimizer, subject.driven))
        assert found in (expected[stop + 1 :], rates[stop + 1 :]), (
            f"a state that was saved with {name}={subject.options_for(optimizer)[name]!r} and loaded with "
            f"{name}={options[name]!r} goes on with neither: {shown([row[0] for row in found][:4])} …, not "
            f"{shown([row[0] for row in expected[stop + 1 :]][:4])} …. Options that are saved count: keep "
            "them as attributes under the names of the arguments, and compute nothing from them in __init__ "
            "that load_state_dict does not compute again"
        )


def _perturbed(subject: Subject) -> Iterator[tuple[str, dict[str, Any]]]:
    """Options of which one number is another."""
    own = subject.options_for(PlainOptimizer(*RATES))
    takes = signature(subject.target).parameters
    for name, value in own.items():
        if name not in takes or isinstance(value, bool) or not isinstance(value, (int, float)):
            continue
        yield name, {name: value + 1 if isinstance(value, int) else value * 0.75}
