"""Processes that answer questions one at a time, so that two frameworks never work at once.

A worker is the same script started with ``--worker NAME``; a question and its answer are lines of JSON. While
one works the others wait for a line, so their pools of threads do not meet.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

#: of these variables only OMP_NUM_THREADS is set for a worker: every framework reads it
THREADS = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def environment(threads: int) -> dict[str, str]:
    """This environment, with so many threads."""
    rest = {name: value for name, value in os.environ.items() if name not in THREADS}
    return {**rest, "OMP_NUM_THREADS": str(threads)}


def cores() -> int:
    """How many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        return os.cpu_count() or 1


class Others:
    """How busy other programs keep the cores while this one measures."""

    def __init__(self) -> None:
        self.start = self._now()

    def share(self) -> float | None:
        """The part of all cores' time that others have had since the start; None where that is not known."""
        before, now = self.start, self._now()
        if before is None or now is None:
            return None
        wall, busy, own = (b - a for a, b in zip(before, now, strict=True))
        return max(0.0, busy - own) / (wall * (os.cpu_count() or 1))

    @staticmethod
    def _now() -> tuple[float, float, float] | None:
        """The clock, the time of all cores at work, and that of this process and of children that ended."""
        try:
            with open("/proc/stat") as file:
                user, nice, system, _, _, irq, softirq, steal = map(int, file.readline().split()[1:9])
        except OSError:  # not Linux
            return None
        busy = (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
        return time.perf_counter(), busy, sum(os.times()[:4])


class Worker:
    """A process of the script ``file`` that answers questions by ``serve``."""

    def __init__(self, file: str, name: str, env: Mapping[str, str] | None = None) -> None:
        self.name = name
        command = [sys.executable, file, "--worker", name]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env
        )

    def ask(self, *question: Any) -> Any:
        """The answer to a question.

        Raises:
            SystemExit: The worker has failed; it has said why.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps(question), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} failed at {question}")
        return json.loads(line)

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let it end."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def serve(answer: Callable[..., Any]) -> None:
    """Answer questions until there are no more; what is printed meanwhile goes to the standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        print(json.dumps(answer(*json.loads(line))), file=answers, flush=True)


def seconds_of(
    call: Callable[[], Any], seconds: float, least: int = 3, between: Callable[[], Any] | None = None
) -> float:
    """The median time of a call, measured for about so many seconds, and at least ``least`` times.

    What is shorter than 0.2 ms is timed several calls at once. ``between`` is called before each measurement.
    """
    clock = time.perf_counter
    start = clock()
    end = start + seconds
    call()
    once = clock() - start
    if once < 2e-4:
        start = clock()
        for _ in range(10):
            call()
        once = (clock() - start) / 10
    many = max(1, round(2e-4 / once))
    taken = [once] if many == 1 and between is None else []
    while clock() < end or len(taken) < least:
        if between is not None:
            between()
        start = clock()
        for _ in range(many):
            call()
        taken.append((clock() - start) / many)
    return statistics.median(taken)
