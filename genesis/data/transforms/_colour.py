"""What value: brightness, contrast, colours, sharpness."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import genesis
from genesis.data.transforms._image import (
    back,
    batched,
    blend,
    changed,
    check_channels,
    convert_image_dtype,
    real,
    top_of,
)
from genesis.nn import functional as F


def rgb_to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """``0.2989 r + 0.587 g + 0.114 b`` (ITU-R 601-2), in one channel or three equal ones, also of one."""
    if num_output_channels not in (1, 3):
        raise ValueError(f"num_output_channels should be either 1 or 3, got {num_output_channels}")

    def change(x: Any) -> Any:
        if x.dim() < 3:
            raise TypeError(f"Input image tensor should have at least 3 dimensions, but found {x.dim()}")
        grey = x.clone() if check_channels(x) == 1 else _grey(x)
        return genesis.cat([grey] * 3, -3) if num_output_channels == 3 else grey

    def pillow(x: Any) -> Any:
        from PIL import Image

        grey = x.convert("L")
        return Image.merge("RGB", [grey] * 3) if num_output_channels == 3 else grey

    return changed(img, change, pillow)


def to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """`rgb_to_grayscale` under its older name."""
    return rgb_to_grayscale(img, num_output_channels)


def _grey(x: Any) -> Any:
    r, g, b = x.unbind(-3)
    return (0.2989 * r + 0.587 * g + 0.114 * b).to(x.dtype).unsqueeze(-3)


def _not_negative(name: str, factor: float) -> None:
    if factor < 0:
        raise ValueError(f"{name} ({factor}) is not non-negative.")


def _enhanced(name: str, factor: float) -> Any:
    def pillow(x: Any) -> Any:
        from PIL import ImageEnhance

        return getattr(ImageEnhance, name)(x).enhance(factor)

    return pillow


def adjust_brightness(img: Any, brightness_factor: float) -> Any:
    """Every value times a factor."""

    def change(x: Any) -> Any:
        _not_negative("brightness_factor", brightness_factor)
        check_channels(x)
        return blend(x, 0.0, brightness_factor)

    return changed(img, change, _enhanced("Brightness", brightness_factor))


def adjust_contrast(img: Any, contrast_factor: float) -> Any:
    """Away from the mean grey by a factor."""

    def change(x: Any) -> Any:
        _not_negative("contrast_factor", contrast_factor)
        grey = x if check_channels(x) == 1 else _grey(x)
        dims = (-3, -2, -1) if x.dim() > 2 else (-2, -1)
        return blend(x, real(grey).mean(dim=dims, keepdim=True), contrast_factor)

    return changed(img, change, _enhanced("Contrast", contrast_factor))


def adjust_saturation(img: Any, saturation_factor: float) -> Any:
    """Away from grey by a factor; grey images stay."""

    def change(x: Any) -> Any:
        _not_negative("saturation_factor", saturation_factor)
        return x if check_channels(x) == 1 else blend(x, _grey(x), saturation_factor)

    return changed(img, change, _enhanced("Color", saturation_factor))


def adjust_hue(img: Any, hue_factor: float) -> Any:
    """Colours moved around the circle of hues: 0.5 and -0.5 are its other side, 0 leaves them; grey stays.

    Reference:
        A. R. Smith, Color Gamut Transform Pairs, SIGGRAPH 1978.
    """
    if not -0.5 <= hue_factor <= 0.5:
        raise ValueError(f"hue_factor ({hue_factor}) is not in [-0.5, 0.5].")

    def change(x: Any) -> Any:
        if check_channels(x) == 1:
            return x
        h, s, v = _hsv(convert_image_dtype(x, genesis.float32))
        return convert_image_dtype(_rgb((h + hue_factor) % 1.0, s, v), x.dtype)

    def pillow(x: Any) -> Any:
        from PIL import Image

        if x.mode in ("L", "1", "I", "F"):
            return x
        h, s, v = x.convert("HSV").split()
        step = np.int32(hue_factor * 255).astype(np.uint8)
        moved = Image.fromarray(np.asarray(h, np.uint8) + step)
        return Image.merge("HSV", (moved, s, v)).convert(x.mode)

    return changed(img, change, pillow)


def _hsv(x: Any) -> tuple[Any, Any, Any]:
    """Hue (from 0 to 1), saturation and value; grey has hue and saturation 0."""
    r, g, b = x.unbind(-3)
    high, low = x.amax(-3), x.amin(-3)
    grey = high == low
    span = genesis.where(grey, 1.0, high - low)
    s = (high - low) / genesis.where(grey, 1.0, high)
    rc, gc, bc = ((high - c) / span for c in (r, g, b))
    sixth = genesis.where(
        high == r, bc - gc, genesis.where(high == g, 2.0 + rc - bc, genesis.where(grey, 0.0, 4.0 + gc - rc))
    )
    return genesis.fmod(sixth / 6.0 + 1.0, 1.0), s, high


# which of v, q, p, t is red, green and blue in the six parts of the circle
_PARTS = ((0, 1, 2, 2, 3, 0), (3, 0, 0, 1, 2, 2), (2, 2, 3, 0, 0, 1))


def _rgb(h: Any, s: Any, v: Any) -> Any:
    part = genesis.floor(h * 6.0)
    f = h * 6.0 - part
    p = (v * (1.0 - s)).clamp(0.0, 1.0)
    q = (v * (1.0 - s * f)).clamp(0.0, 1.0)
    t = (v * (1.0 - s * (1.0 - f))).clamp(0.0, 1.0)
    which = genesis.tensor(_PARTS, device=h.device)[:, part.to(genesis.int64) % 6]
    return genesis.stack([v, q, p, t], -3).gather(-3, which.movedim(0, -3))


def adjust_gamma(img: Any, gamma: float, gain: float = 1) -> Any:
    """``gain * x ** gamma``, for values from 0 to 1."""
    if gamma < 0:
        raise ValueError(f"Gamma should be a non-negative real number, got {gamma}")

    def change(x: Any) -> Any:
        check_channels(x)
        y = x if x.is_floating_point() else convert_image_dtype(x, genesis.float32)
        return convert_image_dtype((gain * y**gamma).clamp(0, 1), x.dtype)

    def pillow(x: Any) -> Any:
        table = [int((255 + 1 - 1e-3) * gain * (value / 255.0) ** gamma) for value in range(256)]
        return x.convert("RGB").point(table * 3).convert(x.mode)

    return changed(img, change, pillow)


def _check(x: Any, kind: Any = None) -> None:
    """Raise unless a tensor has three dimensions, one or three channels, and the element type."""
    if x.dim() < 3:
        raise TypeError(f"Input image tensor should have at least 3 dimensions, but found {x.dim()}")
    if kind is not None and x.dtype is not kind:
        raise TypeError(f"Only uint8 image tensors are supported, but found {x.dtype}")
    check_channels(x)


def _operated(name: str, *args: Any) -> Any:
    def pillow(x: Any) -> Any:
        from PIL import ImageOps

        return getattr(ImageOps, name)(x, *args)

    return pillow


def invert(img: Any) -> Any:
    """Black and white swapped."""

    def change(x: Any) -> Any:
        _check(x)
        return top_of(x.dtype) - x

    return changed(img, change, _operated("invert"))


def posterize(img: Any, bits: int) -> Any:
    """Only the upper ``bits`` of eight of each value."""

    def change(x: Any) -> Any:
        _check(x, genesis.uint8)
        return x & (256 - 2 ** (8 - bits)) if bits else x * 0

    return changed(img, change, _operated("posterize", bits))


def solarize(img: Any, threshold: float) -> Any:
    """Values from ``threshold`` on inverted."""

    def change(x: Any) -> Any:
        _check(x)
        if threshold > top_of(x.dtype):
            raise TypeError(
                f"Threshold should be less than bound of img ({top_of(x.dtype)}), got {threshold}"
            )
        return genesis.where(x >= threshold, top_of(x.dtype) - x, x)

    return changed(img, change, _operated("solarize", threshold))


def autocontrast(img: Any) -> Any:
    """Each channel from black to white."""

    def change(x: Any) -> Any:
        _check(x)
        low, high = (
            real(v) for v in (x.amin(dim=(-2, -1), keepdim=True), x.amax(dim=(-2, -1), keepdim=True))
        )
        flat, top = low == high, top_of(x.dtype)
        scale = genesis.where(flat, 1.0, top / genesis.where(flat, 1.0, high - low))
        return ((x - genesis.where(flat, 0.0, low)) * scale).clamp(0, top).to(x.dtype)

    return changed(img, change, _operated("autocontrast"))


def equalize(img: Any) -> Any:
    """Each channel with all values equally often, as far as that goes."""

    def change(x: Any) -> Any:
        if x.dim() not in (3, 4):
            raise TypeError(f"Input image tensor should have 3 or 4 dimensions, but found {x.dim()}")
        _check(x, genesis.uint8)
        flat = x.numpy().reshape(-1, x.shape[-2] * x.shape[-1])
        out = np.stack([_equal(channel) for channel in flat]) if len(flat) else flat
        return genesis.from_numpy(out.reshape(x.shape))

    return changed(img, change, _operated("equalize"))


def _equal(channel: Any) -> Any:
    counts = np.bincount(channel, minlength=256)
    step = int(counts[counts > 0][:-1].sum()) // 255
    if step == 0:
        return channel
    before = np.concatenate([[0], np.cumsum(counts)[:-1]])
    table = (before + step // 2) // step
    table[0] = 0
    return table.clip(0, 255).astype(np.uint8)[channel]


def adjust_sharpness(img: Any, sharpness_factor: float) -> Any:
    """Away from a blurred image by a factor: 0 is blurred, 1 stays, 2 is sharper."""

    def change(x: Any) -> Any:
        _not_negative("sharpness_factor", sharpness_factor)
        channels = check_channels(x)
        if min(x.shape[-2:]) <= 2:
            return x
        y = real(x)
        kernel = genesis.ones(channels, 1, 3, 3, dtype=y.dtype)
        kernel[:, :, 1, 1] = 5.0
        inner = batched(y, lambda z: F.conv2d(z, kernel / 13.0, groups=channels))
        blurred = x.clone()
        blurred[..., 1:-1, 1:-1] = back(inner, x.dtype)
        return blend(x, blurred, sharpness_factor)

    return changed(img, change, _enhanced("Sharpness", sharpness_factor))


def gaussian_blur(
    img: Any, kernel_size: int | Sequence[int], sigma: float | Sequence[float] | None = None
) -> Any:
    """Blurred; beyond its edges the image is reflected.

    Args:
        img: the image.
        kernel_size: odd, (across, down).
        sigma: standard deviation in pixels, (across, down); by default ``0.15 * kernel_size + 0.35``.

    Raises:
        TypeError, ValueError: a size is even, a sigma is not positive, or there are not two of them.
    """
    sizes = _two("kernel_size", kernel_size, int)
    if any(size % 2 == 0 or size < 0 for size in sizes):
        raise ValueError(f"kernel_size should have odd and positive integers. Got {sizes}")
    sigmas = [size * 0.15 + 0.35 for size in sizes] if sigma is None else _two("sigma", sigma, int | float)
    if any(value <= 0.0 for value in sigmas):
        raise ValueError(f"sigma should have positive values. Got {sigmas}")

    def change(x: Any) -> Any:
        y = real(x)
        across, down = (_bell(size, value, y) for size, value in zip(sizes, sigmas, strict=True))
        border = [sizes[0] // 2, sizes[0] // 2, sizes[1] // 2, sizes[1] // 2]

        def blurred(z: Any) -> Any:
            kernel = (down[:, None] * across).expand(z.shape[1], 1, sizes[1], sizes[0])
            return F.conv2d(F.pad(z, border, mode="reflect"), kernel, groups=z.shape[1])

        return back(batched(y, blurred), x.dtype)

    return changed(img, change)


def _two(name: str, value: Any, kind: Any) -> list[Any]:
    if not isinstance(value, kind | list | tuple):
        raise TypeError(f"{name} should be a number or a sequence of two numbers. Got {type(value)}")
    values = [value, value] if isinstance(value, kind) else list(value)
    values = values * 2 if len(values) == 1 and name == "sigma" else values
    if len(values) != 2:
        raise ValueError(f"If {name} is a sequence its length should be 2. Got {len(values)}")
    return values


def _bell(size: int, sigma: float, like: Any) -> Any:
    half = (size - 1) * 0.5
    x = genesis.linspace(-half, half, size, dtype=like.dtype, device=like.device)
    bell = genesis.exp(-0.5 * (x / sigma) ** 2)
    return bell / bell.sum()
