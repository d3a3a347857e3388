"""``genesis.save`` and ``genesis.load``: Genesis' own files, PyTorch's, and safetensors."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

import genesis
from genesis._errors import CheckpointError, GenesisError
from genesis.checkpoint._atomic import atomic_write
from genesis.checkpoint._format import load_checkpoint, make_tensor, read_header, save_checkpoint
from genesis.checkpoint._pickled import MAGIC, read_pickle, write_pickle
from genesis.checkpoint._safetensors import HEADER_LIMIT

File = str | os.PathLike[str] | BinaryIO

_SAFETENSORS = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U8": "u1", "BOOL": "?",
}  # fmt: skip


def save(
    obj: object,
    f: File,
    pickle_module: Any = None,
    pickle_protocol: int = 2,
    _use_new_zipfile_serialization: bool = True,
    *,
    format: str = "genesis",
) -> None:
    """Write nested Python values and tensors to a file, or any objects that Python can pickle.

    Args:
        obj: what to save, usually a dict of state dicts. A whole model, an optimizer or an object of the
            script's makes the file a pickle, which ``load`` reads with ``weights_only=False`` only.
        f: name of the file, or a file opened for writing bytes.
        pickle_module, pickle_protocol: for a pickle, what writes it and its protocol, 4 or later.
        format: ``"genesis"``: what ``save_checkpoint`` writes, checked when it is read. ``"torch"``: what
            ``torch.load`` reads, also with ``weights_only=True``; no whole objects.

    The file is replaced completely or not at all.

    Raises:
        TypeError: ``obj`` holds something else than numbers, texts, containers and tensors, and the format
            is PyTorch's.
        pickle.PicklingError, AttributeError: it holds what Python cannot pickle, such as a lambda.
        ValueError: there is no such format.

    Example:
        >>> genesis.save(model.state_dict(), "weights.pth", format="torch")
    """
    if format not in ("genesis", "torch"):
        raise ValueError(f"format must be 'genesis' or 'torch', got {format!r}")
    if not isinstance(f, str | os.PathLike):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "file"
            save(obj, path, pickle_module, pickle_protocol, format=format)
            f.write(path.read_bytes())
        return
    whole = io.BytesIO()  # errors come before an existing file is touched
    if format == "genesis":
        try:
            return save_checkpoint(obj, f)
        except TypeError:  # objects
            write_pickle(obj, whole, pickle_module, pickle_protocol)
    else:
        from genesis.checkpoint._torch_writer import write_torch

        write_torch(obj, whole)
    with atomic_write(f) as temporary:
        Path(temporary).write_bytes(whole.getbuffer())


def load(
    f: File,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """Read a file of Genesis, of ``torch.save``, or in the format safetensors.

    Nothing in it is executed, unless it holds whole objects and ``weights_only=False`` allows them.

    A tensor that PyTorch saved on a device that is not here needs ``map_location``, as in PyTorch.

    Args:
        f: name of the file, or a file opened for reading bytes.
        map_location: a device, a mapping from devices in the file to others, or a function as PyTorch's: with
            any function tensors stay on the CPU. None keeps each where it was.
        weights_only: False reads whole objects that ``genesis.save`` wrote, models for instance, which can
            run any code: only for files that you trust. Other files are read as with True, the default.
        pickle_module, mmap, pickle_load_args: PyTorch's; they have no effect.

    Returns:
        What was saved. Of a safetensors file a dict of its tensors.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: the file is damaged, of another kind, or holds something else than tensors, numbers,
            texts and plain containers.
        DeviceError: a tensor's device is not available here; choose another by ``map_location``.
    """
    where = "cpu" if callable(map_location) and not isinstance(map_location, genesis.device) else map_location
    trusted = weights_only is False
    if not isinstance(f, str | os.PathLike):
        return _loaded(f, getattr(f, "name", "<file>"), where, trusted)
    with open(f, "rb") as file:
        return _loaded(file, os.fspath(f), where, trusted)


def _loaded(file: BinaryIO, name: str, where: Any, trusted: bool) -> Any:
    start = file.read(len(MAGIC))
    length = int.from_bytes(start[:8], "little")
    file.seek(0)
    if start == MAGIC:
        return read_pickle(file, name, where, trusted)

    def make(array: Any, saved_on: str, requires_grad: bool) -> Any:
        return make_tensor(name, where, array, saved_on, requires_grad)

    if start.startswith(b"PK\x03\x04") or (start[:1] == b"\x80" and start[8:9] != b"{"):
        from genesis.checkpoint._torch_reader import read_torch

        return read_torch(file, name, make)
    if start[8:9] == b"{":
        if length > file.seek(0, os.SEEK_END) - 8:
            raise CheckpointError(f"{name!r} is damaged, or no safetensors file: its header is cut off")
        if length > HEADER_LIMIT:
            raise CheckpointError(f"{name!r} is damaged, or no safetensors file: a header of {length} bytes")
        file.seek(8)
        header = file.read(length)
        if b'"genesis.format"' not in header:
            return _read_safetensors(header, file, name, make)
        file.seek(0)
    if hasattr(file, "fileno") and isinstance(name, str) and os.path.exists(name):
        return load_checkpoint(name, where)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(file.read())
        return load_checkpoint(path, where)


def _read_safetensors(header: bytes, file: BinaryIO, name: str, make: Callable[..., Any]) -> dict[str, Any]:
    """The tensors of a safetensors file of anybody's, read by its own header: NumPy knows no bfloat16."""
    from genesis.checkpoint._torch_reader import as_bfloat16

    data = file.read()
    out: dict[str, Any] = {}
    left = len(data)
    try:
        for key, entry in read_header(header).items():
            if key == "__metadata__":
                continue
            kind, (begin, end), shape = entry["dtype"], entry["data_offsets"], entry["shape"]
            if not all(type(n) is int for n in (begin, end)) or not 0 <= begin <= end <= len(data):
                raise CheckpointError(f"{name!r} is damaged: {key!r} lies outside the file")
            left -= end - begin
            if left < 0:
                raise CheckpointError(f"{name!r} is damaged: {key!r} lies where another tensor is")
            if not isinstance(shape, list) or not all(type(n) is int and n >= 0 for n in shape):
                raise CheckpointError(f"{name!r} is damaged: {key!r} has the shape {shape!r:.80}")
            part = data[begin:end]
            if kind == "BF16":
                array = as_bfloat16(np.frombuffer(part, "<u2"))
            elif kind in _SAFETENSORS:
                array = np.frombuffer(part, _SAFETENSORS[kind])
                array = array.astype(array.dtype.newbyteorder("="))
            else:
                raise CheckpointError(f"{name!r} holds {key!r} of type {kind}, which Genesis has not got")
            out[key] = make(array.reshape(shape), "cpu", False)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        if isinstance(error, GenesisError):
            raise
        raise CheckpointError(f"{name!r} is damaged, or no safetensors file: {error}") from error
    return out
