"""Memory that comes back: blocks are kept when nobody uses them any more, and handed out again.

Asking the driver for memory takes as long as a small training step, and giving it back waits for all work. So
a block goes back to a list of free blocks of its size, one list for each size and stream. It may be handed
out while kernels that use it still wait in that stream: they are done before anything that its next owner
puts there.

Sizes are rounded up by at most an eighth, so that nearly equal ones share. Blocks up to 1 MiB are cut from
segments of 2 MiB, the unit in which the driver maps memory.
"""

from __future__ import annotations

import ctypes
import math
import threading
import weakref
from typing import Any

import numpy as np

from genesis import OutOfMemoryError
from genesis.backend import View
from genesis_cuda._driver import OUT_OF_MEMORY, DriverError, Unit, call, unit
from genesis_cuda._sizes import SIMULATED

if SIMULATED:
    from genesis_cuda._simulator import memory as simulated

_SEGMENT, _SMALL = 2 << 20, 1 << 20


def rounded(nbytes: int) -> int:
    """The size of the block that so many bytes are given."""
    step = max(512, 1 << max(0, nbytes.bit_length() - 4))
    return max(step, -(-nbytes // step) * step)


class Segment:
    """Memory as the driver gave it, and how many of its blocks are free."""

    __slots__ = ("address", "blocks", "free", "size")

    def __init__(self, address: int, size: int, blocks: int) -> None:
        self.address, self.size, self.blocks, self.free = address, size, blocks, blocks


class Block:
    """A piece of a segment; ``stream`` is where its last owner worked."""

    __slots__ = ("address", "segment", "size", "stream")

    def __init__(self, address: int, size: int, segment: Segment, stream: Any) -> None:
        self.address, self.size, self.segment, self.stream = address, size, segment, stream


class Pool:
    """The memory of one GPU.

    Attributes:
        used, kept: bytes in blocks that are in use, and in free ones.
        asked: bytes that their owners asked for.
        peak, peak_reserved: the most that was in use, and the most that was in blocks at all.
        calls: how often the driver was asked for memory; a warm training step does not.
    """

    def __init__(self, owner: Unit) -> None:
        self.unit = owner
        self.used = self.kept = self.asked = self.calls = self.retries = 0
        self.peak = self.peak_reserved = 0
        self._free: dict[tuple[int, Any], list[Block]] = {}
        self._lock = threading.RLock()  # a block may come back while one is taken, in a garbage collection

    def take(self, nbytes: int) -> Block:
        """A block with room for so many bytes.

        Raises:
            OutOfMemoryError: there is no such block, and none is left at the driver's.
        """
        size, stream = rounded(nbytes), self.unit.stream
        with self._lock:
            free = self._free.get((size, stream))
            if free:
                block = free.pop()
                block.segment.free -= 1
                self.kept -= size
            else:
                block = self._cut(size, stream, nbytes)
            self.used += size
            self.asked += nbytes
            self.peak = max(self.peak, self.used)
            self.peak_reserved = max(self.peak_reserved, self.used + self.kept)
        return block

    def give(self, block: Block, nbytes: int) -> None:
        """Take a block back."""
        with self._lock:
            self.used -= block.size
            self.asked -= nbytes
            self._keep(block)

    def _keep(self, block: Block) -> None:
        self.kept += block.size
        block.segment.free += 1
        self._free.setdefault((block.size, block.stream), []).append(block)

    def _cut(self, size: int, stream: Any, nbytes: int) -> Block:
        """A block of new memory; what is left of its segment is free."""
        segment = _SEGMENT if size <= _SMALL else size
        address = self._ask(segment, nbytes)
        count = segment // size
        made = Segment(address, segment, count)
        made.free = 0
        for i in range(1, count):
            self._keep(Block(address + i * size, size, made, stream))
        return Block(address, size, made, stream)

    def _ask(self, size: int, nbytes: int) -> int:
        self.unit.enter()
        self.calls += 1
        try:
            return int(call("cuMemAlloc", size))
        except DriverError as error:
            if error.code != OUT_OF_MEMORY:
                raise
        self.retries += 1
        self.trim()  # what other sizes keep may be enough
        try:
            return int(call("cuMemAlloc", size))
        except DriverError as error:
            if error.code != OUT_OF_MEMORY:
                raise
            raise OutOfMemoryError(self._complaint(nbytes)) from None

    def _complaint(self, nbytes: int) -> str:
        free, total = call("cuMemGetInfo")
        others = max(0, total - free - self.used - self.kept)
        return (
            f"cuda:{self.unit.index} is out of memory: {amount(nbytes)} are asked for, and {amount(free)} of "
            f"{amount(total)} are free. Tensors of this process have {amount(self.asked)} (in blocks of "
            f"{amount(self.used)}), {amount(self.kept)} are kept for tensors to come, and {amount(others)} "
            "belong to the driver and to other processes. A smaller batch needs less; so does "
            "genesis.no_grad() where no gradient is wanted"
        )

    def trim(self) -> None:
        """Give back what is free, as far as whole segments are; it waits for the work that is under way."""
        with self._lock:
            self.unit.wait()
            gone: dict[int, Segment] = {}
            for key, blocks in list(self._free.items()):
                left = [b for b in blocks if b.segment.free < b.segment.blocks]
                gone |= {b.segment.address: b.segment for b in blocks if b.segment.free == b.segment.blocks}
                self.kept -= key[0] * (len(blocks) - len(left))
                self._free[key] = left
            for segment in gone.values():
                call("cuMemFree", segment.address)

    def stats(self) -> dict[str, int]:
        """With PyTorch's names."""
        return {
            "allocated_bytes.all.current": self.used,
            "allocated_bytes.all.peak": self.peak,
            "requested_bytes.all.current": self.asked,
            "reserved_bytes.all.current": self.used + self.kept,
            "reserved_bytes.all.peak": self.peak_reserved,
            "num_device_alloc": self.calls,
            "num_alloc_retries": self.retries,
        }


def amount(nbytes: int) -> str:
    """A number of bytes for people."""
    for unit_, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if nbytes >= size:
            return f"{nbytes / size:.1f} {unit_}"
    return f"{nbytes} bytes"


_pools: dict[int, Pool] = {}
_pools_lock = threading.Lock()


def pool(index: int) -> Pool:
    """The memory of the GPU of a number."""
    found = _pools.get(index)
    if found is None:
        owner = unit(index)
        with _pools_lock:
            found = _pools.setdefault(index, Pool(owner))
    return found


def pools() -> list[Pool]:
    """Of all GPUs that have been used."""
    return list(_pools.values())


class Memory:
    """The handle of a ``genesis.backend.Buffer``; its block goes back when the handle is gone.

    Attributes:
        address: where it begins in the memory of its GPU.
        bounds: smallest and largest element where they are known, for integers that came from the host, so
            that indices need not be looked at again. Whoever writes sets it to None.
        others: streams besides its own that work with it, or None.
    """

    __slots__ = ("__weakref__", "_block", "_nbytes", "_pool", "address", "bounds", "others", "unit")

    def __init__(self, source: Pool, nbytes: int) -> None:
        self._pool: Pool | None = None
        self._block = source.take(nbytes)
        self._pool, self._nbytes = source, nbytes
        self.unit, self.address = source.unit, self._block.address
        self.bounds: tuple[int, int] | None = None
        self.others: set[Any] | None = None
        if SIMULATED:
            simulated.lend(self.address, nbytes)

    def __del__(self) -> None:
        source = getattr(self, "_pool", None)  # None: there was no memory
        if source is None:
            return
        if SIMULATED:
            simulated.give_back(self.address)
        if self.others:  # the next owner waits for what they have been given so far
            for stream in self.others:
                stream.before(self._block.stream)
        source.give(self._block, self._nbytes)


# -- memory of the host that the GPU reads by itself -------------------------------------------------------
_pinned: dict[int, int] = {}  # address -> bytes, of what is in use
_spare: dict[int, list[int]] = {}  # bytes -> addresses: locking pages takes longer than copying to them
_under_way: list[tuple[Any, Any]] = []  # copies that were not waited for: an event, and what is read


def keep_until(event: Any, host: Any) -> None:
    """Keep memory of the host until an event was passed."""
    _under_way[:] = [(e, h) for e, h in _under_way if not e.query()]
    _under_way.append((event, host))


def pinned(shape: tuple[int, ...], kind: str) -> np.ndarray[Any, Any]:
    """An array of the host in page-locked memory: copies from it run at the full speed of the bus."""
    nbytes = rounded(math.prod(shape) * np.dtype(kind).itemsize)
    try:
        start = _spare[nbytes].pop()
    except (IndexError, KeyError):
        unit(0).enter()
        start = int(call("cuMemAllocHost", nbytes))
    raw = (ctypes.c_uint8 * nbytes).from_address(start)
    _pinned[start] = nbytes
    weakref.finalize(raw, _unpin, start)
    flat: np.ndarray[Any, Any] = np.frombuffer(memoryview(raw), kind, math.prod(shape))
    return flat.reshape(shape)


def _unpin(start: int) -> None:
    nbytes = _pinned.pop(start, None)
    if nbytes is not None:
        _spare.setdefault(nbytes, []).append(start)


def unlock() -> None:
    """Give back the page-locked memory that nobody uses."""
    for starts in list(_spare.values()):
        while starts:
            call("cuMemFreeHost", starts.pop())


def is_pinned(array: np.ndarray[Any, Any]) -> bool:
    """Whether a contiguous array lies in page-locked memory of ``pinned``."""
    start = array.ctypes.data if _pinned else 0
    return any(at <= start < at + nbytes for at, nbytes in _pinned.items())


# -- views -------------------------------------------------------------------------------------------------
def handle(v: View) -> Memory:
    """The memory of a view."""
    found: Any = v.buffer.handle
    return found  # type: ignore[no-any-return]


def address(v: View) -> int:
    """The address of element (0, 0, …)."""
    found = v.native
    if found is None:
        found = v.native = v.buffer.handle.address + v.offset * v.dtype.itemsize
    return found  # type: ignore[no-any-return]
