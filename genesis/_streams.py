"""Streams and events: several lines of work on one device, and marks in them.

A device that has them gives objects with a few methods (``Backend.new_stream``, ``new_event``); here they get
PyTorch's names.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

from genesis._accelerators import current as accelerator
from genesis._device import device as Device
from genesis._errors import DeviceError


def place(device: Any, kind: str | None = None) -> Device:
    """The device that is meant: None is the accelerator (or ``kind``), a number one of it.

    Raises:
        DeviceError: there is none.
    """
    name = kind or (None if isinstance(device, str | Device) else accelerator())
    if isinstance(device, str | Device):
        found = Device(device)
        if kind is not None and found.type != kind:
            raise ValueError(f"expected a device of the kind {kind!r}, got {found}")
        return found
    if name is None:
        raise DeviceError("there is no accelerator; `genesis plugins` lists the devices that are installed")
    return Device(name) if device is None else Device(name, device)


class Stream:
    """A line of work on a device: what is given to it is done in order, beside that of other streams.

    Memory belongs to the stream in which a tensor was made. A tensor that another stream works with has to be
    made before (``wait_stream``, ``wait_event``), and kept until that is done (``Tensor.record_stream``).

    Args:
        device: a device, or the number of one of the accelerator; None is the accelerator.
        priority: negative: before others.

    Raises:
        DeviceError: there is no such device.
        NotImplementedError: the device has one stream.
    """

    _kind: str | None = None

    def __init__(self, device: Any = None, priority: int = 0) -> None:
        self.device = place(device, self._kind)
        self._handle = self.device.backend.new_stream(self.device.index or 0, priority)
        self._before: list[tuple[Any, Any]] = []

    @classmethod
    def _of(cls, device: Device, handle: Any) -> Any:
        self = object.__new__(cls)
        self.device, self._handle, self._before = device, handle, []
        return self

    @property
    def stream_id(self) -> int:
        """The number that the device knows it by."""
        return int(self._handle.number)

    def query(self) -> bool:
        """True when all its work is done."""
        return bool(self._handle.query())

    def synchronize(self) -> None:
        """Wait until all its work is done."""
        self._handle.synchronize()

    def record_event(self, event: Any = None) -> Any:
        """Mark this point of the stream.

        Args:
            event: the mark; None makes one.

        Returns:
            The event.
        """
        event = self._event()(self.device) if event is None else event
        event.record(self)
        return event

    def _event(self) -> Any:
        return Event

    def wait_event(self, event: Any) -> None:
        """What is given to this stream from now on waits for the event; nobody else does."""
        event.wait(self)

    def wait_stream(self, stream: Any) -> None:
        """What is given to this stream from now on waits for what the other has been given."""
        self.wait_event(stream.record_event())

    def __enter__(self) -> Any:
        backend, index = self.device.backend, self.device.index or 0
        self._before.append((backend.current_stream(index), index))
        backend.set_stream(index, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        handle, index = self._before.pop()
        self.device.backend.set_stream(index, handle)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and self._handle is other._handle

    def __hash__(self) -> int:
        return hash(id(self._handle))

    def __repr__(self) -> str:
        return f"<genesis.{'cuda.' if self._kind else ''}Stream device={self.device} {self.stream_id:#x}>"


class Event:
    """A mark in a stream: to wait for, to ask whether it was passed, to take the time between two.

    Args:
        device: as for ``Stream``.
        enable_timing: whether ``elapsed_time`` will be asked.
        blocking: ``synchronize`` lets others use the processor meanwhile.
        interprocess: must be False.

    Raises:
        DeviceError: there is no such device.
        NotImplementedError: the device has no events, or ``interprocess``.
    """

    _kind: str | None = None

    def __init__(
        self,
        device: Any = None,
        *,
        enable_timing: bool = False,
        blocking: bool = False,
        interprocess: bool = False,
    ) -> None:
        if interprocess:
            raise NotImplementedError("Event(interprocess=True): not implemented; processes share no tensors")
        self.device, self._timing = place(device, self._kind), enable_timing
        self._handle: Any = None
        self._blocking, self._recorded = blocking, False

    def _made(self, device: Device) -> Any:
        if self._handle is None:
            self.device = device
            self._handle = device.backend.new_event(device.index or 0, self._timing, self._blocking)
        return self._handle

    def record(self, stream: Any = None) -> None:
        """Mark the point where ``stream`` (the current one) is now; an earlier mark is forgotten."""
        stream = current_stream(self.device) if stream is None else stream
        self._made(stream.device).record(stream._handle)
        self._recorded = True

    def wait(self, stream: Any = None) -> None:
        """What ``stream`` (the current one) is given from now on waits for this mark."""
        if self._recorded:
            stream = current_stream(self.device) if stream is None else stream
            stream._handle.wait(self._handle)

    def query(self) -> bool:
        """True when all work before the mark is done, or there is no mark."""
        return not self._recorded or bool(self._handle.query())

    def synchronize(self) -> None:
        """Wait until all work before the mark is done."""
        if self._recorded:
            self._handle.synchronize()

    def elapsed_time(self, end_event: Any) -> float:
        """Milliseconds from this mark to another.

        Raises:
            ValueError: one of them takes no time, was not recorded, or was not passed yet.
        """
        if not (self._timing and end_event._timing):
            raise ValueError("Both events must be created with argument 'enable_timing=True'.")
        if not (self._recorded and end_event._recorded):
            raise ValueError("Both events must be recorded before calculating elapsed time.")
        if not (self.query() and end_event.query()):
            raise ValueError("Both events must be completed before calculating elapsed time.")
        return float(self._handle.elapsed(end_event._handle))

    def __repr__(self) -> str:
        return f"<genesis.{'cuda.' if self._kind else ''}Event{'' if self._recorded else ' uninitialized'}>"


def current_stream(device: Any = None, *, kind: str | None = None, of: Any = Stream) -> Any:
    """The stream that this thread works in on a device.

    Args:
        device: as for ``Stream``.
        kind, of: the kind of device, and the class of the result.
    """
    where = place(device, kind)
    return of._of(where, where.backend.current_stream(where.index or 0))


def set_stream(stream: Any) -> None:
    """Let this thread work in a stream from now on; None changes nothing."""
    if stream is not None:
        stream.device.backend.set_stream(stream.device.index or 0, stream._handle)
