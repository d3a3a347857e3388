"""Losses that are one formula for each element; ``nn.functional`` checks the arguments and reduces them."""

from __future__ import annotations

import math

from genesis.backend.expr import Expr, call, const
from genesis.ops._elementwise import Elementwise

ZERO = const(0)


def _where(c: Expr, a: Expr | float, b: Expr | float) -> Expr:
    return call("where", c, a, b)


def _smooth_slope(g: Expr, a: Expr, b: Expr, beta: Expr) -> Expr:
    d = a - b
    return g * _where(call("lt", call("abs", d), beta), d / beta, call("sign", d))


def _huber_slope(g: Expr, a: Expr, b: Expr, delta: Expr) -> Expr:
    d = a - b
    return g * _where(call("le", call("abs", d), delta), d, delta * call("sign", d))


#: Fast R-CNN, arXiv 1504.08083, equation 3, with a width beta
smooth_l1 = Elementwise(
    "smooth_l1_loss",
    lambda a, b, beta: _where(
        call("lt", call("abs", a - b), beta),
        0.5 * ((a - b) * (a - b)) / beta,
        call("abs", a - b) - 0.5 * beta,
    ),
    3,
    grad=lambda g, a, b, beta, out: (
        _smooth_slope(g, a, b, beta),
        -_smooth_slope(g, a, b, beta),
        None,
    ),
)
#: Huber 1964, Robust Estimation of a Location Parameter, equation of example (iii)
huber = Elementwise(
    "huber_loss",
    lambda a, b, delta: _where(
        call("le", call("abs", a - b), delta),
        0.5 * ((a - b) * (a - b)),
        delta * (call("abs", a - b) - 0.5 * delta),
    ),
    3,
    grad=lambda g, a, b, delta, out: (
        _huber_slope(g, a, b, delta),
        -_huber_slope(g, a, b, delta),
        None,
    ),
)
#: t (log t - x), with 0 log 0 = 0
kl_div = Elementwise(
    "kl_div",
    lambda x, t: _where(call("eq", t, ZERO), ZERO, t * call("log", t)) - t * x,
    2,
    grad=lambda g, x, t, out: (-(g * t), g * (call("log", t) + 1 - x)),
)
#: exp(t) (t - x): the target is a logarithm
kl_div_log = Elementwise(
    "kl_div",
    lambda x, t: call("exp", t) * (t - x),
    2,
    grad=lambda g, x, t, out: (-(g * call("exp", t)), g * (call("exp", t) * (t - x + 1))),
)
#: logarithms are cut at -100, and the divisor of the gradient at 1e-12, as PyTorch does
binary_cross_entropy = Elementwise(
    "binary_cross_entropy",
    lambda x, t: (t - 1) * call("max", call("log1p", -x), -100) - t * call("max", call("log", x), -100),
    2,
    grad=lambda g, x, t, out: (
        g * ((x - t) / call("max", (1 - x) * x, 1e-12)),
        g * (call("max", call("log1p", -x), -100) - call("max", call("log", x), -100)),
    ),
)
poisson_of_log = Elementwise("poisson_nll_loss", lambda x, t: call("exp", x) - t * x, 2)
poisson_of_rate = Elementwise("poisson_nll_loss", lambda x, t, eps: x - t * call("log", x + eps), 3)
#: log t! for t > 1, by Stirling
log_factorial = Elementwise(
    "poisson_nll_loss",
    lambda t: _where(call("le", t, 1), ZERO, t * call("log", t) - t + 0.5 * call("log", t * (2 * math.pi))),
    1,
    grad=lambda g, t, out: (_where(call("le", t, 1), ZERO, g * (call("log", t) + 0.5 / t)),),
)
gaussian = Elementwise("gaussian_nll_loss", lambda x, t, v: 0.5 * (call("log", v) + (x - t) * (x - t) / v), 3)
#: log(1 + exp(-t x)), without overflow
soft_margin = Elementwise(
    "soft_margin_loss",
    lambda x, t: call("max", -(t * x), ZERO) + call("log1p", call("exp", -call("abs", t * x))),
    2,
    grad=lambda g, x, t, out: (-(g * (t * _sigmoid(-(t * x)))), -(g * (x * _sigmoid(-(t * x))))),
)
hinge_embedding = Elementwise(
    "hinge_embedding_loss",
    lambda x, t, margin: (
        _where(call("eq", t, 1), ZERO, call("max", margin - x, ZERO)) + _where(call("eq", t, -1), ZERO, x)
    ),
    3,
    grad=lambda g, x, t, margin, out: (
        _where(call("eq", t, 1), ZERO, _where(call("lt", margin - x, ZERO), ZERO, -g))
        + _where(call("eq", t, -1), ZERO, g),
        None,
        None,
    ),
)
#: max(x, low), but the gradient passes everywhere: a guard, no part of the function
raised = Elementwise("raised", lambda x, low: call("max", x, low), 2, grad=lambda g, x, low, out: (g, None))


def _sigmoid(x: Expr) -> Expr:
    e = call("exp", -call("abs", x))
    return _where(call("lt", x, ZERO), e, const(1)) / (1 + e)
