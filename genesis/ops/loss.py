"""Losses."""

from __future__ import annotations

from typing import Any

from genesis._dtypes import int64
from genesis._errors import OptionError, ShapeError
from genesis.autograd.grad_mode import state
from genesis.autograd.graph import new
from genesis.backend.expr import call
from genesis.backend.view import broadcast_shapes
from genesis.ops import elementwise as ew
from genesis.ops._elementwise import Elementwise
from genesis.ops._half_calls import in_float32
from genesis.ops._op import op
from genesis.ops._view import zeros_view
from genesis.ops.indexing import embedding, gather, scatter, scatter_
from genesis.ops.normalization import log_softmax, logsumexp
from genesis.ops.picking import one_hot
from genesis.ops.reduction import mean, sum
from genesis.ops.shape import movedim, reshape, unsqueeze


def reduced(x: Any, reduction: str) -> Any:
    """``mean``, ``sum`` or ``none`` of the losses of all elements.

    Raises:
        ValueError: ``reduction`` is something else.
    """
    if reduction == "mean":
        return mean(x)
    if reduction == "sum":
        return sum(x)
    if reduction == "none":
        return x
    raise ValueError(f"{reduction!r} is not a valid value for reduction; use 'mean', 'sum' or 'none'")


# -- classification ----------------------------------------------------------------------------------------
def _class_weights(target: Any, weight: Any, ignore_index: int, like: Any) -> tuple[Any, Any, Any]:
    """For each row: whether it counts, a class that is safe to look up, and its weight."""
    counts = ew.ne(target, ignore_index)
    safe = ew.where(counts, target, 0)
    rows = counts.to(like.dtype)
    return counts, safe, rows if weight is None else rows * embedding(safe, weight)


def _of_classes(weight: Any, x: Any) -> Any:
    """The weights (C,) beside ``x`` of shape (N, C, …)."""
    return reshape(weight, (-1, *(1,) * (x.dim() - 2)))


@op(saves=("logits", "target", "weight", "lse", "total"), results=("loss", "lse", "total"))
def _cross_entropy(
    logits: Any, target: Any, weight: Any, *, ignore_index: int, reduction: str, label_smoothing: float
) -> Any:
    counts, safe, w = _class_weights(target, weight, ignore_index, logits)
    lse = logsumexp(logits, 1)
    losses = w * (lse - reshape(gather(logits, 1, unsqueeze(safe, 1)), safe.shape))
    if label_smoothing:
        distance = unsqueeze(lse, 1) - logits
        spread = sum(distance if weight is None else distance * _of_classes(weight, logits), 1)
        smooth = ew.where(counts, spread, 0.0)
        losses = losses * (1 - label_smoothing) + smooth * (label_smoothing / logits.shape[1])
    total = sum(w) if reduction == "mean" else sum(w) * 0 + 1
    if reduction == "none":
        return losses, lse, total
    return sum(losses) / total, lse, total


@_cross_entropy.backward_rule
def _cross_entropy_backward(
    needs: Any, grad: Any, logits: Any, target: Any, weight: Any, lse: Any, total: Any,
    *, ignore_index: int, reduction: str, label_smoothing: float,
) -> tuple[Any, None, None]:  # fmt: skip
    counts, safe, w = _class_weights(target, weight, ignore_index, logits)
    if lse is None:
        lse = logsumexp(logits, 1)
        total = sum(w) if reduction == "mean" else sum(w) * 0 + 1
    p = ew.exp(logits - unsqueeze(lse, 1))
    classes = logits.shape[1]
    hot = movedim(one_hot(safe, classes), -1, 1)
    g = unsqueeze(w * (1 - label_smoothing), 1) * (p - hot.to(p.dtype))
    if label_smoothing:
        even = (p * classes - 1) if weight is None else p * sum(weight) - _of_classes(weight, p)
        g = g + ew.where(unsqueeze(counts, 1), even * (label_smoothing / classes), 0.0)
    share = unsqueeze(grad, 1) if reduction == "none" else grad / total
    return g * share, None, None


def _fitting(x: Any, target: Any) -> tuple[Any, Any]:
    """Scores as (N, C) or (N, C, L), their targets as (N,) or (N, L); copies nothing where memory allows."""
    if len(x._view.shape) == 2 and len(target._view.shape) == 1 and target._view.dtype is int64:
        return x, target
    if x.dim() < 3 or x._view.strides[1] == 1 or not x._view.size:  # a position's classes lie together
        return _rows(x), reshape(target, -1).to(int64)
    n, classes = x._view.shape[:2]
    return reshape(x, (n, classes, -1)), reshape(target, (n, -1)).to(int64)


def _rows(x: Any) -> Any:
    """(N, C, d1, …) -> (N d1 …, C); (C,) -> (1, C)."""
    if x.dim() == 1:
        return reshape(x, (1, -1))
    return x if x.dim() == 2 else reshape(movedim(x, 1, -1), (-1, x.shape[1]))


class BatchSizeError(ShapeError, ValueError):
    """Input and target have different first dimensions."""


def _check_classes(name: str, x: Any, target: Any, weight: Any) -> None:
    shape, have = x._view.shape, target._view.shape
    many = len(shape) > 1
    want = shape[:1] + shape[2:] if many else ()
    if have != want and (many or have != (1,)):
        batch = many and have[:1] != want[:1]
        raise (BatchSizeError if batch else ShapeError)(
            f"{name}: expected a target of shape {want} for input of shape {shape}, got {have}"
        )
    if target._view.dtype.is_floating_point:
        raise RuntimeError(f"{name}: expected class indices of an integer type, got {target.dtype}")
    if weight is not None and weight._view.shape != (shape[1 if many else 0],):
        raise ShapeError(
            f"{name}: weight must have one entry for each class, got shape {tuple(weight.shape)}"
        )


def cross_entropy(
    logits: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """Negative log-likelihood of the target under softmax(logits).

    Args:
        logits: (N, C), (C,) or (N, C, d1, …).
        target: class indices of shape (N,), () or (N, d1, …); or probabilities in the shape of ``logits``.
        weight: (C,), of each class.
        ignore_index: rows with this target do not count.
        reduction: ``"mean"`` divides by the sum of the weights of the targets.
        label_smoothing: in [0, 1]: this share of the target goes to all classes evenly.

    Raises:
        IndexError: a target is not a class.
    """
    if not 0.0 <= label_smoothing <= 1.0:
        raise OptionError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    if reduction not in ("mean", "sum", "none"):
        reduced(logits, reduction)
    if not logits.dtype.is_floating_point:
        raise NotImplementedError(
            f"cross_entropy: expected logits of a floating-point type, got {logits.dtype}"
        )
    if not logits.dim():
        raise ShapeError("cross_entropy: expected logits with a dimension of classes, got a 0-d tensor")
    if target.dtype.is_floating_point:
        if ignore_index >= 0:
            raise RuntimeError("cross_entropy: ignore_index is not supported for probabilities as targets")
        return _soft_cross_entropy(logits, target, weight, reduction, label_smoothing)
    _check_classes("cross_entropy", logits, target, weight)
    out = _cross_entropy(
        *_fitting(logits, target), weight,
        ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing,
    )  # fmt: skip
    return reshape(out, target.shape) if reduction == "none" else out


@in_float32
def _soft_cross_entropy(logits: Any, target: Any, weight: Any, reduction: str, smoothing: float) -> Any:
    if tuple(target.shape) != tuple(logits.shape):
        if logits.dim() > 1 and target.dim() and target.shape[0] != logits.shape[0]:
            raise ValueError(
                f"cross_entropy: expected input batch_size ({logits.shape[0]}) to match target batch_size "
                f"({target.shape[0]})"
            )
        raise ShapeError(
            f"cross_entropy: probabilities must have the shape of the input {tuple(logits.shape)}, "
            f"got {tuple(target.shape)}"
        )
    x, y = _rows(logits), _rows(target)
    if smoothing:
        y = y * (1 - smoothing) + smoothing / x.shape[1]
    terms = log_softmax(x, 1) * y
    losses = -sum(terms if weight is None else terms * weight, 1)
    if reduction == "mean":
        return mean(losses)
    if reduction == "sum":
        return sum(losses)
    return reshape(losses, (*logits.shape[:1], *logits.shape[2:]) if logits.dim() > 1 else ())


@op(
    saves=("log_probs", "target", "weight", "total"),
    results=("loss", "total"),
    read_for={"log_probs": ()},
)
def _nll_loss(log_probs: Any, target: Any, weight: Any, *, ignore_index: int, reduction: str) -> Any:
    counts, safe, w = _class_weights(target, weight, ignore_index, log_probs)
    picked = reshape(gather(log_probs, 1, unsqueeze(safe, 1)), safe.shape)
    losses = ew.where(counts, -(w * picked), 0.0)
    total = sum(w) if reduction == "mean" else sum(w) * 0 + 1
    return (losses if reduction == "none" else sum(losses) / total), total


@_nll_loss.backward_rule
def _nll_loss_backward(
    needs: Any, grad: Any, log_probs: Any, target: Any, weight: Any, total: Any,
    *, ignore_index: int, reduction: str,
) -> tuple[Any, None, None]:  # fmt: skip
    _, safe, w = _class_weights(target, weight, ignore_index, log_probs)
    if total is None and reduction == "mean":
        total = sum(w)
    share = grad / total if reduction == "mean" else grad
    zeros = new(zeros_view(log_probs._view.shape, grad.dtype, grad.device))
    values = unsqueeze(-(w * share), 1)
    return (scatter if state.enabled else scatter_)(zeros, 1, unsqueeze(safe, 1), values), None, None


def nll_loss(
    log_probs: Any, target: Any, weight: Any = None, ignore_index: int = -100, reduction: str = "mean"
) -> Any:
    """``-weight[target] * log_probs[target]``; shapes and reduction as in ``cross_entropy``."""
    if not log_probs.dim():
        raise ValueError("nll_loss: expected 1 or more dimensions (got 0)")
    if not log_probs.dtype.is_floating_point:
        raise NotImplementedError(f"nll_loss is not implemented for {log_probs.dtype}")
    if reduction not in ("mean", "sum", "none"):
        reduced(log_probs, reduction)
    _check_classes("nll_loss", log_probs, target, weight)
    out = _nll_loss(*_fitting(log_probs, target), weight, ignore_index=ignore_index, reduction=reduction)
    return reshape(out, target.shape) if reduction == "none" else out


# -- regression --------------------------------------------------------------------------------------------
_squared = Elementwise("mse_loss", lambda a, b: (a - b) * (a - b), 2)
_distance = Elementwise("l1_loss", lambda a, b: call("abs", a - b), 2, "number")
_logits_bce = Elementwise(
    "binary_cross_entropy_with_logits",
    # -(y log s(x) + (1 - y) log(1 - s(x))), arranged so that exp gets a non-positive number
    lambda x, y: call("max", x, 0) - x * y + call("log1p", call("exp", -call("abs", x))),
    2,
    grad=lambda g, x, y, out: (g * (_stable_sigmoid(x) - y), -(g * x)),
)
_weighted_bce = Elementwise(
    "binary_cross_entropy_with_logits",
    lambda x, y, p: (
        (1 - y) * x + (1 + (p - 1) * y) * (call("log1p", call("exp", -call("abs", x))) + call("max", -x, 0))
    ),
    3,
    grad=lambda g, x, y, p, out: (
        g * ((1 - y) - (1 + (p - 1) * y) * _stable_sigmoid(-x)),
        g * ((p - 1) * (call("log1p", call("exp", -call("abs", x))) + call("max", -x, 0)) - x),
        g * (y * (call("log1p", call("exp", -call("abs", x))) + call("max", -x, 0))),
    ),
)


def _stable_sigmoid(x: Any) -> Any:
    e = call("exp", -call("abs", x))
    return call("where", call("lt", x, 0), e, 1) / (1 + e)


def mse_loss(a: Any, b: Any, reduction: str = "mean") -> Any:
    """``(a - b)^2``."""
    return reduced(_squared(a, b), reduction)


def l1_loss(a: Any, b: Any, reduction: str = "mean") -> Any:
    """``|a - b|``."""
    return reduced(_distance(a, b), reduction)


def binary_cross_entropy_with_logits(
    x: Any, y: Any, weight: Any = None, reduction: str = "mean", pos_weight: Any = None
) -> Any:
    """``-(p y log s(x) + (1 - y) log(1 - s(x)))`` with s the sigmoid and p ``pos_weight``, without overflow.

    Raises:
        ValueError: ``x`` and ``y`` have different shapes.
    """
    if tuple(x.shape) != tuple(y.shape):
        raise ValueError(f"target size {tuple(y.shape)} must be the same as input size {tuple(x.shape)}")
    for name, w in (("weight", weight), ("pos_weight", pos_weight)):
        if w is not None and broadcast_shapes(tuple(x.shape), tuple(w.shape)) != tuple(x.shape):
            raise ShapeError(
                f"binary_cross_entropy_with_logits: {name} of shape {tuple(w.shape)} does not fit the input, "
                f"{tuple(x.shape)}"
            )
    losses = _logits_bce(x, y) if pos_weight is None else _weighted_bce(x, y, pos_weight)
    return reduced(losses if weight is None else losses * weight, reduction)
