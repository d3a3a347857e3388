"""bfloat16 through DLPack, which NumPy has not got: as int16, with another kind written into the capsule.

The layout is that of dlpack.h: a ``DLTensor`` holds data (8 bytes), a device (8), the number of axes (4) and
the kind of the type (1); in a capsule of version 1 it lies behind 32 bytes, in an older one at the beginning.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

_SIGNED, _BFLOAT = 0, 4  # kinds of types
_STARTS = {b"dltensor": 0, b"dltensor_versioned": 32}
_KIND, _BITS = 20, 21

_name = ctypes.pythonapi.PyCapsule_GetName
_name.restype, _name.argtypes = ctypes.c_char_p, [ctypes.py_object]
_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.restype, _pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]


def _retyped(capsule: Any, before: int, after: int) -> Any:
    """The capsule with elements of 16 bits of one kind as those of another; others stay."""
    name = _name(capsule)
    start = int(_pointer(capsule, name) or 0) + _STARTS[name]
    kind = ctypes.c_uint8.from_address(start + _KIND)
    if kind.value == before and ctypes.c_uint8.from_address(start + _BITS).value == 16:
        kind.value = after
    return capsule


class Exported:
    """A NumPy array of bfloat16 as others take it."""

    def __init__(self, array: np.ndarray[Any, Any]) -> None:
        self._array = array.view(np.int16)

    def __dlpack__(self, **options: Any) -> Any:
        return _retyped(self._array.__dlpack__(**options), _SIGNED, _BFLOAT)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._array.__dlpack_device__()


class Imported:
    """Another library's bfloat16 as NumPy takes it: int16."""

    def __init__(self, source: Any) -> None:
        self._source = source

    def __dlpack__(self, **options: Any) -> Any:
        return _retyped(self._source.__dlpack__(**options), _BFLOAT, _SIGNED)

    def __dlpack_device__(self) -> Any:
        return self._source.__dlpack_device__()
