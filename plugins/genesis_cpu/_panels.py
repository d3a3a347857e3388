"""Products of few rows with one matrix that stays the same for many of them.

BLAS copies a matrix into an order of its own at every call; for sixteen rows that takes as long as the
product.  Here the copy is made once (``fused._recurrent.packed``): panels of columns, each with its elements
in the order in which they are used.  A tile of the result stays in registers while a panel passes by.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"
from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from math import inf
from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable

from genesis_cpu._processor import BYTES, vectors, wide

__all__ = ["multiply"]

#: rows and vectors of a tile
ROWS, VECTORS = 8 if wide() else 4, vectors()


def fetch(builder: Any, at: Any, writes: bool, near: int) -> None:
    """Let a line come that is read, or written, soon: into the first cache (``near=3``) or the second (2)."""
    byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    builder.call(function, [builder.bitcast(at, byte), word(int(writes)), word(near), word(1)])


def spread(builder: Any, x: Any, lanes: int) -> Any:
    """A vector of this number alone."""
    undefined = ir.Constant(ir.VectorType(x.type, lanes), ir.Undefined)
    same = ir.Constant(ir.VectorType(ir.IntType(32), lanes), None)  # take element 0 for all
    return builder.shuffle_vector(builder.insert_element(undefined, x, ir.IntType(32)(0)), undefined, same)


def masks(builder: Any, columns: Any, lanes: int) -> list[Any]:
    """Of each vector of a line, which elements are among the first ``columns`` of the line."""
    kind = ir.VectorType(columns.type, lanes)
    limit = spread(builder, columns, lanes)
    numbers = [ir.Constant(kind, [v * lanes + i for i in range(lanes)]) for v in range(VECTORS)]
    return [builder.icmp_signed("<", some, limit) for some in numbers]


def _masked(builder: Any, name: str, vector: Any, result: Any, arguments: list[Any]) -> Any:
    kinds = [a.type for a in arguments]
    size = 32 if vector.element == ir.FloatType() else 64
    function = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(result, kinds), f"llvm.masked.{name}.v{vector.count}f{size}.p0"
    )
    return builder.call(function, arguments)


def masked_load(builder: Any, at: Any, mask: Any, vector: Any) -> Any:
    """The elements of a vector that a mask names; the others are 0, and are not read."""
    align = ir.IntType(32)(4 if vector.element == ir.FloatType() else 8)
    zero = ir.Constant(vector, None)
    return _masked(builder, "load", vector, vector, [at, align, mask, zero])


def masked_store(builder: Any, value: Any, at: Any, mask: Any) -> None:
    """Write the elements of a vector that a mask names."""
    align = ir.IntType(32)(4 if value.type.element == ir.FloatType() else 8)
    _masked(builder, "store", value.type, ir.VoidType(), [value, at, align, mask])


def _column(builder: Any, rows: int, pitch: Any, vector: Any) -> Any:
    """How to read a column whose elements lie ``pitch`` bytes apart, each into all of a vector.

    ``read(at)`` gives them one by one, from the address of the first, so that each is read where it is used.
    The instruction adds up its address itself, from one or two that there are for a column. LLVM would make
    each address from the one before it: a chain that takes longer than the products of the column, and the
    units that they need.
    """
    binding.initialize_native_asmparser()  # LLVM then reads instructions that are written out
    i64 = ir.IntType(64)
    name = "vbroadcastss" if vector.element == ir.FloatType() else "vbroadcastsd"
    three, five = (builder.mul(pitch, i64(x)) for x in (3, 5))
    one_word, two_words = (ir.FunctionType(vector, [i64] * n) for n in (1, 2))

    def read(at: Any) -> Iterator[Any]:
        later = builder.add(at, five)
        for base, more, scale in (
            (at, None, 0), (at, pitch, 1), (at, pitch, 2), (at, three, 1), (at, pitch, 4),
            (later, None, 0), (later, pitch, 1), (later, pitch, 2), (at, pitch, 8), (later, pitch, 4),
        )[:rows]:  # fmt: skip
            if more is None:
                yield builder.asm(one_word, f"{name} ($1), $0", "=v,r", [base], False)
            else:
                text = f"{name} ($1,$2,{scale}), $0"
                yield builder.asm(two_words, text, "=v,r,r", [base, more], False)

    return read


@cache
def tile(rows: int) -> Any:
    """A tile of so many rows."""

    @intrinsic
    def run(typing, k, a, lda, step, panel, c, ldc, columns, add, base, pitch, floor):
        """``c = a @ panel`` for ``rows`` rows and the first ``columns``, plus ``base`` where ``add`` is 1.

        ``lda`` and ``step`` are elements from one row, and from one column of ``a``, to the next; ``pitch``
        those from one row of ``base`` to the next. What is less than ``floor`` becomes that.
        """
        real = add

        def generate(context, builder, signature, values):
            k, a, lda, step, panel, c, ldc, columns, add, base, pitch, floor = values
            number = ir.FloatType() if real == types.float32 else ir.DoubleType()
            size = 4 if real == types.float32 else 8
            lanes = BYTES // size
            vector = ir.VectorType(number, lanes)
            i64 = ir.IntType(64)
            name = f"llvm.fmuladd.v{lanes}f{8 * size}"
            fma = cgutils.get_or_insert_function(builder.module, ir.FunctionType(vector, [vector] * 3), name)
            pointer = number.as_pointer()
            first, panel, target, base = (builder.inttoptr(v, pointer) for v in (a, panel, c, base))
            zero, one = ir.Constant(vector, None), i64(1)
            if wide():
                # the compiler does not see that a column is read: by this nothing written before comes later
                a = builder.asm(ir.FunctionType(i64, [i64]), "", "=r,0,~{memory}", [a], True)
                column = _column(builder, rows, builder.mul(lda, i64(size)), vector)
                apart = builder.mul(step, i64(size))

                def spread_column(i: Any) -> Iterator[Any]:
                    return column(builder.add(a, builder.mul(i, apart)))  # type: ignore[no-any-return]
            else:
                lines = [builder.gep(first, [builder.mul(lda, i64(r))]) for r in range(rows)]

                def spread_column(i: Any) -> Iterator[Any]:
                    offset = builder.mul(i, step)
                    return (
                        spread(builder, builder.load(builder.gep(line, [offset])), lanes) for line in lines
                    )

            starts = [builder.gep(target, [builder.mul(ldc, i64(r))]) for r in range(rows)]
            bases = [builder.gep(base, [builder.mul(pitch, i64(r))]) for r in range(rows)]

            def steps(begin: Any, end: Any, totals: list[Any]) -> list[Any]:
                """Add the products of the steps ``begin`` to ``end - 1``."""
                before = builder.block
                head, body, done = (builder.append_basic_block(f"tile.{x}") for x in ("head", "body", "done"))
                builder.branch(head)
                builder.position_at_end(head)
                i = builder.phi(i64)
                i.add_incoming(begin, before)
                sums = [builder.phi(vector) for _ in totals]
                builder.cbranch(builder.icmp_signed("<", i, end), body, done)
                builder.position_at_end(body)
                place = builder.mul(i, i64(lanes * VECTORS))
                factors = [
                    builder.load(
                        builder.bitcast(
                            builder.gep(panel, [builder.add(place, i64(v * lanes))]), vector.as_pointer()
                        ),
                        align=size,
                    )
                    for v in range(VECTORS)
                ]
                found = []
                for r, x in enumerate(spread_column(i)):
                    found += [
                        builder.call(fma, [x, f, t])
                        for f, t in zip(factors, sums[r * VECTORS :], strict=False)
                    ]
                i.add_incoming(builder.add(i, one), body)
                for s, old, new in zip(sums, totals, found, strict=True):
                    s.add_incoming(old, before)
                    s.add_incoming(new, body)
                builder.branch(head)
                builder.position_at_end(done)
                return sums

            totals = [zero for _ in range(rows * VECTORS)]
            begin = i64(0)
            if rows > 4:  # the result is on its way while the sums are made, a row at a time
                some = builder.udiv(k, i64(2 * rows))
                before = builder.block
                head, body, done = (builder.append_basic_block(f"tile.{x}") for x in ("rows", "row", "rest"))
                builder.branch(head)
                builder.position_at_end(head)
                r, at = builder.phi(i64), builder.phi(pointer)
                sums = [builder.phi(vector) for _ in totals]
                builder.cbranch(builder.icmp_signed("<", r, i64(rows)), body, done)
                builder.position_at_end(body)
                for v in range(VECTORS):
                    fetch(builder, builder.gep(at, [i64(v * lanes)]), writes=True, near=3)
                first_step, following = builder.mul(r, some), builder.add(r, one)
                found = steps(first_step, builder.add(first_step, some), sums)
                r.add_incoming(i64(0), before)
                r.add_incoming(following, builder.block)
                at.add_incoming(target, before)
                at.add_incoming(builder.gep(at, [ldc]), builder.block)
                for s, old, new in zip(sums, totals, found, strict=True):
                    s.add_incoming(old, before)
                    s.add_incoming(new, builder.block)
                builder.branch(head)
                builder.position_at_end(done)
                totals, begin = sums, builder.mul(some, i64(rows))
            flat = steps(begin, k, totals)
            found = [flat[r * VECTORS : (r + 1) * VECTORS] for r in range(rows)]

            adds = builder.fcmp_ordered("!=", add, ir.Constant(number, 0.0))
            least = spread(builder, floor, lanes)

            def finish(wanted: list[Any] | None) -> None:
                """Add what was there, if so, and write all columns, or those that the masks name."""
                with builder.if_else(adds) as (sums, values):
                    for block, more in ((sums, True), (values, False)):
                        with block:
                            for r in range(rows):
                                for v in range(VECTORS):
                                    at, old = (
                                        builder.bitcast(builder.gep(x, [i64(v * lanes)]), vector.as_pointer())
                                        for x in (starts[r], bases[r])
                                    )
                                    value = found[r][v]
                                    if more and wanted is None:
                                        value = builder.fadd(value, builder.load(old, align=size))
                                    elif more and wanted is not None:
                                        value = builder.fadd(
                                            value, masked_load(builder, old, wanted[v], vector)
                                        )
                                    less = builder.fcmp_ordered("<", value, least)  # nan stays
                                    value = builder.select(less, least, value)
                                    if wanted is None:
                                        builder.store(value, at, align=size)
                                    else:
                                        masked_store(builder, value, at, wanted[v])

            wanted = masks(builder, columns, lanes)
            if wide():  # masks cost nothing there
                finish(wanted)
            else:
                whole = builder.icmp_signed(">=", columns, i64(lanes * VECTORS))
                with builder.if_else(whole) as (full, rest):
                    with full:
                        finish(None)
                    with rest:
                        finish(wanted)
            return context.get_dummy_value()

        i = types.int64
        return types.void(i, i, i, i, i, i, i, i, real, i, i, real), generate

    return run


_tile_many, _tile_some, _tile_one = tile(ROWS), tile(4), tile(1)


@register_jitable
def multiply(m, n, k, a, lda, packed, c, ldc, add, size):
    """``c = a @ b``, plus ``c`` where ``add`` is not 0.

    Args:
        m, n, k: c is (m, n), a (m, k).
        a, c: addresses; ``lda`` and ``ldc`` are elements from one row to the next.
        packed: address of the panels of b.
        add: 0 or 1, of the type of the elements.
        size: bytes of an element.
    """
    wide = VECTORS * BYTES // size
    for p in range((n + wide - 1) // wide):
        panel = packed + p * k * wide * size
        columns = min(wide, n - p * wide)
        at = c + p * wide * size
        r = 0
        while r < m:
            left, to = a + r * lda * size, at + r * ldc * size
            if r + ROWS <= m:
                _tile_many(k, left, lda, 1, panel, to, ldc, columns, add, to, ldc, -inf)
                r += ROWS
            elif r + 4 <= m:
                _tile_some(k, left, lda, 1, panel, to, ldc, columns, add, to, ldc, -inf)
                r += 4
            else:
                _tile_one(k, left, lda, 1, panel, to, ldc, columns, add, to, ldc, -inf)
                r += 1
