"""Connectionist temporal classification: the likelihood of a label sequence, summed over its alignments.

Reference: Graves et al., "Connectionist Temporal Classification", ICML 2006; the equations are its numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from genesis._errors import ShapeError
from genesis.autograd.graph import TensorCore, new
from genesis.backend.expr import Expr, call, const
from genesis.ops import elementwise as ew
from genesis.ops._autocast import in_full_on_cpu
from genesis.ops._elementwise import Elementwise
from genesis.ops._op import op
from genesis.ops._view import zeros_view
from genesis.ops.indexing import gather, scatter_add
from genesis.ops.joining import cat, stack
from genesis.ops.loss import reduced
from genesis.ops.parts import narrow, select
from genesis.ops.shape import expand, reshape, unsqueeze

LOWEST = -math.inf


# -- sums of logarithms, of which some or all are minus infinity -------------------------------------------
def _parts(xs: Sequence[Expr]) -> tuple[Expr, list[Expr], Expr]:
    """The largest (0 for minus infinity), the exponentials below it, and their sum."""
    top = xs[0]
    for x in xs[1:]:
        top = call("max", top, x)
    top = call("where", call("eq", top, LOWEST), const(0), top)
    terms = [call("exp", x - top) for x in xs]
    total = terms[0]
    for e in terms[1:]:
        total = total + e
    return top, terms, total


def _log_sum(*xs: Expr) -> Expr:
    top, _, total = _parts(xs)
    return top + call("log", total)


def _shares(g: Expr, *xs: Expr) -> list[Expr]:
    """The gradients of ``_log_sum``."""
    _, terms, total = _parts(xs)
    divisor = call("where", call("eq", total, 0), const(1), total)
    return [g * (e / divisor) for e in terms]


def _if(jump: Expr, c: Expr) -> Expr:
    return call("where", jump, c, const(LOWEST))


#: emission + log(exp(a) + exp(b) + exp(c)), c only where the jump over a blank is allowed: equation 6
_advance = Elementwise(
    "ctc_loss",
    lambda a, b, c, jump, emission: _log_sum(a, b, _if(jump, c)) + emission,
    5,
    grad=lambda g, a, b, c, jump, emission, out: (*_shares(g, a, b, _if(jump, c)), None, g),
    conditions=(3,),
)
_either = Elementwise("ctc_loss", _log_sum, 2, grad=lambda g, a, b, out: _shares(g, a, b))


_occupancy = Elementwise(
    "ctc_loss",
    # exp(alpha + beta - emission + loss), 0 where no path passes
    lambda alpha, beta, emission, loss: call(
        "exp",
        call(
            "where",
            call("eq", call("min", alpha, beta), LOWEST),
            const(LOWEST),
            alpha + beta - emission + loss,
        ),
    ),
    4,
)


# -- the recursions over time; labels have blanks between and around them: position 2 i + 1 is label i -----
def _emissions(log_probs: Any, labels: Any) -> Any:
    """The log-probability of each position at each time: (T, N, L)."""
    wide = expand(unsqueeze(labels, 0), (log_probs._view.shape[0], *labels._view.shape))
    return gather(log_probs, 2, wide)


def _positions(labels: Any) -> Any:
    from genesis.ops.creation import arange

    return arange(labels._view.shape[1], device=labels.device)


def _edge(like: Any) -> Any:
    """Two columns of minus infinity, where the steps leave the sequence."""
    return new(zeros_view((like._view.shape[0], 2), like.dtype, like.device)) + LOWEST


def _alphas(emission: Any, labels: Any, jump: Any, last: Any) -> Any:
    """The log-probability of the paths that are at a position at a time: equations 5 and 6."""
    size = labels._view.shape[1]
    edge = _edge(select(emission, 0, 0))
    begins = ew.logical_and(ew.lt(_positions(labels), 2), ew.le(_positions(labels), last))
    alphas = [ew.where(begins, select(emission, 0, 0), LOWEST)]
    for t in range(1, emission._view.shape[0]):
        padded = cat([edge, alphas[-1]], 1)
        alphas.append(
            _advance(
                alphas[-1], narrow(padded, 1, 1, size), narrow(padded, 1, 0, size), jump,
                select(emission, 0, t),
            )
        )  # fmt: skip
    return stack(alphas)


def _betas(emission: Any, labels: Any, jump: Any, lengths: Any, last: Any) -> Any:
    """The log-probability of completing the labels from a position at a time: equations 9 and 10."""
    size, steps = labels._view.shape[1], emission._view.shape[0]
    edge = _edge(select(emission, 0, 0))
    after = new(zeros_view((jump._view.shape[0], 2), jump.dtype, jump.device))
    onward = narrow(cat([jump, after], 1), 1, 2, size)  # whether the next position but one may be jumped to
    behind = ew.sub(last, _positions(labels))
    ends = ew.logical_and(ew.ge(behind, 0), ew.le(behind, 1))
    betas: list[Any] = []
    for t in reversed(range(steps)):
        here = select(emission, 0, t)
        start = ew.where(ends, here, LOWEST)
        if betas:
            padded = cat([betas[-1], edge], 1)
            beta = _advance(betas[-1], narrow(padded, 1, 1, size), narrow(padded, 1, 2, size), onward, here)
            beta = ew.where(ew.lt(lengths, t + 1), LOWEST, ew.where(ew.eq(lengths, t + 1), start, beta))
        else:
            beta = ew.where(ew.eq(lengths, t + 1), start, LOWEST)
        betas.append(beta)
    return stack(betas[::-1])


@op(
    saves=("log_probs", "labels", "jump", "lengths", "last", "loss", "alpha"),
    results=("loss", "alpha"),
)
def _ctc_loss(log_probs: Any, labels: Any, jump: Any, lengths: Any, last: Any) -> Any:
    """Losses (N,) of (T, N, C); labels and allowed jumps are (N, L), lengths and ends (N, 1)."""
    emission = _emissions(log_probs, labels)
    alpha = _alphas(emission, labels, jump, last)
    return _total(alpha, lengths, last), alpha


def _total(alpha: Any, lengths: Any, last: Any) -> Any:
    """``-log`` of the probability of the paths that end at the last label or after it: equation 8."""
    _, n, size = alpha._view.shape
    when = expand(reshape(ew.clamp(lengths - 1, 0), (1, n, 1)), (1, n, size))
    final = select(gather(alpha, 0, when), 0, 0)
    blank = gather(final, 1, last)
    label = ew.where(ew.eq(last, 0), LOWEST, gather(final, 1, ew.clamp(last - 1, 0)))
    nothing = ew.where(ew.eq(last, 0), 0.0, math.inf).to(alpha.dtype)
    return reshape(ew.where(ew.eq(lengths, 0), nothing, -_either(blank, label)), (n,))


@_ctc_loss.backward_rule
def _ctc_loss_backward(
    needs: Any,
    grad: Any,
    log_probs: Any,
    labels: Any,
    jump: Any,
    lengths: Any,
    last: Any,
    loss: Any,
    alpha: Any,
) -> tuple[Any, None, None, None, None]:
    steps, n, classes = log_probs._view.shape
    emission = _emissions(log_probs, labels)
    if alpha is None:
        alpha = _alphas(emission, labels, jump, last)
    beta = _betas(emission, labels, jump, lengths, last)
    share = _occupancy(alpha, beta, emission, reshape(loss, (1, n, 1)))
    wide = expand(unsqueeze(labels, 0), share._view.shape)
    zeros = new(zeros_view((steps, n, classes), grad.dtype, grad.device))
    # as PyTorch: the gradient for outputs of log_softmax, whose backward pass takes the first term out again
    g = ew.exp(log_probs) - scatter_add(zeros, 2, wide, share)
    from genesis.ops.creation import arange

    over = ew.le(reshape(lengths, (1, n, 1)), reshape(arange(steps, device=grad.device), (steps, 1, 1)))
    g = ew.where(over, 0.0, g * reshape(grad, (1, n, 1)))
    lost = ew.logical_and(ew.eq(loss, math.inf), ew.ne(grad, 0))  # no path: the gradient is not defined
    return ew.where(reshape(lost, (1, n, 1)), math.nan, g), None, None, None, None


# -- what is called ----------------------------------------------------------------------------------------
def _lengths(name: str, value: Any, n: int, most: int) -> np.ndarray[Any, Any]:
    host = np.asarray(value.tolist() if isinstance(value, TensorCore) else value)  # type: ignore[attr-defined]
    if host.dtype.kind not in "iu" and host.size:
        raise RuntimeError(f"ctc_loss: {name} must be integral")
    host = host.reshape(-1).astype(np.int64)
    if host.size != n:
        raise ShapeError(f"ctc_loss: {name} must be of size batch_size {n}, got {host.size}")
    if host.min() < 0 or host.max() > most:
        raise RuntimeError(
            f"ctc_loss: expected {name} to have values between 0 and {most}, got {host.min()} to {host.max()}"
        )
    return host


def _padded(targets: Any, lengths: np.ndarray[Any, Any], blank: int) -> np.ndarray[Any, Any]:
    """Targets as rows (N, S), filled up with blanks."""
    host = np.asarray(targets.tolist(), np.int64).reshape(tuple(targets.shape))
    longest = int(lengths.max())
    out = np.full((len(lengths), longest), blank, np.int64)
    if host.ndim == 1:
        if host.size != lengths.sum():
            raise ShapeError(
                f"ctc_loss: the target lengths add up to {lengths.sum()}, but targets has {host.size} labels"
            )
        rows = np.split(host, np.cumsum(lengths)[:-1])
    elif host.ndim == 2:
        if host.shape[0] != len(lengths) or host.shape[1] < longest:
            raise ShapeError(
                f"ctc_loss: targets of shape {host.shape} do not fit {len(lengths)} samples with up to "
                f"{longest} labels"
            )
        rows = [row[:k] for row, k in zip(host, lengths, strict=True)]
    else:
        raise ShapeError(f"ctc_loss: expected targets of 1 or 2 dimensions, got shape {host.shape}")
    for row, labels in zip(out, rows, strict=True):
        row[: len(labels)] = labels
    return out


@in_full_on_cpu
def ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Any:
    """``-log p(labels | inputs)``, summed over all alignments.

    Args:
        log_probs: (T, N, C) or (T, C), outputs of ``log_softmax``.
        targets: (N, S), of which the first ``target_lengths`` count; or all labels one after the other.
        input_lengths, target_lengths: (N,) or (), tensors or numbers.
        blank: the class that stands for no label.
        reduction: ``"mean"`` divides each loss by the length of its target first.
        zero_infinity: losses without any alignment count 0 and have no gradient.

    The gradient is that of PyTorch, right for outputs of ``log_softmax``.

    Raises:
        RuntimeError: lengths, shapes or the blank do not fit.
        IndexError: a label is not a class.
    """
    from genesis.ops.creation import from_host

    if targets.dtype.is_floating_point:
        raise RuntimeError(f"ctc_loss: targets must be integral, got {targets.dtype}")
    if not log_probs.dtype.is_floating_point:
        raise NotImplementedError(f"ctc_loss is not implemented for {log_probs.dtype}")
    if log_probs.dim() not in (2, 3) or not log_probs.numel():
        raise ShapeError(f"ctc_loss: expected (T, N, C) or (T, C), not empty, got {tuple(log_probs.shape)}")
    single = log_probs.dim() == 2
    if single:
        log_probs, targets = unsqueeze(log_probs, 1), reshape(targets, (1, -1))
    steps, n, classes = log_probs.shape
    if not 0 <= blank < classes:
        raise RuntimeError(f"ctc_loss: blank must be in label range, got {blank} of {classes} classes")
    have = _lengths("input_lengths", input_lengths, n, steps)
    want = _lengths("target_lengths", target_lengths, n, np.iinfo(np.int64).max)
    rows = _padded(targets, want, blank)
    labels = np.full((n, 2 * rows.shape[1] + 1), blank, np.int64)
    labels[:, 1::2] = rows
    jump = np.zeros(labels.shape, np.int64)
    jump[:, 3::2] = rows[:, 1:] != rows[:, :-1]
    if labels.min() < 0 or labels.max() >= classes:
        raise IndexError(f"ctc_loss: labels must be between 0 and {classes - 1}")
    device = log_probs._view.buffer.device
    losses = _ctc_loss(
        log_probs, from_host(labels, device), from_host(jump, device),
        from_host(have[:, None], device), from_host(2 * want[:, None], device),
    )  # fmt: skip
    if zero_infinity:
        losses = ew.where(ew.eq(losses, math.inf), 0.0, losses)
    if reduction == "mean":
        losses = losses / from_host(np.maximum(want, 1), device)
    if reduction == "none" and single:
        return reshape(losses, ())
    return reduced(losses, reduction)
