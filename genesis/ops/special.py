"""Special functions: of the error function, gamma and Bessel, and logarithms that stay finite.

Those of kind ``"wide"`` are computed in float64, for float32 too.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from genesis.backend.expr import Expr, call
from genesis.ops import _special_formulas as sf
from genesis.ops._elementwise import Elementwise
from genesis.ops._formulas import INF, NAN, ZERO, absolute, both, either, eq, is_nan, le, lt, where
from genesis.ops.activation import sigmoid

_2_ROOT_PI = 2 / math.sqrt(math.pi)

# -- the normal distribution -------------------------------------------------------------------------------
erfc = Elementwise(
    "erfc", sf.erfc, 1, "wide", grad=lambda g, x, out: (g * call("exp", -(x * x)) * -_2_ROOT_PI,)
)
erfcx = Elementwise("erfcx", sf.erfcx, 1, "wide", grad=lambda g, x, out: (g * (2 * x * out - _2_ROOT_PI),))
erfinv = Elementwise(
    "erfinv", sf.erfinv, 1, "wide", grad=lambda g, x, out: (g * call("exp", out * out) * (1 / _2_ROOT_PI),)
)
ndtr = Elementwise("ndtr", sf.ndtr, 1, "wide", grad=lambda g, x, out: (g * sf.gauss(x),))
ndtri = Elementwise(
    "ndtri",
    sf.ndtri,
    1,
    "wide",
    grad=lambda g, x, out: (g * call("exp", out * out * 0.5) * math.sqrt(2 * math.pi),),
)


def _log_ndtr_grad(g: Expr, x: Expr, out: Expr) -> tuple[Expr]:
    t = absolute(x) * math.sqrt(0.5)
    far = math.sqrt(2 / math.pi) / sf.scaled_erfc(t)
    return (g * where(lt(x, -1), far, sf.gauss(x) / sf.ndtr(x)),)


log_ndtr = Elementwise("log_ndtr", sf.log_ndtr, 1, "wide", grad=_log_ndtr_grad)

# -- gamma -------------------------------------------------------------------------------------------------
lgamma = Elementwise("lgamma", sf.lgamma, 1, "wide", grad=lambda g, x, out: (g * sf.digamma(x),))
digamma = Elementwise("digamma", sf.digamma, 1, "wide", grad=lambda g, x, out: (g * sf.polygamma(1, x),))


@cache
def _polygamma(n: int) -> Elementwise:
    return Elementwise(
        f"polygamma({n})",
        lambda x: sf.polygamma(n, x),
        1,
        "wide",
        grad=lambda g, x, out: (g * sf.polygamma(n + 1, x),),
    )


def polygamma(n: int, input: Any) -> Any:
    """The n-th derivative of digamma; for n >= 2 only above -10, nan below.

    Raises:
        RuntimeError: ``n`` is negative.
    """
    if n < 0:
        raise RuntimeError(f"polygamma(n, x) does not support negative n, got {n}")
    return digamma(input) if n == 0 else _polygamma(int(n))(input)


def mvlgamma(input: Any, p: int) -> Any:
    """Logarithm of the multivariate gamma function: ``p(p-1)/4 log(pi) + sum_i lgamma(x - (i-1)/2)``.

    Raises:
        RuntimeError: ``p`` is below 1.
    """
    if p < 1:
        raise RuntimeError(f"mvlgamma: p has to be greater than or equal to 1, got {p}")
    out = lgamma(input)
    for i in range(1, p):
        out = out + lgamma(input - i / 2)
    return out + p * (p - 1) / 4 * math.log(math.pi)


# -- Bessel ------------------------------------------------------------------------------------------------
def _i1_over_x(x: Expr, value: Expr) -> Expr:
    return where(eq(x, 0), 0.5, value / x)


i0 = Elementwise("i0", sf.i0, 1, "wide", grad=lambda g, x, out: (g * sf.i1(x),))
i1 = Elementwise("i1", sf.i1, 1, "wide", grad=lambda g, x, out: (g * (sf.i0(x) - _i1_over_x(x, out)),))


def _sign(x: Expr) -> Expr:
    return where(lt(x, 0), -1.0, where(eq(x, 0), x, 1.0))


i0e = Elementwise("i0e", sf.i0e, 1, "wide", grad=lambda g, x, out: (g * (sf.i1e(x) - _sign(x) * out),))
i1e = Elementwise(
    "i1e",
    sf.i1e,
    1,
    "wide",
    grad=lambda g, x, out: (g * (sf.i0e(x) - _sign(x) * out - _i1_over_x(x, out)),),
)

# -- logarithms --------------------------------------------------------------------------------------------
xlogy = Elementwise(
    "xlogy",
    lambda x, y: where(is_nan(y), NAN, where(eq(x, 0), 0.0, x * call("log", y))),
    2,
    grad=lambda g, x, y, out: (
        where(both(eq(x, 0), le(y, 0)), ZERO, where(eq(g, 0), 0.0 * y, g * call("log", y))),
        g * x / y,
    ),
)
xlog1py = Elementwise(
    "xlog1py",
    lambda x, y: where(is_nan(y), NAN, where(eq(x, 0), 0.0, x * call("log1p", y))),
    2,
    grad=lambda g, x, y, out: (
        where(both(eq(x, 0), le(y, -1)), ZERO, where(eq(g, 0), 0.0 * y, g * call("log1p", y))),
        g * x / (y + 1),
    ),
)
entr = Elementwise(
    "entr",
    lambda x: where(lt(0, x), -x * call("log", x), where(eq(x, 0), 0.0, where(is_nan(x), x, -INF))),
    1,
    grad=lambda g, x, out: (where(lt(x, 0), NAN, g * (-1 - call("log", x))),),
)
_logit = Elementwise(
    "logit",
    lambda x: call("log", x / (1 - x)),
    1,
    grad=lambda g, x, out: (where(either(lt(x, 0), lt(1, x)), NAN, g / (x * (1 - x))),),
)


def _limited(x: Expr, eps: Expr) -> Expr:
    return call("max", call("min", x, 1 - eps), eps)


_logit_eps = Elementwise(
    "logit",
    lambda x, eps: call("log", _limited(x, eps) / (1 - _limited(x, eps))),
    2,
    grad=lambda g, x, eps, out: (
        where(either(lt(x, eps), lt(1 - eps, x)), ZERO, g / (x * (1 - x))),
        None,
    ),
)


def logit(input: Any, eps: float | None = None) -> Any:
    """``log(x / (1 - x))``, the inverse of sigmoid; with ``eps``, of x limited to [eps, 1 - eps]."""
    return _logit(input) if eps is None else _logit_eps(input, float(eps))


def _log_sum(base: float) -> Any:
    """log(base**a + base**b) / log(base): the larger, and what the smaller adds."""
    scale = math.log(base)

    def formula(a: Expr, b: Expr) -> Expr:
        low = call("exp", -absolute(a - b) * scale)
        total = call("max", a, b) + call("log1p", low) * (1 / scale)
        return where(both(eq(a, b), eq(absolute(a), INF)), a, total)

    return formula


def _log_sum_grad(base: float) -> Any:
    scale = math.log(base)

    def share(of: Expr, beside: Expr) -> Expr:  # without the result, whose rounding would grow
        low = call("exp", -absolute(of - beside) * scale)
        return where(lt(of, beside), low, 1) / (1 + low)

    return lambda g, a, b, out: (g * share(a, b), g * share(b, a))


logaddexp = Elementwise("logaddexp", _log_sum(math.e), 2, grad=_log_sum_grad(math.e))
logaddexp2 = Elementwise("logaddexp2", _log_sum(2.0), 2, grad=_log_sum_grad(2.0))
expit = sigmoid
