"""Windows of signal processing, by the names of ``torch.signal.windows``.

Each gives ``M`` values, symmetric or, with ``sym=False``, the first ``M`` of a symmetric window of ``M + 1``,
which is one period. ``dtype``, ``device`` and ``requires_grad`` are as in ``genesis.zeros``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from genesis._dtypes import as_dtype, default_dtype, float32, float64, strided
from genesis.ops.creation import _leaf, _place, from_host

if TYPE_CHECKING:
    from genesis._tensor import Tensor

if not TYPE_CHECKING:
    from genesis._lazy import missing

    __getattr__ = missing(__name__)

__all__ = [
    "bartlett",
    "blackman",
    "cosine",
    "exponential",
    "gaussian",
    "general_cosine",
    "general_hamming",
    "hamming",
    "hann",
    "kaiser",
    "nuttall",
]

Values = np.ndarray[Any, Any]


def _window(name: str, M: int, sym: bool, formula: Callable[[Values, int], Values], options: Any) -> Tensor:
    """``formula`` of 0 … M - 1 and the length of a period."""
    dtype, layout = options.pop("dtype", None), options.pop("layout", strided)
    device, requires_grad = options.pop("device", None), options.pop("requires_grad", False)
    if options:
        raise TypeError(f"{name}() got an unexpected keyword argument {next(iter(options))!r}")
    want = default_dtype() if dtype is None else as_dtype(dtype)
    if M < 0:
        raise ValueError(f"{name} requires non-negative window length, got M={M}")
    if layout is not strided:
        raise ValueError(f"{name} is implemented for strided tensors only, got: {layout}")
    if want not in (float32, float64):
        raise ValueError(f"{name} expects float32 or float64 dtypes, got: {want}")
    k = np.arange(M, dtype=np.float64)
    values = formula(k, M - 1 if sym else M) if M else k
    return _leaf(from_host(values.astype(want.name), _place(device)), requires_grad)


def exponential(
    M: int, *, center: float | None = None, tau: float = 1.0, sym: bool = True, **options: Any
) -> Tensor:
    """``exp(-|k - center| / tau)``; ``center`` is the middle unless given, which only ``sym=False`` allows.

    Raises:
        ValueError: ``tau`` is not positive, or ``center`` is given for a symmetric window.
    """
    if tau <= 0:
        raise ValueError(f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ValueError("Center must be None for symmetric windows")

    def formula(k: Values, period: int) -> Values:
        middle = (period if len(k) > 1 else 0) / 2 if center is None else center
        return np.exp(-np.abs(k - middle) / tau)

    return _window("exponential", M, sym, formula, options)


def cosine(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """``sin(pi (k + 0.5) / M)``, half a wave."""
    return _window(
        "cosine", M, sym, lambda k, n: np.sin(np.pi * (k + 0.5) / (n + 1 if len(k) > 1 else 1)), options
    )


def gaussian(M: int, *, std: float = 1.0, sym: bool = True, **options: Any) -> Tensor:
    """``exp(-(k - middle)² / (2 std²))``.

    Raises:
        ValueError: ``std`` is not positive.
    """
    if std <= 0:
        raise ValueError(f"Standard deviation must be positive, got: {std} instead.")

    def formula(k: Values, period: int) -> Values:
        middle = (period if len(k) > 1 else 0) / 2
        return np.exp(-(((k - middle) / std) ** 2) / 2)

    return _window("gaussian", M, sym, formula, options)


def kaiser(M: int, *, beta: float = 12.0, sym: bool = True, **options: Any) -> Tensor:
    """``I0(beta sqrt(1 - (2 k / N - 1)²)) / I0(beta)`` (Kaiser and Schafer 1980).

    Raises:
        ValueError: ``beta`` is negative.
    """
    if beta < 0:
        raise ValueError(f"beta must be non-negative, got: {beta} instead.")

    def formula(k: Values, period: int) -> Values:
        if len(k) == 1:
            return np.ones(1)
        at = np.minimum(2 * k / period - 1, 1)
        return np.i0(beta * np.sqrt(1 - at**2)) / np.i0(beta)

    return _window("kaiser", M, sym, formula, options)


def bartlett(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """``1 - |2 k / N - 1|``, a triangle."""
    return _window(
        "bartlett", M, sym, lambda k, n: 1 - np.abs(2 * k / n - 1) if len(k) > 1 else np.ones(1), options
    )


def general_cosine(M: int, *, a: Sequence[float], sym: bool = True, **options: Any) -> Tensor:
    """``sum_i (-1)^i a[i] cos(2 pi i k / N)``.

    Raises:
        TypeError: ``a`` is no list.
        ValueError: ``a`` is empty.
    """
    return _cosines("general_cosine", M, a, sym, options)


def _cosines(name: str, M: int, a: Any, sym: bool, options: Any) -> Tensor:
    def formula(k: Values, period: int) -> Values:
        if len(k) == 1:
            return np.ones(1)
        if not isinstance(a, list | tuple):
            raise TypeError(f"{name}: coefficients must be a list or tuple, got {type(a).__name__}")
        if not a:
            raise ValueError(f"{name}: coefficients cannot be empty")
        waves = [(-1) ** i * w * np.cos(i * 2 * math.pi / period * k) for i, w in enumerate(a)]
        total: Values = np.sum(waves, 0)
        return total

    return _window(name, M, sym, formula, options)


def general_hamming(M: int, *, alpha: float = 0.54, sym: bool = True, **options: Any) -> Tensor:
    """``alpha - (1 - alpha) cos(2 pi k / N)``."""
    return _cosines("general_hamming", M, [alpha, 1.0 - alpha], sym, options)


def hamming(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """``0.54 - 0.46 cos(2 pi k / N)``."""
    return _cosines("hamming", M, [0.54, 0.46], sym, options)


def hann(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """``0.5 - 0.5 cos(2 pi k / N)``."""
    return _cosines("hann", M, [0.5, 0.5], sym, options)


def blackman(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """``0.42 - 0.5 cos(2 pi k / N) + 0.08 cos(4 pi k / N)``."""
    return _cosines("blackman", M, [0.42, 0.5, 0.08], sym, options)


def nuttall(M: int, *, sym: bool = True, **options: Any) -> Tensor:
    """Four cosines with small side lobes (Nuttall 1981)."""
    return _cosines("nuttall", M, [0.3635819, 0.4891775, 0.1365995, 0.0106411], sym, options)
