"""Processes that are killed at any moment."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from report import Row
from subject import STEPS, Child, Reference, folder, newest_good, train

WAYS: dict[str, dict[str, Any]] = {
    "every third step": {},
    "every step": {"every": 1, "keep": 1},
    "in parts": {"max_shard_size": 100_000},
    "at once": {"background": False, "every": 1},
}


def random_kills(count: int, seed: int) -> Iterator[Row]:
    """SIGKILL at random moments of training and of saving."""
    chance = random.Random(seed)
    reference = Reference()
    row = Row("SIGKILL", "at random moments of starting, training and saving")
    saving = ended = lost = 0
    for way, options in WAYS.items():
        share = count // len(WAYS)
        while share > 0:
            with folder() as where:
                newest = 0
                while share > 0:
                    child = Child(lambda say, where=where, options=options: train(where, say, **options))
                    time.sleep(chance.uniform(0, 0.25))
                    child.kill()
                    code, said, errors = child.wait()
                    problem = reference.wrong(said, newest)
                    if code == 0:  # it was faster
                        ended += 1
                        problem = problem or ("" if said[-1][0] == "done" else "it ended early")
                    elif code != -signal.SIGKILL:
                        problem = f"it ended with {code}: {errors[-500:]}"
                    before, (newest, bad) = newest, newest_good(where) if where.exists() else (0, [])
                    taken = max((int(words[1]) for words in said if words[0] == "step"), default=newest)
                    lost += max(0, taken - newest)
                    every = options.get("every", 3)
                    if bad:
                        problem = bad[0]
                    elif newest < before:
                        problem = "a checkpoint disappeared"
                    elif taken - newest > 2 * every:
                        problem = f"{taken - newest} steps were lost while saving each {every}"
                    if code == -signal.SIGKILL:
                        share -= 1
                        saving += any(where.glob(".genesis-*.tmp"))
                        row.count(problem, f"{way}, step {taken}")
                    elif problem:
                        row.count(problem, f"{way}, the end")
                    if newest == STEPS and code == 0:
                        break
    row.notes = (
        f"{saving} while a file was being written; {lost / max(1, row.injected):.1f} steps lost on average; "
        f"{ended} runs ended and were compared"
    )
    yield row


def kills_in_workers_runs(count: int, seed: int) -> Iterator[Row]:
    """The same with a loader that has workers."""
    chance = random.Random(seed)
    reference = Reference(workers=2)
    row = Row("SIGKILL", "the same with two workers of the loader, which draw random numbers")
    ended = 0
    while row.injected < count:
        with folder() as where:
            newest, going = 0, True
            while going and row.injected < count:
                child = Child(lambda say, where=where: train(where, say, workers=2, every=2))
                child.heard("resumed")
                if chance.random() < 0.75:  # the others end by themselves
                    time.sleep(chance.uniform(0, 1.5))
                    child.kill()
                code, said, errors = child.wait()
                problem = reference.wrong(said)
                if code not in (0, -signal.SIGKILL):
                    problem = f"it ended with {code}: {errors[-500:]}"
                newest, bad = newest_good(where)
                problem = bad[0] if bad else problem
                if code == 0:
                    ended, going = ended + 1, False
                if code == -signal.SIGKILL or problem:
                    row.count(problem, f"step {newest}")
    row.notes = f"{ended} runs ended and were compared"
    yield row


def terminations(count: int, seed: int) -> Iterator[Row]:
    """SIGTERM: saves and exits, and nothing at all is lost."""
    chance = random.Random(seed)
    reference = Reference()
    row = Row("SIGTERM", "at random moments of training; saves, exits with 143, loses nothing")
    while row.injected < count:
        with folder() as where:
            newest, code = 0, None
            while code != 0 and row.injected < count:
                child = Child(lambda say, where=where: train(where, say, every=7))
                child.heard("resumed")
                time.sleep(chance.uniform(0, 0.12))
                child.kill(signal.SIGTERM)
                code, said, errors = child.wait()
                newest, bad = newest_good(where)
                taken = max((int(words[1]) for words in said if words[0] == "step"), default=newest)
                problem = bad[0] if bad else reference.wrong(said)
                if code == -signal.SIGTERM and newest == STEPS:
                    break  # the training was over, and the process nearly
                if code not in (0, 143):
                    problem = f"it ended with {code}: {errors[-500:]}"
                elif newest != taken:
                    problem = f"step {taken} was done, and {newest} is saved"
                elif code == 143 and f"SIGTERM: step {taken} is saved" not in errors:
                    problem = f"it said {errors[-500:]!r}"
                if code == 143 or problem:
                    row.count(problem, f"step {taken}")
    yield row


CALLS = ("write", "fsync", "replace", "unlink", "open", "chmod", "ftruncate", "mkdir", "close")


def counting(act: Callable[[int, str, Callable[..., Any], tuple[Any, ...]], Any]) -> None:
    """Let `act` do every call to the system of this process from now on that files are written with."""
    number = 0
    for name in CALLS:
        real = getattr(os, name)

        def call(*args: Any, _name: str = name, _real: Callable[..., Any] = real, **named: Any) -> Any:
            nonlocal number
            number += 1
            real = (lambda *given: _real(*given, **named)) if named else _real
            return act(number, _name, real, args)

        setattr(os, name, call)


def kills_at_calls(seed: int, step: int = 1) -> Iterator[Row]:
    """SIGKILL before, in and after each call to the system of two saves."""
    reference = Reference(ballast=5000)
    for way, options in {"one file": {}, "in parts": {"max_shard_size": 8000}}.items():
        row = Row("SIGKILL", f"before, within and after each call to the system of a save ({way})")
        for moment in ("before", "within", "after"):
            number, more = seed % step + 1, True
            while more:
                with folder() as where:
                    code, said, _ = Child(
                        lambda say, where=where, n=number, m=moment, o=options: _killed(where, say, n, m, o)
                    ).wait()
                    more = code == -signal.SIGKILL
                    newest, bad = newest_good(where)
                    again, later, trouble = Child(
                        lambda say, where=where, stop=newest + 2, o=options: train(
                            where, say, ballast=5000, stop_at=stop, **o
                        )
                    ).wait()
                    problem = bad[0] if bad else reference.wrong(said) or reference.wrong(later, newest)
                    if again or newest < 3:
                        problem = problem or f"resumed from {newest}, ended with {again}: {trouble[-500:]}"
                    if more:
                        row.count(problem, f"{moment} call {number}")
                number += step
        yield row


def _killed(where: Path, say: Any, number: int, moment: str, options: dict[str, Any]) -> None:
    train(where, say, ballast=5000, stop_at=3, background=False, **options)

    def act(count: int, name: str, real: Any, args: tuple[Any, ...]) -> Any:
        if count == number and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        if count == number and moment == "within" and name == "write":
            real(args[0], args[1][: len(args[1]) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*args)
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    counting(act)
    train(where, say, ballast=5000, stop_at=9, background=False, **options)
