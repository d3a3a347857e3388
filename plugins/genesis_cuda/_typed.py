"""Instructions that Numba lacks, as functions that compile to them, for any of its targets."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils

_I32, _I64 = ir.IntType(32), ir.IntType(64)
TYPES = ("uint8", "int8", "int16", "int32", "int64", "uint64", "float32", "float64")


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

    found.update({name: function_of(name, arity) for name, arity in LIBRARY.items()})
    found.update(like=like, udiv=narrow("udiv"), umod=narrow("urem"))
    found.update({f"{name}_pointer": pointer_to(getattr(types, name)) for name in TYPES})
    return found
