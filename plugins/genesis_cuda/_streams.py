"""Streams and events as ``genesis.backend`` asks for them.

Streams are never destroyed: there are up to ``_MANY`` of each priority, handed out in turn, so that memory
which is kept for a stream finds it again.
"""

from __future__ import annotations

import itertools
from typing import Any

from genesis_cuda._driver import DriverError, Unit, call, unit

_MANY = 32
_NOT_READY = 600
_NO_TIMING, _BLOCKING = 2, 1  # of CUevent_flags
_NOT_THE_DEFAULT = 1  # of CUstream_flags: it does not wait for the default stream


def _done(name: str, handle: Any) -> bool:
    try:
        call(name, handle)
    except DriverError as error:
        if error.code != _NOT_READY:
            raise
        return False
    return True


class Event:
    """A mark in a stream."""

    def __init__(self, owner: Unit, timing: bool, blocking: bool) -> None:
        owner.enter()
        self.unit = owner
        self.raw = call("cuEventCreate", (0 if timing else _NO_TIMING) | (_BLOCKING if blocking else 0))

    @property
    def number(self) -> int:
        """Its address."""
        return int(self.raw)

    def record(self, stream: Stream) -> None:
        """Mark where a stream is now."""
        self.unit.enter()
        call("cuEventRecord", self.raw, stream.raw)

    def query(self) -> bool:
        """Whether the mark was passed."""
        self.unit.enter()
        return _done("cuEventQuery", self.raw)

    def synchronize(self) -> None:
        """Wait until it was passed."""
        self.unit.enter()
        call("cuEventSynchronize", self.raw)

    def elapsed(self, end: Event) -> float:
        """Milliseconds to another mark."""
        self.unit.enter()
        return float(call("cuEventElapsedTime", self.raw, end.raw))

    def __del__(self) -> None:
        if hasattr(self, "raw") and call is not None:  # None: the interpreter ends
            self.unit.enter()
            call("cuEventDestroy", self.raw)


class Stream:
    """A line of work on a GPU."""

    def __init__(self, owner: Unit, raw: Any) -> None:
        self.unit, self.raw = owner, raw

    @property
    def number(self) -> int:
        """Its address."""
        return int(self.raw)

    def wait(self, event: Event) -> None:
        """What comes now waits for a mark."""
        self.unit.enter()
        call("cuStreamWaitEvent", self.raw, event.raw, 0)

    def before(self, raw: Any) -> None:
        """What another stream is given from now on waits for what this one has been given."""
        if raw != self.raw:
            event = Event(self.unit, False, False)
            event.record(self)
            call("cuStreamWaitEvent", raw, event.raw, 0)

    def query(self) -> bool:
        """Whether all its work is done."""
        self.unit.enter()
        return _done("cuStreamQuery", self.raw)

    def synchronize(self) -> None:
        """Wait until all its work is done."""
        self.unit.enter()
        call("cuStreamSynchronize", self.raw)


_known: dict[tuple[int, int], Stream] = {}  # by GPU and address
_made: dict[tuple[int, int], list[Stream]] = {}  # by GPU and priority
_turn = itertools.count()


def _of(owner: Unit, raw: Any) -> Stream:
    key = owner.index, int(raw)
    found = _known.get(key)
    return found if found is not None else _known.setdefault(key, Stream(owner, raw))


def new(index: int, priority: int) -> Stream:
    """``Backend.new_stream``."""
    owner, level = unit(index), -1 if priority < 0 else 0
    with owner.lock:
        streams = _made.setdefault((index, level), [])
        if len(streams) < _MANY:
            owner.enter()
            streams.append(_of(owner, call("cuStreamCreateWithPriority", _NOT_THE_DEFAULT, level)))
            return streams[-1]
    return streams[next(_turn) % _MANY]


def current(index: int) -> Stream:
    """``Backend.current_stream``."""
    owner = unit(index)
    return _of(owner, owner.stream)


def default(index: int) -> Stream:
    """``Backend.default_stream``."""
    owner = unit(index)
    return _of(owner, owner.main)


def choose(index: int, stream: Stream) -> None:
    """``Backend.set_stream``."""
    unit(index).choose(stream.raw)
