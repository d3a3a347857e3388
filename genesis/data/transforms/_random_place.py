"""Transforms that move pixels by chance. ``get_params`` draws, from the global generator."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import genesis
from genesis.data.transforms import functional
from genesis.data.transforms._basic import shown
from genesis.data.transforms._drawing import (
    angles,
    below,
    check_lengths,
    check_ranges,
    colours,
    fill_option,
    uniform,
)
from genesis.data.transforms._image import InterpolationMode, mode_of
from genesis.data.transforms._place import pair
from genesis.nn import Module


class RandomCrop(Module):
    """A part of a size at a random place, of the image with a border of ``padding``.

    Raises:
        ValueError: the image is smaller, and ``pad_if_needed`` is not set.
    """

    def __init__(
        self,
        size: int | Sequence[int],
        padding: int | Sequence[int] | None = None,
        pad_if_needed: bool = False,
        fill: Any = 0,
        padding_mode: str = "constant",
    ) -> None:
        super().__init__()
        self.size, self.padding, self.pad_if_needed = pair(size), padding, pad_if_needed
        self.fill, self.padding_mode = fill, padding_mode

    @staticmethod
    def get_params(img: Any, output_size: tuple[int, int]) -> tuple[int, int, int, int]:
        """(top, left, height, width)."""
        _, h, w = functional.get_dimensions(img)
        height, width = output_size
        if h < height or w < width:
            raise ValueError(f"Required crop size {(height, width)} is larger than input image size {(h, w)}")
        if (h, w) == (height, width):
            return 0, 0, h, w
        return below(h - height + 1), below(w - width + 1), height, width

    def forward(self, img: Any) -> Any:
        if self.padding is not None:
            img = functional.pad(img, self.padding, self.fill, self.padding_mode)
        _, h, w = functional.get_dimensions(img)
        border = [max(self.size[1] - w, 0), max(self.size[0] - h, 0)]
        if self.pad_if_needed and any(border):
            img = functional.pad(img, border, self.fill, self.padding_mode)
        return functional.crop(img, *self.get_params(img, self.size))

    def __repr__(self) -> str:
        return shown(self, size=self.size, padding=self.padding)


class RandomResizedCrop(Module):
    """A random part of random size and shape, resized.

    Args:
        size: of the result, (height, width).
        scale: share of the area, from and to.
        ratio: width by height, from and to.
        interpolation, antialias: as for ``Resize``.
    """

    def __init__(
        self,
        size: int | Sequence[int],
        scale: Sequence[float] = (0.08, 1.0),
        ratio: Sequence[float] = (3.0 / 4.0, 4.0 / 3.0),
        interpolation: Any = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        check_ranges(scale, ratio)
        self.size, self.scale, self.ratio = pair(size), scale, ratio
        self.interpolation, self.antialias = mode_of(interpolation), antialias

    @staticmethod
    def get_params(img: Any, scale: Sequence[float], ratio: Sequence[float]) -> tuple[int, int, int, int]:
        """(top, left, height, width)."""
        _, h, w = functional.get_dimensions(img)
        for _ in range(10):
            area = h * w * uniform(scale[0], scale[1])
            shape = math.exp(uniform(math.log(ratio[0]), math.log(ratio[1])))
            width, height = round(math.sqrt(area * shape)), round(math.sqrt(area / shape))
            if 0 < width <= w and 0 < height <= h:
                return below(h - height + 1), below(w - width + 1), height, width
        # the largest part of an allowed shape, in the middle
        height, width = h, w
        if w / h < min(ratio):
            height = round(w / min(ratio))
        elif w / h > max(ratio):
            width = round(h * max(ratio))
        return (h - height) // 2, (w - width) // 2, height, width

    def forward(self, img: Any) -> Any:
        params = self.get_params(img, self.scale, self.ratio)
        return functional.resized_crop(img, *params, self.size, self.interpolation, self.antialias)

    def __repr__(self) -> str:
        return shown(
            self,
            size=self.size,
            scale=tuple(round(value, 4) for value in self.scale),
            ratio=tuple(round(value, 4) for value in self.ratio),
            interpolation=self.interpolation.value,
            antialias=self.antialias,
        )


class _Flip(Module):
    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def __repr__(self) -> str:
        return shown(self, p=self.p)


class RandomHorizontalFlip(_Flip):
    """Left and right swapped with probability ``p``."""

    def forward(self, img: Any) -> Any:
        return functional.hflip(img) if uniform() < self.p else img


class RandomVerticalFlip(_Flip):
    """Top and bottom swapped with probability ``p``."""

    def forward(self, img: Any) -> Any:
        return functional.vflip(img) if uniform() < self.p else img


class RandomRotation(Module):
    """Turned by a random angle; see ``functional.rotate``.

    Args:
        degrees: the range of the angle; a number ``a`` is from ``-a`` to ``a``.
        interpolation, expand, center, fill: as for ``functional.rotate``.
    """

    def __init__(
        self,
        degrees: float | Sequence[float],
        interpolation: Any = InterpolationMode.NEAREST,
        expand: bool = False,
        center: Sequence[float] | None = None,
        fill: Any = 0,
    ) -> None:
        super().__init__()
        self.degrees = angles("degrees", degrees)
        if center is not None:
            check_lengths("center", center)
        self.interpolation, self.expand, self.center = mode_of(interpolation), expand, center
        self.fill = fill_option(fill)

    @staticmethod
    def get_params(degrees: Sequence[float]) -> float:
        """The angle."""
        return uniform(float(degrees[0]), float(degrees[1]))

    def forward(self, img: Any) -> Any:
        angle = self.get_params(self.degrees)
        return functional.rotate(
            img, angle, self.interpolation, self.expand, self.center, colours(self.fill, img)
        )

    def __repr__(self) -> str:
        around = {} if self.center is None else {"center": self.center}
        return shown(
            self,
            degrees=self.degrees,
            interpolation=self.interpolation.value,
            expand=self.expand,
            **around,
            fill=self.fill,
        )


class RandomAffine(Module):
    """Turned, moved, scaled and sheared at random; see ``functional.affine``.

    Args:
        degrees: the range of the angle; a number ``a`` is from ``-a`` to ``a``.
        translate: the largest shifts, as shares of width and height; by default none.
        scale: the range of the scale; by default it stays.
        shear: the range along x in degrees, a number or two; or four for x and y; by default none.
        interpolation, fill, center: as for ``functional.affine``.

    Raises:
        ValueError: a share is not from 0 to 1, or a scale is not positive.
    """

    def __init__(
        self,
        degrees: float | Sequence[float],
        translate: Sequence[float] | None = None,
        scale: Sequence[float] | None = None,
        shear: float | Sequence[float] | None = None,
        interpolation: Any = InterpolationMode.NEAREST,
        fill: Any = 0,
        center: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        self.degrees = angles("degrees", degrees)
        for name, value in (("translate", translate), ("scale", scale), ("center", center)):
            if value is not None:
                check_lengths(name, value)
        if translate is not None and not all(0.0 <= share <= 1.0 for share in translate):
            raise ValueError(f"translation values should be between 0 and 1, got {translate}")
        if scale is not None and min(scale) <= 0:
            raise ValueError(f"scale values should be positive, got {scale}")
        self.translate, self.scale = translate, scale
        self.shear = None if shear is None else angles("shear", shear, (2, 4))
        self.interpolation, self.fill, self.center = mode_of(interpolation), fill_option(fill), center

    @staticmethod
    def get_params(
        degrees: Sequence[float],
        translate: Sequence[float] | None,
        scale_ranges: Sequence[float] | None,
        shears: Sequence[float] | None,
        img_size: Sequence[int],
    ) -> tuple[float, tuple[int, int], float, tuple[float, float]]:
        """(angle, (across, down), scale, (shear along x, along y)); ``img_size`` is (width, height)."""
        angle = uniform(float(degrees[0]), float(degrees[1]))
        across = down = 0
        if translate is not None:
            across, down = (round(uniform(-t * n, t * n)) for t, n in zip(translate, img_size, strict=True))
        scale = 1.0 if scale_ranges is None else uniform(scale_ranges[0], scale_ranges[1])
        along_x = 0.0 if shears is None else uniform(shears[0], shears[1])
        along_y = 0.0 if shears is None or len(shears) < 4 else uniform(shears[2], shears[3])
        return angle, (across, down), scale, (along_x, along_y)

    def forward(self, img: Any) -> Any:
        _, height, width = functional.get_dimensions(img)
        params = self.get_params(self.degrees, self.translate, self.scale, self.shear, [width, height])
        return functional.affine(
            img, *params, interpolation=self.interpolation, fill=colours(self.fill, img), center=self.center
        )

    def __repr__(self) -> str:
        options = {"translate": self.translate, "scale": self.scale, "shear": self.shear}
        if self.interpolation is not InterpolationMode.NEAREST:
            options["interpolation"] = self.interpolation.value
        if self.fill != 0:
            options["fill"] = self.fill
        options["center"] = self.center
        return shown(self, degrees=self.degrees, **{k: v for k, v in options.items() if v is not None})


class RandomPerspective(Module):
    """Seen from a random place, with probability ``p``; see ``functional.perspective``.

    Args:
        distortion_scale: how far a corner goes at most, as a share of half the side.
        p: the probability.
        interpolation, fill: as for ``functional.perspective``.
    """

    def __init__(
        self,
        distortion_scale: float = 0.5,
        p: float = 0.5,
        interpolation: Any = InterpolationMode.BILINEAR,
        fill: Any = 0,
    ) -> None:
        super().__init__()
        self.distortion_scale, self.p = distortion_scale, p
        self.interpolation, self.fill = mode_of(interpolation), fill_option(fill)

    @staticmethod
    def get_params(
        width: int, height: int, distortion_scale: float
    ) -> tuple[list[list[int]], list[list[int]]]:
        """The corners of the image, from the top left one clockwise, and where they go."""
        across, down = (int(distortion_scale * (side // 2)) + 1 for side in (width, height))
        start = [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]]
        end = []
        for x, y in start:
            left = below(across) if x == 0 else width - across + below(across)
            top = below(down) if y == 0 else height - down + below(down)
            end.append([left, top])
        return start, end

    def forward(self, img: Any) -> Any:
        if uniform() >= self.p:
            return img
        _, height, width = functional.get_dimensions(img)
        start, end = self.get_params(width, height, self.distortion_scale)
        return functional.perspective(img, start, end, self.interpolation, colours(self.fill, img))

    def __repr__(self) -> str:
        return shown(self, p=self.p)


class ElasticTransform(Module):
    """Every pixel moved at random, neighbours alike; see ``functional.elastic_transform``.

    Args:
        alpha: how far, (across, down).
        sigma: how alike, the standard deviation of a blur in pixels, (across, down).
        interpolation, fill: as for ``functional.elastic_transform``.

    Reference:
        P. Simard, D. Steinkraus, J. Platt, Best practices for convolutional neural networks, ICDAR 2003.
    """

    def __init__(
        self,
        alpha: float | Sequence[float] = 50.0,
        sigma: float | Sequence[float] = 5.0,
        interpolation: Any = InterpolationMode.BILINEAR,
        fill: Any = 0,
    ) -> None:
        super().__init__()
        self.alpha, self.sigma = _floats("alpha", alpha), _floats("sigma", sigma)
        self.interpolation = mode_of(interpolation)
        if not isinstance(fill, int | float | list | tuple):
            raise TypeError(f"fill should be int or float or a list or tuple of them. Got {type(fill)}")
        self.fill = [float(fill)] if isinstance(fill, int | float) else [float(value) for value in fill]

    @staticmethod
    def get_params(alpha: Sequence[float], sigma: Sequence[float], size: Sequence[int]) -> Any:
        """The field, (1, H, W, 2)."""
        parts = []
        for far, alike, side in zip(alpha, sigma, reversed(size), strict=True):
            field = genesis.rand(1, 1, *size) * 2 - 1
            if alike > 0.0:
                width = int(8 * alike + 1) | 1
                field = functional.gaussian_blur(field, [width, width], list(sigma))
            parts.append(field * far / side)
        return genesis.cat(parts, 1).permute(0, 2, 3, 1)

    def forward(self, tensor: Any) -> Any:
        _, height, width = functional.get_dimensions(tensor)
        field = self.get_params(self.alpha, self.sigma, [height, width])
        return functional.elastic_transform(tensor, field, self.interpolation, self.fill)

    def __repr__(self) -> str:
        return shown(
            self, alpha=self.alpha, sigma=self.sigma, interpolation=self.interpolation, fill=self.fill
        )


def _floats(name: str, value: Any) -> list[float]:
    if not isinstance(value, float | Sequence):
        raise TypeError(f"{name} should be float or a sequence of floats. Got {type(value)}")
    if isinstance(value, float):
        return [value, value]
    if len(value) != 2:
        raise ValueError(f"If {name} is a sequence its length should be 2. Got {len(value)}")
    if not all(isinstance(number, float) for number in value):
        raise TypeError(f"{name} should be a sequence of floats. Got {value!r}")
    return list(value)


class RandomErasing(Module):
    """A random rectangle of a tensor overwritten, with probability ``p``.

    Args:
        p: the probability.
        scale: share of the area, from and to.
        ratio: height by width, from and to.
        value: a number, one for each channel, or ``"random"`` for normal random numbers.
        inplace: overwrite the image itself.

    Raises:
        ValueError: ``p`` or ``scale`` is not from 0 to 1, or there are too few values.

    Reference:
        Z. Zhong et al., Random Erasing Data Augmentation, arXiv:1708.04896, algorithm 1.
    """

    def __init__(
        self,
        p: float = 0.5,
        scale: Sequence[float] = (0.02, 0.33),
        ratio: Sequence[float] = (0.3, 3.3),
        value: float | Sequence[float] | str = 0,
        inplace: bool = False,
    ) -> None:
        super().__init__()
        if not isinstance(value, int | float | str | tuple | list):
            raise TypeError(f"Argument value should be either a number or str or a sequence, got {value!r}")
        if isinstance(value, str) and value != "random":
            raise ValueError(f"If value is str, it should be 'random', got {value!r}")
        check_ranges(scale, ratio)
        if scale[0] < 0 or scale[1] > 1:
            raise ValueError(f"Scale should be between 0 and 1, got {scale}")
        if not 0 <= p <= 1:
            raise ValueError(f"Random erasing probability should be between 0 and 1, got {p}")
        self.p, self.scale, self.ratio, self.value, self.inplace = p, scale, ratio, value, inplace

    @staticmethod
    def get_params(
        img: Any, scale: Sequence[float], ratio: Sequence[float], value: Sequence[float] | None = None
    ) -> tuple[int, int, int, int, Any]:
        """(top, left, height, width, values); the whole image, if ten tries do not fit into it."""
        c, h, w = img.shape[-3:]
        for _ in range(10):
            area = h * w * uniform(scale[0], scale[1])
            shape = math.exp(uniform(math.log(ratio[0]), math.log(ratio[1])))
            height, width = round(math.sqrt(area * shape)), round(math.sqrt(area / shape))
            if height < h and width < w:
                values = (
                    genesis.randn(c, height, width) if value is None else genesis.tensor(value)[:, None, None]
                )
                return below(h - height + 1), below(w - width + 1), height, width, values
        return 0, 0, h, w, img

    def forward(self, img: Any) -> Any:
        if uniform() >= self.p:
            return img
        value: list[float] | None = None
        if not isinstance(self.value, str):
            value = [float(v) for v in (self.value if isinstance(self.value, list | tuple) else [self.value])]
            if len(value) not in (1, img.shape[-3]):
                raise ValueError(
                    "If value is a sequence, it should have either a single value or "
                    f"{img.shape[-3]} (number of input channels)"
                )
        return functional.erase(img, *self.get_params(img, self.scale, self.ratio, value), self.inplace)

    def __repr__(self) -> str:
        return shown(
            self, p=self.p, scale=self.scale, ratio=self.ratio, value=self.value, inplace=self.inplace
        )
