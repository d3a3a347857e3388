"""What Genesis calls of ``nccl.core``, on memory of the host: Numba's simulator has no other.

Names, arguments and the checks of buffers are those of nccl4py 0.6 (``test_nccl.py`` compares the signatures
where it is installed). The processes talk by TCP, as NCCL's do at the start: the first accepts the others at
the address that its unique number holds, collects what all give, and sends back what each gets. Work is done
when it is asked for, in any stream; which stream that was is kept in ``calls``.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import pickle
import socket
import struct
from collections.abc import Callable, Iterator
from enum import IntEnum
from types import SimpleNamespace
from typing import Any

import numpy as np

#: what was asked for: the name, the stream, the type and the count
calls: list[tuple[str, int, str, int]] = []
_KNOWN = ("int8", "uint8", "int32", "uint32", "int64", "uint64", "float16", "float32", "float64", "bfloat16")
_listening: dict[bytes, socket.socket] = {}


class NcclInvalid(Exception):
    """An argument is invalid."""


class NcclRedOp(IntEnum):
    SUM, PROD, MAX, MIN, AVG = range(5)


SUM, PROD, MAX, MIN, AVG = NcclRedOp
_FOLD: dict[int, Callable[[Any, Any], Any]] = {
    SUM: np.add,
    PROD: np.multiply,
    MAX: np.maximum,
    MIN: np.minimum,
}


class UniqueId:
    def __init__(self, _internal: Any = None) -> None:
        self._internal = bytes(128) if _internal is None else _internal

    def __bytes__(self) -> bytes:
        return self._internal

    @staticmethod
    def from_bytes(b: Any) -> UniqueId:
        assert len(b) == 128
        return UniqueId(bytes(b))


def get_unique_id(empty: bool = False) -> UniqueId:
    if empty:
        return UniqueId()
    listener = socket.create_server(("127.0.0.1", 0))
    number = struct.pack("!H", listener.getsockname()[1]).ljust(128, b"\1")
    _listening[number] = listener
    return UniqueId(number)


def get_version() -> Any:
    return SimpleNamespace(nccl4py="0.6.0", libnccl="a stand-in")


class _Buffer:
    """The memory behind an object: refused where nccl4py refuses it."""

    def __init__(self, source: Any) -> None:
        found = source.__cuda_array_interface__
        kind = np.dtype(found["typestr"])
        if kind.name not in _KNOWN:
            raise NcclInvalid(f"Unsupported data type: {kind}")
        assert found["strides"] is None, "NCCL reads what is contiguous"
        assert found["stream"] is None, "nccl4py does not wait for it"
        self.dtype, self.count = kind, math.prod(found["shape"])
        self.ptr = found["data"][0]
        raw = (ctypes.c_uint8 * (self.count * kind.itemsize)).from_address(self.ptr)
        self.array = np.frombuffer(memoryview(raw), np.uint8).view(kind)


_group: list[Any] | None = None


@contextlib.contextmanager
def group() -> Iterator[None]:
    global _group
    _group = []
    try:
        yield
    finally:
        pending, _group = _group, None
        for comm in {id(c): c for c, *_ in pending}.values():
            comm._together([entry[1:] for entry in pending if entry[0] is comm])


class Communicator:
    def __init__(self, ptr: int | None = None) -> None:
        self._sockets: dict[int, socket.socket] | None = None

    @classmethod
    def init(cls, nranks: int, rank: int, unique_id: Any, config: Any = None) -> Communicator:
        self = cls()
        self.nranks, self.rank = nranks, rank
        port = struct.unpack("!H", bytes(unique_id)[:2])[0]
        self._sockets = {}
        if rank:
            self._sockets[0] = socket.create_connection(("127.0.0.1", port))
            _send(self._sockets[0], rank)
            return self
        with _listening.pop(bytes(unique_id)) as listener:
            for _ in range(nranks - 1):
                other, _ = listener.accept()
                self._sockets[_receive(other)] = other
        return self

    def destroy(self) -> None:
        for each in (self._sockets or {}).values():
            each.close()
        self._sockets = None

    def _exchange(
        self, name: str, stream: Any, buffer: _Buffer, given: Any, solve: Callable[..., Any]
    ) -> Any:
        """What ``solve`` makes for this process of what all gave."""
        if self._sockets is None:
            raise NcclInvalid(f"Cannot {name}: Communicator not initialized")
        assert isinstance(stream, int)
        calls.append((name.split()[0], stream, buffer.dtype.name, buffer.count))
        return self._solved(name, given, solve)

    def _solved(self, name: str, given: Any, solve: Callable[..., Any]) -> Any:
        assert self._sockets is not None
        if self.rank:
            _send(self._sockets[0], (name, given))
            return _receive(self._sockets[0])
        every: list[Any] = [given] * self.nranks
        for r, other in self._sockets.items():
            asked, every[r] = _receive(other)
            assert asked == name, f"rank {r} is in {asked}, rank 0 in {name}: NCCL would wait for ever"
        answers = solve(every)
        for r, other in self._sockets.items():
            _send(other, answers[r])
        return answers[0]

    # -- as nccl4py ----------------------------------------------------------------------------------------
    def allreduce(
        self, sendbuf: Any, recvbuf: Any, op: Any, *, stream: Any = None, config: Any = None
    ) -> None:
        self.reduce(sendbuf, recvbuf, op, stream=stream, config=config)

    def reduce(
        self,
        sendbuf: Any,
        recvbuf: Any,
        op: Any,
        root: int | None = None,
        *,
        stream: Any = None,
        config: Any = None,
    ) -> None:
        s = _Buffer(sendbuf)
        name = "allreduce" if root is None else f"reduce to {root}"
        got = self._exchange(name, stream, s, s.array, lambda all_: [_folded(all_, op)] * self.nranks)
        if root is None or root == self.rank:
            r = _Buffer(recvbuf)
            _check(s.dtype == r.dtype and r.count >= s.count, "recvbuf")
            r.array[: s.count] = got

    def reduce_scatter(
        self, sendbuf: Any, recvbuf: Any, op: Any, *, stream: Any = None, config: Any = None
    ) -> None:
        s, r = _Buffer(sendbuf), _Buffer(recvbuf)
        n = s.count // self.nranks
        _check(s.dtype == r.dtype and n >= 1 and r.count >= n, "recvbuf")

        def solve(all_: Any) -> Any:
            return list(_folded(all_, op)[: n * self.nranks].reshape(self.nranks, n))

        r.array[:n] = self._exchange("reduce_scatter", stream, s, s.array, solve)

    def broadcast(
        self, sendbuf: Any, recvbuf: Any, root: int, *, stream: Any = None, config: Any = None
    ) -> None:
        r = _Buffer(recvbuf)
        given = None
        if self.rank == root:
            s = _Buffer(sendbuf)
            _check(s.dtype == r.dtype and s.count == r.count, "sendbuf")
            given = s.array
        r.array[:] = self._exchange(
            f"broadcast from {root}", stream, r, given, lambda all_: [all_[root]] * self.nranks
        )

    def allgather(self, sendbuf: Any, recvbuf: Any, *, stream: Any = None, config: Any = None) -> None:
        self.gather(sendbuf, recvbuf, stream=stream, config=config)

    def gather(
        self, sendbuf: Any, recvbuf: Any, root: int | None = None, *, stream: Any = None, config: Any = None
    ) -> None:
        s = _Buffer(sendbuf)
        name = "allgather" if root is None else f"gather to {root}"
        got = self._exchange(name, stream, s, s.array, lambda all_: [np.concatenate(all_)] * self.nranks)
        if root is None or root == self.rank:
            r = _Buffer(recvbuf)
            _check(s.dtype == r.dtype and r.count >= len(got), "recvbuf")
            r.array[: len(got)] = got

    def scatter(
        self, sendbuf: Any, recvbuf: Any, root: int, *, stream: Any = None, config: Any = None
    ) -> None:
        r = _Buffer(recvbuf)
        given = None
        if self.rank == root:
            s = _Buffer(sendbuf)
            _check(s.dtype == r.dtype and s.count // self.nranks == r.count >= 1, "sendbuf")
            given = s.array
        r.array[:] = self._exchange(
            f"scatter from {root}", stream, r, given, lambda all_: np.split(all_[root], self.nranks)
        )

    def send(self, sendbuf: Any, peer: int, *, stream: Any = None) -> None:
        self._one(True, sendbuf, peer, stream)

    def recv(self, recvbuf: Any, peer: int, *, stream: Any = None) -> None:
        self._one(False, recvbuf, peer, stream)

    def _one(self, sends: bool, source: Any, peer: int, stream: Any) -> None:
        assert _group is not None, "the stand-in has single messages in a group only"
        buffer = _Buffer(source)
        calls.append(("send" if sends else "recv", stream, buffer.dtype.name, buffer.count))
        _group.append((self, sends, peer, buffer))

    def _together(self, messages: list[Any]) -> None:
        """All messages of a group, in which here every process takes part."""
        given = {peer: buffer.array for sends, peer, buffer in messages if sends}

        def solve(every: Any) -> Any:
            return [{r: sent[to] for r, sent in enumerate(every) if to in sent} for to in range(self.nranks)]

        got = self._solved("group", given, solve)
        for sends, peer, buffer in messages:
            if not sends:
                buffer.array[:] = got[peer]


def _check(right: bool, name: str) -> None:
    if not right:
        raise NcclInvalid(f"{name} does not fit in its type or its count")


def _folded(arrays: Any, op: Any) -> Any:
    """In the type of the arrays, as NCCL does; integers wrap around."""
    result = arrays[0]
    for each in arrays[1:]:
        assert (len(each), each.dtype) == (len(result), result.dtype)
        result = _FOLD[op](result, each)
    return result


def _send(to: socket.socket, what: Any) -> None:
    data = pickle.dumps(what)
    to.sendall(struct.pack("!Q", len(data)) + data)


def _receive(source: socket.socket) -> Any:
    (count,) = struct.unpack("!Q", _exactly(source, 8))
    return pickle.loads(_exactly(source, count))


def _exactly(source: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        part = source.recv(min(1 << 20, count - len(data)))
        assert part, "the other process is gone"
        data += part
    return bytes(data)
