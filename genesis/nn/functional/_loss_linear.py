"""The loss of a last linear layer and the cross entropy after it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from genesis._tensor import Tensor
from genesis.nn.functional._linear import linear
from genesis.nn.functional._loss import cross_entropy


@dataclass(frozen=True, slots=True)
class LinearCrossEntropyOptions:
    """How PyTorch is to divide the batch; taken so that a script runs, and checked, but nothing is divided.

    Args:
        allow_retain_graph: the graph may always be kept here.
        batch_chunk_size, chunking_method: rows in a part.
        acc_policy, acc_dtype: where PyTorch sums in another type.
    """

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: str = "auto"
    acc_dtype: Any = None

    def __post_init__(self) -> None:
        if self.acc_policy not in ("auto", "accurate", "balanced", "compact"):
            raise ValueError(f"invalid acc_policy: {self.acc_policy!r}")
        if self.chunking_method not in (None, "auto"):
            name, colon, factor = self.chunking_method.partition(":")
            if name != "aspect_ratio" or (colon and not (factor.isdigit() and int(factor) > 0)):
                raise ValueError(f"invalid chunking_method: {self.chunking_method!r}")
        size = self.batch_chunk_size
        if size is not None and not (isinstance(size, int) and size > 0):
            raise ValueError(f"batch_chunk_size must be positive int or None, got {size!r}")


def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    *,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: LinearCrossEntropyOptions | None = None,
) -> Tensor:
    """``cross_entropy(linear(input, linear_weight, linear_bias), target)``.

    Args:
        input: ``(in_features,)`` or ``(N, in_features)``.
        linear_weight: ``(C, in_features)``, or ``(C, d1, ..., in_features)`` for a loss of K dimensions.
        target: class indices ``()``, ``(N,)`` or ``(N, d1, ...)``, or probabilities ``(C,)`` or
            ``(N, C, d1, ...)``.
        linear_bias: ``(C,)`` or ``(C, d1, ...)``.
        weight: ``(C,)``, a weight for each class.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        ignore_index: targets of this value count for nothing; -100 unless given. Class indices only.
        label_smoothing: share of each target that is spread evenly over all classes, within [0, 1].
        options: changes nothing here.

    Raises:
        RuntimeError: the shapes do not fit, or ``ignore_index`` is given with probabilities.
    """
    if input.dim() not in (1, 2):
        raise RuntimeError(f"expected input with dimensionality 1 or 2, got {input.dim()}")
    if linear_weight.dim() < 2:
        raise RuntimeError(
            f"expected linear_weight with dimensionality at least 2, got {linear_weight.dim()}"
        )
    batch, features = tuple(input.shape[:-1]), input.shape[-1]
    if features != linear_weight.shape[-1]:
        raise RuntimeError(
            "expected equal input and linear_weight last dimensions (in_features), got "
            f"{features} and {linear_weight.shape[-1]}, respectively"
        )
    shape = tuple(linear_weight.shape[:-1])  # (C, d1, ...)
    if linear_bias is not None and tuple(linear_bias.shape) != shape:
        raise RuntimeError(f"expected linear_bias shape {shape}, got {tuple(linear_bias.shape)}")
    if len(shape) > 1 and not batch:
        raise RuntimeError(
            f"a loss of K dimensions by a linear_weight of shape {tuple(linear_weight.shape)} requires a "
            f"batched input, (N, {features}), got shape {tuple(input.shape)}"
        )
    if ignore_index is not None and tuple(target.shape) == (*batch, *shape):
        raise RuntimeError("ignore_index cannot be specified when target contains probabilities")
    rows = math.prod(shape)
    bias = None if linear_bias is None else linear_bias.reshape(rows)
    scores = linear(input, linear_weight.reshape(rows, features), bias).reshape(*batch, *shape)
    return cross_entropy(
        scores,
        target,
        weight,
        ignore_index=-100 if ignore_index is None else ignore_index,
        reduction=reduction,
        label_smoothing=label_smoothing,
    )
