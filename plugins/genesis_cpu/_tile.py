"""The inner loops of convolutions as vector code: a tile of sums that stays in registers, a transposition.

``tile`` is the loop of a matrix product whose left factor lies anywhere: sum ``r`` of step ``t`` takes the
element at ``x + rows[r] + offs[t]``, so neither a stride nor a border nor the end of an image needs a copy.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"
from __future__ import annotations

from functools import cache
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from genesis_cpu._processor import EDGES

_I32, _I64 = ir.IntType(32), ir.IntType(64)
_BITS = {"float32": 32, "float64": 64}


def _number(real: str) -> Any:
    return ir.FloatType() if real == "float32" else ir.DoubleType()


def _pointer(builder: Any, address: Any, kind: Any) -> Any:
    return builder.inttoptr(address, kind.as_pointer())


def _load(builder: Any, address: Any, kind: Any, align: int) -> Any:
    value = builder.load(_pointer(builder, address, kind))
    value.align = align
    return value


def _store(builder: Any, value: Any, address: Any, align: int) -> None:
    builder.store(value, _pointer(builder, address, value.type)).align = align


@cache
def tile(real: str, height: int, vectors: int, lanes: int) -> Any:
    """``tile(x, rows, offs, count, panel, out, pitch)``: ``out[r, j] += sum over t of x[r, t] panel[t, j]``.

    All are addresses or distances in bytes; r < height, j < vectors * lanes, t < count.

    Args of the result:
        x, rows, offs: the element x[r, t] lies at ``x + rows[r] + offs[2 t]``; both are tables of int64.
        panel: its row t begins at ``panel + offs[2 t + 1]``.
        out, pitch: row r begins at ``out + r * pitch``.
    """
    size = _BITS[real] // 8
    width = lanes * size

    @intrinsic
    def run(typing, x, rows, offs, count, panel, out, pitch):
        def generate(context, builder, signature, values):
            x, rows, offs, count, panel, out, pitch = values
            number = _number(real)
            vector = ir.VectorType(number, lanes)
            fma = cgutils.get_or_insert_function(
                builder.module, ir.FunctionType(vector, [vector] * 3), f"llvm.fmuladd.v{lanes}f{8 * size}"
            )
            zero = ir.Constant(_I64, 0)
            starts = [
                builder.add(x, _load(builder, builder.add(rows, _I64(8 * r)), _I64, 8)) for r in range(height)
            ]
            places = [
                [
                    builder.add(builder.add(out, builder.mul(pitch, _I64(r))), _I64(v * width))
                    for v in range(vectors)
                ]
                for r in range(height)
            ]
            first = [
                [_load(builder, places[r][v], vector, size) for v in range(vectors)] for r in range(height)
            ]
            before = builder.block
            body, after = builder.append_basic_block("tile"), builder.append_basic_block("done")
            builder.cbranch(builder.icmp_signed(">", count, zero), body, after)
            builder.position_at_end(body)
            t = builder.phi(_I64)
            t.add_incoming(zero, before)
            sums = [[builder.phi(vector) for _ in range(vectors)] for _ in range(height)]
            entry = builder.add(offs, builder.shl(t, _I64(4)))
            off = _load(builder, entry, _I64, 8)
            line = builder.add(panel, _load(builder, builder.add(entry, _I64(8)), _I64, 8))
            right = [_load(builder, builder.add(line, _I64(v * width)), vector, size) for v in range(vectors)]
            mask = ir.Constant(ir.VectorType(_I32, lanes), [0] * lanes)
            undefined = ir.Constant(vector, ir.Undefined)
            results: list[list[Any]] = []
            for r in range(height):
                one = _load(builder, builder.add(starts[r], off), number, size)
                wide = builder.shuffle_vector(
                    builder.insert_element(undefined, one, _I32(0)), undefined, mask
                )
                results.append([builder.call(fma, [wide, right[v], sums[r][v]]) for v in range(vectors)])
            t1 = builder.add(t, _I64(1))
            builder.cbranch(builder.icmp_signed("<", t1, count), body, after)
            t.add_incoming(t1, body)
            for r in range(height):
                for v in range(vectors):
                    sums[r][v].add_incoming(first[r][v], before)
                    sums[r][v].add_incoming(results[r][v], body)
            builder.position_at_end(after)
            for r in range(height):
                for v in range(vectors):
                    last = builder.phi(vector)
                    last.add_incoming(first[r][v], before)
                    last.add_incoming(results[r][v], body)
                    results[r][v] = last
            for r in range(height):
                for v in range(vectors):
                    _store(builder, results[r][v], places[r][v], size)
            return context.get_dummy_value()

        i = types.int64
        return types.void(i, i, i, i, i, i, i), generate

    return run


@intrinsic
def turn(typing, source, pitch, target, target_pitch, zero):
    """Transpose a square of ``EDGES`` elements between addresses; ``zero`` says the type."""
    real = zero.name

    def generate(context, builder, signature, values):
        source, pitch, target, target_pitch, _ = values
        size, edge = _BITS[real] // 8, EDGES[real]
        half = edge // 2
        vector = ir.VectorType(_number(real), edge)
        rows = [
            _load(builder, builder.add(source, builder.mul(pitch, _I64(r))), vector, size)
            for r in range(edge)
        ]
        # each round interleaves row r with row r + half; after log2(edge) rounds rows are columns
        low = [i // 2 + (edge if i % 2 else 0) for i in range(edge)]
        high = [half + i for i in low]
        masks = [ir.Constant(ir.VectorType(_I32, edge), m) for m in (low, high)]
        for _ in range(edge.bit_length() - 1):
            rows = [builder.shuffle_vector(rows[r], rows[r + half], m) for r in range(half) for m in masks]
        for r in range(edge):
            _store(builder, rows[r], builder.add(target, builder.mul(target_pitch, _I64(r))), size)
        return context.get_dummy_value()

    i = types.int64
    return types.void(i, i, i, i, zero), generate
