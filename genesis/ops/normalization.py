"""Softmax, layer normalisation and dropout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genesis._dtypes import default_dtype
from genesis._errors import ShapeError
from genesis.autograd.graph import Node, TensorCore, new
from genesis.backend.dispatch import kernel
from genesis.backend.expr import call
from genesis.ops import elementwise as ew
from genesis.ops._autocast import in_full_on_cuda
from genesis.ops._elementwise import Elementwise
from genesis.ops._op import op, primitive
from genesis.ops.reduction import amax, axes_of, mean, sum

if TYPE_CHECKING:
    from genesis._tensor import Tensor


@op(saves=("out",))
def _softmax(x: Any, *, dim: int) -> Any:
    e = ew.exp(x - amax(x, dim, keepdim=True))
    return e / sum(e, dim, keepdim=True)


@_softmax.backward_rule
def _softmax_backward(needs: Any, grad: Any, out: Any, *, dim: int) -> tuple[Any]:
    product = grad * out
    return (product - out * sum(product, dim, keepdim=True),)


@op(saves=("out",))
def _log_softmax(x: Any, *, dim: int) -> Any:
    shifted = x - amax(x, dim, keepdim=True)
    return shifted - ew.log(sum(ew.exp(shifted), dim, keepdim=True))


@_log_softmax.backward_rule
def _log_softmax_backward(needs: Any, grad: Any, out: Any, *, dim: int) -> tuple[Any]:
    return (grad - ew.exp(out) * sum(grad, dim, keepdim=True),)


@op(saves=("x", "out"))
def _logsumexp(x: Any, *, axes: tuple[int, ...]) -> Any:
    top = amax(x, axes, keepdim=True)
    top = ew.where(ew.isfinite(top), top, 0.0)
    return ew.log(sum(ew.exp(x - top), axes, keepdim=True)) + top


@_logsumexp.backward_rule
def _logsumexp_backward(needs: Any, grad: Any, x: Any, out: Any, *, axes: tuple[int, ...]) -> tuple[Any]:
    return (grad * ew.exp(x - out),)


@in_full_on_cuda
def logsumexp(x: Any, dim: Any, keepdim: bool = False) -> Tensor:
    """``log(sum(exp(x)))`` over ``dim``, without overflow."""
    if not x.dtype.is_floating_point:
        x = x.to(default_dtype())
    axes = axes_of(dim, x.dim())
    if 0 in [x._view.shape[i] for i in axes]:
        return ew.log(sum(ew.exp(x), dim, keepdim))
    out = _logsumexp(x, axes=axes)
    return out if keepdim else out.squeeze(axes)  # type: ignore[no-any-return]


def _prepared(x: Any, dim: int | None, dtype: Any, name: str) -> tuple[Any, int]:
    if dtype is not None:
        x = x.to(dtype)
    if not x.dtype.is_floating_point:
        raise NotImplementedError(f"{name} is not implemented for {x.dtype}; convert with .float()")
    if dim is None:
        raise TypeError(f"{name} needs dim, the axis whose elements compete (often -1)")
    from genesis.ops.reduction import axis_of

    return x, axis_of(dim, x.dim())


def softmax(x: Any, dim: int | None = None, dtype: Any = None) -> Any:
    """``exp(x) / sum(exp(x))`` along ``dim``, without overflow."""
    x, axis = _prepared(x, dim, dtype, "softmax")
    if not x.dim() or not x.numel():
        return x * 0 + 1
    return _softmax(x, dim=axis)


def log_softmax(x: Any, dim: int | None = None, dtype: Any = None) -> Any:
    """``log(softmax(x))`` along ``dim``, exact where softmax underflows."""
    x, axis = _prepared(x, dim, dtype, "log_softmax")
    if not x.dim() or not x.numel():
        return x * 0
    return _log_softmax(x, dim=axis)


# -- layer normalisation -----------------------------------------------------------------------------------
def _statistics(x: Any, axes: int, eps: float) -> tuple[Any, Any]:
    dims = tuple(range(x.dim() - axes, x.dim()))
    center = mean(x, dims, keepdim=True)
    spread = mean(ew.square(x - center), dims, keepdim=True)
    return center, ew.rsqrt(spread + eps)


@op(
    saves=("x", "weight", "bias", "mean", "rstd"),
    results=("out", "mean", "rstd"),
    read_for={"x": ("x", "weight"), "weight": ("x",), "bias": ()},
    onto=True,
)
def _layer_norm(x: Any, weight: Any, bias: Any, *, axes: int, eps: float) -> Any:
    center, rstd = _statistics(x, axes, eps)
    out = (x - center) * rstd
    if weight is not None:
        out = out * weight
    if bias is not None:
        out = out + bias
    return out, center, rstd


@_layer_norm.backward_rule
def _layer_norm_backward(
    needs: Any, grad: Any, x: Any, weight: Any, bias: Any, center: Any, rstd: Any, *, axes: int, eps: float
) -> tuple[Any, Any, Any]:
    if rstd is None:
        center, rstd = _statistics(x, axes, eps)
    inner = tuple(range(x.dim() - axes, x.dim()))
    outer = tuple(range(x.dim() - axes))
    unit = (x - center) * rstd
    gx = gw = gb = None
    if needs[0]:
        g = grad if weight is None else grad * weight
        gx = rstd * (g - mean(g, inner, keepdim=True) - unit * mean(g * unit, inner, keepdim=True))
    if needs[1]:
        gw = sum(grad * unit, outer) if outer else grad * unit
    if needs[2]:
        gb = sum(grad, outer) if outer else grad
    return gx, gw, gb


def layer_norm(
    x: Any, normalized_shape: int | Sequence[int], weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """``(x - mean) / sqrt(var + eps) * weight + bias`` over the trailing ``normalized_shape``.

    The variance is the biased one.  Reference: Ba, Kiros, Hinton, arXiv 1607.06450, equation 4.

    Raises:
        RuntimeError: the last axes of ``x``, or ``weight`` or ``bias``, do not have this shape.
    """
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    if not isinstance(x, TensorCore):
        raise TypeError(f"layer_norm takes tensors, got {type(x).__name__} {x!r:.40}")
    have = x._view.shape
    if not shape or have[-len(shape) :] != shape:
        raise ShapeError(
            f"layer_norm: expected an input of shape [*, {', '.join(map(str, shape))}], got {have}"
        )
    for name, p in (("weight", weight), ("bias", bias)):
        if p is not None and p._view.shape != shape:
            raise ShapeError(f"layer_norm: expected {name} of shape {shape}, got {tuple(p.shape)}")
    return _layer_norm(x, weight, bias, axes=len(shape), eps=eps)


# -- dropout -----------------------------------------------------------------------------------------------
_keep = Elementwise(
    "dropout",
    lambda x, noise, p, scale: call("where", call("lt", noise, p), 0, x * scale),
    4,
    "same",
    grad=lambda g, x, noise, p, scale, out: (
        call("where", call("lt", noise, p), 0, g * scale),
        None,
        None,
        None,
    ),
)


def dropout(x: Any, p: float = 0.5, training: bool = True, generator: Any = None) -> Any:
    """Zero each element with probability ``p`` and scale the rest by 1 / (1 - p); in training only.

    Reference: Srivastava et al., JMLR 15 (2014), section 10 (the inverted form).

    Raises:
        ValueError: ``p`` is not a probability.
    """
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    if not training or p == 0.0:
        return x
    if p == 1.0:
        return x * 0.0
    from genesis._random import default_generator

    size = x._view.size
    seed, offset = (generator or default_generator).take(size) if size else (0, 0)
    return _drop(x, float(p), seed, offset)


def _drop(x: Any, p: float, seed: int, offset: int) -> Any:
    """By the uniform numbers of a seed from a place on, which a device's own kernel need not keep."""
    view = x._view
    device = view.buffer.device
    own = kernel(device.backend, "dropout")
    result = NotImplemented if own is None else own(device.backend, view, p=p, seed=seed, offset=offset)
    if result is not NotImplemented:
        return _dropped.wrap(result, (x,), (), (p, seed, offset))
    from genesis.ops.random import fill

    noise = device.backend.empty(view.shape, view.dtype, device)
    if view.size:
        fill("uniform", noise, seed, offset)
    return _keep(x, new(noise), p, 1.0 / (1.0 - p))


@primitive("dropout")
def _dropped(node: Node, grad: Any) -> tuple[Any]:
    return (_drop(grad, *node.options),)
