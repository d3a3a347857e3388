"""``x.new_zeros(...)`` and its like: new tensors with the type and device of one that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genesis._calling import Names
from genesis.autograd.graph import TensorCore
from genesis.ops import creation as new

if TYPE_CHECKING:
    from genesis._tensor import Tensor

_names: dict[str, Names] = {}


def _as(x: Any, function: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Call a function of ``creation`` with the type and device of ``x``, where none are given."""
    name = function.__name__
    names = _names.get(name)
    if names is None:
        names = _names[name] = Names(f"new_{name}", function)
    if options.get("dtype") is None:
        options["dtype"] = x.dtype
    if options.get("device") is None:
        options["device"] = x.device
    return names.call(args, options)


class NewMethods(TensorCore):
    """Each takes ``dtype``, ``device``, ``requires_grad``, and PyTorch's ``layout`` and ``pin_memory``."""

    def new_tensor(self, data: Any, **options: Any) -> Tensor:
        """``genesis.tensor`` with the type and device of this one."""
        return _as(self, new.tensor, (data,), options)  # type: ignore[no-any-return]

    def new_zeros(self, *size: Any, **options: Any) -> Tensor:
        """``genesis.zeros`` with the type and device of this one."""
        return _as(self, new.zeros, size, options)  # type: ignore[no-any-return]

    def new_ones(self, *size: Any, **options: Any) -> Tensor:
        """``genesis.ones`` with the type and device of this one."""
        return _as(self, new.ones, size, options)  # type: ignore[no-any-return]

    def new_empty(self, *size: Any, **options: Any) -> Tensor:
        """``genesis.empty`` with the type and device of this one."""
        return _as(self, new.empty, size, options)  # type: ignore[no-any-return]

    def new_full(self, size: Any, fill_value: Any, **options: Any) -> Tensor:
        """``genesis.full`` with the type and device of this one."""
        return _as(self, new.full, (size, fill_value), options)  # type: ignore[no-any-return]

    def new_empty_strided(self, size: Any, stride: Any, **options: Any) -> Tensor:
        """``genesis.empty_strided`` with the type and device of this one."""
        return _as(self, new.empty_strided, (size, stride), options)  # type: ignore[no-any-return]

    def new(self, *data: Any, device: Any = None) -> Tensor:
        """``Tensor(*data)`` with the type and device of this one."""
        from genesis._legacy import construct

        return construct(data, self._view.dtype, device or self._view.buffer.device)  # type: ignore[no-any-return]
