"""Activation functions: formulas, with a gradient of their own where the derived one would be unstable."""

from __future__ import annotations

import math
from typing import Any

from genesis._errors import OptionError
from genesis.backend.expr import Expr, call, const
from genesis.ops._elementwise import Elementwise

ZERO = const(0)


def _sigmoid(x: Expr) -> Expr:
    # exp of a non-positive number only: nothing overflows, and small results keep their precision
    e = call("exp", -call("abs", x))
    return call("where", call("lt", x, ZERO), e, const(1)) / (1 + e)


def _normal_cdf(x: Expr) -> Expr:
    return 0.5 * (1 + call("erf", x * math.sqrt(0.5)))


def _normal_pdf(x: Expr) -> Expr:
    return call("exp", x * x * -0.5) * (1 / math.sqrt(2 * math.pi))


def _gelu_inner(x: Expr) -> Expr:
    return math.sqrt(2 / math.pi) * (x + 0.044715 * (x * x * x))


def _gelu_tanh_grad(g: Expr, x: Expr, out: Expr) -> tuple[Expr]:
    t = call("tanh", _gelu_inner(x))
    inner = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * (x * x))
    return (g * (0.5 * (1 + t) + 0.5 * x * ((1 - t * t) * inner)),)


relu = Elementwise(
    "relu",
    lambda x: call("max", x, ZERO),
    1,
    "number",
    grad=lambda g, x, out: (call("where", call("le", out, ZERO), ZERO, g),),
)
sigmoid = Elementwise("sigmoid", _sigmoid, 1, grad=lambda g, x, out: (g * (out * (1 - out)),))
logsigmoid = Elementwise(
    "logsigmoid",
    lambda x: call("min", x, ZERO) - call("log1p", call("exp", -call("abs", x))),
    1,
    grad=lambda g, x, out: (g * _sigmoid(-x),),
)
silu = Elementwise(
    "silu",
    lambda x: x * _sigmoid(x),
    1,
    grad=lambda g, x, out: (g * (_sigmoid(x) * (1 + x * (1 - _sigmoid(x)))),),
)
gelu_erf = Elementwise(
    "gelu",
    lambda x: x * _normal_cdf(x),
    1,
    grad=lambda g, x, out: (g * (_normal_cdf(x) + x * _normal_pdf(x)),),
)
gelu_tanh = Elementwise(
    "gelu", lambda x: 0.5 * x * (1 + call("tanh", _gelu_inner(x))), 1, grad=_gelu_tanh_grad
)
leaky = Elementwise(
    "leaky_relu",
    lambda x, slope: call("where", call("lt", ZERO, x), x, x * slope),
    2,
    grad=lambda g, x, slope, out: (
        call("where", call("lt", ZERO, x), g, g * slope),
        call("where", call("lt", ZERO, x), ZERO, g * x),
    ),
)
soft = Elementwise(
    "softplus",
    lambda x, beta, threshold: call(
        "where",
        call("lt", threshold, x * beta),
        x,
        (call("max", x * beta, ZERO) + call("log1p", call("exp", -call("abs", x * beta)))) / beta,
    ),
    3,
    grad=lambda g, x, beta, threshold, out: (
        call("where", call("lt", threshold, x * beta), g, g * _sigmoid(x * beta)),
        None,
        None,
    ),
)


def gelu(x: Any, approximate: str = "none") -> Any:
    """Gaussian error linear unit, ``x * Phi(x)``.

    Args:
        x: any shape.
        approximate: ``"none"`` uses erf; ``"tanh"`` uses
            ``0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))``.

    Reference: Hendrycks and Gimpel, "Gaussian error linear units", arXiv 1606.08415, section 2.
    """
    if approximate == "none":
        return gelu_erf(x)
    if approximate == "tanh":
        return gelu_tanh(x)
    raise OptionError(f"gelu: approximate must be 'none' or 'tanh', got {approximate!r}")


def leaky_relu(x: Any, negative_slope: float = 0.01) -> Any:
    """``x`` where positive, else ``negative_slope * x``."""
    return leaky(x, negative_slope)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """``x`` where positive, else ``alpha * (exp(x) - 1)``.  Reference: arXiv 1511.07289, equation 15."""
    from genesis.ops.piecewise import elu_pieces

    return elu_pieces(x, alpha, 1.0, 1.0)


def softplus(x: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """``log(1 + exp(beta x)) / beta``; ``x`` itself where ``beta x > threshold``."""
    return soft(x, beta, threshold)
