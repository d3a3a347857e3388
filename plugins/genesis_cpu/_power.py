"""Powers of float32, computed in float64, without a branch, so that loops over them vectorise."""

from __future__ import annotations

import math
from typing import Any

from llvmlite import ir

_I64, _F64 = ir.IntType(64), ir.DoubleType()
_MAGIC = 1.5 * 2.0**52  # adding it rounds to an integer, which then lies in the low bits
_ROOT_HALF = 0x3FE6A09E667F3BCD  # the bits of sqrt(1/2)


def _log2(x: Any) -> Any:
    """Of a positive, normal float64: x = 2**k m with sqrt(1/2) <= m < sqrt(2), and ln m = 2 artanh s."""
    b = x.b
    word = b.sub(b.bitcast(x.v, _I64), ir.Constant(_I64, _ROOT_HALF))
    k = b.ashr(word, ir.Constant(_I64, 52))
    m = b.add(b.and_(word, ir.Constant(_I64, 2**52 - 1)), ir.Constant(_I64, _ROOT_HALF))
    m = x._new(b.bitcast(m, _F64))
    n = x._new(b.sitofp(b.trunc(k, ir.IntType(32)), _F64))
    s = (m - 1.0) / (m + 1.0)
    series = (s * s).polynomial(*[2 / math.log(2) / (2 * i + 1) for i in range(7)])
    return s.fma(series, n)


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

    logarithm = number(-math.inf).choose(size.equal(0.0), _log2(size))
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
