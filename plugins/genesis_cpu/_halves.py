"""float16 and bfloat16 in kernels: pointers to their bits, and conversions that LLVM vectorises.

A kernel computes with halves as float32. ``wide_`` makes float32 of the bits, ``narrow_`` rounds to the
nearest (to even in the middle) and makes bits, and ``float16(x)`` and ``bfloat16(x)`` round and stay float32.
Where the processor has no instructions for float16, the steps follow F. Giesen, "Half to float done quickly"
(2012); no number of them is subnormal in float32, so processors that flush these to zero give the same.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from genesis_cpu._pointers import _pointer_to
from genesis_cpu._processor import converts_halves

__all__ = [
    "bfloat16",
    "bfloat16_pointer",
    "float16",
    "float16_pointer",
    "narrow_bfloat16",
    "narrow_float16",
    "wide_bfloat16",
    "wide_float16",
]

_I16, _I32, _F32 = ir.IntType(16), ir.IntType(32), ir.FloatType()
float16_pointer = bfloat16_pointer = _pointer_to(types.uint16)


def _word(value: int) -> Any:
    return ir.Constant(_I32, value)


def _widen_bfloat16(b: Any, bits: Any) -> Any:
    return b.bitcast(b.shl(b.zext(bits, _I32), _word(16)), _F32)


def _narrow_bfloat16(b: Any, x: Any) -> Any:
    bits = b.bitcast(x, _I32)
    odd = b.and_(b.lshr(bits, _word(16)), _word(1))
    near = b.lshr(b.add(bits, b.add(odd, _word(0x7FFF))), _word(16))
    near = b.select(b.fcmp_unordered("uno", x, x), _word(0x7FC0), near)
    return b.trunc(near, _I16)


def _widen_float16(b: Any, bits: Any) -> Any:
    return b.fpext(b.bitcast(bits, ir.HalfType()), _F32) if converts_halves() else widen_in_steps(b, bits)


def widen_in_steps(b: Any, bits: Any) -> Any:
    wide = b.zext(bits, _I32)
    sign = b.shl(b.and_(wide, _word(0x8000)), _word(16))
    size = b.shl(b.and_(wide, _word(0x7FFF)), _word(13))
    exponent = b.and_(size, _word(0x7C00 << 13))
    moved = b.add(size, _word(112 << 23))
    least = ir.Constant(_F32, 2.0**-14)  # a subnormal: its fraction behind this, which is then taken away
    small = b.fsub(b.bitcast(b.add(moved, _word(1 << 23)), _F32), least)
    moved = b.select(b.icmp_unsigned("==", exponent, _word(0)), b.bitcast(small, _I32), moved)
    endless = b.icmp_unsigned("==", exponent, _word(0x7C00 << 13))
    moved = b.select(endless, b.add(size, _word(224 << 23)), moved)
    return b.bitcast(b.or_(moved, sign), _F32)


def _narrow_float16(b: Any, x: Any) -> Any:
    return b.bitcast(b.fptrunc(x, ir.HalfType()), _I16) if converts_halves() else narrow_in_steps(b, x)


def narrow_in_steps(b: Any, x: Any) -> Any:
    bits = b.bitcast(x, _I32)
    sign = b.and_(b.lshr(bits, _word(16)), _word(0x8000))
    size = b.and_(bits, _word(0x7FFFFFFF))
    odd = b.and_(b.lshr(size, _word(13)), _word(1))
    usual = b.lshr(b.add(b.add(size, odd), _word(0x0FFF - (112 << 23))), _word(13))
    # below 2**-14: the sum with 1/2 has the result in its last bits, rounded by the addition
    small = b.fadd(b.bitcast(size, _F32), ir.Constant(_F32, 0.5))
    small = b.sub(b.bitcast(small, _I32), _word(0x3F000000))
    found = b.select(b.icmp_unsigned("<", size, _word(113 << 23)), small, usual)
    found = b.select(b.icmp_unsigned(">=", size, _word(143 << 23)), _word(0x7C00), found)
    found = b.select(b.icmp_unsigned(">", size, _word(255 << 23)), _word(0x7E00), found)
    return b.trunc(b.or_(found, sign), _I16)


def _wide(widen: Callable[[Any, Any], Any]) -> Any:
    @intrinsic
    def wide(typing, bits):
        """The bits of a half as float32."""
        return types.float32(types.uint16), lambda c, b, s, v: widen(b, v[0])

    return wide


def _narrow(narrow: Callable[[Any, Any], Any]) -> Any:
    @intrinsic
    def rounded(typing, x):
        """A float32 as the bits of a half."""
        return types.uint16(types.float32), lambda c, b, s, v: narrow(b, v[0])

    return rounded


def _round(widen: Callable[[Any, Any], Any], narrow: Callable[[Any, Any], Any]) -> Any:
    @intrinsic
    def half(typing, x):
        """A number rounded to a half, as float32."""
        return types.float32(types.float32), lambda c, b, s, v: widen(b, narrow(b, v[0]))

    return half


wide_float16, wide_bfloat16 = _wide(_widen_float16), _wide(_widen_bfloat16)
narrow_float16, narrow_bfloat16 = _narrow(_narrow_float16), _narrow(_narrow_bfloat16)
float16, bfloat16 = _round(_widen_float16, _narrow_float16), _round(_widen_bfloat16, _narrow_bfloat16)
