"""Transforms of images, with torchvision's names: for tensors (…, C, H, W), PIL images and arrays (H, W, C).

Random ones draw from the global generator, which ``genesis.manual_seed`` sets and each worker of a loader has
for itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import genesis
from genesis._lazy import missing
from genesis.data.transforms import functional


class Compose:
    """Transforms one after another."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = transforms

    def __call__(self, img: Any) -> Any:
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        return "Compose(\n" + "".join(f"    {t}\n" for t in self.transforms) + ")"


class _Transform:
    """A transform that prints with its arguments."""

    def __call__(self, img: Any) -> Any:
        return self.forward(img)

    def forward(self, img: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} defines forward")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v}' for k, v in vars(self).items())})"


def _uniform(low: float = 0.0, high: float = 1.0) -> float:
    return low + (high - low) * float(genesis.rand(1).item())


def _below(n: int) -> int:
    return int(genesis.randint(0, n, (1,)).item())


class ToTensor(_Transform):
    """A PIL image or array (H, W, C) as a tensor (C, H, W); bytes become numbers from 0 to 1."""

    def forward(self, img: Any) -> Any:
        return functional.to_tensor(img)


class PILToTensor(_Transform):
    """A PIL image or array (H, W, C) as a tensor (C, H, W) of the same type."""

    def forward(self, img: Any) -> Any:
        return functional.pil_to_tensor(img)


class ToPILImage(_Transform):
    """A tensor (C, H, W) or array (H, W, C) as a PIL image."""

    def __init__(self, mode: str | None = None) -> None:
        self.mode = mode

    def forward(self, img: Any) -> Any:
        return functional.to_pil_image(img, self.mode)


class ConvertImageDtype(_Transform):
    """Another element type, scaled."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype

    def forward(self, img: Any) -> Any:
        return functional.convert_image_dtype(img, self.dtype)


class Normalize(_Transform):
    """``(x - mean) / std`` for each channel."""

    def __init__(self, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> None:
        self.mean, self.std, self.inplace = mean, std, inplace

    def forward(self, img: Any) -> Any:
        return functional.normalize(img, self.mean, self.std, self.inplace)


class Lambda(_Transform):
    """A function of one's own."""

    def __init__(self, lambd: Callable[[Any], Any]) -> None:
        if not callable(lambd):
            raise TypeError(f"Argument lambd should be callable, got {type(lambd).__name__!r}")
        self.lambd = lambd

    def forward(self, img: Any) -> Any:
        return self.lambd(img)


class Resize(_Transform):
    """Another size; see ``functional.resize``."""

    def __init__(
        self, size: int | Sequence[int], interpolation: str = "bilinear", antialias: bool | None = True
    ) -> None:
        self.size, self.interpolation, self.antialias = size, interpolation, antialias

    def forward(self, img: Any) -> Any:
        return functional.resize(img, self.size, self.interpolation, self.antialias)


class CenterCrop(_Transform):
    """The middle, (height, width)."""

    def __init__(self, size: int | Sequence[int]) -> None:
        self.size = functional._pair(size)

    def forward(self, img: Any) -> Any:
        return functional.center_crop(img, self.size)


class Pad(_Transform):
    """A border; see ``functional.pad``."""

    def __init__(self, padding: int | Sequence[int], fill: float = 0, padding_mode: str = "constant") -> None:
        self.padding, self.fill, self.padding_mode = padding, fill, padding_mode

    def forward(self, img: Any) -> Any:
        return functional.pad(img, self.padding, self.fill, self.padding_mode)


class RandomCrop(_Transform):
    """A part of a size at a random place, of the image with a border of ``padding``.

    Raises:
        ValueError: the image is smaller, and ``pad_if_needed`` is not set.
    """

    def __init__(
        self,
        size: int | Sequence[int],
        padding: int | Sequence[int] | None = None,
        pad_if_needed: bool = False,
        fill: float = 0,
        padding_mode: str = "constant",
    ) -> None:
        self.size, self.padding, self.pad_if_needed = functional._pair(size), padding, pad_if_needed
        self.fill, self.padding_mode = fill, padding_mode

    def forward(self, img: Any) -> Any:
        if self.padding is not None:
            img = functional.pad(img, self.padding, self.fill, self.padding_mode)
        height, width = self.size
        _, h, w = functional.get_dimensions(img)
        if self.pad_if_needed and (h < height or w < width):
            border = [max(width - w, 0), max(height - h, 0)]
            img = functional.pad(img, border, self.fill, self.padding_mode)
            _, h, w = functional.get_dimensions(img)
        if h < height or w < width:
            raise ValueError(f"Required crop size {(height, width)} is larger than input image size {(h, w)}")
        return functional.crop(img, _below(h - height + 1), _below(w - width + 1), height, width)


class RandomResizedCrop(_Transform):
    """A random part of random size and shape, resized.

    Args:
        size: of the result, (height, width).
        scale: share of the area, from and to.
        ratio: width by height, from and to.
        interpolation: as for ``Resize``.
    """

    def __init__(
        self,
        size: int | Sequence[int],
        scale: Sequence[float] = (0.08, 1.0),
        ratio: Sequence[float] = (3.0 / 4.0, 4.0 / 3.0),
        interpolation: str = "bilinear",
        antialias: bool | None = True,
    ) -> None:
        self.size, self.scale, self.ratio = functional._pair(size), scale, ratio
        self.interpolation, self.antialias = interpolation, antialias

    def forward(self, img: Any) -> Any:
        _, h, w = functional.get_dimensions(img)
        for _ in range(10):
            area = h * w * _uniform(self.scale[0], self.scale[1])
            shape = math.exp(_uniform(math.log(self.ratio[0]), math.log(self.ratio[1])))
            width, height = round(math.sqrt(area * shape)), round(math.sqrt(area / shape))
            if 0 < width <= w and 0 < height <= h:
                top, left = _below(h - height + 1), _below(w - width + 1)
                break
        else:  # the largest part of an allowed shape, in the middle
            shape = min(max(w / h, self.ratio[0]), self.ratio[1])
            width, height = (w, round(w / shape)) if w / h < shape else (round(h * shape), h)
            width, height = min(width, w), min(height, h)
            top, left = (h - height) // 2, (w - width) // 2
        return functional.resize(
            functional.crop(img, top, left, height, width), self.size, self.interpolation, self.antialias
        )


class RandomHorizontalFlip(_Transform):
    """Left and right swapped with probability ``p``."""

    def __init__(self, p: float = 0.5) -> None:
        self.p = p

    def forward(self, img: Any) -> Any:
        return functional.hflip(img) if _uniform() < self.p else img


class RandomVerticalFlip(_Transform):
    """Top and bottom swapped with probability ``p``."""

    def __init__(self, p: float = 0.5) -> None:
        self.p = p

    def forward(self, img: Any) -> Any:
        return functional.vflip(img) if _uniform() < self.p else img


class Grayscale(_Transform):
    """Grey, in one channel or three."""

    def __init__(self, num_output_channels: int = 1) -> None:
        self.num_output_channels = num_output_channels

    def forward(self, img: Any) -> Any:
        return functional.rgb_to_grayscale(img, self.num_output_channels)


class RandomGrayscale(_Transform):
    """Grey with probability ``p``; the number of channels stays."""

    def __init__(self, p: float = 0.1) -> None:
        self.p = p

    def forward(self, img: Any) -> Any:
        channels = functional.get_dimensions(img)[0]
        return functional.rgb_to_grayscale(img, channels) if _uniform() < self.p else img


class ColorJitter(_Transform):
    """Brightness, contrast and saturation changed at random, in random order.

    A number ``a`` means a factor from ``max(0, 1 - a)`` to ``1 + a``; a pair is the range of the factor.

    Raises:
        NotImplementedError: ``hue`` is not 0.
    """

    def __init__(self, brightness: Any = 0, contrast: Any = 0, saturation: Any = 0, hue: Any = 0) -> None:
        if hue not in (0, (0, 0)):
            raise NotImplementedError("ColorJitter: hue is not implemented; leave it at 0")
        self.brightness, self.contrast, self.saturation = brightness, contrast, saturation

    def forward(self, img: Any) -> Any:
        changes = [
            (functional.adjust_brightness, self.brightness),
            (functional.adjust_contrast, self.contrast),
            (functional.adjust_saturation, self.saturation),
        ]
        for i in genesis.randperm(3).tolist():
            change, amount = changes[i]
            if amount:
                low, high = (
                    amount if not isinstance(amount, int | float) else (max(0, 1 - amount), 1 + amount)
                )
                img = change(img, _uniform(low, high))
        return img


class RandomErasing(_Transform):
    """A random rectangle overwritten, with probability ``p``.  Reference: arXiv 1708.04896, algorithm 1."""

    def __init__(
        self,
        p: float = 0.5,
        scale: Sequence[float] = (0.02, 0.33),
        ratio: Sequence[float] = (0.3, 3.3),
        value: float | Sequence[float] | str = 0,
        inplace: bool = False,
    ) -> None:
        self.p, self.scale, self.ratio, self.value, self.inplace = p, scale, ratio, value, inplace

    def forward(self, img: Any) -> Any:
        if _uniform() >= self.p:
            return img
        c, h, w = functional.get_dimensions(img)
        for _ in range(10):
            area = h * w * _uniform(self.scale[0], self.scale[1])
            shape = math.exp(_uniform(math.log(self.ratio[0]), math.log(self.ratio[1])))
            height, width = round(math.sqrt(area * shape)), round(math.sqrt(area / shape))
            if not (0 < height < h and 0 < width < w):
                continue
            value: Any = self.value
            if value == "random":
                value = genesis.randn(c, height, width, dtype=img.dtype)
            elif not isinstance(value, int | float):
                value = genesis.tensor(value, dtype=img.dtype).reshape(-1, 1, 1)
            return functional.erase(
                img, _below(h - height + 1), _below(w - width + 1), height, width, value, self.inplace
            )
        return img


class RandomApply(_Transform):
    """All of some transforms, with probability ``p``."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]], p: float = 0.5) -> None:
        self.transforms, self.p = transforms, p

    def forward(self, img: Any) -> Any:
        return Compose(self.transforms)(img) if _uniform() < self.p else img


class RandomChoice(_Transform):
    """One of some transforms."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = transforms

    def forward(self, img: Any) -> Any:
        return self.transforms[_below(len(self.transforms))](img)


class RandomOrder(_Transform):
    """All of some transforms, in random order."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = transforms

    def forward(self, img: Any) -> Any:
        for i in genesis.randperm(len(self.transforms)).tolist():
            img = self.transforms[i](img)
        return img


if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
