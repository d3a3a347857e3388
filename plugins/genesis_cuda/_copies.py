"""Copies between the host and a GPU, and between GPUs."""

from __future__ import annotations

from typing import Any

import numpy as np

from genesis import device, dtype
from genesis.backend import Buffer, Shape, View, arg, contiguous_strides
from genesis_cuda import _memory, _streams
from genesis_cuda._driver import call
from genesis_cuda._memory import Memory, address, handle
from genesis_cuda.kernels import map as elementwise

_KNOWN = 1 << 16  # so many integers are looked at on their way, for what indices they may be


def empty(shape: Shape, dtype: dtype, device: device) -> View:
    """A new contiguous view."""
    size = 1
    for s in shape:
        size *= s
    nbytes = size * dtype.itemsize
    memory = Memory(_memory.pool(device.index or 0), nbytes)
    buffer = Buffer(memory, nbytes, device)
    return View(buffer, dtype, shape, contiguous_strides(shape), 0, memory.address, True)


def duplicate(v: View) -> View:
    """A contiguous copy."""
    copy = empty(v.shape, v.dtype, v.buffer.device)
    elementwise.run(arg(0), copy, (v,))
    return copy


def contiguous(v: View) -> View:
    """``v`` itself when it is contiguous, else a copy."""
    return v if v.contiguous else duplicate(v)


def write(out: View, source: np.ndarray[Any, Any], wait: bool = True) -> None:
    """``Backend.write``; the driver has taken its copy when it returns.

    Without ``wait``, that of page-locked memory may still be under way.
    """
    if not out.size:
        return
    if not out.contiguous:
        copy = empty(out.shape, out.dtype, out.buffer.device)
        write(copy, source, wait)
        elementwise.run(arg(0), out, (copy,))
        return
    memory = handle(out)
    host = np.ascontiguousarray(source)
    memory.unit.enter()
    call("cuMemcpyHtoDAsync", address(out), host.ctypes.data, host.nbytes, memory.unit.stream)
    if _memory.is_pinned(host):  # its copy is still under way
        if wait:
            memory.unit.synchronize()
        else:
            event = _streams.Event(memory.unit, False, False)
            event.record(_streams.current(memory.unit.index))
            _memory.keep_until(event, host)
    whole = host.nbytes == out.buffer.nbytes
    # memory that may change before it is copied says nothing of what will be there
    memory.bounds = _bounds(host) if whole and wait else None


def read(x: View) -> np.ndarray[Any, Any]:
    """``Backend.read``."""
    host: np.ndarray[Any, Any] = np.empty(x.shape, x.dtype.name)
    if x.size:
        x = contiguous(x)
        owner = handle(x).unit
        owner.enter()
        call("cuMemcpyDtoHAsync", host.ctypes.data, address(x), host.nbytes, owner.stream)
        owner.synchronize()
    return host


def transfer(out: View, x: View) -> None:
    """``Backend.transfer``: from one GPU to another without the host, where the driver has a way."""
    if not x.size:
        return
    if not out.contiguous:
        copy = empty(out.shape, out.dtype, out.buffer.device)
        transfer(copy, x)
        elementwise.run(arg(0), out, (copy,))
        return
    x = contiguous(x)
    there, here = handle(out), handle(x)
    nbytes = x.size * x.dtype.itemsize
    here.unit.synchronize()  # the two streams know nothing of each other
    there.unit.enter()
    if there.unit is here.unit:
        call("cuMemcpyDtoDAsync", address(out), address(x), nbytes, there.unit.stream)
    else:
        places = (address(out), there.unit.context, address(x), here.unit.context)
        call("cuMemcpyPeerAsync", *places, nbytes, there.unit.stream)
        there.unit.synchronize()
    there.bounds = None


def _bounds(host: np.ndarray[Any, Any]) -> tuple[int, int] | None:
    """Smallest and largest of integers, where finding them costs little."""
    if host.dtype != np.int64 or not 0 < host.size <= _KNOWN:
        return None
    return int(host.min()), int(host.max())
