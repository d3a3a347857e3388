"""Batch and instance normalization: statistics over the batch, or ones that were tracked."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from genesis._dtypes import float32, float64
from genesis._errors import ShapeError
from genesis.autograd.grad_mode import state
from genesis.backend.dispatch import run_map
from genesis.backend.expr import arg, call, cast
from genesis.ops import elementwise as ew
from genesis.ops._elementwise import Elementwise
from genesis.ops._op import op
from genesis.ops.reduction import mean as average
from genesis.ops.reduction import sum

if TYPE_CHECKING:
    from genesis._tensor import Tensor


def _columns(p: Any, ndim: int) -> Any:
    """A vector of channels beside ``(N, C, *)``."""
    return p.reshape((1, -1) + (1,) * (ndim - 2))


def _moments(x: Any) -> tuple[Any, Any]:
    axes = (0, *range(2, x.dim()))
    center = average(x, axes)
    return center, average(ew.square(x - _columns(center, x.dim())), axes)


@op(
    saves=("x", "weight", "bias", "running_mean", "running_var", "mean", "rstd"),
    results=("out", "mean", "var", "rstd"),
    public=3,
    read_for={"weight": ("x",), "bias": (), "running_mean": ("x", "weight"), "running_var": ("x", "weight")},
)
def _batch_norm(x: Any, weight: Any, bias: Any, running_mean: Any, running_var: Any, *, eps: float) -> Any:
    """Normalize ``(N, C, *)`` by the batch's moments, or by running ones where they are given."""
    center, spread = _moments(x) if running_mean is None else (running_mean, running_var)
    rstd = ew.rsqrt(spread + eps)
    ndim = x.dim()
    out = (x - _columns(center, ndim)) * _columns(rstd if weight is None else rstd * weight, ndim)
    if bias is not None:
        out = out + _columns(bias, ndim)
    return out, center.clone(), spread.clone(), rstd


@_batch_norm.backward_rule
def _batch_norm_backward(
    needs: Any,
    grad: Any,
    x: Any,
    weight: Any,
    bias: Any,
    running_mean: Any,
    running_var: Any,
    center: Any,
    rstd: Any,
    *,
    eps: float,
) -> tuple[Any, ...]:
    tracked = running_mean is not None
    if rstd is None:
        center, spread = (running_mean, running_var) if tracked else _moments(x)
        rstd = ew.rsqrt(spread + eps)
    ndim = x.dim()
    axes = (0, *range(2, ndim))
    gx = gw = gb = None
    if needs[0]:
        scale = _columns(rstd if weight is None else rstd * weight, ndim)
        gx = grad * scale
    if needs[1] or (needs[0] and not tracked):
        unit = (x - _columns(center, ndim)) * _columns(rstd, ndim)
        if needs[0] and not tracked:
            both = average(grad, axes, keepdim=True) + unit * average(grad * unit, axes, keepdim=True)
            gx = scale * (grad - both)
        if needs[1]:
            gw = sum(grad * unit, axes)
    if needs[2]:
        gb = sum(grad, axes)
    return gx, gw, gb, None, None


_blend = Elementwise(
    "running_average",
    lambda old, new, keep, take: call("add", old * keep, new * take),
    4,
)
_blends = {d: call("add", arg(0) * cast(arg(2), d), arg(1) * cast(arg(3), d)) for d in (float32, float64)}


def _update(running: Any, value: Any, momentum: float, factor: float) -> None:
    """``running = (1 - momentum) running + momentum factor value``, outside any graph."""
    old, new = running._view, value._view
    numbers = (1.0 - momentum, momentum * factor)
    expr = _blends.get(old.dtype)
    plain = running._base is None and not running._tracked and old.buffer is not new.buffer
    plain = plain and old.dtype is new.dtype
    if expr is not None and plain and old.contiguous and old.shape == new.shape:
        run_map(old.buffer.device.backend, expr, old, old, new, *numbers)
        old.buffer.version += 1
        return
    before, state.enabled = state.enabled, False
    try:
        _blend.into(running, running, value, *numbers)
    finally:
        state.enabled = before


def check_channels(name: str, x: Any, channels: int, **vectors: Any) -> None:
    """Refuse what is no vector of one number for each channel, or of another type than ``x``.

    Raises:
        RuntimeError: so it is.
        NotImplementedError: ``x`` is not of a floating-point type.
    """
    if not x.dtype.is_floating_point:
        raise NotImplementedError(f"{name} is not implemented for {x.dtype}; convert with .float()")
    for what, v in vectors.items():
        if v is None:
            continue
        if v.numel() != channels:
            raise ShapeError(f"{name}: {what} should contain {channels} elements not {v.numel()}")
        if v.dtype is not x.dtype and not (x.dtype.is_half and v.dtype is float32):
            raise RuntimeError(
                f"{name}: all inputs must share one element type, got an input of {x.dtype} and {what} of "
                f"{v.dtype}"
            )


def batch_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool = True,
) -> Tensor:
    """``(x - mean) / sqrt(var + eps) * weight + bias`` for each channel of ``(N, C, *)``.

    In training, mean and (biased) variance are those of the batch, and the running ones move towards the
    batch's mean and unbiased variance: ``running = (1 - momentum) running + momentum new``. Otherwise the
    running ones are used. ``cudnn_enabled`` has no effect.

    Reference: Ioffe, Szegedy, arXiv 1502.03167, algorithms 1 and 2.

    Raises:
        RuntimeError: shapes or types do not fit, or running statistics are missing where they are needed.
        ValueError: only one of the running statistics is given.
    """
    if input.dim() < 2:
        if input.shape == (0,):  # PyTorch lets it pass
            return input * 1
        raise ShapeError(f"batch_norm expects an input (N, C, *), got {tuple(input.shape)}")
    channels = input.shape[1]
    if (running_mean is None) != (running_var is None) and training:
        raise ValueError("running_mean and running_var must either both be None or neither be None")
    for name, v in (("running_mean", running_mean), ("running_var", running_var)):
        if v is None and not training:
            raise RuntimeError(f"batch_norm: {name} must be defined in evaluation mode")
    check_channels(
        "batch_norm", input, channels,
        running_mean=running_mean, running_var=running_var, weight=weight, bias=bias,
    )  # fmt: skip
    weight, bias = (p if p is None or p.dim() == 1 else p.reshape(-1) for p in (weight, bias))
    if not input.numel():  # no statistics: the running ones stay
        out: Tensor = input * 1
        for p in (weight, bias):
            out = out if p is None else out + _columns(p, input.dim()) * 0
        return out
    if not training:
        return _batch_norm(input, weight, bias, running_mean, running_var, eps=eps)[0]  # type: ignore[no-any-return]
    out, center, spread = _batch_norm(input, weight, bias, None, None, eps=eps)
    if running_mean is not None:
        n = input.numel() // channels
        _update(running_mean, center, momentum, 1.0)
        # of one value there is no unbiased variance: 0 / 0, as in PyTorch
        _update(running_var, spread, momentum, n / (n - 1) if n > 1 else math.nan)
    return out


def instance_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    use_input_stats: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool = True,
) -> Tensor:
    """``batch_norm`` of each sample by itself: mean and variance over the axes after the channels.

    With running statistics these follow the mean over the batch of each sample's mean and unbiased variance,
    and they are used where ``use_input_stats`` is false.

    Reference: Ulyanov, Vedaldi, Lempitsky, arXiv 1607.08022.

    Raises:
        RuntimeError: shapes or types do not fit, or running statistics are missing where they are needed.
    """
    if input.dim() < 2:
        raise ShapeError(f"instance_norm expects an input (N, C, *), got {tuple(input.shape)}")
    if not use_input_stats and (running_mean is None or running_var is None):
        raise RuntimeError(
            "expected running_mean and running_var to be defined when use_input_stats is false"
        )
    if not use_input_stats:
        return batch_norm(input, weight, bias, running_mean, running_var, False, momentum, eps)
    channels = input.shape[1]
    check_channels(
        "instance_norm", input, channels,
        running_mean=running_mean, running_var=running_var, weight=weight, bias=bias,
    )  # fmt: skip
    from genesis.ops.group_norm import normalized_groups

    weight, bias = (None if p is None else p.reshape(-1) for p in (weight, bias))
    out, center, spread = normalized_groups(input, weight, bias, channels, eps)
    n = math.prod(input.shape[2:])
    if center is not None:
        for running, value, factor in ((running_mean, center, 1.0), (running_var, spread, n / max(n - 1, 1))):
            if running is not None:
                _update(running, average(value, 0), momentum, factor)
    return out  # type: ignore[no-any-return]
