"""Trigonometric and hyperbolic functions and their inverses, as formulas over the alphabet."""

from __future__ import annotations

import math

from genesis.backend.expr import Expr, call
from genesis.ops._elementwise import Elementwise
from genesis.ops._formulas import (
    INF,
    NAN,
    ZERO,
    absolute,
    both,
    either,
    eq,
    is_nan,
    lt,
    polynomial,
    sign_bit,
    where,
)

_HALF_PI = math.pi / 2
#: atan(r) / r as a polynomial of r**2, for |r| <= tan(pi / 8); a Chebyshev fit of ours, error 2e-17
_ATAN = (
    1.0, -0.333333333333333242, 0.199999999999970139, -0.142857142853297082, 0.111111110853221088,
    -0.0909090805903119103, 0.0769228109993774325, -0.0666620525997652619, 0.0587683400461416066,
    -0.05217312574061591, 0.0449950072898403201, -0.0333878245012119515, 0.0151137650966009247,
)  # fmt: skip


def _atan(x: Expr) -> Expr:
    """``atan(a) = pi/2 - atan(1/a)`` above 1, ``pi/4 + atan((a - 1) / (a + 1))`` above tan(pi/8)."""
    a = absolute(x)
    above = lt(1, a)
    r = where(above, 1 / a, a)
    middle = lt(math.sqrt(2) - 1, r)
    r = where(middle, (r - 1) / (r + 1), r)
    angle = r * polynomial(r * r, *_ATAN)
    angle = where(middle, angle + math.pi / 4, angle)
    angle = where(above, _HALF_PI - angle, angle)
    return where(eq(x, 0), x, where(lt(x, 0), -angle, angle))


def _atan2(y: Expr, x: Expr) -> Expr:
    """The angle of (x, y), by quadrants; signs of zeros tell the quadrant too (C99, annex F)."""
    infinite = both(eq(absolute(x), INF), eq(absolute(y), INF))
    ratio = where(infinite, 1.0, where(eq(y, 0), 0.0, absolute(y) / absolute(x)))
    angle = _atan(ratio)
    angle = where(sign_bit(x), math.pi - angle, angle)
    angle = where(sign_bit(y), -angle, angle)
    return where(either(is_nan(x), is_nan(y)), NAN, angle)


def _acosh(x: Expr) -> Expr:
    t = x - 1
    near = call("log1p", t + call("sqrt", t * (t + 2)))
    return where(lt(x, 1), NAN, where(lt(1e8, x), call("log", x) + math.log(2), near))


def _asinh(x: Expr) -> Expr:
    a = absolute(x)
    s = a * a
    near = call("log1p", a + s / (1 + call("sqrt", s + 1)))
    size = where(lt(1e8, a), call("log", a) + math.log(2), near)
    return where(eq(x, 0), x, where(lt(x, 0), -size, size))


def _sinh(x: Expr) -> Expr:
    a = absolute(x)
    small = call("expm1", a)
    half = call("exp", a * 0.5)  # exp(a) itself overflows before sinh(a) does
    size = where(lt(a, 1), (small + small / (small + 1)) * 0.5, half * 0.5 * half - 0.5 / half / half)
    return where(eq(x, 0), x, where(lt(x, 0), -size, size))


def _cosh(x: Expr) -> Expr:
    half = call("exp", absolute(x) * 0.5)
    return half * 0.5 * half + 0.5 / half / half


def _root(x: Expr) -> Expr:
    """sqrt(1 - x**2) without cancellation near 1."""
    return call("sqrt", (1 - x) * (1 + x))


def _sinc(x: Expr) -> Expr:
    p = x * math.pi
    return where(eq(x, 0), 1.0, call("sin", p) / p)


def _sinc_grad(g: Expr, x: Expr, out: Expr) -> tuple[Expr]:
    p = x * math.pi
    slope = (call("cos", p) - call("sin", p) / p) / x
    return (where(eq(x, 0), ZERO, g * slope),)


def _hypot(a: Expr, b: Expr) -> Expr:
    """The larger times sqrt(1 + (smaller / larger)**2): no square overflows."""
    a, b = absolute(a), absolute(b)
    high, low = call("max", a, b), call("min", a, b)
    ratio = low / high
    size = where(eq(high, 0), high, high * call("sqrt", 1 + ratio * ratio))
    return where(either(eq(a, INF), eq(b, INF)), INF, size)


tan = Elementwise(
    "tan", lambda x: call("sin", x) / call("cos", x), 1, grad=lambda g, x, out: (g * (1 + out * out),)
)
asin = Elementwise("asin", lambda x: _atan(x / _root(x)), 1, grad=lambda g, x, out: (g / _root(x),))
acos = Elementwise(
    "acos",
    lambda x: 2 * _atan(call("sqrt", (1 - x) / (1 + x))),
    1,
    grad=lambda g, x, out: (-(g / _root(x)),),
)
atan = Elementwise("atan", _atan, 1, grad=lambda g, x, out: (g / (1 + x * x),))
atan2 = Elementwise(
    "atan2",
    _atan2,
    2,
    grad=lambda g, y, x, out: (
        where(both(eq(x, 0), eq(y, 0)), ZERO, g * (x / (x * x + y * y))),
        where(both(eq(x, 0), eq(y, 0)), ZERO, -(g * (y / (x * x + y * y)))),
    ),
)
sinh = Elementwise("sinh", _sinh, 1, grad=lambda g, x, out: (g * _cosh(x),))
cosh = Elementwise("cosh", _cosh, 1, grad=lambda g, x, out: (g * _sinh(x),))
asinh = Elementwise("asinh", _asinh, 1, grad=lambda g, x, out: (g / call("sqrt", x * x + 1),))
acosh = Elementwise(
    "acosh", _acosh, 1, grad=lambda g, x, out: (g / (call("sqrt", x - 1) * call("sqrt", x + 1)),)
)
atanh = Elementwise(
    "atanh",
    lambda x: (call("log1p", x) - call("log1p", -x)) * 0.5,
    1,
    grad=lambda g, x, out: (g / ((1 - x) * (1 + x)),),
)
sinc = Elementwise("sinc", _sinc, 1, grad=_sinc_grad)
hypot = Elementwise("hypot", _hypot, 2, grad=lambda g, a, b, out: (g * (a / out), g * (b / out)))
rad2deg = Elementwise("rad2deg", lambda x: x * (180 / math.pi), 1)
deg2rad = Elementwise("deg2rad", lambda x: x * (math.pi / 180), 1)
