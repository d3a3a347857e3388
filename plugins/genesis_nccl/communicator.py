"""NCCL by nccl4py: what GPUs send each other goes from one to the other, without the host.

It is opened over a communicator for host memory, which brings the processes together and carries single
messages: NCCL has no tags, and nothing to receive from anybody. Everything else is given to the stream that
the calling thread works in, and is done in its order.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

import genesis
from genesis.backend import Availability
from genesis.distributed import Communicator
from genesis.plugin import registry

_INSTALL = "run `pip install 'genesis-dl[nccl]'`, which brings nccl4py and NCCL"
#: NCCL's names of operations
_OPS = {"sum": "SUM", "product": "PROD", "min": "MIN", "max": "MAX"}
#: what an operation on true and false is on bytes 1 and 0
_LOGICAL = {"sum": "max", "max": "max", "product": "min", "min": "min", "band": "min", "bor": "max"}
#: the types that NCCL computes with, as nccl4py reads them
_KINDS = {
    genesis.uint8: "|u1",
    genesis.int8: "|i1",
    genesis.int32: "<i4",
    genesis.int64: "<i8",
    genesis.float16: "<f2",
    genesis.bfloat16: "bfloat16",
    genesis.float32: "<f4",
    genesis.float64: "<f8",
}
_BITWISE = {"band": genesis.bitwise_and, "bor": genesis.bitwise_or, "bxor": genesis.bitwise_xor}


class NCCL(Communicator):
    """A communicator of NCCL.

    Args:
        host: of the same processes, for host memory.
        place: the GPU of this process.
    """

    device = "cuda"

    def __init__(self, host: Communicator, place: genesis.device) -> None:
        from nccl import core

        self._core, self._host, self._place = core, host, place
        self._owns_host = False
        self.rank, self.size = host.rank, host.size
        length = len(bytes(core.get_unique_id(empty=True)))
        number = np.zeros(length, np.uint8)
        if self.rank == 0:
            number[:] = np.frombuffer(bytes(core.get_unique_id()), np.uint8)
        host.broadcast(number, 0)
        # The thread has to be at its GPU: asked of Genesis, which remembers where its threads are.
        genesis.cuda.current_stream(place).synchronize()
        self._comm = core.Communicator.init(self.size, self.rank, core.UniqueId.from_bytes(number.tobytes()))

    @classmethod
    def probe(cls) -> Availability:
        found = [_no_gpu(), _no_library()]
        reason = "; ".join(r for r in found if r)
        return Availability(not reason, 0 if reason else genesis.cuda.device_count(), reason)

    @classmethod
    def open(cls, over: Communicator | None = None) -> NCCL:
        if over is None:
            raise RuntimeError("NCCL is opened over a communicator for host memory, such as that of MPI")
        number, count = genesis.cuda.current_device(), genesis.cuda.device_count()
        if number == 0:  # nobody has chosen one
            number = int(os.environ.get("LOCAL_RANK", 0))
        if number >= count:
            raise RuntimeError(
                f"NCCL wants a GPU for each process of a machine: this is number {number}, counted from 0, "
                f"and there are {count}; start fewer, or use the communicator 'mpi'"
            )
        return cls(over, genesis.device("cuda", number))

    def group(self, ranks: Sequence[int]) -> NCCL:
        made = NCCL(self._host.group(ranks), self._place)
        made._owns_host = True
        return made

    # -- reductions --------------------------------------------------------------------------------------
    def all_reduce(self, array: Any, op: str) -> None:
        if not len(array):
            return
        if op in _BITWISE and array.dtype.name != "bool":
            self._fold(array, op)
            return
        sent, name = self._reducible(array, op)
        memory = self._memory(sent)
        self._comm.allreduce(memory, memory, getattr(self._core, name), stream=self._stream)
        _give(array, sent)

    def reduce(self, array: Any, op: str, root: int) -> None:
        if not len(array):
            return
        if not _direct(array, op):
            super().reduce(array, op, root)
            return
        memory = self._memory(array)
        got = memory if self.rank == root else None
        self._comm.reduce(memory, got, getattr(self._core, _OPS[op]), root, stream=self._stream)

    def reduce_scatter(self, out: Any, array: Any, op: str) -> None:
        if not len(array):
            return
        if not _direct(array, op):
            super().reduce_scatter(out, array, op)
            return
        kind = getattr(self._core, _OPS[op])
        self._comm.reduce_scatter(self._memory(array), self._memory(out), kind, stream=self._stream)

    def _reducible(self, array: Any, op: str) -> tuple[Any, str]:
        """The array, or a copy of a type that NCCL computes with, and NCCL's name of the operation."""
        if array.dtype.name == "bool":
            if op == "bxor":
                return array.to(genesis.int32), "SUM"  # an odd number of them
            return array.view(genesis.uint8), _OPS[_LOGICAL[op]]
        if array.dtype in _KINDS:
            return array, _OPS[op]
        return array.to(genesis.int32), _OPS[op]  # of int16; the low bits count

    def _fold(self, array: Any, op: str) -> None:
        """Operations on bits, which NCCL does not have: every process gets all and makes one of them."""
        every = array.new_empty(len(array) * self.size)
        self.all_gather(every, array)
        parts = every.view(self.size, len(array))
        result = parts[0]
        for r in range(1, self.size):
            result = _BITWISE[op](result, parts[r])
        array.copy_(result)

    # -- copies, which are of bytes ------------------------------------------------------------------------
    def broadcast(self, array: Any, root: int) -> None:
        if len(array):
            memory = self._bytes(array)
            self._comm.broadcast(memory, memory, root, stream=self._stream)

    def all_gather(self, out: Any, array: Any) -> None:
        if len(array):
            self._comm.allgather(self._bytes(array), self._bytes(out), stream=self._stream)

    def gather(self, out: Any, array: Any, root: int) -> None:
        if len(array):
            got = None if out is None else self._bytes(out)
            self._comm.gather(self._bytes(array), got, root, stream=self._stream)

    def scatter(self, array: Any, source: Any, root: int) -> None:
        if len(array):
            sent = None if source is None else self._bytes(source)
            self._comm.scatter(sent, self._bytes(array), root, stream=self._stream)

    def all_to_all(self, out: Any, array: Any, received: Sequence[int], sent: Sequence[int]) -> None:
        puts, gets = np.cumsum([0, *sent]).tolist(), np.cumsum([0, *received]).tolist()
        with self._core.group():  # all at once, so that nobody waits in a ring
            for r in range(self.size):
                if r == self.rank:
                    continue
                if sent[r]:
                    part = array[puts[r] : puts[r + 1]]
                    self._comm.send(self._bytes(part), r, stream=self._stream)
                if received[r]:
                    part = out[gets[r] : gets[r + 1]]
                    self._comm.recv(self._bytes(part), r, stream=self._stream)
        if sent[self.rank]:
            own = slice(puts[self.rank], puts[self.rank + 1])
            out[gets[self.rank] : gets[self.rank + 1]] = array[own]

    def send(self, array: Any, to: int, tag: int) -> None:
        self._host.send(array.view(genesis.uint8).cpu().numpy(), to, tag)

    def receive(self, array: Any, source: int | None, tag: int) -> int:
        here = np.empty(len(array) * array.element_size(), np.uint8)
        by = self._host.receive(here, source, tag)
        array.view(genesis.uint8).copy_(genesis.from_numpy(here))
        return by

    def barrier(self) -> None:
        self._host.barrier()

    def abort(self, code: int) -> None:
        self._host.abort(code)

    def close(self) -> None:
        self._comm.destroy()
        if self._owns_host:
            self._host.close()

    # -- memory and streams ----------------------------------------------------------------------------------
    @property
    def _stream(self) -> int:
        """The stream that this thread works in."""
        return int(genesis.cuda.current_stream(self._place).cuda_stream)

    def _memory(self, array: Any) -> _Memory:
        if (array.device.index or 0) != self._place.index:
            raise ValueError(
                f"a tensor on {array.device} cannot be sent: this process has {self._place} for NCCL, from "
                "LOCAL_RANK or genesis.cuda.set_device() before init_process_group()"
            )
        kind = _KINDS[array.dtype]
        if kind == "bfloat16":
            import ml_dtypes  # noqa: F401 - NumPy, and with it nccl4py, then knows the name
        return _Memory(array, kind)

    def _bytes(self, array: Any) -> _Memory:
        return self._memory(array.view(genesis.uint8))


class _Memory:
    """A flat array as nccl4py finds it: neither copied nor waited for, as the stream keeps the order."""

    __slots__ = ("__cuda_array_interface__", "_owner")

    def __init__(self, array: Any, kind: str) -> None:
        found = array.__cuda_array_interface__
        self._owner = array
        self.__cuda_array_interface__ = {**found, "typestr": kind, "strides": None, "stream": None}


def _direct(array: Any, op: str) -> bool:
    """Whether NCCL computes this with the array as it is."""
    return op in _OPS and array.dtype in _KINDS


def _give(array: Any, sent: Any) -> None:
    """Put the result into the array where a copy was reduced."""
    if array.dtype.name == "bool" and sent.dtype is genesis.int32:
        array.copy_(sent.bitwise_and(1))
    elif sent.dtype is not array.dtype and array.dtype.name != "bool":
        array.copy_(sent)


def _no_gpu() -> str:
    found = registry("backends").find("cuda").load()().probe()
    return "" if found.ok else str(found.reason)


def _no_library() -> str:
    try:
        there = importlib.util.find_spec("nccl.core") is not None
    except ImportError:
        there = False
    if not there:
        return f"nccl4py is not installed; {_INSTALL}"
    try:
        from nccl import core

        if core.get_version().libnccl is not None:
            return ""
    except Exception as error:  # nccl4py, or what it needs, does not load
        return f"nccl4py does not load ({type(error).__name__}: {error}); {_INSTALL}"
    return f"libnccl.so.2 cannot be loaded; {_INSTALL}"
