"""The file format of checkpoints: safetensors, with the structure and a checksum in its metadata.

Metadata of format 1, all of them text:

- ``genesis.format``: ``"1"``.
- ``genesis.tree``: the structure as JSON; `genesis.checkpoint._tree` describes it.
- ``genesis.providers``: who supplied which part, as JSON; `genesis.checkpoint._providers` writes it. Not
  there if nothing is known.
- ``genesis.sha256``: of the tree and of every array's name, type, shape and bytes, in the order of the names,
  and of the providers.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

import genesis
from genesis._errors import CheckpointError, DeviceError, UnknownNameError
from genesis.checkpoint import _providers
from genesis.checkpoint._atomic import atomic_write
from genesis.checkpoint._tree import Array, flatten, unflatten

if TYPE_CHECKING:
    from genesis import Tensor, device

_FORMAT = 1
_HEADER_LIMIT = 100_000_000  # bytes; safetensors writes longer headers but refuses to read them


def save_checkpoint(obj: object, path: str | os.PathLike[str]) -> None:
    """Write nested Python values and tensors to one file, completely or not at all.

    ``obj`` may hold dicts (keys str or int), lists, tuples, tensors, NumPy arrays and scalars, int, float,
    bool, str and None; their subclasses are saved as the plain type. The file is written beside ``path``,
    flushed to the disk and renamed: after a crash there is the old file or the new one, never a part of
    one. Tensors that share memory are saved once each.

    Args:
        obj: what to save, usually a dict of state dicts.
        path: the file; an existing one is replaced. Any extension will do.

    Raises:
        TypeError: ``obj`` holds something else; the message says where, as in ``checkpoint['optimizer'][3]``.
        ValueError: it is nested too deeply or contains itself, or its numbers and texts exceed 100 MB.
        FileNotFoundError: the folder does not exist.
        CheckpointError: the file could not be written; an existing one is as it was.

    Example:
        >>> genesis.save_checkpoint({"epoch": 3, "model": model.state_dict()}, "last.pth")
    """
    structure, arrays = flatten(obj)
    tree = json.dumps(structure, separators=(",", ":"), allow_nan=False)
    metadata = {"genesis.format": str(_FORMAT), "genesis.tree": tree}
    if known := _providers.collect(obj):
        metadata["genesis.providers"] = known
    metadata["genesis.sha256"] = _checksum(tree, arrays, known)
    # The tree is quoted once more inside the header, which lists the arrays too: 200 bytes each and their
    # names twice.
    if len(json.dumps(tree)) + sum(200 + 12 * len(name) for name in arrays) > _HEADER_LIMIT:
        raise ValueError(
            f"the numbers, texts and names of this checkpoint take {len(tree) / 1e6:.0f} MB, more than the "
            f"{_HEADER_LIMIT / 1e6:.0f} MB of the format; save long lists of numbers as tensors"
        )
    try:
        with atomic_write(path) as temporary:
            save_file(arrays, temporary, metadata=metadata)
    except (FileNotFoundError, IsADirectoryError):
        raise
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"cannot write the checkpoint {os.fspath(path)!r}: {error}") from error


def read_metadata(path: str | os.PathLike[str]) -> dict[str, str]:
    """Read the texts of a checkpoint beside its tensors; for errors see `load_checkpoint`."""
    name = os.fspath(path)
    _check_header(name)
    try:
        with safe_open(name, framework="np") as file:
            metadata: dict[str, str] = file.metadata()
    except SafetensorError as error:
        raise CheckpointError(f"the checkpoint {name!r} is damaged: {error}") from error
    return metadata


def load_checkpoint(
    path: str | os.PathLike[str], map_location: str | device | Mapping[str, str] | None = None
) -> Any:
    """Read what `save_checkpoint` wrote, after checking that its content is as it was written.

    Nothing in the file is executed. What a plugin supplied that is not installed here costs a
    `PluginWarning`, which names its distribution; the values are read all the same. Tensors come back on the
    device they were saved from, with their ``requires_grad``.

    Args:
        path: the file.
        map_location: a device for all tensors, or a mapping from the devices in the file to others, such as
            ``{"cuda:0": "cpu"}``; None keeps each on its own.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: the file is truncated, damaged, written by a newer Genesis, or no Genesis checkpoint.
        DeviceError: a tensor's device is not available here; choose another by ``map_location``.

    Example:
        >>> state = genesis.load_checkpoint("last.pth", map_location="cpu")
    """
    if map_location is not None and not isinstance(map_location, str | Mapping | genesis.device):
        raise TypeError(f"map_location must be a device, its name, a mapping or None, got {map_location!r}")
    name = os.fspath(path)
    _check_header(name)
    try:
        with safe_open(name, framework="np") as file:
            metadata: dict[str, str] = file.metadata()
            arrays: dict[str, Array] = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no dict
        tree, expected = metadata["genesis.tree"], metadata["genesis.sha256"]
        known = metadata.get("genesis.providers", "")
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise CheckpointError(f"the checkpoint {name!r} is damaged: {error}") from error
    found = _checksum(tree, arrays, known)
    if found != expected:
        raise CheckpointError(
            f"the checkpoint {name!r} is damaged: the SHA-256 of its content is {found[:12]}..., "
            f"but {expected[:12]}... was written; restore the file from a copy"
        )

    _providers.warn_of_missing(name, known)

    def make(array: Array, saved_on: str, requires_grad: bool) -> Tensor:
        return make_tensor(name, map_location, array, saved_on, requires_grad)

    return unflatten(json.loads(tree), arrays, make)


def make_tensor(name: str, map_location: Any, array: Array, saved_on: str, requires_grad: bool) -> Tensor:
    """A tensor of the file ``name`` on the device that ``map_location`` says.

    Raises:
        DeviceError: the device is not available here.
    """
    wanted = map_location.get(saved_on, saved_on) if isinstance(map_location, Mapping) else map_location
    try:
        return genesis.tensor(array, device=wanted or saved_on, requires_grad=requires_grad)
    except (DeviceError, UnknownNameError) as error:
        raise DeviceError(
            f"the checkpoint {name!r} has tensors for device {str(wanted or saved_on)!r}: {error}; "
            "pass map_location='cpu' to load them elsewhere"
        ) from error


def _checksum(tree: str, arrays: Mapping[str, Array], providers: str = "") -> str:
    digest = hashlib.sha256(tree.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(json.dumps([name, array.dtype.name, array.shape]).encode())
        digest.update(array.reshape(-1).view("uint8").data)
    digest.update(providers.encode())
    return digest.hexdigest()


def _check_header(name: str) -> None:
    """Say what is wrong with a file before safetensors does, whose errors are about its own internals."""
    size = os.path.getsize(name)
    with open(name, "rb") as file:
        start = file.read(9)
        length = int.from_bytes(start[:8], "little")
        if size == 0:
            raise CheckpointError(f"{name!r} is an empty file, not a checkpoint")
        foreign = _foreign(start, length)
        if foreign:
            raise CheckpointError(f"{name!r} is not a Genesis checkpoint: {foreign}")
        if 8 + length > size:
            raise CheckpointError(
                f"the checkpoint {name!r} is truncated: it has {size} bytes, its header alone {8 + length}"
            )
        file.seek(8)
        text = file.read(length)
    try:
        header = json.loads(text)
        metadata = header.pop("__metadata__", {})
        end = 8 + length + max((entry["data_offsets"][1] for entry in header.values()), default=0)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"the checkpoint {name!r} is damaged: header unreadable ({error})") from error
    version = metadata.get("genesis.format")
    if version is None:
        raise CheckpointError(
            f"{name!r} is a safetensors file, but not a Genesis checkpoint; genesis.load reads it"
        )
    if version != str(_FORMAT):
        raise CheckpointError(
            f"the checkpoint {name!r} has format {version!r}, and this version of Genesis reads {_FORMAT}; "
            "it was written by a newer Genesis, or is damaged"
        )
    if size != end:
        what = "truncated" if size < end else "damaged"
        raise CheckpointError(f"the checkpoint {name!r} is {what}: it has {size} bytes instead of {end}")


def _foreign(start: bytes, length: int) -> str:
    if length <= _HEADER_LIMIT and start[8:9] == b"{":
        return ""  # first: the length of a header may have the same bytes as the beginning of a pickle
    if start.startswith(b"PK\x03\x04"):
        return "it is a ZIP archive, as torch.save and numpy.savez write; genesis.load reads the former"
    if start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return (
            "it is a pickle, which can run any code when it is loaded; genesis.load reads those of torch.save"
        )
    if len(start) < 9:
        return f"it has only {len(start)} bytes"
    return "it does not begin like a safetensors file"
