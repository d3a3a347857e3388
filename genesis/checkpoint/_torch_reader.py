"""PyTorch's files, read without PyTorch and without running anything that they hold.

Format of the archive: torch/csrc/jit/serialization and torch/serialization.py of PyTorch 2.13.
"""

from __future__ import annotations

import io
import math
import os
import zipfile
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, ClassVar

import numpy as np
from numpy.typing import NDArray

import genesis
from genesis._dtypes import as_dtype
from genesis._errors import CheckpointError, DeviceError
from genesis._unpickling import DAMAGED, FREE, PLAIN, TIMES, Unpickler, resolved, texts_only

Array = NDArray[Any]
#: makes a tensor of an array, the place it was saved from, and its requires_grad
Make = Callable[[Array, str, bool], Any]

# How the elements of PyTorch's storages lie in the file, and what reads them.
_STORAGES = {
    "DoubleStorage": "f8",
    "FloatStorage": "f4",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
    "HalfStorage": "f2",
    "BFloat16Storage": "bfloat16",
    "UntypedStorage": "u1",
}
_DTYPES = {
    "float64": "f8", "double": "f8", "float32": "f4", "float": "f4", "float16": "f2", "half": "f2",
    "bfloat16": "bfloat16", "int64": "i8", "long": "i8", "int32": "i4", "int": "i4", "int16": "i2",
    "short": "i2", "int8": "i1", "uint8": "u1", "bool": "?",
}  # fmt: skip
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C


class _Storage:
    """The elements of a storage, as a flat array."""

    def __init__(self, array: Array, location: str) -> None:
        self.array, self.location = array, location


class _StorageType(str):
    """Name of the type of a storage's elements, as in ``_STORAGES``."""


class _Dtype(str):
    """Name of a dtype of PyTorch's."""


def read_torch(file: BinaryIO, name: str, make: Make) -> Any:
    """Read what ``torch.save`` wrote: the zip archive of PyTorch 1.6 and later, or the older stream.

    Args:
        file: opened for reading bytes, seekable.
        name: for errors.
        make: makes a tensor of (array, place, requires_grad).

    Raises:
        CheckpointError: it is damaged, or holds something else than tensors and plain containers.
        DeviceError: ``make`` does not find the place of a tensor.
    """
    try:
        read = _read_zip(file, make) if zipfile.is_zipfile(file) else _read_legacy(file, make)
        return resolved(read, _our_dtype)
    except CheckpointError as error:
        raise CheckpointError(f"cannot read {name!r}: {error}") from error
    except DeviceError:
        raise
    except (*DAMAGED, OSError) as error:  # the latter where a ZIP archive says that it begins before the file
        raise CheckpointError(
            f"{name!r} is damaged, or no file of torch.save: {type(error).__name__}: {str(error)[:200]}"
        ) from error


def _read_zip(file: BinaryIO, make: Make) -> Any:
    whole = file.seek(0, os.SEEK_END)
    file.seek(0)
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        _check_entries(archive, whole)
        found = [n for n in names if n.endswith("data.pkl") and n.count("/") <= 1]
        if not found:
            raise CheckpointError("it is a ZIP archive without data.pkl, so torch.save did not write it")
        top = found[0][: -len("data.pkl")]
        if f"{top}constants.pkl" in names:
            raise CheckpointError("it is a TorchScript program, which is code; save its state_dict() instead")
        order = _entry(archive, f"{top}byteorder").decode() if f"{top}byteorder" in names else "little"
        storages: dict[str, _Storage] = {}

        def load(kind: str, key: str, location: str, count: int) -> _Storage:
            if key not in storages:
                storages[key] = _Storage(
                    _elements(kind, _entry(archive, f"{top}data/{key}"), count, order), location
                )
            return storages[key]

        return _Reader(io.BytesIO(_entry(archive, found[0])), load, make, whole).load()


def _check_entries(archive: zipfile.ZipFile, whole: int) -> None:
    """Refuse an archive of which readers see different things, or that holds much more than its size."""
    entries = archive.infolist()
    if len({entry.filename for entry in entries}) != len(entries):
        raise CheckpointError("the ZIP archive has two entries of the same name")
    if any(entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for entry in entries):
        raise CheckpointError("the ZIP archive is compressed in a way that torch.load does not read either")
    if sum(entry.file_size for entry in entries) > TIMES * whole + FREE:
        raise CheckpointError(f"what is in the ZIP archive has more than {TIMES} times its size")


def _entry(archive: zipfile.ZipFile, name: str) -> bytes:
    """An entry, of which no more is decompressed than its size says."""
    with archive.open(name) as entry:
        return entry.read(archive.getinfo(name).file_size)


def _read_legacy(file: BinaryIO, make: Make) -> Any:
    """A stream of pickles: magic number, version, machine, object, names of storages; then their bytes."""
    file.seek(0)

    def nothing(*description: Any) -> Any:
        raise CheckpointError("a tensor where none belongs")

    def plain() -> Any:
        return _Reader(file, nothing, make).load()

    if plain() != _LEGACY_MAGIC:
        raise CheckpointError("it is a pickle, but not one of torch.save")
    plain()  # the version of the format
    order = "little" if plain().get("little_endian", True) else "big"
    # The object comes before the elements of its storages: read it once to learn their types, and then again.
    start = file.tell()
    whole = file.seek(0, os.SEEK_END)
    file.seek(start)
    kinds: dict[str, tuple[str, str, int]] = {}

    def note(kind: str, key: str, location: str, count: int) -> _Storage:
        kinds[key] = kind, location, count
        if count * _itemsize(kind) > whole:
            raise CheckpointError(f"a storage of {count} elements in a file of {whole} bytes")
        return _Storage(np.zeros(0), location)

    _Learner(file, note, make).load()
    keys = plain()
    if not isinstance(keys, list) or not all(type(key) is str for key in keys):
        raise CheckpointError("the names of its storages are no texts")
    storages = {}
    for key in keys:
        kind, location, count = kinds[key]
        length = int.from_bytes(file.read(8), order)  # type: ignore[arg-type] # one of the two words
        if length != count:
            raise CheckpointError(f"storage {key!r} has {length} elements instead of {count}")
        size = count * _itemsize(kind)
        storages[key] = _Storage(_elements(kind, file.read(size), count, order), location)
    file.seek(start)
    return _Reader(file, lambda kind, key, location, count: storages[key], make, whole).load()


def _itemsize(kind: str) -> int:
    code = _STORAGES[kind]
    return 2 if code == "bfloat16" else np.dtype(code).itemsize


def _elements(kind: str, data: bytes, count: int, order: str) -> Array:
    """The elements of a storage in the machine's byte order."""
    if kind not in _STORAGES:
        raise CheckpointError(f"it holds a {kind}, and Genesis has no such element type")
    if len(data) < count * _itemsize(kind):
        raise CheckpointError(f"a storage is truncated: {len(data)} bytes for {count} elements of a {kind}")
    mark = "<" if order == "little" else ">"
    if _STORAGES[kind] == "bfloat16":
        return as_bfloat16(np.frombuffer(data, f"{mark}u2", count))
    found = np.frombuffer(
        data, np.dtype(_STORAGES[kind]).newbyteorder("<" if order == "little" else ">"), count
    )
    return found.astype(_STORAGES[kind])


def as_bfloat16(bits: Array) -> Array:
    """Numbers of bfloat16 by their bits; NumPy has the type from the package ml_dtypes."""
    return bits.astype(np.uint16).view(as_dtype("bfloat16").name)


class _Reader(Unpickler):
    names: ClassVar[Mapping[tuple[str, str], Any]] = {
        **PLAIN,
        ("torch", "Size"): lambda *args: genesis.Size(*args),
        ("torch", "device"): texts_only(genesis.device),
        ("torch.serialization", "_get_layout"): texts_only(str),
        **{("torch", name): _Dtype(name) for name in _DTYPES},
    }

    def __init__(
        self,
        file: BinaryIO,
        load: Callable[[str, str, str, int], _Storage],
        make: Make,
        size: int | None = None,
    ) -> None:
        super().__init__(file, size=size)
        self._load, self._make = load, make

    def persistent_load(self, pid: Any) -> Any:
        if not isinstance(pid, tuple) or not pid or pid[0] != "storage":
            raise CheckpointError("an unknown persistent id")
        _, kind, key, location, count = pid[:5]
        if not isinstance(kind, _StorageType) or type(count) is not int or count < 0:
            raise CheckpointError(f"a storage of {type(kind).__name__}")
        if type(key) is not str or type(location) is not str:
            raise CheckpointError("a storage whose name or place is no text")
        if len(pid) > 5 and pid[5] is not None:
            raise CheckpointError("it holds a view of a storage, as PyTorch before 0.4 wrote them")
        return self._load(str(kind), key, location, count)

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in (("torch._utils", "_rebuild_tensor_v2"), ("torch._utils", "_rebuild_tensor")):
            return self._tensor
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return self._parameter
        if module in ("torch", "torch.storage") and name.endswith("Storage"):
            return _StorageType(name)
        return super().find_class(module, name)

    def _tensor(
        self, storage: Any, offset: Any, size: Any, stride: Any, requires_grad: Any = False, *rest: Any
    ) -> Any:
        array = _strided(storage, offset, size, stride, self.spend)
        return self._make(array, storage.location, requires_grad is True)

    def _parameter(self, data: Any, requires_grad: Any = True, hooks: Any = None) -> Any:
        if not isinstance(data, genesis.Tensor):
            raise CheckpointError(f"a parameter made of a {type(data).__name__}")
        return genesis.nn.Parameter(data, requires_grad is True)


class _Learner(_Reader):
    """Learns which storages there are, and makes no tensors."""

    def _tensor(self, *args: Any) -> Any:
        return object()

    def _parameter(self, *args: Any) -> Any:
        return object()


def _strided(storage: Any, offset: Any, size: Any, stride: Any, spend: Callable[[int], None]) -> Array:
    """The elements of a tensor, copied; nothing outside its storage is read."""
    if not isinstance(storage, _Storage):
        raise CheckpointError(f"a tensor over {type(storage).__name__} instead of a storage")
    if not isinstance(size, tuple | list) or not isinstance(stride, tuple | list):
        raise CheckpointError("a tensor whose size or stride is no tuple")
    numbers = [offset, *size, *stride]
    if len(size) != len(stride) or any(type(n) is not int or not 0 <= n < 1 << 63 for n in numbers):
        raise CheckpointError(
            "a tensor with offset, size and stride that do not fit together or are negative"
        )
    shape = tuple(size)
    if 0 in shape:
        return np.zeros(shape, storage.array.dtype)
    last = offset + sum((n - 1) * s for n, s in zip(shape, stride, strict=True))
    if last >= storage.array.size:
        raise CheckpointError(f"a tensor of shape {shape} reaches beyond its storage of {storage.array.size}")
    item = storage.array.itemsize
    spend(math.prod(shape) * item)
    view = np.lib.stride_tricks.as_strided(storage.array[offset:], shape, [s * item for s in stride])
    return np.array(view).reshape(shape)


def _our_dtype(value: Any) -> Any:
    """Our dtype for PyTorch's, anything else as it is."""
    if not isinstance(value, _Dtype):
        return value
    try:
        return getattr(genesis, value)
    except AttributeError as error:
        raise CheckpointError(f"it holds the dtype torch.{value}, which Genesis has not got") from error
