"""Reading the packaged files, and IDX files, the format of MNIST and its relatives."""

from __future__ import annotations

import gzip
import math
import zlib
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genesis._errors import DataError


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
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (EOFError, OSError, zlib.error) as error:
            raise DataError(f"{str(path)!r} is a truncated or damaged gzip file: {error}") from error
    # The header: two zero bytes, the type (8: unsigned bytes), the number of dimensions, their lengths,
    # big-endian.
    start = 4 + 4 * len(shape)
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
    size = start + math.prod(lengths)
    if len(content) != size:
        what = "truncated" if len(content) < size else "damaged"
        raise DataError(
            f"{str(path)!r} is {what}: it has {len(content)} bytes instead of {size} for {lengths}"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(lengths)
