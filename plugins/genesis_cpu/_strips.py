"""Products of small blocks: a strip of a few rows, whose sums stay in registers, times what is cached.

Nothing is copied: the left factor may lie in either order, the rows of the right one may lie apart. BLAS
copies both at every call, which for blocks of 64 rows takes as long as the product.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator, call-arg, var-annotated"
from __future__ import annotations

from functools import cache
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable

from genesis_cpu._gemm import _move
from genesis_cpu._panels import ROWS, VECTORS, spread
from genesis_cpu._processor import BYTES
from genesis_cpu._tile import turn

__all__ = ["ROWS", "size_of", "strip", "turned"]


@cache
def _tile(vectors: int) -> Any:
    @intrinsic
    def run(typing, k, last, a, row, step, b, ldb, c, ldc, add, zero):
        """``c = a @ b``, plus ``c`` where ``add`` is not 0, for ``ROWS`` rows of so many vectors."""

        def generate(context, builder, signature, values):
            k, last, a, row, step, b, ldb, c, ldc, add, _ = values
            number, size = (ir.FloatType(), 4) if zero == types.float32 else (ir.DoubleType(), 8)
            lanes = BYTES // size
            vector, i64 = ir.VectorType(number, lanes), ir.IntType(64)
            name = f"llvm.fmuladd.v{lanes}f{8 * size}"
            fma = cgutils.get_or_insert_function(builder.module, ir.FunctionType(vector, [vector] * 3), name)
            pointer = number.as_pointer()
            a, b, c = (builder.inttoptr(v, pointer) for v in (a, b, c))

            def at(base, *offsets):
                for offset in offsets:
                    base = builder.gep(base, [offset])
                return builder.bitcast(base, vector.as_pointer())

            lines = []
            for r in range(ROWS):
                there = builder.select(builder.icmp_signed("<", i64(r), last), i64(r), last)
                lines.append(builder.gep(a, [builder.mul(there, row)]))
            places = [
                [at(c, builder.mul(ldc, i64(r)), i64(v * lanes)) for v in range(vectors)] for r in range(ROWS)
            ]
            begin = builder.block
            more, body, done = (builder.append_basic_block(f"strip.{n}") for n in ("more", "body", "done"))
            builder.cbranch(builder.icmp_signed("!=", add, i64(0)), more, body)
            builder.position_at_end(more)
            old = [[builder.load(p, align=size) for p in line] for line in places]
            builder.branch(body)
            builder.position_at_end(body)
            i = builder.phi(i64)
            totals = [[builder.phi(vector) for _ in range(vectors)] for _ in range(ROWS)]
            line = builder.gep(b, [builder.mul(i, ldb)])
            factors = [builder.load(at(line, i64(v * lanes)), align=size) for v in range(vectors)]
            found = []
            for r in range(ROWS):
                x = builder.load(builder.gep(lines[r], [builder.mul(i, step)]))
                x = spread(builder, x, lanes)
                found.append([builder.call(fma, [x, f, t]) for f, t in zip(factors, totals[r], strict=True)])
            following = builder.add(i, i64(1))
            for source, start in ((begin, None), (more, old)):
                i.add_incoming(i64(0), source)
                for r in range(ROWS):
                    for v in range(vectors):
                        first = ir.Constant(vector, None) if start is None else start[r][v]
                        totals[r][v].add_incoming(first, source)
            i.add_incoming(following, body)
            for r in range(ROWS):
                for v in range(vectors):
                    totals[r][v].add_incoming(found[r][v], body)
            builder.cbranch(builder.icmp_signed("<", following, k), body, done)
            builder.position_at_end(done)
            for r in range(ROWS):
                for v in range(vectors):
                    builder.store(found[r][v], places[r][v], align=size)
            return context.get_dummy_value()

        i = types.int64
        return types.void(i, i, i, i, i, i, i, i, i, i, zero), generate

    return run


_tile_wide, _tile_one = _tile(VECTORS), _tile(1)


@intrinsic
def _once(typing):
    """The function that calls this is compiled once, not at every place that calls it."""

    def generate(context, builder, signature, values):
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic
def size_of(typing, zero):
    """Bytes of an element."""
    size = 4 if zero == types.float32 else 8
    return types.int64(zero), lambda context, builder, signature, values: ir.IntType(64)(size)


@register_jitable
def strip(rows, n, k, a, row, step, b, ldb, c, ldc, add, zero):
    """``c = a @ b``, plus ``c`` where ``add`` is not 0, for ``ROWS`` rows.

    Args:
        rows: how many rows the left factor has; where it has fewer than ``ROWS``, the last one counts again.
        n: columns: whole vectors.
        a: address; element (r, t) of the left factor lies ``r * row + t * step`` elements behind it.
        b, c: addresses; ``ldb`` and ``ldc`` are elements from one row to the next.
    """
    _once()
    size = size_of(zero)
    one = BYTES // size
    q = 0
    while q + VECTORS * one <= n:
        _tile_wide(k, rows - 1, a, row, step, b + q * size, ldb, c + q * size, ldc, add, zero)
        q += VECTORS * one
    if VECTORS > 1 and q < n:
        _tile_one(k, rows - 1, a, row, step, b + q * size, ldb, c + q * size, ldc, add, zero)


@register_jitable
def turned(source, pitch, rows, columns, target, target_pitch, zero):
    """The transpose of a block; pitches are elements from one row to the next."""
    _once()
    size = size_of(zero)
    edge = 32 // size
    even_rows, even_columns = rows // edge * edge, columns // edge * edge
    for t in range(0, even_columns, edge):
        for i in range(0, even_rows, edge):
            turn(
                source + (i * pitch + t) * size, pitch * size,
                target + (t * target_pitch + i) * size, target_pitch * size, zero,
            )  # fmt: skip
    for i in range(rows):
        for t in range(even_columns if i < even_rows else 0, columns):
            _move(target + (t * target_pitch + i) * size, source + (i * pitch + t) * size, zero)
