"""Which pixel where: turned, sheared, in perspective, and elastic images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import genesis
from genesis.data.transforms._image import (
    InterpolationMode,
    back,
    batched,
    changed,
    get_dimensions,
    mode_of,
    pillow_mode,
    real,
)
from genesis.data.transforms._place import fill_of
from genesis.nn import functional as F

Fill = float | Sequence[float] | None


def affine(
    img: Any,
    angle: float,
    translate: Sequence[float],
    scale: float,
    shear: float | Sequence[float],
    interpolation: Any = InterpolationMode.NEAREST,
    fill: Fill = None,
    center: Sequence[float] | None = None,
) -> Any:
    """Turned, moved, scaled and sheared around its centre.

    Args:
        img: the image.
        angle: in degrees, clockwise.
        translate: (across, down) in pixels, after the turn.
        scale: above 0.
        shear: in degrees, along x, or along x and y.
        interpolation: nearest or bilinear; for PIL images also bicubic.
        fill: what is outside the image; a number, or one for each channel.
        center: (x, y) from the top left corner; by default the middle.

    Raises:
        TypeError, ValueError: an argument is of another type or length.
    """
    if not isinstance(angle, int | float):
        raise TypeError(f"Argument angle should be int or float, got {angle!r}")
    _check_pair("translate", translate)
    if scale <= 0.0:
        raise ValueError(f"Argument scale should be positive, got {scale}")
    if not isinstance(shear, int | float | list | tuple):
        raise TypeError(f"Shear should be either a single value or a sequence of two values, got {shear!r}")
    shears = [shear, 0.0] if isinstance(shear, int | float) else list(shear)
    shears = shears * 2 if len(shears) == 1 else shears
    if len(shears) != 2:
        raise ValueError(f"Shear should be a sequence containing two values. Got {shear}")
    if center is not None:
        _check_pair("center", center)
    mode = mode_of(interpolation)
    _, height, width = get_dimensions(img)
    middle = [width * 0.5, height * 0.5]

    def pillow(x: Any) -> Any:
        from PIL import Image

        matrix = inverse_matrix(middle if center is None else center, angle, translate, scale, shears)
        return x.transform(
            x.size, Image.Transform.AFFINE, matrix, pillow_mode(mode), fillcolor=fill_of(fill, x)
        )

    def change(x: Any) -> Any:
        around = [0.0, 0.0] if center is None else [c - m for c, m in zip(center, middle, strict=True)]
        matrix = inverse_matrix(around, angle, translate, scale, shears)
        return _sampled(x, _affine_grid(x, matrix, width, height), mode, fill)

    return changed(img, change, pillow)


def rotate(
    img: Any,
    angle: float,
    interpolation: Any = InterpolationMode.NEAREST,
    expand: bool = False,
    center: Sequence[float] | None = None,
    fill: Fill = None,
) -> Any:
    """Turned around its centre.

    Args:
        img: the image.
        angle: in degrees, counter-clockwise.
        interpolation: nearest or bilinear; for PIL images also bicubic.
        expand: make the image as large as the turned one; otherwise corners are cut off.
        center: (x, y) from the top left corner; by default the middle.
        fill: what is outside the image; a number, or one for each channel.
    """
    if not isinstance(angle, int | float):
        raise TypeError(f"Argument angle should be int or float, got {angle!r}")
    if center is not None:
        _check_pair("center", center)
    mode = mode_of(interpolation)
    _, height, width = get_dimensions(img)

    def change(x: Any) -> Any:
        around = [0.0, 0.0]
        if center is not None:
            around = [c - side * 0.5 for c, side in zip(center, (width, height), strict=True)]
        matrix = inverse_matrix(around, -angle, [0.0, 0.0], 1.0, [0.0, 0.0])
        size = _turned_size(matrix, width, height) if expand else (width, height)
        return _sampled(x, _affine_grid(x, matrix, *size), mode, fill)

    return changed(
        img,
        change,
        lambda x: x.rotate(angle, pillow_mode(mode), expand, center, fillcolor=fill_of(fill, x)),
    )


def perspective(
    img: Any,
    startpoints: Sequence[Sequence[int]],
    endpoints: Sequence[Sequence[int]],
    interpolation: Any = InterpolationMode.BILINEAR,
    fill: Fill = None,
) -> Any:
    """Seen from elsewhere: four points of the image move to four others.

    Args:
        img: the image.
        startpoints: four (x, y), from the top left one clockwise.
        endpoints: where they go.
        interpolation: nearest or bilinear; for PIL images also bicubic.
        fill: what is outside the image; a number, or one for each channel.
    """
    coefficients = _perspective_coefficients(startpoints, endpoints)
    mode = mode_of(interpolation)

    def pillow(x: Any) -> Any:
        from PIL import Image

        return x.transform(
            x.size, Image.Transform.PERSPECTIVE, coefficients, pillow_mode(mode), fillcolor=fill_of(fill, x)
        )

    def change(x: Any) -> Any:
        h, w = x.shape[-2:]
        a, b, c, d, e, f, g, i = coefficients
        columns, rows = _coordinates(x, w, h, 0.5, 0.5)
        below = g * columns + i * rows + 1.0
        across = ((a / (0.5 * w)) * columns + (b / (0.5 * w)) * rows + c / (0.5 * w)) / below - 1.0
        down = ((d / (0.5 * h)) * columns + (e / (0.5 * h)) * rows + f / (0.5 * h)) / below - 1.0
        return _sampled(x, genesis.stack([across, down], -1)[None], mode, fill)

    return changed(img, change, pillow)


def elastic_transform(
    img: Any, displacement: Any, interpolation: Any = InterpolationMode.BILINEAR, fill: Fill = None
) -> Any:
    """Every pixel moved by a field.

    Args:
        img: the image.
        displacement: (1, H, W, 2), across and down, where the image reaches from -1 to 1.
        interpolation: nearest or bilinear.
        fill: what is outside the image; a number, or one for each channel.
    """
    if not isinstance(displacement, genesis.Tensor):
        raise TypeError("Argument displacement should be a Tensor")
    mode = mode_of(interpolation)

    def change(x: Any) -> Any:
        h, w = x.shape[-2:]
        if tuple(displacement.shape) != (1, h, w, 2):
            raise ValueError(
                f"Argument displacement shape should be {(1, h, w, 2)}, but given {tuple(displacement.shape)}"
            )
        across, down = (genesis.linspace((1 - n) / n, (n - 1) / n, n) for n in (w, h))
        still = genesis.stack([across.expand(h, w), down[:, None].expand(h, w)], -1)
        return _sampled(x, (still + displacement).to(real(x).dtype), mode, fill)

    return changed(img, change)


def inverse_matrix(
    center: Sequence[float], angle: float, translate: Sequence[float], scale: float, shear: Sequence[float]
) -> list[float]:
    """From the result back to the image: [a, b, c, d, e, f] for (a x + b y + c, d x + e y + f).

    The inverse of: move to the centre, shear along x and then y, scale, turn, move back, translate.
    """
    turn, along_x, along_y = (math.radians(v) for v in (angle, *shear))
    a = math.cos(turn - along_y) / math.cos(along_y)
    b = -math.cos(turn - along_y) * math.tan(along_x) / math.cos(along_y) - math.sin(turn)
    c = math.sin(turn - along_y) / math.cos(along_y)
    d = -math.sin(turn - along_y) * math.tan(along_x) / math.cos(along_y) + math.cos(turn)
    p, q, r, s = (value / scale for value in (d, -b, -c, a))  # the determinant without the scale is 1
    x, y = (-middle - moved for middle, moved in zip(center, translate, strict=True))
    return [p, q, p * x + q * y + center[0], r, s, r * x + s * y + center[1]]


def _check_pair(name: str, value: Any) -> None:
    if not isinstance(value, list | tuple):
        raise TypeError(f"Argument {name} should be a sequence, got {value!r}")
    if len(value) != 2:
        raise ValueError(f"Argument {name} should be a sequence of length 2, got {value!r}")


def _coordinates(x: Any, width: int, height: int, left: float, top: float) -> tuple[Any, Any]:
    """The x and y of all pixels, in the type of the image."""
    dtype = real(x[..., :0, :0]).dtype
    columns = genesis.arange(width, dtype=dtype, device=x.device) + left
    rows = genesis.arange(height, dtype=dtype, device=x.device) + top
    return columns.expand(height, width), rows[:, None].expand(height, width)


def _affine_grid(x: Any, matrix: Sequence[float], width: int, height: int) -> Any:
    """Where each pixel of a result of this size comes from; the image reaches from -1 to 1."""
    h, w = x.shape[-2:]
    columns, rows = _coordinates(x, width, height, 0.5 - width * 0.5, 0.5 - height * 0.5)
    across, down = (
        (a / half) * columns + (b / half) * rows + c / half
        for (a, b, c), half in ((matrix[:3], 0.5 * w), (matrix[3:], 0.5 * h))
    )
    return genesis.stack([across, down], -1)[None]


def _turned_size(matrix: Sequence[float], width: int, height: int) -> tuple[int, int]:
    """(width, height) of the smallest image that has all corners of the turned one."""
    corners = np.array([[x * 0.5 * width, y * 0.5 * height] for x in (-1, 1) for y in (-1, 1)], np.float32)
    moved = corners @ np.array([matrix[0:2], matrix[3:5]], np.float32).T
    half = np.array([width * 0.5, height * 0.5], np.float32)
    # to four digits: 1e-15 too many are no pixel
    low, high = (np.trunc(v / np.float32(1e-4)) * 1e-4 for v in (moved.min(0) + half, moved.max(0) + half))
    across, down = np.ceil(high) - np.floor(low)
    return int(across), int(down)


def _perspective_coefficients(start: Sequence[Sequence[int]], end: Sequence[Sequence[int]]) -> list[float]:
    """The eight numbers of ``(a x + b y + c) / (g x + h y + 1), (d x + e y + f) / (g x + h y + 1)``."""
    if len(start) != 4 or len(end) != 4:
        raise ValueError(
            f"Please provide exactly four corners, got {len(start)} startpoints and {len(end)} endpoints."
        )
    rows, values = [], []
    for (x, y), (u, v) in zip(end, start, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    solved = np.linalg.lstsq(np.array(rows, np.float64), np.array(values, np.float64), rcond=None)[0]
    return [float(value) for value in solved.astype(np.float32)]


def _sampled(x: Any, grid: Any, mode: InterpolationMode, fill: Fill) -> Any:
    """The pixels at the places of a grid; outside is ``fill``."""
    if mode not in (InterpolationMode.NEAREST, InterpolationMode.BILINEAR):
        raise ValueError(f"Interpolation mode '{mode.value}' is unsupported with Tensor input")
    channels = get_dimensions(x)[0]
    colours: list[float] | None = None
    if fill is not None:
        colours = [float(fill)] if isinstance(fill, int | float) else [float(value) for value in fill]
    if colours is not None and len(colours) not in (1, channels):
        raise ValueError(
            "The number of elements in 'fill' cannot broadcast to match the number of channels of the image "
            f"({len(colours)} != {channels})"
        )

    def change(images: Any) -> Any:
        places = grid.expand(len(images), -1, -1, -1)
        if colours is None or (not any(colours) and mode is InterpolationMode.NEAREST):
            return F.grid_sample(images, places, mode=mode.value, padding_mode="zeros", align_corners=False)
        ones = genesis.ones_like(images[:, :1])
        both = F.grid_sample(
            genesis.cat([images, ones], 1), places, mode=mode.value, padding_mode="zeros", align_corners=False
        )
        out, inside = both[:, :-1], both[:, -1:]
        outside = genesis.tensor(colours, dtype=out.dtype, device=out.device).reshape(1, -1, 1, 1)
        if mode is InterpolationMode.NEAREST:
            return genesis.where(inside < 0.5, outside, out)
        return out * inside + (1.0 - inside) * outside

    return back(batched(real(x), change), x.dtype)
