"""What is in a checkpoint, without making anything of it."""

from __future__ import annotations

import json
import os
from typing import Any

from safetensors import SafetensorError, safe_open

from genesis._errors import CheckpointError, GenesisError
from genesis.checkpoint import _parts
from genesis.checkpoint._format import read_metadata
from genesis.checkpoint._providers import providers
from genesis.checkpoint._tree import unflatten

_DTYPES = {"BOOL": "bool", "BF16": "bfloat16", "F": "float", "I": "int", "U": "uint"}


def inspect(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return what a checkpoint holds, from its headers alone: checksums are for `verify`.

    Args:
        path: the file.

    Returns:
        A dict that JSON can hold but for numbers that are not finite: ``path``, ``format``, ``bytes`` (of
        all files), ``files``, ``tensors`` (for each its ``name``, ``dtype``, ``shape``, ``bytes`` and
        ``file``), ``content`` (the saved values, with a text such as ``"float32[3, 2] on cpu"`` for a
        tensor) and ``providers``.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: it is not a Genesis checkpoint, or damaged.

    Example:
        >>> genesis.checkpoint.inspect("last.pth")["content"]["epoch"]
        3
    """
    name = os.fspath(path)
    metadata = read_metadata(name)
    folder = os.path.dirname(os.path.realpath(name))
    try:
        files = [name]
        if metadata["genesis.format"] == "2":
            files += [
                os.path.join(folder, os.path.basename(part["file"]))
                for part in _parts.listed(metadata["genesis.parts"])
            ]
        tensors = [tensor for file in files for tensor in _tensors(file)]
        shown: dict[str, Any] = {tensor["name"]: f"{tensor['dtype']}{tensor['shape']}" for tensor in tensors}
        content = unflatten(json.loads(metadata["genesis.tree"]), shown, _described)
    except (
        SafetensorError, LookupError, ValueError, TypeError, AttributeError, RecursionError, OverflowError,
        OSError,
    ) as error:  # fmt: skip
        if isinstance(error, GenesisError):
            raise
        raise CheckpointError(f"the checkpoint {name!r} is damaged: {error}") from error
    return {
        "path": name,
        "format": metadata["genesis.format"],
        "bytes": sum(os.path.getsize(file) for file in files),
        "files": files,
        "tensors": tensors,
        "content": content,
        "providers": {place: [p._asdict() for p in made] for place, made in providers(name).items()},
    }


def _described(shown: Any, device: str, requires_grad: bool) -> Any:
    return f"{shown} on {device}"


def _tensors(file: str) -> list[dict[str, Any]]:
    found = []
    with safe_open(file, framework="np") as opened:
        for name in opened.keys():  # noqa: SIM118 - no dict
            part = opened.get_slice(name)
            kind, shape = part.get_dtype(), list(part.get_shape())
            bits = "".join(letter for letter in kind if letter.isdigit())
            dtype = _DTYPES.get(kind) or _DTYPES.get(kind.rstrip("0123456789"), kind) + bits
            count = 1
            for length in shape:
                count *= length
            size = count * (int(bits) // 8 if bits else 1)
            found.append({"name": name, "dtype": dtype, "shape": shape, "bytes": size, "file": file})
    return found
