"""Where compiled kernels live: every kernel is a file of machine code, named by the hash of its text.

A file is never changed after it was written; another text, architecture, compiler or Python has another name.
So a process that finds its kernels does not import Numba.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path

_MAGIC = b"genesis cubin 1\n"
_COMPILERS = ("numba-cuda", "numba", "llvmlite", "nvidia-nvvm", "nvidia-nvjitlink", "cuda-core")

#: the modules that kernels call, and those that make machine code of them
FUNCTIONS = (
    "_chunks",
    "_cuda",
    "_intrinsics",
    "_typed",
    "_scalars",
    "_block",
    "_order",
    "_philox",
    "_shares",
    "_tiles",
    "_windows",
)

#: called for each kernel that this process gets: its name, whether it had to be compiled, and the seconds
watcher: Callable[[str, bool, float], None] | None = None


@cache
def folder() -> Path | None:
    """``$GENESIS_CACHE_DIR/cuda``, else in the user's cache folder; None where neither can be written."""
    if chosen := os.environ.get("GENESIS_CACHE_DIR"):
        path = Path(chosen).expanduser() / "cuda"
    elif sys.platform == "win32":
        path = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "genesis" / "cuda"
    else:
        path = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "genesis" / "cuda"
    with suppress(OSError):
        path.mkdir(0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            return path
    return None


@cache
def _stamp() -> bytes:
    """What machine code depends on besides its text and architecture: the compiler, and what is called."""
    digest = hashlib.sha256(str(sys.implementation.cache_tag).encode())
    for package in _COMPILERS:
        with suppress(metadata.PackageNotFoundError):
            digest.update(f"{package} {metadata.version(package)}\n".encode())
    here = Path(__file__).parent
    for name in FUNCTIONS:
        digest.update((here / f"{name}.py").read_bytes())
    return digest.digest()


def stem(name: str, *parts: str) -> str:
    """The name of the file for a kernel."""
    digest = hashlib.sha256(_stamp())
    for part in parts:
        digest.update(part.encode() + b"\0")
    return f"{name}_{digest.hexdigest()[:32]}.cubin"


def read(name: str) -> tuple[str, bytes] | None:
    """The entry and the machine code, or None where there is no such file, or a damaged one."""
    path = folder()
    if path is None:
        return None
    with suppress(OSError):
        whole = (path / name).read_bytes()
        start = len(_MAGIC) + 32
        rest = whole[start:]
        if whole[:start] == _MAGIC + hashlib.sha256(rest).digest():
            entry, _, code = rest.partition(b"\n")
            return entry.decode(), code
    return None


def write(name: str, entry: str, code: bytes) -> None:
    """Keep it; where that is not possible, the next process compiles it again."""
    path = folder()
    if path is None:
        return
    rest = entry.encode() + b"\n" + code
    with suppress(OSError):
        descriptor, temporary = tempfile.mkstemp(dir=path, suffix=".tmp")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(_MAGIC + hashlib.sha256(rest).digest() + rest)
            os.replace(temporary, path / name)
        except OSError:
            with suppress(OSError):
                os.unlink(temporary)
