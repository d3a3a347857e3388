"""Normalizations as functions."""

from __future__ import annotations

import math
from collections.abc import Sequence

from genesis import is_grad_enabled, ops
from genesis._tensor import Tensor
from genesis.ops.norms import unit
from genesis.ops.reduction import axis_of


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


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """``(x - mean) / sqrt(var + eps) * weight + bias`` for each channel.

    In training, mean and (biased) variance are the batch's, and the running ones move towards its mean and
    unbiased variance: ``running = (1 - momentum) running + momentum new``. Otherwise the running ones
    are used (Ioffe and Szegedy 2015, arXiv:1502.03167, algorithms 1 and 2).

    Args:
        input: ``(N, C, *)``.
        running_mean, running_var: of shape ``(C,)``, updated in place in training; both may be None there.
        weight, bias: of shape ``(C,)``, or None.
        training: use the batch's statistics.
        momentum: weight of the new statistics in the running ones.
        eps: added to the variance.

    Raises:
        ValueError: in training, a channel has a single value, or ``eps`` is not positive.
        RuntimeError: shapes or types do not fit, or running statistics are missing.
    """
    if training:
        _several_values(tuple(input.shape))
        if eps <= 0.0:
            raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
    if eps < 0.0:
        raise ValueError(f"batch_norm eps must be non-negative, but got {eps}")
    return ops.batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps)


def _several_values(shape: tuple[int, ...]) -> None:
    if math.prod(shape[:1] + shape[2:]) == 1:
        raise ValueError(f"expected more than 1 value per channel when training, got input size {shape}")


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalizes each channel of each sample by its own mean and (biased) variance.

    Args:
        input: ``(N, C, *)``.
        running_mean, running_var: of shape ``(C,)``, or None; see ``batch_norm``.
        weight, bias: of shape ``(C,)``, or None.
        use_input_stats: use the sample's statistics, else the running ones.
        momentum: weight of the new statistics in the running ones.
        eps: added to the variance.

    Raises:
        ValueError: a channel has a single value.
        RuntimeError: shapes or types do not fit, or running statistics are missing.
    """
    if use_input_stats and math.prod(input.shape[2:]) == 1:
        raise ValueError(
            f"expected more than 1 spatial element when training, got input size {tuple(input.shape)}"
        )
    return ops.instance_norm(input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps)


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Normalizes each group of channels of each sample by its own mean and (biased) variance.

    Args:
        input: ``(N, C, *)``; ``C`` must be divisible by ``num_groups``.
        num_groups: number of groups; channels that follow one another form a group.
        weight, bias: of shape ``(C,)``, or None.
        eps: added to the variance.

    Raises:
        ValueError: a group has a single value.
        RuntimeError: shapes or types do not fit.
    """
    if input.dim() >= 2 and num_groups > 0:
        n, c = input.shape[:2]
        _several_values((n * c // num_groups, num_groups, *input.shape[2:]))
    return ops.group_norm(input, num_groups, weight, bias, eps)


def rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """``x / sqrt(mean(x^2) + eps) * weight`` over the last dimensions (Zhang, Sennrich, arXiv:1910.07467).

    Args:
        input: ``(*, *normalized_shape)``.
        normalized_shape: the dimensions that the mean is taken over.
        weight: of shape ``normalized_shape``, or None.
        eps: added to the mean; the distance from 1 to the next number of the type unless given.
    """
    return ops.rms_norm(input, normalized_shape, weight, eps)


def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """``x / (k + alpha / size * sum of the squares of size neighbouring channels) ** beta``.

    Args:
        input: ``(N, C, *)`` with at least 3 dimensions.
        size: how many channels, the own one in the middle.
        alpha, beta, k: constants of the formula.

    Raises:
        ValueError: the input has fewer than 3 dimensions.
    """
    return ops.local_response_norm(input, size, alpha, beta, k)


def _length(input: Tensor, p: float, dim: int | Sequence[int], eps: float) -> Tensor:
    size = input.abs()
    if p == math.inf:
        return size.amax(dim, keepdim=True)
    if p == 1:
        return size.sum(dim, keepdim=True)
    if p > 0 and input.numel():
        # Divided by the largest element first: powers neither overflow nor vanish, and at x = 0 the
        # root is taken of 1 rather than 0, where its slope is infinite.
        top = size.detach().amax(dim, keepdim=True).clamp(min=eps)
        total = ((size / top) ** p).sum(dim, keepdim=True)  # below 1 only where all are below eps
        return top * total.clamp(min=0.5) ** (1 / p)
    return input.norm(p, dim, keepdim=True)


def normalize(
    input: Tensor,
    p: float = 2.0,
    dim: int | Sequence[int] = 1,
    eps: float = 1e-12,
    out: Tensor | None = None,
) -> Tensor:
    """``x / max(‖x‖_p, eps)`` along ``dim``.

    Args:
        input: any shape that has ``dim``.
        p: exponent of the norm, ``math.inf`` for the largest absolute value.
        dim: the dimension, or dimensions, the norm is taken along.
        eps: smallest divisor.
        out: where to write the result; no gradients flow then.

    Raises:
        RuntimeError: ``input`` is not of a floating-point type.
    """
    if not input.dtype.is_floating_point:
        raise RuntimeError(f"normalize needs a floating-point tensor, got {input.dtype}; use .float()")
    if p == 2 and isinstance(dim, int) and input.dim():
        result: Tensor = unit(input, axis=axis_of(dim, input.dim()), eps=float(eps), flat=True)
    else:
        result = input / _length(input, p, dim, eps).clamp(min=eps)
    if out is None:
        return result
    if (input.requires_grad or out.requires_grad) and is_grad_enabled():
        raise RuntimeError("normalize: out= does not support automatic differentiation; use the result")
    if out.shape != result.shape:
        raise RuntimeError(
            f"normalize: out has shape {tuple(out.shape)}, the result {tuple(result.shape)}; they must agree"
        )
    return out.copy_(result)
