"""Normalization within a sample: group, root mean square, and local response normalization."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genesis._dtypes import float64
from genesis._errors import ShapeError
from genesis.ops import elementwise as ew
from genesis.ops._op import op
from genesis.ops.batch_norm import check_channels
from genesis.ops.reduction import mean as average
from genesis.ops.reduction import sum

if TYPE_CHECKING:
    from genesis._tensor import Tensor


# -- groups of channels ------------------------------------------------------------------------------------
def _split(x: Any, groups: int) -> Any:
    """``(N, C, *)`` as (N, groups, channels of a group, positions)."""
    n, c = x.shape[:2]
    return x.reshape(n, groups, c // groups, math.prod(x.shape[2:]))


def _per_channel(p: Any, groups: int) -> Any:
    return p.reshape(1, groups, -1, 1)


def _moments(parts: Any) -> tuple[Any, Any]:
    center = average(parts, (2, 3), keepdim=True)
    return center, average(ew.square(parts - center), (2, 3), keepdim=True)


@op(
    saves=("x", "weight", "bias", "mean", "rstd"),
    results=("out", "mean", "var", "rstd"),
    public=3,
    read_for={"weight": ("x",), "bias": ()},
)
def _group_norm(x: Any, weight: Any, bias: Any, *, groups: int, eps: float) -> Any:
    """The result, and mean, variance and one over the deviation of each group, of shape (N, groups)."""
    parts = _split(x, groups)
    center, spread = _moments(parts)
    rstd = ew.rsqrt(spread + eps)
    out = (parts - center) * rstd
    if weight is not None:
        out = out * _per_channel(weight, groups)
    if bias is not None:
        out = out + _per_channel(bias, groups)
    small = parts.shape[:2]
    return out.reshape(x.shape), center.reshape(small), spread.reshape(small), rstd.reshape(small)


@_group_norm.backward_rule
def _group_norm_backward(
    needs: Any, grad: Any, x: Any, weight: Any, bias: Any, center: Any, rstd: Any, *, groups: int, eps: float
) -> tuple[Any, ...]:
    parts, g = _split(x, groups), _split(grad, groups)
    if rstd is None:
        center, spread = _moments(parts)
        rstd = ew.rsqrt(spread + eps)
    else:
        center, rstd = (p.reshape(*p.shape, 1, 1) for p in (center, rstd))
    unit = (parts - center) * rstd
    gx = gw = gb = None
    if needs[1]:
        gw = sum(g * unit, (0, 3)).reshape(-1)
    if needs[2]:
        gb = sum(g, (0, 3)).reshape(-1)
    if needs[0]:
        if weight is not None:
            g = g * _per_channel(weight, groups)
        both = average(g, (2, 3), keepdim=True) + unit * average(g * unit, (2, 3), keepdim=True)
        gx = (rstd * (g - both)).reshape(x.shape)
    return gx, gw, gb


def normalized_groups(x: Any, weight: Any, bias: Any, groups: int, eps: float) -> tuple[Any, Any, Any]:
    """The result, and mean and variance of each group; None for these where there are no elements."""
    if not x.numel():
        out = x * 1
        shape = (1, -1) + (1,) * (x.dim() - 2)
        for p in (weight, bias):
            out = out if p is None else out + p.reshape(shape) * 0
        return out, None, None
    found: tuple[Any, Any, Any] = _group_norm(x, weight, bias, groups=groups, eps=eps)
    return found


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    cudnn_enabled: bool = True,
) -> Tensor:
    """``(x - mean) / sqrt(var + eps) * weight + bias``, with the moments of each group of channels.

    Channels of ``(N, C, *)`` that follow one another form a group; the variance is the biased one; weight and
    bias have one number for each channel. ``cudnn_enabled`` has no effect.

    Reference: Wu, He, arXiv 1803.08494, equations 1, 2 and 7.

    Raises:
        RuntimeError: the channels cannot be divided so, or weight or bias do not fit.
    """
    if input.dim() < 2:
        raise ShapeError(f"group_norm: expected at least 2 dimensions for input tensor, got {input.dim()}")
    if num_groups < 1 or input.shape[1] % num_groups:
        raise ShapeError(
            "group_norm: expected number of channels in input to be divisible by num_groups, but got input "
            f"of shape {tuple(input.shape)} and num_groups={num_groups}"
        )
    for name, p in (("weight", weight), ("bias", bias)):
        if p is not None and tuple(p.shape) != (input.shape[1],):
            raise ShapeError(
                f"group_norm: expected {name} to be a vector of size equal to the number of channels in "
                f"input, but got {name} of shape {tuple(p.shape)} and input of shape {tuple(input.shape)}"
            )
    check_channels("group_norm", input, input.shape[1], weight=weight, bias=bias)
    return normalized_groups(input, weight, bias, num_groups, eps)[0]  # type: ignore[no-any-return]


# -- root mean square --------------------------------------------------------------------------------------
@op(saves=("x", "weight", "rstd"), results=("out", "rstd"), read_for={"weight": ("x",)})
def _rms_norm(x: Any, weight: Any, *, axes: int, eps: float) -> Any:
    dims = tuple(range(x.dim() - axes, x.dim()))
    rstd = ew.rsqrt(average(ew.square(x), dims, keepdim=True) + eps)
    out = x * rstd
    return out if weight is None else out * weight, rstd


@_rms_norm.backward_rule
def _rms_norm_backward(
    needs: Any, grad: Any, x: Any, weight: Any, rstd: Any, *, axes: int, eps: float
) -> tuple[Any, Any]:
    inner = tuple(range(x.dim() - axes, x.dim()))
    outer = tuple(range(x.dim() - axes))
    if rstd is None:
        rstd = ew.rsqrt(average(ew.square(x), inner, keepdim=True) + eps)
    unit = x * rstd
    gx = gw = None
    if needs[0]:
        g = grad if weight is None else grad * weight
        gx = rstd * (g - unit * average(g * unit, inner, keepdim=True))
    if needs[1]:
        gw = sum(grad * unit, outer) if outer else grad * unit
    return gx, gw


def rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """``x / sqrt(mean(x^2) + eps) * weight`` over the trailing ``normalized_shape``.

    ``eps`` is the distance from 1 to the next number of the input's type unless given.

    Reference: Zhang, Sennrich, arXiv 1910.07467, equation 4.

    Raises:
        RuntimeError: the last axes of the input, or ``weight``, do not have this shape.
    """
    if isinstance(normalized_shape, int):
        raise TypeError(
            f"rms_norm: normalized_shape is a tuple of ints, got the int {normalized_shape}; "
            f"write ({normalized_shape},)"
        )
    shape = tuple(normalized_shape)
    if not shape:
        raise ShapeError(
            "rms_norm: expected normalized_shape to be at least 1-dimensional, but got normalized_shape = ()"
        )
    if tuple(input.shape[-len(shape) :]) != shape:
        raise ShapeError(
            f"rms_norm: given normalized_shape={shape}, expected an input of shape "
            f"[*, {', '.join(map(str, shape))}], got {tuple(input.shape)}"
        )
    if weight is not None and tuple(weight.shape) != shape:
        raise ShapeError(
            f"rms_norm: expected weight to be of same shape as normalized_shape {shape}, got "
            f"{tuple(weight.shape)}"
        )
    if not input.dtype.is_floating_point:
        raise NotImplementedError(f"rms_norm is not implemented for {input.dtype}; convert with .float()")
    if eps is None:
        eps = 2.0**-52 if input.dtype is float64 else 2.0**-23
    if not input.numel():
        return input * 1 if weight is None else input * weight
    return _rms_norm(input, weight, axes=len(shape), eps=eps)  # type: ignore[no-any-return]


# -- local response ----------------------------------------------------------------------------------------
def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """``x / (k + alpha / size * sum of the squares of ``size`` neighbouring channels) ** beta``.

    Channel c is divided by channels c - size // 2 … c + (size - 1) // 2 of ``(N, C, *)``, zeros beyond the
    borders.

    Reference: Krizhevsky, Sutskever, Hinton, NIPS 2012, section 3.3 (there alpha is not divided by size).

    Raises:
        ValueError: the input has fewer than 3 dimensions.
    """
    from genesis.ops.padding import constant_pad_nd
    from genesis.ops.parts import narrow

    if input.dim() < 3:
        raise ValueError(
            f"local_response_norm: expected 3D or higher dimensionality input (got {input.dim()} dimensions)"
        )
    if not input.numel():
        return input
    channels = input.shape[1]
    square = ew.square(input)
    wide = constant_pad_nd(square, (0, 0) * (input.dim() - 2) + (size // 2, (size - 1) // 2))
    total: Any = narrow(wide, 1, 0, channels)
    for i in range(1, size):
        total = total + narrow(wide, 1, i, channels)
    # of integers the average is one, too, as in PyTorch
    near = total / size if total.dtype.is_floating_point else ew.div(total, size, rounding_mode="trunc")
    out: Tensor = input / (near * alpha + k) ** beta
    return out
