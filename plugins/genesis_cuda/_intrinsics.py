"""Real hardware: types and instructions that Numba's CUDA lacks, and the assembler."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"
from __future__ import annotations

import math as math
import re
from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import cuda as _cuda
from numba.cuda import types as _types
from numba.cuda.extending import intrinsic

cuda: Any = _cuda  # another package has put its own in this place, which type checkers do not see
types: Any = _types
_I32, _I64 = ir.IntType(32), ir.IntType(64)
_NAMES = ("uint8", "int8", "int16", "int32", "int64", "uint64", "float32", "float64")
casts: dict[str, Any] = {name: getattr(types, name) for name in _NAMES}


def device(function: Callable[..., Any]) -> Any:
    """A function that kernels call."""
    return cuda.jit(device=True)(function)


def _pointer_to(element: Any) -> Any:
    @intrinsic
    def pointer(typing, address):
        """An address in the memory of the device as a pointer."""

        def generate(context, builder, signature, args):
            # global memory: the compiler then need not find out which kind it is for each access
            kind = context.get_value_type(signature.return_type)
            there = builder.inttoptr(args[0], ir.PointerType(context.get_data_type(element), addrspace=1))
            return builder.addrspacecast(there, kind)

        return types.CPointer(element)(types.int64), generate

    return pointer


pointers: dict[str, Any] = {f"{name}_pointer": _pointer_to(kind) for name, kind in casts.items()}


@intrinsic
def like(typing, x, value):
    """``value`` in the type of ``x``."""
    return x(x, value), lambda context, builder, s, v: context.cast(builder, v[1], s.args[1], s.args[0])


def _narrow(name: str) -> Any:
    @intrinsic
    def divide(typing, a, b):
        """Of numbers below 2**32, none of them negative: a quarter of what 64 bits cost."""

        def generate(context, builder, signature, args):
            a, b = (builder.trunc(value, _I32) for value in args)
            return builder.zext(getattr(builder, name)(a, b), _I64)

        return types.int64(types.int64, types.int64), generate

    return divide


udiv, umod = _narrow("udiv"), _narrow("urem")


def signature(parameters: Sequence[str]) -> Any:
    """The types of a kernel's parameters, for Numba."""
    kinds = []
    for name in parameters:
        kind = casts[name.rstrip("*")]
        kinds.append(types.CPointer(kind) if name.endswith("*") else kind)
    return types.void(*kinds)


def machine_code(
    function: Callable[..., Any],
    parameters: Sequence[str],
    architecture: str,
    threads: int,
    blocks: int,
) -> tuple[str, bytes, str]:
    """As ``_cuda.machine_code``."""
    from cuda.core import Linker, LinkerOptions, ObjectCode

    number = int(architecture.removeprefix("sm_"))
    ptx, _ = cuda.compile_ptx(
        function, signature(parameters), cc=(number // 10, number % 10), launch_bounds=(threads, blocks)
    )
    found = re.search(r"\.visible \.entry ([\w$]+)", ptx)
    assert found, ptx
    linker = Linker(
        ObjectCode.from_ptx(ptx.encode()), options=LinkerOptions(arch=architecture, ptxas_options=["-v"])
    )
    code = linker.link("cubin").code
    return found[1], bytes(code), linker.get_info_log() or ""
