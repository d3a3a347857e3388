"""Transforms that change values by chance, and that choose transforms."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

import genesis
from genesis.data.transforms import functional
from genesis.data.transforms._basic import listed, shown
from genesis.data.transforms._drawing import below, uniform
from genesis.data.transforms._place import pair
from genesis.nn import Module

Range = tuple[float, float] | None


class ColorJitter(Module):
    """Brightness, contrast, saturation and hue changed at random, in random order.

    For the first three a number ``a`` means a factor from ``max(0, 1 - a)`` to ``1 + a``; for ``hue`` a shift
    from ``-a`` to ``a``, at most 0.5. A pair is the range itself.

    Raises:
        TypeError, ValueError: an argument is neither, or the range is not within the possible values.
    """

    def __init__(self, brightness: Any = 0, contrast: Any = 0, saturation: Any = 0, hue: Any = 0) -> None:
        super().__init__()
        self.brightness = _range("brightness", brightness)
        self.contrast = _range("contrast", contrast)
        self.saturation = _range("saturation", saturation)
        self.hue = _range("hue", hue, 0.0, (-0.5, 0.5))

    @staticmethod
    def get_params(
        brightness: Range, contrast: Range, saturation: Range, hue: Range
    ) -> tuple[Any, float | None, float | None, float | None, float | None]:
        """The order, from 0 for brightness to 3 for hue, and the four amounts."""
        order = genesis.randperm(4)
        b, c, s, h = (
            None if v is None else uniform(v[0], v[1]) for v in (brightness, contrast, saturation, hue)
        )
        return order, b, c, s, h

    def forward(self, img: Any) -> Any:
        order, *amounts = self.get_params(self.brightness, self.contrast, self.saturation, self.hue)
        changes = (
            functional.adjust_brightness,
            functional.adjust_contrast,
            functional.adjust_saturation,
            functional.adjust_hue,
        )
        for i in order.tolist():
            if amounts[i] is not None:
                img = changes[i](img, amounts[i])
        return img

    def __repr__(self) -> str:
        return shown(
            self, brightness=self.brightness, contrast=self.contrast, saturation=self.saturation, hue=self.hue
        )


def _range(
    name: str, value: Any, center: float = 1.0, bound: tuple[float, float] = (0, float("inf"))
) -> Range:
    if isinstance(value, int | float):
        if value < 0:
            raise ValueError(f"If {name} is a single number, it must be non negative, got {value}.")
        low, high = center - float(value), center + float(value)
        low = max(low, 0.0) if center else low
    elif isinstance(value, tuple | list) and len(value) == 2:
        low, high = float(value[0]), float(value[1])
    else:
        raise TypeError(f"{name} should be a single number or a list/tuple with length 2, got {value!r}.")
    if not bound[0] <= low <= high <= bound[1]:
        raise ValueError(f"{name} values should be between {bound}, but got {[low, high]}.")
    return None if low == high == center else (low, high)


class RandomGrayscale(Module):
    """Grey with probability ``p``; the number of channels stays."""

    def __init__(self, p: float = 0.1) -> None:
        super().__init__()
        self.p = p

    def forward(self, img: Any) -> Any:
        channels = functional.get_dimensions(img)[0]
        return functional.rgb_to_grayscale(img, channels) if uniform() < self.p else img

    def __repr__(self) -> str:
        return shown(self, p=self.p)


class GaussianBlur(Module):
    """Blurred with a random sigma; see ``functional.gaussian_blur``.

    Args:
        kernel_size: odd, (across, down).
        sigma: the range, or a number.
    """

    def __init__(self, kernel_size: int | Sequence[int], sigma: float | Sequence[float] = (0.1, 2.0)) -> None:
        super().__init__()
        self.kernel_size = pair(kernel_size, "Kernel size should be a tuple/list of two integers")
        if any(size <= 0 or size % 2 == 0 for size in self.kernel_size):
            raise ValueError(f"Kernel size value should be an odd and positive number, got {kernel_size}.")
        if isinstance(sigma, int | float):
            if sigma <= 0:
                raise ValueError(f"If sigma is a single number, it must be positive, got {sigma}.")
            sigma = (sigma, sigma)
        elif not isinstance(sigma, Sequence) or len(sigma) != 2:
            raise ValueError(f"sigma should be a single number or a list/tuple with length 2, got {sigma!r}.")
        elif not 0.0 < sigma[0] <= sigma[1]:
            raise ValueError(f"sigma values should be positive and of the form (min, max), got {sigma}.")
        self.sigma = sigma

    @staticmethod
    def get_params(sigma_min: float, sigma_max: float) -> float:
        """The standard deviation."""
        return uniform(sigma_min, sigma_max)

    def forward(self, img: Any) -> Any:
        sigma = self.get_params(self.sigma[0], self.sigma[1])
        return functional.gaussian_blur(img, self.kernel_size, [sigma, sigma])

    def __repr__(self) -> str:
        return shown(self, kernel_size=self.kernel_size, sigma=self.sigma)


class _Sometimes(Module):
    """A change with probability ``p``."""

    p: float

    def _change(self, img: Any) -> Any:
        raise NotImplementedError

    def forward(self, img: Any) -> Any:
        return self._change(img) if uniform() < self.p else img

    def __repr__(self) -> str:
        options = {k: v for k, v in vars(self).items() if k in ("bits", "threshold", "sharpness_factor")}
        return f"{type(self).__name__}({','.join(f'{k}={v}' for k, v in (options | {'p': self.p}).items())})"


class RandomInvert(_Sometimes):
    """Black and white swapped with probability ``p``."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def _change(self, img: Any) -> Any:
        return functional.invert(img)


class RandomPosterize(_Sometimes):
    """Only the upper ``bits`` of each byte, with probability ``p``."""

    def __init__(self, bits: int, p: float = 0.5) -> None:
        super().__init__()
        self.bits, self.p = bits, p

    def _change(self, img: Any) -> Any:
        return functional.posterize(img, self.bits)


class RandomSolarize(_Sometimes):
    """Values from ``threshold`` on inverted, with probability ``p``."""

    def __init__(self, threshold: float, p: float = 0.5) -> None:
        super().__init__()
        self.threshold, self.p = threshold, p

    def _change(self, img: Any) -> Any:
        return functional.solarize(img, self.threshold)


class RandomAdjustSharpness(_Sometimes):
    """Sharper by a factor, with probability ``p``; see ``functional.adjust_sharpness``."""

    def __init__(self, sharpness_factor: float, p: float = 0.5) -> None:
        super().__init__()
        self.sharpness_factor, self.p = sharpness_factor, p

    def _change(self, img: Any) -> Any:
        return functional.adjust_sharpness(img, self.sharpness_factor)


class RandomAutocontrast(_Sometimes):
    """Each channel from black to white, with probability ``p``."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def _change(self, img: Any) -> Any:
        return functional.autocontrast(img)


class RandomEqualize(_Sometimes):
    """Each channel with all values equally often, with probability ``p``."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def _change(self, img: Any) -> Any:
        return functional.equalize(img)


class RandomApply(Module):
    """All of some transforms, with probability ``p``."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]], p: float = 0.5) -> None:
        super().__init__()
        self.transforms, self.p = transforms, p

    def forward(self, img: Any) -> Any:
        if uniform() >= self.p:
            return img
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        return listed("RandomApply", f"p={self.p}", *self.transforms)


class RandomTransforms:
    """Base class of what chooses among transforms."""

    def __init__(self, transforms: Sequence[Callable[..., Any]]) -> None:
        if not isinstance(transforms, Sequence):
            raise TypeError(f"Argument transforms should be a sequence, got {transforms!r}")
        self.transforms = transforms

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define __call__")

    def __repr__(self) -> str:
        return listed(type(self).__name__, *self.transforms)


def check_shares(p: Any, n: int) -> None:
    """Raise unless these are shares of ``n`` transforms, or None."""
    if p is not None and not isinstance(p, Sequence):
        raise TypeError(f"Argument p should be a sequence, got {p!r}")
    if p is not None and len(p) != n:
        raise ValueError(f"p has {len(p)} numbers for {n} transforms")


def chosen(p: Sequence[float] | None, n: int) -> int:
    """A number below ``n``, by these shares or equally often."""
    if p is None:
        return below(n)
    ends = list(accumulate(p))
    return min(bisect_right(ends, uniform(0.0, ends[-1])), n - 1)


class RandomOrder(RandomTransforms):
    """All of some transforms, in random order."""

    def __call__(self, img: Any) -> Any:
        for i in genesis.randperm(len(self.transforms)).tolist():
            img = self.transforms[i](img)
        return img


class RandomChoice(RandomTransforms):
    """One of some transforms.

    Args:
        transforms: which.
        p: how often each, in proportion; by default equally often.
    """

    def __init__(self, transforms: Sequence[Callable[..., Any]], p: Sequence[float] | None = None) -> None:
        super().__init__(transforms)
        check_shares(p, len(transforms))
        self.p = p

    def __call__(self, *args: Any) -> Any:
        return self.transforms[chosen(self.p, len(self.transforms))](*args)

    def __repr__(self) -> str:
        return f"{super().__repr__()}(p={self.p})"
