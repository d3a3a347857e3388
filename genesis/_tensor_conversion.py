"""Tensors as something else: another type, another device, NumPy arrays, Python numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from genesis._device import device as Device
from genesis._dtypes import (
    as_dtype,
    bfloat16,
    bool_,
    float16,
    float32,
    float64,
    int32,
    int64,
    preserve_format,
    uint8,
)
from genesis._errors import GenesisError
from genesis._tensor_methods import TensorMethods
from genesis.autograd.graph import Node, TensorCore, new, tracked
from genesis.backend.dispatch import run_map
from genesis.backend.expr import INPUT, cast
from genesis.backend.view import View
from genesis.ops import elementwise as ew
from genesis.ops._op import primitive

if TYPE_CHECKING:
    from genesis._tensor import Tensor


@primitive("to")
def _to(node: Node, grad: Any) -> tuple[Any]:
    return (grad.to(*node.options),)


class TensorConversion(TensorMethods):
    """Conversions, written out."""

    def _copy_view(self) -> View:
        """A contiguous copy of the elements."""
        view = self._view
        backend = view.buffer.device.backend
        out: View = backend.empty(view.shape, view.dtype, view.buffer.device)
        if out.size:
            backend.map(INPUT, out, view)
        return out

    def to(
        self,
        *args: Any,
        dtype: Any = None,
        device: Any = None,
        copy: bool = False,
        non_blocking: bool = False,
        memory_format: Any = None,
        other: Any = None,
    ) -> Tensor:
        """Another type or device: ``to(dtype)``, ``to(device)``, ``to(device, dtype)``, ``to(other_tensor)``.

        Returns the tensor itself when nothing changes, unless ``copy``; ``memory_format`` is how the result
        lies in memory. ``non_blocking``: a copy from pinned memory (``pin_memory``) is not waited for; that
        memory has to stay as it is until a later ``synchronize``.
        """
        if getattr(memory_format, "name", "preserve_format") != "preserve_format":
            changed = self.to(*args, dtype=dtype, device=device, copy=copy, other=other)
            if memory_format is preserve_format:
                return changed
            return changed.contiguous(memory_format=memory_format)
        if other is not None:
            args = (*args, other)
        for a in args:
            if isinstance(a, TensorCore):
                dtype, device = a._view.dtype, a._view.buffer.device
            elif isinstance(a, Device):
                device = a
            elif isinstance(a, bool):
                non_blocking = a
            elif isinstance(a, str) and not _names_dtype(a):
                device = Device(a)
            elif a is not None:
                dtype = a
        view = self._view
        want = view.dtype if dtype is None else as_dtype(dtype)
        place = view.buffer.device if device is None else Device(device)
        if want is view.dtype and place is view.buffer.device:
            return self.clone() if copy else self  # type: ignore[return-value] # every instance is a Tensor
        if want is not view.dtype:
            out = view.buffer.device.backend.empty(view.shape, want, view.buffer.device)
            if out.size:
                run_map(view.buffer.device.backend, cast(INPUT, want), out, view)
            view = out
        if place is not view.buffer.device:
            moved = place.backend.empty(view.shape, want, place)
            if moved.size:
                if place.type == view.buffer.device.type:
                    place.backend.transfer(moved, view)
                else:
                    put = place.backend.write_later if non_blocking else place.backend.write
                    put(moved, new(view)._host(kept=non_blocking))
            view = moved
        if not want.is_floating_point:
            return new(view)
        return _to.wrap(view, (self,), (), (self._view.buffer.device, self._view.dtype))

    def type(self, dtype: Any = None) -> Any:
        """The name of the type, or the tensor as another type."""
        return repr(self._view.dtype) if dtype is None else self.to(as_dtype(dtype))

    def type_as(self, other: Tensor) -> Tensor:
        """The type of ``other``."""
        return self.to(other.dtype)

    def float(self, memory_format: Any = None) -> Tensor:
        """As float32."""
        return self.to(float32, memory_format=memory_format)

    def double(self, memory_format: Any = None) -> Tensor:
        """As float64."""
        return self.to(float64, memory_format=memory_format)

    def half(self, memory_format: Any = None) -> Tensor:
        """As float16."""
        return self.to(float16, memory_format=memory_format)

    def bfloat16(self, memory_format: Any = None) -> Tensor:
        """As bfloat16."""
        return self.to(bfloat16, memory_format=memory_format)

    def int(self, memory_format: Any = None) -> Tensor:
        """As int32."""
        return self.to(int32, memory_format=memory_format)

    def long(self, memory_format: Any = None) -> Tensor:
        """As int64."""
        return self.to(int64, memory_format=memory_format)

    def bool(self, memory_format: Any = None) -> Tensor:
        """As bool: True where not zero."""
        return self.to(bool_, memory_format=memory_format)

    def byte(self, memory_format: Any = None) -> Tensor:
        """As uint8."""
        return self.to(uint8, memory_format=memory_format)

    def cpu(self) -> Tensor:
        """On the device ``cpu``."""
        return self.to(Device("cpu"))

    def cuda(self, device: Any = None, non_blocking: Any = False) -> Tensor:
        """On the device ``cuda``; ``non_blocking`` as in ``to``."""
        place = Device("cuda") if device is None else Device("cuda", device)
        return self.to(place, non_blocking=non_blocking)

    def numpy(self, *, force: Any = False) -> np.ndarray[Any, Any]:
        """A NumPy array; it shares memory with the tensor where the device allows.

        Raises:
            RuntimeError: the tensor requires a gradient (use ``detach()`` first, or ``force=True``).
            TypeError: it is of the type bfloat16, which NumPy does not have.
        """
        if not force and tracked(self):
            raise RuntimeError(
                "can't call numpy() on a tensor that requires grad; use tensor.detach().numpy() instead"
            )
        if self._view.dtype is bfloat16:
            raise TypeError("NumPy has no bfloat16: convert with .float() first")
        return self._host()

    def _host(self, kept: Any = True) -> np.ndarray[Any, Any]:
        """``numpy`` for every type; elements of bfloat16 are those of the package ml_dtypes.

        With ``kept=False`` for who reads at once and keeps nothing, while the tensor is there.
        """
        backend = self._view.buffer.device.backend
        shared: np.ndarray[Any, Any] | None = (backend.as_numpy if kept else backend.look)(self._view)
        return backend.read(self._view) if shared is None else shared

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray[Any, Any]:
        array = self.numpy()
        if dtype is not None and array.dtype != dtype:
            return array.astype(dtype)
        return array.copy() if copy else array

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: Any = False) -> Any:
        """What NumPy's universal functions make of a tensor is a tensor, as with PyTorch's."""
        from genesis.ops.creation import from_host

        return from_host(np.ascontiguousarray(array).reshape(np.shape(array)), self._view.buffer.device)

    def __dlpack__(self, **options: Any) -> Any:
        return self._exported().__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self._exported().__dlpack_device__()

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        """How libraries for GPUs find the memory of a tensor; only on a device of that kind."""
        found: dict[str, Any] = self._exported().__cuda_array_interface__
        return found

    def _exported(self) -> Any:
        """What has the protocols by which others reach the memory: the device's object, or a NumPy array."""
        view = self._view
        made = None if tracked(self) else view.buffer.device.backend.export(view)
        if made is None and view.dtype is bfloat16 and not tracked(self):
            from genesis._dlpack import Exported

            return Exported(self._host())
        return self.numpy() if made is None else made

    def tolist(self) -> Any:
        """Nested lists of Python numbers, or one number."""
        return self._view.buffer.device.backend.read(self._view).tolist()

    def item(self) -> Any:
        """The only element as a Python number.

        Raises:
            RuntimeError: there is not exactly one.
        """
        if self._view.size != 1:
            raise RuntimeError(f"a tensor with {self._view.size} elements cannot be converted to a number")
        return self._view.buffer.device.backend.read(self._view).item()

    def __bool__(self) -> Any:
        if self._view.size != 1:
            raise RuntimeError(
                "the truth value of a tensor with more than one element is ambiguous; use any() or all()"
            )
        return bool(self.item())

    def __float__(self) -> Any:
        return float(self.item())

    def __int__(self) -> Any:
        return int(self.item())

    def __index__(self) -> Any:
        if self._view.dtype.is_floating_point or self._view.size != 1:
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self.item())

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if not self._view.shape else object.__format__(self, spec)

    def __len__(self) -> Any:
        if not self._view.shape:
            raise TypeError("len() of a 0-d tensor")
        return self._view.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if not self._view.shape:
            raise TypeError("iteration over a 0-d tensor")
        return iter(self.unbind(0))

    def __contains__(self, element: Any) -> Any:
        return bool(ew.eq(self, element).any().item())


def _names_dtype(text: str) -> bool:
    try:
        as_dtype(text)
    except GenesisError:
        return False
    return True
