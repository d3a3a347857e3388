"""Views as NumPy arrays and as addresses.

``View.native`` holds ``(address, array)``: the address of the first element, and the array that walks the same
elements (None until somebody wants it).  A handle is a flat array of bytes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import genesis
from genesis.backend import Buffer, Shape, View, contiguous_strides
from genesis_cpu import _threads

BYTES = np.dtype(np.uint8)


_layouts: dict[Shape, tuple[int, Shape]] = {}


def empty(shape: Shape, dtype: Any, device: Any) -> View:
    """A new contiguous view."""
    layout = _layouts.get(shape)
    if layout is None:
        layout = _layout(shape)
    size, strides = layout
    nbytes = size * dtype.itemsize
    return View(Buffer(np.empty(nbytes, BYTES), nbytes, device), dtype, shape, strides)


def _layout(shape: Shape) -> tuple[int, Shape]:
    size = 1
    for s in shape:
        size *= s
    if len(_layouts) > 4096:  # a program whose shapes never repeat must not grow
        _layouts.clear()
    found = _layouts[tuple(shape)] = (size, contiguous_strides(shape))
    return found


def address(v: View) -> int:
    """The address of element (0, 0, …)."""
    native = v.native
    if native is None:
        native = v.native = (_place(v), None)
    return native[0]  # type: ignore[no-any-return]


def _place(v: View) -> int:
    handle = v.buffer.handle
    start = _threads.address(handle) if handle.flags.writeable else handle.ctypes.data
    return int(start) + v.offset * v.dtype.itemsize


def array(v: View) -> np.ndarray[Any, Any]:
    """The NumPy array over the memory of ``v``."""
    native = v.native
    if native is not None and native[1] is not None:
        return native[1]  # type: ignore[no-any-return]
    size = v.dtype.itemsize
    made: np.ndarray[Any, Any]
    if 0 in v.shape:
        made = np.empty(v.shape, v.dtype.name)
    else:
        strides = tuple([s * size for s in v.strides])
        made = np.ndarray(v.shape, v.dtype.name, v.buffer.handle, v.offset * size, strides)
    v.native = (native[0] if native is not None else None, made)
    if native is None:
        # the address is found without Numba here: it may not be loaded yet
        v.native = (made.ctypes.data, made) if made.size else (0, made)
    return made


def wrap(host: np.ndarray[Any, Any], device: Any) -> View | None:
    """A view over the memory of a host array, or None where that is not possible."""
    itemsize = host.itemsize
    dtype = getattr(genesis, host.dtype.name, None)
    if (
        not isinstance(dtype, genesis.dtype)
        or not host.flags.writeable
        or not host.flags.aligned
        or not host.dtype.isnative
        or not host.size
        or any(s % itemsize for s in host.strides)
    ):
        return None
    # from the element of the lowest address to that of the highest, whatever the strides
    first = tuple(
        slice(n - 1, n) if s < 0 else slice(0, 1) for n, s in zip(host.shape, host.strides, strict=True)
    )
    below = sum((n - 1) * -s for n, s in zip(host.shape, host.strides, strict=True) if s < 0)
    above = sum((n - 1) * s for n, s in zip(host.shape, host.strides, strict=True) if s > 0)
    nbytes = below + above + itemsize
    corner = host[first].reshape(-1).view(np.uint8)
    handle = np.lib.stride_tricks.as_strided(corner, (nbytes,), (1,))
    strides = tuple([s // itemsize for s in host.strides])
    buffer = Buffer(handle, nbytes, device, owner=host)
    return View(buffer, dtype, host.shape, strides, below // itemsize, (host.ctypes.data, host))
