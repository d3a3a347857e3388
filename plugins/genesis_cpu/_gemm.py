"""Products of large matrices: as fast as BLAS on small blocks, and mostly without copies of the left factor.

The right factor is copied in panels of a few columns and as many rows as stay in the nearest cache; the left
one is read where it lies, unless what a tile reads would lie on many pages of memory: then it is copied, too,
a block at a time. A tile of the result stays in registers while a panel passes by. The scheme is that of Goto
and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008).
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator, call-arg, var-annotated"
from __future__ import annotations

from math import inf
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable

from genesis_cpu._panels import VECTORS, fetch, masked_load, masks, tile
from genesis_cpu._processor import BEHIND, BYTES, LEFT
from genesis_cpu._tile import turn

__all__ = ["product"]

#: rows of a panel at most, so that it stays in the first cache beside what it meets: 24 KiB; or 32 KiB, where
#: there are no more than two such panels
DEEP, DEEPEST = 192, 256

_tall, _less, _some, _one = (tile(rows) for rows in (10, 9, 4, 1))
_LINE = BYTES * VECTORS


def _room(nbytes: int) -> Any:
    """The address of memory on the stack."""

    def generate(context, builder, signature, values):
        line = ir.VectorType(ir.IntType(32), 16)
        memory = cgutils.alloca_once(builder, line, size=ir.IntType(32)(nbytes // 64))
        return builder.ptrtoint(memory, ir.IntType(64))

    return intrinsic(lambda typing: (types.int64(), generate))


_room_for_panel = _room(DEEPEST * _LINE)


@intrinsic
def _copy_part(typing, target, source, columns, zero):
    """Copy the first ``columns`` elements of a line of a panel; the others become 0."""

    def generate(context, builder, signature, values):
        number, size = (ir.FloatType(), 4) if zero == types.float32 else (ir.DoubleType(), 8)
        kind = ir.VectorType(number, BYTES // size)
        for v, mask in enumerate(masks(builder, values[2], BYTES // size)):
            at, to = (
                builder.inttoptr(builder.add(x, ir.IntType(64)(v * BYTES)), kind.as_pointer())
                for x in (values[1], values[0])
            )
            builder.store(masked_load(builder, at, mask, kind), to).align = 64
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64, zero), generate


@intrinsic
def _copy_line(typing, target, source):
    """Copy one line of a panel."""

    def generate(context, builder, signature, values):
        kind = ir.VectorType(ir.IntType(32), BYTES // 4)
        for v in range(VECTORS):
            at, to = (
                builder.inttoptr(builder.add(x, ir.IntType(64)(v * BYTES)), kind.as_pointer())
                for x in (values[1], values[0])
            )
            line = builder.load(at)
            line.align = 4
            builder.store(line, to).align = 64
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


def _copy(nbytes: int) -> Any:
    """``copy(target, source)``: so many bytes, neither of which has to be aligned."""

    def generate(context, builder, signature, values):
        kind = ir.VectorType(ir.IntType(32), BYTES // 4)
        at, to = (builder.inttoptr(x, kind.as_pointer()) for x in (values[1], values[0]))
        lines = [builder.load(builder.gep(at, [ir.IntType(64)(v)]), align=4) for v in range(nbytes // BYTES)]
        for v, line in enumerate(lines):
            builder.store(line, builder.gep(to, [ir.IntType(64)(v)]), align=4)
        return context.get_dummy_value()

    return intrinsic(lambda typing, target, source: (types.void(types.int64, types.int64), generate))


_copy_some, _copy_vector = _copy(BEHIND), _copy(BYTES)


@intrinsic
def _move(typing, target, source, zero):
    """Copy one element."""

    def generate(context, builder, signature, values):
        kind = (ir.FloatType() if zero == types.float32 else ir.DoubleType()).as_pointer()
        builder.store(builder.load(builder.inttoptr(values[1], kind)), builder.inttoptr(values[0], kind))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, zero), generate


@intrinsic
def _add_up(typing, target, source, height, count, add):
    """The sum of ``count`` columns of up to 16 elements, plus ``target`` where ``add`` is not 0."""

    def generate(context, builder, signature, values):
        target, source, height, count, add = values
        number, size = (ir.FloatType(), 4) if signature.args[4] == types.float32 else (ir.DoubleType(), 8)
        i64, vector = ir.IntType(64), ir.VectorType(number, 16)
        pitch = builder.mul(height, i64(size))
        zero = ir.Constant(vector, None)
        ways = 4  # sums that do not wait for each other
        before = builder.block
        head, body, done = (builder.append_basic_block(f"sums.{x}") for x in ("head", "body", "done"))
        builder.branch(head)
        builder.position_at_end(head)
        t, at = builder.phi(i64), builder.phi(i64)
        t.add_incoming(i64(0), before)
        at.add_incoming(source, before)
        sums = [builder.phi(vector) for _ in range(ways)]
        builder.cbranch(builder.icmp_signed("<", t, count), body, done)
        builder.position_at_end(body)
        place = at
        for i, total in enumerate(sums):
            there = builder.icmp_signed("<", builder.add(t, i64(i)), count)
            place = builder.select(there, place, at)
            line = builder.load(builder.inttoptr(place, vector.as_pointer()), align=size)
            total.add_incoming(zero, before)
            total.add_incoming(builder.fadd(total, builder.select(there, line, zero)), body)
            place = builder.add(place, pitch)
        t.add_incoming(builder.add(t, i64(ways)), body)
        at.add_incoming(builder.add(at, builder.mul(pitch, i64(ways))), body)
        builder.branch(head)
        builder.position_at_end(done)
        total = builder.fadd(builder.fadd(sums[0], sums[1]), builder.fadd(sums[2], sums[3]))
        room = cgutils.alloca_once(builder, vector)
        builder.store(total, room)
        first = builder.bitcast(room, number.as_pointer())
        target = builder.inttoptr(target, number.as_pointer())
        adds = builder.fcmp_ordered("!=", add, ir.Constant(number, 0.0))
        with cgutils.for_range(builder, height) as loop:
            to = builder.gep(target, [loop.index])
            old = builder.select(adds, builder.load(to), ir.Constant(number, 0.0))
            builder.store(builder.fadd(builder.load(builder.gep(first, [loop.index])), old), to)
        return context.get_dummy_value()

    i = types.int64
    return types.void(i, i, i, i, add), generate


@intrinsic
def _fetch(typing, address):
    """Let the line of an address come into the second cache."""

    def generate(context, builder, signature, values):
        fetch(builder, builder.inttoptr(values[0], ir.IntType(8).as_pointer()), writes=False, near=2)
        return context.get_dummy_value()

    return types.void(types.int64), generate


@register_jitable
def _fetch_pieces(start, pitch, count, nbytes):
    """Let ``count`` pieces of memory come, which begin ``pitch`` bytes apart."""
    for i in range(count):
        for at in range(0, nbytes, 64):
            _fetch(start + i * pitch + at)


@register_jitable
def _pieces(turned, rows, columns, size):
    """How many pieces of memory a block of a factor is, and the bytes of each: its rows, or its columns."""
    return (columns, rows * size) if turned else (rows, columns * size)


@register_jitable
def _fetch_block(start, turned, pitch, rows, columns, size):
    """Let a block of a factor come."""
    count, nbytes = _pieces(turned, rows, columns, size)
    _fetch_pieces(start, pitch * size, count, nbytes)


@register_jitable
def _pack(panel, b, turned, ldb, rows, columns, size, zero):
    """The panel of ``rows`` lines and the first ``columns`` of each; what is behind them is 0."""
    if not turned:
        if columns * size == _LINE:
            for t in range(rows):
                _copy_line(panel + t * _LINE, b + t * ldb * size)
        else:
            for t in range(rows):
                _copy_part(panel + t * _LINE, b + t * ldb * size, columns, zero)
        return
    if columns * size < _LINE:  # numbers that happen to be there would cost time, though nobody sees them
        for t in range(rows):
            _copy_part(panel + t * _LINE, panel, 0, zero)
    edge = 32 // size
    even_rows, even_columns = rows // edge * edge, columns // edge * edge
    for j in range(0, even_columns, edge):
        for t in range(0, even_rows, edge):
            turn(b + (j * ldb + t) * size, ldb * size, panel + t * _LINE + j * size, _LINE, zero)
    for j in range(columns):
        for t in range(even_rows if j < even_columns else 0, rows):
            _move(panel + t * _LINE + j * size, b + (j * ldb + t) * size, zero)


@register_jitable
def _height(r, rows, tens, nines):
    """The rows of the tile that begins at row ``r``."""
    if r < 10 * tens:
        return 10
    if r < 10 * tens + 9 * nines:
        return 9
    return 4 if r + 4 <= rows else 1


@register_jitable
def _pack_left(work, a, turned, lda, rows, deep, tens, nines, last, size, zero):
    """Copy a block of the left factor so that what each tile reads lies together.

    A block that lies by rows: row after row. A turned one: tile after tile, each by columns, of which number
    ``last`` is the last of the factor, behind which there is nothing to read.
    """
    if not turned:
        nbytes = deep * size
        for r in range(rows):
            source, target = a + r * lda * size, work + r * nbytes
            for at in range(0, nbytes - BEHIND + 1, BEHIND):
                _copy_some(target + at, source + at)
            if nbytes >= BEHIND:
                _copy_some(target + nbytes - BEHIND, source + nbytes - BEHIND)
            else:  # what is left of a long row
                for at in range(0, nbytes, size):
                    _move(target + at, source + at, zero)
        return
    # of nine or ten rows, a column is copied as a vector or two; the next three at most overwrite the rest
    free = min(last, deep - 4)
    for t0 in range(0, deep, 16):  # a page or more each
        r = 0
        while r < rows:
            height = _height(r, rows, tens, nines)
            target = work + r * deep * size
            for t in range(t0, min(t0 + 16, deep)):
                at, source = target + t * height * size, a + (t * lda + r) * size
                if t < free and height > 4:
                    if size == 4:
                        _copy_vector(at, source)
                    else:
                        _copy_some(at, source)
                else:
                    for i in range(height):
                        _move(at + i * size, source + i * size, zero)
            r += height


@register_jitable
def product(
    a_turned, b_turned, m, n, k, a, lda, b, ldb, add, base, pitch, c, ldc, size, one, positive, work, sums
):
    """``c = op(a) op(b)``, plus ``base`` where ``add`` is not 0; where ``positive``, not less than 0.

    ``base`` may be ``c``, or a row for all rows, whose ``pitch`` is 0. ``one`` is 1 of their type, and
    ``work`` the address of ``ROOM`` bytes where blocks of the left factor are copied to, or 0. ``sums``, if
    it is not 0, becomes the sums over the ``k`` columns of a turned ``op(a)`` that is copied.
    """
    panel = _room_for_panel()
    zero = one - one
    row, step = (1, lda) if a_turned else (lda, 1)
    wide = _LINE // size
    most = DEEPEST if k <= 2 * DEEPEST else DEEP
    blocks = (k + most - 1) // most
    deep = (k + blocks - 1) // blocks
    high = LEFT // (deep * size) // 10 * 10
    for t in range(0, k, deep):
        deep_here = min(deep, k - t)
        more, start, apart = (add, base, pitch) if t == 0 else (one, c, ldc)
        floor = zero if positive and t + deep >= k else zero - inf
        for r0 in range(0, m, high):
            rows = min(high, m - r0)
            nines = (10 - rows % 10) % 10  # 10 x + 9 nines = rows, if there are enough
            if nines * 9 > rows:
                nines = 0
            tens = (rows - 9 * nines) // 10
            first = a + (r0 * row + t * step) * size
            if work:
                last = k - 1 - t
                _pack_left(work, first, a_turned, lda, rows, deep_here, tens, nines, last, size, zero)
                r = 0
                while sums and r < rows:
                    height, old = _height(r, rows, tens, nines), one if t else zero
                    _add_up(sums + (r0 + r) * size, work + r * deep_here * size, height, deep_here, old)
                    r += height
            for q in range(0, n, wide):
                columns = min(wide, n - q)
                at = b + ((q * ldb + t) if b_turned else (t * ldb + q)) * size
                to = c + (r0 * ldc + q) * size
                origin = start + (r0 * apart + q) * size
                if q == 0:
                    # from further away than the second cache, most likely
                    _fetch_block(at, b_turned, ldb, deep_here, columns, size)
                    if not work:
                        _fetch_block(first, a_turned, lda, min(10, rows), deep_here, size)
                _pack(panel, at, b_turned, ldb, deep_here, columns, size, zero)
                # what the next panel is copied from comes meanwhile, a share with each tile
                at += wide * (ldb if b_turned else 1) * size
                columns_then = min(wide, n - q - wide)
                pieces, piece = _pieces(b_turned, deep_here, columns_then, size)
                share = pieces * 10 // rows + 1
                asked = 0 if columns_then > 0 else pieces
                r = 0
                while r < rows:
                    if asked < pieces:
                        _fetch_pieces(at + asked * ldb * size, ldb * size, min(share, pieces - asked), piece)
                        asked += share
                    height = _height(r, rows, tens, nines)
                    if q == 0 and not work and r + 10 < rows:
                        ahead = first + (r + 10) * row * size
                        _fetch_block(ahead, a_turned, lda, min(10, rows - r - 10), deep_here, size)
                    left, across, along = first + r * row * size, row, step
                    if work:
                        left = work + r * deep_here * size
                        across, along = (1, height) if a_turned else (deep_here, 1)
                    target, old = to + r * ldc * size, origin + r * apart * size
                    if height == 10:
                        _tall(
                            deep_here, left, across, along, panel, target, ldc, columns, more, old,
                            apart, floor,
                        )  # fmt: skip
                    elif height == 9:
                        _less(
                            deep_here, left, across, along, panel, target, ldc, columns, more, old,
                            apart, floor,
                        )  # fmt: skip
                    elif height == 4:
                        _some(
                            deep_here, left, across, along, panel, target, ldc, columns, more, old,
                            apart, floor,
                        )  # fmt: skip
                    else:
                        _one(
                            deep_here, left, across, along, panel, target, ldc, columns, more, old,
                            apart, floor,
                        )  # fmt: skip
                    r += height
