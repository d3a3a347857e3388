"""Parts of elementwise formulas that several operations share."""

from __future__ import annotations

from genesis.backend.expr import Expr, call, const

ZERO, ONE = const(0), const(1)
NAN, INF = const(float("nan")), const(float("inf"))


def where(c: Expr, a: Expr | float, b: Expr | float) -> Expr:
    """``a`` where the condition holds, else ``b``."""
    return call("where", c, a, b)


def lt(a: Expr | float, b: Expr | float) -> Expr:
    return call("lt", a, b)


def le(a: Expr | float, b: Expr | float) -> Expr:
    return call("le", a, b)


def eq(a: Expr | float, b: Expr | float) -> Expr:
    return call("eq", a, b)


def both(a: Expr, b: Expr) -> Expr:
    return call("and", a, b)


def either(a: Expr, b: Expr) -> Expr:
    return call("or", a, b)


def is_nan(x: Expr) -> Expr:
    return call("ne", x, x)


def absolute(x: Expr) -> Expr:
    return call("abs", x)


def polynomial(x: Expr, *coefficients: float) -> Expr:
    """Horner's rule; the lowest power first."""
    *rest, top = coefficients
    total: Expr = const(top)
    for c in reversed(rest):
        total = total * x + c
    return total


def sign_bit(x: Expr) -> Expr:
    """True below zero and for -0.0, of which only the reciprocal tells."""
    return either(lt(x, 0), both(eq(x, 0), lt(1 / x, 0)))


def with_sign_of(size: Expr, x: Expr) -> Expr:
    """``|size|`` with the sign of ``x``."""
    size = absolute(size)
    return where(sign_bit(x), -size, size)


def towards_zero(x: Expr) -> Expr:
    return where(lt(x, 0), call("ceil", x), call("floor", x))
