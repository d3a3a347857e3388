"""Memory of a unit: buffers that come back when nobody uses them any more."""

from __future__ import annotations

import threading
from typing import Any

import pyopencl as cl

from genesis.backend import View
from genesis_opencl._unit import Unit

_KEEP = 256 << 20  # bytes that a pool keeps at most


class Pool:
    """Free buffers of one unit, by size.

    A buffer may be handed out while kernels that use it still wait: the queue runs in order, so they are done
    before anything that its next owner enqueues.
    """

    def __init__(self, unit: Unit) -> None:
        self._context = unit.context
        self._free: dict[int, list[cl.Buffer]] = {}
        self._kept = 0
        self._lock = threading.RLock()  # a buffer may come back while one is taken, in a garbage collection

    def take(self, nbytes: int) -> tuple[cl.Buffer, int]:
        """A buffer of at least `nbytes`, and its size."""
        size = _rounded(nbytes)
        with self._lock:
            free = self._free.get(size)
            if free:
                self._kept -= size
                return free.pop(), size
        return self._allocate(size), size

    def _allocate(self, size: int) -> cl.Buffer:
        try:
            return cl.Buffer(self._context, cl.mem_flags.READ_WRITE, size)
        except (cl.MemoryError, cl.RuntimeError):
            self.clear()  # what other sizes keep may be enough
            return cl.Buffer(self._context, cl.mem_flags.READ_WRITE, size)

    def give(self, buffer: cl.Buffer, size: int) -> None:
        """Take a buffer back."""
        with self._lock:
            if self._kept + size <= _KEEP:
                self._kept += size
                self._free.setdefault(size, []).append(buffer)

    def clear(self) -> None:
        """Release what is free."""
        with self._lock:
            self._free.clear()
            self._kept = 0


def _rounded(nbytes: int) -> int:
    """Sizes in steps of at most an eighth, so that similar ones share buffers."""
    step = max(256, 1 << max(0, nbytes.bit_length() - 4))
    return max(step, -(-nbytes // step) * step)


class Memory:
    """The handle of a `genesis.backend.Buffer`.

    Attributes:
        buffer: the OpenCL buffer.
        bounds: smallest and largest element where they are known, for integers that came from the host; so
            indices need not be looked at again. Whoever writes sets it to None.
    """

    __slots__ = ("_pool", "_size", "bounds", "buffer", "unit")

    def __init__(self, unit: Unit, pool: Pool, nbytes: int) -> None:
        self.unit, self._pool = unit, pool
        self.bounds: tuple[int, int] | None = None
        self.buffer, self._size = pool.take(nbytes)

    def __del__(self) -> None:
        pool = getattr(self, "_pool", None)  # None: the allocation failed
        if pool is not None and hasattr(self, "buffer"):
            pool.give(self.buffer, self._size)


def memory(v: View) -> Memory:
    """The handle of a view."""
    handle: Any = v.buffer.handle
    return handle  # type: ignore[no-any-return]
