"""What elementwise operations are called with: tensors, arrays and numbers, and what each was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from genesis._dtypes import DtypeError, dtype
from genesis.autograd.graph import TensorCore
from genesis.backend.expr import INPUT
from genesis.backend.view import View, broadcast_shapes, may_overlap

if TYPE_CHECKING:
    from genesis._tensor import Tensor


def place_of(a: Any) -> tuple[tuple[int, ...], dtype, Any] | None:
    """The shape, type and device of an input."""
    return (a._view.shape, a._view.dtype, a._view.buffer.device) if isinstance(a, TensorCore) else None


def as_input(grad: Any, shape: tuple[int, ...], dtype: dtype, device: Any) -> Tensor:
    """A gradient as its input is, which was converted, broadcast or a number from another device."""
    from genesis.ops.reduction import sum_to_shape

    if grad._view.dtype is not dtype:
        grad = grad.to(dtype)
    grad = sum_to_shape(grad, shape)
    return grad if grad._view.buffer.device is device else grad.to(device)  # type: ignore[no-any-return]


def common_shape(views: list[Any]) -> tuple[int, ...]:
    """The shape that all views expand to; there may be numbers among them."""
    shape: tuple[int, ...] | None = None
    for v in views:
        if type(v) is View:
            if shape is None:
                shape = v.shape
            elif v.shape != shape:
                return broadcast_shapes(*[v.shape for v in views if type(v) is View])
    return shape or ()


def number_of(a: object, name: str) -> bool | int | float:
    """An operand that is no tensor as a Python number.

    Raises:
        ArrayOperand: it is an array of NumPy's.
        TypeError: it is nothing that stands beside a tensor; ``name`` is the operation.
    """
    if isinstance(a, bool | int | float):
        return bool(a) if isinstance(a, bool) else int(a) if isinstance(a, int) else float(a)
    item = getattr(a, "item", None)  # NumPy scalars and 0-d arrays
    if item is not None and getattr(a, "ndim", 0) == 0:
        value = item()
        if isinstance(value, bool | int | float):
            return value
    elif isinstance(a, np.ndarray):
        raise ArrayOperand
    if isinstance(a, complex):
        raise DtypeError(f"{name}: there are no complex types; keep the real and the imaginary part apart")
    raise TypeError(
        f"{name} takes tensors and numbers, got {type(a).__name__}; make it a tensor with genesis.tensor(...)"
    )


class ArrayOperand(TypeError):
    """An operand is a NumPy array, which has to become a tensor."""


def with_tensors(args: Sequence[Any]) -> tuple[Any, ...]:
    """The operands with NumPy arrays as tensors on the device of the others."""
    from genesis.ops.creation import as_tensor

    devices = [a._view.buffer.device for a in args if isinstance(a, TensorCore)]
    place = devices[0] if devices else None
    return tuple([as_tensor(a, device=place) if isinstance(a, np.ndarray) else a for a in args])


def on_two_devices(name: str, args: Sequence[Any]) -> str:
    """What to say of tensors on different devices."""
    places = [str(a._view.buffer.device) for a in args if isinstance(a, TensorCore)]
    return (
        f"{name}: all tensors must be on one device, got {' and '.join(places)}; move them with .to(device)"
    )


def read_safely(backend: Any, v: View, out: View) -> View:
    """``v``, or a copy of it when writing ``out`` would change what is still to be read."""
    if not may_overlap(v, out):
        return v
    copy: View = backend.empty(v.shape, v.dtype, v.buffer.device)
    backend.map(INPUT, copy, v)
    return copy
