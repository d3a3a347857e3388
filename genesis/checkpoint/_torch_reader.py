"""PyTorch's files, read without PyTorch and without running anything that they hold.

Format of the archive: torch/csrc/jit/serialization and torch/serialization.py of PyTorch 2.13.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, ClassVar

import numpy as np
from numpy.typing import NDArray

import genesis
from genesis._errors import CheckpointError, DeviceError
from genesis._unpickling import DAMAGED, PLAIN, Unpickler, resolved

Array = NDArray[Any]
#: makes a tensor of an array, the place it was saved from, and its requires_grad
Make = Callable[[Array, str, bool], Any]

# How the elements of PyTorch's storages lie in the file, and what reads them; half precision becomes float32.
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
    except DAMAGED as error:
        raise CheckpointError(
            f"{name!r} is damaged, or no file of torch.save: {type(error).__name__}: {error}"
        ) from error


def _read_zip(file: BinaryIO, make: Make) -> Any:
    file.seek(0)
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        found = [n for n in names if n.endswith("data.pkl") and n.count("/") <= 1]
        if not found:
            raise CheckpointError("it is a ZIP archive without data.pkl, so torch.save did not write it")
        top = found[0][: -len("data.pkl")]
        if f"{top}constants.pkl" in names:
            raise CheckpointError("it is a TorchScript program, which is code; save its state_dict() instead")
        order = archive.read(f"{top}byteorder").decode() if f"{top}byteorder" in names else "little"
        storages: dict[str, _Storage] = {}

        def load(kind: str, key: str, location: str, count: int) -> _Storage:
            if key not in storages:
                storages[key] = _Storage(
                    _elements(kind, archive.read(f"{top}data/{key}"), count, order), location
                )
            return storages[key]

        return _Reader(io.BytesIO(archive.read(found[0])), load, make).load()


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
    kinds: dict[str, tuple[str, str, int]] = {}

    def note(kind: str, key: str, location: str, count: int) -> _Storage:
        kinds[key] = kind, location, count
        return _Storage(np.zeros(count, _numpy_type(kind)), location)

    _Reader(file, note, make).load()
    keys = plain()
    storages = {}
    for key in keys:
        kind, location, count = kinds[key]
        length = int.from_bytes(file.read(8), order)  # type: ignore[arg-type] # one of the two words
        if length != count:
            raise CheckpointError(f"storage {key!r} has {length} elements instead of {count}")
        size = count * _itemsize(kind)
        storages[key] = _Storage(_elements(kind, file.read(size), count, order), location)
    file.seek(start)
    return _Reader(file, lambda kind, key, location, count: storages[key], make).load()


def _numpy_type(kind: str) -> str:
    code = _STORAGES[kind]
    return "f4" if code in ("bfloat16", "f2") else code


def _itemsize(kind: str) -> int:
    code = _STORAGES[kind]
    return 2 if code == "bfloat16" else np.dtype(code).itemsize


def _elements(kind: str, data: bytes, count: int, order: str) -> Array:
    """The elements of a storage in the machine's byte order; half precision as float32."""
    if kind not in _STORAGES:
        raise CheckpointError(f"it holds a {kind}, and Genesis has no such element type")
    if len(data) < count * _itemsize(kind):
        raise CheckpointError(f"a storage is truncated: {len(data)} bytes for {count} elements of a {kind}")
    mark = "<" if order == "little" else ">"
    if _STORAGES[kind] == "bfloat16":
        return widen_bfloat16(np.frombuffer(data, f"{mark}u2", count))
    found = np.frombuffer(
        data, np.dtype(_STORAGES[kind]).newbyteorder("<" if order == "little" else ">"), count
    )
    return found.astype(_numpy_type(kind))


def widen_bfloat16(bits: Array) -> Array:
    """float32 numbers of which these are the upper 16 bits."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


class _Reader(Unpickler):
    names: ClassVar[Mapping[tuple[str, str], Any]] = {
        **PLAIN,
        ("torch", "Size"): lambda *args: genesis.Size(*args),
        ("torch", "device"): lambda *args: genesis.device(*args),
        ("torch.serialization", "_get_layout"): str,
        **{("torch", name): _Dtype(name) for name in _DTYPES},
    }

    def __init__(self, file: BinaryIO, load: Callable[[str, str, str, int], _Storage], make: Make) -> None:
        super().__init__(file)
        self._load, self._make = load, make

    def persistent_load(self, pid: Any) -> Any:
        if not isinstance(pid, tuple) or not pid or pid[0] != "storage":
            raise CheckpointError(f"unknown persistent id {pid!r:.80}")
        _, kind, key, location, count = pid[:5]
        if not isinstance(kind, _StorageType) or type(count) is not int or count < 0:
            raise CheckpointError(f"unknown storage {pid!r:.80}")
        if len(pid) > 5 and pid[5] is not None:
            raise CheckpointError("it holds a view of a storage, as PyTorch before 0.4 wrote them")
        return self._load(str(kind), str(key), str(location), count)

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
        array = _strided(storage, offset, size, stride)
        return self._make(array, storage.location, requires_grad is True)

    def _parameter(self, data: Any, requires_grad: Any = True, hooks: Any = None) -> Any:
        return genesis.nn.Parameter(data, requires_grad is True)


def _strided(storage: Any, offset: Any, size: Any, stride: Any) -> Array:
    """The elements of a tensor, copied; nothing outside its storage is read."""
    if not isinstance(storage, _Storage):
        raise CheckpointError(f"a tensor over {type(storage).__name__} instead of a storage")
    numbers = [offset, *size, *stride]
    if len(size) != len(stride) or any(type(n) is not int or n < 0 for n in numbers):
        raise CheckpointError(f"a tensor with offset {offset!r}, size {size!r}, stride {stride!r}")
    shape = tuple(size)
    if 0 in shape:
        return np.zeros(shape, storage.array.dtype)
    last = offset + sum((n - 1) * s for n, s in zip(shape, stride, strict=True))
    if last >= storage.array.size:
        raise CheckpointError(f"a tensor of shape {shape} reaches beyond its storage of {storage.array.size}")
    item = storage.array.itemsize
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
