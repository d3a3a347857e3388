"""Checks of arguments that functions and layers share."""

from __future__ import annotations

import warnings

from genesis._errors import GenesisError, OptionError
from genesis._tensor import Tensor


def check_dropout_probability(p: float) -> None:
    """Raise ``ValueError`` unless ``p`` is within [0, 1]."""
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def check_reduction(reduction: str, size_average: bool | None = None, reduce: bool | None = None) -> str:
    """Return the valid name of a reduction; ``size_average`` and ``reduce`` are PyTorch's older spelling."""
    if size_average is not None or reduce is not None:
        summed = "mean" if size_average is None or size_average else "sum"
        reduction = summed if reduce is None or reduce else "none"
        warnings.warn(
            f"size_average and reduce are deprecated, use reduction={reduction!r} instead", stacklevel=3
        )
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction!r} is not a valid value for reduction; use 'mean', 'sum' or 'none'")
    return reduction


def check_label_smoothing(label_smoothing: float) -> float:
    """Return ``label_smoothing``, or raise ``OptionError`` unless it is within [0, 1]."""
    if not 0.0 <= label_smoothing <= 1.0:
        raise OptionError(f"label_smoothing must be between 0.0 and 1.0, got {label_smoothing}")
    return label_smoothing


class PaddingIndexError(GenesisError, ValueError, AssertionError):
    """There is no such row; PyTorch raises an ``AssertionError``."""


def check_padding_index(padding_idx: int, rows: int) -> int:
    """Return ``padding_idx`` counted from the start, or raise ``PaddingIndexError``."""
    if not -rows <= padding_idx < rows:
        raise PaddingIndexError(
            f"padding_idx must be within the {rows} rows of the embedding, got {padding_idx}"
        )
    return padding_idx % rows


def refuse_sparse(name: str, sparse: bool) -> None:
    """Raise ``NotImplementedError`` for gradients that are sparse tensors."""
    if sparse:
        raise NotImplementedError(
            f"{name}: sparse gradients are not implemented; leave sparse at False, gradients are dense"
        )


def shape_of(tensor: Tensor) -> tuple[int, ...]:
    return tuple(tensor.shape)


def warn_of_broadcast(name: str, input: Tensor, target: Tensor) -> None:
    if input.shape != target.shape:
        warnings.warn(
            f"{name}: input of shape {shape_of(input)} and target of shape {shape_of(target)} are "
            "broadcast against each other, which is rarely meant; give them the same shape",
            stacklevel=3,
        )
