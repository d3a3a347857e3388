"""``Tensor(2, 3)`` and the constructors that name a type, such as ``FloatTensor([1.0, 2.0])``."""

from __future__ import annotations

from typing import Any

from genesis._device import device as Device
from genesis._dtypes import (
    bfloat16,
    bool_,
    default_dtype,
    dtype,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
)
from genesis.autograd.graph import TensorCore


def construct(data: tuple[Any, ...], dtype: Any, device: Any) -> Any:
    """What ``Tensor(*data)`` means: sizes of an uninitialised tensor, or one sequence, array or tensor.

    Raises:
        TypeError: it is neither.
    """
    from genesis.ops.creation import empty, tensor

    want = default_dtype() if dtype is None else dtype
    if not data:
        return empty(0, dtype=want, device=device)
    if len(data) == 1:
        (only,) = data
        if type(only).__name__ == "Size" and isinstance(only, tuple):
            return empty(only, dtype=want, device=device)
        if isinstance(only, TensorCore):
            source: Any = only
            if dtype is None and source.dtype is not want:
                raise TypeError(f"expected {want} (got {source.dtype}); convert with .to(dtype)")
            return source.detach().to(dtype=want, device=device)
        if not isinstance(only, int):
            if only is None or isinstance(only, float | str):
                raise TypeError(f"new(): data must be a sequence (got {type(only).__name__})")
            return tensor(only, dtype=want, device=device)
    if all(isinstance(n, int) for n in data):
        return empty(*data, dtype=want, device=device)
    raise TypeError(
        f"Tensor() takes sizes, or one sequence, array or tensor; got {data!r:.60}; see genesis.tensor"
    )


class TypedTensor(type):
    """The class of these constructors: ``isinstance(x, FloatTensor)`` asks for the type of the elements."""

    dtype: dtype

    def __instancecheck__(cls, instance: object) -> bool:
        if not isinstance(instance, TensorCore):
            return False
        return instance._view.dtype is cls.dtype and instance._view.buffer.device.type == "cpu"

    def __call__(cls, *data: Any, device: Any = None) -> Any:
        return construct(data, cls.dtype, Device("cpu") if device is None else device)

    def __repr__(cls) -> str:
        return f"<class 'genesis.{cls.__name__}'>"


class FloatTensor(metaclass=TypedTensor):
    """Tensors of float32 on the CPU."""

    dtype = float32


class DoubleTensor(metaclass=TypedTensor):
    """Tensors of float64 on the CPU."""

    dtype = float64


class HalfTensor(metaclass=TypedTensor):
    """Tensors of float16 on the CPU."""

    dtype = float16


class BFloat16Tensor(metaclass=TypedTensor):
    """Tensors of bfloat16 on the CPU."""

    dtype = bfloat16


class LongTensor(metaclass=TypedTensor):
    """Tensors of int64 on the CPU."""

    dtype = int64


class IntTensor(metaclass=TypedTensor):
    """Tensors of int32 on the CPU."""

    dtype = int32


class ShortTensor(metaclass=TypedTensor):
    """Tensors of int16 on the CPU."""

    dtype = int16


class CharTensor(metaclass=TypedTensor):
    """Tensors of int8 on the CPU."""

    dtype = int8


class ByteTensor(metaclass=TypedTensor):
    """Tensors of uint8 on the CPU."""

    dtype = uint8


class BoolTensor(metaclass=TypedTensor):
    """Tensors of bool on the CPU."""

    dtype = bool_
