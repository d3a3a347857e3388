"""The part of ``Module`` that converts: element types and devices."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from genesis import empty, no_grad
from genesis._dtypes import as_dtype, bfloat16, float16, float32, float64
from genesis._dtypes import dtype as DType
from genesis._tensor import Tensor

if TYPE_CHECKING:
    from genesis.nn.module import Module
    from genesis.nn.parameter import Parameter

Self = TypeVar("Self", bound="Convertible")


class Convertible:
    """What changes the tensors of a module in place."""

    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]

    def _apply(self: Self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Replace the values of all parameters, their gradients and all buffers by ``fn`` of them."""
        if recurse:
            for child in self._modules.values():
                if child is not None:
                    child._apply(fn)
        with no_grad():
            for param in self._parameters.values():
                if param is None:
                    continue
                grad = param.grad
                param.grad = None  # it may not fit the new dtype or device
                param.data = fn(param.data)
                param.grad = None if grad is None else fn(grad)
            for name, buffer in self._buffers.items():
                if buffer is not None:
                    self._buffers[name] = fn(buffer)
        return self

    def to(
        self: Self,
        *args: Any,
        device: Any = None,
        dtype: DType | None = None,
        non_blocking: bool = False,
        memory_format: Any = None,
    ) -> Self:
        """Move parameters and buffers to a device, convert floating-point ones to a dtype, or both.

        Called as ``to(device)``, ``to(dtype)``, ``to(device, dtype)`` or ``to(tensor)``; the module is
        changed in place and returned. Integer buffers keep their dtype.

        Args:
            device: a device or its name.
            dtype: a floating-point dtype.
            non_blocking, memory_format: accepted for PyTorch's sake.

        Raises:
            TypeError: ``dtype`` is not floating-point.
        """
        for arg in args:
            if isinstance(arg, Tensor):
                device, dtype = arg.device, arg.dtype
            elif isinstance(arg, DType):
                dtype = arg
            elif not isinstance(arg, bool):  # a bool in third place is non_blocking
                device = arg
        dtype = dtype if dtype is None else as_dtype(dtype)
        if dtype is not None and not dtype.is_floating_point:
            raise TypeError(f"Module.to only accepts floating-point dtypes, got {dtype}")

        def convert(tensor: Tensor) -> Tensor:
            wanted = dtype if dtype is not None and tensor.dtype.is_floating_point else tensor.dtype
            return tensor.to(device=tensor.device if device is None else device, dtype=wanted)

        return self._apply(convert)

    def float(self: Self) -> Self:
        """Convert floating-point parameters and buffers to float32."""
        return self.to(dtype=float32)

    def double(self: Self) -> Self:
        """Convert floating-point parameters and buffers to float64."""
        return self.to(dtype=float64)

    def half(self: Self) -> Self:
        """Convert floating-point parameters and buffers to float16."""
        return self.to(dtype=float16)

    def bfloat16(self: Self) -> Self:
        """Convert floating-point parameters and buffers to bfloat16."""
        return self.to(dtype=bfloat16)

    def type(self: Self, dst_type: DType | str) -> Self:
        """Convert all parameters and buffers, integers too; ``"FloatTensor"`` and the like are types, too."""
        dtype = as_dtype(_TENSOR_TYPES.get(str(dst_type).rpartition(".")[2], dst_type))
        return self._apply(lambda tensor: tensor.to(dtype))

    def to_empty(self: Self, *, device: Any, recurse: bool = True) -> Self:
        """Move to a device without copying: new, uninitialised tensors of the same shapes and types.

        Args:
            device: a device or its name; None stays.
            recurse: the modules below, too.
        """
        return self._apply(lambda t: empty(t.shape, dtype=t.dtype, device=device or t.device), recurse)

    def share_memory(self: Self) -> Self:
        """Does nothing: processes do not share tensors in Genesis."""
        return self

    def cpu(self: Self) -> Self:
        """Move to the CPU."""
        return self.to(device="cpu")

    def cuda(self: Self, device: int | str | None = None) -> Self:
        """Move to a CUDA device (needs a backend of that name)."""
        return self.to(device=f"cuda:{device}" if isinstance(device, int) else device or "cuda")

    def ipu(self: Self, device: int | str | None = None) -> Self:
        """Move to a device ``ipu`` (needs a backend of that name)."""
        return self._elsewhere("ipu", device)

    def xpu(self: Self, device: int | str | None = None) -> Self:
        """Move to a device ``xpu`` (needs a backend of that name)."""
        return self._elsewhere("xpu", device)

    def mtia(self: Self, device: int | str | None = None) -> Self:
        """Move to a device ``mtia`` (needs a backend of that name)."""
        return self._elsewhere("mtia", device)

    def _elsewhere(self: Self, name: str, device: int | str | None) -> Self:
        return self.to(device=f"{name}:{device}" if isinstance(device, int) else device or name)


_TENSOR_TYPES = {
    "BFloat16Tensor": "bfloat16",
    "HalfTensor": "float16",
    "FloatTensor": "float32",
    "DoubleTensor": "float64",
    "LongTensor": "int64",
    "IntTensor": "int32",
    "ShortTensor": "int16",
    "CharTensor": "int8",
    "ByteTensor": "uint8",
    "BoolTensor": "bool",
}
