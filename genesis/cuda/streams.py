"""``genesis.cuda.Stream``, ``Event`` and what chooses among streams."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from genesis import _streams
from genesis._lazy import missing


class Stream(_streams.Stream):
    """As ``genesis.Stream``, on the device ``cuda``."""

    _kind = "cuda"

    @property
    def cuda_stream(self) -> int:
        """The address that the driver knows it by."""
        return self.stream_id

    def _event(self) -> Any:
        return lambda device: Event()


class Event(_streams.Event):
    """As ``genesis.Event``, on the device ``cuda``."""

    _kind = "cuda"

    def __init__(
        self, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False
    ) -> None:
        super().__init__(enable_timing=enable_timing, blocking=blocking, interprocess=interprocess)

    @property
    def cuda_event(self) -> int:
        """The address that the driver knows it by; 0 before it was recorded."""
        return 0 if self._handle is None else int(self._handle.number)


class StreamContext:
    """``with genesis.cuda.stream(s):`` works in ``s`` inside.

    Args:
        stream: the stream; None does nothing.
    """

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def __enter__(self) -> None:
        if self.stream is not None:
            self.stream.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.stream is not None:
            self.stream.__exit__(kind, error, trace)


def stream(stream: Any) -> StreamContext:
    """A context in which this thread works in a stream; None does nothing."""
    return StreamContext(stream)


def current_stream(device: Any = None) -> Any:
    """The stream that this thread works in on a device (a number, a device, or None: the current one)."""
    return _streams.current_stream(_chosen(device), kind="cuda", of=Stream)


def default_stream(device: Any = None) -> Any:
    """The stream in which work waits that is given to no other."""
    where = _streams.place(_chosen(device), "cuda")
    return Stream._of(where, where.backend.default_stream(where.index or 0))


def set_stream(stream: Any) -> None:
    """Let this thread work in a stream from now on; None changes nothing."""
    _streams.set_stream(stream)


def _chosen(device: Any) -> Any:
    from genesis.cuda import current_device

    return current_device() if device is None else device


__all__ = ["Event", "Stream", "StreamContext", "current_stream", "default_stream", "set_stream", "stream"]

TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
