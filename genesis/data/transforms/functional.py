"""Changes of images: tensors (…, C, H, W), or PIL images where Pillow is installed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import genesis
from genesis._dtypes import default_dtype
from genesis.nn import functional as F


def is_tensor(image: Any) -> bool:
    """Whether an image is a tensor; any other is a PIL image or an array, which become tensors first."""
    return isinstance(image, genesis.Tensor)


def _is_pil(image: Any) -> bool:
    return hasattr(image, "getbands") and hasattr(image, "resize")


def pil_to_tensor(image: Any) -> Any:
    """A PIL image or an array (H, W) or (H, W, C) as a tensor (C, H, W) of the same type."""
    if is_tensor(image):
        return image
    array = np.array(image)
    if array.ndim not in (2, 3):
        raise TypeError(
            f"expected an image of shape (H, W) or (H, W, C), got {type(image).__name__} {array.shape}"
        )
    array = array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
    return genesis.tensor(np.ascontiguousarray(array))


def to_tensor(pic: Any) -> Any:
    """As ``pil_to_tensor``, and bytes become floating-point numbers from 0 to 1."""
    if is_tensor(pic):
        raise TypeError("to_tensor expects a PIL image or an array, got a tensor; leave ToTensor out")
    out = pil_to_tensor(pic)
    return out.to(default_dtype()) / 255 if out.dtype is genesis.uint8 else out


def to_pil_image(pic: Any, mode: str | None = None) -> Any:
    """A tensor (C, H, W) or (H, W), or an array (H, W, C), as a PIL image; floats become bytes."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("PIL images need Pillow: pip install pillow") from error
    if is_tensor(pic):
        if pic.is_floating_point():
            pic = (pic * 255).to(genesis.uint8)
        array = pic.detach().cpu().numpy()
        array = array.transpose(1, 2, 0) if array.ndim == 3 else array
    else:
        array = np.asarray(pic)
    return Image.fromarray(array[..., 0] if array.ndim == 3 and array.shape[-1] == 1 else array, mode)


def convert_image_dtype(image: Any, dtype: Any = None) -> Any:
    """Another element type, scaled: bytes from 0 to 255, floating-point numbers from 0 to 1."""
    dtype = genesis.float32 if dtype is None else dtype
    if image.dtype is dtype:
        return image
    if image.is_floating_point() and not dtype.is_floating_point:
        top = genesis.iinfo(dtype).max
        return (image * (top + 1 - 1e-3)).to(dtype)
    if dtype.is_floating_point and not image.is_floating_point():
        return image.to(dtype) / genesis.iinfo(image.dtype).max
    return image.to(dtype)


def normalize(tensor: Any, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> Any:
    """``(x - mean) / std`` for each channel of (…, C, H, W).

    Raises:
        TypeError: it is no tensor of floating-point numbers.
        ValueError: a standard deviation is 0, or it has fewer than three dimensions.
    """
    if not is_tensor(tensor) or not tensor.is_floating_point():
        raise TypeError(
            f"normalize expects a floating-point tensor, got {getattr(tensor, 'dtype', type(tensor))}"
        )
    if tensor.dim() < 3:
        raise ValueError(f"normalize expects (..., C, H, W), got shape {tuple(tensor.shape)}")
    centre, scale = (genesis.as_tensor(v, dtype=tensor.dtype, device=tensor.device) for v in (mean, std))
    if (scale == 0).any():
        raise ValueError(f"std is {std}: division by zero")
    centre, scale = (v.reshape(-1, 1, 1) if v.dim() == 1 else v for v in (centre, scale))
    out = tensor if inplace else tensor.clone()
    return out.sub_(centre).div_(scale)


def _apply(image: Any, change: Any) -> Any:
    """Apply a change of tensors to any image; a PIL image stays one."""
    if is_tensor(image):
        return change(image)
    out = change(pil_to_tensor(image))
    if _is_pil(image):
        return to_pil_image(out)
    array = out.numpy()
    return array[0] if np.ndim(image) == 2 else array.transpose(1, 2, 0)


def get_dimensions(image: Any) -> list[int]:
    """[channels, height, width]."""
    if is_tensor(image):
        return [1 if image.dim() == 2 else image.shape[-3], *image.shape[-2:]]
    if _is_pil(image):
        return [len(image.getbands()), image.height, image.width]
    shape = np.shape(image)
    return [1 if len(shape) == 2 else shape[2], shape[0], shape[1]]


def hflip(img: Any) -> Any:
    """Left and right swapped."""
    return _apply(img, lambda x: x.flip(-1))


def vflip(img: Any) -> Any:
    """Top and bottom swapped."""
    return _apply(img, lambda x: x.flip(-2))


def crop(img: Any, top: int, left: int, height: int, width: int) -> Any:
    """A part; what lies outside the image is 0."""
    _, h, w = get_dimensions(img)
    border = [max(-left, 0), max(left + width - w, 0), max(-top, 0), max(top + height - h, 0)]

    def change(x: Any) -> Any:
        if any(border):
            x = F.pad(x, border)
        y, z = top + border[2], left + border[0]
        return x[..., y : y + height, z : z + width]

    return _apply(img, change)


def center_crop(img: Any, output_size: int | Sequence[int]) -> Any:
    """The middle, (height, width); smaller images get a border of 0."""
    height, width = _pair(output_size)
    _, h, w = get_dimensions(img)
    return crop(img, round((h - height) / 2.0), round((w - width) / 2.0), height, width)


def pad(img: Any, padding: int | Sequence[int], fill: float = 0, padding_mode: str = "constant") -> Any:
    """A border: one width, (left and right, top and bottom), or (left, top, right, bottom).

    ``padding_mode``: constant (with ``fill``), edge, reflect or symmetric.
    """
    sides = [padding] * 4 if isinstance(padding, int) else list(padding)
    if len(sides) == 2:
        sides = [*sides, *sides]
    if len(sides) != 4:
        raise ValueError(f"padding is one number, two or four, got {padding!r}")
    left, top, right, bottom = sides
    modes = {"constant": "constant", "edge": "edge", "reflect": "reflect", "symmetric": "symmetric"}
    if padding_mode not in modes:
        raise ValueError(f"padding_mode is one of {', '.join(modes)}, got {padding_mode!r}")

    def change(x: Any) -> Any:
        if padding_mode == "constant":
            return F.pad(x, [left, right, top, bottom], value=fill)
        rows, columns = (
            np.pad(np.arange(n), widths, padding_mode)  # type: ignore[call-overload]
            for n, widths in ((x.shape[-2], (top, bottom)), (x.shape[-1], (left, right)))
        )
        return x[..., genesis.tensor(rows)[:, None], genesis.tensor(columns)]

    return _apply(img, change)


def resize(
    img: Any, size: int | Sequence[int], interpolation: str = "bilinear", antialias: bool | None = True
) -> Any:
    """Another size (height, width); one number is the length of the shorter side.

    ``antialias`` is for tensors and the modes bilinear and bicubic; Pillow always does it.
    """
    mode = str(getattr(interpolation, "value", interpolation)).lower()
    _, h, w = get_dimensions(img)
    if isinstance(size, int) or len(size) == 1:
        short = size if isinstance(size, int) else size[0]
        height, width = (short, int(short * w / h)) if h <= w else (int(short * h / w), short)
    else:
        height, width = _pair(size)
    if _is_pil(img):
        from PIL import Image

        return img.resize((width, height), getattr(Image.Resampling, mode.upper()))

    def change(x: Any) -> Any:
        lead = x.shape[:-3]
        flat = x.reshape(-1, *x.shape[-3:]) if x.dim() > 3 else x[None] if x.dim() == 3 else x[None, None]
        real = flat if flat.is_floating_point() else flat.to(genesis.float32)
        options: dict[str, Any] = {}
        if mode in ("bilinear", "bicubic"):
            options = {"align_corners": False, "antialias": bool(antialias)}
        out = F.interpolate(real, size=(height, width), mode=mode, **options)
        if not flat.is_floating_point():
            out = out.round().clamp(0, 255).to(flat.dtype)
        return out.reshape(*lead, *out.shape[1:]) if x.dim() > 3 else out[0] if x.dim() == 3 else out[0, 0]

    return _apply(img, change)


def rgb_to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """``0.2989 r + 0.587 g + 0.114 b`` (ITU-R 601-2), in one channel or three equal ones."""

    def change(x: Any) -> Any:
        if x.shape[-3] == 1:
            grey = x
        else:
            r, g, b = (c.to(default_dtype()) for c in x.unbind(-3))
            grey = (0.2989 * r + 0.587 * g + 0.114 * b).to(x.dtype).unsqueeze(-3)
        return genesis.cat([grey] * 3, -3) if num_output_channels == 3 else grey

    return _apply(img, change)


def _blend(x: Any, other: Any, ratio: float) -> Any:
    top = 1.0 if x.is_floating_point() else 255.0
    out = (ratio * x.to(default_dtype()) + (1.0 - ratio) * other).clamp(0, top)
    return out.to(x.dtype)


def adjust_brightness(img: Any, brightness_factor: float) -> Any:
    """Every value times a factor."""
    return _apply(img, lambda x: _blend(x, 0.0, brightness_factor))


def adjust_contrast(img: Any, contrast_factor: float) -> Any:
    """Away from the mean grey by a factor."""

    def change(x: Any) -> Any:
        grey = rgb_to_grayscale(x).to(default_dtype())
        return _blend(x, grey.mean(dim=(-3, -2, -1), keepdim=True), contrast_factor)

    return _apply(img, change)


def adjust_saturation(img: Any, saturation_factor: float) -> Any:
    """Away from grey by a factor; grey images stay."""

    def change(x: Any) -> Any:
        if x.shape[-3] == 1:
            return x
        return _blend(x, rgb_to_grayscale(x).to(default_dtype()), saturation_factor)

    return _apply(img, change)


def erase(img: Any, i: int, j: int, h: int, w: int, v: Any, inplace: bool = False) -> Any:
    """The rectangle at (i, j) overwritten with ``v``."""
    out = img if inplace else img.clone()
    out[..., i : i + h, j : j + w] = v
    return out


def _pair(size: int | Sequence[int]) -> tuple[int, int]:
    if isinstance(size, int):
        return size, size
    if len(size) not in (1, 2):
        raise ValueError(f"a size is a number or (height, width), got {size!r}")
    return int(size[0]), int(size[-1])
