"""Views as NumPy arrays and as addresses.

``View.native`` holds ``(address, array)``: the address of the first element, and the array that walks the
same elements (None until somebody wants it).  A handle is a flat array of bytes.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

import genesis
from genesis.backend import Buffer, Shape, View, contiguous_strides
from genesis_cpu import _threads
from genesis_cpu._pool import Loan, pool

BYTES = np.dtype(np.uint8)
shelves = pool.shelves
_new: Any = object.__new__


_layouts: dict[Shape, tuple[int, Shape]] = {}


def layout(shape: Shape) -> tuple[int, Shape]:
    """The number of elements, and the strides of a contiguous view; remembered for each shape."""
    found = _layouts.get(shape)
    if found is None:
        size = 1
        for s in shape:
            size *= s
        if len(_layouts) > 4096:  # a program whose shapes never repeat must not grow
            _layouts.clear()
        found = _layouts[tuple(shape)] = (size, contiguous_strides(shape))
    return found


def empty(shape: Shape, dtype: Any, device: Any) -> View:
    """A new contiguous view."""
    found = _layouts.get(shape)
    size, strides = layout(shape) if found is None else found
    nbytes = size * dtype.itemsize
    try:
        block = shelves[nbytes].pop()
    except (KeyError, IndexError):
        block = pool.make(nbytes)
    # as their __init__ would do it, which would cost as much again as all of this
    buffer = _new(Loan)
    buffer.block, buffer.nbytes, buffer.device, buffer.version = block, nbytes, device, 0
    buffer.__del__ = block.back
    view: View = _new(View)
    view.buffer, view.dtype, view.shape, view.strides, view.offset = buffer, dtype, shape, strides, 0
    view.native, view._contiguous = block.native, True
    return view


def scratch(nbytes: int) -> tuple[int, Loan]:
    """The address of memory for one call, and its owner."""
    block = pool.take(nbytes)
    return block.native[0], Loan(block, nbytes, None)


def table(words: Any) -> tuple[int, Loan]:
    """The address of whole numbers that kernels read, and their owner: of the pool, so they may run on."""
    words = np.ascontiguousarray(words, np.int64).reshape(-1)
    at, owner = scratch(words.nbytes)
    _threads.settle()  # a kernel that runs on may use what had this memory before
    owner.block.handle[: words.nbytes].view(np.int64)[:] = words
    return at, owner


class Report(threading.local):
    """Two integers where a kernel leaves a wrong index: whether there was one, and which."""

    def __init__(self) -> None:
        self.memory = np.zeros(2, np.int64)
        self.address = int(self.memory.ctypes.data)

    def take(self) -> int | None:
        """The wrong index, or None; forgotten afterwards."""
        if not self.memory[0]:
            return None
        self.memory[0] = 0
        return int(self.memory[1])


report = Report()


def address(v: View) -> int:
    """The address of element (0, 0, …)."""
    native = v.native
    if native is None:
        buffer = v.buffer
        if isinstance(buffer, Loan):
            start = buffer.block.native[0]
        else:
            handle = buffer.handle
            start = _threads.address(handle) if handle.flags.writeable else int(handle.ctypes.data)
        native = v.native = (start + v.offset * v.dtype.itemsize, None)
    return native[0]  # type: ignore[no-any-return]


def array(v: View) -> np.ndarray[Any, Any]:
    """The NumPy array over the memory of ``v``, for use within this package while ``v`` is there."""
    _threads.settle()
    native = v.native
    if native is not None and native[1] is not None:
        return native[1]  # type: ignore[no-any-return]
    size = v.dtype.itemsize
    made: np.ndarray[Any, Any]
    if 0 in v.shape:
        made = np.empty(v.shape, v.dtype.name)
    else:
        strides = tuple([s * size for s in v.strides])
        buffer = v.buffer
        handle = buffer.block.handle if isinstance(buffer, Loan) else buffer.handle
        made = np.ndarray(v.shape, v.dtype.name, handle, v.offset * size, strides)
    # without Numba, which may not be loaded yet
    v.native = (made.ctypes.data if native is None else native[0], made)
    return made


_dtypes: dict[Any, Any] = {}  # from NumPy's types; one of another byte order is another key


def _dtype(host: np.ndarray[Any, Any]) -> Any:
    """The type of a host array, or None if there is none like it."""
    found = getattr(genesis, host.dtype.name, None)
    if not isinstance(found, genesis.dtype) or not host.dtype.isnative:
        return None
    _dtypes[host.dtype] = found
    return found


def wrap(host: np.ndarray[Any, Any], device: Any) -> View | None:
    """A view over the memory of a host array, or None where that is not possible."""
    dtype = _dtypes.get(host.dtype) or _dtype(host)
    itemsize = host.itemsize
    if dtype is None or not host.flags.behaved or not host.size or any(s % itemsize for s in host.strides):
        return None
    strides = tuple([s // itemsize for s in host.strides])
    if host.flags.c_contiguous:
        buffer = Buffer(host.reshape(-1).view(np.uint8), host.nbytes, device, owner=host)
        return View(buffer, dtype, host.shape, strides, 0, (host.ctypes.data, host))
    # from the element of the lowest address to that of the highest, whatever the strides
    first = tuple(
        slice(n - 1, n) if s < 0 else slice(0, 1) for n, s in zip(host.shape, host.strides, strict=True)
    )
    below = sum((n - 1) * -s for n, s in zip(host.shape, host.strides, strict=True) if s < 0)
    above = sum((n - 1) * s for n, s in zip(host.shape, host.strides, strict=True) if s > 0)
    nbytes = below + above + itemsize
    corner = host[first].reshape(-1).view(np.uint8)
    handle = np.lib.stride_tricks.as_strided(corner, (nbytes,), (1,))
    buffer = Buffer(handle, nbytes, device, owner=host)
    return View(buffer, dtype, host.shape, strides, below // itemsize, (host.ctypes.data, host))
