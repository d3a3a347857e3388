"""What a tensor is, in PyTorch's further words: most of it is always the same here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genesis._device import device as Device
from genesis._dtypes import DtypeError, int8, int16, strided
from genesis.autograd.graph import TensorCore, new

if TYPE_CHECKING:
    from genesis._tensor import Tensor


class InfoMethods(TensorCore):
    """Properties and questions."""

    @property
    def is_cpu(self) -> bool:
        """True on the device ``cpu``."""
        return bool(self._view.buffer.device.type == "cpu")

    @property
    def layout(self) -> Any:
        """``genesis.strided``: all tensors are dense."""
        return strided

    is_sparse = is_sparse_csr = is_quantized = is_meta = is_mkldnn = is_mps = is_xpu = is_nested = False

    def is_signed(self) -> bool:
        """True when the type has negative numbers."""
        return self._view.dtype.is_signed

    def is_conj(self) -> bool:
        """False: all types are real."""
        return False

    def is_neg(self) -> bool:
        """False: no tensor is negated without being written."""
        return False

    def is_pinned(self, device: Any = None) -> bool:
        """Whether it lies in memory of the host that the accelerator reads by itself."""
        from genesis._accelerators import current

        name = current() if self._view.buffer.device.type == "cpu" else None
        if name is None:
            return False
        host = self._view.buffer.device.backend.look(self._view)
        return host is not None and Device(name).backend.is_pinned(host)

    def pin_memory(self, device: Any = None) -> Any:
        """A copy in memory of the host that the accelerator reads by itself.

        Copies from there need not be waited for: ``x.pin_memory().to(device, non_blocking=True)``. The tensor
        itself where it is there already, or no accelerator has such memory.

        Raises:
            RuntimeError: it is not on the CPU.
        """
        from genesis._accelerators import current

        place = self._view.buffer.device
        if place.type != "cpu":
            raise RuntimeError(f"cannot pin a tensor on {place}: only those on the CPU can be pinned")
        name = current()
        host = place.backend.look(self._view)
        if name is None or host is None or self.is_pinned():
            return self
        pinned = Device(name).backend.pinned(host.shape, host.dtype.name)
        view = None if pinned is None else place.backend.from_numpy(pinned, place)
        if view is None or pinned is None:
            return self
        pinned[...] = host
        return new(view)

    def record_stream(self, stream: Any) -> None:
        """Its memory is used again only after what a stream has been given by the time it is free.

        Args:
            stream: works with the tensor, which was made in another one.
        """
        self._view.buffer.device.backend.record_stream(self._view, stream._handle)

    def dim_order(self) -> tuple[int, ...]:
        """The axes in the order in which they lie in memory, the widest stride first."""
        strides = self._view.strides
        return tuple(sorted(range(len(strides)), key=lambda i: -strides[i]))

    def to_dense(self, dtype: Any = None, *, masked_grad: bool | None = None) -> Any:
        """The tensor itself, or as ``dtype``: all tensors are dense."""
        return self if dtype is None else self.to(dtype)  # type: ignore[attr-defined]

    def apply_(self, callable: Any) -> Any:
        """Each element replaced by what a Python function gives for it; slow.

        Raises:
            RuntimeError: the tensor requires a gradient.
        """
        return self.map_(self, lambda x, _: callable(x))

    def map_(self, tensor: Any, callable: Any) -> Any:
        """Each element replaced by a Python function of it and of that of ``tensor``, which broadcasts; slow.

        Raises:
            RuntimeError: the tensor requires a gradient.
        """
        from genesis.ops.creation import tensor as made

        if self.requires_grad:  # type: ignore[attr-defined]
            raise RuntimeError("Can't call map_() on a tensor that requires grad; use detach() or no_grad()")
        other = tensor.expand(self._view.shape)
        pairs = zip(self.reshape(-1).tolist(), other.reshape(-1).tolist(), strict=True)  # type: ignore[attr-defined]
        values = made([callable(a, b) for a, b in pairs], dtype=self.dtype, device=self.device)  # type: ignore[attr-defined]
        return self.copy_(values.reshape(self._view.shape))  # type: ignore[attr-defined]

    def is_inference(self) -> bool:
        """False: there are no tensors that may not be recorded later."""
        return False

    def is_nonzero(self) -> bool:
        """True when the only element is not zero."""
        from genesis.ops.inspection import is_nonzero

        return is_nonzero(self)

    def is_same_size(self, other: Tensor) -> bool:
        """True when both have one shape."""
        return self._view.shape == other._view.shape

    def ndimension(self) -> int:
        """Number of axes."""
        return len(self._view.shape)

    def get_device(self) -> int:
        """The number of the device, -1 on the CPU."""
        place = self._view.buffer.device
        return -1 if place.type == "cpu" else place.index or 0

    @property
    def real(self) -> Any:
        """The tensor itself: all types are real."""
        return self

    @property
    def imag(self) -> Any:
        """There is none.

        Raises:
            RuntimeError: always.
        """
        raise DtypeError("imag: there are no complex types, so there is no imaginary part")

    def conj(self) -> Any:
        """The tensor itself: all types are real."""
        return self

    conj_physical = conj_physical_ = resolve_conj = resolve_neg = conj

    def short(self, memory_format: Any = None) -> Tensor:
        """As int16."""
        return self.to(int16, memory_format=memory_format)  # type: ignore[attr-defined,no-any-return]

    def char(self, memory_format: Any = None) -> Tensor:
        """As int8."""
        return self.to(int8, memory_format=memory_format)  # type: ignore[attr-defined,no-any-return]
