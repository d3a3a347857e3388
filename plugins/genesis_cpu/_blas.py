"""The matrix product of one OpenBLAS, at one thread, callable from kernels.

The library is a copy of our own (the package ``scipy-openblas32``), so a user's NumPy keeps its threads.
Ours get none: kernels call it on blocks from Numba's threads.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"
from __future__ import annotations

import ctypes
import os
from functools import cache
from pathlib import Path
from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["gemm"]


@cache
def available() -> bool:
    """Whether the library is here; loads it."""
    try:
        import scipy_openblas32

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


_ROW_MAJOR, _TRANSPOSE = 101, 111  # cblas.h; 112 is "transposed"


@intrinsic
def gemm(typing, a_turned, b_turned, m, n, k, a, lda, b, ldb, beta, c, ldc):
    """``c = op(a) op(b) + beta c`` on row-major blocks at addresses; ``beta`` also says the type.

    Args:
        a_turned: 1 when ``a`` is stored as (k, m); likewise ``b_turned`` for (n, k).
        m, n, k: c is (m, n), op(a) is (m, k).
        lda, ldb, ldc: elements from one stored row to the next.
    """
    real = beta

    def generate(context, builder, signature, values):
        i32, i64 = ir.IntType(32), ir.IntType(64)
        number = ir.FloatType() if real == types.float32 else ir.DoubleType()
        kinds = [i32] * 6 + [number, i64, i32, i64, i32, number, i64, i32]
        name = "genesis_cblas_" + ("s" if real == types.float32 else "d") + "gemm"
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(ir.VoidType(), kinds), name)
        ta, tb, m, n, k, a, lda, b, ldb, beta, c, ldc = values
        short = [builder.trunc(v, i32) for v in (ta, tb, m, n, k, lda, ldb, ldc)]
        ta, tb, m, n, k, lda, ldb, ldc = short
        ta, tb = (builder.add(t, ir.Constant(i32, _TRANSPOSE)) for t in (ta, tb))
        order, one = ir.Constant(i32, _ROW_MAJOR), ir.Constant(number, 1.0)
        builder.call(function, [order, ta, tb, m, n, k, one, a, lda, b, ldb, beta, c, ldc])
        return context.get_dummy_value()

    i = types.int64
    return types.void(i, i, i, i, i, i, i, i, i, real, i, i), generate
