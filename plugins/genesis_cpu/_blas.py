"""One OpenBLAS of our own, at one thread; kernels call it by ``_blas_call.gemm``.

It is the package ``scipy-openblas32``, so a user's NumPy keeps its threads. Ours get none: kernels call it on
blocks, from the threads of the team.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache
from pathlib import Path
from typing import Any


@cache
def available() -> bool:
    """Whether the library is here; loads it."""
    try:
        import scipy_openblas32
        from llvmlite import binding

        folder, name = Path(scipy_openblas32.get_lib_dir()), scipy_openblas32.get_library()
        path = next(
            p for p in sorted(folder.parent.rglob(f"*{name}*")) if p.suffix in (".so", ".dylib", ".dll")
        )
        library = _load(path)
        library.scipy_openblas_set_num_threads(1)
        for kind in "sd":
            function = getattr(library, f"scipy_cblas_{kind}gemm")
            binding.add_symbol(f"genesis_cblas_{kind}gemm", ctypes.cast(function, ctypes.c_void_p).value)
    except (ImportError, OSError, AttributeError, StopIteration):
        return False
    return True


def _load(path: Path) -> Any:
    """Load it without the threads that it would start for itself; it reads the variable once."""
    name = "OPENBLAS_NUM_THREADS"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        return ctypes.CDLL(str(path))
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
