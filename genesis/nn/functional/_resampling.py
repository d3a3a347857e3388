"""Resampling as functions."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from genesis._tensor import Tensor
from genesis.ops.grid import affine_grid, grid_sample
from genesis.ops.resampling import channel_shuffle, interpolate, pixel_shuffle, pixel_unshuffle

__all__ = [
    "affine_grid",
    "channel_shuffle",
    "grid_sample",
    "interpolate",
    "pixel_shuffle",
    "pixel_unshuffle",
    "upsample",
    "upsample_bilinear",
    "upsample_nearest",
]


def upsample(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """The older name of ``interpolate``."""
    warnings.warn("nn.functional.upsample is deprecated, use interpolate instead", stacklevel=2)
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
) -> Tensor:
    """``interpolate`` of mode ``nearest``."""
    warnings.warn("nn.functional.upsample_nearest is deprecated, use interpolate instead", stacklevel=2)
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
) -> Tensor:
    """``interpolate`` of mode ``bilinear`` with ``align_corners=True``."""
    warnings.warn("nn.functional.upsample_bilinear is deprecated, use interpolate instead", stacklevel=2)
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)
