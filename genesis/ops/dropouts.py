"""Dropout of whole channels, and the one for self-normalizing networks, beside ``dropout`` itself."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from genesis._dtypes import DtypeError
from genesis.autograd.graph import new
from genesis.backend.expr import call
from genesis.ops._elementwise import Elementwise
from genesis.ops.normalization import dropout as plain_dropout

if TYPE_CHECKING:
    from genesis._tensor import Tensor

#: minus the value that SELU tends to (Klambauer et al., arXiv 1706.02515)
_LIMIT = 1.7580993408473766

_alpha = Elementwise(
    "alpha_dropout",
    lambda x, noise, p, dropped, a, b: call("where", call("lt", noise, p), dropped, x * a + b),
    6,
    "same",
    grad=lambda g, x, noise, p, dropped, a, b, out: (
        call("where", call("lt", noise, p), 0, g * a),
        *(None,) * 5,
    ),
)
_keep = Elementwise(
    "feature_dropout",
    lambda x, noise, p, scale: call("where", call("lt", noise, p), 0, x * scale),
    4,
    "same",
    grad=lambda g, x, noise, p, scale, out: (
        call("where", call("lt", noise, p), 0, g * scale),
        *(None,) * 3,
    ),
)


_keep_add = Elementwise(
    "dropout_add",
    lambda x, r, noise, p, scale: r + call("where", call("lt", noise, p), 0, x * scale),
    5,
    "same",
    grad=lambda g, x, r, noise, p, scale, out: (
        call("where", call("lt", noise, p), 0, g * scale),
        g,
        *(None,) * 3,
    ),
)


def _idle(name: str, x: Any, p: float, train: bool) -> Any:
    """What needs no random numbers: the input itself, or zeros; None where some are needed."""
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    if not train or p == 0.0 or not x.numel():
        return x
    if not x.dtype.is_floating_point:
        raise DtypeError(f"{name} in training is not defined for {x.dtype}; convert with .float()")
    return x * 0.0 if p == 1.0 else None


def _noise(x: Any, features: bool) -> Any:
    """Uniform numbers for each element, or for each feature of each sample."""
    from genesis.ops.random import draw

    shape = x._view.shape
    if features:
        shape = shape[:2] + (1,) * (len(shape) - 2)
    device = x._view.buffer.device
    noise = new(device.backend.empty(shape, x._view.dtype, device))
    draw("uniform", noise._view, None)
    return noise


def _check_features(x: Any) -> None:
    if x.dim() < 2:
        raise RuntimeError(f"feature dropout requires at least 2 dimensions in the input, got {x.dim()}")


def dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Zero each element with probability ``p`` and scale the rest by 1 / (1 - p); in training only."""
    out = _idle("dropout", input, p, train)
    return plain_dropout(input, p, train) if out is None else out  # type: ignore[no-any-return]


def dropout_add(input: Tensor, residual: Tensor, p: float) -> Tensor:
    """``residual + dropout(input, p)`` in training, in one pass; ``p`` is neither 0 nor 1."""
    return _keep_add(input, residual, _noise(input, False), float(p), 1.0 / (1.0 - p))


def feature_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """``dropout`` of whole features: of ``(N, C, *)`` all of a channel, or nothing."""
    out = _idle("feature_dropout", input, p, train)
    if out is not None and (not train or p == 0.0):
        return out  # type: ignore[no-any-return]
    _check_features(input)
    if out is not None:
        return out  # type: ignore[no-any-return]
    return _keep(input, _noise(input, True), float(p), 1.0 / (1.0 - p))


def _alpha_numbers(p: float) -> tuple[float, float, float]:
    """What dropped elements become, and the factor and the term of the others: mean and variance stay."""
    a = 1.0 / math.sqrt((_LIMIT * _LIMIT * p + 1.0) * (1.0 - p))
    return _LIMIT * a * p - _LIMIT * a, a, _LIMIT * a * p


def alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Dropout that keeps mean 0 and variance 1: elements become SELU's limit, then all are scaled and moved.

    Reference: Klambauer et al., arXiv 1706.02515, section 3, "New dropout technique".
    """
    out = _idle("alpha_dropout", input, p, train)
    if out is not None:
        return out  # type: ignore[no-any-return]
    return _alpha(input, _noise(input, False), float(p), *_alpha_numbers(p))


def feature_alpha_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """``alpha_dropout`` of whole features of ``(N, C, *)``."""
    out = _idle("feature_alpha_dropout", input, p, train)
    if out is not None and (not train or p == 0.0):
        return out  # type: ignore[no-any-return]
    _check_features(input)
    if out is not None:
        return out  # type: ignore[no-any-return]
    return _alpha(input, _noise(input, True), float(p), *_alpha_numbers(p))


def _in_place(function: Any) -> Any:
    def run(input: Tensor, p: float, train: bool) -> Tensor:
        if not train or p == 0.0:  # nothing is written
            return function(input, p, train)  # type: ignore[no-any-return]
        return input.copy_(function(input.clone(), p, train))

    run.__name__ = run.__qualname__ = f"{function.__name__}_"
    run.__doc__ = f"``{function.__name__}`` in place."
    return run


dropout_ = _in_place(dropout)
feature_dropout_ = _in_place(feature_dropout)
alpha_dropout_ = _in_place(alpha_dropout)
feature_alpha_dropout_ = _in_place(feature_alpha_dropout)
