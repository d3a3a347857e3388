"""Where compiled kernels live: every kernel is a small file of machine code, named by the hash of its text.

A file is never changed after it was written; another text, processor, Numba or Python has another name.
"""

from __future__ import annotations

import atexit
import hashlib
import importlib.util
import inspect
import logging  # noqa: F401 - before the lock below: of two, a fork takes first what was registered last
import os
import stat
import sys
import tempfile
import textwrap
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from genesis_cpu import _machine
from genesis_cpu._uninterrupted import uninterrupted

#: imported by every kernel: the names that its text may use
HEADER = """\
from numba import boolean, float32, float64, int8, int16, int32, int64, uint8, uint32, uint64
from genesis_cpu._halves import *
from genesis_cpu._math import *
from genesis_cpu._pointers import *
"""
_MAGIC = b"genesis kernel 1"

_lock = threading.RLock()
_alive: list[Any] = []  # machine code of Numba's goes away with the object that owns it

if hasattr(os, "register_at_fork"):  # a child must not get a compiler that a thread was in the middle of
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


@atexit.register
def _let_it_end() -> None:
    """The program must not take LLVM away from a thread that compiles."""
    with _lock:
        pass


#: called for each kernel that this process gets: its name, whether it had to be compiled, and the seconds
watcher: Callable[[str, bool, float], None] | None = None


# -- places ------------------------------------------------------------------------------------------------
def _candidates() -> Iterator[Path]:
    """The folders for kernels, the wanted one first; a file is read from any of them."""
    with suppress(RuntimeError):  # no home
        if chosen := os.environ.get("GENESIS_CACHE_DIR"):
            yield Path(chosen).expanduser() / "kernels"
        else:
            if sys.platform == "win32":
                base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
            elif sys.platform == "darwin":
                base = Path.home() / "Library" / "Caches"
            else:
                base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
            yield base / "genesis" / "kernels"
    with suppress(OSError):  # nowhere to write at all
        user = str(os.getuid()) if hasattr(os, "getuid") else "user"
        yield Path(tempfile.gettempdir()) / f"genesis-kernels-{user}"


def _trusted(path: Path) -> bool:
    """Whether nobody else can have written there; anybody may make folders among temporary files."""
    if path.name == "kernels" or not hasattr(os, "getuid"):
        return True
    found = path.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022


def folder() -> Path | None:
    """Where new kernels are kept: ``$GENESIS_CACHE_DIR/kernels``, else in the user's cache folder.

    Where that cannot be written, a folder among the temporary files; None when that is no place either, and
    kernels live as long as the process.
    """
    for path in _candidates():
        with suppress(OSError):
            path.mkdir(0o700, parents=True, exist_ok=True)
            if _trusted(path):
                with tempfile.TemporaryFile(dir=path):
                    return path
    return None


def _read(name: str) -> bytes | None:
    for path in _candidates():
        with suppress(OSError):
            if _trusted(path):
                whole = (path / name).read_bytes()
                start = len(_MAGIC) + 32
                code = whole[start:]
                # a file may be damaged by a full disk, or a machine that lost its power
                if whole[:start] == _MAGIC + hashlib.sha256(code).digest():
                    return code
    return None


def _write(name: str, code: bytes) -> None:
    errors = []
    for path in _candidates():
        temporary = None
        try:
            path.mkdir(0o700, parents=True, exist_ok=True)
            if not _trusted(path):
                raise PermissionError(f"{path} belongs to somebody else")
            descriptor, temporary = tempfile.mkstemp(dir=path, suffix=".tmp")
            with os.fdopen(descriptor, "wb") as file:
                file.write(_MAGIC + hashlib.sha256(code).digest() + code)
            os.replace(temporary, path / name)
        except OSError as error:  # it must not stop a computation
            errors.append(f"{path}: {error.strerror or error}")
            if temporary:
                with suppress(OSError):
                    os.unlink(temporary)
        else:
            if errors and os.environ.get("GENESIS_CACHE_DIR"):
                _warn(f"$GENESIS_CACHE_DIR cannot be used ({errors[0]}); compiled kernels are kept in {path}")
            return
    _warn(
        f"compiled kernels cannot be kept ({'; '.join(errors)}), so every process compiles them again; "
        "set GENESIS_CACHE_DIR to a folder that can be written"
    )


@cache
def _warn(text: str) -> None:
    """Say it once."""
    warnings.warn(text, RuntimeWarning, stacklevel=2)


# -- names -------------------------------------------------------------------------------------------------
@cache
def _stamp() -> bytes:
    """What machine code depends on besides its text: the processor, the compiler, and what is inlined."""
    from llvmlite import binding

    digest = hashlib.sha256(HEADER.encode())
    for package in ("numba", "llvmlite"):
        spec = importlib.util.find_spec(package)  # the version without the time that an import takes
        if spec is not None and spec.origin:
            digest.update(Path(spec.origin).with_name("_version.py").read_bytes())
    settings = sorted(f"{k}={v}" for k, v in os.environ.items() if k.startswith("NUMBA_") and k not in _IDLE)
    machine = (binding.get_process_triple(), binding.get_host_cpu_name())
    features = binding.get_host_cpu_features().flatten()
    digest.update("\n".join([*machine, features, str(sys.implementation.cache_tag), *settings]).encode())
    here = Path(__file__).parent
    for name in ("_ahead", "_blas_call", "_circle", "_gemm", "_halves", "_machine", "_math", "_numba",
                 "_panels", "_pointers", "_power", "_processor", "_strips", "_tile", "_vectors",
                 "fused/_attention_parts"):  # fmt: skip
        digest.update((here / f"{name}.py").read_bytes())
    return digest.digest()


#: settings of Numba's that change nothing in a kernel
_IDLE = {"NUMBA_NUM_THREADS", "NUMBA_THREADING_LAYER", "NUMBA_CACHE_DIR"}


def _stem(text: str, name: str) -> str:
    return f"{name}_{hashlib.sha256(_stamp() + text.encode()).hexdigest()[:32]}"


# -- kernels -----------------------------------------------------------------------------------------------
def build(text: str, name: str) -> Callable[..., Any]:
    """The function ``name`` that ``text`` defines; the names of ``HEADER`` are imported for it."""
    module = ModuleType(f"_genesis_cpu_{_stem(text, name)}")
    exec(compile(f"{HEADER}\n{text}", f"<{name}>", "exec"), module.__dict__)
    return getattr(module, name)  # type: ignore[no-any-return]


def machine_code(text: str, name: str) -> int:
    """The address of the kernel that ``text`` defines, from a file or compiled."""

    def compile_it(stem: str) -> bytes | int:
        from genesis_cpu import _numba

        function = build(text, name)
        try:
            return _numba.object_code(function, stem)
        except _numba.Unsupported:
            return _numba.address(function, _alive)

    return uninterrupted(lambda: _loaded(text, name, (), compile_it))[0]


def assembled(text: str, names: tuple[str, ...]) -> list[int]:
    """The addresses of functions that are written as LLVM instructions."""
    return uninterrupted(lambda: _loaded(text, names[0], names, lambda stem: _machine.assemble(text)))


def _loaded(
    text: str, title: str, names: tuple[str, ...], compile_it: Callable[[str], bytes | int]
) -> list[int]:
    """The addresses of ``names``; by default there is one function, called like its file."""
    with _lock:
        start = time.perf_counter()
        stem = _stem(text, title)
        names = names or (stem,)
        code: bytes | int | None = _read(f"{stem}.code")
        known = code is not None
        if code is None:
            code = compile_it(stem)
            if isinstance(code, bytes):
                _write(f"{stem}.code", code)
        found = [code] if isinstance(code, int) else _machine.load(code, *names)
        if watcher is not None:
            watcher(title.strip("_"), not known, time.perf_counter() - start)
        return found


def source(function: Callable[..., Any], **replace: str) -> str:
    """The text of a kernel written in this package; it begins with the definitions in ``replace``."""
    lines = textwrap.dedent(inspect.getsource(function)).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("def "))
    prologue = [f"{name} = {value}" for name, value in replace.items()]
    return "\n".join([*prologue, *lines[start:]]) + "\n"
