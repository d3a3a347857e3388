"""Memory that comes back: blocks are kept when nobody uses them any more, and handed out again.

New memory costs a page fault for every 4 KiB, which doubles the time of an operation on a large tensor, and
asking NumPy for it and for its address costs more than a small operation itself. A training step asks for the
same sizes again and again.
"""

from __future__ import annotations

import os
import threading
from sys import getrefcount
from typing import Any

import numpy as np

from genesis.backend import Buffer

#: how much may lie unused: a share of what is in use, and this much in any case
SPARE = 64 << 20
_ALIGNMENT = 64  # of a cache line, and of the widest vector register
_OVERHEAD = 512  # about what Python keeps for a block, which is what counts where tensors are tiny


class _Memory(np.ndarray):
    """Owns memory. A type of its own, so that arrays over a block keep the block's handle alive, not this."""


class Shelf(list["Block"]):
    """The free blocks of one size."""

    size: int


class Block:
    """A piece of memory: its handle, a flat array of bytes, and where it lies."""

    __slots__ = ("handle", "native", "shelf")

    def __init__(self, handle: np.ndarray[Any, Any], address: int, shelf: Shelf) -> None:
        self.handle, self.shelf = handle, shelf
        self.native = (address, None)  # as views keep it


class Loan(Buffer):
    """A buffer whose block goes back to its shelf when the buffer is gone."""

    __slots__ = ("block",)
    owner = None

    def __init__(self, block: Block, nbytes: int, device: Any) -> None:
        self.block, self.nbytes, self.device, self.version = block, nbytes, device, 0

    @property
    def handle(self) -> np.ndarray[Any, Any]:
        return self.block.handle

    def __del__(self) -> None:
        block = self.block
        # the block's reference to the handle and the argument: no array is left over it
        if getrefcount(block.handle) == 2:
            block.shelf.append(block)
        else:
            pool.lent.append(block)


class Pool:
    """Free blocks by size; sizes are rounded up by at most an eighth, so that nearly equal ones share.

    Attributes:
        shelves: the free blocks for a number of bytes; ``shelves[n].pop()`` is the fast way to take one, and
            where that raises ``KeyError`` or ``IndexError``, ``make(n)``.
        lent: blocks whose buffer is gone, but not yet an array over them that somebody made.
        made: how many blocks were ever allocated; a warm training step makes none.
        total: bytes in all blocks, free or not.
    """

    def __init__(self) -> None:
        self.shelves: dict[int, Shelf] = {}
        self.lent: list[Block] = []
        self.made = self.total = 0
        self._sizes: dict[int, Shelf] = {}
        self._patience = 64  # how many blocks may be lent before it is looked which have come back
        self._lock = threading.RLock()

    @property
    def kept(self) -> int:
        """Bytes in free blocks."""
        return sum(len(shelf) * shelf.size for shelf in list(self._sizes.values()))

    @property
    def used(self) -> int:
        """Bytes in blocks that somebody can see."""
        self._recover()
        return self.total - self.kept

    def take(self, nbytes: int) -> Block:
        """A block of at least ``nbytes`` uninitialised bytes."""
        try:
            return self.shelves[nbytes].pop()
        except (KeyError, IndexError):
            return self.make(nbytes)

    def make(self, nbytes: int) -> Block:
        """A block, when the shelf is empty."""
        with self._lock:
            shelf = self.shelves.get(nbytes)
            if shelf is None:
                shelf = self._shelf(nbytes)
            # the array over what was just given back, if any, is gone by now
            if len(self.lent) > self._patience or any(b.shelf is shelf for b in self.lent[-4:]):
                self._recover()
            try:
                return shelf.pop()
            except IndexError:
                pass
            self.trim(SPARE + (self.total - self.kept) // 4)
            size = shelf.size
            whole = np.empty(size + _ALIGNMENT, np.uint8).view(_Memory)
            start = int(whole.ctypes.data)
            shift = -start % _ALIGNMENT
            self.made += 1
            self.total += size
            return Block(whole[shift : shift + size].view(np.ndarray), start + shift, shelf)

    def trim(self, limit: int) -> None:
        """Return free blocks to the system until at most ``limit`` bytes are kept."""
        with self._lock:
            kept = self.kept + _OVERHEAD * sum(map(len, self._sizes.values()))
            for size, shelf in list(self._sizes.items()):  # the size that came first goes first
                while shelf and kept > limit:
                    shelf.pop()
                    kept -= size + _OVERHEAD
                    self.total -= size
                if kept <= limit:
                    return

    def _shelf(self, nbytes: int) -> Shelf:
        step = max(1 << max(nbytes.bit_length() - 4, 0), _ALIGNMENT if nbytes < 4096 else 4096)
        size = max(-(-nbytes // step) * step, _ALIGNMENT)
        shelf = self._sizes.get(size)
        if shelf is None:
            shelf = self._sizes[size] = Shelf()
            shelf.size = size
        if len(self.shelves) > 4096:  # a program whose sizes never repeat must not grow
            self.shelves.clear()
        self.shelves[nbytes] = shelf
        return shelf

    def _recover(self) -> None:
        """Put what was lent and is not seen by an array any more on its shelf."""
        with self._lock:
            lent, self.lent = self.lent, []
            for block in lent:
                if getrefcount(block.handle) == 2:
                    block.shelf.append(block)
                else:
                    self.lent.append(block)
            self._patience = max(64, 2 * len(self.lent))


pool = Pool()


def _after_fork() -> None:
    pool._lock = threading.RLock()  # a thread that is not in this process may have held it


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
