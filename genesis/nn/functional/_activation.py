"""Activations as functions."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from genesis import ops
from genesis._dtypes import dtype as DType
from genesis._tensor import Tensor
from genesis.ops import activation as act
from genesis.ops import piecewise as pw
from genesis.ops.piecewise import (
    celu_,
    glu,
    hardshrink,
    prelu,
    relu_,
    rrelu_,
    selu_,
    threshold_,
)

__all__ = ["celu_", "glu", "hardshrink", "prelu", "relu_", "rrelu_", "selu_", "threshold_"]


def in_place(function: Callable[..., Tensor], input: Tensor, *args: Any) -> Tensor:
    """Overwrite ``input`` by the function of it.

    The copy is what the backward pass may look at; the overwritten input no longer has the old values.
    """
    return input.copy_(function(input.clone(), *args))


# -- rectifiers --------------------------------------------------------------------------------------------
def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """``max(x, 0)``."""
    return input.relu_() if inplace else ops.relu(input)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """``min(max(x, 0), 6)``."""
    return hardtanh(input, 0.0, 6.0, inplace)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """``x`` where positive, ``negative_slope * x`` elsewhere."""
    out: Tensor = pw.apply(act.leaky, input, negative_slope, inplace=inplace)
    return out


def leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """``leaky_relu`` in place."""
    return leaky_relu(input, negative_slope, inplace=True)


def rrelu(
    input: Tensor,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Tensor:
    """``x`` where positive, ``r * x`` elsewhere, r from U(lower, upper) (Xu et al. 2015, arXiv:1505.00853).

    Args:
        input: any shape.
        lower, upper: bounds of the slope.
        training: draw a slope for each element; otherwise it is their mean.
        inplace: overwrite the input.

    Raises:
        RuntimeError: ``lower`` is above ``upper``.
    """
    out: Tensor = (pw.rrelu_ if inplace else pw.rrelu)(input, lower, upper, training)
    return out


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """``x`` where ``x > threshold``, ``value`` elsewhere."""
    out: Tensor = (pw.threshold_ if inplace else pw.threshold)(input, threshold, value)
    return out


# -- exponential -------------------------------------------------------------------------------------------
def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``x`` where positive, ``alpha * (exp(x) - 1)`` elsewhere."""
    out: Tensor = pw.elu(input, alpha, 1.0, 1.0, inplace)
    return out


def elu_(input: Tensor, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> Tensor:
    """``scale * x`` where positive, ``scale * alpha * (exp(input_scale * x) - 1)`` elsewhere; in place."""
    out: Tensor = pw.elu(input, alpha, scale, input_scale, True)
    return out


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``x`` where positive, ``alpha * (exp(x / alpha) - 1)`` elsewhere (Barron 2017, arXiv:1704.07483).

    Raises:
        RuntimeError: ``alpha`` is 0.
    """
    out: Tensor = (pw.celu_ if inplace else pw.celu)(input, alpha)
    return out


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """``1.0507 x`` where positive, ``1.7581 (exp(x) - 1)`` elsewhere.

    Reference: Klambauer et al. 2017, arXiv:1706.02515, equation 2.
    """
    out: Tensor = (pw.selu_ if inplace else pw.selu)(input)
    return out


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """``log(1 + exp(beta x)) / beta``, and x itself where ``beta x > threshold``."""
    out: Tensor = pw.apply(act.soft, input, beta, threshold)
    return out


# -- smooth ------------------------------------------------------------------------------------------------
def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """``x * Φ(x)``; ``approximate="tanh"`` takes Φ by a tanh instead of erf."""
    pw.require_floats("gelu", input)
    out: Tensor = ops.gelu(input, approximate)
    return out


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """``x * sigmoid(x)``."""
    out: Tensor = pw.apply(act.silu, input, inplace=inplace)
    return out


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """``x * tanh(softplus(x))`` (Misra 2019, arXiv:1908.08681)."""
    out: Tensor = pw.apply(pw.mish_formula, input, inplace=inplace)
    return out


def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent."""
    return ops.tanh(input)


def sigmoid(input: Tensor) -> Tensor:
    """``1 / (1 + exp(-x))``."""
    return ops.sigmoid(input)


def logsigmoid(input: Tensor) -> Tensor:
    """``log(1 / (1 + exp(-x)))``, without overflow."""
    out: Tensor = pw.apply(act.logsigmoid, input)
    return out


def softsign(input: Tensor) -> Tensor:
    """``x / (1 + |x|)``."""
    return pw.softsign(input)


def tanhshrink(input: Tensor) -> Tensor:
    """``x - tanh(x)``."""
    return pw.tanhshrink(input)


# -- pieces of lines ---------------------------------------------------------------------------------------
def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """``min(max(x, min_val), max_val)``.

    Raises:
        ValueError: ``min_val`` is above ``max_val``.
    """
    if min_val > max_val:
        raise ValueError(f"hardtanh: min_val {min_val} cannot be greater than max_val {max_val}")
    if not input.dtype.is_floating_point:
        min_val, max_val = int(min_val), int(max_val)
        if input.dtype.kind == "u" and (min_val < 0 or max_val < 0):
            raise RuntimeError("cannot do hardtanh on an unsigned type with negative limits")
    return pw.clip.into(input, input, min_val, max_val) if inplace else pw.clip(input, min_val, max_val)


def hardtanh_(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """``hardtanh`` in place."""
    return hardtanh(input, min_val, max_val, inplace=True)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """``min(max(x + 3, 0), 6) / 6``."""
    out: Tensor = pw.apply(pw.hard_sigmoid, input, inplace=inplace)
    return out


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """``x * min(max(x + 3, 0), 6) / 6`` (Howard et al. 2019, arXiv:1905.02244)."""
    out: Tensor = pw.apply(pw.hard_swish, input, inplace=inplace)
    return out


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """``x - lambd`` above ``lambd``, ``x + lambd`` below ``-lambd``, 0 between.

    Raises:
        RuntimeError: ``lambd`` is negative.
    """
    if lambd < 0:
        raise RuntimeError(f"softshrink: lambd must be greater or equal to 0, but found to be {lambd}")
    out: Tensor = pw.apply(pw.soft_shrink, input, lambd)
    return out


# -- over a dimension --------------------------------------------------------------------------------------
def softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: DType | None = None
) -> Tensor:
    """``exp(x_i) / Σ exp(x_j)`` along ``dim``.

    Args:
        input: any shape.
        dim: the dimension that sums to one; without it PyTorch's old rule applies, with a warning.
        dtype: convert the input to this type first.
    """
    dim = _implied_dim("softmax", input) if dim is None else dim
    out: Tensor = ops.softmax(input, dim, dtype)
    return out


def softmin(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: DType | None = None
) -> Tensor:
    """``softmax(-x)`` along ``dim``; the arguments are those of ``softmax``."""
    dim = _implied_dim("softmin", input) if dim is None else dim
    out: Tensor = ops.softmax(-input, dim, dtype)
    return out


def log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: DType | None = None
) -> Tensor:
    """``x_i - log Σ exp(x_j)`` along ``dim``; the arguments are those of ``softmax``."""
    dim = _implied_dim("log_softmax", input) if dim is None else dim
    out: Tensor = ops.log_softmax(input, dim, dtype)
    return out


def _implied_dim(name: str, input: Tensor) -> int:
    dim = 0 if input.dim() in (0, 1, 3) else 1
    warnings.warn(f"{name}: give the dimension explicitly; without one, dim={dim} was taken", stacklevel=3)
    return dim


def gumbel_softmax(
    logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Tensor:
    """A differentiable draw of a class: ``softmax((logits + g) / tau)``, g from the Gumbel distribution.

    Args:
        logits: unnormalised log-probabilities, any shape.
        tau: temperature; towards 0 the draws become one-hot.
        hard: return one-hot vectors, with the gradient of the soft ones.
        eps: has no effect, as in PyTorch.
        dim: the dimension of the classes.

    Reference: Jang et al. 2016, arXiv:1611.01144, equation 2.
    """
    pw.require_floats("gumbel_softmax", logits)
    if eps != 1e-10:
        warnings.warn("gumbel_softmax: eps is deprecated and has no effect", stacklevel=2)
    noise: Tensor = -(-ops.rand_like(logits.detach()).log()).log()
    soft: Tensor = ops.softmax((logits + noise) / tau, dim)
    if not hard:
        return soft
    index = soft.detach().argmax(dim, keepdim=True)
    one_hot = ops.zeros_like(soft.detach()).scatter_(dim, index, 1.0)
    return one_hot - soft.detach() + soft
