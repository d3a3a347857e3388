"""Sine and cosine of float32, computed in float64, without a branch, so that loops over them vectorise."""

from __future__ import annotations

import math
from typing import Any

from llvmlite import ir

_I32, _I64, _F64 = ir.IntType(32), ir.IntType(64), ir.DoubleType()
_HALF_PI, _HALF_PI_LOW = math.pi / 2, 6.123233995736766e-17
_MAGIC = 1.5 * 2.0**52  # adding it rounds to an integer, which then lies in the low bits
_TWO_OVER_PI = 0xA2F9836E4E441529FC2757D1F534DDC0DB6295993C439041FE5163AB  # its first 224 bits
_FAR = 177  # the exponent field of 2**50; below, a multiple of pi / 2 can be taken away in two steps
# minimax fits of this project's own up to pi / 4: sin r = r + r**3 P(r**2), cos r = 1 + r**2 Q(r**2)
_SINE = (-0.1666666664161684, 0.008333329384745881, -0.00019839334463090676, 2.7183078971170795e-06)
_COSINE = (-0.4999999972499684, 0.04166662331120479, -0.00138867633657585, 2.439040936829213e-05)


def _quarters(x: Any, field: Any) -> tuple[Any, Any]:
    """``2**k * 2 / pi`` modulo 4, for a far number m 2**k with an integer m of 24 bits: 26 bits, and 52 more.

    What 2 / pi has above gives whole turns (Payne and Hanek, ACM SIGNUM 18, 1983). The bits are shifted out
    of words, because a loop that looks a table up stays scalar.
    """
    b = x.b

    def word(value: int) -> Any:
        return ir.Constant(_I64, value)

    def number(bits: Any) -> Any:
        return x._new(b.sitofp(b.trunc(bits, _I32), _F64))

    start = b.sub(b.zext(field, _I64), word(152))  # of 2 / pi: the first bit that counts, 25 to 102
    second = b.icmp_signed(">=", start, word(64))
    words = [word((_TWO_OVER_PI << 32 >> 64 * (3 - j)) & (2**64 - 1)) for j in range(4)]
    first, middle, last = (b.select(second, words[j + 1], words[j]) for j in range(3))
    left = b.and_(start, word(63))
    right = b.sub(word(63), left)
    top = b.or_(b.shl(first, left), b.lshr(b.lshr(middle, word(1)), right))
    more = b.or_(b.shl(middle, left), b.lshr(b.lshr(last, word(1)), right))
    high = number(b.lshr(top, word(38))) * 2.0**-24
    upper = number(b.and_(b.lshr(top, word(12)), word(0x3FFFFFF))) * 2.0**-50
    lower = number(b.or_(b.shl(b.and_(top, word(0xFFF)), word(14)), b.lshr(more, word(50)))) * 2.0**-76
    return high, upper + lower


def circle(x: Any, shift: int) -> Any:
    """``sin(x + shift pi / 2)`` of an LLVM float with operators; 0.51 units."""
    b = x.b
    wide = x._new(b.fpext(x.v, _F64))
    word = b.bitcast(x.v, _I32)
    # near: x - n pi / 2, with a remainder that is right to float64
    turns = wide.fma(1 / _HALF_PI, _MAGIC)
    n = turns - _MAGIC
    near = n.fma(-_HALF_PI_LOW, n.fma(-_HALF_PI, wide))
    # far: m times what 2**k 2 / pi has below a whole turn
    field = b.and_(b.lshr(word, ir.Constant(_I32, 23)), ir.Constant(_I32, 255))
    is_far = b.icmp_signed(">=", field, ir.Constant(_I32, _FAR))
    high, low = _quarters(x, b.select(is_far, field, ir.Constant(_I32, _FAR)))
    mantissa = b.or_(b.and_(word, ir.Constant(_I32, 0x7FFFFF)), ir.Constant(_I32, 0x800000))
    m = x._new(b.sitofp(mantissa, _F64)).intrinsic("copysign", wide)
    product = m * high
    far_turns = product + _MAGIC
    rest = product - (far_turns - _MAGIC)
    more_turns = m.fma(low, rest) + _MAGIC
    fraction = m.fma(low, rest - (more_turns - _MAGIC))
    r = (fraction * _HALF_PI).choose(is_far, near)
    far_quadrant = b.add(b.bitcast(far_turns.v, _I64), b.bitcast(more_turns.v, _I64))
    quadrant = b.select(is_far, far_quadrant, b.bitcast(turns.v, _I64))
    quadrant = b.add(quadrant, ir.Constant(_I64, shift))
    z = r * r
    sine = r.choose(r.equal(0.0), (r * z).fma(z.polynomial(*_SINE), r))  # -0 stays
    cosine = z.fma(z.polynomial(*_COSINE), 1.0)
    one, two = ir.Constant(_I64, 1), ir.Constant(_I64, 2)
    odd = b.icmp_signed("!=", b.and_(quadrant, one), ir.Constant(_I64, 0))
    value = cosine.choose(odd, sine)
    sign = b.shl(b.and_(quadrant, two), ir.Constant(_I64, 62))
    flipped = x._new(b.bitcast(b.xor(b.bitcast(value.v, _I64), sign), _F64))
    # nan where x is nan or infinite: then, and only then, x - x is not 0
    lost = b.fcmp_unordered("uno", (wide - wide).v, (wide - wide).v)
    result = x._new(ir.Constant(_F64, math.nan)).choose(lost, flipped)
    return x._new(b.fptrunc(result.v, ir.FloatType()))
