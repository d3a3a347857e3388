"""Changes of images: tensors (…, C, H, W), PIL images where Pillow is installed, and arrays (H, W, C)."""

from __future__ import annotations

from genesis._lazy import missing
from genesis.data.transforms._colour import (
    adjust_brightness,
    adjust_contrast,
    adjust_gamma,
    adjust_hue,
    adjust_saturation,
    adjust_sharpness,
    autocontrast,
    equalize,
    gaussian_blur,
    invert,
    posterize,
    rgb_to_grayscale,
    solarize,
    to_grayscale,
)
from genesis.data.transforms._image import (
    InterpolationMode,
    convert_image_dtype,
    get_dimensions,
    get_image_num_channels,
    get_image_size,
    is_tensor,
    pil_to_tensor,
    to_pil_image,
    to_tensor,
)
from genesis.data.transforms._place import (
    center_crop,
    crop,
    erase,
    five_crop,
    hflip,
    normalize,
    pad,
    resize,
    resized_crop,
    ten_crop,
    vflip,
)
from genesis.data.transforms._warp import affine, elastic_transform, perspective, rotate

__all__ = [
    "InterpolationMode",
    "adjust_brightness",
    "adjust_contrast",
    "adjust_gamma",
    "adjust_hue",
    "adjust_saturation",
    "adjust_sharpness",
    "affine",
    "autocontrast",
    "center_crop",
    "convert_image_dtype",
    "crop",
    "elastic_transform",
    "equalize",
    "erase",
    "five_crop",
    "gaussian_blur",
    "get_dimensions",
    "get_image_num_channels",
    "get_image_size",
    "hflip",
    "invert",
    "is_tensor",
    "normalize",
    "pad",
    "perspective",
    "pil_to_tensor",
    "posterize",
    "resize",
    "resized_crop",
    "rgb_to_grayscale",
    "rotate",
    "solarize",
    "ten_crop",
    "to_grayscale",
    "to_pil_image",
    "to_tensor",
    "vflip",
]

TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
