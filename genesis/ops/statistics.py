"""Order statistics, counts and histograms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from genesis._dtypes import DtypeError, bool_, float64, int64
from genesis.autograd.graph import Node, TensorCore, new
from genesis.ops import elementwise as ew
from genesis.ops._autocast import in_full_on_cpu
from genesis.ops._op import primitive
from genesis.ops.reduction import (
    EmptyReductionError,
    ValuesAndIndices,
    _amost,
    _total_type,
    axis_of,
    named_result,
    sum,
)

if TYPE_CHECKING:
    from genesis._tensor import Tensor

# mypy: disable-error-code="no-any-return"


# -- sums that leave out nan -------------------------------------------------------------------------------
def nansum(x: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """``sum`` with nan as zero."""
    x = _total_type(x, dtype)
    if x.dtype.is_floating_point:
        x = ew.where(ew.isnan(x), 0.0, x)
    return sum(x, dim, keepdim)


def nanmean(x: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """``mean`` of what is not nan."""
    if dtype is not None:
        x = x.to(dtype)
    if not x.dtype.is_floating_point:
        raise RuntimeError(f"nanmean needs a floating-point tensor, got {x.dtype}; use x.float()")
    count = sum(ew.logical_not(ew.isnan(x)), dim, keepdim)
    return nansum(x, dim, keepdim) / count


def count_nonzero(x: Any, dim: Any = None) -> Tensor:
    """How many elements over ``dim`` are not zero; int64."""
    return sum(ew.ne(x, 0) if x.dtype is not bool_ else x, dim)


def aminmax(x: Any, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """The pair (min, max) over ``dim``, or of all elements; equal elements share the gradient."""
    result = named_result("aminmax", "min", "max")
    return result(_amost("min", x, dim, keepdim), _amost("max", x, dim, keepdim))


# -- order statistics --------------------------------------------------------------------------------------
def _pick(x: Any, dim: int, places: Any, keepdim: bool, name: str) -> ValuesAndIndices:
    """What stands at the given places (an int, or a tensor of length 1 along ``dim``) of the sorted axis."""
    from genesis.ops.indexing import gather
    from genesis.ops.sorting import sort

    axis = axis_of(dim, x.dim())
    if not x.dim():
        return ValuesAndIndices(x.clone(), sort(x.detach()).indices)
    if not x._view.shape[axis]:
        raise EmptyReductionError(f"{name}: expected reduction dim {axis} to have non-zero size")
    order = sort(x.detach(), axis).indices
    at = order.narrow(axis, places, 1) if isinstance(places, int) else gather(order, axis, places)
    values = gather(x, axis, at)
    if keepdim:
        return ValuesAndIndices(values, at)
    return ValuesAndIndices(values.squeeze(axis), at.squeeze(axis))


def kthvalue(x: Any, k: int, dim: int = -1, keepdim: bool = False) -> ValuesAndIndices:
    """The ``k``-th smallest along ``dim``, counted from 1: (values, indices).

    Raises:
        RuntimeError: there are fewer than ``k`` elements.
    """
    length = x._view.shape[axis_of(dim, x.dim())] if x.dim() else 1
    if not 1 <= k <= length:
        raise RuntimeError(f"kthvalue: selected number k out of range for dimension {dim}: {k} of {length}")
    return _pick(x, dim, k - 1, keepdim, "kthvalue")


@primitive("median")
def _whole_median(node: Node, grad: Any) -> tuple[Any]:
    x, out = node.unpack()
    chosen = ew.logical_or(ew.eq(x, out), ew.logical_and(ew.isnan(x), ew.isnan(out))).to(grad.dtype)
    return (chosen * (grad / sum(chosen)),)


def _median(x: Any, dim: int | None, keepdim: bool, ignore_nan: bool, name: str) -> Any:
    if dim is None:
        flat = x.detach().reshape(-1)
        if not flat.numel():
            raise EmptyReductionError(f"{name}: of no elements there is none; a tensor of shape {x.shape}")
        value = _median(flat, 0, False, ignore_nan, name).values
        return _whole_median.wrap(value._view, (x,), (x, new(value._view)))
    axis = axis_of(dim, x.dim())
    if not x.dim() or not x.dtype.is_floating_point:
        return _pick(x, dim, (x._view.shape[axis] - 1) // 2 if x.dim() else 0, keepdim, name)
    if not x._view.shape[axis]:
        raise EmptyReductionError(f"{name}: expected reduction dim {axis} to have non-zero size")
    nans = ew.isnan(x.detach())
    count = sum(ew.logical_not(nans), axis, keepdim=True)
    length = x._view.shape[axis]
    if ignore_nan:
        places = ew.clamp(ew.floor_divide(count - 1, 2), 0)
    else:  # nan is sorted behind all else: the first of them
        places = ew.where(ew.lt(count, length), count, (length - 1) // 2)
    return _pick(x, dim, places, keepdim, name)


def median(x: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The lower median of all elements; with ``dim``, the pair (values, indices) along it.  A nan wins."""
    return _median(x, dim, keepdim, False, "median")


def nanmedian(x: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """``median`` of what is not nan."""
    return _median(x, dim, keepdim, True, "nanmedian")


def mode(x: Any, dim: int = -1, keepdim: bool = False) -> ValuesAndIndices:
    """The most frequent element along ``dim``, the smallest of several: (values, its last position)."""
    from genesis.ops.creation import from_host
    from genesis.ops.indexing import gather

    axis = axis_of(dim, x.dim())
    if not x.dim():
        return _pick(x, 0, 0, keepdim, "mode")
    if not x._view.shape[axis]:
        raise EmptyReductionError(f"mode: expected reduction dim {axis} to have non-zero size")
    device = x._view.buffer.device
    host = np.moveaxis(device.backend.read(x._view), axis, -1)
    order = np.argsort(host, -1, kind="stable")
    ranked = np.take_along_axis(host, order, -1)
    here = np.arange(ranked.shape[-1])
    new_run = np.concatenate([np.ones_like(ranked[..., :1], bool), ranked[..., 1:] != ranked[..., :-1]], -1)
    start = np.maximum.accumulate(np.where(new_run, here, 0), -1)
    longest = np.argmax(here - start, -1)[..., None]  # the end of the first longest run
    at = np.moveaxis(np.take_along_axis(order, longest, -1), -1, axis)
    indices = from_host(np.ascontiguousarray(at.astype(np.int64)), device)
    values = gather(x, axis, indices)
    if keepdim:
        return ValuesAndIndices(values, indices)
    return ValuesAndIndices(values.squeeze(axis), indices.squeeze(axis))


_INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


def _quantile(
    name: str, x: Any, q: Any, dim: int | None, keepdim: bool, interpolation: str, ignore_nan: bool
) -> Any:
    from genesis.ops.creation import tensor
    from genesis.ops.indexing import gather
    from genesis.ops.sorting import sort

    if not x.dtype.is_floating_point:
        raise RuntimeError(f"{name}() input tensor must be either float or double dtype, got {x.dtype}")
    if interpolation not in _INTERPOLATIONS:
        known = ", ".join(_INTERPOLATIONS)
        raise RuntimeError(f"{name}() interpolation must be one of {known}, but got {interpolation}")
    if not x.numel():
        raise RuntimeError(f"{name}() input tensor must be non-empty")
    if not isinstance(q, TensorCore):
        q = tensor(float(q), dtype=x.dtype, device=x.device)
    if q.dtype is not x.dtype:
        raise RuntimeError(f"{name}() q tensor must be same dtype as the input tensor")
    if q.dim() > 1:
        raise RuntimeError(f"{name}() q must be a scalar or 1D tensor")
    if q.numel() and not (float(q.min().item()) >= 0 and float(q.max().item()) <= 1):
        raise RuntimeError(f"{name}() q values must be in the range [0, 1]")
    shape = x._view.shape
    axis = axis_of(0 if dim is None else dim, x.dim())
    kept = [1 if dim is None or i == axis else n for i, n in enumerate(shape)]
    # the axis at the end, all else before it
    rows = x.reshape(-1) if dim is None or not shape else x.movedim(axis, -1)
    ranked = sort(rows, -1).values
    nans = ew.isnan(rows.detach())
    count = sum(ew.logical_not(nans), -1, keepdim=True)
    length = rows._view.shape[-1]
    last = ew.clamp(count - 1, 0) if ignore_nan else length - 1
    place = q.detach().reshape(-1).to(float64) * last  # (..., number of q)
    place = place.expand(*rows.shape[:-1], q.numel()) if rows.dim() else place
    if not ignore_nan:  # a nan, which is sorted to the end, is the result
        place = ew.where(ew.lt(count, length), float(length - 1), place)
    if interpolation == "nearest":
        place = ew.round(place)
    low, high = ew.floor(place), ew.ceil(place)
    if interpolation == "lower":
        high = low
    if interpolation == "higher":
        low = high
    first = gather(ranked, -1, low.to(int64))
    if interpolation in ("linear", "midpoint"):
        second = gather(ranked, -1, high.to(int64))
        weight = (place - low).to(x.dtype)
        if interpolation == "midpoint":
            weight = weight._filled_like(0.5)
        if q._tracked and interpolation == "linear":
            weight = weight + (q - q.detach()).reshape(-1) * (last.to(x.dtype) if ignore_nan else last)
        first = ew.interpolated(first, second, weight)
    out = first.movedim(-1, 0)  # the numbers of q first
    if keepdim and shape:
        out = out.reshape(q.numel(), *kept)
    return out if q.dim() else out.squeeze(0)


@in_full_on_cpu
def quantile(
    x: Any, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Tensor:
    """The ``q``-quantiles (a number or a 1-D tensor, in [0, 1]) of all elements or along ``dim``.

    Args:
        x: a tensor of floats.
        q: which; with a tensor the result has its length as first axis.
        dim: an axis; all elements unless given.
        keepdim: keep the axis with length 1.
        interpolation: between two elements: linear, lower, higher, midpoint or nearest.

    Raises:
        RuntimeError: ``q`` is not in [0, 1] or not of the type of ``x``, or ``x`` is empty.
    """
    return _quantile("quantile", x, q, dim, keepdim, interpolation, False)


@in_full_on_cpu
def nanquantile(
    x: Any, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
) -> Tensor:
    """``quantile`` of what is not nan."""
    return _quantile("nanquantile", x, q, dim, keepdim, interpolation, True)


# -- counts ------------------------------------------------------------------------------------------------
def bincount(input: Any, weights: Any = None, minlength: int = 0) -> Tensor:
    """How often each number 0, 1, … occurs (int64), or the sum of the weights of its occurrences.

    Raises:
        RuntimeError: ``input`` is no vector of non-negative integers, or the weights do not fit it.
    """
    from genesis.ops.creation import ones, zeros
    from genesis.ops.indexing import PositionError, scatter_add_
    from genesis.ops.shape import expand

    if input.dtype.is_floating_point or input.dtype is bool_:
        raise DtypeError(f"bincount counts integers, got {input.dtype}")
    if input.dim() != 1:
        raise RuntimeError(
            f"bincount only supports 1-d non-negative integral inputs, got shape {tuple(input.shape)}"
        )
    if minlength < 0:
        raise RuntimeError(f"minlength should be >= 0, got {minlength}")
    if weights is not None and weights._view.shape != input._view.shape:
        raise RuntimeError("input and weights should have the same length")
    length = max(int(input.max().item()) + 1 if input.numel() else 0, minlength)
    index = input.to(int64)
    if weights is None:
        weights = expand(ones(1, dtype=int64, device=input.device), index._view.shape)
    elif weights.dtype.name != "float32":
        weights = weights.to(float64)
    total = zeros(max(length, 0), dtype=weights.dtype, device=input.device)
    try:
        return scatter_add_(total, 0, index, weights.detach()) if input.numel() else total
    except PositionError:
        raise RuntimeError("bincount only supports non-negative integers") from None


def _range(x: Any, low: float, high: float, name: str) -> tuple[float, float]:
    if low == high == 0 and x.numel():
        low, high = float(x.min().item()), float(x.max().item())
    if low == high:
        width = 0.5 if name == "histogram" else 1
        low, high = low - width, high + width
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"{name}: range of [{low}, {high}] is not finite")
    if low > high:
        raise RuntimeError(f"{name}: max must be larger than min, got [{low}, {high}]")
    return low, high


def _host(x: Any) -> Any:
    return x._view.buffer.device.backend.read(x._view)


def histc(input: Any, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """How many elements lie in each of ``bins`` equal intervals of [min, max]; in the type of ``input``.

    With ``min`` and ``max`` 0 the range is that of the elements.
    """
    from genesis.ops.creation import from_host

    if bins <= 0:
        raise RuntimeError(f"histc: number of bins must be positive, got {bins}")
    low, high = _range(input, float(min), float(max), "histc")
    counts, _ = np.histogram(_host(input).reshape(-1), bins, (low, high))
    return from_host(counts.astype(input.dtype.name), input._view.buffer.device)


def histogram(
    input: Any,
    bins: Any,
    *,
    range: Sequence[float] | None = None,
    weight: Any = None,
    density: bool = False,
) -> Any:
    """(hist, bin_edges): the (weighted) number of elements in each interval, in the type of ``input``.

    Args:
        input: a tensor of floats.
        bins: how many equal intervals, or a 1-D tensor with the edges.
        range: the ends; those of the elements unless given.
        weight: of each element.
        density: divide by the total and the widths, so that the integral is 1.
    """
    from genesis.ops.creation import from_host

    if not input.dtype.is_floating_point:
        raise DtypeError(f"histogram needs a floating-point tensor, got {input.dtype}")
    device, dtype = input._view.buffer.device, input.dtype.name
    values = _host(input).reshape(-1)
    weights = None if weight is None else _host(weight).reshape(-1)
    if weights is not None and weights.shape != values.shape:
        raise RuntimeError("histogram: weight and input need the same shape")
    if isinstance(bins, TensorCore):
        counts, edges = np.histogram(values, _host(bins), weights=weights)
        edges = edges.astype(dtype)
    else:
        if bins <= 0:
            raise RuntimeError(f"histogram: bins must be > 0, but got {bins}")
        low, high = (0.0, 0.0) if range is None else range
        low, high = _range(input, low, high, "histogram") if values.size or range else (0.0, 1.0)
        counts, edges = np.histogram(values, int(bins), (low, high), weights=weights)
    counts = counts.astype(np.float64)
    if density:
        counts = counts / counts.sum() / np.diff(edges)
    result = named_result("histogram", "hist", "bin_edges")
    return result(from_host(counts.astype(dtype), device), from_host(edges.astype(dtype), device))


def histogramdd(
    input: Any, bins: Any, *, range: Sequence[float] | None = None, weight: Any = None, density: bool = False
) -> Any:
    """(hist, bin_edges): the (weighted) number of points in each box; the edges are a tuple of D tensors.

    Args:
        input: (…, D) points, a tensor of floats.
        bins: how many equal intervals along all axes or each, or D 1-D tensors with the edges.
        range: the 2 D ends, (low, high) of each axis; those of the points unless given.
        weight: of each point, (…,).
        density: divide by the total and the volumes, so that the integral is 1.
    """
    from genesis.ops.creation import from_host

    if not input.dtype.is_floating_point:
        raise DtypeError(f"histogramdd needs a floating-point tensor, got {input.dtype}")
    if input.dim() < 2:
        raise RuntimeError(f"histogramdd: the input needs at least 2 dimensions, got {input.dim()}")
    device, dtype, axes = input._view.buffer.device, input.dtype.name, input._view.shape[-1]
    points = _host(input).reshape(-1, axes)
    weights = None if weight is None else _host(weight).reshape(-1)
    if weights is not None and tuple(weight.shape) != tuple(input.shape[:-1]):
        raise RuntimeError("histogramdd: weight must have the shape of input without its last axis")
    counts = [bins] * axes if isinstance(bins, int) else list(bins)
    if len(counts) != axes:
        raise RuntimeError(f"histogramdd: expected bins for {axes} axes, got {len(counts)}")
    if range is not None and len(range) != 2 * axes:
        raise RuntimeError(
            f"histogramdd: for a {axes}-dimensional histogram range should have {2 * axes} "
            f"elements, got {len(range)}"
        )
    edges = []
    for i, count in enumerate(counts):
        if isinstance(count, TensorCore):
            edges.append(_host(count).astype(np.float64))
            continue
        if count <= 0:
            raise RuntimeError(f"histogramdd: bins must be > 0, but got {count}")
        low, high = (0.0, 0.0) if range is None else range[2 * i : 2 * i + 2]
        known = points.size or range is not None
        low, high = _range(input[..., i], low, high, "histogram") if known else (0.0, 1.0)
        edges.append(np.linspace(low, high, count + 1))
    hist = np.histogramdd(points, edges, weights=weights, density=density)[0]
    result = named_result("histogramdd", "hist", "bin_edges")
    found = tuple([from_host(e.astype(dtype), device) for e in edges])
    return result(from_host(hist.astype(dtype), device), found)
