"""What both kernels of attention do: copies, transposed queries and masks, and strips of scores."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator, call-arg, var-annotated"
from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, register_jitable

from genesis_cpu._pointers import int64_pointer, slot, uint8_pointer
from genesis_cpu._strips import ROWS, size_of, strip, turned
from genesis_cpu._vectors import v_add, v_from, v_load, v_mul, v_same, v_seen, v_store

__all__ = ["copied_", "filled_", "head_", "mask_", "queries_", "scores_"]


def _number(kind):
    return ir.FloatType() if kind == types.float32 else ir.DoubleType()


def _constant(value):
    def generate(context, builder, signature, values):
        return ir.Constant(values[0].type, value)

    return intrinsic(lambda typing, zero: (zero(zero), generate))


one_of, none_of = _constant(1.0), _constant(-float("inf"))


@intrinsic
def get(typing, address, zero):
    """The element that lies there."""

    def generate(context, builder, signature, values):
        return builder.load(builder.inttoptr(values[0], _number(zero).as_pointer()))

    return zero(types.int64, zero), generate


@intrinsic
def put(typing, address, x):
    """Store an element."""

    def generate(context, builder, signature, values):
        builder.store(values[1], builder.inttoptr(values[0], values[1].type.as_pointer()))
        return context.get_dummy_value()

    return types.void(types.int64, x), generate


@register_jitable
def head_(args, place, head):
    """Where a head of a tensor begins: the block has the places of all, in bytes, and the first address."""
    return slot(args, place + 1) + int64_pointer(slot(args, place))[head]


@register_jitable
def copied_(target, target_row, source, source_row, rows, columns, factor):
    """Copy a block, times a factor."""
    size = size_of(factor)
    lanes = 64 // size
    even = columns // lanes * lanes
    many = v_same(factor)
    for i in range(rows):
        to, at = target + i * target_row * size, source + i * source_row * size
        for j in range(0, even, lanes):
            v_store(to + j * size, v_mul(v_load(at + j * size, factor), many))
        for j in range(even, columns):
            put(to + j * size, get(at + j * size, factor) * factor)


@register_jitable
def filled_(target, count, value):
    """Set so many elements, whole vectors."""
    size = size_of(value)
    many = v_same(value)
    for j in range(0, count, 64 // size):
        v_store(target + j * size, many)


@register_jitable
def queries_(source, row, rows, columns, target, pitch, factor):
    """The transpose of some rows, times a factor, with zeros in what is left of the last vectors."""
    size = size_of(factor)
    lanes = 64 // size
    whole = (rows + lanes - 1) // lanes * lanes
    turned(source, row, rows, columns, target, pitch, factor)
    many = v_same(factor)
    for t in range(columns):
        line = target + t * pitch * size
        for i in range(rows, whole):
            put(line + i * size, factor - factor)
        for i in range(0, whole, lanes):
            v_store(line + i * size, v_mul(v_load(line + i * size, factor), many))


@register_jitable
def mask_(mask, row, column, flags, rows, keys, target, pitch, room, deep, zero):
    """The part of the mask for some queries and keys, to add to scores; ``column`` is 0 or 1."""
    size, none = size_of(zero), none_of(zero)
    at, at_row = mask, row
    if flags & 2 or column != 1:
        at, at_row = room, deep
        for i in range(rows):
            place = room + i * deep * size
            seen = uint8_pointer(mask + i * row)
            if column:
                for j in range(keys):
                    put(place + j * size, zero if seen[j] else none)
            elif flags & 2:
                filled_(place, keys, zero if seen[0] else none)
            else:
                filled_(place, keys, get(mask + i * row * size, zero))
    queries_(at, at_row, rows, keys, target, pitch, one_of(zero))


@register_jitable
def scores_(rows, n, width, k, k_row, turned_q, x, pitch, mask, flags, first, zero):
    """A strip of scores: those of ``rows`` keys; -inf for the queries before ``first``, one more a key."""
    size, none = size_of(zero), none_of(zero)
    lanes = 64 // size
    strip(rows, n, width, k, k_row, 1, turned_q, pitch, x, pitch, 0, zero)
    if flags & 6:
        for r in range(rows):
            for v in range(0, n, lanes):
                place = (r * pitch + v) * size
                m, value = v_load(mask + place, zero), v_load(x + place, zero)
                v_store(x + place, v_seen(value, m) if flags & 2 else v_add(value, m))
    if flags & 1 and first > -ROWS:
        for r in range(ROWS):
            place = x + r * pitch * size
            v_store(place, v_from(v_load(place, zero), first + r))
    for r in range(rows, ROWS):
        filled_(x + r * pitch * size, n, none)
