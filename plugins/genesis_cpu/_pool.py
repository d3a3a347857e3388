"""Memory that comes back: large buffers are kept when nobody uses them any more, and handed out again.

New memory costs a page fault for every 4 KiB, which doubles the time of an operation on a large tensor; a
training step asks for the same sizes again and again.
"""

from __future__ import annotations

import numpy as np

#: buffers from this size on are kept; smaller ones cost less to make than to keep
LEAST = 32768
#: how much may lie unused: a share of what is in use, and this much in any case
SPARE = 64 << 20
_ALIGNMENT = 64  # of a cache line, and of the widest vector register


class _Block(np.ndarray):
    """Owns memory.  A type of its own, so that NumPy keeps the ``Pooled`` in between alive, not just this."""

    address: int
    size_class: int
    pool: Pool


class Pooled(np.ndarray):
    """A handle; its block goes back to the pool when the last array over it is gone."""

    address: int
    block: _Block

    def __del__(self) -> None:
        block = self.__dict__.get("block")  # a view that NumPy made of a handle has none
        if block is not None:
            block.pool.give(block)


class Pool:
    """Free blocks by size; sizes are rounded up by at most an eighth, so that nearly equal ones share.

    Attributes:
        used: bytes in blocks that are handed out.
        kept: bytes in free blocks.
        made: how many blocks were ever allocated; a warm training step makes none.
    """

    def __init__(self) -> None:
        self._free: dict[int, list[_Block]] = {}
        self.used = self.kept = self.made = 0

    def take(self, nbytes: int) -> Pooled:
        """A handle of ``nbytes`` uninitialised bytes, with its ``address``."""
        step = 1 << max(nbytes.bit_length() - 4, 12)
        size = -(-nbytes // step) * step
        try:
            block = self._free[size].pop()
            self.kept -= size
        except (KeyError, IndexError):
            block = self._make(size)
        self.used += size
        handle: Pooled = block[:nbytes].view(Pooled)
        handle.block, handle.address = block, block.address
        return handle

    def give(self, block: _Block) -> None:
        """Take a block back."""
        size = block.size_class
        self.used -= size
        self.kept += size
        self._free.setdefault(size, []).append(block)

    def trim(self, limit: int) -> None:
        """Return free blocks to the system until at most ``limit`` bytes are kept."""
        for size in list(self._free):  # the size that came first goes first
            blocks = self._free[size]
            while blocks and self.kept > limit:
                blocks.pop()
                self.kept -= size
            if not blocks:
                del self._free[size]
            if self.kept <= limit:
                return

    def _make(self, size: int) -> _Block:
        self.trim(SPARE + self.used // 4)
        whole = np.empty(size + _ALIGNMENT, np.uint8)
        start = whole.ctypes.data
        shift = -start % _ALIGNMENT
        block: _Block = whole[shift : shift + size].view(_Block)
        block.address, block.size_class, block.pool = start + shift, size, self
        self.made += 1
        return block


pool = Pool()
