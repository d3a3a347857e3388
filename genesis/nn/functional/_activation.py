"""Activations as functions."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from genesis import ops
from genesis._dtypes import dtype as DType
from genesis._tensor import Tensor


def in_place(function: Callable[..., Tensor], input: Tensor, *args: Any) -> Tensor:
    """Overwrite ``input`` by the function of it.

    The copy is what the backward pass may look at; the overwritten input no longer has the old values.
    """
    return input.copy_(function(input.clone(), *args))


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """``max(x, 0)``."""
    return input.relu_() if inplace else ops.relu(input)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """``x * Φ(x)``; ``approximate="tanh"`` takes Φ by a tanh instead of erf."""
    out: Tensor = ops.gelu(input, approximate)
    return out


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """``x * sigmoid(x)``."""
    return in_place(ops.silu, input) if inplace else ops.silu(input)


def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent."""
    return ops.tanh(input)


def sigmoid(input: Tensor) -> Tensor:
    """``1 / (1 + exp(-x))``."""
    return ops.sigmoid(input)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """``x`` where positive, ``negative_slope * x`` elsewhere."""
    if inplace:
        return in_place(ops.leaky_relu, input, negative_slope)
    out: Tensor = ops.leaky_relu(input, negative_slope)
    return out


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``x`` where positive, ``alpha * (exp(x) - 1)`` elsewhere."""
    return in_place(ops.elu, input, alpha) if inplace else ops.elu(input, alpha)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """``log(1 + exp(beta x)) / beta``, and x itself where ``beta x > threshold``."""
    out: Tensor = ops.softplus(input, beta, threshold)
    return out


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
