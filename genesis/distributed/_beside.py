"""Work of a device beside the program: in a stream of its own, for which the program waits later."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import nullcontext
from typing import Any

from genesis._device import device as Device
from genesis._streams import Stream, current_stream
from genesis.distributed._channel import Work


def stream_here(place: Device) -> Any:
    """The stream that this thread works in on a device; None where the device has no streams."""
    try:
        return current_stream(place)
    except NotImplementedError:
        return None


def as_here(place: Device | None, function: Callable[[], Any]) -> Callable[[], Any]:
    """A function that another thread may call, and that works in the stream of this thread all the same."""
    stream = None if place is None or place.type == "cpu" else stream_here(place)
    if stream is None:
        return function

    def call() -> Any:
        with stream:
            return function()

    return call


class Queue:
    """What a communicator has been given that works in the streams of its device."""

    def __init__(self) -> None:
        self._streams: dict[Device, Any] = {}
        self._begun: deque[tuple[float, str, Any]] = deque()
        self._lock = threading.Lock()  # a thread of its own asks for the oldest

    def run(
        self, what: str, function: Callable[[], Any], place: Device, background: bool, result: Any
    ) -> Any:
        """Call the function, which gives work to a stream, and return.

        Args:
            what: the work in words.
            background: in a stream beside this thread's; return a ``Work``.
        """
        here = stream_here(place)
        stream = self._beside(place) if background and here is not None else here
        if stream is not here:
            stream.wait_stream(here)
        future: Future[Any] = Future()
        try:
            with nullcontext() if stream is here else stream:
                future.set_result(function())
        except Exception as error:
            if not background:
                raise
            future.set_exception(error)
        mark = None if stream is None else stream.record_event()
        if mark is not None:
            self.oldest()
            with self._lock:
                self._begun.append((time.monotonic(), what, mark))
        return Queued(future, result, mark, place) if background else None

    def _beside(self, place: Device) -> Any:
        if place not in self._streams:
            self._streams[place] = Stream(place)
        return self._streams[place]

    def oldest(self) -> tuple[float, str] | None:
        """When the oldest work began that is not complete, and what it is."""
        with self._lock:
            while self._begun:
                since, what, mark = self._begun[0]
                if not mark.query():
                    return since, what
                self._begun.popleft()
        return None


class Queued(Work):
    """Work that was given to a stream of a device: not the thread waits in ``wait`` but its stream."""

    def __init__(self, future: Future[Any], result: Any, mark: Any, place: Device) -> None:
        super().__init__(future, result)
        self._mark, self._place = mark, place

    def wait(self, timeout: Any = None) -> bool:
        """Let what this thread's stream is given from now on wait; raise what went wrong."""
        self._future.result()
        if self._mark is not None:
            current_stream(self._place).wait_event(self._mark)
        return True

    def is_completed(self) -> bool:
        """Whether it is over."""
        return self._mark is None or bool(self._mark.query())

    def is_success(self) -> bool:
        """Whether it is over and nothing went wrong."""
        return self.is_completed() and self._future.exception() is None
