"""Unpickling without running anything that the pickle holds.

Loading a pickle can call any function by name and set any attribute.  Here a name is only looked up in a
table, whose functions build plain containers, numbers and arrays, and only what was just made for the file
takes attributes; all else is an error.
"""

from __future__ import annotations

import pickle
import struct
import zipfile
import zlib
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Mapping
from typing import Any, BinaryIO, ClassVar

import numpy as np

from genesis._errors import CheckpointError

SAFE = "tensors, numbers, texts and plain containers; save model.state_dict() rather than the model"

#: what reading a damaged file may raise
DAMAGED = (
    pickle.UnpicklingError, struct.error, zipfile.BadZipFile, zlib.error, LookupError, ValueError,
    TypeError, EOFError, AttributeError, OverflowError, RuntimeError, MemoryError, AssertionError,
)  # fmt: skip


class NumpyArray:
    """Stands for an array while it is unpickled."""

    def __setstate__(self, state: Any) -> None:
        _version, shape, dtype, fortran, data = state
        if isinstance(data, str):  # of Python 2
            data = data.encode("latin1")
        if not isinstance(data, bytes):
            raise CheckpointError("an array of Python objects, which can hold code")
        array = np.frombuffer(data, dtype.type).reshape(shape, order="F" if fortran else "C")
        self.array = array.astype(array.dtype.newbyteorder("="))


class NumpyDtype:
    """Stands for a NumPy dtype while it is unpickled."""

    def __init__(self, name: Any, *flags: Any) -> None:
        self.type = np.dtype(str(name))
        if self.type.kind not in "biuf":
            raise CheckpointError(f"a NumPy array of type {name!r}; only numbers are read")

    def __setstate__(self, state: Any) -> None:
        if len(state) > 1 and state[1] in ("<", ">"):
            self.type = self.type.newbyteorder(state[1])


def numpy_scalar(dtype: Any, data: Any = None) -> Any:
    return np.frombuffer(data, dtype.type, 1)[0]


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    """Bytes, as the protocol that PyTorch uses writes them."""
    if encoding != "latin1":
        raise CheckpointError(f"bytes written as {encoding!r}")
    return str(text).encode("latin1")


def _from_buffer(data: Any, dtype: Any, shape: Any, order: Any) -> NumpyArray:
    """How arrays are written since protocol 5."""
    found = NumpyArray()
    found.__setstate__((1, shape, dtype, order == "F", bytes(data)))
    return found


#: (module, name) of what any file may use, and what it becomes
PLAIN: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "Counter"): Counter,
    ("collections", "defaultdict"): lambda *args: defaultdict(
        None, *[a for a in args if isinstance(a, dict)]
    ),
    ("_codecs", "encode"): _encode,
    **{(module, "set"): set for module in ("builtins", "__builtin__")},  # the latter in older protocols
    **{(module, "bytearray"): bytearray for module in ("builtins", "__builtin__")},
    ("numpy", "dtype"): NumpyDtype,
    **{
        (f"{package}.{module}", name): value
        for package in ("numpy.core", "numpy._core")
        for module, name, value in (
            ("multiarray", "scalar", numpy_scalar),
            ("multiarray", "_reconstruct", lambda *args: NumpyArray()),
            ("numeric", "_frombuffer", _from_buffer),
        )
    },
    ("numpy", "ndarray"): NumpyArray,
}


class Unpickler(pickle._Unpickler):
    """Unpickles with the names of a table and no others.

    The unpickler written in Python, because the other one sets attributes of whatever the file names: of a
    class or a device, which the whole program shares.
    """

    names: ClassVar[Mapping[tuple[str, str], Any]] = PLAIN
    stack: list[Any]  # what the unpickler has made so far

    def __init__(self, file: BinaryIO, encoding: str = "utf-8") -> None:
        super().__init__(file, encoding=encoding)

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self.names[module, name]
        except KeyError:
            raise CheckpointError(
                f"it refers to {module}.{name}, which is code or of an unknown kind; Genesis reads {SAFE}"
            ) from None

    def set_state(self, made: Any, state: Any) -> None:
        """Give ``made`` the attributes of ``state``, if that is harmless."""
        if type(made) in (NumpyArray, NumpyDtype):
            made.__setstate__(state)
        elif (
            type(made) is OrderedDict and isinstance(state, dict) and not state.keys() & set(dir(OrderedDict))
        ):
            made.__dict__.update(state)  # state_dict() has a _metadata
        else:
            raise CheckpointError(f"it sets attributes of {made!r:.80}; Genesis reads {SAFE}")

    def _build(self) -> None:
        """The opcode BUILD."""
        state = self.stack.pop()
        self.set_state(self.stack[-1], state)

    dispatch: ClassVar[dict[int, Any]] = {**pickle._Unpickler.dispatch, pickle.BUILD[0]: _build}


def resolved(value: Any, convert: Any = lambda x: x) -> Any:
    """What was read, with arrays where stand-ins for them are; ``convert`` is applied to all else."""
    if isinstance(value, NumpyArray):
        return value.array
    if isinstance(value, dict):
        for key, item in list(value.items()):
            value[key] = resolved(item, convert)
        return value
    if type(value) in (list, deque):
        for i, item in enumerate(value):
            value[i] = resolved(item, convert)
        return value
    if type(value) is tuple:
        return tuple([resolved(item, convert) for item in value])
    return convert(value)
