"""Tensor: what people hold."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from genesis._calling import with_numpy_names
from genesis._device import device as Device
from genesis._dtypes import dtype
from genesis._missing import absent
from genesis._tensor_conversion import TensorConversion
from genesis._tensor_info import InfoMethods
from genesis._tensor_inplace import assign, replace
from genesis._tensor_new import NewMethods
from genesis.autograd import engine
from genesis.autograd.grad_mode import state
from genesis.autograd.graph import (
    PART,
    GraphError,
    TensorCore,
    check_writable,
    new,
    register_tensor_class,
    tracked,
)
from genesis.autograd.nodes import retain, shown
from genesis.backend.expr import arg
from genesis.ops import elementwise as ew
from genesis.ops._view import fill_view
from genesis.ops.reduction import axis_of
from genesis.ops.shape import is_contiguous

_hook_ids = count(1)
_SUM = arg(0) + arg(1)

if TYPE_CHECKING:

    class _Absent:
        """The methods of PyTorch's tensors that ours has not: they say so."""
else:
    _Absent = absent("Tensor")


class Size(tuple[int, ...]):
    """The shape of a tensor: a tuple with ``numel()``."""

    __slots__ = ()

    def numel(self) -> int:
        """The number of elements."""
        n = 1
        for s in self:
            n *= s
        return n

    def __repr__(self) -> str:
        return f"genesis.Size({list(self)})"


_ONES = {name: np.ones((), name) for name in ("float16", "float32", "float64")}


class Tensor(TensorConversion, InfoMethods, NewMethods, _Absent):
    """An array of numbers of one type on one device, with the history that gradients need.

    Make one with ``genesis.tensor``, ``zeros``, ``randn`` and the like.

    Example:
        >>> import genesis
        >>> x = genesis.tensor([1.0, 2.0], requires_grad=True)
        >>> (x * x).sum().backward()
        >>> x.grad
        tensor([2., 4.])
    """

    __array_priority__ = 1000  # NumPy lets ``array * tensor`` come to us

    def __new__(cls, *data: Any, dtype: Any = None, device: Any = None) -> Tensor:
        from genesis._legacy import construct

        out = object.__new__(cls)
        out._view = construct(data, dtype, device)._view
        return out

    # -- what it is ----------------------------------------------------------------------------------
    @property
    def shape(self) -> Size:
        """Sizes of the axes."""
        return Size(self._view.shape)

    @overload
    def size(self) -> Size: ...
    @overload
    def size(self, dim: int) -> int: ...
    def size(self, dim: int | None = None) -> Size | int:
        """The shape, or the size of one axis."""
        shape = self._view.shape
        return Size(shape) if dim is None else shape[axis_of(dim, len(shape))]

    @property
    def dtype(self) -> dtype:
        """Type of the elements."""
        return self._view.dtype

    @property
    def device(self) -> Device:
        """Where the elements are."""
        place: Device = self._view.buffer.device
        return place

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self._view.shape)

    def dim(self) -> int:
        """Number of axes."""
        return len(self._view.shape)

    def numel(self) -> int:
        """Number of elements."""
        return self._view.size

    nelement = numel

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return self._view.dtype.itemsize

    def element_size(self) -> int:
        """Bytes of one element."""
        return self._view.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self._view.size * self._view.dtype.itemsize

    def stride(self, dim: int | None = None) -> Any:
        """Elements to skip for the next index of each axis, or of one."""
        strides = self._view.strides
        return strides if dim is None else strides[axis_of(dim, len(strides))]

    def storage_offset(self) -> int:
        """Position of the first element in the storage."""
        return self._view.offset

    def is_contiguous(self, memory_format: Any = None) -> bool:
        """True when the elements lie in row-major order without gaps, or in another memory format."""
        return self._view.contiguous if memory_format is None else is_contiguous(self, memory_format)

    def is_floating_point(self) -> bool:
        """True for float16, bfloat16, float32 and float64."""
        return self._view.dtype.is_floating_point

    def is_complex(self) -> bool:
        """False: complex types are not implemented."""
        return False

    def data_ptr(self) -> int:
        """Address of the first element, on devices that have one."""
        return int(self._view.buffer.device.backend.address(self._view))

    @property
    def is_cuda(self) -> bool:
        """True on the device ``cuda``."""
        return self.device.type == "cuda"

    # -- history -------------------------------------------------------------------------------------
    @property
    def requires_grad(self) -> bool:
        """True when operations on it are recorded."""
        return tracked(self)

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Say whether operations on this leaf are recorded; returns it.

        Raises:
            RuntimeError: it is not of a floating-point type, or not a leaf.
        """
        if requires_grad and not self._view.dtype.is_floating_point:
            raise RuntimeError(
                f"only floating-point tensors can require gradients, this one is {self._view.dtype}"
            )
        if self._node is not None:
            if requires_grad:
                return self
            raise RuntimeError("you can only change requires_grad flags of leaf variables; use detach()")
        self._tracked = bool(requires_grad)
        return self

    @property
    def grad_fn(self) -> Any:
        """The operation that made it, a ``Node`` or the context of a ``Function``; None for a leaf."""
        return shown(self._node) if tracked(self) else None

    @property
    def output_nr(self) -> int:
        """Which output of its operation it is."""
        node = self._node if tracked(self) else None
        return node.options if node is not None and node.rule is PART else 0

    def is_inference(self) -> bool:
        """True when it was made in ``inference_mode`` (a view: when its base was)."""
        return self._inference and (self._base is None or self._base.is_inference())

    @property
    def is_leaf(self) -> bool:
        """True when no recorded operation made it."""
        return not tracked(self) or self._node is None

    @property
    def _version(self) -> int:
        return self._view.buffer.version

    def backward(
        self,
        gradient: Any = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Any = None,
    ) -> None:
        """Accumulate the gradients of this tensor into ``.grad`` of the leaves that led to it.

        Args:
            gradient: the gradient with respect to this tensor; 1 for a scalar.
            retain_graph: keep the graph for another pass.
            create_graph: record the pass, for higher derivatives.
            inputs: accumulate into these leaves only.

        Raises:
            RuntimeError: nothing that led here requires a gradient, or this is not a scalar and has no
                ``gradient``.
        """
        engine.backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    def detach(self) -> Tensor:
        """The same memory, outside the graph."""
        return new(self._view)

    def detach_(self) -> Tensor:
        """Leave the graph, in place.

        Raises:
            RuntimeError: it is a view, whose history is that of its base.
        """
        if self._base is not None and tracked(self):
            raise RuntimeError("can't detach views in-place; use detach() instead")
        self._node, self._tracked, self._base = None, False, None
        return self

    @property
    def data(self) -> Tensor:
        """The same memory, outside the graph; assigning replaces the elements."""
        return self.detach()

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, TensorCore):
            raise TypeError(f".data must be set to a tensor, got {type(value).__name__}")
        self._view = value._view

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
        """Call ``hook(grad)`` when the gradient of this tensor is known; a tensor it returns replaces it."""
        if not tracked(self):
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        owner: Any = self if self._node is None else self._node
        attribute = "_hooks" if owner is self else "hooks"
        hooks = getattr(owner, attribute) or {}
        setattr(owner, attribute, hooks)
        return RemovableHandle(hooks, hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> RemovableHandle:
        """Call ``hook(tensor)`` after a gradient was added to ``.grad`` of this leaf."""
        if not self.is_leaf:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        self._after_hooks = self._after_hooks or {}
        return RemovableHandle(self._after_hooks, hook)

    def retain_grad(self) -> None:
        """Keep the gradient of this intermediate result in ``.grad``."""
        if not tracked(self):
            raise RuntimeError("can't retain_grad on a tensor that has requires_grad=False")
        if self._node is None or self._retains:
            return
        retain(self)

    @property
    def retains_grad(self) -> bool:
        """True after ``retain_grad()`` on an intermediate result."""
        return self._retains

    def _accumulate(self, grad: Tensor) -> None:
        """``self += grad``, while nothing is recorded."""
        total, part = self._view, grad._view
        buffer = total.buffer
        if (
            total.shape == part.shape
            and total.dtype is part.dtype
            and total.contiguous
            and buffer is not part.buffer
            and buffer.device is part.buffer.device
            and not state.enabled
        ):
            buffer.device.backend.map(_SUM, total, total, part)
            buffer.version += 1
        else:
            ew.plus.into(self, self, grad)

    def _ones_like(self) -> Tensor:
        view = self._view
        one = None if view.shape else _ONES.get(view.dtype.name)
        if one is None:
            return self._filled_like(1)
        backend = view.buffer.device.backend  # what every backward pass begins with
        out = backend.empty((), view.dtype, view.buffer.device)
        backend.write(out, one)
        return new(out)

    def _zeros_like(self) -> Tensor:
        return self._filled_like(0)

    def _filled_like(self, value: Any) -> Tensor:
        view = self._view
        out = view.buffer.device.backend.empty(view.shape, view.dtype, view.buffer.device)
        fill_view(out, value)
        return new(out)

    # -- in place ------------------------------------------------------------------------------------
    def copy_(self, source: Any, non_blocking: Any = False) -> Tensor:
        """Overwrite with the elements of ``source`` (a tensor, array or number), broadcast and converted."""
        if not isinstance(source, TensorCore) and not isinstance(source, int | float):
            from genesis.ops.creation import as_tensor

            source = as_tensor(source, device=self.device)
        if isinstance(source, Tensor):
            source = source.to(self._view.buffer.device, self._view.dtype, non_blocking=bool(non_blocking))
            return replace.into(self, self, source) if tracked(self) else assign.into(self, source)
        return self.fill_(source)

    def fill_(self, value: Any) -> Tensor:
        """Overwrite every element with one number (or 0-d tensor)."""
        if isinstance(value, TensorCore):
            if value._view.shape:
                raise RuntimeError(f"fill_ takes a number or a 0-d tensor, got shape {value._view.shape}")
            return self.copy_(value)
        if not isinstance(value, bool | int | float | np.generic):
            raise TypeError(f"fill_ takes a number or a 0-d tensor, got {type(value).__name__}")
        if self._base is None and not tracked(self):
            check_writable(self)
            fill_view(self._view, value)
            self._view.buffer.version += 1
            return self
        filled = self._filled_like(value)
        return replace.into(self, self, filled) if tracked(self) else assign.into(self, filled)

    def zero_(self) -> Tensor:
        """Overwrite with zeros."""
        return self.fill_(0)

    # -- the rest ------------------------------------------------------------------------------------
    def __copy__(self) -> Tensor:
        if not self.is_leaf:
            raise RuntimeError("only leaf tensors can be copied by copy.copy; use detach() or clone()")
        out = object.__new__(type(self))
        out.__dict__.update({k: v for k, v in self.__dict__.items() if k not in _OWN})
        out._view, out._tracked = self._view, self._tracked
        return out

    def __deepcopy__(self, memo: dict[Any, Any]) -> Tensor:
        if not self.is_leaf:
            raise RuntimeError(
                "only tensors created explicitly by the user support deepcopy; use detach().clone()"
            )
        out = object.__new__(type(self))
        memo[id(self)] = out
        out.__dict__.update({k: v for k, v in self.__dict__.items() if k not in _OWN})
        out._view = self._copy_view()
        out._tracked = self._tracked
        if self.grad is not None:
            out.grad = self.grad.__deepcopy__(memo)
        return out

    def __reduce__(self) -> Any:
        if not self.is_leaf:
            raise RuntimeError("only leaf tensors can be pickled; use detach() first")
        extra = {k: v for k, v in self.__dict__.items() if k not in _OWN}
        return _rebuild, (type(self), self._host(), str(self.device), self._tracked, extra)

    def __repr__(self) -> str:
        from genesis._printing import tensor_text

        return tensor_text(self)


# what __dict__ has of TensorCore; the rest was put there by the user or a subclass
_OWN = {name for name in TensorCore.__annotations__}


class RemovableHandle:
    """What registering a hook returns; ``remove()`` takes the hook away, as does leaving it as a context."""

    def __init__(self, hooks: dict[int, Any], hook: Any) -> None:
        self.id = next(_hook_ids)
        self._hooks = hooks
        hooks[self.id] = hook

    def remove(self) -> None:
        """Take the hook away."""
        self._hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


def _rebuild(
    cls: type[Tensor], array: np.ndarray[Any, Any], device: str, requires_grad: bool, extra: dict[str, Any]
) -> Tensor:
    from genesis.ops.creation import from_host

    source = from_host(array, Device(device))
    out = object.__new__(cls)
    out._view = source._view
    out._tracked = requires_grad
    out.__dict__.update(extra)
    return out


register_tensor_class(Tensor)
for _methods in Tensor.__mro__[1:]:
    if _methods.__module__.startswith("genesis._tensor"):
        with_numpy_names(_methods)

__all__ = ["GraphError", "RemovableHandle", "Size", "Tensor"]
