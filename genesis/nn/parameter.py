"""``Parameter``: a tensor that a module trains."""

from __future__ import annotations

from typing import Any

from genesis import empty
from genesis._lazy import missing
from genesis._tensor import Tensor
from genesis.autograd.graph import PLAIN


class Parameter(Tensor):
    """A tensor that counts as a parameter of the module it is assigned to.

    It shares the memory of ``data`` and is a leaf of the graph.

    Args:
        data: its values; an empty tensor when None.
        requires_grad: whether backward computes its gradient.

    Raises:
        TypeError: ``data`` is not a tensor.
        RuntimeError: ``data`` is not floating-point and ``requires_grad`` is True.

    Example:
        >>> scale = nn.Parameter(genesis.ones(3))
    """

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Parameter:
        if data is None:
            data = empty(0)
        if not isinstance(data, Tensor):
            raise TypeError(
                f"a Parameter is made of a tensor, got {type(data).__name__}; wrap it in genesis.tensor(...)"
            )
        parameter = object.__new__(cls)
        parameter._view = data._view
        parameter.requires_grad_(requires_grad)
        return parameter

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


PLAIN.add(Parameter)
#: what can be asked of a parameter without a shape; names with an underscore are for the modules
_BEFORE = frozenset(
    {
        *("cpu", "cuda", "data", "detach", "device", "double", "dtype", "float", "get_device", "grad"),
        *("is_cuda", "is_floating_point", "is_leaf", "materialize", "requires_grad", "requires_grad_", "to"),
    }
)


class UninitializedParameter(Parameter):
    """A parameter without a shape yet, as those of lazy layers before their first call.

    Args:
        requires_grad, device, dtype: what it has when it gets its shape.

    Raises:
        RuntimeError: its shape is asked for.
        ValueError: any other method is called, to fill it, say.
    """

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> Any:
        return Parameter.__new__(cls, empty(0, device=device, dtype=dtype), requires_grad)

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Become a ``Parameter`` of this shape, with any elements."""
        self.data = empty(tuple(shape), device=device or self.device, dtype=dtype or self.dtype)
        self.__class__ = Parameter  # type: ignore[assignment]

    def __getattribute__(self, name: str) -> Any:
        if name[0] == "_" or name in _BEFORE:
            return super().__getattribute__(name)
        error = RuntimeError if name == "shape" else ValueError
        raise error(
            f"{name} of an uninitialized parameter: call its lazy module once, which gives it a shape"
        )

    def __repr__(self) -> str:
        return "<UninitializedParameter>"


class Buffer(Tensor):
    """A tensor that becomes a buffer of the module it is assigned to.

    Args:
        data: its values; an empty tensor when None.
        persistent: whether ``state_dict`` includes it.
    """

    persistent: bool

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Buffer:
        buffer = object.__new__(cls)
        buffer._view = (empty(0) if data is None else data)._view
        buffer.persistent = persistent
        return buffer


TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
    __path__ = []  # a package to Python: for a name that is not here it asks genesis._lazy.Finder
