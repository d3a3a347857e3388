"""Where compiled kernels live: every kernel is a small file whose name is the hash of its text.

Numba keeps its machine code beside a source file, so a kernel that has a file of its own is compiled once per
machine.  A file is never changed after it was written; another text has another name.
"""

from __future__ import annotations

import atexit
import hashlib
import inspect
import os
import shutil
import sys
import tempfile
import textwrap
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

#: imported by every kernel: the names that its text may use
HEADER = """\
from numba import boolean, float32, float64, int8, int16, int32, int64, uint8, uint32, uint64
from genesis_cpu._math import *
from genesis_cpu._pointers import *
"""


def _candidates() -> list[Path]:
    chosen = os.environ.get("GENESIS_CACHE_DIR")
    if chosen:
        return [Path(chosen).expanduser() / "kernels"]
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return [base / "genesis" / "kernels"]


@cache
def folder() -> Path | None:
    """The kernel folder: ``$GENESIS_CACHE_DIR/kernels``, else the user's cache folder, else a temporary one.

    None when nothing at all can be written; kernels then live as long as the process.
    """
    for path in _candidates():
        try:
            path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=path):
                return path
        except OSError:
            continue
    try:
        path = Path(tempfile.mkdtemp(prefix="genesis-kernels-"))
    except OSError:
        return None
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


@cache
def _stamp() -> str:
    """Kernels inline what these modules define: a change there makes another kernel."""
    here = Path(__file__).parent
    digest = hashlib.sha256(HEADER.encode())
    inlined = ("_circle", "_gemm", "_math", "_panels", "_pointers", "_power", "_team", "_tile")
    for name in inlined:
        digest.update((here / f"{name}.py").read_bytes())
    return digest.hexdigest()[:16]


def _write_once(path: Path, text: str) -> None:
    if path.exists():
        return
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        try:
            # a link never replaces: Numba compares the time stamp, so the first writer's file must stay
            os.link(temporary, path)
        except FileExistsError:
            pass
        except OSError:
            os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)


def build(text: str, name: str) -> tuple[Callable[..., Any], Path | None]:
    """The function ``name`` that ``text`` defines, and its file (None when there is no place for one).

    Args:
        text: definitions; the names of ``HEADER`` are imported for it.
        name: the function wanted.
    """
    text = f"# {_stamp()}\n{HEADER}\n{text}"
    where = folder()
    stem = f"{name}_{hashlib.sha256(text.encode()).hexdigest()[:24]}"
    path = None
    if where is not None:
        try:
            _write_once(where / f"{stem}.py", text)
            path = where / f"{stem}.py"
        except OSError:  # a full disk must not stop a computation
            pass
    # cached machine code names its module, and is loaded only where that can be imported
    module = ModuleType(f"_genesis_cpu_{stem}")
    sys.modules[module.__name__] = module
    exec(compile(text, str(path or f"<{stem}>"), "exec"), module.__dict__)
    return getattr(module, name), path


def compiled(text: str, name: str, decorator: Callable[..., Any]) -> Any:
    """``decorator(cache=…)`` applied to the function that ``text`` defines.

    Machine code that cannot be read (a machine that lost power, a full disk) is compiled again.
    """
    from numba.core.errors import NumbaError

    function, path = build(text, name)
    if path is None:
        return decorator(cache=False)(function)
    try:
        return decorator(cache=True)(function)
    except NumbaError:
        raise
    except Exception:
        for stale in (path.parent / "__pycache__").glob(f"{path.stem}.*.nb[ci]"):
            with suppress(OSError):
                stale.unlink()
    try:
        return decorator(cache=True)(function)
    except NumbaError:
        raise
    except Exception:
        return decorator(cache=False)(function)


def source(function: Callable[..., Any], **replace: str) -> str:
    """The text of a kernel written in this package; it begins with the definitions in ``replace``."""
    lines = textwrap.dedent(inspect.getsource(function)).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("def "))
    prologue = [f"{name} = {value}" for name, value in replace.items()]
    return "\n".join([*prologue, *lines[start:]]) + "\n"
