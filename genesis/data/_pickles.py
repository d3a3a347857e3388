"""Reading pickles of arrays, lists, texts and numbers, as CIFAR's files are, without running what they hold.

A pickle is a program that calls functions. Here the only names that it can call are those by which NumPy's
arrays are written, and they stand for the functions below, which make arrays of bytes and of numbers.
"""

from __future__ import annotations

import io
import math
import pickle
from typing import Any, ClassVar

import numpy as np

from genesis._errors import DataError

_KINDS = {
    f"{kind}{size}" for kind, sizes in (("u", "1248"), ("i", "1248"), ("f", "48")) for size in sizes
} | {"b1"}


class _Type:
    """What ``numpy.dtype`` is in a pickle: the name of a type and its byte order."""

    def __init__(self, name: Any, *_: Any) -> None:
        if name not in _KINDS:
            raise DataError(f"an array of the type {name!r}: only numbers are read")
        self.type = np.dtype(name)

    def __setstate__(self, state: Any) -> None:
        self.type = self.type.newbyteorder(">" if state[1] == ">" else "<" if state[1] == "<" else "=")


class _Array:
    """What ``_reconstruct`` makes: filled by its state (version, shape, type, Fortran order, bytes)."""

    array: Any = None

    def __setstate__(self, state: Any) -> None:
        _, shape, kind, fortran, content = state
        self.array = _filled(content, kind, shape, "F" if fortran else "C")


class _Array5(_Array):
    """The same since protocol 5."""

    def __init__(self, content: Any, kind: Any, shape: Any, order: Any) -> None:
        self.array = _filled(content, kind, shape, order)


def _filled(content: Any, kind: Any, shape: Any, order: str) -> Any:
    content = content.encode("latin1") if isinstance(content, str) else content
    if not isinstance(kind, _Type) or not isinstance(content, bytes | bytearray):
        raise DataError("an array that is not made of bytes")
    if kind.type.itemsize * math.prod(shape) != len(content):
        raise DataError(f"an array of shape {tuple(shape)} and {kind.type} that has {len(content)} bytes")
    return np.frombuffer(content, kind.type).reshape(shape, order="F" if order == "F" else "C")


def _scalar(kind: Any, content: Any) -> Any:
    return _filled(content, kind, (), "C").item()


def _reconstruct(*_: Any) -> _Array:
    return _Array()


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    return str(text).encode("latin1" if encoding != "ascii" else "ascii")


class _Reader(pickle.Unpickler):
    KNOWN: ClassVar[dict[tuple[str, str], Any]] = {
        ("numpy", "ndarray"): None,
        ("numpy", "dtype"): _Type,
        ("_codecs", "encode"): _encode,
        **{
            (f"numpy.{core}.{module}", name): function
            for core in ("core", "_core")
            for module, name, function in (
                ("multiarray", "_reconstruct", _reconstruct),
                ("multiarray", "scalar", _scalar),
                ("numeric", "_frombuffer", _Array5),
            )
        },
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in self.KNOWN:
            made = self.KNOWN[module, name]
            return lambda *args: made(*args)  # a pickle can set attributes of what it finds: not of these
        raise DataError(f"the name {module}.{name}, which can run any code; it is not read")


def read_pickle(content: bytes, name: str) -> Any:
    """The dicts, lists, arrays, texts and numbers of a pickle; texts of Python 2 are read as Latin-1.

    Args:
        content: the pickle.
        name: of the file, for errors.

    Raises:
        DataError: it holds anything else, or is damaged.
    """
    try:
        return _plain(_Reader(io.BytesIO(content), encoding="latin1").load())
    except DataError as error:
        raise DataError(f"{name!r} holds {error}") from None
    except Exception as error:  # of a damaged pickle, almost any
        raise DataError(f"{name!r} is damaged, or no pickle: {error}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, _Array):
        return value.array
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_plain(item) for item in value)
    if value is None or isinstance(value, str | bytes | bytearray | int | float):
        return value
    raise DataError(f"a {type(value).__name__}; only arrays, lists, texts and numbers are read")
