"""Layers and losses as functions: they check their arguments and hand over to ``genesis.ops``."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from genesis import ops
from genesis._dtypes import dtype as DType
from genesis._errors import ShapeError
from genesis._tensor import Tensor
from genesis.nn._checks import (
    check_dropout_probability,
    check_padding_index,
    check_reduction,
    refuse_embedding_options,
    shape_of,
    warn_of_broadcast,
)


def _in_place(function: Callable[..., Tensor], input: Tensor, *args: Any) -> Tensor:
    """Overwrite ``input`` by the function of it.

    The copy is what the backward pass may look at; the overwritten input no longer has the old values.
    """
    return input.copy_(function(input.clone(), *args))


# Activations


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """``max(x, 0)``."""
    return input.relu_() if inplace else ops.relu(input)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """``x * Φ(x)``; ``approximate="tanh"`` takes Φ by a tanh instead of erf."""
    out: Tensor = ops.gelu(input, approximate)
    return out


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """``x * sigmoid(x)``."""
    return _in_place(ops.silu, input) if inplace else ops.silu(input)


def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent."""
    return ops.tanh(input)


def sigmoid(input: Tensor) -> Tensor:
    """``1 / (1 + exp(-x))``."""
    return ops.sigmoid(input)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """``x`` where positive, ``negative_slope * x`` elsewhere."""
    if inplace:
        return _in_place(ops.leaky_relu, input, negative_slope)
    out: Tensor = ops.leaky_relu(input, negative_slope)
    return out


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``x`` where positive, ``alpha * (exp(x) - 1)`` elsewhere."""
    return _in_place(ops.elu, input, alpha) if inplace else ops.elu(input, alpha)


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


# Layers


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``x Wᵀ + b``.

    Args:
        input: ``(*, in_features)``.
        weight: ``(out_features, in_features)``.
        bias: ``(out_features,)`` or None.

    Raises:
        ShapeError: the last dimensions differ, or the bias does not fit.
    """
    given, wanted = input.shape, weight.shape
    if len(wanted) != 2 or not given or given[-1] != wanted[1]:
        raise ShapeError(
            f"linear: an input of shape {tuple(given)} does not fit a weight of shape {tuple(wanted)} "
            "(out_features, in_features): the last dimension of the input must be in_features"
        )
    if input.dtype is not weight.dtype:
        raise RuntimeError(
            f"linear: the input is {input.dtype} and the weight {weight.dtype}; convert one with .to(dtype)"
        )
    if bias is not None and tuple(bias.shape) != wanted[:1]:
        raise ShapeError(
            f"linear: a bias of shape {shape_of(bias)} does not fit a weight of shape {tuple(wanted)} "
            "(out_features, in_features)"
        )
    out: Tensor = ops.linear(input, weight, bias)
    return out


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """In training, zero each element with probability ``p`` and scale the rest by ``1 / (1 - p)``.

    Raises:
        ValueError: ``p`` is outside [0, 1].
    """
    return _in_place(ops.dropout, input, p, training) if inplace else ops.dropout(input, p, training)


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Rows of ``weight`` by index.

    Args:
        input: indices of any shape, an integer dtype.
        weight: ``(rows, width)``.
        padding_idx: the row that receives no gradient.
        max_norm, norm_type, scale_grad_by_freq, sparse: accepted at their defaults only.

    Returns:
        Shape ``(*input.shape, width)``.
    """
    refuse_embedding_options(max_norm, norm_type, scale_grad_by_freq, sparse)
    if input.dtype.is_floating_point:
        raise TypeError(f"embedding: indices must have an integer dtype, got {input.dtype}")
    if weight.dim() != 2:
        raise ShapeError(f"embedding: weight must have shape (rows, width), got {shape_of(weight)}")
    if padding_idx is not None:
        padding_idx = check_padding_index(padding_idx, weight.shape[0])
    out: Tensor = ops.embedding(input, weight, padding_idx=padding_idx)
    return out


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """``(x - mean) / sqrt(var + eps) * weight + bias`` over the last dimensions.

    Args:
        input: ``(*, *normalized_shape)``.
        normalized_shape: the dimensions that mean and (biased) variance are taken over.
        weight, bias: of shape ``normalized_shape``, or None.
        eps: added to the variance.
    """
    out: Tensor = ops.layer_norm(input, normalized_shape, weight, bias, eps)
    return out


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """int64 tensor of shape ``(*tensor.shape, num_classes)``, 1 at the index and 0 elsewhere.

    Args:
        tensor: class indices, an integer dtype.
        num_classes: -1 takes the largest index plus one.
    """
    return ops.one_hot(tensor, num_classes)


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """``x / max(‖x‖_p, eps)`` along ``dim``.

    Args:
        input: any shape that has ``dim``.
        p: exponent of the norm, ``math.inf`` for the largest absolute value.
        dim: the dimension the norm is taken along.
        eps: smallest divisor.
    """
    if p <= 0:
        raise ValueError(f"normalize: p must be positive, got {p}")
    size = input.abs()
    if p == math.inf:
        norm = size.amax(dim, keepdim=True)
    elif p == 1:
        norm = size.sum(dim, keepdim=True)
    else:
        # Divided by the largest element first: powers neither overflow nor vanish, and at x = 0 the
        # root is taken of 1 rather than 0, where its slope is infinite.
        top = size.detach().amax(dim, keepdim=True).clamp(min=eps)
        total = ((size / top) ** p).sum(dim, keepdim=True)
        norm = top * total.clamp(min=eps) ** (1 / p)
    return input / norm.clamp(min=eps)


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """``softmax(Q Kᵀ * scale + mask) V`` (Vaswani et al. 2017, arXiv:1706.03762).

    Args:
        query: ``(*, H, L, E)``.
        key: ``(*, H, S, E)``.
        value: ``(*, H, S, Ev)``.
        attn_mask: broadcast to ``(*, H, L, S)``; bool (True takes part) or added to the scores.
        dropout_p: probability that a weight is dropped; the caller passes 0 when not training.
        is_causal: position i sees positions up to i only.
        scale: ``1/sqrt(E)`` unless given.
        enable_gqa: let ``key`` and ``value`` have fewer heads than ``query``; each serves a group.

    Returns:
        Shape ``(*, H, L, Ev)``.
    """
    check_dropout_probability(dropout_p)
    q, k, v = shape_of(query), shape_of(key), shape_of(value)
    if min(len(q), len(k), len(v)) < 2 or q[-1] != k[-1] or k[-2] != v[-2]:
        raise ShapeError(
            f"scaled_dot_product_attention: query {q}, key {k} and value {v} do not fit; "
            "expected (..., L, E), (..., S, E) and (..., S, Ev)"
        )
    out: Tensor = ops.scaled_dot_product_attention(
        query, key, value, attn_mask, dropout_p, is_causal, scale, enable_gqa
    )
    return out


# Losses


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Negative log-likelihood of ``softmax(input)``.

    Args:
        input: raw scores, ``(C,)``, ``(N, C)`` or ``(N, C, d1, ...)``.
        target: class indices, of that shape without C; or probabilities, of the input's shape.
        weight: ``(C,)``, a weight for each class.
        size_average, reduce: PyTorch's old way to say ``reduction``; leave them out.
        ignore_index: index that counts for nothing.
        reduction: ``"mean"`` (over the weights of the targets, for indices), ``"sum"`` or ``"none"``.
        label_smoothing: share of each target spread evenly over the classes.

    Raises:
        ShapeError: the shapes do not fit; the message has both.
    """
    reduction = check_reduction(reduction, size_average, reduce)
    out: Tensor = ops.cross_entropy(input, target, weight, ignore_index, reduction, label_smoothing)
    return out


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``-w[y] * x[y]`` for log-probabilities ``x`` and class indices ``y``.

    The arguments are those of ``cross_entropy``.
    """
    reduction = check_reduction(reduction, size_average, reduce)
    out: Tensor = ops.nll_loss(input, target, weight, ignore_index, reduction)
    return out


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The squared difference ``(x - y)²``; shapes that differ are broadcast, with a warning."""
    reduction = check_reduction(reduction, size_average, reduce)
    warn_of_broadcast("mse_loss", input, target)
    out: Tensor = ops.mse_loss(input, target, reduction)
    return out


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The absolute difference ``|x - y|``; shapes that differ are broadcast, with a warning."""
    reduction = check_reduction(reduction, size_average, reduce)
    warn_of_broadcast("l1_loss", input, target)
    out: Tensor = ops.l1_loss(input, target, reduction)
    return out


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """``-w (p y log s + (1 - y) log(1 - s))`` with ``s = sigmoid(x)``, computed without overflow.

    Args:
        input: raw scores of any shape.
        target: probabilities of the same shape.
        weight: ``w``, broadcast to the input.
        size_average, reduce: PyTorch's old way to say ``reduction``; leave them out.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        pos_weight: ``p``, broadcast to the input.

    Raises:
        ValueError: the shapes differ.
    """
    reduction = check_reduction(reduction, size_average, reduce)
    out: Tensor = ops.binary_cross_entropy_with_logits(input, target, weight, reduction, pos_weight)
    return out
