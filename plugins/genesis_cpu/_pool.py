"""Memory that comes back: blocks are kept when nobody uses them any more, and handed out again.

New memory costs a page fault for every 4 KiB, which doubles the time of an operation on a large tensor, and
asking NumPy for it and for its address costs more than a small operation itself. A training step asks for the
same sizes again and again.
"""

from __future__ import annotations

import os
import threading
from functools import partial
from sys import getrefcount
from typing import Any

import numpy as np

from genesis import OutOfMemoryError
from genesis.backend import Buffer
from genesis_cpu import _threads

#: how much may lie unused: a share of what is in use, and this much in any case
SPARE = 64 << 20
_ALIGNMENT = 64  # of a cache line, and of the widest vector register
_OVERHEAD = 512  # about what Python keeps for a block, which is what counts where tensors are tiny


class _Memory(np.ndarray):
    """Owns memory. A type of its own, so that arrays over a block keep the block's handle alive, not this."""


class Shelf(list["Block"]):
    """The free blocks of one size.

    Attributes:
        size: bytes of each.
        lent: blocks whose buffer is gone, while an array that somebody made over them may not be.
    """

    __slots__ = ("_patience", "lent", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.lent: list[Block] = []
        self._patience = 64

    @property
    def spare(self) -> int:
        """Bytes that its blocks cost."""
        return len(self) * (self.size + _OVERHEAD)

    def recover(self) -> None:
        """Take back what was lent and is seen no more; of many that are held for long, look at few."""
        lent = self.lent
        look = len(lent) if len(lent) <= 64 or len(lent) > self._patience else 4
        seen: list[Block] = []
        for _ in range(look):
            block = lent.pop()
            # the block's reference to the handle and the argument: no array is left over it
            (self if getrefcount(block.handle) == 2 else seen).append(block)
        lent.extend(reversed(seen))
        if look > 4:
            self._patience = 2 * len(lent)


class Block:
    """Memory: its handle (a flat array of bytes), where it lies, and the call that gives it back."""

    __slots__ = ("back", "handle", "native", "shelf")

    def __init__(self, handle: np.ndarray[Any, Any], address: int, shelf: Shelf) -> None:
        self.handle, self.shelf = handle, shelf
        self.native = (address, None)  # as views keep it
        self.back: Any = partial(shelf.append, self)  # a circle, which ``Pool.trim`` opens


class Loan(Buffer):
    """A buffer whose block goes back to its shelf when the buffer is gone.

    What runs then is the block's ``back``, which is not a function in Python: an interrupt that arrives just
    then would be raised in there, where Python can only print it and go on.
    """

    __slots__ = ("__del__", "block")
    owner = None

    def __init__(self, block: Block, nbytes: int, device: Any) -> None:
        self.block, self.nbytes, self.device, self.version = block, nbytes, device, 0
        self.__del__ = block.back

    @property
    def handle(self) -> np.ndarray[Any, Any]:
        block = self.block
        self.__del__ = partial(block.shelf.lent.append, block)  # arrays over it may outlive this
        self.__class__ = Shown
        pool.shown += 1
        _threads.settle()  # from here on nothing that uses it is left running
        return block.handle


class Shown(Loan):
    """A loan whose memory others have asked for: they may read and write there at any time."""

    __slots__ = ()


class Pool:
    """Free blocks by size; sizes are rounded up by at most an eighth, so that nearly equal ones share.

    Attributes:
        shelves: the free blocks for a number of bytes; ``shelves[n].pop()`` is the fast way to take one, and
            where that raises ``KeyError`` or ``IndexError``, ``make(n)``.
        made: how many blocks were ever allocated; a warm training step makes none.
        total: bytes in all blocks, free or not.
        shown: how often a buffer became ``Shown``.
    """

    def __init__(self) -> None:
        self.shelves: dict[int, Shelf] = {}
        self.made = self.total = self.shown = 0
        self._sizes: dict[int, Shelf] = {}
        self._lock = threading.RLock()

    @property
    def kept(self) -> int:
        """Bytes in free blocks."""
        return sum(len(shelf) * shelf.size for shelf in list(self._sizes.values()))

    @property
    def used(self) -> int:
        """Bytes in blocks that somebody can see."""
        with self._lock:
            for shelf in self._sizes.values():
                shelf.recover()
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
            shelf.recover()
            try:
                return shelf.pop()
            except IndexError:
                pass
            for other in self._sizes.values():
                other.recover()
            spare = SPARE + (self.total - self.kept) // 4
            if self.spare > spare:
                # By half: else every new block would push out another one, and often one that is used again.
                self.trim(spare // 2)
            size = shelf.size
            try:
                whole = np.empty(size + _ALIGNMENT, np.uint8).view(_Memory)
            except (MemoryError, ValueError, OverflowError):  # the latter two of sizes that no address has
                self.trim(0)
                try:
                    whole = np.empty(size + _ALIGNMENT, np.uint8).view(_Memory)
                except (MemoryError, ValueError, OverflowError):
                    raise OutOfMemoryError.of("cpu", nbytes) from None
            start = int(whole.ctypes.data)
            shift = -start % _ALIGNMENT
            self.made += 1
            self.total += size
            return Block(whole[shift : shift + size].view(np.ndarray), start + shift, shelf)

    @property
    def spare(self) -> int:
        """What free blocks cost, in bytes: of many tiny ones, mostly what Python keeps for them."""
        return sum(shelf.spare for shelf in list(self._sizes.values()))

    def trim(self, limit: int) -> None:
        """Return free blocks to the system until they cost at most ``limit`` bytes."""
        gone: list[Block] = []
        with self._lock:
            spare = self.spare
            # where most is to be had, so that few blocks go
            for shelf in sorted(self._sizes.values(), key=lambda shelf: shelf.spare, reverse=True):
                while spare > limit:
                    try:
                        gone.append(shelf.pop())
                    except IndexError:
                        break
                    spare -= shelf.size + _OVERHEAD
                    self.total -= shelf.size
                if spare <= limit:
                    break
        _threads.settle()  # a kernel that runs on may still be at work in a block that nobody holds
        for block in gone:
            block.back = None

    def _shelf(self, nbytes: int) -> Shelf:
        step = max(1 << max(nbytes.bit_length() - 4, 0), _ALIGNMENT if nbytes < 4096 else 4096)
        size = max(-(-nbytes // step) * step, _ALIGNMENT)
        shelf = self._sizes.get(size)
        if shelf is None:
            shelf = self._sizes[size] = Shelf(size)
        if len(self.shelves) > 4096:  # a program whose sizes never repeat must not grow
            self.shelves.clear()
        self.shelves[nbytes] = shelf
        return shelf


pool = Pool()


def _after_fork() -> None:
    pool._lock = threading.RLock()  # a thread that is not in this process may have held it


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
