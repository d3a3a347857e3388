"""Copies of a scheduler in mid-run, its configuration, and the way to it by its name."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Iterator
from typing import Any

from genesis.optim import LRScheduler, create_scheduler
from genesis.testing._check import Question
from genesis.testing.scheduler_checks._objects import configurable
from genesis.testing.scheduler_checks._optimizers import RATES, PlainOptimizer, written
from genesis.testing.scheduler_checks._subject import Subject, shown, telling


def questions(subject: Subject) -> Iterator[Question]:
    """Ask for copies, and for what is found by name."""
    copying = _Copying(subject)
    yield "copy/deepcopy", copying.deepcopy
    if _can_be_pickled(subject):
        yield "copy/pickle", copying.pickle
    if _has_config(subject):
        yield "copy/config", copying.config
    if subject.declared is not None:
        yield "name/create", copying.create
        yield "name/unknown_option", copying.unknown_option


def _can_be_pickled(subject: Subject) -> bool:
    """Whether nothing that cannot be pickled, such as a lambda, is a part of it by intention."""
    optimizer = PlainOptimizer(*RATES)
    scheduler = subject.build(optimizer)
    try:
        pickle.dumps(subject.options_for(optimizer))
        pickle.dumps((optimizer, scheduler))
    except Exception as error:
        return (
            "lambda" not in str(error) and "<locals>" not in str(error) and "local object" not in str(error)
        )
    return True


def _has_config(subject: Subject) -> bool:
    """Whether it can be written down; with a lambda in it, it cannot. A shape is asked itself."""
    if subject.shape is not None and not configurable(subject.shape):
        return False
    try:
        subject.build(PlainOptimizer(*RATES)).to_config()
    except TypeError:
        return False
    except Exception:
        return True
    return True


class _Copying:
    """The questions to one scheduler."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.stop = min(5, subject.steps - 1)

    def _halfway(self) -> tuple[Any, Any, list[Any]]:
        """One that has taken some steps, and what an uninterrupted run writes after those."""
        subject = self.subject
        optimizer = PlainOptimizer(*RATES)
        rows = subject.go(optimizer, subject.build(optimizer), 0, subject.steps)
        optimizer = PlainOptimizer(*RATES)
        scheduler = subject.build(optimizer)
        subject.go(optimizer, scheduler, 0, self.stop)
        return optimizer, scheduler, rows[self.stop :]

    def _goes_on(self, optimizer: Any, scheduler: Any, expected: list[Any], what: str) -> None:
        found = self.subject.go(optimizer, scheduler, self.stop, self.subject.steps)
        for step, (row, right) in enumerate(zip(found, expected, strict=True), start=self.stop + 1):
            assert row == right, (
                f"{what}, taken after {self.stop} steps, has at step {step} the rates "
                f"{shown([group[0] for group in row])}, not {shown([group[0] for group in right])}: what "
                "step() changes has to be in __dict__, or in what __getstate__ returns"
            )

    def deepcopy(self) -> None:
        """A copy goes on by itself, on the same optimizer or on the copy of it."""
        optimizer, scheduler, expected = self._halfway()
        before = copy.deepcopy(scheduler.state_dict())
        with telling("copy.deepcopy(scheduler)"):
            twin = copy.deepcopy(scheduler)
        assert twin.optimizer is optimizer, (
            "copy.deepcopy(scheduler) drives another optimizer: a copy drives the same one, unless the "
            "optimizer is copied with it; leave __deepcopy__ to LRScheduler"
        )
        self._goes_on(optimizer, twin, expected, "a deep copy")
        assert scheduler.state_dict() == before, (
            "the steps of a deep copy have changed the scheduler that it was made of: they share a list or a "
            "dict"
        )
        optimizer, scheduler, expected = self._halfway()
        with telling("copy.deepcopy((optimizer, scheduler))"):
            other, twin = copy.deepcopy((optimizer, scheduler))
        assert twin.optimizer is other, "copied together with its optimizer, it should drive the copy"
        self._goes_on(other, twin, expected, "a deep copy with its optimizer")

    def pickle(self) -> None:
        """It comes back from a pickle and goes on."""
        optimizer, scheduler, expected = self._halfway()
        with telling("pickle of (optimizer, scheduler)"):
            other, twin = pickle.loads(pickle.dumps((optimizer, scheduler)))
        assert twin.optimizer is other, (
            "pickled together with its optimizer, it should drive the unpickled one"
        )
        self._goes_on(other, twin, expected, "an unpickled scheduler")

    def config(self) -> None:
        """Built from its configuration, it is the same."""
        subject = self.subject
        optimizer = PlainOptimizer(*RATES)
        scheduler = subject.build(optimizer)
        expected = subject.go(optimizer, scheduler, 0, subject.steps)
        with telling("json.dumps(scheduler.to_config())"):
            text = json.dumps(scheduler.to_config())
        for cls in (LRScheduler, type(scheduler)):
            other = PlainOptimizer(*RATES)
            with telling(f"{cls.__name__}.from_config({text})"):
                again = cls.from_config(json.loads(text), other)
            assert type(again) is type(scheduler), (
                f"from_config gave {again!r}, not a {type(scheduler).__name__}"
            )
            found = subject.go(other, again, 0, subject.steps)
            for step, (row, right) in enumerate(zip(found, expected, strict=True), start=1):
                assert row == right, (
                    f"built from its configuration, {text}, it has at step {step} the rates "
                    f"{shown([group[0] for group in row])}, not {shown([group[0] for group in right])}: keep "
                    "each argument as an attribute of its name"
                )

    def create(self) -> None:
        """create_scheduler makes the same."""
        subject = self.subject
        assert subject.declared is not None
        optimizer = PlainOptimizer(*RATES)
        options = subject.options_for(optimizer)
        options.pop("optimizer", None)
        with telling(f"create_scheduler({subject.declared!r}, optimizer, …)"):
            scheduler = create_scheduler(subject.declared, optimizer, **options)
        other = PlainOptimizer(*RATES)
        twin = subject.build(other)
        assert written(optimizer) == written(other), (
            f"create_scheduler({subject.declared!r}, …) writes {written(optimizer)} first, and the class "
            f"itself {written(other)}"
        )
        assert type(scheduler) is type(twin), f"create_scheduler gave {scheduler!r}"

    def unknown_option(self) -> None:
        """An option that it does not take is an error that names those it takes."""
        subject = self.subject
        assert subject.declared is not None
        optimizer = PlainOptimizer(*RATES)
        options = subject.options_for(optimizer)
        options.pop("optimizer", None)
        try:
            create_scheduler(subject.declared, optimizer, **options, not_an_option=1)
        except TypeError as error:
            text = str(error)
        else:
            raise AssertionError(
                "not_an_option=1 was taken in silence: name the options in the signature, without **kwargs"
            )
        missing = [name for name in ("not_an_option", *options) if name not in text]
        assert not missing, f"the error about an unknown option does not name {missing}: {text}"
