"""Checkpoints in several files: the arrays in parts, each a safetensors file, and one that lists them.

The list is written last, so parts without it are of a save that was cut off. The names of parts have random
letters: those of a new checkpoint never replace those of the one before it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from safetensors import safe_open

from genesis._errors import CheckpointError
from genesis.checkpoint import _safetensors
from genesis.checkpoint._atomic import atomic_write

_PART = re.compile(r"(.+)\.[0-9a-f]{8}-\d{5}-of-\d{5}\.safetensors")
_UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


def size(value: int | str | None) -> int | None:
    """The bytes that ``max_shard_size`` stands for.

    Raises:
        ValueError: none.
    """
    match = re.fullmatch(r"(\d+)\s*([A-Za-z]*)", str(value))
    if value is None or (match and int(match[1]) > 0 and match[2].upper() in _UNITS):
        return None if value is None or not match else int(match[1]) * _UNITS[match[2].upper()]
    raise ValueError(f"max_shard_size is a number of bytes or a text such as '2GB', got {value!r}")


def write(
    path: str | os.PathLike[str],
    arrays: Mapping[str, NDArray[Any]],
    metadata: dict[str, str],
    limit: int,
) -> None:
    """Write the parts of a checkpoint, then the file that lists them, and remove those of the file before.

    Raises:
        OSError: the system refused; what was there before is as it was.
    """
    from genesis.checkpoint._format import checksum

    target = os.path.realpath(os.fspath(path))
    groups = _grouped(arrays, limit)
    token, made, parts = secrets.token_hex(4), [], []
    try:
        for number, group in enumerate(groups, 1):
            name = f"{target}.{token}-{number:05}-of-{len(groups):05}.safetensors"
            start, names = _safetensors.header(group, {"format": "np"})
            made.append(name)
            with atomic_write(name) as temporary:
                _safetensors.write(temporary, group, start, names)
            digest = _safetensors.checksum(group, start, names)
            bytes_ = len(start) + sum(array.nbytes for array in group.values())
            parts.append({"file": os.path.basename(name), "bytes": bytes_, "sha256": digest, "names": names})
        text = json.dumps(parts, separators=(",", ":"))
        metadata = {**metadata, "genesis.format": "2", "genesis.parts": text}
        metadata["genesis.sha256"] = checksum(
            metadata["genesis.tree"], {}, metadata.get("genesis.providers", ""), text
        )
        start, names = _safetensors.header({}, metadata)
        with atomic_write(target) as temporary:
            _safetensors.write(temporary, {}, start, names)
    except BaseException:
        if not _lists(target, token):  # the rename may have been done, and the flush of the folder not
            _remove(made)
        raise
    remove_others(target, [os.path.basename(name) for name in made])


def _grouped(arrays: Mapping[str, NDArray[Any]], limit: int) -> list[dict[str, NDArray[Any]]]:
    groups: list[dict[str, NDArray[Any]]] = []
    filled = 0
    for name, array in arrays.items():
        if not groups or filled + array.nbytes > limit:
            groups.append({})
            filled = 0
        groups[-1][name] = array
        filled += array.nbytes
    return groups


def listed(text: str) -> list[dict[str, Any]]:
    """The parts that the metadata ``genesis.parts`` lists.

    Raises:
        ValueError: it is no list of parts, or has a part twice, which would be read as often.
    """
    parts: list[dict[str, Any]] = json.loads(text)
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise ValueError("the list of its parts is none")
    for part in parts:
        for key, kind in (("file", str), ("bytes", int), ("sha256", str), ("names", list)):
            if not isinstance(part.get(key), kind):
                raise ValueError(f"a part without {key!r}")
        name = os.path.basename(part["file"])
        if "\0" in name or name in ("", ".", "..") or len(name.encode("utf-8", "surrogatepass")) > 255:
            raise ValueError(f"a part called {name!r:.80}")
    files = {os.path.basename(part["file"]) for part in parts}
    names = [name for part in parts for name in part["names"] if isinstance(name, str)]
    if len(files) != len(parts) or len(set(names)) != sum(len(part["names"]) for part in parts):
        raise ValueError("a part or the name of an array is there twice")
    return parts


def check(name: str, part: Mapping[str, Any]) -> str:
    """The path of a part of the checkpoint ``name``, whose checksum was compared.

    Raises:
        CheckpointError: it is missing or damaged.
    """
    path = os.path.join(os.path.dirname(os.path.realpath(name)), os.path.basename(part["file"]))
    digest, length = hashlib.sha256(), 0
    try:
        with open(path, "rb", buffering=0) as file:
            while piece := file.read(1 << 24):
                digest.update(piece)
                length += len(piece)
    except FileNotFoundError:
        raise CheckpointError(
            f"the checkpoint {name!r} is incomplete: its part {path!r} is missing"
        ) from None
    if digest.hexdigest() != part["sha256"]:
        what = "is truncated" if length < part["bytes"] else "is damaged"
        raise CheckpointError(
            f"the checkpoint {name!r} is damaged: its part {path!r} {what}, with {length} of {part['bytes']} "
            f"bytes and the SHA-256 {digest.hexdigest()[:12]}... instead of {part['sha256'][:12]}..."
        )
    return path


def read(name: str, text: str) -> dict[str, NDArray[Any]]:
    """The arrays of all parts.

    Raises:
        CheckpointError: a part is missing or damaged.
    """
    arrays: dict[str, NDArray[Any]] = {}
    for part in listed(text):
        with safe_open(check(name, part), framework="np") as file:
            arrays.update((key, _safetensors.array(file, key)) for key in part["names"])
    return arrays


def whole_of(file_name: str) -> str | None:
    """The name of the checkpoint that a file is a part of, by its name; None if it is none."""
    match = _PART.fullmatch(file_name)
    return match[1] if match else None


def remove_others(path: str | os.PathLike[str], kept: Collection[str]) -> None:
    """Remove the parts of the checkpoint at ``path`` but those with these names, as far as that goes."""
    target = Path(os.path.realpath(os.fspath(path)))
    names = os.listdir(target.parent)
    _remove([str(target.with_name(n)) for n in names if whole_of(n) == target.name and n not in kept])


def _lists(path: str, token: str) -> bool:
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return f".{token}-".encode() in file.read()
    return False


def _remove(paths: list[str]) -> None:
    for path in paths:
        with contextlib.suppress(OSError):
            os.unlink(path)
