"""Single random numbers, and the options of random transforms. All draw from the global generator."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from genesis._random import default_generator
from genesis.backend.philox import word
from genesis.data.transforms._image import is_tensor


def uniform(low: float = 0.0, high: float = 1.0) -> float:
    """A number between two, from that of ``genesis.rand(1)``."""
    return low + (high - low) * ((word(*default_generator.take(1)) >> 8) * 2.0**-24)


def below(n: int) -> int:
    """A whole number from 0 to ``n - 1``, that of ``genesis.randint(n, (1,))``."""
    return word(*default_generator.take(1)) * n >> 32


def check_lengths(name: str, value: Any, lengths: tuple[int, ...] = (2,)) -> None:
    """Raise unless it is a sequence of one of these lengths."""
    wanted = " or ".join(map(str, lengths))
    if not isinstance(value, Sequence):
        raise TypeError(f"{name} should be a sequence of length {wanted}, got {value!r}.")
    if len(value) not in lengths:
        raise ValueError(f"{name} should be a sequence of length {wanted}, got {value!r}.")


def angles(name: str, value: Any, lengths: tuple[int, ...] = (2,)) -> list[float]:
    """The range of a number, from its negative, or the numbers given."""
    if isinstance(value, int | float):
        if value < 0:
            raise ValueError(f"If {name} is a single number, it must be positive, got {value}.")
        return [-float(value), float(value)]
    check_lengths(name, value, lengths)
    return [float(number) for number in value]


def fill_option(fill: Any) -> Any:
    """What is given as ``fill``; None is 0."""
    if fill is not None and not isinstance(fill, Sequence | int | float):
        raise TypeError(f"Fill should be either a sequence or a number, got {fill!r}.")
    return 0 if fill is None else fill


def colours(fill: Any, img: Any) -> Any:
    """For a tensor, floating-point numbers."""
    if not is_tensor(img):
        return fill
    return [float(fill)] if isinstance(fill, int | float) else [float(value) for value in fill]


def check_ranges(scale: Any, ratio: Any) -> None:
    """Raise, or warn, unless these are two ranges."""
    for name, value in (("Scale", scale), ("Ratio", ratio)):
        if not isinstance(value, Sequence):
            raise TypeError(f"{name} should be a sequence, got {value!r}")
    if scale[0] > scale[1] or ratio[0] > ratio[1]:
        warnings.warn("Scale and ratio should be of kind (min, max)", stacklevel=3)
