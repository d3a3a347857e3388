"""Pooling as people call it: the arguments checked, sizes computed, for one to three axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from operator import index
from typing import TYPE_CHECKING, Any, NamedTuple

from genesis._dtypes import bool_, int64
from genesis._errors import ShapeError
from genesis.autograd.graph import new
from genesis.ops import elementwise as ew
from genesis.ops import pooling
from genesis.ops._autocast import in_full_on_cpu
from genesis.ops._view import zeros_view
from genesis.ops.activation import relu
from genesis.ops.indexing import scatter
from genesis.ops.parts import narrow
from genesis.ops.shape import clone, reshape

if TYPE_CHECKING:
    from genesis._tensor import Tensor

Count = int | Sequence[int]


def sizes(name: str, what: str, value: Any, axes: int) -> tuple[int, ...]:
    """One number for each axis, of a number or a sequence of one or ``axes``.

    Raises:
        RuntimeError: another number of numbers.
        TypeError: what is no whole number.
    """
    given = tuple(value) if isinstance(value, Sequence) else (value,)
    try:
        given = tuple([index(v) for v in given])
    except TypeError:
        raise TypeError(f"{name}: {what} must be an int or a tuple of ints, got {value!r}") from None
    if len(given) not in (1, axes):
        raise RuntimeError(f"{name}: {what} must be an int or a tuple of {axes} ints, got {value!r}")
    return given * axes if len(given) == 1 else given


def _check_type(name: str, x: Any, also: str = "") -> None:
    if not (x.dtype.is_floating_point or (also == "int64" and x.dtype is int64)):
        raise NotImplementedError(f"{name} is not implemented for {x.dtype}; convert with .float()")


def _check_input(name: str, x: Any, axes: int) -> None:
    """``(C, …)`` or ``(N, C, …)`` of which only the batch may be empty."""
    if x.dim() not in (axes + 1, axes + 2) or 0 in x.shape[x.dim() - axes - 1 :]:
        raise ShapeError(
            f"{name}: expected {axes + 1}D or {axes + 2}D (batch mode) tensor with optional 0 dim batch size "
            f"for input, but got {tuple(x.shape)}"
        )


class Sliding(NamedTuple):
    """The arguments of a pooling with sliding windows, one for each axis, and how many windows there are."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    shape: tuple[int, ...]


def _sliding(
    name: str, x: Any, axes: int, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil: bool
) -> Sliding:
    _check_input(name, x, axes)
    given = [tuple(v) if isinstance(v, list) else v for v in (kernel, stride, padding, dilation)]
    try:
        return _resolved(name, tuple(x.shape[x.dim() - axes :]), *given, bool(ceil))
    except TypeError:  # what cannot be remembered, a mistake as a rule
        return _resolved.__wrapped__(name, tuple(x.shape[x.dim() - axes :]), *given, bool(ceil))


@lru_cache(1024)
def _resolved(
    name: str, size: tuple[int, ...], kernel: Any, stride: Any, padding: Any, dilation: Any, ceil: bool
) -> Sliding:
    axes = len(size)
    kernels = sizes(name, "kernel_size", kernel, axes)
    strides = kernels if stride is None or stride == () else sizes(name, "stride", stride, axes)
    paddings = sizes(name, "padding", padding, axes)
    dilations = sizes(name, "dilation", dilation, axes)
    for what, values in (("kernel_size", kernels), ("stride", strides), ("dilation", dilations)):
        if min(values) < 1:
            raise RuntimeError(f"{name}: {what} should be greater than zero, got {values}")
    shape = []
    for n, k, s, p, d in zip(size, kernels, strides, paddings, dilations, strict=True):
        reach = d * (k - 1) + 1
        if p < 0 or p > reach // 2:
            raise RuntimeError(
                f"{name}: pad should be at most half of effective kernel size, and not negative, but got "
                f"pad={p}, kernel_size={k} and dilation={d}"
            )
        out = (n + 2 * p - reach + (s - 1 if ceil else 0)) // s + 1
        if ceil and (out - 1) * s >= n + p:
            out -= 1  # the last window would hold nothing but padding
        if out < 1:
            raise ShapeError(
                f"{name}: an input of size {size} gives an output size of {out}, which is too small (kernel "
                f"{kernels}, stride {strides}, padding {paddings})"
            )
        if d > 1 and pooling.sliding(n, out, k, s, p, d).length.min() < 1:
            raise RuntimeError(f"{name}: with dilation {d} a window holds nothing but padding")
        shape.append(out)
    return Sliding(kernels, strides, paddings, dilations, tuple(shape))


def _empty(x: Any, shape: tuple[int, ...]) -> Any:
    """A result without elements, which keeps the graph."""
    lead = tuple(x.shape[: x.dim() - len(shape)])
    return clone(reshape(narrow(reshape(x, -1), 0, 0, 0), (*lead, *shape)))


def nothing(x: Any, shape: tuple[int, ...]) -> tuple[Any, Any]:
    """The result and the indices where there are no elements."""
    out = _empty(x, shape)
    return out, new(zeros_view(tuple(out.shape), int64, out._view.buffer.device))


# -- the largest -------------------------------------------------------------------------------------------
def max_pool_nd(
    axes: int, x: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> tuple[Any, Any]:
    """The largest element of sliding windows over the last ``axes``, and its index within them."""
    name = f"max_pool{axes}d"
    if x.dtype is bool_ or (axes == 1 and not x.dtype.is_floating_point):
        raise NotImplementedError(f"{name} is not implemented for {x.dtype}; convert with .float()")
    o = _sliding(name, x, axes, kernel_size, stride, padding, dilation, ceil_mode)
    if not x.numel():
        return nothing(x, o.shape)
    found: tuple[Any, Any] = pooling.max_pool(
        x, kernel=o.kernel, stride=o.stride, padding=o.padding, dilation=o.dilation, shape=o.shape
    )
    return found


def max_pool1d_with_indices(
    input: Tensor,
    kernel_size: Count,
    stride: Count | None = None,
    padding: Count = 0,
    dilation: Count = 1,
    ceil_mode: bool = False,
) -> tuple[Tensor, Tensor]:
    """The largest element of each window of ``(C, L)`` or ``(N, C, L)``, and its index."""
    return max_pool_nd(1, input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool1d(
    input: Tensor,
    kernel_size: Count,
    stride: Count | None = None,
    padding: Count = 0,
    dilation: Count = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """The largest element of each window of ``(C, L)`` or ``(N, C, L)``."""
    out: Tensor = max_pool_nd(1, input, kernel_size, stride, padding, dilation, ceil_mode)[0]
    return out


def max_pool2d(
    input: Tensor,
    kernel_size: Count,
    stride: Count | None = None,
    padding: Count = 0,
    dilation: Count = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """The largest element of each window of ``(C, H, W)`` or ``(N, C, H, W)``."""
    out: Tensor = max_pool_nd(2, input, kernel_size, stride, padding, dilation, ceil_mode)[0]
    return out


@in_full_on_cpu
def max_pool3d(
    input: Tensor,
    kernel_size: Count,
    stride: Count | None = None,
    padding: Count = 0,
    dilation: Count = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """The largest element of each window of ``(C, D, H, W)`` or ``(N, C, D, H, W)``."""
    out: Tensor = max_pool_nd(3, input, kernel_size, stride, padding, dilation, ceil_mode)[0]
    return out


# -- the average -------------------------------------------------------------------------------------------
def avg_pool_nd(
    axes: int,
    x: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None = None,
) -> Any:
    """The average of sliding windows over the last ``axes``."""
    name = f"avg_pool{axes}d"
    _check_type(name, x, "int64")
    o = _sliding(name, x, axes, kernel_size, stride, padding, 1, ceil_mode)
    if divisor_override == 0:
        raise RuntimeError(f"{name}: divisor_override must not be zero")
    if not x.numel():
        return _empty(x, o.shape)
    return pooling.avg_pool(
        x,
        kernel=o.kernel,
        stride=o.stride,
        padding=o.padding,
        shape=o.shape,
        count_include_pad=bool(count_include_pad),
        divisor_override=divisor_override,
    )


def avg_pool1d(
    input: Tensor,
    kernel_size: Count,
    stride: Count | None = None,
    padding: Count = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The average of each window of ``(C, L)`` or ``(N, C, L)``."""
    out: Tensor = avg_pool_nd(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad)
    return out


# -- a given number of windows -----------------------------------------------------------------------------
def _targets(name: str, x: Any, value: Any, axes: int) -> tuple[int, ...]:
    """The numbers of windows; None keeps the size of an axis."""
    given = tuple(value) if isinstance(value, Sequence) else (value,) * axes
    if len(given) == 1:
        given = given * axes
    if isinstance(value, Sequence) and x.dim() <= len(value) and axes > 1:
        raise ValueError(
            f"{name}: the input has {x.dim()} dimensions, which is too few for output_size {value!r}"
        )
    if len(given) != axes:
        raise RuntimeError(f"{name}: output_size must be an int or a tuple of {axes}, got {value!r}")
    if x.dim() not in (axes + 1, axes + 2):
        raise ShapeError(
            f"{name}: expected {axes + 1} to {axes + 2} dimensions, got an input of {tuple(x.shape)}"
        )
    spatial = x.shape[x.dim() - axes :]
    shape = tuple([n if v is None else index(v) for v, n in zip(given, spatial, strict=True)])
    if min(shape) < 0:
        raise RuntimeError(f"{name}: elements of output_size must not be negative, got {shape}")
    if 0 in spatial:
        raise ShapeError(
            f"{name}: expected input to have non-zero size for non-batch dimensions, but got {tuple(x.shape)}"
        )
    return shape


def adaptive_avg_pool_nd(axes: int, x: Any, output_size: Any) -> Any:
    """The average of ``output_size`` windows that cover the last ``axes``."""
    name = f"adaptive_avg_pool{axes}d"
    _check_type(name, x)
    shape = _targets(name, x, output_size, axes)
    return _empty(x, shape) if not x.numel() or 0 in shape else pooling.adaptive_avg_pool(x, shape=shape)


def adaptive_max_pool_nd(axes: int, x: Any, output_size: Any) -> tuple[Any, Any]:
    """The largest element of ``output_size`` windows that cover the last ``axes``, and its index."""
    name = f"adaptive_max_pool{axes}d"
    _check_type(name, x)
    shape = _targets(name, x, output_size, axes)
    if not x.numel() or 0 in shape:
        return nothing(x, shape)
    found: tuple[Any, Any] = pooling.adaptive_max_pool(x, shape=shape)
    return found


def adaptive_avg_pool1d(input: Tensor, output_size: Count) -> Tensor:
    """The average of ``output_size`` windows that cover the last axis."""
    out: Tensor = adaptive_avg_pool_nd(1, input, output_size)
    return out


def adaptive_max_pool1d(input: Tensor, output_size: Count) -> tuple[Tensor, Tensor]:
    """The largest element of ``output_size`` windows that cover the last axis, and its index."""
    return adaptive_max_pool_nd(1, input, output_size)


# -- powers, and the way back ------------------------------------------------------------------------------
def lp_pool_nd(axes: int, x: Any, p: float, kernel_size: Any, stride: Any, ceil_mode: bool) -> Any:
    """``(sum of x^p) ^ (1/p)`` of sliding windows; for p infinite the largest (or smallest) ``|x|``."""
    name = f"lp_pool{axes}d"
    if p in (math.inf, -math.inf):
        sign = 1 if p > 0 else -1
        return max_pool_nd(axes, ew.abs(x) * sign, kernel_size, stride, 0, 1, ceil_mode)[0] * sign
    kernel = sizes(name, "kernel_size", kernel_size, axes)
    out = avg_pool_nd(axes, x**p, kernel, stride, 0, ceil_mode, True)
    return (ew.sign(out) * relu(ew.abs(out)) * math.prod(kernel)) ** (1.0 / p)


def max_unpool_nd(
    axes: int, x: Any, indices: Any, kernel_size: Any, stride: Any, padding: Any, output_size: Any
) -> Any:
    """Zeros with the elements of ``x`` at the places that ``max_pool`` found."""
    name = f"max_unpool{axes}d"
    kernel = sizes(name, "kernel_size", kernel_size, axes)
    steps = kernel if stride is None else sizes(name, "stride", stride, axes)
    widths = sizes(name, "padding", padding, axes)
    if x.dim() not in (axes + 1, axes + 2):
        raise ShapeError(f"{name}: expected {axes + 1}D or {axes + 2}D input, got {tuple(x.shape)}")
    lead, spatial = tuple(x.shape[: x.dim() - axes]), tuple(x.shape[x.dim() - axes :])
    shape = [(n - 1) * s + k - 2 * p for n, s, k, p in zip(spatial, steps, kernel, widths, strict=True)]
    if output_size is not None:
        wanted = list(output_size)
        if len(wanted) == axes + 2:
            wanted = wanted[2:]
        if len(wanted) != axes:
            raise ValueError(
                f"{name}: output_size should have {axes} or {axes + 2} elements, got {tuple(output_size)}"
            )
        for d, (want, n, s) in enumerate(zip(wanted, shape, steps, strict=True)):
            if not n - s < want < n + s:
                raise ValueError(
                    f"{name}: invalid output_size {tuple(output_size)} (dim {d} must be between {n - s} and "
                    f"{n + s})"
                )
        shape = wanted
    if indices.dtype is not int64:
        raise RuntimeError(f"{name}: elements in indices should be type int64 but got: {indices.dtype}")
    if indices.shape != x.shape:
        raise ShapeError(
            f"{name}: expected shape of indices to be same as that of the input tensor {tuple(x.shape)}, got "
            f"{tuple(indices.shape)}"
        )
    if not x.numel():
        return _empty(x, tuple(shape))
    zeros = new(zeros_view((*lead, math.prod(shape)), x.dtype, x._view.buffer.device))
    try:
        flat = scatter(zeros, -1, reshape(indices, (*lead, -1)), reshape(x, (*lead, -1)))
    except IndexError as error:
        raise ShapeError(
            f"{name}: found an invalid max index for an output of {tuple(shape)}: {error}"
        ) from None
    return reshape(flat, (*lead, *shape))
