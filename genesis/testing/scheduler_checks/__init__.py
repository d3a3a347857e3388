"""The kit for schedules: what every schedule and every scheduler has to do, as named checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

from genesis.testing._check import Check, Question, named
from genesis.testing.scheduler_checks import (
    _algebra,
    _copying,
    _driving,
    _members,
    _metrics,
    _objects,
    _resuming,
    _values,
)
from genesis.testing.scheduler_checks._optimizers import OURS, TORCHS
from genesis.testing.scheduler_checks._subject import Subject, Unusable


def check_scheduler(
    schedule: Any,
    options: Mapping[str, Any] | Callable[[Any], Mapping[str, Any]] | None = None,
    *,
    metrics: Sequence[float] | None = None,
    torch: bool = False,
    expected_failures: Mapping[str, str] | None = None,
) -> list[Check]:
    """Ask everything of a schedule that Genesis promises to those who use one.

    A pure `Schedule` is asked for its values, its ends, its copies and its compositions; every scheduler,
    also the one that drives a pure schedule, for what it writes into optimizers, for going on from a state,
    for copies, and as a member of compositions.

    Args:
        schedule: A name, such as `"Cosine"` or `"acme-schedules:Halving"`; a `Schedule`, or a class of them;
            a class of `LRScheduler`; or a function `(optimizer, **options)` that returns a scheduler.
        options: Its options without the optimizer; or a function from an optimizer to them, where they need
            one: `lambda optimizer: {"schedulers": [...]}`. Lengths of 3 to 20 steps ask most.
        metrics: What a schedule that follows a metric gets to see, one for each step, again and again. The
            default falls, stays and rises in turn.
        torch: Ask the questions about optimizers of PyTorch's, too.
        expected_failures: From the name of a check, or a glob such as `"resume/*"`, to the reason.

    Returns:
        The checks. If the schedule cannot be made, it is one check, `"loads"`, that fails with the reason.

    Raises:
        TypeError: if `schedule` is nothing of what is expected.
        ValueError: if `expected_failures` names no check, or metrics are given and not followed.

    Example:
        >>> from genesis.testing import check_scheduler, parametrize
        >>> @parametrize(check_scheduler("StepLR", {"step_size": 3}))
        ... def test_step(check):
        ...     check()
    """
    if not isinstance(schedule, str) and not callable(schedule):
        raise TypeError(
            "expected the name of a schedule, a Schedule, an LRScheduler class or a function of an "
            f"optimizer; got {type(schedule).__name__}: {schedule!r}"
        )
    try:
        subject = Subject(schedule, options, metrics)
    except Unusable as error:
        return named([("loads", _failing(str(error)))], None)
    try:
        questions = [*_questions(subject, torch)]
    except Exception as error:
        text = f"{subject.name} cannot be asked what it is: {type(error).__name__}: {error}"
        return named([("loads", _failing(text))], None)
    return named(questions, expected_failures)


def _questions(subject: Subject, torch: bool) -> Iterator[Question]:
    yield "loads", lambda: None
    yield from _values.questions(subject)
    yield from _objects.questions(subject)
    yield from _algebra.questions(subject)
    optimizers = dict(OURS)
    if torch and find_spec("torch") is None:
        text = "torch=True asks for PyTorch, which is not installed: pip install torch, or leave torch out"
        yield "torch", _failing(text)
    elif torch:
        optimizers |= TORCHS
    for name, make in optimizers.items():
        yield from _driving.questions(subject, name, make)
        yield from _resuming.questions(subject, name, make)
    yield from _resuming.state_questions(subject)
    yield from _copying.questions(subject)
    yield from _members.questions(subject)
    yield from _metrics.questions(subject)


def _failing(text: str) -> Callable[[], None]:
    def fail() -> None:
        raise AssertionError(text)

    return fail
