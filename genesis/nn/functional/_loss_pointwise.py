"""Losses that compare element with element, as functions."""

from __future__ import annotations

import math
import warnings
from typing import Any

from genesis import ops
from genesis._errors import ShapeError
from genesis._tensor import Tensor
from genesis.nn._checks import check_reduction, shape_of, warn_of_broadcast
from genesis.ops import loss_formulas as formulas
from genesis.ops._autocast import in_full, in_full_on_cpu
from genesis.ops.loss import reduced


@in_full
def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """``d²/(2 beta)`` where ``|d| < beta``, else ``|d| - beta/2``, with ``d = x - y``.

    Args:
        input, target: of one shape; others are broadcast, with a warning.
        size_average, reduce: PyTorch's old way to say ``reduction``; leave them out.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        beta: where the parabola ends; 0 is ``l1_loss``.

    Raises:
        RuntimeError: ``beta`` is negative.
    """
    reduction = check_reduction(reduction, size_average, reduce)
    warn_of_broadcast("smooth_l1_loss", input, target)
    if beta < 0:
        raise RuntimeError(f"smooth_l1_loss does not support negative values for beta, got {beta}")
    if beta == 0:
        out: Tensor = ops.l1_loss(input, target, reduction)
        return out
    return reduced(formulas.smooth_l1(input, target, beta), reduction)  # type: ignore[no-any-return]


@in_full
def huber_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    """``d²/2`` where ``|d| <= delta``, else ``delta (|d| - delta/2)``, with ``d = x - y`` (Huber 1964).

    Args:
        input, target: of one shape; others are broadcast, with a warning.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        delta: where the parabola ends.
        weight: factor of each element's loss, of the shape of ``input``; ``"mean"`` does not divide by it.

    Raises:
        RuntimeError: ``delta`` is not positive.
        ValueError: ``weight`` has another shape.
    """
    reduction = check_reduction(reduction)
    warn_of_broadcast("huber_loss", input, target)
    if delta <= 0:
        raise RuntimeError(f"huber_loss does not support non-positive values for delta, got {delta}")
    losses = formulas.huber(input, target, delta)
    if weight is not None:
        losses = losses * checked_weight("huber_loss", weight, input)
    return reduced(losses, reduction)  # type: ignore[no-any-return]


def checked_weight(name: str, weight: Tensor, input: Tensor) -> Tensor:
    """``weight``, or ``ValueError`` if it has another shape than ``input``."""
    if weight.shape != input.shape:
        raise ValueError(
            f"{name}: weight and input must have the same size, got {shape_of(weight)} and {shape_of(input)}"
        )
    return weight


@in_full
def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """The Kullback-Leibler divergence ``y (log y - x)``; x is a logarithm, and 0 log 0 is 0.

    Args:
        input: log-probabilities.
        target: probabilities, broadcast against ``input``.
        size_average, reduce: PyTorch's old way to say ``reduction``; leave them out.
        reduction: ``"batchmean"`` (the sum over the first dimension's length, the mathematical one),
            ``"mean"`` (over all elements), ``"sum"`` or ``"none"``.
        log_target: ``target`` has logarithms, too.
    """
    batch = reduction == "batchmean" and size_average is None and reduce is None
    if reduction == "mean" and size_average is None and reduce is None:
        warnings.warn(
            "kl_div: reduction='mean' divides by the number of elements; 'batchmean' divides by the batch "
            "size, as the divergence is defined",
            stacklevel=2,
        )
    reduction = check_reduction("sum" if batch else reduction, size_average, reduce)
    losses = (formulas.kl_div_log if log_target else formulas.kl_div)(input, target)
    out: Tensor = reduced(losses, reduction)
    return out / input.shape[0] if batch and input.dim() else out


@in_full_on_cpu
def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``-w (y log x + (1 - y) log(1 - x))``, with logarithms cut at -100.

    Args:
        input: probabilities; ``binary_cross_entropy_with_logits`` takes scores and is more precise.
        target: probabilities of the same shape.
        weight: ``w``, broadcast to the input.
        size_average, reduce: PyTorch's old way to say ``reduction``; leave them out.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: the shapes differ.
        RuntimeError: an input or a target is outside [0, 1].
    """
    reduction = check_reduction(reduction, size_average, reduce)
    if input.shape != target.shape:
        raise ValueError(
            f"binary_cross_entropy: target of shape {shape_of(target)} must have the shape of the input, "
            f"{shape_of(input)}"
        )
    if input.dtype is not target.dtype:
        raise RuntimeError(
            f"binary_cross_entropy: the input is {input.dtype} and the target {target.dtype}; convert one"
        )
    for name, x in (("input", input), ("target", target)):
        inside = ((x >= 0) & (x <= 1)).all()
        if not bool(inside):
            raise RuntimeError(f"binary_cross_entropy: all elements of {name} should be between 0 and 1")
    losses = formulas.binary_cross_entropy(input, target)
    return reduced(losses if weight is None else losses * weight, reduction)  # type: ignore[no-any-return]


@in_full
def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The negative log-likelihood of counts under a Poisson distribution.

    Args:
        input: the logarithm of the expected count, loss ``exp(x) - y x``; or, without ``log_input``, the
            count itself, loss ``x - y log(x + eps)``.
        target: counts, broadcast against ``input``.
        log_input: see ``input``.
        full: add Stirling's ``y log y - y + log(2π y)/2`` for ``log y!`` where ``y > 1``.
        size_average, reduce: PyTorch's old way to say ``reduction``; leave them out.
        eps: keeps the logarithm finite.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """
    reduction = check_reduction(reduction, size_average, reduce)
    if log_input:
        losses = formulas.poisson_of_log(input, target)
    else:
        losses = formulas.poisson_of_rate(input, target, eps)
    if full:
        losses = losses + formulas.log_factorial(target).to(losses.dtype)
    return reduced(losses, reduction)  # type: ignore[no-any-return]


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """``(log v + (x - y)²/v) / 2``, the negative log-likelihood under N(x, v) (Nix and Weigend 1994).

    Args:
        input: expected values.
        target: samples, of the shape of ``input`` or broadcast.
        var: ``v``: of the shape of ``input``, of that shape with one dimension 1 or the last left out, or a
            number.
        full: add the constant ``log(2π)/2``.
        eps: smallest ``v``; it does not take part in the gradient.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: ``var`` is negative somewhere, or of another shape.
    """
    if isinstance(var, int | float):
        if var < 0:
            raise ValueError("gaussian_nll_loss: var has negative entry/entries")
        var = ops.full_like(input.detach(), float(var))
    elif bool((var < 0).any()):
        raise ValueError("gaussian_nll_loss: var has negative entry/entries")
    have, want = shape_of(var), shape_of(input)
    if have != want:
        if have == want[:-1]:
            var = var.unsqueeze(-1)
        elif len(have) != len(want) or sum(b for a, b in zip(want, have, strict=True) if a != b) != 1:
            raise ValueError(
                f"gaussian_nll_loss: var is of incorrect size {have}; the input has {want}, and one "
                "dimension may be 1 or the last left out"
            )
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"gaussian_nll_loss: {reduction!r} is not valid for reduction")
    losses = formulas.gaussian(input, target, formulas.raised(var, eps))
    if full:
        losses = losses + 0.5 * math.log(2 * math.pi)
    return reduced(losses, reduction)  # type: ignore[no-any-return]


@in_full
def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``log(1 + exp(-y x))`` for targets of 1 and -1, without overflow."""
    reduction = check_reduction(reduction, size_average, reduce)
    return reduced(formulas.soft_margin(input, target), reduction)  # type: ignore[no-any-return]


@in_full
def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``x`` where the target is 1, ``max(0, margin - x)`` where it is -1.

    Args:
        input: distances, any shape.
        target: 1 or -1, broadcast against ``input``.
        margin: distances of dissimilar pairs beyond it cost nothing.
        size_average, reduce: PyTorch's old way to say ``reduction``; leave them out.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
    """
    reduction = check_reduction(reduction, size_average, reduce)
    return reduced(formulas.hinge_embedding(input, target, margin), reduction)  # type: ignore[no-any-return]


@in_full
def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """``max(0, -y (x1 - x2) + margin)``: y = 1 says that x1 ranks higher, -1 that x2 does.

    Raises:
        RuntimeError: the three have different numbers of dimensions.
    """
    reduction = check_reduction(reduction, size_average, reduce)
    shapes: list[Any] = [shape_of(t) for t in (input1, input2, target)]
    if len({len(s) for s in shapes}) > 1:
        raise ShapeError(
            "margin_ranking_loss: all tensors should have the same number of dimensions, got shapes "
            f"{shapes[0]}, {shapes[1]} and {shapes[2]}"
        )
    losses = (-target * (input1 - input2) + margin).clamp_min(0)
    return reduced(losses, reduction)  # type: ignore[no-any-return]
