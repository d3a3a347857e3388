"""Questions about tensors and their types."""

from __future__ import annotations

from typing import Any

from genesis._dtypes import dtype
from genesis._dtypes import result_type as _result_type
from genesis.autograd.graph import TensorCore


def is_tensor(obj: Any) -> bool:
    """True when ``obj`` is a tensor."""
    return isinstance(obj, TensorCore)


def is_floating_point(input: Any) -> bool:
    """True when the elements are of a floating-point type."""
    return bool(input.dtype.is_floating_point)


def is_complex(input: Any) -> bool:
    """False: there are no complex types."""
    if not isinstance(input, TensorCore):
        raise TypeError(f"is_complex(): expected a tensor, got {type(input).__name__}")
    return False


def is_nonzero(input: Any) -> bool:
    """True when the only element is not zero.

    Raises:
        RuntimeError: there is not exactly one element.
    """
    if input.numel() != 1:
        raise RuntimeError(f"Boolean value of a tensor with {input.numel()} elements is ambiguous")
    return bool(input.item() != 0)


def is_same_size(input: Any, other: Any) -> bool:
    """True when both have one shape."""
    return bool(input.shape == other.shape)


def numel(input: Any) -> int:
    """The number of elements."""
    if not isinstance(input, TensorCore):
        raise TypeError(f"numel(): expected a tensor, got {type(input).__name__}")
    return input._view.size


def result_type(tensor1: Any, tensor2: Any) -> dtype:
    """The type of the result of an operation on two tensors or numbers."""
    operands = (tensor1, tensor2)
    tensors = [(t.dtype, t.dim()) for t in operands if isinstance(t, TensorCore)]  # type: ignore[attr-defined]
    return _result_type(tensors, [t for t in operands if not isinstance(t, TensorCore)])
