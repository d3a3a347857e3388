"""Dropout as functions."""

from __future__ import annotations

import warnings
from typing import Any

from genesis._tensor import Tensor
from genesis.nn._checks import check_dropout_probability
from genesis.ops import dropouts


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """In training, zero each element with probability ``p`` and scale the rest by ``1 / (1 - p)``.

    Raises:
        ValueError: ``p`` is outside [0, 1].
    """
    out: Tensor = (dropouts.dropout_ if inplace else dropouts.dropout)(input, p, training)
    return out


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """In training, dropout that keeps mean 0 and variance 1, for networks with ``SELU``.

    Elements become SELU's limit with probability ``p``; then all are scaled and moved (Klambauer et al. 2017,
    arXiv:1706.02515).

    Raises:
        ValueError: ``p`` is outside [0, 1].
    """
    out: Tensor = (dropouts.alpha_dropout_ if inplace else dropouts.alpha_dropout)(input, p, training)
    return out


def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """``alpha_dropout`` of whole channels of ``(N, C, *)``.

    Raises:
        ValueError: ``p`` is outside [0, 1].
    """
    function = dropouts.feature_alpha_dropout_ if inplace else dropouts.feature_alpha_dropout
    out: Tensor = function(input, p, training)
    return out


def _features(input: Any, p: float, training: bool, inplace: bool, batched: bool) -> Tensor:
    check_dropout_probability(p)
    function = dropouts.feature_dropout_ if inplace else dropouts.feature_dropout
    if batched:
        return function(input, p, training)
    out: Tensor = function(input.unsqueeze(0), p, training).squeeze(0)
    return input if inplace else out


def _advise(name: str, dims: int, wanted: tuple[int, int]) -> None:
    if dims not in wanted:
        warnings.warn(
            f"{name}: got a {dims}D input, which is deprecated; it drops channels of inputs of {wanted[0]} "
            f"or {wanted[1]} dimensions. Use dropout for single elements",
            stacklevel=3,
        )


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """In training, zero whole channels of ``(N, C, L)`` or ``(C, L)`` and scale the rest.

    Raises:
        ValueError: ``p`` is outside [0, 1].
        RuntimeError: the input has another number of dimensions.
    """
    check_dropout_probability(p)
    if input.dim() not in (2, 3):
        raise RuntimeError(f"dropout1d: expected 2D or 3D input, but received a {input.dim()}D input")
    return _features(input, p, training, inplace, input.dim() == 3)


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """In training, zero whole channels of ``(N, C, H, W)`` and scale the rest.

    As in PyTorch, a 3D input is taken for ``(N, C, L)``, with a warning.

    Raises:
        ValueError: ``p`` is outside [0, 1].
    """
    check_dropout_probability(p)
    _advise("dropout2d", input.dim(), (3, 4))
    if input.dim() == 3:
        warnings.warn(
            "dropout2d: a 3D input is taken for (N, C, L); say dropout1d if you mean this, or add a batch",
            stacklevel=2,
        )
    return _features(input, p, training, inplace, True)


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """In training, zero whole channels of ``(N, C, D, H, W)`` or ``(C, D, H, W)`` and scale the rest.

    Raises:
        ValueError: ``p`` is outside [0, 1].
    """
    check_dropout_probability(p)
    _advise("dropout3d", input.dim(), (4, 5))
    return _features(input, p, training, inplace, input.dim() == 5)
