"""What PyTorch asks of complex numbers, for tensors that are all real: most of it gives the tensor itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genesis.autograd.graph import TensorCore

if TYPE_CHECKING:
    from genesis._tensor import Tensor


def _tensor(name: str, x: Any) -> Any:
    if not isinstance(x, TensorCore):
        raise TypeError(f"{name} takes a tensor, got {type(x).__name__}; use genesis.tensor(...)")
    return x


def real(input: Tensor) -> Tensor:
    """The tensor itself: all types are real."""
    return _tensor("real", input)  # type: ignore[no-any-return]


def imag(input: Tensor) -> Tensor:
    """There is none.

    Raises:
        RuntimeError: always, as in PyTorch for a real tensor.
    """
    return _tensor("imag", input).imag  # type: ignore[no-any-return]


def conj(input: Tensor) -> Tensor:
    """The tensor itself: all types are real."""
    return _tensor("conj", input)  # type: ignore[no-any-return]


def conj_physical(input: Tensor) -> Tensor:
    """The tensor itself: all types are real."""
    return _tensor("conj_physical", input)  # type: ignore[no-any-return]


def resolve_conj(input: Tensor) -> Tensor:
    """The tensor itself: all types are real."""
    return _tensor("resolve_conj", input)  # type: ignore[no-any-return]


def resolve_neg(input: Tensor) -> Tensor:
    """The tensor itself: no tensor is negated without being written."""
    return _tensor("resolve_neg", input)  # type: ignore[no-any-return]


def is_conj(input: Tensor) -> bool:
    """False: all types are real."""
    return bool(_tensor("is_conj", input).is_conj())


def is_neg(input: Tensor) -> bool:
    """False: no tensor is negated without being written."""
    return bool(_tensor("is_neg", input).is_neg())
