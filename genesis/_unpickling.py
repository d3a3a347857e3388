"""Unpickling without running anything that the pickle holds.

Loading a pickle can call any function by name and set any attribute.  Here a name is only looked up in a
table, whose functions build plain containers, numbers and arrays, and only what was just made for the file
takes attributes; all else is an error.  Nor can a short file take long or much memory: what is made twice of
the same bytes is counted (`Unpickler.spend`), a length in the file is believed only where that many bytes
follow, and keys are simple.
"""

from __future__ import annotations

import os
import pickle
import re
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


#: memory that a file may take, in times its size, and the bytes that even an empty one may take
TIMES, FREE = 64, 1 << 24

_HASHED = 64  # parts of a tuple that is a key
_PLAIN_KEYS = frozenset({str, bytes, float, bool, type(None)})
_SIZED = (str, bytes, bytearray, list, tuple, dict, set, frozenset, deque, range)
_NUMBERS = re.compile(r"[<>=|]?[biuf](1|2|4|8|16)")


def check_key(key: Any) -> Any:
    """Return ``key``, unless it takes long to hash: nested tuples, each twice in the next, or a long number.

    Raises:
        CheckpointError: it does.
    """
    if type(key) in _PLAIN_KEYS:
        return key
    todo, count = [key], 0
    while todo:
        part = todo.pop()
        count += 1
        if isinstance(part, tuple | frozenset):
            todo += part
        elif isinstance(part, slice):
            todo += (part.start, part.stop, part.step)
        if count + len(todo) > _HASHED or (isinstance(part, int) and part.bit_length() > 4096):
            raise CheckpointError("a key of a dict or set is no simple value")
    return key


def _made_of(items: Any) -> Any:
    """The argument of a container, with keys that are simple."""
    if type(items) not in (list, tuple, set, frozenset, dict, OrderedDict, Counter, deque):
        raise CheckpointError(f"a container of {type(items).__name__}")
    for key in items:
        check_key(key)
    return items


def _ordered(items: Any = ()) -> OrderedDict[Any, Any]:
    if not isinstance(items, dict):
        _made_of([key for key, _ in items])
    return OrderedDict(items)


def plain_set(items: Any = ()) -> set[Any]:
    return set(_made_of(items))


def plain_frozenset(items: Any = ()) -> frozenset[Any]:
    return frozenset(_made_of(items))


def plain_deque(items: Any = (), maxlen: int | None = None) -> deque[Any]:
    return deque(items, maxlen)


def _bytearray(data: Any = b"", encoding: str = "latin-1") -> bytearray:
    if isinstance(data, str):
        return bytearray(data, encoding)
    if not isinstance(data, bytes | bytearray | list):
        raise CheckpointError(f"bytes made of {type(data).__name__}")
    return bytearray(data)


def texts_only(function: Any) -> Any:
    """``function`` for texts, numbers and None, which an error message shows as they are."""

    def checked(*args: Any) -> Any:
        if not all(type(arg) in (str, int, float, bool, type(None)) for arg in args):
            raise CheckpointError("an argument that is neither a text nor a number")
        return function(*args)

    return checked


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
        name = name.decode("latin1") if isinstance(name, bytes) else name
        if not isinstance(name, str) or not _NUMBERS.fullmatch(name):
            raise CheckpointError(
                f"a NumPy array of type {name if isinstance(name, str) else type(name)!r:.80}; "
                "only numbers are read"
            )
        self.type = np.dtype(name)

    def __setstate__(self, state: Any) -> None:
        if len(state) > 1 and state[1] in ("<", ">"):
            self.type = self.type.newbyteorder(state[1])


def numpy_scalar(dtype: Any, data: Any = None) -> Any:
    return np.frombuffer(data, dtype.type, 1)[0]


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    """Bytes, as the protocol that PyTorch uses writes them."""
    if encoding != "latin1" or not isinstance(text, str):
        raise CheckpointError("bytes written in another way than as a text in Latin-1")
    return text.encode("latin1")


def _from_buffer(data: Any, dtype: Any, shape: Any, order: Any) -> NumpyArray:
    """How arrays are written since protocol 5."""
    found = NumpyArray()
    found.__setstate__((1, shape, dtype, order == "F", bytes(data)))
    return found


#: (module, name) of what any file may use, and what it becomes
PLAIN: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): _ordered,
    ("collections", "Counter"): lambda items=(): Counter(_made_of(items)),
    ("collections", "defaultdict"): lambda *args: defaultdict(
        None, *[a for a in args if isinstance(a, dict)]
    ),
    ("_codecs", "encode"): _encode,
    **{(module, "set"): plain_set for module in ("builtins", "__builtin__")},  # the latter in older protocols
    **{(module, "bytearray"): _bytearray for module in ("builtins", "__builtin__")},
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


class _Source:
    """The file of a pickle, which gives no more than it has: a length in it may be any number."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.readline = file, file.readline
        here = file.tell()
        self._end = file.seek(0, os.SEEK_END)
        file.seek(here)
        self.size = self._end - here

    def read(self, n: int) -> bytes:
        if n > 4096 and n > self._end - self._file.tell():
            raise EOFError(f"{n} bytes should follow, which are not there")
        return self._file.read(n)


class Unpickler(pickle._Unpickler):
    """Unpickles with the names of a table and no others.

    The unpickler written in Python, because the other one sets attributes of whatever the file names: of a
    class or a device, which the whole program shares.

    Args:
        file: seekable.
        encoding: of texts of Python 2.
        size: of all that belongs to the pickle, where it is a part of a larger file.
    """

    names: ClassVar[Mapping[tuple[str, str], Any]] = PLAIN
    #: what may be made without its constructor
    classes: ClassVar[frozenset[Any]] = frozenset()
    stack: list[Any]  # what the unpickler has made so far
    append: Any

    def __init__(self, file: BinaryIO, encoding: str = "utf-8", size: int | None = None) -> None:
        source = _Source(file)
        super().__init__(source, encoding=encoding)
        self._left = TIMES * (source.size if size is None else size) + FREE

    def spend(self, amount: int) -> None:
        """Count bytes or items that are copied.

        Raises:
            CheckpointError: they are much more than the file has.
        """
        self._left -= amount
        if self._left < 0:
            raise CheckpointError(
                f"what is in it takes more than {TIMES} times the memory of the file itself"
            )

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
            self._count(state)
            made.__setstate__(state)
        elif (
            type(made) is OrderedDict and isinstance(state, dict) and not state.keys() & set(dir(OrderedDict))
        ):
            self._count((state,))
            made.__dict__.update(state)  # state_dict() has a _metadata
        else:
            raise CheckpointError(f"it sets attributes of {_what(made)}; Genesis reads {SAFE}")

    def _count(self, args: Any) -> None:
        """Count what a function may copy of its arguments."""
        if not isinstance(args, tuple | list):
            raise CheckpointError(f"arguments in a {type(args).__name__}")
        for arg in args:
            if isinstance(arg, _SIZED):
                self.spend(len(arg))

    # the opcodes that call, make or change something
    def _reduce(self) -> None:
        args = self.stack.pop()
        self._count(args)
        self.stack[-1] = self.stack[-1](*args)

    def _new(self) -> None:
        args, cls = self.stack.pop(), self.stack.pop()
        if cls not in self.classes:
            raise CheckpointError(f"it makes an object of {_what(cls)}; Genesis reads {SAFE}")
        self._count(args)
        self.append(cls.__new__(cls, *args))

    def _build(self) -> None:
        state = self.stack.pop()
        self.set_state(self.stack[-1], state)

    def _set_item(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._set([key, value])

    def _set_items(self) -> None:
        self._set(self.pop_mark())

    def _set(self, items: list[Any]) -> None:
        target = self._target(dict)
        for i in range(0, len(items), 2):
            target[check_key(items[i])] = items[i + 1]

    def _add(self) -> None:
        items = self.pop_mark()
        self._target(set).update(check_key(item) for item in items)

    def _frozen(self) -> None:
        self.append(frozenset(check_key(item) for item in self.pop_mark()))

    def _append(self) -> None:
        value = self.stack.pop()
        self._target(list, deque, bytearray).append(value)

    def _extend(self) -> None:
        items = self.pop_mark()
        self._target(list, deque, bytearray).extend(items)

    def _target(self, *kinds: type) -> Any:
        if not isinstance(self.stack[-1], kinds):
            raise CheckpointError(f"it adds to {_what(self.stack[-1])}")
        return self.stack[-1]

    def _bytes(self) -> None:
        self.append(bytearray(self.read(int.from_bytes(self.read(8), "little"))))

    def _refuse(self) -> None:
        raise CheckpointError(f"it makes objects in a way of its own; Genesis reads {SAFE}")

    pop_mark: Any
    read: Any

    dispatch: ClassVar[dict[int, Any]] = {
        **pickle._Unpickler.dispatch,
        pickle.REDUCE[0]: _reduce,
        pickle.NEWOBJ[0]: _new,
        pickle.BUILD[0]: _build,
        pickle.SETITEM[0]: _set_item,
        pickle.SETITEMS[0]: _set_items,
        pickle.ADDITEMS[0]: _add,
        pickle.FROZENSET[0]: _frozen,
        pickle.APPEND[0]: _append,
        pickle.APPENDS[0]: _extend,
        pickle.BYTEARRAY8[0]: _bytes,
        **dict.fromkeys(
            (
                code[0]
                for code in (pickle.OBJ, pickle.INST, pickle.NEWOBJ_EX, pickle.EXT1, pickle.EXT2, pickle.EXT4)
            ),
            _refuse,
        ),
    }


def _what(value: Any) -> str:
    """A short name of what a file names or made: the text of nested containers can be endless."""
    return getattr(value, "__qualname__", None) or f"a {type(value).__name__}"


def resolved(value: Any, convert: Any = lambda x: x) -> Any:
    """What was read, with arrays where stand-ins for them are; ``convert`` is applied to all else.

    Raises:
        CheckpointError: a container holds itself.
    """
    return _resolved(value, convert, {})


def _resolved(value: Any, convert: Any, seen: dict[int, Any]) -> Any:
    if isinstance(value, NumpyArray):
        return value.array
    if not isinstance(value, dict) and type(value) not in (list, deque, tuple):
        return convert(value)
    # Every container once: a file may hold the same one many times, and each of them others many times.
    known = seen.get(id(value))
    if known is not None:
        if known[1] is _OPEN:
            raise CheckpointError(f"a {type(value).__name__} that holds itself")
        return known[1]
    seen[id(value)] = (value, _OPEN)  # kept, so that nothing else gets its identity
    result = value
    if isinstance(value, dict):
        for key, item in list(value.items()):
            value[key] = _resolved(item, convert, seen)
    elif type(value) is tuple:
        result = tuple([_resolved(item, convert, seen) for item in value])
    else:
        for i, item in enumerate(value):
            value[i] = _resolved(item, convert, seen)
    seen[id(value)] = (value, result)
    return result


_OPEN = object()
