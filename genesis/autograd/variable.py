"""Variable: what tensors with gradients were called before PyTorch 0.4; now it is the tensor itself."""

from __future__ import annotations

from typing import Any

from genesis._errors import GenesisError


class _Meta(type):
    def __instancecheck__(cls, other: object) -> bool:
        from genesis._tensor import Tensor

        return isinstance(other, Tensor)


class Variable(metaclass=_Meta):
    """``Variable(x, requires_grad=True)`` is ``x`` once more, over the same memory.

    Args:
        data: a tensor.
        requires_grad: whether operations on it are recorded.
        volatile: refused; use ``genesis.no_grad()``.
    """

    def __new__(cls, data: Any, requires_grad: bool = False, volatile: Any = None) -> Any:
        from genesis._tensor import Tensor

        if volatile is not None:
            raise VariableError("volatile was removed; run the code under `with genesis.no_grad():` instead")
        if not isinstance(data, Tensor):
            raise TypeError(f"Variable takes a tensor, got {type(data).__name__}")
        out = data.detach()
        return out.requires_grad_(requires_grad) if requires_grad else out


class VariableError(GenesisError, ValueError):
    """An argument that is no longer there."""
