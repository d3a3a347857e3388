"""Losses over vectors and sets of classes, as functions."""

from __future__ import annotations

from collections.abc import Callable

from genesis import ops
from genesis._errors import ShapeError
from genesis._tensor import Tensor
from genesis.nn._checks import check_reduction, shape_of
from genesis.nn.functional._activation import logsigmoid
from genesis.ops._autocast import in_full
from genesis.ops._half_calls import in_float32
from genesis.ops.distance import pairwise_distance
from genesis.ops.loss import reduced


@in_full
def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``1 - cos(x1, x2)`` where the target is 1, ``max(0, cos(x1, x2) - margin)`` where it is -1.

    Args:
        input1, input2: ``(N, D)`` or ``(D,)``.
        target: ``(N,)`` or ``()``, of 1 and -1.
        margin: similarity up to which dissimilar pairs cost nothing.
        size_average, reduce: PyTorch's old way to say ``reduction``; leave them out.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """
    reduction = check_reduction(reduction, size_average, reduce)
    if target.dim() > 1 or input1.dim() != target.dim() + 1 or input2.dim() != target.dim() + 1:
        raise ShapeError(
            "cosine_embedding_loss: expected inputs of shape (N, D) with a target (N,), or (D,) with (); got "
            f"{shape_of(input1)}, {shape_of(input2)} and {shape_of(target)}"
        )
    dim = target.dim()
    squares = [(x * x).sum(dim) + 1e-12 for x in (input1, input2)]
    similarity = (input1 * input2).sum(dim) / (squares[0] * squares[1]).sqrt()
    positive = ops.where(target == 1, 1 - similarity, 0.0)
    negative = ops.where(target == -1, (similarity - margin).clamp_min(0), 0.0)
    return reduced(positive + negative, reduction)  # type: ignore[no-any-return]


def _check_margin(margin: float) -> None:
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")


@in_full
@in_float32
def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``max(0, d(a, p) - d(a, n) + margin)`` with d the p-norm distance along the last dimension.

    Args:
        anchor, positive, negative: ``(N, D)`` or ``(D,)``.
        margin: by how much the negative should be farther; positive.
        p, eps: of ``pairwise_distance``.
        swap: use ``d(p, n)`` for ``d(a, n)`` where it is smaller (Balntas et al. 2016, section 3).
        size_average, reduce: PyTorch's old way to say ``reduction``; leave them out.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: ``margin`` is not positive.
    """
    reduction = check_reduction(reduction, size_average, reduce)
    return triplet_margin_with_distance_loss(
        anchor,
        positive,
        negative,
        distance_function=lambda a, b: pairwise_distance(a, b, p, eps),
        margin=margin,
        swap=swap,
        reduction=reduction,
    )


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """``triplet_margin_loss`` with a distance of your own.

    Args:
        anchor, positive, negative: what ``distance_function`` takes.
        distance_function: gives the distances of two batches; ``pairwise_distance`` unless given.
        margin, swap, reduction: as in ``triplet_margin_loss``.
    """
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction!r} is not a valid value for reduction")
    _check_margin(margin)
    if not anchor.dim() == positive.dim() == negative.dim():
        raise ShapeError(
            "the anchor, positive, and negative tensors are expected to have the same number of dimensions, "
            f"but got shapes {shape_of(anchor)}, {shape_of(positive)} and {shape_of(negative)}"
        )
    distance = pairwise_distance if distance_function is None else distance_function
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = ops.minimum(far, distance(positive, negative))
    return reduced((margin + near - far).clamp_min(0), reduction)  # type: ignore[no-any-return]


@in_full
def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``Σ_i w_y max(0, margin - x_y + x_i)^p / C`` over the classes i other than the target y.

    Args:
        input: ``(N, C)`` or ``(C,)``.
        target: class indices, ``(N,)`` or ``()``.
        p: 1 or 2.
        margin: by how much the target's score should be larger.
        weight: ``(C,)``, a weight for each class.
        size_average, reduce: PyTorch's old way to say ``reduction``; leave them out.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """
    reduction = check_reduction(reduction, size_average, reduce)
    if p not in (1, 2):
        raise ValueError(f"multi_margin_loss: only p == 1 and p == 2 supported, got {p}")
    if weight is not None and weight.dim() != 1:
        raise ValueError("multi_margin_loss: weight must be one-dimensional")
    shape = shape_of(input) or (1,)
    rows = shape[0] if len(shape) == 2 else 1
    if len(shape) not in (1, 2) or not shape[-1]:
        raise ShapeError(f"multi_margin_loss: expected input of shape (N, C) or (C,), got {shape}")
    if target.numel() != rows or target.dim() > 1:
        raise ShapeError(
            f"multi_margin_loss: inconsistent target size, expected {rows} classes, got {shape_of(target)}"
        )
    classes = shape[-1]
    if weight is not None and weight.numel() != classes:
        raise ShapeError(
            f"multi_margin_loss: inconsistent weight size, expected {classes}, got {weight.numel()}"
        )
    x, index = input.reshape(-1, classes), target.reshape(-1, 1)
    _check_classes("multi_margin_loss", index, 0, classes)
    losses = (margin - x.gather(1, index) + x).relu()
    if p == 2:
        losses = losses * losses
    if weight is not None:
        losses = losses * weight[index.reshape(-1)].unsqueeze(1)
    own = ops.arange(classes, device=input.device) == index
    total = ops.where(own, 0.0, losses).sum(1) / classes
    return reduced(total if len(shape) == 2 else total.reshape(target.shape), reduction)  # type: ignore[no-any-return]


def _check_classes(name: str, target: Tensor, low: int, classes: int) -> None:
    if target.dtype.is_floating_point:
        raise RuntimeError(f"{name}: expected class indices of an integer type, got {target.dtype}")
    if bool(((target < low) | (target >= classes)).any()):
        raise RuntimeError(f"{name}: target out of range, there are {classes} classes")


@in_full
def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``Σ_y Σ_i max(0, 1 - (x_y - x_i)) / C`` over the targets y and the classes i that are no targets.

    Args:
        input: ``(N, C)`` or ``(C,)``.
        target: class indices in the shape of ``input``; a row's first -1 ends its list.
        size_average, reduce: PyTorch's old way to say ``reduction``; leave them out.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """
    reduction = check_reduction(reduction, size_average, reduce)
    shape = shape_of(input) or (1,)
    if len(shape) not in (1, 2) or shape != (shape_of(target) or (1,)):
        raise ShapeError(
            f"multilabel_margin_loss: expected input and target of one shape (N, C) or (C,), got {shape} and "
            f"{shape_of(target)}"
        )
    classes = shape[-1]
    x, index = input.reshape(-1, classes), target.reshape(-1, classes)
    _check_classes("multilabel_margin_loss", index, -1, classes)
    listed = (index < 0).cumsum(1) == 0
    safe = ops.where(listed, index, 0).long()
    is_target = ops.zeros_like(x.detach()).scatter_add(1, safe, listed.to(x.dtype)) > 0
    gaps = (1 - (x.gather(1, safe).unsqueeze(2) - x.unsqueeze(1))).relu()
    counted = listed.unsqueeze(2) & ~is_target.unsqueeze(1)
    total = ops.where(counted, gaps, 0.0).sum((1, 2)) / classes
    return reduced(total if len(shape) == 2 else total.reshape(()), reduction)  # type: ignore[no-any-return]


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``-Σ_i w_i (y_i log s(x_i) + (1 - y_i) log s(-x_i)) / C`` along the last dimension, s the sigmoid.

    Args:
        input: ``(N, C)`` or ``(*, C)``.
        target: 0 or 1 for each class, of the same shape.
        weight: ``(C,)``, a weight for each class.
        size_average, reduce: PyTorch's old way to say ``reduction``; leave them out.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """
    reduction = check_reduction(reduction, size_average, reduce)
    losses = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        losses = losses * weight
    return reduced(losses.sum(-1) / input.shape[-1], reduction)  # type: ignore[no-any-return]
