"""Losses as functions."""

from __future__ import annotations

from genesis import ops
from genesis._tensor import Tensor
from genesis.nn._checks import check_reduction, shape_of, warn_of_broadcast
from genesis.ops._autocast import in_full


@in_full
def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Negative log-likelihood of ``softmax(input)``.

    Args:
        input: raw scores, ``(C,)``, ``(N, C)`` or ``(N, C, d1, ...)``.
        target: class indices, of that shape without C; or probabilities, of the input's shape.
        weight: ``(C,)``, a weight for each class.
        size_average, reduce: PyTorch's old way to say ``reduction``; leave them out.
        ignore_index: index that counts for nothing.
        reduction: ``"mean"`` (over the weights of the targets, for indices), ``"sum"`` or ``"none"``.
        label_smoothing: share of each target spread evenly over the classes.

    Raises:
        ShapeError: the shapes do not fit; the message has both.
    """
    reduction = check_reduction(reduction, size_average, reduce)
    out: Tensor = ops.cross_entropy(input, target, weight, ignore_index, reduction, label_smoothing)
    return out


@in_full
def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``-w[y] * x[y]`` for log-probabilities ``x`` and class indices ``y``.

    The arguments are those of ``cross_entropy``.
    """
    reduction = check_reduction(reduction, size_average, reduce)
    out: Tensor = ops.nll_loss(input, target, weight, ignore_index, reduction)
    return out


@in_full
def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The squared difference ``(x - y)²``; shapes that differ are broadcast, with a warning.

    Args:
        input, target: any shape.
        size_average, reduce: PyTorch's old way to say ``reduction``; leave them out.
        reduction: ``"mean"`` (over the weights, if any), ``"sum"`` or ``"none"``.
        weight: factor of each element's loss, of the shape of ``input``.
    """
    reduction = check_reduction(reduction, size_average, reduce)
    warn_of_broadcast("mse_loss", input, target)
    if weight is not None:
        return _weighted(ops.mse_loss(input, target, "none"), input, weight, reduction)
    out: Tensor = ops.mse_loss(input, target, reduction)
    return out


@in_full
def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The absolute difference ``|x - y|``; shapes that differ are broadcast, with a warning.

    Args:
        input, target: any shape.
        size_average, reduce: PyTorch's old way to say ``reduction``; leave them out.
        reduction: ``"mean"`` (over the weights, if any), ``"sum"`` or ``"none"``.
        weight: factor of each element's loss, of the shape of ``input``.
    """
    reduction = check_reduction(reduction, size_average, reduce)
    warn_of_broadcast("l1_loss", input, target)
    if weight is not None:
        return _weighted(ops.l1_loss(input, target, "none"), input, weight, reduction)
    out: Tensor = ops.l1_loss(input, target, reduction)
    return out


@in_full
def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """``-w (p y log s + (1 - y) log(1 - s))`` with ``s = sigmoid(x)``, computed without overflow.

    Args:
        input: raw scores of any shape.
        target: probabilities of the same shape.
        weight: ``w``, broadcast to the input.
        size_average, reduce: PyTorch's old way to say ``reduction``; leave them out.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        pos_weight: ``p``, broadcast to the input.

    Raises:
        ValueError: the shapes differ.
    """
    reduction = check_reduction(reduction, size_average, reduce)
    out: Tensor = ops.binary_cross_entropy_with_logits(input, target, weight, reduction, pos_weight)
    return out


def _weighted(losses: Tensor, input: Tensor, weight: Tensor, reduction: str) -> Tensor:
    """Weighted losses; their mean is over the weights."""
    if weight.shape != input.shape:
        raise ValueError(
            f"weight and input must have the same size, got {shape_of(weight)} and {shape_of(input)}"
        )
    losses = losses * weight
    if reduction == "none":
        return losses
    return losses.sum() / weight.sum() if reduction == "mean" else losses.sum()
