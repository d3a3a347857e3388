"""The contract of a communicator: what it takes to train with several processes."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from genesis.backend.base import Availability

#: the tag of messages that the defaults below send; those of users are smaller
OWN_TAG = 32767


class Communicator(ABC):
    """Processes with numbers from 0, of which this is one, that send each other arrays.

    Subclass it, implement the eight abstract methods, and declare the class by ``CommunicatorSpec``. Arrays
    are flat and contiguous: NumPy arrays, or for a communicator of another ``device`` objects with that
    device's protocol (``__cuda_array_interface__``). Those that belong to one call have the same type and
    length in every process; the core sees to that. A method returns when its arrays may be used by the next
    call on their device. It may be called from another thread than the one that opened it, and at the same
    time as ``send`` and ``receive``, unless ``concurrent`` is false.
    ``docs/plugins/communicator.md`` is the manual.

    Attributes:
        rank: the number of this process.
        size: how many processes there are.
        device: the type of the device whose memory it sends.
        concurrent: whether calls may come from several threads.
    """

    device: ClassVar[str] = "cpu"
    concurrent: bool = True
    rank: int
    size: int

    # -- required ------------------------------------------------------------------------------------
    @classmethod
    @abstractmethod
    def open(cls, over: Communicator | None = None) -> Communicator:
        """Join the processes that were started together.

        Args:
            over: for a communicator of another device, one for host memory to arrange things with.
        """

    @abstractmethod
    def group(self, ranks: Sequence[int]) -> Communicator:
        """A communicator of some of the processes, numbered in this order; called by exactly these."""

    @abstractmethod
    def all_reduce(self, array: Any, op: str) -> None:
        """Put into ``array`` of each what ``op`` makes of the arrays of all.

        Args:
            op: ``"sum"``, ``"product"``, ``"min"``, ``"max"``, ``"band"``, ``"bor"`` or ``"bxor"``.
        """

    @abstractmethod
    def broadcast(self, array: Any, root: int) -> None:
        """Copy the array of ``root`` to all."""

    @abstractmethod
    def all_gather(self, out: Any, array: Any) -> None:
        """Put the arrays of all, one after the other, into ``out``."""

    @abstractmethod
    def send(self, array: Any, to: int, tag: int) -> None:
        """Send the array to one process; messages with one tag arrive in order."""

    @abstractmethod
    def receive(self, array: Any, source: int | None, tag: int) -> int:
        """Fill the array with what ``source`` sends, or anybody if it is None; return who did."""

    @abstractmethod
    def abort(self, code: int) -> None:
        """End all processes at once, this one included, with this exit code; never returns."""

    # -- optional, with a correct default ------------------------------------------------------------
    @classmethod
    def probe(cls) -> Availability:
        """Say whether it can be used on this machine, without raising."""
        return Availability(True)

    def reduce(self, array: Any, op: str, root: int) -> None:
        """As ``all_reduce``, for the array of ``root`` alone."""
        if self.rank == root:
            self.all_reduce(array, op)
        else:
            self.all_reduce(copied(array), op)

    def gather(self, out: Any, array: Any, root: int) -> None:
        """As ``all_gather``, for ``root`` alone; the others' ``out`` is None."""
        if self.rank != root:
            self.send(array, root, OWN_TAG)
            return
        n = len(array)
        for r in range(self.size):
            part = out[r * n : (r + 1) * n]
            if r == root:
                part[:] = array
            else:
                self.receive(part, r, OWN_TAG)

    def scatter(self, array: Any, source: Any, root: int) -> None:
        """Fill ``array`` of each with its part of ``source`` of ``root``; the others' is None."""
        if self.rank != root:
            self.receive(array, root, OWN_TAG)
            return
        n = len(array)
        for r in range(self.size):
            part = source[r * n : (r + 1) * n]
            if r == root:
                array[:] = part
            else:
                self.send(part, r, OWN_TAG)

    def reduce_scatter(self, out: Any, array: Any, op: str) -> None:
        """Reduce, and put into ``out`` the part of the result that has this process's number."""
        whole = copied(array)
        self.all_reduce(whole, op)
        out[:] = whole[self.rank * len(out) : (self.rank + 1) * len(out)]

    def all_to_all(self, out: Any, array: Any, received: Sequence[int], sent: Sequence[int]) -> None:
        """Send each process its part of ``array`` and collect what they send, in their order.

        Args:
            received, sent: how many elements come from and go to each.
        """
        gets, puts = _starts(received), _starts(sent)
        for turn in range(self.size):
            other = (turn - self.rank) % self.size  # whose turn it is with us, too: so nobody waits in a ring
            put = array[puts[other] : puts[other] + sent[other]]
            get = out[gets[other] : gets[other] + received[other]]
            if other == self.rank:
                get[:] = put
            elif self.rank < other:
                self.send(put, other, OWN_TAG)
                self.receive(get, other, OWN_TAG)
            else:
                self.receive(get, other, OWN_TAG)
                self.send(put, other, OWN_TAG)

    def barrier(self) -> None:
        """Wait for all."""
        import numpy as np

        self.all_gather(np.empty(self.size, np.uint8), np.zeros(1, np.uint8))

    def close(self) -> None:  # noqa: B027 - most hold nothing
        """Let go of what it holds; called once by each process, after its last call."""


def copied(array: Any) -> Any:
    """Another array with the same elements: NumPy's, or a tensor of a device."""
    return array.clone() if hasattr(array, "clone") else array.copy()


def _starts(counts: Sequence[int]) -> list[int]:
    return [sum(counts[:r]) for r in range(len(counts))]


class Alone(Communicator):
    """A group of one process: what it sends to all it has already."""

    rank, size = 0, 1

    @classmethod
    def open(cls, over: Communicator | None = None) -> Communicator:
        return cls()

    def group(self, ranks: Sequence[int]) -> Communicator:
        return self

    def all_reduce(self, array: Any, op: str) -> None:
        pass

    def broadcast(self, array: Any, root: int) -> None:
        pass

    def all_gather(self, out: Any, array: Any) -> None:
        out[:] = array

    def send(self, array: Any, to: int, tag: int) -> None:
        raise ValueError("there is no other process to send to")

    def receive(self, array: Any, source: int | None, tag: int) -> int:
        raise ValueError("there is no other process to receive from")

    def abort(self, code: int) -> None:
        os._exit(code)
