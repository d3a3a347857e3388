"""How batches and data sets go from process to process.

Objects are pickled; the memory of arrays and tensors is left out of the pickle (PEP 574). What is larger than
a few pages goes through anonymous memory of the operating system (Linux: ``memfd_create``), whose descriptor
is sent along: one copy into it, one out of it, and nothing is left behind when a process is killed. Elsewhere
it goes through the pipe. A data set is not even copied: workers map the same memory, and a page that one of
them writes to becomes its own.
"""

from __future__ import annotations

import importlib.util
import io
import mmap
import os
import pickle
import socket
import sys
from collections.abc import Sequence
from multiprocessing import connection, reduction
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

_SMALL = 1 << 14  # bytes that go through the pipe as they are
_HAS_MEMORY = hasattr(os, "memfd_create") and hasattr(socket, "send_fds")
_ALIGN = 64


class Link:
    """One end of a pipe that objects go through."""

    def __init__(self, conn: connection.Connection) -> None:
        self.connection = conn

    def send(self, message: Any) -> None:
        """Send an object; nothing is sent if it cannot be pickled."""
        head, buffers = pack(message)
        self.send_packed(head, buffers)

    def send_packed(self, head: bytes, buffers: Sequence[memoryview]) -> None:
        """Send the result of `pack`."""
        sizes = [len(head), *(buffer.nbytes for buffer in buffers)]
        if not _HAS_MEMORY or sum(sizes) <= _SMALL:
            self.connection.send_bytes(pickle.dumps((None, sizes)))
            self.connection.send_bytes(head)
            for buffer in buffers:
                if buffer.nbytes:
                    self.connection.send_bytes(buffer)
            return
        descriptor = written([memoryview(head), *buffers])
        try:
            self.send_memory(descriptor, sizes)
        finally:
            os.close(descriptor)

    def send_memory(self, descriptor: int, sizes: list[int]) -> None:
        """Send memory that `written` returned; it may be sent to several."""
        self.connection.send_bytes(pickle.dumps((True, sizes)))
        with socket.socket(fileno=os.dup(self.connection.fileno())) as channel:
            socket.send_fds(channel, [b"m"], [descriptor])

    def receive(self) -> Any:
        """The next object.

        Raises:
            EOFError: the other end is gone.
        """
        in_memory, sizes = pickle.loads(self.connection.recv_bytes())
        if not in_memory:
            head = self.connection.recv_bytes()
            parts = [np.empty(size, np.uint8) for size in sizes[1:]]
            for part in parts:
                if part.nbytes:
                    self.connection.recv_bytes_into(part.data)
            return pickle.loads(head, buffers=parts)
        descriptor = self._descriptor()
        try:
            parts = [np.empty(size, np.uint8) for size in sizes]  # each its own: one may live longer
            for part, (start, _) in zip(parts, _places(sizes), strict=True):
                _read(descriptor, part, start)
        finally:
            os.close(descriptor)
        return pickle.loads(parts[0].data, buffers=parts[1:])

    def receive_mapped(self) -> tuple[memoryview, list[memoryview]]:
        """What `pack` returned at the other end; the memory is mapped, and private to this process."""
        in_memory, sizes = pickle.loads(self.connection.recv_bytes())
        if not in_memory:
            head = self.connection.recv_bytes()
            parts = [memoryview(bytearray(size)) for size in sizes[1:]]
            for part in parts:
                if part.nbytes:
                    self.connection.recv_bytes_into(part)
            return memoryview(head), parts
        descriptor = self._descriptor()
        try:
            memory = memoryview(mmap.mmap(descriptor, 0, access=mmap.ACCESS_COPY))
        finally:
            os.close(descriptor)
        head_place, *places = _places(sizes)
        return memory[slice(*head_place)], [memory[slice(*place)] for place in places]

    def _descriptor(self) -> int:
        with socket.socket(fileno=os.dup(self.connection.fileno())) as channel:
            _, descriptors, _, _ = socket.recv_fds(channel, 1, 1)
        if not descriptors:
            raise RuntimeError(
                "a batch was lost: this process has too many open files; raise the limit with `ulimit -n`"
            )
        return int(descriptors[0])


def written(parts: Sequence[memoryview]) -> int:
    """The descriptor of anonymous memory that has these parts one after another, each at a round address."""
    descriptor = os.memfd_create("genesis-data", os.MFD_CLOEXEC)
    try:
        for part, (start, _) in zip(parts, _places([part.nbytes for part in parts]), strict=True):
            part = part.cast("B")
            while part.nbytes:
                done = os.pwrite(descriptor, part, start)
                part, start = part[done:], start + done
        os.ftruncate(descriptor, max(1, _places([part.nbytes for part in parts])[-1][1]))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _places(sizes: Sequence[int]) -> list[tuple[int, int]]:
    """Where parts of these sizes begin and end."""
    places, at = [], 0
    for size in sizes:
        places.append((at, at + size))
        at = -(-(at + size) // _ALIGN) * _ALIGN
    return places


def _read(descriptor: int, part: np.ndarray[Any, Any], start: int) -> None:
    rest = part.data
    while rest.nbytes:
        done = os.preadv(descriptor, [rest], start)
        if not done:
            raise EOFError("a batch ended too early")
        rest, start = rest[done:], start + done


# -- pickling --------------------------------------------------------------------------------------
def pack(message: Any) -> tuple[bytes, list[memoryview]]:
    """The pickle of an object, and the memory that it left out."""
    buffers: list[pickle.PickleBuffer] = []
    stream = io.BytesIO()
    _Pickler(stream, 5, buffer_callback=buffers.append).dump(message)
    return stream.getvalue(), [buffer.raw() for buffer in buffers]


class _Pickler(pickle.Pickler):
    """Pickles a tensor as the array that it is."""

    def reducer_override(self, obj: Any) -> Any:
        return _plain(obj)


def _plain(obj: Any) -> Any:
    """How a tensor in host memory without anything else is pickled; other objects as they want."""
    module = sys.modules.get("genesis._tensor")
    if module is None or type(obj) is not module.Tensor or obj.device.type != "cpu" or obj.requires_grad:
        return NotImplemented
    if any(not name.startswith("_") for name in obj.__dict__):  # the user has put something there
        return NotImplemented
    return _tensor, (np.ascontiguousarray(obj._host()),) if obj.ndim else (obj._host(),)


def _tensor(array: np.ndarray[Any, Any]) -> Any:
    from genesis.ops.creation import as_tensor

    return as_tensor(array, device="cpu")


class JobPickler(reduction.ForkingPickler):
    """Pickles what a worker needs to begin.

    Attributes:
        needs_script: something is defined in the script that runs, which a worker then has to import.
        files: where the modules of classes and functions are, for modules that a worker cannot find by name.
        inherited: objects that go to another process only when it starts.
    """

    def __init__(self, stream: io.BytesIO, buffers: list[pickle.PickleBuffer]) -> None:
        super().__init__(stream, 5, True, buffers.append)
        self.needs_script: str | None = None
        self.files: dict[str, str] = {}
        self.inherited: list[Any] = []

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, type | FunctionType):
            self._note(obj)
            return NotImplemented
        if isinstance(obj, _shared_types()):
            self.inherited.append(obj)
            return _inherit, (len(self.inherited) - 1,)
        return _plain(obj)

    def _note(self, obj: Any) -> None:
        name = obj.__module__
        if name in ("__main__", "__mp_main__"):
            self.needs_script = self.needs_script or obj.__qualname__
        elif name not in self.files and name not in sys.builtin_module_names:
            module = sys.modules.get(name)
            file = getattr(module, "__file__", None)
            if file is not None:
                self.files[name] = os.path.abspath(file)


def _shared_types() -> tuple[type, ...]:
    """The classes of ``multiprocessing`` whose objects are given to a process when it starts."""
    found: list[type] = [connection.Connection]
    for module, names in (
        ("synchronize", ("SemLock", "Condition", "Event")),
        ("queues", ("Queue", "SimpleQueue")),
        ("sharedctypes", ("SynchronizedBase",)),
    ):
        loaded = sys.modules.get(f"multiprocessing.{module}")
        if loaded is not None:
            found += [getattr(loaded, name) for name in names]
    return tuple(found)


_given: list[Any] = []  # in a worker: what JobPickler.inherited was


def _inherit(index: int) -> Any:
    return _given[index]


def unpack_job(content: Any, files: dict[str, str], inherited: tuple[Any, ...]) -> Any:
    """The object that `JobPickler` pickled, in a worker."""
    head, buffers = content
    _given[:] = inherited
    return _JobUnpickler(head, buffers, files).load()


class _JobUnpickler(pickle.Unpickler):
    """Finds classes in modules that only their file leads to, as in tests that import by path."""

    def __init__(self, head: memoryview, buffers: list[memoryview], files: dict[str, str]) -> None:
        super().__init__(io.BytesIO(head), buffers=buffers)
        self.files = files

    def find_class(self, module: str, name: str) -> Any:
        if module in self.files and module not in sys.modules:
            try:
                known = importlib.util.find_spec(module) is not None
            except (ImportError, ValueError):
                known = False
            if not known:
                _import_file(module, self.files[module])
        return super().find_class(module, name)


def _import_file(name: str, file: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"a worker cannot import {name!r} from {file!r}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
