"""What an image is: a tensor (…, C, H, W), a PIL image or an array (H, W, C); and from one to another."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

import numpy as np

import genesis
from genesis._dtypes import bool_, default_dtype


class InterpolationMode(Enum):
    """How values between pixels are found; the last three are for PIL images only."""

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


_PILLOW = {  # the numbers of PIL.Image.Resampling
    InterpolationMode.NEAREST: 0,
    InterpolationMode.LANCZOS: 1,
    InterpolationMode.BILINEAR: 2,
    InterpolationMode.BICUBIC: 3,
    InterpolationMode.BOX: 4,
    InterpolationMode.HAMMING: 5,
    InterpolationMode.NEAREST_EXACT: 0,
}


def mode_of(interpolation: Any) -> InterpolationMode:
    """An `InterpolationMode`, of itself, its name, or Pillow's number."""
    if isinstance(interpolation, InterpolationMode):
        return interpolation
    if isinstance(interpolation, int):
        known = {number: mode for mode, number in reversed(_PILLOW.items())}
        if interpolation in known:
            return known[interpolation]
    elif isinstance(interpolation, str):
        return InterpolationMode(interpolation.lower())
    raise TypeError(
        "interpolation should be an InterpolationMode, its name, or one of Pillow's numbers from 0 to 5, got "
        f"{interpolation!r}"
    )


def pillow_mode(interpolation: Any) -> Any:
    """The same for Pillow."""
    from PIL import Image

    return Image.Resampling(_PILLOW[mode_of(interpolation)])


def is_tensor(image: Any) -> bool:
    """Whether an image is a tensor."""
    return isinstance(image, genesis.Tensor)


def is_pil(image: Any) -> bool:
    """Whether it is one of Pillow's."""
    return hasattr(image, "getbands") and hasattr(image, "resize")


def check_tensor(image: Any) -> None:
    """Raise if it is a tensor that is no image."""
    if is_tensor(image) and image.dim() < 2:
        raise TypeError(f"Tensor is not an image: expected (..., C, H, W), got shape {tuple(image.shape)}")


def check_channels(image: Any) -> int:
    """1 or 3, the number of channels of a tensor.

    Raises:
        TypeError: it is another.
    """
    check_tensor(image)
    channels = get_dimensions(image)[0]
    if channels not in (1, 3):
        raise TypeError(f"Input image tensor permitted channel values are [1, 3], but found {channels}")
    return channels


def get_dimensions(img: Any) -> list[int]:
    """[channels, height, width]."""
    check_tensor(img)
    if is_tensor(img):
        return [1 if img.dim() == 2 else img.shape[-3], *img.shape[-2:]]
    if is_pil(img):
        return [len(img.getbands()), img.height, img.width]
    shape = np.shape(img)
    if len(shape) not in (2, 3):
        raise TypeError(
            f"Unexpected type {type(img)}: an image is a tensor, a PIL image or an array (H, W, C)"
        )
    return [1 if len(shape) == 2 else shape[2], shape[0], shape[1]]


def get_image_size(img: Any) -> list[int]:
    """[width, height]."""
    _, height, width = get_dimensions(img)
    return [width, height]


def get_image_num_channels(img: Any) -> int:
    """The number of channels."""
    return get_dimensions(img)[0]


def changed(image: Any, change: Callable[[Any], Any], pillow: Callable[[Any], Any] | None = None) -> Any:
    """Change an image of any kind; it stays what it is.

    Args:
        image: the image.
        change: takes and returns a tensor.
        pillow: the same for a PIL image; without it, PIL images become tensors and PIL images again.
    """
    check_tensor(image)
    if is_tensor(image):
        return change(image)
    if is_pil(image):
        if pillow is not None:
            return pillow(image)
        return to_pil_image(change(pil_to_tensor(image)), image.mode)
    array = change(pil_to_tensor(image)).numpy()
    return array[0] if np.ndim(image) == 2 and array.shape[0] == 1 else array.transpose(1, 2, 0)


def pil_to_tensor(pic: Any) -> Any:
    """A PIL image or an array (H, W) or (H, W, C) as a tensor (C, H, W) of the same type.

    PIL images of 16 bits become int32: there is no uint16.
    """
    if is_tensor(pic):
        return pic
    if is_pil(pic) and pic.mode.startswith("I;16"):
        return genesis.tensor(np.array(pic, np.int32)[None])
    array = np.array(pic)
    if array.ndim not in (2, 3):
        raise TypeError(
            f"expected an image of shape (H, W) or (H, W, C), got {type(pic).__name__} {array.shape}"
        )
    array = array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
    return genesis.tensor(np.ascontiguousarray(array))


def to_tensor(pic: Any) -> Any:
    """As ``pil_to_tensor``, and bytes become floating-point numbers from 0 to 1.

    Raises:
        TypeError: it is a tensor, or no image.
        ValueError: an array has neither two nor three dimensions.
    """
    if is_tensor(pic):
        raise TypeError("to_tensor expects a PIL image or an array, got a tensor; leave ToTensor out")
    if not is_pil(pic):
        if not isinstance(pic, np.ndarray):
            raise TypeError(f"pic should be PIL Image or ndarray. Got {type(pic)}")
        if pic.ndim not in (2, 3):
            raise ValueError(f"pic should be 2/3 dimensional. Got {pic.ndim} dimensions.")
    elif pic.mode == "1":
        return genesis.tensor(np.array(pic, np.uint8)[None]).to(default_dtype())  # 255 / 255 or 0
    elif pic.mode.startswith("I;16"):
        return genesis.tensor(np.array(pic).astype(np.int16)[None])
    out = pil_to_tensor(pic)
    return out.to(default_dtype()) / 255 if out.dtype is genesis.uint8 else out


_MODES = {1: ("L",), 2: ("LA",), 3: ("RGB", "YCbCr", "HSV"), 4: ("RGBA", "CMYK", "RGBX")}


def to_pil_image(pic: Any, mode: str | None = None) -> Any:
    """A tensor (C, H, W) or (H, W), or an array (H, W, C) or (H, W), as a PIL image.

    Args:
        pic: bytes; or floating-point numbers from 0 to 1, which become bytes unless ``mode`` is ``"F"``; or,
            with one channel, int16 or int32.
        mode: Pillow's name of the colours; by default L, LA, RGB or RGBA, by the number of channels.

    Raises:
        TypeError: it is no image, or of another type.
        ValueError: its dimensions, its channels or ``mode`` do not fit.
    """
    if is_tensor(pic):
        array = pic.detach().cpu().numpy()
        array = array.transpose(1, 2, 0) if array.ndim == 3 else array
    elif isinstance(pic, np.ndarray):
        array = pic
    else:
        raise TypeError(f"pic should be Tensor or ndarray. Got {type(pic)}.")
    if array.ndim not in (2, 3):
        raise ValueError(f"pic should be 2/3 dimensional. Got {array.ndim} dimensions.")
    array = array[:, :, None] if array.ndim == 2 else array
    channels = array.shape[2]
    if channels > 4:
        raise ValueError(f"pic should not have > 4 channels. Got {channels} channels.")
    if array.dtype.kind == "f" and mode != "F":
        with np.errstate(invalid="ignore"):
            array = (array * 255).astype(np.uint8)
    modes = _MODES[channels]
    if channels == 1:
        single = {"uint8": "L", "int16": "I;16", "int32": "I", "float32": "F"}.get(array.dtype.name)
        modes = () if single is None else (single,)
    elif array.dtype != np.uint8 and mode is None:
        modes = ()
    if mode is not None and mode not in modes:
        raise ValueError(
            f"Incorrect mode ({mode}) supplied for {channels} channels of {array.dtype}, expected one of "
            f"{modes}"
        )
    if not modes:
        raise TypeError(f"Input type {array.dtype} is not supported for {channels} channels")
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("PIL images need Pillow: pip install pillow") from error
    size = array.shape[1], array.shape[0]
    return Image.frombytes(mode or modes[0], size, np.ascontiguousarray(array).tobytes())


def top_of(dtype: Any) -> int:
    """The value of white: the largest integer, or 1 for floating-point numbers."""
    return 1 if dtype.is_floating_point or dtype is bool_ else int(genesis.iinfo(dtype).max)


def convert_image_dtype(image: Any, dtype: Any = None) -> Any:
    """Another element type, scaled: from 0 to the largest integer, floating-point numbers from 0 to 1.

    Raises:
        TypeError: it is no tensor.
        RuntimeError: the integers are too large for the floating-point type.
    """
    if not is_tensor(image):
        raise TypeError(f"Input img should be Tensor Image, got {type(image).__name__}")
    dtype = genesis.float32 if dtype is None else dtype
    if image.dtype is dtype:
        return image
    if image.is_floating_point():
        if dtype.is_floating_point:
            return image.to(dtype)
        if dtype is genesis.int64 or (dtype is genesis.int32 and image.dtype is genesis.float32):
            raise RuntimeError(f"The cast from {image.dtype} to {dtype} cannot be performed safely.")
        # one byte for each of 256 equal parts of [0, 1], and 1 belongs to the last
        return (image * (top_of(dtype) + 1.0 - 1e-3)).to(dtype)
    if dtype.is_floating_point:
        return image.to(dtype) / top_of(image.dtype)
    old, new = top_of(image.dtype), top_of(dtype)
    if old > new:
        return genesis.div(image, (old + 1) // (new + 1), rounding_mode="floor").to(dtype)
    return image.to(dtype) * ((new + 1) // (old + 1))


def blend(one: Any, other: Any, ratio: float) -> Any:
    """``ratio * one + (1 - ratio) * other``, within the values of the type of ``one``."""
    mixed = float(ratio) * one + (1.0 - float(ratio)) * other
    return mixed.clamp(0, top_of(one.dtype)).to(one.dtype)


def real(image: Any) -> Any:
    """The image as floating-point numbers of the same values."""
    return image if image.is_floating_point() else image.to(genesis.float32)


def back(image: Any, dtype: Any) -> Any:
    """Rounded, if the type is of integers."""
    return (
        image
        if image.dtype is dtype
        else image.to(dtype)
        if dtype.is_floating_point
        else image.round().to(dtype)
    )


def batched(image: Any, change: Callable[[Any], Any]) -> Any:
    """Apply a change of (N, C, H, W) to a tensor with any number of dimensions in front, or (H, W)."""
    lead = image.shape[:-3]
    if image.dim() == 2:
        return change(image[None, None])[0, 0]
    out = change(image.reshape(-1, *image.shape[-3:]))
    return out.reshape(*lead, *out.shape[1:])
