"""Resampling: images of another size, and the ways to trade channels for pixels."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from operator import index
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from genesis._dtypes import float64, uint8
from genesis._errors import ShapeError
from genesis.autograd.graph import new
from genesis.ops._autocast import in_full_on_cuda
from genesis.ops._op import op
from genesis.ops._view import zeros_view
from genesis.ops.indexing import index_select
from genesis.ops.shape import permute, reshape
from genesis.ops.slices import index_add

if TYPE_CHECKING:
    from genesis._tensor import Tensor

Array = np.ndarray[Any, Any]


# -- along one axis ----------------------------------------------------------------------------------------
class Table(NamedTuple):
    """How each element of a resampled axis is made of elements of the old one.

    Attributes:
        places: the old elements, int64 of shape (new size, terms).
        weight: their weights, of the same shape; None for one term of weight 1.
    """

    places: Array
    weight: Array | None


def _host(a: Array, x: Any) -> Any:
    from genesis.ops.creation import from_host

    return from_host(np.ascontiguousarray(a), x._view.buffer.device)


def _terms(x: Any, axis: int, table: Table) -> Any:
    """For each term: the index, and the weights beside ``x``."""
    shape = (-1,) + (1,) * (x.dim() - axis - 1)
    for k in range(table.places.shape[1]):
        weight = None
        if table.weight is not None:
            weight = reshape(_host(table.weight[:, k].astype(x.dtype.name), x), shape)
        yield _host(table.places[:, k], x), weight


@op(saves=("x",), read_for={"x": ()})
def resample(x: Any, *, axis: int, table: Table) -> Any:
    """``out[..., i, ...] = sum_k weight[i, k] x[..., places[i, k], ...]`` along ``axis``."""
    out: Any = None
    for places, weight in _terms(x, axis, table):
        term = index_select(x, axis, places)
        term = term if weight is None else term * weight
        out = term if out is None else out + term
    return out


@resample.backward_rule
def _resample_backward(needs: Any, grad: Any, x: Any, *, axis: int, table: Table) -> tuple[Any]:
    out = new(zeros_view(x._view.shape, grad.dtype, grad._view.buffer.device))
    for places, weight in _terms(grad, axis, table):
        out = index_add(out, axis, places, grad if weight is None else grad * weight)
    return (out,)


# -- which elements ----------------------------------------------------------------------------------------
# PyTorch computes places in the type of the elements (float32 for those that are no floats). So do we: a
# place that rounds the other way is another pixel.
def _source(size: int, out: int, align: bool, scale: float | None, exact: Any, cubic: bool) -> Array:
    i = np.arange(out).astype(exact)
    place: Array
    if align:
        place = i * (exact(size - 1) / exact(out - 1) if out > 1 else exact(0))
        return place
    ratio = exact(1.0 / scale) if scale is not None and scale > 0 else exact(size) / exact(out)
    place = ratio * (i + exact(0.5)) - exact(0.5)
    if not cubic:
        place = np.maximum(place, exact(0))
    return place


@lru_cache(512)
def _nearest(size: int, out: int, scale: float | None, exact: Any, centre: bool) -> Table:
    ratio = exact(1.0 / scale) if scale is not None and scale > 0 else exact(size) / exact(out)
    i = np.arange(out).astype(exact)
    place = (i + exact(0.5)) * ratio if centre else i * ratio
    return Table(np.minimum(np.floor(place.astype(np.float32)), size - 1).astype(np.int64)[:, None], None)


@lru_cache(512)
def _linear(size: int, out: int, align: bool, scale: float | None, exact: Any) -> Table:
    if size == out:
        return Table(np.arange(out)[:, None], None)
    place = _source(size, out, align, scale, exact, False)
    first = np.minimum(place.astype(np.int64), size - 1)
    upper = np.clip(place - first.astype(exact), exact(0), exact(1))
    return Table(
        np.stack([first, np.minimum(first + 1, size - 1)], 1), np.stack([exact(1) - upper, upper], 1)
    )


@lru_cache(512)
def _cubic(size: int, out: int, align: bool, scale: float | None, exact: Any) -> Table:
    """Keys, IEEE Trans. ASSP 29 (1981), equation 4, with a = -0.75."""
    place = _source(size, out, align, scale, exact, True)
    first = np.minimum(np.floor(place).astype(np.int64), size - 1)
    t = np.clip(place - first.astype(exact), exact(0), exact(1))
    return Table(np.clip(first[:, None] + np.arange(-1, 3), 0, size - 1), np.stack(cubic_weights(t), 1))


def cubic_weights(t: Any) -> list[Any]:
    """The weights of the elements at -1, 0, 1 and 2 for a place t in [0, 1)."""
    a = -0.75

    def near(x: Any) -> Any:
        return ((a + 2) * x - (a + 3)) * x * x + 1

    def far(x: Any) -> Any:
        return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a

    return [far(t + 1), near(t), near(1 - t), far(2 - t)]


# -- interpolate -------------------------------------------------------------------------------------------
_RANK = {"linear": 3, "bilinear": 4, "bicubic": 4, "trilinear": 5}
_MODES = ("nearest", "nearest-exact", "area", *_RANK)


def _listed(name: str, given: Any, x: Any) -> list[Any]:
    spatial = x.dim() - 2
    if not isinstance(given, list | tuple):
        return [given] * spatial
    if len(given) != spatial:
        raise ValueError(
            f"interpolate: input and {name} must have the same number of spatial dimensions, but got an "
            f"input of {tuple(x.shape)} and {name} {given}; write the input as "
            f"(N, C, d1, …) and {name} as (o1, …)"
        )
    return list(given)


def _sizes(x: Any, size: Any, scale_factor: Any, recompute: bool) -> tuple[list[int], list[float | None]]:
    """The new sizes, and the factors that places are computed with (None: from the sizes)."""
    if size is not None and scale_factor is not None:
        raise ValueError("interpolate: only one of size or scale_factor should be defined")
    if size is not None:
        if recompute:
            raise ValueError("interpolate: recompute_scale_factor is not meaningful with an explicit size")
        try:
            sizes = [index(s) for s in _listed("size", size, x)]
        except TypeError:
            raise TypeError(f"interpolate: size must be an int or a tuple of ints, got {size!r}") from None
        return sizes, [None] * len(sizes)
    if scale_factor is None:
        raise ValueError("interpolate: either size or scale_factor should be defined")
    factors = [float(f) for f in _listed("scale_factor", scale_factor, x)]
    sizes = [int(n * f) for n, f in zip(x.shape[2:], factors, strict=True)]
    return sizes, [None] * len(sizes) if recompute else list(factors)


@in_full_on_cuda
def interpolate(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """The input with other spatial sizes.

    Pixel i of n lies at (i + 1/2) / n of the length, or with ``align_corners`` at i / (n - 1); a new pixel is
    made of the old ones around its place.

    Args:
        input: ``(N, C, d1, …)`` with one to three spatial dimensions.
        size: the new sizes.
        scale_factor: or the factors; sizes are rounded down.
        mode: ``"nearest"`` (of i n_old / n_new), ``"nearest-exact"`` (of the centres), ``"linear"`` (3D
            input), ``"bilinear"`` (4D), ``"bicubic"`` (4D), ``"trilinear"`` (5D) or
            ``"area"`` (adaptive average).
        align_corners: for the linear and cubic modes.
        recompute_scale_factor: use the ratio of the sizes instead of the given factor.
        antialias: for ``"bilinear"`` and ``"bicubic"``, widen the filter where the image gets smaller, as
            Pillow does.

    Bytes (uint8) may be resampled with ``"bilinear"`` and ``"bicubic"``, too; the result is rounded.

    Raises:
        ValueError: sizes or options that do not go together.
        NotImplementedError: a mode that does not fit the input or its type.
    """
    from genesis.ops.antialias import antialiased, resample_bytes

    x: Any = input
    if mode not in _RANK and align_corners is not None:
        raise ValueError(
            "interpolate: align_corners can only be set with the modes linear, bilinear, bicubic, trilinear"
        )
    recompute = bool(recompute_scale_factor)
    sizes, factors = _sizes(x, size, scale_factor, recompute or (mode == "area" and size is None))
    if antialias and (mode not in ("bilinear", "bicubic") or x.dim() != 4):
        raise ValueError("interpolate: antialias needs mode bilinear or bicubic and a 4D input")
    if mode not in _MODES or x.dim() not in (3, 4, 5) or _RANK.get(mode, x.dim()) != x.dim():
        needs = f"; {mode} needs {_RANK[mode]}D" if mode in _RANK else ""
        raise NotImplementedError(
            f"interpolate: only 3D, 4D and 5D inputs with the modes {', '.join(_MODES)} are supported, got a "
            f"{x.dim()}D input for mode {mode!r}{needs}"
        )
    if mode == "area":
        from genesis.ops.pools import adaptive_avg_pool_nd

        area: Tensor = adaptive_avg_pool_nd(x.dim() - 2, x, sizes)
        return area
    if min(*x.shape[2:], *sizes, 1) < 1:
        raise ShapeError(
            f"interpolate: input and output sizes should be greater than 0, but got an input of "
            f"{tuple(x.shape)} and output sizes {tuple(sizes)}"
        )
    if not x.shape[1]:
        raise ShapeError(f"interpolate: expected an input with channels, got {tuple(x.shape)}")
    bytes_ = x.dtype is uint8 and mode in ("bilinear", "bicubic")
    if not (bytes_ or x.dtype.is_floating_point or mode.startswith("nearest")):
        raise NotImplementedError(f"interpolate: mode {mode!r} is not implemented for {x.dtype}")
    exact = np.float64 if x.dtype is float64 or bytes_ else np.float32
    align = bool(align_corners)
    whole = x
    for axis in range(x.dim() - 1, 1, -1):
        old, out, factor = x.shape[axis], sizes[axis - 2], factors[axis - 2]
        if mode.startswith("nearest"):
            table = _nearest(old, out, factor, exact, mode == "nearest-exact")
        elif antialias:
            if old == out:
                continue
            table = antialiased(old, out, align, factor, exact, mode == "bicubic")
        elif mode == "bicubic":
            table = _cubic(old, out, align, factor, exact)
        else:
            table = _linear(old, out, align, factor, exact)
        if old != out or table.weight is not None or (table.places[:, 0] != np.arange(out)).any():
            x = (resample_bytes if bytes_ else resample)(x, axis=axis, table=table)
    return x.clone() if x is whole else x  # type: ignore[no-any-return]


# -- channels and pixels -----------------------------------------------------------------------------------
def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """``(*, C r^2, H, W)`` as ``(*, C, H r, W r)`` (Shi et al., arXiv 1609.05158, equation 4).

    Raises:
        RuntimeError: fewer than 3 dimensions, or channels that are not divisible by r^2.
    """
    x, r = input, upscale_factor
    if x.dim() < 3:
        raise ShapeError(f"pixel_shuffle expects input to have at least 3 dimensions, got {tuple(x.shape)}")
    if r <= 0:
        raise RuntimeError(f"pixel_shuffle expects a positive upscale_factor, but got {r}")
    *lead, c, h, w = x.shape
    if c % (r * r):
        raise ShapeError(
            "pixel_shuffle expects its input's channel dimension to be divisible by the square of "
            f"upscale_factor, but {c} is not divisible by {r * r}"
        )
    n = len(lead)
    parts = reshape(x, (*lead, c // (r * r), r, r, h, w))
    parts = permute(parts, (*range(n), n, n + 3, n + 1, n + 4, n + 2))
    return reshape(parts, (*lead, c // (r * r), h * r, w * r))


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """``(*, C, H r, W r)`` as ``(*, C r^2, H, W)``: the converse of ``pixel_shuffle``.

    Raises:
        RuntimeError: fewer than 3 dimensions, or sizes that are not divisible by r.
    """
    x, r = input, downscale_factor
    if x.dim() < 3:
        raise ShapeError(f"pixel_unshuffle expects input to have at least 3 dimensions, got {tuple(x.shape)}")
    if r <= 0:
        raise RuntimeError(f"pixel_unshuffle expects a positive downscale_factor, but got {r}")
    *lead, c, h, w = x.shape
    if h % r or w % r:
        raise ShapeError(
            f"pixel_unshuffle expects height and width to be divisible by downscale_factor, but ({h}, {w}) "
            f"is not divisible by {r}"
        )
    n = len(lead)
    parts = reshape(x, (*lead, c, h // r, r, w // r, r))
    parts = permute(parts, (*range(n), n, n + 2, n + 4, n + 1, n + 3))
    return reshape(parts, (*lead, c * r * r, h // r, w // r))


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Channels of ``(N, C, *)`` taken from the groups in turn (Zhang et al., arXiv 1707.01083).

    Raises:
        RuntimeError: fewer than 3 dimensions, or channels that are not divisible by ``groups``.
    """
    x = input
    if x.dim() < 3:
        raise ShapeError(f"channel_shuffle expects input with > 2 dims, but got sizes {tuple(x.shape)}")
    if groups <= 0:
        raise RuntimeError(f"number of groups to divide channels in must be positive, got groups: {groups}")
    n, c, *rest = x.shape
    if c % groups:
        raise ShapeError(
            f"number of channels must be divisible by groups; got {c} channels and {groups} groups"
        )
    parts = reshape(x, (n, groups, c // groups, *rest))
    return reshape(permute(parts, (0, 2, 1, *range(3, len(rest) + 3))), (n, c, *rest)).clone()
