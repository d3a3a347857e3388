"""Windows of signal processing: the first ``n`` values of a bump, periodic or symmetric."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from genesis._dtypes import as_dtype, default_dtype
from genesis.ops.creation import _leaf, _place, from_host

if TYPE_CHECKING:
    from genesis._tensor import Tensor


def _window(name: str, length: int, periodic: bool, formula: Any, options: dict[str, Any]) -> Tensor:
    """``formula`` of 0, 1, … and the distance of the ends, in float64 on the host."""
    dtype, device, requires_grad = (options.pop(k, None) for k in ("dtype", "device", "requires_grad"))
    if options:
        raise TypeError(f"{name}() got an unexpected keyword argument {next(iter(options))!r}")
    want = default_dtype() if dtype is None else as_dtype(dtype)
    if not want.is_floating_point:
        raise RuntimeError(f"{name} expects a floating-point dtype, got {want}")
    if length < 0:
        raise RuntimeError(f"{name} requires a non-negative window_length, got {length}")
    if length <= 1:
        values = np.ones(length)
    else:
        span = length if periodic else length - 1
        values = formula(np.arange(length, dtype=np.float64), float(span))
    return _leaf(from_host(values.astype(want.name), _place(device)), bool(requires_grad))


def hann_window(window_length: int, periodic: bool = True, **options: Any) -> Tensor:
    """``0.5 - 0.5 cos(2 pi k / N)``; N is the length, or one less where ``periodic`` is False."""
    return _window(
        "hann_window", window_length, periodic, lambda k, n: 0.5 - 0.5 * np.cos(2 * np.pi * k / n), options
    )


def hamming_window(
    window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46, **options: Any
) -> Tensor:
    """``alpha - beta cos(2 pi k / N)``."""
    return _window(
        "hamming_window",
        window_length,
        periodic,
        lambda k, n: alpha - beta * np.cos(2 * np.pi * k / n),
        options,
    )


def blackman_window(window_length: int, periodic: bool = True, **options: Any) -> Tensor:
    """``0.42 - 0.5 cos(2 pi k / N) + 0.08 cos(4 pi k / N)``."""
    return _window(
        "blackman_window",
        window_length,
        periodic,
        lambda k, n: 0.42 - 0.5 * np.cos(2 * np.pi * k / n) + 0.08 * np.cos(4 * np.pi * k / n),
        options,
    )


def bartlett_window(window_length: int, periodic: bool = True, **options: Any) -> Tensor:
    """A triangle, ``1 - |2 k / N - 1|``."""
    return _window(
        "bartlett_window", window_length, periodic, lambda k, n: 1 - np.abs(2 * k / n - 1), options
    )


def kaiser_window(window_length: int, periodic: bool = True, beta: float = 12.0, **options: Any) -> Tensor:
    """``I0(beta sqrt(1 - (2 k / N - 1)^2)) / I0(beta)``."""
    return _window(
        "kaiser_window",
        window_length,
        periodic,
        lambda k, n: np.i0(beta * np.sqrt(np.maximum(1 - (2 * k / n - 1) ** 2, 0))) / np.i0(beta),
        options,
    )
