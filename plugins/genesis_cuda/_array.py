"""Memory of a GPU as other libraries take it and give it: ``__cuda_array_interface__`` and DLPack."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

import genesis
from genesis import device
from genesis.backend import Buffer, View
from genesis_cuda._driver import call, unit
from genesis_cuda._memory import address, handle
from genesis_cuda._sizes import SIMULATED

_HOST, _CUDA = 1, 2  # kinds of devices, and kinds of types, of DLPack
_KINDS = {"i": 0, "u": 1, "f": 2, "b": 6}


class Array:
    """A strided array in the memory of a GPU, which it keeps alive.

    Attributes:
        pointer: the address of element (0, 0, …).
        shape, strides: both in elements.
        dtype: the name of the type.
        index: the number of the GPU.
        owner: what keeps the memory alive.
    """

    __slots__ = ("dtype", "index", "owner", "pointer", "shape", "strides")

    def __init__(self, view: View) -> None:
        self.pointer, self.shape, self.strides = address(view), view.shape, view.strides
        self.dtype, self.index, self.owner = view.dtype.name, handle(view).unit.index, view.buffer

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        kind = np.dtype(self.dtype)
        return {
            "shape": self.shape,
            "strides": tuple(s * kind.itemsize for s in self.strides),
            "typestr": kind.str,
            "data": (self.pointer, False),
            "version": 3,
            "stream": int(unit(self.index).stream),  # where work that writes to it waits
        }

    def __dlpack_device__(self) -> tuple[int, int]:
        return (_HOST, 0) if SIMULATED else (_CUDA, self.index)

    def __dlpack__(self, *, stream: Any = None, **options: Any) -> Any:
        """A capsule with the memory itself; what is under way is waited for."""
        unit(self.index).synchronize()
        return _capsule(self)


# -- DLPack's structures, as dlpack.h has them ---------------------------------------------------------------
class _Tensor(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    )


class _Managed(ctypes.Structure):
    pass


_Deleter = ctypes.CFUNCTYPE(None, ctypes.POINTER(_Managed))
_Managed._fields_ = (("tensor", _Tensor), ("context", ctypes.c_void_p), ("deleter", _Deleter))

_Destructor = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_new = ctypes.pythonapi.PyCapsule_New
_new.restype, _new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, _Destructor]
_is_valid = ctypes.pythonapi.PyCapsule_IsValid
_is_valid.restype, _is_valid.argtypes = ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p]
_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.restype, _pointer.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_char_p]
_NAME = b"dltensor"  # a capsule that somebody has taken has another name
_lent: dict[int, tuple[Any, ...]] = {}  # what other libraries hold, by the address of its structure


def _delete(managed: Any) -> None:
    _lent.pop(ctypes.addressof(managed.contents), None)


def _not_taken(capsule: int) -> None:
    if _is_valid(capsule, _NAME):
        _lent.pop(_pointer(capsule, _NAME), None)


_deleter, _destructor = _Deleter(_delete), _Destructor(_not_taken)


def _capsule(array: Array) -> Any:
    ndim, kind = len(array.shape), np.dtype(array.dtype)
    numbers = ctypes.c_int64 * max(1, ndim)
    shape, strides = numbers(*array.shape), numbers(*array.strides)
    place, number = array.__dlpack_device__()
    managed = _Managed()
    managed.tensor = _Tensor(
        array.pointer, place, number, ndim, _KINDS[kind.kind], 8 * kind.itemsize, 1, shape, strides, 0
    )
    managed.deleter = _deleter
    at = ctypes.addressof(managed)
    _lent[at] = managed, shape, strides, array.owner
    return _new(at, _NAME, _destructor)


# -- the other way -------------------------------------------------------------------------------------------
class Foreign:
    """A handle for memory of another library, in place of ``_memory.Memory``."""

    __slots__ = ("__weakref__", "address", "bounds", "owner", "unit")

    def __init__(self, start: int, owner: Any, index: int) -> None:
        self.address, self.owner, self.unit = start, owner, unit(index)
        self.bounds: tuple[int, int] | None = None


def adopt(source: Any, place: device) -> View | None:
    """A view of the memory of an object with ``__cuda_array_interface__``, or None for another one."""
    found = getattr(source, "__cuda_array_interface__", None)
    if found is None:
        return None
    kind = np.dtype(found["typestr"])
    dtype = getattr(genesis, kind.name, None)
    shape = tuple(found["shape"])
    if not isinstance(dtype, genesis.dtype) or not kind.isnative or found.get("mask") is not None:
        return None
    steps = found.get("strides")
    if steps is None:
        steps, n = [], kind.itemsize
        for s in reversed(shape):
            steps.insert(0, n)
            n *= s
    if any(s % kind.itemsize for s in steps):
        return None
    stream = found.get("stream")
    foreign = Foreign(int(found["data"][0]), source, place.index or 0)
    if stream is not None:
        foreign.unit.enter()
        call("cuStreamSynchronize", int(stream))
    strides = tuple(s // kind.itemsize for s in steps)
    low = sum((n - 1) * t for n, t in zip(shape, strides, strict=True) if t < 0 and n)
    high = sum((n - 1) * t for n, t in zip(shape, strides, strict=True) if t > 0 and n)
    start = foreign.address
    foreign.address += low * kind.itemsize  # a buffer begins at its lowest element
    buffer = Buffer(foreign, (high - low + 1) * kind.itemsize if 0 not in shape else 0, place, owner=source)
    if SIMULATED:
        from genesis_cuda._simulator import memory

        memory.lend(foreign.address, buffer.nbytes)
    return View(buffer, dtype, shape, strides, -low, start)
