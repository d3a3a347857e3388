"""Activation functions that are put together of pieces, each with the gradient of the piece."""

from __future__ import annotations

from typing import Any

from genesis._errors import ShapeError
from genesis.backend.expr import Expr, call, const
from genesis.ops._autocast import LOWER, listed
from genesis.ops._elementwise import Elementwise
from genesis.ops.activation import _sigmoid, leaky, relu
from genesis.ops.parts import narrow
from genesis.ops.shape import reshape

ZERO, ONE = const(0), const(1)
#: alpha and lambda of SELU, arXiv 1706.02515, equation 14
SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


def _where(c: Expr, a: Expr | float, b: Expr | float) -> Expr:
    return call("where", c, a, b)


def _between(low: Expr | float, x: Expr, high: Expr | float) -> Expr:
    return call("and", call("lt", low, x), call("lt", x, high))


def _not_above_zero(x: Expr) -> Expr:
    # what exp gets: the piece for positive x must not overflow, or 0 * inf is in the second derivative
    return _where(call("lt", ZERO, x), ZERO, x)


clip = Elementwise(
    "hardtanh",
    lambda x, low, high: call("min", call("max", x, low), high),
    3,
    "number",
    grad=lambda g, x, low, high, out: (
        _where(call("or", call("le", x, low), call("le", high, x)), ZERO, g),
        None,
        None,
    ),
)
elu_pieces = Elementwise(
    "elu",
    lambda x, alpha, scale, rate: _where(
        call("le", x, ZERO), alpha * scale * call("expm1", _not_above_zero(x) * rate), x * scale
    ),
    4,
    grad=lambda g, x, alpha, scale, rate, out: (
        _where(
            call("le", x, ZERO),
            g * (alpha * scale * rate * call("exp", _not_above_zero(x) * rate)),
            g * scale,
        ),
        None,
        None,
        None,
    ),
)
hard_sigmoid = Elementwise(
    "hardsigmoid",
    lambda x: call("min", call("max", x + 3, 0), 6) / 6,
    1,
    grad=lambda g, x, out: (_where(_between(-3, x, 3), g / 6, ZERO),),
)
hard_swish = Elementwise(
    "hardswish",
    lambda x: x * call("min", call("max", x + 3, 0), 6) / 6,
    1,
    grad=lambda g, x, out: (_where(call("le", x, -3), ZERO, _where(call("lt", x, 3), g * (x / 3 + 0.5), g)),),
)
hard_shrink = Elementwise(
    "hardshrink",
    lambda x, size: _where(call("le", call("abs", x), size), ZERO, x),
    2,
    grad=lambda g, x, size, out: (_where(call("le", call("abs", x), size), ZERO, g), None),
)
soft_shrink = Elementwise(
    "softshrink",
    # the middle piece is x * 0, so that nan stays nan
    lambda x, size: _where(call("lt", size, x), x - size, _where(call("lt", x, -size), x + size, x * ZERO)),
    2,
    grad=lambda g, x, size, out: (_where(call("le", call("abs", x), size), ZERO, g), None),
)
thresholded = Elementwise(
    "threshold",
    lambda x, level, value: _where(call("le", x, level), value, x),
    3,
    "number",
    grad=lambda g, x, level, value, out: (_where(call("le", x, level), ZERO, g), None, None),
)
softsign = Elementwise("softsign", lambda x: x / (1 + call("abs", x)), 1)
tanhshrink = Elementwise("tanhshrink", lambda x: x - call("tanh", x), 1)
gated = Elementwise(
    "glu",
    lambda a, b: a * _sigmoid(b),
    2,
    grad=lambda g, a, b, out: (g * _sigmoid(b), g * (a * (_sigmoid(b) * _sigmoid(-b)))),
)


def _softplus(x: Expr) -> Expr:
    return call("max", x, ZERO) + call("log1p", call("exp", -call("abs", x)))


def _mish_grad(g: Expr, x: Expr, out: Expr) -> tuple[Expr]:
    t = call("tanh", _softplus(x))
    return (g * (t + x * _sigmoid(x) * (1 - t * t)),)


mish_formula = Elementwise("mish", lambda x: x * call("tanh", _softplus(x)), 1, grad=_mish_grad)


# -- what is called ----------------------------------------------------------------------------------------
def require_floats(name: str, x: Any) -> None:
    """Raise ``NotImplementedError`` for integers and bools, as PyTorch does."""
    if not x.dtype.is_floating_point:
        raise NotImplementedError(f"{name} is not implemented for {x.dtype}; convert with .float()")


def apply(operation: Elementwise, x: Any, *args: Any, inplace: bool = False) -> Any:
    """The operation on ``x``, a tensor of floats; in place if asked."""
    require_floats(operation.name, x)
    return operation.into(x, x, *args) if inplace else operation(x, *args)


def relu_(input: Any) -> Any:
    """``relu`` in place."""
    return relu.into(input, input)


def elu(input: Any, alpha: float, scale: float, input_scale: float, inplace: bool = False) -> Any:
    """``scale * x`` where positive, else ``scale * alpha * (exp(input_scale * x) - 1)``."""
    return apply(elu_pieces, input, alpha, scale, input_scale, inplace=inplace)


def selu(input: Any) -> Any:
    """``1.0507 x`` where positive, else ``1.0507 * 1.6733 (exp(x) - 1)``.  Reference: arXiv 1706.02515."""
    return elu(input, SELU_ALPHA, SELU_SCALE, 1.0)


def selu_(input: Any) -> Any:
    """``selu`` in place."""
    return elu(input, SELU_ALPHA, SELU_SCALE, 1.0, inplace=True)


def _inverse(alpha: float) -> float:
    if alpha == 0:
        raise RuntimeError("celu: alpha cannot be 0, x is divided by it")
    return 1.0 / alpha


def celu(input: Any, alpha: float = 1.0) -> Any:
    """``x`` where positive, else ``alpha (exp(x / alpha) - 1)``.  Reference: arXiv 1704.07483.

    Raises:
        RuntimeError: ``alpha`` is 0.
    """
    return elu(input, alpha, 1.0, _inverse(alpha))


def celu_(input: Any, alpha: float = 1.0) -> Any:
    """``celu`` in place."""
    return elu(input, alpha, 1.0, _inverse(alpha), inplace=True)


def hardshrink(input: Any, lambd: float = 0.5) -> Any:
    """``x`` where ``|x| > lambd``, else 0."""
    return apply(hard_shrink, input, lambd)


def _level(x: Any, threshold: float, value: float) -> tuple[float, float]:
    return (threshold, value) if x.dtype.is_floating_point else (int(threshold), int(value))


def threshold(input: Any, threshold: float, value: float) -> Any:
    """``x`` where ``x > threshold``, else ``value``."""
    return thresholded(input, *_level(input, threshold, value))


def threshold_(input: Any, threshold: float, value: float) -> Any:
    """``threshold`` in place."""
    return thresholded.into(input, input, *_level(input, threshold, value))


@listed(cpu=LOWER, cuda=LOWER)
def prelu(input: Any, weight: Any) -> Any:
    """``x`` where positive, else ``weight * x``, with one weight or one for each channel.

    Args:
        input: any shape; the channels are its second axis.
        weight: (), (1,) or (channels,), of the type of ``input``.

    Reference: He et al., arXiv 1502.01852, equation 1.

    Raises:
        RuntimeError: shapes or types do not fit.
    """
    if input.dtype is not weight.dtype:
        raise RuntimeError(f"prelu: input is {input.dtype} and weight {weight.dtype}; they must agree")
    require_floats("prelu", input)
    if weight.dim() > 1:
        raise ShapeError(f"prelu: weight must have at most one axis, got shape {tuple(weight.shape)}")
    if weight.numel() != 1:
        channels = input.shape[1] if input.dim() > 1 else 1
        if not input.dim() or weight.numel() != channels:
            raise ShapeError(
                f"prelu: {weight.numel()} weights do not fit an input of shape {tuple(input.shape)} with "
                f"{channels} channels"
            )
    if input.dim() > 1:
        weight = reshape(weight, (-1, *(1,) * (input.dim() - 2)))
    elif not input.dim():
        weight = reshape(weight, ())
    return leaky(input, weight)


def rrelu(
    input: Any, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, generator: Any = None
) -> Any:
    """``x`` where positive, else ``r * x``: ``r`` uniform in [lower, upper] in training, else their mean.

    Reference: Xu et al., arXiv 1505.00853, section 2.4.

    Raises:
        RuntimeError: ``lower`` is above ``upper``.
    """
    return _rrelu(input, lower, upper, training, generator, False)


def rrelu_(
    input: Any, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, generator: Any = None
) -> Any:
    """``rrelu`` in place."""
    return _rrelu(input, lower, upper, training, generator, True)


def _rrelu(input: Any, lower: float, upper: float, training: bool, generator: Any, inplace: bool) -> Any:
    if not lower <= upper:
        raise RuntimeError(f"rrelu: lower must not be above upper, got {lower} and {upper}")
    slope: Any = (lower + upper) / 2
    if training:
        from genesis.ops.creation import empty_like
        from genesis.ops.random import uniform_

        require_floats("rrelu", input)
        slope = uniform_(empty_like(input), lower, upper, generator)
    return apply(leaky, input, slope, inplace=inplace)


def glu(input: Any, dim: int = -1) -> Any:
    """``a * sigmoid(b)`` of the two halves of ``input`` along ``dim``.  Reference: arXiv 1612.08083.

    Raises:
        RuntimeError: ``dim`` has an odd length.
    """
    from genesis.ops.reduction import axis_of

    if not input.dim():
        raise RuntimeError("glu does not support scalars because halving size must be even")
    axis = axis_of(dim, input.dim())
    size = input.shape[axis]
    if size % 2:
        raise ShapeError(f"glu: halving dimension must be even, but dimension {axis} is size {size}")
    require_floats("glu", input)
    return gated(narrow(input, axis, 0, size // 2), narrow(input, axis, size // 2, size // 2))
