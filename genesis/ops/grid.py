"""Reading images at any places: ``grid_sample``, and the grids of affine maps."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

from genesis._dtypes import int64
from genesis._errors import ShapeError
from genesis.ops import elementwise as ew
from genesis.ops._autocast import in_full_on_cpu
from genesis.ops._elementwise import Elementwise
from genesis.ops._half_calls import in_float32
from genesis.ops.indexing import gather
from genesis.ops.joining import stack
from genesis.ops.parts import select
from genesis.ops.resampling import cubic_weights
from genesis.ops.shape import expand, reshape, transpose

if TYPE_CHECKING:
    from genesis._tensor import Tensor

_PADDING = ("zeros", "border", "reflection")
_MODES = ("bilinear", "nearest", "bicubic")


def _reflected(x: Any, low: float, high: float) -> Any:
    """``x`` mirrored at both borders until it lies between."""
    if low == high:
        return x * 0
    span = high - low
    away = ew.abs(x - low)
    turns = ew.floor(away / span)
    rest = away - turns.detach() * span
    even = ew.eq(turns - ew.floor(turns / 2) * 2, 0)
    return ew.where(even, rest + low, high - rest)


def _inside(x: Any, n: int, padding_mode: str, align: bool) -> Any:
    """A place along an axis of ``n`` pixels, brought back where the padding says so."""
    if padding_mode == "reflection":
        x = _reflected(x, 0.0, n - 1.0) if align else _reflected(x, -0.5, n - 0.5)
    if padding_mode == "zeros":
        return x
    inner = ew.where(ew.le(x, 0), 0, x)  # no gradient at the outer pixels themselves, where clamp has one
    return ew.where(ew.ge(x, n - 1), n - 1, inner)


#: the first of two; the gradient of the second is zero everywhere, but there is one, as in PyTorch
_beside = Elementwise("nearest", lambda x, y: x, 2, "same", grad=lambda g, x, y, out: (g, None))


class _Image:
    """An input ``(N, C, d1, …)`` that is read at whole places."""

    def __init__(self, x: Any) -> None:
        self.sizes = x.shape[2:]
        self.lead = x.shape[:2]
        self.flat = reshape(x, (*self.lead, -1))

    def at(self, places: Sequence[Any]) -> Any:
        """Pixels (N, C, points) at int64 places (N, points) along each axis; zero where there are none."""
        offset: Any = None
        valid: Any = None
        for n, place in zip(self.sizes, places, strict=True):
            ok = ew.logical_and(ew.ge(place, 0), ew.lt(place, n))
            valid = ok if valid is None else ew.logical_and(valid, ok)
            kept = ew.clamp(place, 0, n - 1)
            offset = kept if offset is None else offset * n + kept
        shape = (*self.lead, offset.shape[-1])
        found = gather(self.flat, 2, expand(offset.unsqueeze(1), shape))
        return ew.masked_fill(found, ew.logical_not(valid).unsqueeze(1), 0)


@in_full_on_cpu
@in_float32
def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """The input read at the places of a grid.

    Args:
        input: ``(N, C, H, W)`` or ``(N, C, D, H, W)``.
        grid: ``(N, H', W', 2)`` or ``(N, D', H', W', 3)``: x, y (and z) from -1 to 1.
        mode: ``"bilinear"`` (also for three axes), ``"nearest"`` or ``"bicubic"`` (two axes).
        padding_mode: what lies beyond: ``"zeros"``, the ``"border"``, or the ``"reflection"``.
        align_corners: -1 and 1 are the centres of the outer pixels, not the edges of the image.

    Returns:
        ``(N, C, H', W')`` or ``(N, C, D', H', W')``.

    Raises:
        ValueError: an unknown mode.
        RuntimeError: shapes or types do not fit.
    """
    if mode not in _MODES:
        raise ValueError(f"grid_sample: expected mode to be one of {', '.join(_MODES)}, but got {mode!r}")
    if padding_mode not in _PADDING:
        raise ValueError(
            f"grid_sample: expected padding_mode to be one of {', '.join(_PADDING)}, but got {padding_mode!r}"
        )
    if align_corners is None:
        warnings.warn(
            "grid_sample: align_corners is False unless given, as in PyTorch since 1.3; pass it to say so",
            stacklevel=3,
        )
    x: Any = input
    axes = x.dim() - 2
    if x.dim() not in (4, 5) or grid.dim() != x.dim():
        raise ShapeError(
            "grid_sample: expected 4D or 5D input and grid with the same number of dimensions, but got "
            f"{tuple(x.shape)} and {tuple(grid.shape)}"
        )
    if x.shape[0] != grid.shape[0]:
        raise ShapeError(
            f"grid_sample: expected grid and input to have same batch size, but got {tuple(x.shape)} and "
            f"{tuple(grid.shape)}"
        )
    if grid.shape[-1] != axes:
        raise ShapeError(
            f"grid_sample: expected grid to have size {axes} in last dimension, got {tuple(grid.shape)}"
        )
    if 0 in x.shape[2:]:
        raise ShapeError(
            f"grid_sample: expected input to have non-empty spatial dimensions, got {tuple(x.shape)}"
        )
    if not x.dtype.is_floating_point:
        raise NotImplementedError(f"grid_sample is not implemented for {x.dtype}; convert with .float()")
    if grid.dtype is not x.dtype:
        raise RuntimeError(
            f"grid_sample: expected input and grid of one type, got {x.dtype} and {grid.dtype}"
        )
    if mode == "bicubic" and axes != 2:
        raise RuntimeError("grid_sample: bicubic interpolation only supports 4D input")
    n, c = x.shape[:2]
    result = (n, c, *grid.shape[1:-1])
    if not n or not c or 0 in result:
        return reshape(x, -1).narrow(0, 0, 0).reshape(result) + grid.sum() * 0
    align = bool(align_corners)
    image = _Image(x)
    flat = reshape(grid, (n, -1, axes))
    places = []  # in pixels, in the order of the axes: the grid's is the other way round
    for i, size in enumerate(image.sizes):
        place = select(flat, -1, axes - 1 - i)
        place = (place + 1) * ((size - 1) / 2) if align else ((place + 1) * size - 1) / 2
        places.append(place if mode == "bicubic" else _inside(place, size, padding_mode, align))
    return reshape(_READ[mode](image, places, padding_mode, align), result)


def _nearest(image: _Image, places: list[Any], padding_mode: str, align: bool) -> Any:
    pixels = image.at([_whole(ew.round(p)) for p in places])
    for p in places:
        pixels = _beside(pixels, p.unsqueeze(1))
    return pixels


def _whole(place: Any) -> Any:
    """As int64; what is far outside or no number stays outside."""
    place = place.detach()
    return ew.nan_to_num(ew.clamp(place, -(2.0**30), 2.0**30), nan=-1.0).to(int64)


def _linear(image: _Image, places: list[Any], padding_mode: str, align: bool) -> Any:
    floors = [_whole(ew.floor(p)) for p in places]
    rest = [p - f.to(p.dtype) for p, f in zip(places, floors, strict=True)]
    total: Any = None
    for corner in product((0, 1), repeat=len(places)):
        weight: Any = None
        for up, r in zip(corner, rest, strict=True):
            w = r if up else 1 - r
            weight = w if weight is None else weight * w
        term = image.at([f + up for f, up in zip(floors, corner, strict=True)]) * weight.unsqueeze(1)
        total = term if total is None else total + term
    return total


def _cubic(image: _Image, places: list[Any], padding_mode: str, align: bool) -> Any:
    floors = [ew.floor(p).detach() for p in places]
    weights = [cubic_weights(p - f) for p, f in zip(places, floors, strict=True)]
    total: Any = None
    for i in range(4):
        row: Any = None
        for j in range(4):
            at = [f + (k - 1) for f, k in zip(floors, (i, j), strict=True)]
            at = [_inside(p, size, padding_mode, align) for p, size in zip(at, image.sizes, strict=True)]
            term = image.at([_whole(ew.round(p)) for p in at]) * weights[1][j].unsqueeze(1)
            row = term if row is None else row + term
        row = row * weights[0][i].unsqueeze(1)
        total = row if total is None else total + row
    return total


_READ = {"bilinear": _linear, "nearest": _nearest, "bicubic": _cubic}


def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """The grid for ``grid_sample`` that an affine map makes of the places of an image.

    Args:
        theta: ``(N, 2, 3)`` or ``(N, 3, 4)``: maps (x, y, 1) or (x, y, z, 1) of the result to the input.
        size: of the result: ``(N, C, H, W)`` or ``(N, C, D, H, W)``.
        align_corners: -1 and 1 are the centres of the outer pixels, not the edges of the image.

    Returns:
        ``(N, H, W, 2)`` or ``(N, D, H, W, 3)``.

    Raises:
        ValueError: shapes that do not fit, a size of 0, or ``theta`` is not of a floating-point type.
        NotImplementedError: another number of dimensions.
    """
    from genesis.ops.creation import linspace, ones, zeros
    from genesis.ops.linalg import matmul

    t: Any = theta
    if align_corners is None:
        warnings.warn(
            "affine_grid: align_corners is False unless given, as in PyTorch since 1.3; pass it to say so",
            stacklevel=3,
        )
    if not t.dtype.is_floating_point:
        raise ValueError(f"affine_grid: expected theta to have floating point type, but got {t.dtype}")
    if len(size) not in (4, 5):
        raise NotImplementedError(f"affine_grid only supports 4D and 5D sizes, got {tuple(size)}")
    axes = len(size) - 2
    if t.dim() != 3 or tuple(t.shape[1:]) != (axes, axes + 1):
        raise ValueError(
            f"affine_grid: expected a batch of matrices of shape (N, {axes}, {axes + 1}) for size "
            f"{tuple(size)}, got {tuple(t.shape)}"
        )
    if min(size) <= 0:
        raise ValueError(f"affine_grid: expected positive sizes, got {tuple(size)}")
    n, spatial = size[0], tuple(size[2:])
    if t.shape[0] != n:
        raise ShapeError(f"affine_grid: theta has {t.shape[0]} matrices for a batch of {n}")
    lines = []
    for i, length in enumerate(spatial):
        if length > 1:
            line = linspace(-1, 1, length, dtype=t.dtype, device=t.device)
        else:
            line = zeros(1, dtype=t.dtype, device=t.device)
        if not align_corners:
            line = line * (length - 1) / length  # rounded as PyTorch does: at the identity pixels meet pixels
        shape = [1] * axes
        shape[i] = length
        lines.append(expand(reshape(line, shape), spatial))
    lines.append(expand(ones((1,) * axes, dtype=t.dtype, device=t.device), spatial))
    base = stack([*reversed(lines[:-1]), lines[-1]], -1)
    points = reshape(base, (1, -1, axes + 1))
    out = matmul(expand(points, (n, *points.shape[1:])), transpose(t, 1, 2))
    return reshape(out, (n, *spatial, axes))
