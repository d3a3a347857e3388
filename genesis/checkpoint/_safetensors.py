"""Writing safetensors files in pieces.

`safetensors.numpy.save_file` copies every array first, holding Python's lock meanwhile, so that a training
would stand still; here memory goes to the system as it is, and the lock is free while it does.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genesis._dtypes import as_dtype

with contextlib.suppress(ImportError):  # Windows has none
    import fcntl

HEADER_LIMIT = 100_000_000  # bytes; safetensors refuses to read longer headers
_PIECE = 1 << 24  # bytes given to the system at once
LARGE = 1 << 19  # bytes of a file that goes past the system's cache
_STEP = 1 << 22  # bytes of the buffer for that
_PAGE = 4096
_NAMES = {
    "bool": "BOOL", "bfloat16": "BF16", "float16": "F16", "float32": "F32", "float64": "F64",
    **{f"int{bits}": f"I{bits}" for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": f"U{bits}" for bits in (8, 16, 32, 64)},
}  # fmt: skip


def header(arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> tuple[bytes, list[str]]:
    """The beginning of a file with these arrays, and the order of the arrays after it.

    Raises:
        ValueError: it is longer than safetensors reads.
    """
    names = sorted(arrays, key=lambda name: (-arrays[name].itemsize, name))  # so that all are aligned
    entries: dict[str, Any] = {"__metadata__": dict(metadata)}
    place = 0
    for name in names:
        array = arrays[name]
        end = place + array.nbytes
        entries[name] = {
            "dtype": _NAMES[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [place, end],
        }
        place = end
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > HEADER_LIMIT:
        raise ValueError(
            f"the numbers, texts and names of this checkpoint take {len(text) / 1e6:.0f} MB, more than the "
            f"{HEADER_LIMIT / 1e6:.0f} MB of the format; save long lists of numbers as tensors"
        )
    return len(text).to_bytes(8, "little") + text, names


def write(path: str, arrays: Mapping[str, NDArray[Any]], start: bytes, names: list[str]) -> None:
    """Write to an existing file what `header` began.

    A large file goes past the system's cache, where its file system can do that: the copy into the cache
    takes more from a training beside it than all the rest, and what else is in the cache stays there.

    Raises:
        OSError: the system refused; the file is incomplete.
    """
    contents = [np.frombuffer(start, np.uint8), *(arrays[name].reshape(-1).view(np.uint8) for name in names)]
    size = sum(content.nbytes for content in contents)
    binary = getattr(os, "O_BINARY", 0)  # of Windows, which would change the ends of lines
    descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC | binary)
    try:
        direct = size >= LARGE and _past_the_cache(descriptor, True)
        for piece in _pages(contents, size) if direct else (content.data for content in contents):
            while piece:
                if direct and len(piece) % _PAGE:
                    direct = _past_the_cache(descriptor, False)
                try:
                    piece = piece[os.write(descriptor, piece[:_PIECE]) :]
                except OSError as error:
                    if not direct or error.errno != errno.EINVAL:
                        raise
                    direct = _past_the_cache(descriptor, False)  # this file system cannot do it after all
    finally:
        os.close(descriptor)


def _past_the_cache(descriptor: int, wanted: bool) -> bool:
    """Switch writes of whole pages past the system's cache on or off; whether they are on."""
    if not hasattr(os, "O_DIRECT"):
        return False
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL) & ~os.O_DIRECT
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | (os.O_DIRECT if wanted else 0))
    except OSError:
        return False  # file systems in memory, and some of a network
    return wanted


def _pages(contents: list[NDArray[Any]], size: int) -> Iterator[memoryview]:
    """The same bytes from memory that begins with a page, in whole pages, and the rest."""
    length = min(_STEP, -(-size // _PAGE) * _PAGE)
    buffer = np.empty(length + _PAGE, np.uint8)
    buffer = buffer[-buffer.ctypes.data % _PAGE :][:length]
    filled = 0
    for content in contents:
        while content.size:
            count = min(content.size, length - filled)
            np.copyto(buffer[filled : filled + count], content[:count])
            content, filled = content[count:], filled + count
            if filled == length:
                yield buffer.data
                filled = 0
    whole = filled - filled % _PAGE
    yield buffer[:whole].data
    yield buffer[whole:filled].data


def checksum(arrays: Mapping[str, NDArray[Any]], start: bytes, names: list[str]) -> str:
    """The SHA-256 of the file that `write` writes."""
    digest = hashlib.sha256(start)
    for name in names:
        digest.update(raw(arrays[name]))
    return digest.hexdigest()


def array(file: Any, name: str) -> NDArray[Any]:
    """An array of an opened safetensors file, of which NumPy has to know the type first."""
    if file.get_slice(name).get_dtype() == "BF16":
        as_dtype("bfloat16")
    found: NDArray[Any] = file.get_tensor(name)
    return found


def raw(array: NDArray[Any]) -> memoryview:
    """The bytes of a contiguous array."""
    return array.reshape(-1).view("uint8").data
