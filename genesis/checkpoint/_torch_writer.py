"""Files that ``torch.load`` reads, also with ``weights_only=True``, written without PyTorch.

The archive is PyTorch's: ``data.pkl`` refers to ``data/0``, ``data/1``, …, one for each piece of memory.
"""

from __future__ import annotations

import io
import pickle
import sys
import zipfile
from collections import OrderedDict
from typing import Any, BinaryIO, ClassVar

import numpy as np

import genesis
from genesis.backend.view import View

_STORAGES = {
    "float64": "DoubleStorage",
    "float32": "FloatStorage",
    "float16": "HalfStorage",
    "bfloat16": "BFloat16Storage",
    "int64": "LongStorage",
    "int32": "IntStorage",
    "int16": "ShortStorage",
    "int8": "CharStorage",
    "uint8": "ByteStorage",
    "bool": "BoolStorage",
}


class _Name:
    """A function or class of PyTorch's, by name."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name

    def __call__(self) -> None:
        """Never called: pickle wants something callable."""


class _Storage:
    """A piece of memory that tensors of one type lie in."""

    def __init__(self, key: str, view: View) -> None:
        self.key, self.kind = key, _Name("torch", _STORAGES[view.dtype.name])
        self.count = view.buffer.nbytes // view.dtype.itemsize
        whole = View(view.buffer, view.dtype, (self.count,), (1,))
        self.array: np.ndarray[Any, Any] = view.buffer.device.backend.read(whole)


_PLAIN = {type(None), bool, int, float, str, bytes, list, tuple, dict, OrderedDict, _Name, _Storage}
_REBUILD = _Name("torch._utils", "_rebuild_tensor_v2")
_PARAMETER = _Name("torch._utils", "_rebuild_parameter")


_Base: Any = pickle._Pickler  # the one that is written in Python, because it can be extended


class _Pickler(_Base):  # type: ignore[misc]
    """Writes our tensors as PyTorch's."""

    dispatch: ClassVar[dict[Any, Any]] = dict(_Base.dispatch)

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file, protocol=2)
        self.storages: dict[tuple[int, str], _Storage] = {}
        self._kept: list[Any] = []  # what was made on the way: a memo by identity needs it alive

    def persistent_id(self, value: Any) -> Any:
        if isinstance(value, _Storage):
            return "storage", value.kind, value.key, "cpu", value.count
        return None

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, genesis.nn.Parameter):
            data = value.detach()
            self._kept.append(data)
            return _PARAMETER, (data, value.requires_grad, OrderedDict())
        if isinstance(value, genesis.Tensor):
            view = value._view
            place = (id(view.buffer), view.dtype.name)
            if place not in self.storages:
                self.storages[place] = _Storage(str(len(self.storages)), view)
            storage = self.storages[place]
            return _REBUILD, (
                storage, view.offset, view.shape, view.strides, value.requires_grad, OrderedDict(),
            )  # fmt: skip
        if type(value) not in _PLAIN and value is not OrderedDict:
            raise TypeError(
                "a file for PyTorch holds tensors, None, bool, int, float, str, bytes, list, tuple and dict; "
                f"got {type(value).__name__}: {value!r:.60}"
            )
        return NotImplemented

    def save_name(self, value: _Name) -> None:
        self.write(pickle.GLOBAL + f"{value.module}\n{value.name}\n".encode())
        self.memoize(value)

    dispatch[_Name] = save_name


def write_torch(obj: object, file: BinaryIO) -> None:
    """Write nested Python values and tensors as ``torch.save`` would.

    Tensors are on the CPU in the file.  Tensors that share memory share it in the file, too.

    Raises:
        TypeError: ``obj`` holds something that is neither.
    """
    pickled = io.BytesIO()
    pickler = _Pickler(pickled)
    pickler.dump(_plain(obj))
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", pickled.getvalue())
        archive.writestr("archive/byteorder", sys.byteorder)
        for storage in pickler.storages.values():
            archive.writestr(f"archive/data/{storage.key}", storage.array.tobytes())
        archive.writestr("archive/version", "3\n")


def _plain(value: Any) -> Any:
    """The plain form of subclasses of containers and numbers, which would be pickled by their own names."""
    if isinstance(value, OrderedDict):
        return OrderedDict((k, _plain(v)) for k, v in value.items())
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if isinstance(value, tuple):
        return tuple([_plain(v) for v in value])
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, genesis.dtype):
        return _Name("torch", value.name)
    for plain in (bool, int, float, str):
        if isinstance(value, plain):
            return plain(value)
    return value
