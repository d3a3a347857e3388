"""The file format of checkpoints: safetensors, with the structure and a checksum in its metadata.

Metadata, all of them text:

- ``genesis.format``: ``"1"`` for a checkpoint in one file, ``"2"`` for one in parts.
- ``genesis.tree``: the structure as JSON; `genesis.checkpoint._tree` describes it.
- ``genesis.providers``: who supplied which part, as JSON; `genesis.checkpoint._providers` writes it. Not
  there if nothing is known.
- ``genesis.parts``, of format 2 only: the files with the arrays, as JSON; `genesis.checkpoint._parts`
  writes it.
- ``genesis.sha256``: of the tree and of every array's name, type, shape and bytes, in the order of the names,
  and of the providers. In format 2 of tree, providers and parts, which have checksums of the arrays.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from safetensors import SafetensorError, safe_open

import genesis
from genesis._errors import CheckpointError, DeviceError, GenesisError, UnknownNameError
from genesis.checkpoint import _parts, _providers, _safetensors
from genesis.checkpoint._atomic import atomic_write
from genesis.checkpoint._tree import Array, flatten, unflatten

if TYPE_CHECKING:
    from genesis import Tensor, device

_FORMATS = ("1", "2")
_HEADER_LIMIT = _safetensors.HEADER_LIMIT


class Snapshot(NamedTuple):
    """A checkpoint that is not written yet: its texts, and its arrays by name."""

    tree: object
    arrays: dict[str, Array]
    providers: str


def take(obj: object, keep: Callable[[str, Array], Array] | None = None) -> Snapshot:
    """Take nested values apart; ``keep`` is given the name of each array and returns what to write later.

    Raises:
        TypeError, ValueError: as `save_checkpoint`.
    """
    tree, arrays = flatten(obj, keep)
    return Snapshot(tree, arrays, _providers.collect(obj))


def save_checkpoint(
    obj: object, path: str | os.PathLike[str], *, max_shard_size: int | str | None = None
) -> None:
    """Write nested Python values and tensors to one file, completely or not at all.

    ``obj`` may hold dicts (keys str or int), lists, tuples, tensors, NumPy arrays and scalars, int, float,
    bool, str and None; their subclasses are saved as the plain type. The file is written beside ``path``,
    flushed to the disk and renamed: after a crash there is the old file or the new one, never a part of
    one. Tensors that share memory are saved once each.

    Args:
        obj: what to save, usually a dict of state dicts.
        path: the file; an existing one is replaced. Any extension will do.
        max_shard_size: bytes, or a text such as ``"2GB"``. A larger state is written as several safetensors
            files beside ``path``, each of at most this size unless a single tensor is larger, and ``path``
            itself, written last, lists them. None writes one file.

    Raises:
        TypeError: ``obj`` holds something else; the message says where, as in ``checkpoint['optimizer'][3]``.
        ValueError: it is nested too deeply or contains itself, or its numbers and texts exceed 100 MB.
        FileNotFoundError: the folder does not exist.
        CheckpointError: the file could not be written; an existing one is as it was.

    Example:
        >>> genesis.save_checkpoint({"epoch": 3, "model": model.state_dict()}, "last.pth")
    """
    limit = _parts.size(max_shard_size)
    write(take(obj), path, limit)


def write(snapshot: Snapshot, path: str | os.PathLike[str], max_shard_size: int | None = None) -> None:
    """Write what `take` took; for errors see `save_checkpoint`."""
    tree, arrays = json.dumps(snapshot.tree, separators=(",", ":"), allow_nan=False), snapshot.arrays
    metadata = {"genesis.format": "1", "genesis.tree": tree}
    if snapshot.providers:
        metadata["genesis.providers"] = snapshot.providers
    try:
        if max_shard_size is not None and sum(array.nbytes for array in arrays.values()) > max_shard_size:
            _parts.write(path, arrays, metadata, max_shard_size)
            return
        metadata["genesis.sha256"] = checksum(tree, arrays, snapshot.providers)
        start, names = _safetensors.header(arrays, metadata)
        with atomic_write(path) as temporary:
            _safetensors.write(temporary, arrays, start, names)
    except (FileNotFoundError, IsADirectoryError):
        raise
    except OSError as error:
        raise CheckpointError(f"cannot write the checkpoint {os.fspath(path)!r}: {error}") from error
    _parts.remove_others(path, [])  # of a larger checkpoint that was here


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
        OSError: the system could not read it now, which says nothing about the file.
        DeviceError: a tensor's device is not available here; choose another by ``map_location``.

    Example:
        >>> state = genesis.load_checkpoint("last.pth", map_location="cpu")
    """
    if map_location is not None and not isinstance(map_location, str | Mapping | genesis.device):
        raise TypeError(f"map_location must be a device, its name, a mapping or None, got {map_location!r}")
    name = os.fspath(path)
    metadata, arrays = read(name)
    _providers.warn_of_missing(name, metadata.get("genesis.providers", ""))

    def make(array: Array, saved_on: str, requires_grad: bool) -> Tensor:
        return make_tensor(name, map_location, array, saved_on, requires_grad)

    try:
        return unflatten(json.loads(metadata["genesis.tree"]), arrays, make)
    except GenesisError:
        raise
    except (ValueError, TypeError, LookupError, AttributeError, RuntimeError, OverflowError) as error:
        # its checksum is right: somebody, or another program, made it so
        raise CheckpointError(
            f"the checkpoint {name!r} is damaged: {type(error).__name__}: {error}"
        ) from error


#: errors that say nothing about the file: it may be read well another time
_PASSING = frozenset(
    (errno.EIO, errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ETIMEDOUT)
)


def read(name: str) -> tuple[dict[str, str], dict[str, Array]]:
    """The texts and the arrays of a checkpoint, when all of it is as it was written."""
    metadata = read_metadata(name)
    try:
        if metadata["genesis.format"] == "2":
            _check(name, metadata, {})
            return metadata, _parts.read(name, metadata["genesis.parts"])
        with safe_open(name, framework="np") as file:
            arrays: dict[str, Array] = {key: _safetensors.array(file, key) for key in file.keys()}  # noqa: SIM118 - no dict
        _check(name, metadata, arrays)
    except (
        SafetensorError, LookupError, ValueError, TypeError, AttributeError, RecursionError, OSError
    ) as error:  # fmt: skip
        if isinstance(error, GenesisError) or (isinstance(error, OSError) and error.errno in _PASSING):
            raise
        raise CheckpointError(f"the checkpoint {name!r} is damaged: {error}") from error
    return metadata, arrays


def _check(name: str, metadata: Mapping[str, str], arrays: Mapping[str, Array]) -> None:
    """Compare the checksum."""
    expected = metadata["genesis.sha256"]
    known, parts = metadata.get("genesis.providers", ""), metadata.get("genesis.parts", "")
    found = checksum(metadata["genesis.tree"], arrays, known, parts)
    if found != expected:
        raise CheckpointError(
            f"the checkpoint {name!r} is damaged: the SHA-256 of its content is {found[:12]}..., "
            f"but {expected[:12]}... was written; restore the file from a copy"
        )


def verify(path: str | os.PathLike[str]) -> None:
    """Read a checkpoint, all files of it, and compare its checksums; nothing is made of it.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: it is truncated, damaged, written by a newer Genesis, or no Genesis checkpoint.

    Example:
        >>> genesis.checkpoint.verify("last.pth")
    """
    name = os.fspath(path)
    metadata = read_metadata(name)
    if metadata.get("genesis.format") == "2":
        try:
            _check(name, metadata, {})
            for part in _parts.listed(metadata["genesis.parts"]):
                _parts.check(name, part)
        except (LookupError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise CheckpointError(f"the checkpoint {name!r} is damaged: {error}") from error
    else:
        read(name)


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


def checksum(tree: str, arrays: Mapping[str, Array], providers: str = "", parts: str = "") -> str:
    """What ``genesis.sha256`` says."""
    digest = hashlib.sha256(tree.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(json.dumps([name, array.dtype.name, array.shape]).encode())
        digest.update(_safetensors.raw(array))
    digest.update(providers.encode())
    digest.update(parts.encode())
    return digest.hexdigest()


def _check_header(name: str) -> None:
    """Say what is wrong with a file before safetensors does, whose errors are about its own internals."""
    size = os.path.getsize(name)
    if size == 0 and not os.path.isdir(name):  # before it is opened: a named pipe would wait for a writer
        raise CheckpointError(f"{name!r} is an empty file, not a checkpoint")
    with open(name, "rb") as file:
        start = file.read(9)
        length = int.from_bytes(start[:8], "little")
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
        header = read_header(text)
        metadata = header.pop("__metadata__", {})
        end = 8 + length + max((entry["data_offsets"][1] for entry in header.values()), default=0)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"the checkpoint {name!r} is damaged: header unreadable ({error})") from error
    if not isinstance(metadata, dict):
        raise CheckpointError(f"the checkpoint {name!r} is damaged: its metadata are no dict")
    version = metadata.get("genesis.format")
    if version is None:
        raise CheckpointError(
            f"{name!r} is a safetensors file, but not a Genesis checkpoint; genesis.load reads it"
        )
    if version not in _FORMATS:
        raise CheckpointError(
            f"the checkpoint {name!r} has format {version!r}, and this version of Genesis reads "
            f"{' and '.join(_FORMATS)}; "
            "it was written by a newer Genesis, or is damaged"
        )
    if size != end:
        what = "truncated" if size < end else "damaged"
        raise CheckpointError(f"the checkpoint {name!r} is {what}: it has {size} bytes instead of {end}")


def read_header(text: bytes) -> dict[str, Any]:
    """The header of a safetensors file.

    Raises:
        ValueError: it is no JSON object, or has a name twice, of which readers would take one or the other.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a name is there twice")
        return found

    header = json.loads(text, object_pairs_hook=once)
    if not isinstance(header, dict):
        raise ValueError("it is no JSON object")
    return header


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
