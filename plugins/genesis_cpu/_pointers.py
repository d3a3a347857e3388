"""Memory as kernels see it: a block of 64-bit arguments, and typed pointers made of addresses.

A kernel is ``def kernel(args, lo, hi)``: the address of its argument block, and the part of its range to work
on. Addresses instead of arrays: one compiled function serves the serial and the parallel launch, the loops
hold no bounds or wrap-around arithmetic, so LLVM vectorises them, and a launch costs a third of a
microsecond.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"
from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = [
    "block",
    "bool_pointer",
    "call",
    "float32_pointer",
    "float64_pointer",
    "int8_pointer",
    "int16_pointer",
    "int32_pointer",
    "int64_pointer",
    "number",
    "slot",
    "udiv",
    "uint8_pointer",
    "umod",
]

_I64 = ir.IntType(64)


def _pointer_to(element: Any) -> Any:
    @intrinsic
    def pointer(typing, address):
        """An address as a pointer that can be indexed."""

        def generate(context, builder, signature, args):
            return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

        return types.CPointer(element)(types.int64), generate

    return pointer


int8_pointer, int16_pointer, int32_pointer, int64_pointer = (
    _pointer_to(t) for t in (types.int8, types.int16, types.int32, types.int64)
)
uint8_pointer, float32_pointer, float64_pointer = (
    _pointer_to(t) for t in (types.uint8, types.float32, types.float64)
)
bool_pointer = uint8_pointer  # a bool is a byte; kernels compare it with 0

# a kernel file says which type these stand for
real, reals = types.float32, float32_pointer


@intrinsic
def slot(typing, args, index):
    """The integer (or address) at a place of the argument block."""

    def generate(context, builder, signature, values):
        base = builder.inttoptr(values[0], _I64.as_pointer())
        return builder.load(builder.gep(base, [values[1]]))

    return types.int64(types.int64, types.int64), generate


@intrinsic
def number(typing, args, index):
    """The float64 at a place of the argument block."""

    def generate(context, builder, signature, values):
        base = builder.inttoptr(values[0], ir.DoubleType().as_pointer())
        return builder.load(builder.gep(base, [values[1]]))

    return types.float64(types.int64, types.int64), generate


@intrinsic
def udiv(typing, a, b):
    """a // b of numbers that are not negative: no sign or zero checks."""
    return types.int64(types.int64, types.int64), lambda c, builder, s, v: builder.udiv(*v)


@intrinsic
def umod(typing, a, b):
    """a % b of numbers that are not negative."""
    return types.int64(types.int64, types.int64), lambda c, builder, s, v: builder.urem(*v)


@intrinsic
def call(typing, function, args, lo, hi):
    """Call the kernel at an address."""

    def generate(context, builder, signature, values):
        kernel = ir.FunctionType(ir.VoidType(), [_I64, _I64, _I64])
        builder.call(builder.inttoptr(values[0], kernel.as_pointer()), values[1:])
        return context.get_dummy_value()

    return types.void(*[types.int64] * 4), generate


@intrinsic
def block(typing, words, x, y):
    """Put a tuple of integers and then two floats into an argument block on the stack; its address."""
    count = len(words)

    def generate(context, builder, signature, values):
        memory = cgutils.alloca_once(builder, ir.ArrayType(_I64, count + 2))
        items = [builder.extract_value(values[0], i) for i in range(count)]
        items += [builder.bitcast(v, _I64) for v in values[1:]]
        for i, value in enumerate(items):
            builder.store(value, cgutils.gep_inbounds(builder, memory, 0, i))
        return builder.ptrtoint(memory, _I64)

    return types.int64(types.UniTuple(types.int64, count), types.float64, types.float64), generate
