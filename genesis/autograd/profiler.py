"""A small profiler: how long named parts of a program take.

It times what ``record_function`` names, by the clock on the wall, and each operation of the graph is not
seen. For single functions use cProfile of the standard library.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from genesis._lazy import missing

F = TypeVar("F", bound=Callable[..., Any])

_open: list[profile] = []


class _Local(threading.local):
    depth = 0


_local = _Local()


class Event:
    """One run of a named part.

    Attributes:
        name: of the part.
        start, end: seconds of ``time.perf_counter``.
        depth: how many parts were open around it.
        thread: its thread's number.
    """

    def __init__(self, name: str, start: float, end: float, depth: int, thread: int) -> None:
        self.name, self.start, self.end, self.depth, self.thread = name, start, end, depth, thread
        self.count = 1

    @property
    def key(self) -> str:
        """The name."""
        return self.name

    @property
    def cpu_time_total(self) -> float:
        """Microseconds, by the clock on the wall."""
        return (self.end - self.start) * 1e6


class Average:
    """All runs of a part.

    Attributes:
        key: the part's name.
        count: how many runs.
        cpu_time_total: microseconds of all runs.
    """

    def __init__(self, key: str, count: int, total: float) -> None:
        self.key, self.count, self.cpu_time_total = key, count, total

    @property
    def cpu_time(self) -> float:
        """Microseconds of one run, on average."""
        return self.cpu_time_total / self.count


class Averages(list[Average]):
    """A list of averages that can be printed as a table."""

    def table(self, sort_by: str | None = None, row_limit: int = 100, **options: Any) -> str:
        """One line for each part, the longest first; further options of PyTorch's are accepted."""
        rows = sorted(self, key=lambda a: -a.cpu_time_total)[: row_limit if row_limit >= 0 else None]
        width = max([len(a.key) for a in rows], default=4)
        lines = [f"{'Name':<{width}}  {'total (ms)':>12}  {'mean (ms)':>12}  {'calls':>8}"]
        lines += [
            f"{a.key:<{width}}  {a.cpu_time_total / 1e3:>12.3f}  {a.cpu_time / 1e3:>12.3f}  {a.count:>8}"
            for a in rows
        ]
        return "\n".join(lines)


class record_function:
    """Name a part of a program for the profiler: a context manager or a decorator.

    Args:
        name: of the part.
        args: accepted for compatibility.
    """

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name = name
        self._starts: list[float] = []

    def __enter__(self) -> record_function:
        self._starts.append(time.perf_counter())
        _local.depth += 1
        return self

    def __exit__(self, *error: object) -> None:
        _local.depth -= 1
        start, end = self._starts.pop(), time.perf_counter()
        for each in list(_open):
            each._events.append(Event(self.name, start, end, _local.depth, threading.get_ident()))

    def __call__(self, function: F) -> F:
        name = self.name

        @wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with record_function(name):
                return function(*args, **kwargs)

        return wrapper  # type: ignore[return-value]


class profile:
    """Time the parts that ``record_function`` names, and the whole.

    Args:
        enabled: False does nothing.
        schedule, on_trace_ready: as in PyTorch: which steps are kept, and what is called with the
        profiler when a
            cycle of steps is full. ``step()`` counts them.
        options: everything else that PyTorch's profilers take is accepted and has no effect.

    Example:
        >>> from genesis.profiler import profile, record_function
        >>> with profile() as p:
        ...     with record_function("work"):
        ...         total = sum(range(1000))
        >>> [a.key for a in p.key_averages()]
        ['work']
    """

    def __init__(
        self,
        enabled: Any = True,
        *,
        schedule: Callable[[int], Any] | None = None,
        on_trace_ready: Callable[[profile], Any] | None = None,
        **options: Any,
    ) -> None:
        self.enabled = enabled is not False
        self.schedule, self.on_trace_ready = schedule, on_trace_ready
        self.step_num = 0
        self._events: list[Event] = []

    def start(self) -> None:
        """Begin; ``with`` does it."""
        if self.enabled:
            _open.append(self)

    def stop(self) -> None:
        """End; ``with`` does it."""
        if self in _open:
            _open.remove(self)
            if self.on_trace_ready is not None and self.schedule is None:
                self.on_trace_ready(self)

    def step(self) -> None:
        """The next step of the training begins."""
        action = None if self.schedule is None else self.schedule(self.step_num)
        self.step_num += 1
        if action == "save" and self.on_trace_ready is not None:
            self.on_trace_ready(self)
        if action in ("none", "warmup", "save"):
            self._events.clear()

    def __enter__(self) -> profile:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def events(self) -> list[Event]:
        """Every run of a part, in the order in which they ended."""
        return list(self._events)

    def key_averages(self, group_by_input_shape: bool = False, group_by_stack_n: int = 0) -> Averages:
        """The runs of each part together."""
        found: dict[str, Average] = {}
        for e in self._events:
            a = found.setdefault(e.name, Average(e.name, 0, 0.0))
            a.count += 1
            a.cpu_time_total += e.cpu_time_total
        return Averages(found.values())

    def export_chrome_trace(self, path: Any) -> None:
        """Write the runs as a file for chrome://tracing."""
        events = [
            {
                "name": e.name,
                "ph": "X",
                "ts": e.start * 1e6,
                "dur": e.cpu_time_total,
                "pid": 0,
                "tid": e.thread,
            }
            for e in self._events
        ]
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"traceEvents": events}, file)

    def table(self, **options: Any) -> str:
        """``key_averages().table()``."""
        return self.key_averages().table(**options)


def schedule(
    *, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0
) -> Callable[[int], str]:
    """Which steps are kept: after ``skip_first`` come cycles of ``wait``, ``warmup`` and ``active`` steps.

    Returns:
        A function from the number of a step to ``"none"``, ``"warmup"``, ``"record"`` or ``"save"``.
    """

    def action(step: int) -> str:
        step -= skip_first
        length = wait + warmup + active
        if step < 0 or (repeat > 0 and step // length >= repeat):
            return "none"
        place = step % length
        if place < wait:
            return "none"
        if place < wait + warmup:
            return "warmup"
        return "record" if place < length - 1 else "save"

    return action


TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
    __path__ = []  # a package to Python: for a name that is not here it asks genesis._lazy.Finder
