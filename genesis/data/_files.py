"""Reading the packaged files, and IDX files, the format of MNIST and its relatives."""

from __future__ import annotations

import gzip
import math
import zlib
from importlib.resources import files
from io import BufferedReader
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genesis._errors import DataError

_PART = 1 << 24


def packaged(name: str) -> bytes:
    """The content of a file in ``genesis/data/files``."""
    try:
        return files("genesis.data").joinpath("files", name).read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"the packaged data file {name!r} is missing; install Genesis again") from error


def find(folder: Path, name: str) -> Path | None:
    """``name`` or ``name.gz`` in this folder, if one is there."""
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def read_idx(path: Path, shape: tuple[int | None, ...]) -> NDArray[np.uint8]:
    """An IDX file of bytes, plain or gzip, as an array.

    Args:
        path: the file; gzip is recognized by its content.
        shape: the expected shape; None stands for any length.

    Raises:
        DataError: the file is truncated, or is something else.
    """
    with path.open("rb") as file:
        packed = file.peek(2)[:2] == b"\x1f\x8b"
        try:
            with gzip.GzipFile(fileobj=file) if packed else file as source:
                return _idx(source, path, shape)
        except (EOFError, OSError, zlib.error) as error:
            raise DataError(f"{str(path)!r} is a truncated or damaged gzip file: {error}") from error


def _idx(
    source: gzip.GzipFile | BufferedReader, path: Path, shape: tuple[int | None, ...]
) -> NDArray[np.uint8]:
    # The header: two zero bytes, the type (8: unsigned bytes), the number of dimensions, their lengths,
    # big-endian.
    start = 4 + 4 * len(shape)
    content = source.read(start)
    if content[:4] != bytes([0, 0, 8, len(shape)]):
        raise DataError(
            f"{str(path)!r} is not an IDX file of bytes with {len(shape)} dimensions: it begins with "
            f"{content[:4].hex(' ') or 'nothing'} instead of 00 00 08 0{len(shape)}"
        )
    if len(content) < start:
        raise DataError(
            f"{str(path)!r} is truncated: it ends after {len(content)} of {start} bytes of its header"
        )
    lengths = tuple(int.from_bytes(content[i : i + 4], "big") for i in range(4, start, 4))
    if any(wanted not in (None, found) for wanted, found in zip(shape, lengths, strict=True)):
        expected = ", ".join("any" if wanted is None else str(wanted) for wanted in shape)
        raise DataError(f"{str(path)!r} holds an array of shape {lengths}, expected ({expected})")
    # No more is read than the header says, and a little at a time: it may say too much, and a small file of
    # gzip may become a large one.
    size, parts, found = math.prod(lengths), [], 0
    while found <= size and (part := source.read(min(size + 1 - found, _PART))):
        parts.append(part)
        found += len(part)
    if found < size:
        raise DataError(
            f"{str(path)!r} is truncated: it has {start + found} bytes instead of {start + size} "
            f"for {lengths}"
        )
    if found > size:
        has = "more" if isinstance(source, gzip.GzipFile) else f"{path.stat().st_size} bytes"
        raise DataError(f"{str(path)!r} is damaged: it has {has} instead of {start + size} for {lengths}")
    if any(length > 1 << 31 for length in lengths):  # beside one of 0, else the file would be as large
        raise DataError(f"{str(path)!r} is damaged: it holds an array of shape {lengths}")
    return np.frombuffer(b"".join(parts), np.uint8).reshape(lengths)
