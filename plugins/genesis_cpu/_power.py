"""Powers of float32 and normal numbers, computed in float64, without a branch, so that loops vectorise."""

from __future__ import annotations

import math
from typing import Any

from llvmlite import ir

_I64, _F64 = ir.IntType(64), ir.DoubleType()
_MAGIC = 1.5 * 2.0**52  # adding it rounds to an integer, which then lies in the low bits
_ROOT_HALF = 0x3FE6A09E667F3BCD  # the bits of sqrt(1/2)


def _logarithm(x: Any, unit: float, terms: int) -> Any:
    """``ln x / ln unit`` of a positive, normal float64.

    x = 2**k m with sqrt(1/2) <= m < sqrt(2), and ln m = 2 artanh s, by ``terms`` terms of its series.
    """
    b = x.b
    word = b.sub(b.bitcast(x.v, _I64), ir.Constant(_I64, _ROOT_HALF))
    k = b.ashr(word, ir.Constant(_I64, 52))
    m = b.add(b.and_(word, ir.Constant(_I64, 2**52 - 1)), ir.Constant(_I64, _ROOT_HALF))
    m = x._new(b.bitcast(m, _F64))
    n = x._new(b.sitofp(b.trunc(k, ir.IntType(32)), _F64))
    s = (m - 1.0) / (m + 1.0)
    series = (s * s).polynomial(*[2 / math.log(unit) / (2 * i + 1) for i in range(terms)])
    return s.fma(series, n * (math.log(2) / math.log(unit)))


def _exp2(t: Any) -> Any:
    """Of a float64 between -1000 and 1000."""
    b = t.b
    shifted = t + _MAGIC
    r = (t - (shifted - _MAGIC)) * math.log(2)
    value = r.polynomial(*[1 / math.factorial(i) for i in range(10)])
    n = b.shl(b.bitcast(shifted.v, _I64), ir.Constant(_I64, 52))
    return value._new(b.bitcast(b.add(b.bitcast(value.v, _I64), n), _F64))


def power(x: Any, y: Any) -> Any:
    """``x ** y`` of LLVM floats with operators, with the special values of IEEE 754; 0.51 units."""
    b = x.b
    base, exponent = (v._new(b.fpext(v.v, _F64)) for v in (x, y))
    size = base.intrinsic("fabs")

    def number(value: float) -> Any:
        return x._new(ir.Constant(_F64, value))

    logarithm = number(-math.inf).choose(size.equal(0.0), _logarithm(size, 2, 7))
    logarithm = number(math.inf).choose(size.equal(math.inf), logarithm)
    value = _exp2((exponent * logarithm).at_most(200.0).at_least(-200.0))
    value = number(1.0).choose(size.equal(1.0), value)
    half = exponent * 0.5
    whole = exponent.intrinsic("floor").equal(exponent)
    odd = b.and_(whole, b.not_(half.intrinsic("floor").equal(half)))
    value = value.intrinsic("copysign", base).choose(odd, value)
    # roots of negative numbers
    finite = b.and_(base.less(0.0), size.less(math.inf))
    value = number(math.nan).choose(b.and_(finite, b.not_(whole)), value)
    value = number(math.nan).choose(b.or_(base.is_nan(), exponent.is_nan()), value)
    value = number(1.0).choose(b.or_(base.equal(1.0), exponent.equal(0.0)), value)
    return x._new(b.fptrunc(value.v, ir.FloatType()))


def normal(x: Any, first: Any, second: Any) -> Any:
    """``sqrt(-2 ln((first + 1) / 2**32)) cos(2 pi second / 2**32)`` of two words of 32 bits, in float64.

    Box and Muller, Annals of Mathematical Statistics 29 (1958). The quadrant of the angle is in the
    highest two bits of the word, so what is left is exact. ``x`` is any float with operators.
    """
    b = x.b

    def word(value: int) -> Any:
        return ir.Constant(_I64, value)

    exact = x._new(b.bitcast(b.or_(first, word(0x4330 << 48)), _F64)) - (2.0**52 - 1.0)  # first + 1
    radius = (_logarithm(exact * 2.0**-32, math.e, 11) * -2.0).intrinsic("sqrt")
    quadrant = b.lshr(b.add(second, word(1 << 29)), word(30))
    rest = b.trunc(b.sub(second, b.shl(quadrant, word(30))), ir.IntType(32))
    r = x._new(b.sitofp(rest, _F64)) * (math.tau * 2.0**-32)
    z = r * r
    sine = r * z.polynomial(*[(-1) ** i / math.factorial(2 * i + 1) for i in range(8)])
    cosine = z.polynomial(*[(-1) ** i / math.factorial(2 * i) for i in range(9)])
    odd = b.icmp_signed("!=", b.and_(quadrant, word(1)), word(0))
    value = radius * sine.choose(odd, cosine)
    sign = b.shl(b.and_(b.add(quadrant, word(1)), word(2)), word(62))
    return x._new(b.bitcast(b.xor(b.bitcast(value.v, _I64), sign), _F64))
