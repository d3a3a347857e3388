"""The matrix product of ``_blas``, as kernels call it."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"
from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["gemm"]

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
