"""The alphabet as compiled code: float32 in plain arithmetic that LLVM vectorises, float64 by libm.

A call to a library function keeps a loop scalar (five to thirty times slower), so each float32 function is a
range reduction and a polynomial, with its special values chosen by selects instead of branches.  The errors
in the docstrings are the largest found over all float32 arguments tried, in units in the last place.

Each function is generated as LLVM instructions: that compiles fast, lets a multiply-add be one instruction
(``llvm.fmuladd``) exactly where the formula means it, and takes no part in any fast-math option.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from genesis_cpu._circle import circle
from genesis_cpu._power import normal, power

__all__ = [
    "abs_",
    "accumulate",
    "ceil_",
    "cos_",
    "erf_",
    "exp_",
    "expm1_",
    "floor_",
    "floordiv_",
    "fma_",
    "inf",
    "log1p_",
    "log_",
    "max_",
    "min_",
    "mod_",
    "nan",
    "normal_",
    "order",
    "pow_",
    "ratio_",
    "round_",
    "sign_",
    "sin_",
    "sqrt_",
    "tanh_",
    "unorder",
]

inf, nan = math.inf, math.nan
_I32, _I64, _F32, _F64 = ir.IntType(32), ir.IntType(64), ir.FloatType(), ir.DoubleType()


def _like(kind: Any, element: Any) -> Any:
    """The type of as many elements as ``kind`` has, which may be a vector."""
    return ir.VectorType(element, kind.count) if isinstance(kind, ir.VectorType) else element


def _constant(kind: Any, value: float) -> Any:
    return ir.Constant(kind, [value] * kind.count if isinstance(kind, ir.VectorType) else value)


class _Value:
    """An LLVM float, or a vector of them, with operators, so that the formulas below read like formulas."""

    __slots__ = ("b", "v")

    def __init__(self, builder: Any, value: Any) -> None:
        self.b, self.v = builder, value

    def _lift(self, other: Any) -> Any:
        return other.v if isinstance(other, _Value) else _constant(self.v.type, float(other))

    def whole(self, number: int) -> Any:
        """A whole number beside the bits of this."""
        return _constant(_like(self.v.type, _I32), number)

    def _new(self, value: Any) -> _Value:
        return _Value(self.b, value)

    def __add__(self, other: Any) -> _Value:
        return self._new(self.b.fadd(self.v, self._lift(other)))

    def __sub__(self, other: Any) -> _Value:
        return self._new(self.b.fsub(self.v, self._lift(other)))

    def __rsub__(self, other: Any) -> _Value:
        return self._new(self.b.fsub(self._lift(other), self.v))

    def __mul__(self, other: Any) -> _Value:
        return self._new(self.b.fmul(self.v, self._lift(other)))

    def __truediv__(self, other: Any) -> _Value:
        return self._new(self.b.fdiv(self.v, self._lift(other)))

    def __neg__(self) -> _Value:
        return self._new(self.b.fneg(self.v))

    __radd__, __rmul__ = __add__, __mul__

    def less(self, other: Any) -> Any:
        return self.b.fcmp_ordered("<", self.v, self._lift(other))

    def equal(self, other: Any) -> Any:
        return self.b.fcmp_ordered("==", self.v, self._lift(other))

    def is_nan(self) -> Any:
        return self.b.fcmp_unordered("uno", self.v, self.v)

    def choose(self, condition: Any, other: Any) -> _Value:
        """``self`` where the condition holds, else ``other``."""
        return self._new(self.b.select(condition, self.v, self._lift(other)))

    def at_most(self, bound: float) -> _Value:
        """The smaller of the two; nan stays."""
        return self._new(self._lift(bound)).choose(self._new(self._lift(bound)).less(self), self)

    def at_least(self, bound: float) -> _Value:
        return self._new(self._lift(bound)).choose(self.less(bound), self)

    def intrinsic(self, name: str, *others: Any) -> _Value:
        t = self.v.type
        operands = [self.v, *[self._lift(o) for o in others]]
        vector = isinstance(t, ir.VectorType)
        suffix = "f32" if (t.element if vector else t) == _F32 else "f64"
        suffix = f"v{t.count}{suffix}" if vector else suffix
        declared = ir.FunctionType(t, [t] * len(operands))
        function = cgutils.get_or_insert_function(self.b.module, declared, f"llvm.{name}.{suffix}")
        return self._new(self.b.call(function, operands))

    def library(self, name: str, *others: Any) -> _Value:
        """A function of the C library, in float64."""
        operands = [self.v, *[self._lift(o) for o in others]]
        declared = ir.FunctionType(self.v.type, [self.v.type] * len(operands))
        function = cgutils.get_or_insert_function(self.b.module, declared, name)
        return self._new(self.b.call(function, operands))

    def fma(self, factor: Any, term: Any) -> _Value:
        """``self * factor + term``, rounded once where the processor can."""
        return self.intrinsic("fmuladd", factor, term)

    def polynomial(self, *coefficients: float) -> _Value:
        """Horner's rule; the lowest power first."""
        *rest, top = coefficients
        total = self._new(self._lift(top))
        for c in reversed(rest):
            total = total.fma(self, c)
        return total

    def bits(self) -> Any:
        return self.b.bitcast(self.v, _like(self.v.type, _I32))

    def from_bits(self, value: Any) -> _Value:
        return self._new(self.b.bitcast(value, self.v.type))


# -- float32 -----------------------------------------------------------------------------------------------
_LN2_HIGH, _LN2_LOW = 0.693145751953125, 1.42860682030941723212e-06  # the first has 9 zero bits at its end
_MAGIC = 12582912.0  # 1.5 * 2**23: adding it rounds to an integer, which then lies in the low bits


def _split(x: _Value) -> tuple[_Value, Any]:
    """x = n ln 2 + r with |r| <= ln 2 / 2; r, and n as an integer."""
    shifted = x.fma(math.log2(math.e), _MAGIC)
    n = shifted - _MAGIC
    r = n.fma(-_LN2_LOW, n.fma(-_LN2_HIGH, x))
    return r, x.b.sub(shifted.bits(), x.whole(0x4B400000))


def _power_of_two(x: _Value, n: Any) -> _Value:
    """2**n for -126 <= n <= 127."""
    return x.from_bits(x.b.shl(x.b.add(n, x.whole(127)), x.whole(23)))


def _expm1_small(r: _Value) -> _Value:
    """exp(r) - 1 for |r| <= ln 2 / 2; minimax for (exp(r) - 1 - r) / r**2, error 2e-11."""
    q = r.polynomial(
        5.000000014e-01, 1.666666676e-01, 4.166646336e-02, 8.333285649e-03, 1.393382273e-03, 1.990783538e-04
    )
    return (r * r).fma(q, r)


def _exp(x: _Value) -> _Value:
    """1.1 units; subnormal results included."""
    r, n = _split(x.at_most(89.0).at_least(-104.0))
    half = x.b.ashr(n, x.whole(1))
    rest = x.b.sub(n, half)
    # two factors, because 2**n itself may overflow or be subnormal where the result is not
    return (_expm1_small(r) + 1.0) * _power_of_two(x, half) * _power_of_two(x, rest)


def _expm1(x: _Value) -> _Value:
    r, n = _split(x.at_most(89.0).at_least(-18.0))
    scale = _power_of_two(x, x.b.sub(n, x.whole(1)))  # half of 2**n, which may overflow
    big = scale.fma(_expm1_small(r), scale - 0.5) * 2.0
    return x.choose(x.intrinsic("fabs").less(2.0**-25), big)


def _log(x: _Value) -> _Value:
    """x = 2**k m with sqrt(1/2) <= m < sqrt(2); ln m = 2 artanh((m - 1) / (m + 1)) as a series."""
    tiny = x.less(2.0**-126)
    scaled = (x * 2.0**23).choose(tiny, x)
    b = x.b
    word = b.add(scaled.bits(), x.whole(0x3F800000 - 0x3F3504F3))
    k = b.sub(b.ashr(word, x.whole(23)), x.whole(127))
    k = b.sub(k, b.select(tiny, x.whole(23), x.whole(0)))
    m = x.from_bits(b.add(b.and_(word, x.whole(0x007FFFFF)), x.whole(0x3F3504F3)))
    n = x._new(b.sitofp(k, x.v.type))
    f = m - 1.0
    s = f / (f + 2.0)
    z = s * s
    series = z * z.polynomial(2 / 3, 2 / 5, 2 / 7, 2 / 9)
    half_square = f * f * 0.5
    tail = s.fma(half_square + series, n * _LN2_LOW)
    result = n.fma(_LN2_HIGH, f - (half_square - tail))
    result = x.choose(x.equal(inf), result)
    result = x._new(x._lift(-inf)).choose(x.equal(0.0), result)
    bad = b.fcmp_unordered("<", x.v, x._lift(0.0))  # below zero, or nan
    return x._new(x._lift(nan)).choose(bad, result)


def _log1p(x: _Value) -> _Value:
    u = x + 1.0
    lost = (x - (u - 1.0)) / u  # what rounding 1 + x lost
    ordinary = x.b.and_(u.less(inf), x._new(x._lift(0.0)).less(u))
    result = _log(u) + lost.choose(ordinary, 0.0)
    return x.choose(x.intrinsic("fabs").less(2.0**-25), result)


def _tanh(x: _Value) -> _Value:
    t = _expm1(x.intrinsic("fabs").at_most(10.0) * 2.0)
    return (t / (t + 2.0)).intrinsic("copysign", x)


def _erf(x: _Value) -> _Value:
    """x + x P(x**2) up to 1, above it 1 - exp(-Q(|x|)); both minimax fits of this project's own."""
    a = x.intrinsic("fabs").at_most(4.0)
    p = (a * a).polynomial(
        1.283791659e-01, -3.761262714e-01, 1.128360018e-01, -2.685444459e-02, 5.189535339e-03,
        -8.020841281e-04, 7.889119536e-05,
    )  # fmt: skip
    q = a.polynomial(
        3.124597540e-04, 1.127202319e00, 6.379649269e-01, 1.032562669e-01, -2.190650796e-02, 2.964014296e-03,
        -1.879725517e-04,
    )  # fmt: skip
    r, n = _split(-q)
    above = 1.0 - (_expm1_small(r) + 1.0) * _power_of_two(x, n)
    return a.fma(p, a).choose(a.less(1.0), above).intrinsic("copysign", x)


def _widened(name: str) -> Callable[..., _Value]:
    """Through the float64 function of the C library: right everywhere, not vectorised."""

    def function(x: _Value, *others: _Value) -> _Value:
        wide = [_Value(x.b, x.b.fpext(v.v, _F64)) for v in (x, *others)]
        return x._new(x.b.fptrunc(wide[0].library(name, *wide[1:]).v, _F32))

    return function


# -- either type -------------------------------------------------------------------------------------------
def _sign(x: _Value) -> _Value:
    one = x._new(x._lift(1.0)).intrinsic("copysign", x)
    return x.choose(x.b.or_(x.is_nan(), x.equal(0.0)), one)


def _floordiv(x: _Value, y: _Value) -> _Value:
    m = x.library("fmod", y) if x.v.type == _F64 else _widened("fmod")(x, y)
    quotient = (x - m) / y
    other_sign = x.b.and_(x.b.fcmp_unordered("!=", m.v, m._lift(0.0)), x.b.xor(m.less(0.0), y.less(0.0)))
    quotient = (quotient - 1.0).choose(other_sign, quotient)
    down = quotient.intrinsic("floor")
    # the division above may round just below the whole number it stands for
    down = (down + 1.0).choose(x._new(x._lift(0.5)).less(quotient - down), down)
    zero = x._new(x._lift(0.0)).intrinsic("copysign", x / y)
    result = zero.choose(quotient.equal(0.0), down)
    return (x / y).choose(y.equal(0.0), result)


def _mod(x: _Value, y: _Value) -> _Value:
    m = x.library("fmod", y) if x.v.type == _F64 else _widened("fmod")(x, y)
    other_sign = x.b.and_(x.b.fcmp_unordered("!=", m.v, m._lift(0.0)), x.b.xor(m.less(0.0), y.less(0.0)))
    result = (m + y).choose(other_sign, m)
    return x._new(x._lift(0.0)).intrinsic("copysign", y).choose(m.equal(0.0), result)


def _max(x: _Value, y: _Value) -> _Value:
    return x.choose(x.b.or_(y.less(x), x.is_nan()), y)


def _min(x: _Value, y: _Value) -> _Value:
    return x.choose(x.b.or_(x.less(y), x.is_nan()), y)


def _define(
    name: str, single: Callable[..., _Value], double: Callable[..., _Value] | None = None, integer: Any = None
) -> Any:
    """The intrinsic of one name: float32 by ``single``, float64 by ``double``, others by ``integer``."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if signature.return_type == types.float32:
            return single(*[_Value(builder, a) for a in args]).v
        if signature.return_type == types.float64:
            return (double or single)(*[_Value(builder, a) for a in args]).v
        return integer(context, builder, signature, args)

    def typed(*operands: Any) -> Any:
        t = operands[0]
        if t in (types.float32, types.float64) or integer is not None:
            return t(*[t] * len(operands)), generate
        return None

    arity = single.__code__.co_argcount if not single.__code__.co_flags & 0x04 else 0
    if name == "pow" or arity == 2:
        return intrinsic(lambda typing, x, y: typed(x, y))
    return intrinsic(lambda typing, x: typed(x))


def _by_intrinsic(name: str) -> Callable[[_Value], _Value]:
    return lambda x: x.intrinsic(name)


def _by_library(name: str) -> Callable[..., _Value]:
    return lambda x, *others: x.library(name, *others)


def _signed(t: Any) -> bool:
    return bool(getattr(t, "signed", False))


def _integer_abs(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    if not _signed(signature.return_type):
        return args[0]
    zero = ir.Constant(args[0].type, 0)
    return builder.select(builder.icmp_signed("<", args[0], zero), builder.neg(args[0]), args[0])


def _integer_sign(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    t = args[0].type
    zero, one = ir.Constant(t, 0), ir.Constant(t, 1)
    positive = builder.select(builder.icmp_unsigned("!=", args[0], zero), one, zero)
    if not _signed(signature.return_type):
        return positive
    return builder.select(builder.icmp_signed("<", args[0], zero), ir.Constant(t, -1), positive)


def _integer_extreme(sign: str) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        compare = builder.icmp_signed if _signed(signature.return_type) else builder.icmp_unsigned
        return builder.select(compare(sign, *args), *args)

    return generate


def _integer_floor(remainder: bool) -> Any:
    """x // y or x % y by the sign of y; by zero gives 0, as NumPy does."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        x, y = args
        zero, one = ir.Constant(x.type, 0), ir.Constant(x.type, 1)
        by_zero = builder.icmp_unsigned("==", y, zero)
        if not _signed(signature.return_type):
            safe = builder.select(by_zero, one, y)
            result = builder.urem(x, safe) if remainder else builder.udiv(x, safe)
            return builder.select(by_zero, zero, result)
        # x / -1 overflows for the smallest x: it is 0 - x, which wraps
        minus = builder.icmp_signed("==", y, ir.Constant(x.type, -1))
        safe = builder.select(builder.or_(by_zero, minus), one, y)
        q, r = builder.sdiv(x, safe), builder.srem(x, safe)
        other = builder.and_(
            builder.icmp_signed("!=", r, zero), builder.icmp_signed("<", builder.xor(r, safe), zero)
        )
        if remainder:
            result = builder.select(other, builder.add(r, safe), r)
            return builder.select(builder.or_(by_zero, minus), zero, result)
        result = builder.select(other, builder.sub(q, one), q)
        result = builder.select(minus, builder.sub(zero, x), result)
        return builder.select(by_zero, zero, result)

    return generate


def _integer_pow(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    """Repeated squaring; a negative exponent gives 0, but for 1 and -1, their own inverses."""
    x, y = args
    t = x.type
    zero, one = ir.Constant(t, 0), ir.Constant(t, 1)
    result, base, left = (cgutils.alloca_once_value(builder, v) for v in (one, x, y))
    if _signed(signature.return_type):
        negative = builder.icmp_signed("<", y, zero)
        plus, minus = builder.icmp_signed("==", x, one), builder.icmp_signed("==", x, builder.neg(one))
        vanishes = builder.and_(negative, builder.not_(builder.or_(plus, minus)))
        exponent = builder.select(negative, builder.neg(y), y)
        builder.store(builder.select(vanishes, zero, exponent), left)
        builder.store(builder.select(vanishes, zero, one), result)
    check, body, done = (builder.append_basic_block(f"pow.{n}") for n in ("check", "body", "done"))
    builder.branch(check)
    builder.position_at_end(check)
    builder.cbranch(builder.icmp_unsigned("!=", builder.load(left), zero), body, done)
    builder.position_at_end(body)
    odd = builder.icmp_unsigned("!=", builder.and_(builder.load(left), one), zero)
    now, factor = builder.load(result), builder.load(base)
    builder.store(builder.select(odd, builder.mul(now, factor), now), result)
    builder.store(builder.mul(factor, factor), base)
    builder.store(builder.lshr(builder.load(left), one), left)
    builder.branch(check)
    builder.position_at_end(done)
    return builder.load(result)


abs_ = _define("abs", _by_intrinsic("fabs"), integer=_integer_abs)
sign_ = _define("sign", _sign, integer=_integer_sign)
floor_, ceil_ = _define("floor", _by_intrinsic("floor")), _define("ceil", _by_intrinsic("ceil"))
round_, sqrt_ = _define("round", _by_intrinsic("rint")), _define("sqrt", _by_intrinsic("sqrt"))
exp_, expm1_ = _define("exp", _exp, _by_library("exp")), _define("expm1", _expm1, _by_library("expm1"))
log_, log1p_ = _define("log", _log, _by_library("log")), _define("log1p", _log1p, _by_library("log1p"))
tanh_, erf_ = _define("tanh", _tanh, _by_library("tanh")), _define("erf", _erf, _by_library("erf"))
sin_, cos_ = (
    _define("sin", lambda x: circle(x, 0), _by_library("sin")),
    _define("cos", lambda x: circle(x, 1), _by_library("cos")),
)
pow_ = _define("pow", lambda x, y: power(x, y), _by_library("pow"), _integer_pow)
floordiv_ = _define("floordiv", _floordiv, integer=_integer_floor(False))
mod_ = _define("mod", _mod, integer=_integer_floor(True))
max_, min_ = (
    _define("max", _max, integer=_integer_extreme(">")),
    _define("min", _min, integer=_integer_extreme("<")),
)


@intrinsic
def normal_(typing, first, second):
    """A normal float64 from two words of 32 bits, by the transform of Box and Muller."""

    def generate(context, builder, signature, args):
        return normal(_Value(builder, ir.Constant(_F64, 0.0)), *args).v

    return types.float64(types.uint64, types.uint64), generate


# -- for reductions ----------------------------------------------------------------------------------------
@intrinsic
def fma_(typing, a, b, c):
    """``a * b + c``, rounded once where the processor can."""

    def generate(context, builder, signature, args):
        x, y, z = (_Value(builder, v) for v in args)
        return x.fma(y, z).v

    return a(a, a, a), generate


@intrinsic
def ratio_(typing, a, b):
    """``a / b`` within a unit in the last place, for finite ``a`` and ``b`` that is neither 0 nor denormal.

    For float32 it is an estimate of the processor and a step of Newton's, where a vector has one: a division
    takes ten times as long as a product.
    """

    def generate(context, builder, signature, args):
        x, y = (_Value(builder, v) for v in args)
        if x.v.type == _F64:
            return (x / y).v
        # an infinite divisor gives zero, as it should
        return builder.fdiv(x.v, y.at_most(3e38).v, flags=("arcp", "ninf", "contract"))

    return a(a, a), generate


@intrinsic
def accumulate(typing, total, x):
    """``total + x`` where the order of additions does not matter.

    Only this addition may be reordered, so a loop becomes many partial sums (vectorised, and more accurate),
    while the arithmetic around it stays exactly as written.
    """

    def generate(context, builder, signature, args):
        return builder.fadd(*args, flags=("reassoc",))

    return total(total, total), generate


def _flip(builder: Any, word: Any) -> Any:
    """Make the bits of floats compare like integers: negative numbers get their other bits inverted."""
    width = word.type.width
    mask = builder.lshr(builder.ashr(word, ir.Constant(word.type, width - 1)), ir.Constant(word.type, 1))
    return builder.xor(word, mask)


@intrinsic
def order(typing, x):
    """An integer that compares as the float does, nan above everything.

    Integer maxima vectorise without leave to ignore nan or the sign of zero.
    """

    def generate(context, builder, signature, args):
        t = _I32 if signature.args[0] == types.float32 else _I64
        word = _flip(builder, builder.bitcast(args[0], t))
        top = ir.Constant(t, 2 ** (t.width - 1) - 1)
        return builder.select(builder.fcmp_unordered("uno", args[0], args[0]), top, word)

    return (types.int32 if x == types.float32 else types.int64)(x), generate


@intrinsic
def unorder(typing, word):
    """The float of an ``order``."""

    def generate(context, builder, signature, args):
        return builder.bitcast(_flip(builder, args[0]), _F32 if args[0].type == _I32 else _F64)

    return (types.float32 if word == types.int32 else types.float64)(word), generate
