"""``total_norm``: the norm of many tensors as if they were one vector, in one call that a device may fuse."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from genesis.autograd.grad_mode import state
from genesis.autograd.graph import new
from genesis.backend.dispatch import kernel


def total_norm(tensors: Sequence[Any], order: float = 2.0) -> Any:
    """The norm of all elements of all tensors, ``(sum abs(x)^order)^(1/order)``; nothing is recorded.

    A device may have a kernel named ``total_norm``: ``kernel(backend, views, *, order)`` gets views that
    are all float32 or all float64, on one device and returns a view of no axes, or NotImplemented.

    Args:
        tensors: at least one, of any shapes, on one device.
        order: positive; ``math.inf`` for the largest absolute value.

    Returns:
        A tensor of no dimensions. Of float16 and bfloat16 it is computed in float32.
    """
    given, kind = tensors, tensors[0].dtype
    tensors = [t.detach().float() if t.dtype.is_half else t for t in given]
    found = _in_one_call(tensors, order)
    if found is None:
        before, state.enabled = state.enabled, False
        try:
            found = _composite(tensors, order)
        finally:
            state.enabled = before
    return found.to(kind) if kind.is_half and all([t.dtype is kind for t in given]) else found


def _in_one_call(tensors: Sequence[Any], order: float) -> Any:
    """By the device's own kernel; None where it has none for this."""
    views = [t._view for t in tensors]
    first = views[0]
    if first.dtype.is_floating_point and all(
        [v.dtype is first.dtype and v.buffer.device is first.buffer.device for v in views]
    ):
        backend = first.buffer.device.backend
        own = kernel(backend, "total_norm")
        result = NotImplemented if own is None else own(backend, views, order=order)
        if result is not NotImplemented:
            return new(result)
    return None


def _composite(tensors: Sequence[Any], order: float) -> Any:
    from genesis.ops import stack

    if order == math.inf:
        return stack([t.abs().amax() for t in tensors]).amax()
    if order == 2.0:
        return stack([(t * t).sum() for t in tensors]).sum().sqrt()
    return stack([(t.abs() ** order).sum() for t in tensors]).sum() ** (1 / order)
