"""Two processes in one folder, clocks that jump, workers that die, errors of plugins, and no memory."""

from __future__ import annotations

import multiprocessing
import os
import random
import re
import resource
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from report import Row
from subject import STEPS, Child, Faulty, Reference, folder, newest_good, train


def two_processes(count: int, seed: int) -> Iterator[Row]:
    """Several processes in one folder: one goes on, the others refuse."""
    reference = Reference()
    row = Row(
        "A second process in the folder",
        "three more at the same time as the first; each refuses and names the first",
    )
    while row.injected < count:
        with folder() as where:
            gate, opener = os.pipe()

            def ready(gate: int = gate) -> None:
                os.read(gate, 1)  # the one that was let in stays there until the others have seen it

            children = [
                Child(lambda say, w=where, r=ready: train(w, say, every=1, ready=r)) for _ in range(4)
            ]
            patience = time.monotonic() + 30
            while sum(map(_is_running, children)) > 1 and time.monotonic() < patience:
                time.sleep(0.01)
            os.write(opener, b"1234")
            ends = [child.wait() for child in children]
            os.close(gate)
            os.close(opener)
            winners = [n for n, (code, _, _) in enumerate(ends) if code == 0]
            for number, (code, said, errors) in enumerate(ends):
                if number in winners:
                    problem = reference.wrong(said)
                    if problem or len(winners) != 1:
                        row.count(problem or f"{len(winners)} were let in")
                else:
                    owner = re.search(r"FolderInUseError: (process \d+|another process)", errors)
                    known = owner and owner[1] in ("another process", f"process {children[winners[0]].pid}")
                    row.count("" if code == 1 and known and not said else f"{code}: {errors[-500:]}")
            if newest_good(where) != (STEPS, []):
                row.count("the folder was spoiled")
    yield row


def _is_running(child: Child) -> bool:
    return os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def clock_jumps(count: int, seed: int) -> Iterator[Row]:
    """The clock of the system, and the times of files, jump by years in both directions."""
    chance = random.Random(seed)
    reference = Reference()
    row = Row("A clock that jumps", "by up to 50 years at each reading, and the times of files likewise")
    while row.injected < count:
        with folder() as where:
            newest = 0
            while newest < STEPS:
                stop = min(STEPS, newest + chance.randrange(1, 9))
                jumps = chance.randrange(2**30)
                code, said, errors = Child(
                    lambda say, w=where, s=stop, j=jumps: _jumping(w, say, s, j)
                ).wait()
                problem = reference.wrong(said, newest)
                if code:
                    problem = problem or f"it ended with {code}: {errors[-500:]}"
                newest, bad = newest_good(where)
                for path in where.iterdir():
                    moment = time.time() + chance.uniform(-1.5e9, 1.5e9)
                    os.utime(path, (moment, moment))
                row.count(bad[0] if bad else problem, f"step {newest}")
                if problem:
                    break
    yield row


def _jumping(where: Path, say: Any, stop: int, seed: int) -> None:
    chance, now, now_ns = random.Random(seed), time.time, time.time_ns
    time.time = lambda: now() + chance.uniform(-1.5e9, 1.5e9)
    time.time_ns = lambda: now_ns() + int(chance.uniform(-1.5e18, 1.5e18))
    train(where, say, stop_at=stop, every=1)


def dead_workers(count: int, seed: int) -> Iterator[Row]:
    """A worker of the loader is killed: the training ends with an error, and goes on when started again."""
    chance = random.Random(seed)
    reference = Reference(workers=2)
    row = Row(
        "A worker of the loader killed", "one of two, at random moments; the training ends with a clear error"
    )
    while row.injected < count:
        with folder() as where:
            child = Child(
                lambda say, w=where: train(w, lambda line: _with_workers(say, line), workers=2, every=2)
            )
            workers = child.heard("workers").split()[1:]
            time.sleep(chance.uniform(0, 0.1))
            try:
                os.kill(int(chance.choice(workers)), signal.SIGKILL)
            except ProcessLookupError:
                continue  # that pass is over
            finally:
                code, said, errors = child.wait()
            if code == 0:
                continue  # it had been loaded already what this worker had to
            problem = reference.wrong([words for words in said if words[0] != "workers"])
            if code != 1 or "DataLoader worker" not in errors:
                problem = problem or f"it ended with {code}: {errors[-500:]}"
            newest, bad = newest_good(where)
            again, later, errors = Child(lambda say, w=where: train(w, say, workers=2)).wait()
            problem = problem or reference.wrong(later, newest) or (errors if again else "")
            row.count(bad[0] if bad else problem, f"step {newest}")
    yield row


def _with_workers(say: Any, line: str) -> None:
    say(line)
    if line.startswith("step"):
        say(" ".join(["workers", *(str(child.pid) for child in multiprocessing.active_children())]))


def schedules(step: int = 1) -> Iterator[Row]:
    """The schedule of a plugin raises at each step."""
    reference = Reference(plugin=True)
    row = Row("An error in a plugin's schedule", "at each step; then the plugin is mended")
    for fails_at in range(1, STEPS + 1, step):
        with folder() as where:
            code, said, errors = Child(lambda say, w=where, at=fails_at: _spoiled(w, say, at)).wait()
            newest, bad = newest_good(where)
            problem = bad[0] if bad else reference.wrong(said)
            if code != 1 or "an error in a plugin's schedule" not in errors:
                problem = problem or f"it ended with {code}: {errors[-500:]}"
            if not fails_at - 4 <= newest < fails_at:
                problem = problem or f"it failed at {fails_at}, the newest checkpoint is of {newest}"
            stop = newest + 6
            code, said, errors = Child(
                lambda say, w=where, s=stop: train(w, say, plugin=True, stop_at=s)
            ).wait()
            row.count(
                problem or reference.wrong(said, newest) or (errors if code else ""), f"step {fails_at}"
            )
    yield row


def _spoiled(where: Path, say: Any, fails_at: int) -> None:
    Faulty.fails_at = fails_at
    train(where, say, plugin=True)


def memory(count: int) -> Iterator[Row]:
    """Limits of memory that are reached while training and saving."""
    size = 3_000_000  # 12 MB, and as much for the copy
    reference = Reference(ballast=size)
    row = Row(
        "Memory exhausted",
        f"RLIMIT_AS, of which 0 to 30 MB are left to train and save, a state of {size * 4 // 10**6} MB",
    )
    succeeded = 0
    for number in range(count):
        limit = number * 30_000_000 // count
        with folder() as where:
            Child(lambda say, w=where: train(w, say, ballast=size, stop_at=3)).wait()
            code, said, errors = Child(lambda say, w=where, n=limit: _short_of_memory(w, say, size, n)).wait()
            succeeded += code == 0
            newest, bad = newest_good(where)
            problem = bad[0] if bad else reference.wrong(said)
            if code and (
                code != 1 or not re.search(r"MemoryError|Cannot allocate memory|not enough memory", errors)
            ):
                problem = problem or f"it ended with {code}: {errors[-800:]}"
            if newest < 3:
                problem = problem or "the checkpoint from before is gone"
            stop = newest + 2
            code, said, errors = Child(
                lambda say, w=where, s=stop: train(w, say, ballast=size, stop_at=s)
            ).wait()
            row.count(
                problem or reference.wrong(said, newest) or (errors if code else ""), f"{limit} bytes more"
            )
    row.notes = f"{succeeded} had enough"
    yield row


def _short_of_memory(where: Path, say: Any, size: int, more: int) -> None:
    hoard: list[bytearray] = []

    def limit() -> None:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + 50_000_000
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        try:
            while True:  # what this process has freed before would do for the copy
                hoard.append(bytearray(1 << 18))
        except MemoryError:
            del hoard[len(hoard) - more // (1 << 18) - 1 :]

    train(where, say, ballast=size, stop_at=8, ready=limit)
