"""Gradient clipping."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable

from genesis import no_grad, tensor
from genesis._tensor import Tensor
from genesis.ops import Update, total_norm

#: all gradients in one pass
_scaled = Update("clip_grad_norm_", ("grads",), {"grads": lambda grads, factor: grads * factor})


def _grads(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    parameters = [parameters] if isinstance(parameters, Tensor) else parameters
    return [p.grad for p in parameters if p.grad is not None]


@no_grad()
def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The norm of all elements of all tensors, as if they were one vector.

    Args:
        tensors: on one device.
        norm_type: its exponent; ``math.inf`` for the largest absolute value.
        error_if_nonfinite: raise instead of returning nan or inf.
        foreach: accepted for PyTorch's sake.

    Returns:
        A tensor of no dimensions; 0 when there are no tensors.

    Raises:
        RuntimeError: the norm is nan or inf and ``error_if_nonfinite`` is set.
        ValueError: ``norm_type`` is not positive.
    """
    exponent = float(norm_type)
    if not exponent > 0:
        raise ValueError(f"norm_type must be positive, got {norm_type}")
    tensors = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    if not tensors:
        return tensor(0.0)
    total: Tensor = total_norm(tensors, exponent)
    if error_if_nonfinite and not math.isfinite(total.item()):
        raise RuntimeError(
            f"the norm of order {norm_type} of the gradients is {total.item()}, so they cannot be clipped; "
            "pass error_if_nonfinite=False to scale them all the same"
        )
    return total


@no_grad()
def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale the gradients so that their total norm is at most ``max_norm``.

    The method is that of Pascanu et al. 2012 (arXiv:1211.5063).

    Args:
        parameters: a tensor or several; those without a gradient are left out.
        max_norm: the largest norm allowed.
        norm_type: exponent of the norm; ``math.inf`` for the largest absolute value.
        error_if_nonfinite: raise when the norm is nan or inf.
        foreach: accepted for PyTorch's sake.

    Returns:
        The norm before clipping, a tensor of no dimensions.

    Raises:
        RuntimeError: the norm is nan or inf and ``error_if_nonfinite`` is set.

    Example:
        >>> loss.backward()
        >>> norm = nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
    """
    parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    total = get_total_norm(_grads(parameters), norm_type, error_if_nonfinite)
    clip_grads_with_norm_(parameters, max_norm, total)
    return total


@no_grad()
def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    total_norm: Tensor,
    foreach: bool | None = None,
) -> None:
    """Scale the gradients by ``max_norm / total_norm`` if that is less than 1.

    Args:
        parameters: a tensor or several; those without a gradient are left out.
        max_norm: the largest norm allowed.
        total_norm: the norm of the gradients, from ``get_total_norm``.
        foreach: accepted for PyTorch's sake.
    """
    grads = _grads(parameters)
    if not grads:
        return
    if total_norm.device.type != "cpu" or len(set(map(id, grads))) < len(grads):
        # multiplied also by 1, when there is nothing to clip: that spares waiting for the value
        factor = (float(max_norm) / (total_norm + 1e-6)).clamp(max=1.0)
        for grad in grads:
            grad.mul_(factor)
        return
    number = clip_factor(max_norm, total_norm)
    if number != 1.0:
        _scaled(grads, factor=number)


def clip_factor(max_norm: float, total_norm: Tensor) -> float:
    """What gradients with this norm are multiplied by, at most 1; nan where the norm is nan."""
    norm = float(total_norm) + 1e-6
    return 1.0 if norm <= float(max_norm) else float(max_norm) / norm


def clip_grad_norm(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The old name of ``clip_grad_norm_``."""
    warnings.warn(
        "nn.utils.clip_grad_norm is now deprecated in favor of nn.utils.clip_grad_norm_",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


@no_grad()
def clip_grad_value_(
    parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None
) -> None:
    """Force every element of the gradients into ``[-clip_value, clip_value]``.

    Args:
        parameters: a tensor or several; those without a gradient are left out.
        clip_value: the largest absolute value allowed.
        foreach: accepted for PyTorch's sake.
    """
    limit = float(clip_value)
    for grad in _grads(parameters):
        grad.clamp_(-limit, limit)
