"""Instructions that Numba lacks, as functions that compile to them, for any of its targets."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils

_I32, _I64 = ir.IntType(32), ir.IntType(64)
TYPES = ("uint8", "int8", "uint16", "int16", "int32", "int64", "uint64", "float32", "float64")


#: functions of floats; those of ``math`` would give integers, as Python has it, or are not there
LIBRARY = {"floor": 1, "ceil": 1, "rint": 1, "fmod": 2}


def typed_names(intrinsic: Any, types: Any, library: Callable[[str], str]) -> dict[str, Any]:
    """``like``, ``udiv``, ``floor``, ``float32_pointer`` and others.

    Args:
        intrinsic, types: Numba's, for this target.
        library: the name of a function of C in the target's library.
    """
    found: dict[str, Any] = {}

    def pointer_to(element: Any) -> Any:
        @intrinsic
        def pointer(typing, address):
            """An address in the memory of the device as a pointer."""

            def generate(context, builder, signature, args):
                # global memory: the compiler then need not find out which kind it is for each access
                kind = context.get_value_type(signature.return_type)
                element_kind = context.get_data_type(element)
                there = builder.inttoptr(args[0], ir.PointerType(element_kind, addrspace=1))
                return builder.addrspacecast(there, kind)

            return types.CPointer(element)(types.int64), generate

        return pointer

    @intrinsic
    def like(typing, x, value):
        """``value`` in the type of ``x``."""

        def generate(context, builder, signature, args):
            return context.cast(builder, args[1], signature.args[1], signature.args[0])

        return x(x, value), generate

    def narrow(name: str) -> Any:
        @intrinsic
        def divide(typing, a, b):
            """Of numbers below 2**32, none of them negative: a quarter of what 64 bits cost."""

            def generate(context, builder, signature, args):
                a, b = (builder.trunc(value, _I32) for value in args)
                return builder.zext(getattr(builder, name)(a, b), _I64)

            return types.int64(types.int64, types.int64), generate

        return divide

    def function_of(name: str, arity: int) -> Any:
        def generate(context, builder, signature, args):
            kind = context.get_value_type(signature.return_type)
            symbol = library(name if signature.return_type == types.float64 else f"{name}f")
            declared = ir.FunctionType(kind, [kind] * arity)
            return builder.call(cgutils.get_or_insert_function(builder.module, declared, symbol), args)

        if arity == 1:

            @intrinsic
            def one(typing, x):
                """A function of the library."""
                return x(x), generate

            return one

        @intrinsic
        def two(typing, x, y):
            """A function of the library."""
            return x(x, x), generate

        return two

    found.update(_conversions(intrinsic, types))
    found.update({name: function_of(name, arity) for name, arity in LIBRARY.items()})
    found.update(like=like, udiv=narrow("udiv"), umod=narrow("urem"))
    found.update({f"{name}_pointer": pointer_to(getattr(types, name)) for name in TYPES})
    return found


# -- float16 and bfloat16: kept as uint16, computed with as float32 ----------------------------------------
def _widened(b: Any, bits: Any, name: str) -> Any:
    if name == "float16":
        return b.fpext(b.bitcast(bits, ir.HalfType()), ir.FloatType())
    return b.bitcast(b.shl(b.zext(bits, _I32), ir.Constant(_I32, 16)), ir.FloatType())


def _narrowed(b: Any, x: Any, name: str) -> Any:
    """To the nearest, to even in the middle."""
    if name == "float16":
        return b.bitcast(b.fptrunc(x, ir.HalfType()), ir.IntType(16))
    bits, sixteen = b.bitcast(x, _I32), ir.Constant(_I32, 16)
    odd = b.and_(b.lshr(bits, sixteen), ir.Constant(_I32, 1))
    near = b.lshr(b.add(bits, b.add(odd, ir.Constant(_I32, 0x7FFF))), sixteen)
    near = b.select(b.fcmp_unordered("uno", x, x), ir.Constant(_I32, 0x7FC0), near)
    return b.trunc(near, ir.IntType(16))


def _conversions(intrinsic: Any, types: Any) -> dict[str, Any]:
    """``wide_float16`` of bits, ``narrow_float16`` to bits, ``float16``, which rounds; and for bfloat16."""

    def of(name: str) -> dict[str, Any]:
        @intrinsic
        def wide(typing, bits):
            """The bits of a half as float32."""
            return types.float32(types.uint16), lambda c, b, s, v: _widened(b, v[0], name)

        @intrinsic
        def narrow(typing, x):
            """A float32 as the bits of a half."""
            return types.uint16(types.float32), lambda c, b, s, v: _narrowed(b, v[0], name)

        @intrinsic
        def rounded(typing, x):
            """A number rounded to a half, as float32."""
            return types.float32(types.float32), lambda c, b, s, v: _widened(
                b, _narrowed(b, v[0], name), name
            )

        return {f"wide_{name}": wide, f"narrow_{name}": narrow, name: rounded}

    return of("float16") | of("bfloat16")
