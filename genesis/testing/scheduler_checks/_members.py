"""A scheduler as a member of SequentialLR and of ChainedScheduler."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from genesis import optim
from genesis.optim import ParamScheduler
from genesis.testing._check import Question
from genesis.testing.scheduler_checks._algebra import KitSlope
from genesis.testing.scheduler_checks._optimizers import RATES, PlainOptimizer, rates_of
from genesis.testing.scheduler_checks._subject import Subject, close, shown, telling

_AT = 4


def questions(subject: Subject) -> Iterator[Question]:
    """Ask for the compositions of schedulers."""
    if subject.driven != "lr" or subject.steps <= _AT:
        return
    members = _Members(subject)
    yield "member/first", members.first
    if subject.described and not subject.carries:
        yield "member/later", members.later
    if subject.described:
        yield "member/chained", members.chained


class _Members:
    """The questions to one scheduler."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject

    def _both(self, optimizer: Any) -> list[Any]:
        """It, and another; that one is made first, since PyTorch's cyclic ones write `initial_lr`."""
        other = ParamScheduler(optimizer, KitSlope())
        return [self.subject.build(optimizer), other]

    def first(self) -> None:
        """It is in force up to the milestone, and no longer."""
        own = self.subject.course(PlainOptimizer)
        self._compare(
            lambda optimizer: optim.SequentialLR(optimizer, self._both(optimizer), milestones=[_AT]),
            lambda step: own[step] if step < _AT else [base / (1 + step - _AT) for base in RATES],
            f"the first member of a SequentialLR up to step {_AT}",
            _AT + 3,
        )

    def later(self) -> None:
        """From the milestone on it counts from 0, and has its own rates."""
        own = self.subject.course(PlainOptimizer, _AT)  # the metrics of the steps before are not for it
        self._compare(
            lambda optimizer: optim.SequentialLR(optimizer, self._both(optimizer)[::-1], milestones=[_AT]),
            lambda step: own[step - _AT] if step >= _AT else [base / (1 + step) for base in RATES],
            f"the second member of a SequentialLR from step {_AT} on",
            self.subject.steps,
        )

    def chained(self) -> None:
        """Its factors are multiplied with those of others."""
        own = self.subject.course(PlainOptimizer)
        self._compare(
            lambda optimizer: optim.ChainedScheduler(self._both(optimizer)),
            lambda step: [value / (1 + step) for value in own[step]],
            "a member of a ChainedScheduler, beside one with the factors 1, 1/2, 1/3",
            self.subject.steps,
        )

    def _compare(
        self,
        make: Callable[[Any], Any],
        expected: Callable[[int], list[float]],
        text: str,
        steps: int,
    ) -> None:
        subject = self.subject
        optimizer = PlainOptimizer(*RATES)
        with telling(f"making {text}"):
            whole = make(optimizer)
        for step in range(steps + 1):
            found, right = rates_of(optimizer), expected(step)
            assert all(close(a, b, max(RATES)) for a, b in zip(found, right, strict=True)), (
                f"as {text}, it gives step {step} the rates {shown(found)}; worked out from its own they are "
                f"{shown(right)}: a schedule counts from its own step 0 and from base_lrs, and looks at "
                "nothing else"
            )
            if step == steps:
                return
            with telling(f"step() number {step + 1} of {text}"):
                subject.step(whole, step)
