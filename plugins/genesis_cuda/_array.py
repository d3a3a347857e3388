"""Memory of a GPU as other libraries take it and give it: ``__cuda_array_interface__`` and DLPack."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

import genesis
from genesis import device
from genesis.backend import Buffer, View, contiguous_strides
from genesis_cuda._driver import call, unit
from genesis_cuda._memory import address, handle
from genesis_cuda._sizes import SIMULATED

_HOST, _CUDA = 1, 2  # kinds of devices, and kinds of types, of DLPack
_KINDS = {"i": 0, "u": 1, "f": 2, "V": 4, "b": 6}  # "V" is ml_dtypes' bfloat16


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
_rename = ctypes.pythonapi.PyCapsule_SetName
_rename.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
_NAME, _TAKEN = b"dltensor", b"used_dltensor"  # a capsule that somebody has taken has another name
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


class Taken:
    """What another library has lent in a capsule; it hears when nobody looks at it any more."""

    __slots__ = ("managed",)

    def __init__(self, capsule: Any) -> None:
        self.managed: Any = None
        self.managed = _Managed.from_address(_pointer(id(capsule), _NAME))
        _rename(id(capsule), _TAKEN)

    def __del__(self) -> None:
        if self.managed is not None and self.managed.deleter:
            self.managed.deleter(ctypes.pointer(self.managed))


def adopt(source: Any, place: device) -> View | None:
    """A view of the memory of an object with ``__cuda_array_interface__`` or DLPack; None for others."""
    found = _by_interface(source, place)
    if found is None and hasattr(source, "__dlpack__"):
        found = _by_dlpack(source, place)
    if found is None:
        return None
    owner, start, dtype, shape, strides = found
    foreign, size = Foreign(start, owner, place.index or 0), dtype.itemsize
    low = sum((n - 1) * t for n, t in zip(shape, strides, strict=True) if t < 0 and n)
    high = sum((n - 1) * t for n, t in zip(shape, strides, strict=True) if t > 0 and n)
    foreign.address += low * size  # a buffer begins at its lowest element
    buffer = Buffer(foreign, (high - low + 1) * size if 0 not in shape else 0, place, owner=owner)
    if SIMULATED:
        from genesis_cuda._simulator import memory

        memory.borrow(foreign, buffer.nbytes)
    return View(buffer, dtype, shape, strides, -low, start)


def _type(name: str, place: device) -> genesis.dtype:
    if name not in _TYPES:
        known = ", ".join(_TYPES)
        raise TypeError(f"{place} has no tensors of {name}, only of {known}: convert the array first")
    return getattr(genesis, name)  # type: ignore[no-any-return]


_NAMES = {0: "int", 1: "uint", 2: "float", 4: "bfloat", 5: "complex"}  # of DLPack's kinds
_TYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64")
_Found = tuple[Any, int, genesis.dtype, tuple[int, ...], tuple[int, ...]]


def _by_interface(source: Any, place: device) -> _Found | None:
    """Owner, address, type, shape and strides in elements, by ``__cuda_array_interface__``."""
    found = getattr(source, "__cuda_array_interface__", None)
    if found is None or found.get("mask") is not None:
        return None
    kind = np.dtype(found["typestr"])
    if kind.kind == "V":  # bfloat16 has no name there
        return None
    shape, steps = tuple(found["shape"]), found.get("strides")
    if steps is None:
        steps = tuple(kind.itemsize * t for t in contiguous_strides(shape))
    if any(s % kind.itemsize for s in steps):
        wrong = f"strides of {tuple(steps)} bytes are not whole elements of {kind.name}"
        raise ValueError(f"{wrong}: copy the array first")
    stream = found.get("stream")
    if stream is not None:
        unit(place.index or 0).enter()
        call("cuStreamSynchronize", int(stream))
    dtype = _type(kind.name if kind.isnative else kind.str, place)
    return source, int(found["data"][0]), dtype, shape, tuple(s // kind.itemsize for s in steps)


def _by_dlpack(source: Any, place: device) -> _Found | None:
    """The same by DLPack, which knows bfloat16; the source's work comes before what our stream does next."""
    taken = Taken(source.__dlpack__(stream=int(unit(place.index or 0).stream)))
    given = taken.managed.tensor
    name = "bool" if given.code == _KINDS["b"] else f"{_NAMES.get(given.code, 'kind')}{given.bits}"
    dtype = _type(name if given.lanes == 1 else f"{name}x{given.lanes}", place)
    shape = tuple(given.shape[: given.ndim])
    strides = tuple(given.strides[: given.ndim]) if given.strides else contiguous_strides(shape)
    return taken, (given.data or 0) + given.byte_offset, dtype, shape, strides
