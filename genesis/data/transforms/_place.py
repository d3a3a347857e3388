"""Which pixels: flips, crops, borders, sizes."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

import genesis
from genesis._errors import FitError
from genesis.data.transforms._image import (
    InterpolationMode,
    back,
    batched,
    changed,
    get_dimensions,
    is_pil,
    is_tensor,
    mode_of,
    pillow_mode,
    real,
)
from genesis.nn import functional as F


def pair(size: Any, message: str = "Please provide only two dimensions (h, w) for size.") -> tuple[int, int]:
    """(height, width) of a number, or of one or two numbers."""
    if isinstance(size, int | float):
        return int(size), int(size)
    if len(size) not in (1, 2):
        raise ValueError(f"{message} (got {size!r})")
    return int(size[0]), int(size[-1])


def hflip(img: Any) -> Any:
    """Left and right swapped."""
    return changed(img, lambda x: x.flip(-1), lambda x: x.transpose(0))  # Image.Transpose.FLIP_LEFT_RIGHT


def vflip(img: Any) -> Any:
    """Top and bottom swapped."""
    return changed(img, lambda x: x.flip(-2), lambda x: x.transpose(1))  # Image.Transpose.FLIP_TOP_BOTTOM


def crop(img: Any, top: int, left: int, height: int, width: int) -> Any:
    """A part; what lies outside the image is 0."""
    right, bottom = left + width, top + height

    def change(x: Any) -> Any:
        h, w = x.shape[-2:]
        part = x[..., max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
        border = [
            max(-left + min(0, right), 0),
            max(right - max(w, left), 0),
            max(-top + min(0, bottom), 0),
            max(bottom - max(h, top), 0),
        ]
        return F.pad(part, border) if any(border) else part

    return changed(img, change, lambda x: x.crop((left, top, right, bottom)))


def center_crop(img: Any, output_size: int | Sequence[int]) -> Any:
    """The middle, (height, width); smaller images get a border of 0."""
    height, width = pair(output_size)
    _, h, w = get_dimensions(img)
    if width > w or height > h:
        across, down = max(width - w, 0), max(height - h, 0)
        img = pad(img, [across // 2, down // 2, (across + 1) // 2, (down + 1) // 2])
        _, h, w = get_dimensions(img)
    return crop(img, round((h - height) / 2.0), round((w - width) / 2.0), height, width)


def five_crop(img: Any, size: int | Sequence[int]) -> tuple[Any, Any, Any, Any, Any]:
    """The corners top left, top right, bottom left, bottom right, and the middle.

    Raises:
        ValueError: the image is smaller than ``size``, (height, width).
    """
    height, width = pair(size)
    _, h, w = get_dimensions(img)
    if width > w or height > h:
        raise ValueError(f"Requested crop size {(height, width)} is bigger than input size {(h, w)}")
    corners = [(0, 0), (0, w - width), (h - height, 0), (h - height, w - width)]
    a, b, c, d = (crop(img, top, left, height, width) for top, left in corners)
    return a, b, c, d, center_crop(img, (height, width))


def ten_crop(img: Any, size: int | Sequence[int], vertical_flip: bool = False) -> tuple[Any, ...]:
    """`five_crop` of the image, and of the image flipped."""
    return five_crop(img, size) + five_crop(vflip(img) if vertical_flip else hflip(img), size)


_MODES = ("constant", "edge", "reflect", "symmetric")


def check_pad(padding: Any, fill: Any, padding_mode: Any) -> None:
    """Raise if these are no options of `pad`."""
    for name, value, kinds in (
        ("padding", padding, int | tuple | list),
        ("fill", fill, int | float | tuple | list | None),
        ("padding_mode", padding_mode, str),
    ):
        if not isinstance(value, kinds):
            raise TypeError(f"Got inappropriate {name} arg: {value!r}")
    if not isinstance(padding, int) and len(padding) not in (1, 2, 4):
        raise ValueError(
            f"Padding must be an int or a 1, 2, or 4 element tuple, not a {len(padding)} element tuple"
        )
    if padding_mode not in _MODES:
        raise ValueError(f"Padding mode should be one of {', '.join(_MODES)}, got {padding_mode!r}")


def fill_of(fill: Any, image: Any) -> Any:
    """Pillow's colour of a number or a number for each channel."""
    channels = len(image.getbands())
    fill = 0 if fill is None else fill
    values = list(fill) if isinstance(fill, list | tuple) else [fill]
    values = values * channels if len(values) == 1 else values
    if len(values) != channels:
        raise ValueError(
            "The number of elements in 'fill' does not match the number of channels of the image "
            f"({len(values)} != {channels})"
        )
    values = values if image.mode == "F" else [int(value) for value in values]
    return tuple(values) if channels > 1 else values[0]


def pad(
    img: Any,
    padding: int | Sequence[int],
    fill: float | Sequence[float] | None = 0,
    padding_mode: str = "constant",
) -> Any:
    """A border: one width, (left and right, top and bottom), or (left, top, right, bottom).

    Args:
        img: the image.
        padding: negative widths cut off.
        fill: the value of a constant border; for PIL images one for each channel is possible.
        padding_mode: constant, edge, reflect (without the edge) or symmetric (with it).

    Raises:
        TypeError, ValueError: an option has none of its values.
        FitError: a mirrored border is wider than the tensor.
    """
    check_pad(padding, fill, padding_mode)
    sides = [padding] if isinstance(padding, int) else list(padding)
    left, top, right, bottom = sides * (4 // len(sides))

    def change(x: Any) -> Any:
        if padding_mode == "constant":
            if not isinstance(fill, int | float | None):
                raise TypeError(f"Got inappropriate fill arg: of a tensor it is a number, got {fill!r}")
            return F.pad(x, [left, right, top, bottom], value=0 if fill is None else fill)
        rows, columns = (
            _mirrored(n, before, after, padding_mode)
            for n, before, after in ((x.shape[-2], top, bottom), (x.shape[-1], left, right))
        )
        return x[..., genesis.tensor(rows)[:, None], genesis.tensor(columns)]

    def pillow(x: Any) -> Any:
        if padding_mode == "constant":
            from PIL import ImageOps

            return ImageOps.expand(x, (left, top, right, bottom), fill=fill_of(fill, x))
        from PIL import Image

        array = np.asarray(x)
        rows, columns = (
            _mirrored(n, before, after, padding_mode, more=True)
            for n, before, after in ((array.shape[0], top, bottom), (array.shape[1], left, right))
        )
        out = Image.fromarray(np.ascontiguousarray(array[rows][:, columns]))
        if x.mode == "P":
            out.putpalette(x.getpalette())
        return out

    return changed(img, change, pillow)


def _mirrored(n: int, before: int, after: int, mode: str, more: bool = False) -> Any:
    """The numbers of the pixels of a line with its border."""
    line = np.arange(n)[max(-before, 0) : n - max(-after, 0)]
    widths = max(before, 0), max(after, 0)
    room = {"reflect": len(line) - 1, "symmetric": len(line)}.get(mode)
    if not more and room is not None and max(widths) > room:
        raise FitError(
            f"a border of {max(widths)} with padding_mode={mode!r} needs more than {len(line)} pixels"
        )
    return np.pad(line, widths, mode)  # type: ignore[call-overload]


def resize(
    img: Any,
    size: int | Sequence[int],
    interpolation: Any = InterpolationMode.BILINEAR,
    max_size: int | None = None,
    antialias: bool | None = True,
) -> Any:
    """Another size (height, width); one number is the length of the shorter side.

    Args:
        img: the image.
        size: of the result.
        interpolation: an `InterpolationMode`, its name, or Pillow's number.
        max_size: the largest length of the longer side, if ``size`` is one number.
        antialias: for tensors and the modes bilinear and bicubic; Pillow always does it.

    Raises:
        ValueError: ``size`` has more than two numbers, or ``max_size`` does not fit to it.
    """
    mode = mode_of(interpolation)
    sizes = [size] if isinstance(size, int) else list(size)
    if len(sizes) not in (1, 2):
        raise ValueError(
            f"Size must be an int or a 1 or 2 element tuple/list, not a {len(sizes)} element tuple/list"
        )
    if max_size is not None and len(sizes) != 1:
        raise ValueError("max_size should only be passed if size specifies the length of the smaller edge")
    _, h, w = get_dimensions(img)
    height, width = sizes if len(sizes) == 2 else _sides(h, w, sizes[0], max_size)
    if (height, width) == (h, w):
        return img
    if is_pil(img) and antialias is False:
        warnings.warn("Anti-alias option is always applied for PIL Image input.", stacklevel=2)

    def change(x: Any) -> Any:
        options: dict[str, Any] = {}
        if mode in (InterpolationMode.BILINEAR, InterpolationMode.BICUBIC):
            options = {"align_corners": False, "antialias": bool(antialias)}
        out = batched(real(x), lambda y: F.interpolate(y, size=(height, width), mode=mode.value, **options))
        if mode is InterpolationMode.BICUBIC and x.dtype is genesis.uint8:
            out = out.clamp(0, 255)
        return back(out, x.dtype)

    return changed(img, change, lambda x: x.resize((width, height), pillow_mode(mode)))


def _sides(h: int, w: int, short: int, max_size: int | None) -> tuple[int, int]:
    long = int(short * max(h, w) / min(h, w))
    if max_size is not None:
        if max_size <= short:
            raise ValueError(
                f"max_size = {max_size} must be strictly greater than the requested size for the smaller "
                f"edge size = {short}"
            )
        if long > max_size:
            short, long = int(max_size * short / long), max_size
    return (long, short) if w <= h else (short, long)


def resized_crop(
    img: Any,
    top: int,
    left: int,
    height: int,
    width: int,
    size: int | Sequence[int],
    interpolation: Any = InterpolationMode.BILINEAR,
    antialias: bool | None = True,
) -> Any:
    """`crop`, then `resize`."""
    return resize(crop(img, top, left, height, width), size, interpolation, antialias=antialias)


def erase(img: Any, i: int, j: int, h: int, w: int, v: Any, inplace: bool = False) -> Any:
    """The rectangle of a tensor at (i, j) overwritten with ``v``."""
    if not is_tensor(img):
        raise TypeError(f"img should be Tensor Image. Got {type(img)}; put RandomErasing after ToTensor")
    out = img if inplace else img.clone()
    out[..., i : i + h, j : j + w] = v
    return out


def normalize(tensor: Any, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> Any:
    """``(x - mean) / std`` for each channel of (…, C, H, W).

    Raises:
        TypeError: it is no tensor of floating-point numbers.
        ValueError: a standard deviation is 0, or it has fewer than three dimensions.
        RuntimeError: there are more numbers than channels.
    """
    if not is_tensor(tensor) or not tensor.is_floating_point():
        raise TypeError(
            f"normalize expects a floating-point tensor, got {getattr(tensor, 'dtype', type(tensor))}"
        )
    if tensor.dim() < 3:
        raise ValueError(f"normalize expects (..., C, H, W), got shape {tuple(tensor.shape)}")
    arrays = [np.asarray(v, tensor.dtype.name) for v in (mean, std)]
    if not arrays[1].all():
        raise ValueError(f"std is {std}: division by zero")
    centre, scale = (
        genesis.tensor(v.reshape(-1, 1, 1) if v.ndim == 1 else v, device=tensor.device) for v in arrays
    )
    if inplace:
        return tensor.sub_(centre).div_(scale)
    out = (tensor - centre) / scale
    if out.shape != tensor.shape:
        raise RuntimeError(
            f"normalize: mean {list(mean)} and std {list(std)} do not fit an image of shape "
            f"{tuple(tensor.shape)}; give one number, or one for each channel"
        )
    return out
