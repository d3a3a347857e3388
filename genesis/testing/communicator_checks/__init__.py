"""The kit for communicators: several processes are started, and what they send each other is looked at."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from genesis.testing._check import Check, Question, named
from genesis.testing.communicator_checks._runs import Runs

__all__ = ["check_communicator"]


def check_communicator(
    communicator: Any,
    expected_failures: Mapping[str, str] | None = None,
    *,
    processes: int | Sequence[int] = 2,
    launch: Sequence[str] | None = None,
    environment: Mapping[str, str] | None = None,
    timeout: float = 20.0,
    only: str | Sequence[str] = "*",
) -> list[Check]:
    """Make checks of everything that a communicator is asked for.

    The first check that is called starts the processes, which answer all questions one after the other.
    When one of them gives a wrong answer, dies or does not come back, all are ended, and others go on with
    the next question.

    Args:
        communicator: Its name, such as `"acme"`; or a subclass of `Communicator` that a file of its own
            defines.
        expected_failures: From the name of a check, or a glob such as `"all_reduce/*/float16"`, to the
            reason.
        processes: How many; several numbers ask everything as often.
        launch: What starts them, before `python`, with `"{n}"` for their number. The default is
            `("mpiexec", "-n", "{n}")`, that beside Python. An empty sequence starts them without a launcher,
            with `RANK`, `WORLD_SIZE`, `LOCAL_RANK`, `LOCAL_WORLD_SIZE`, `MASTER_ADDR` and `MASTER_PORT`.
        environment: More variables for the processes.
        timeout: Seconds for one question.
        only: The questions to ask besides `"loads"`, as a glob such as `"messages/*"` or several.

    Returns:
        The checks. If the communicator cannot be opened, `"loads"` says why and the others fail.

    Raises:
        TypeError: It is no name and no subclass of `Communicator`.
        UnknownNameError: No plugin supplies a communicator of this name.
        ValueError: A key of `expected_failures` fits no check.

    Example:
        >>> @parametrize(check_communicator("acme"))
        ... def test_acme(check):
        ...     check()
    """
    from genesis.testing.communicator_checks._questions import QUESTIONS

    target = _target(communicator)
    numbers = [processes] if isinstance(processes, int) else list(processes)
    if any(n < 2 for n in numbers):
        raise ValueError(f"processes should be numbers from 2, got {processes!r}")
    globs = [only] if isinstance(only, str) else list(only)
    names = [name for name in (*QUESTIONS, "abort") if any(fnmatchcase(name, g) for g in ("loads", *globs))]
    if names == ["loads"] and "loads" not in globs:
        raise ValueError(f"no check fits only={only!r}; there are such as 'loads' and {list(QUESTIONS)[9]!r}")
    asked: list[Question] = []
    for n in numbers:
        runs = Runs(target, names, n, launch, dict(environment or {}), timeout)
        prefix = f"{n}/" if len(numbers) > 1 else ""
        asked += [(prefix + name, partial(runs.ask, name)) for name in names]
    return named(asked, expected_failures)


def _target(communicator: Any) -> str:
    """What a process imports: a name, or a file and a class in it."""
    from genesis.distributed import Communicator
    from genesis.plugin import registry

    if isinstance(communicator, str):
        registry("communicators").find(communicator)
        return communicator
    if not (isinstance(communicator, type) and issubclass(communicator, Communicator)):
        raise TypeError(
            "check_communicator takes the name of a communicator or a subclass of "
            f"genesis.distributed.Communicator, got {communicator!r:.80}"
        )
    return f"{inspect.getfile(communicator)}::{communicator.__qualname__}"
