"""Variances, norms and distances, and what is computed from them."""

from __future__ import annotations

import builtins
import math
from typing import TYPE_CHECKING, Any

from genesis._dtypes import as_dtype, float64
from genesis.autograd.graph import TensorCore
from genesis.backend.expr import call, const
from genesis.ops import elementwise as ew
from genesis.ops._autocast import in_full_on_cuda
from genesis.ops._elementwise import Elementwise
from genesis.ops._half_calls import in_float32
from genesis.ops._op import op
from genesis.ops.reduction import (
    _expand_back,
    amax,
    amin,
    axes_of,
    mean,
    sum,
)

if TYPE_CHECKING:
    from genesis._tensor import Tensor

# mypy: disable-error-code="no-any-return"

_distance = Elementwise("squared_distance", lambda x, m: (x - m) * (x - m), 2, "same")


def _spread(x: Any, axes: tuple[int, ...], keepdim: bool, count: float) -> tuple[Any, Any]:
    """Variance and mean in float64, in which no square of a float32 overflows."""
    wide = x.to(float64)
    center = mean(wide, axes or None, keepdim=True)
    total = sum(_distance(wide, center), axes or None, keepdim)
    return total / count, center


def _unspread(grad: Any, x: Any, axes: tuple[int, ...], keepdim: bool, count: float) -> Any:
    """The gradient of a variance."""
    deviation = x - mean(x, axes or None, keepdim=True)
    scale = math.nan if count <= 0 else 2.0 / count
    return _expand_back(grad, x._view.shape, axes, keepdim) * (deviation * scale)


@op(saves=("x",))
def _var(x: Any, *, axes: tuple[int, ...], keepdim: bool, count: float) -> Any:
    return _spread(x, axes, keepdim, count)[0].to(x.dtype)


@_var.backward_rule
def _var_backward(needs: Any, grad: Any, x: Any, *, axes: Any, keepdim: bool, count: float) -> tuple[Any]:
    return (_unspread(grad, x, axes, keepdim, count),)


@op(saves=("x", "out"))
def _std(x: Any, *, axes: tuple[int, ...], keepdim: bool, count: float) -> Any:
    return ew.sqrt(_spread(x, axes, keepdim, count)[0]).to(x.dtype)


_half_of = Elementwise(
    "std.grad",
    lambda g, out: ew.where_expr(call("eq", out, 0), const(0), g * 0.5 / out),
    2,
    grad=lambda h, g, out, _: (
        ew.where_expr(call("eq", out, 0), const(0), h * 0.5 / out),
        ew.where_expr(call("eq", out, 0), const(0), h * g * -0.5 / (out * out)),
    ),
)


@_std.backward_rule
def _std_backward(
    needs: Any, grad: Any, x: Any, out: Any, *, axes: Any, keepdim: bool, count: float
) -> tuple[Any]:
    return (_unspread(_half_of(grad, out), x, axes, keepdim, count),)


def _options(
    name: str, x: Any, dim: Any, unbiased: Any, correction: Any, keepdim: bool
) -> tuple[Any, dict[str, Any]]:
    """The axes, and the number to divide by."""
    if isinstance(dim, bool):  # var(x, unbiased)
        dim, unbiased = None, dim
    if unbiased is not None:
        if correction is not None:
            raise TypeError(f"{name}() takes either unbiased or correction")
        correction = 1 if unbiased else 0
    if not x.dtype.is_floating_point:
        raise RuntimeError(f"{name} needs a floating-point tensor, got {x.dtype}; use x.float()")
    axes = axes_of(dim, x.dim())
    count = math.prod(x._view.shape[i] for i in axes) - (1 if correction is None else correction)
    return axes, {"axes": axes, "keepdim": keepdim, "count": builtins.max(count, 0)}


def var(
    x: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: Any = None
) -> Tensor:
    """Variance ``sum((x - mean)^2) / (n - correction)`` over ``dim``; ``unbiased=False`` is correction 0."""
    _, options = _options("var", x, dim, unbiased, correction, keepdim)
    return _var(x, **options)


def std(
    x: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: Any = None
) -> Tensor:
    """Square root of ``var``.  Its gradient where all elements are equal is zero."""
    _, options = _options("std", x, dim, unbiased, correction, keepdim)
    return _std(x, **options)


def var_mean(
    x: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: Any = None
) -> tuple[Any, Any]:
    """The pair (variance, mean); see ``var``."""
    axes, options = _options("var_mean", x, dim, unbiased, correction, keepdim)
    return _var(x, **options), mean(x, axes or None, keepdim)


def std_mean(
    x: Any, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: Any = None
) -> tuple[Any, Any]:
    """The pair (standard deviation, mean); see ``std``."""
    axes, options = _options("std_mean", x, dim, unbiased, correction, keepdim)
    return _std(x, **options), mean(x, axes or None, keepdim)


# -- norms -------------------------------------------------------------------------------------------------
# roots of sums that are zero only where every term is; the gradient there is 0, not infinity times 0
_power = Elementwise(
    "pow",
    lambda x, p: call("pow", x, p),
    2,
    grad=lambda g, x, p, out: (
        ew.where_expr(call("eq", x, 0), const(0), g * (p * call("pow", x, p - 1))),
        None,
    ),
)


@in_full_on_cuda
def norm(x: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The p-norm ``(sum |x|^p)^(1/p)`` over ``dim``; its gradient at zero is zero.

    Args:
        x: a tensor.
        p: a number, inf, -inf, 0 (how many are not 0), ``"fro"`` (2), or ``"nuc"``, the sum of the singular
            values of a matrix.
        dim: an axis, several, or all.
        keepdim: keep the reduced axes with length 1.
        dtype: convert to this type first.

    Raises:
        RuntimeError: ``x`` is not of a floating-point type.
    """
    if dtype is not None:
        x = x.to(as_dtype(dtype))
    if not x.dtype.is_floating_point:
        raise RuntimeError(f"norm needs a floating-point tensor, got {x.dtype}; use x.float().norm()")
    if p == "nuc":
        from genesis.ops.norms import matrix_norm

        return matrix_norm(x, "nuc", (-2, -1) if dim is None else dim, keepdim)
    if p in ("fro", 2, None):
        from genesis.ops.norms import vector_norm

        return vector_norm(x, 2, dim, keepdim)
    if isinstance(p, str):
        raise ValueError(f"norm expects a number, 'fro' or 'nuc' as p, got {p!r}")
    if p == math.inf:
        return amax(ew.abs(x), dim, keepdim)
    if p == -math.inf:
        return amin(ew.abs(x), dim, keepdim)
    if p == 0:
        return sum(ew.abs(ew.sign(x)), dim, keepdim)
    if p == 1:
        return sum(ew.abs(x), dim, keepdim)
    return _power(sum(_power(ew.abs(x), p), dim, keepdim), 1.0 / p)


@in_full_on_cuda
def dist(input: Any, other: Any, p: float = 2) -> Tensor:
    """The p-norm of ``input - other``."""
    return norm(input - other, p)


@in_full_on_cuda
@in_float32
def renorm(input: Any, p: float, dim: int, maxnorm: float) -> Tensor:
    """Each slice along ``dim`` scaled down to a p-norm of at most ``maxnorm``.

    Raises:
        RuntimeError: ``p`` is not positive, ``maxnorm`` is negative, or there are fewer than two axes.
    """
    if not p > 0:
        raise RuntimeError(f"renorm: non-positive norm {p} is not supported")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0, got {maxnorm}")
    if input.dim() < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {input.dim()}")
    axis = axes_of(dim, input.dim())[0]
    sizes = norm(input, p, tuple(i for i in range(input.dim()) if i != axis), keepdim=True)
    return input * ew.where(ew.gt(sizes, maxnorm), maxnorm / (sizes + 1e-7), 1.0)


# -- covariance --------------------------------------------------------------------------------------------
def cov(input: Any, *, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Tensor:
    """Covariances of the rows of ``input`` (variables, observations), or the variance of a single row.

    Args:
        input: at most two axes.
        correction: the sum is divided by the number of observations less this.
        fweights: how often each observation counts, integers.
        aweights: the weight of each observation, floats.

    Raises:
        RuntimeError: there are more than two axes, or weights do not fit.
    """
    if input.dim() > 2:
        raise RuntimeError(f"cov: expected input to have two or fewer dimensions, got {input.dim()}")
    x = input if input.dtype.is_floating_point else input.float()
    x = x.reshape(1, -1) if x.dim() < 2 else x
    observations = x._view.shape[1]
    weights = None
    for name, w, whole in (("fweights", fweights, True), ("aweights", aweights, False)):
        if w is None:
            continue
        if w.dim() > 1 or w.numel() != observations:
            raise RuntimeError(f"cov: expected one of {name} for each of {observations} observations")
        if w.dtype.is_floating_point is whole:
            raise RuntimeError(f"cov: {name} have type {w.dtype}")
        if bool(ew.lt(w, 0).any().item()):
            raise RuntimeError(f"cov: {name} cannot be negative")
        weights = w.reshape(-1) if weights is None else weights * w.reshape(-1)
    if weights is None:
        center = mean(x, 1, keepdim=True) if observations else x
        total: Any = observations
    else:
        total = sum(weights)
        center = sum(x * weights, 1, keepdim=True) / total
    left = x - center
    right = left if weights is None else left * weights
    if weights is None or aweights is None or correction == 0:
        count = total - correction
    else:
        count = total - correction * sum(weights * aweights.reshape(-1)) / total
    count = ew.clamp(count, 0) if isinstance(count, TensorCore) else builtins.max(count, 0)
    product = (left @ right.transpose(0, 1)) / count
    return product.squeeze() if input.dim() < 2 or product._view.size == 1 else product


def corrcoef(input: Any) -> Tensor:
    """Correlation coefficients of the rows of ``input``: the covariances, divided by both deviations."""
    if input.dim() > 2:
        raise RuntimeError(f"corrcoef: expected input to have two or fewer dimensions, got {input.dim()}")
    c = cov(input)
    if not c.dim():
        return c / c
    deviation = ew.sqrt(c.reshape(-1)[:: c._view.shape[0] + 1])  # of the diagonal
    return ew.clamp(c / deviation.reshape(-1, 1) / deviation.reshape(1, -1), -1, 1)
