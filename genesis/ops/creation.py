"""New tensors: from data, from a number, from a range, from random numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from genesis._device import device as Device
from genesis._device import get_default_device
from genesis._dtypes import DtypeError, as_dtype, bool_, default_dtype, dtype, float64, int64
from genesis.autograd.graph import TensorCore, new
from genesis.backend.dispatch import run_map
from genesis.backend.expr import INDEX, Expr, arg, call, cast
from genesis.backend.view import View
from genesis.ops._arrays import dtype_of, to_array
from genesis.ops.shape import fill_view, size_of

if TYPE_CHECKING:
    from genesis._tensor import Tensor

Array = np.ndarray[Any, Any]


def _place(device: Any) -> Device:
    return get_default_device() if device is None else Device(device)


def _leaf(t: Tensor, requires_grad: bool) -> Tensor:
    return t.requires_grad_(True) if requires_grad else t


def _empty(shape: tuple[int, ...], dtype: Any, device: Any) -> View:
    if any(s < 0 for s in shape):
        raise RuntimeError(f"trying to create a tensor with a negative dimension: {shape}")
    place = _place(device)
    want = default_dtype() if dtype is None else as_dtype(dtype)
    return place.backend.empty(shape, want, place)


# -- from data ---------------------------------------------------------------------------------------------
def from_host(array: Array, device: Device) -> Tensor:
    """A tensor with a copy of a host array."""
    view = device.backend.empty(array.shape, dtype_of(array), device)
    if array.size:
        device.backend.write(view, array)
    return new(view)


def tensor(data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A new tensor with a copy of ``data``.

    Args:
        data: a number, nested sequences of numbers, a NumPy array or a tensor.
        dtype: default: that of an array or tensor; for Python numbers bool, int64 or the default floating
            type; for a sequence the type that holds those of all its elements.
        device: default: that of a tensor, else the default device.
        requires_grad: record operations on it.
    """
    if isinstance(data, TensorCore):
        out = new(data._view).to(dtype=dtype, device=device, copy=True)
        return _leaf(out, requires_grad)
    array = to_array(data, dtype)
    return _leaf(from_host(array, _place(device)), requires_grad)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """``data`` as a tensor, without a copy where it can be."""
    if isinstance(data, TensorCore):
        out: Tensor = data.to(dtype=dtype, device=device)  # type: ignore[attr-defined]
        return out
    place = _place(device)
    if isinstance(data, np.ndarray) and (dtype is None or as_dtype(dtype).name == data.dtype.name):
        view = place.backend.from_numpy(data, place) if data.flags.writeable else None
        if view is not None:
            return new(view)
    return tensor(data, dtype=dtype, device=place)


def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None, requires_grad: bool = False
) -> Tensor:
    """``obj`` as a tensor: with its memory where that is possible, unless ``copy`` is True.

    Raises:
        ValueError: ``copy`` is False and the memory cannot be shared.
    """
    if isinstance(obj, TensorCore):
        out: Any = obj.detach() if obj._tracked and not requires_grad else obj  # type: ignore[attr-defined]
        moved = out.to(dtype=dtype, device=device, copy=bool(copy))
        if copy is False and moved._view.buffer is not obj._view.buffer:
            raise ValueError("asarray: the memory cannot be shared, as copy=False asks for")
        return moved.requires_grad_() if requires_grad and not moved._tracked else moved  # type: ignore[no-any-return]
    if copy:
        return tensor(obj, dtype=dtype, device=device, requires_grad=requires_grad)
    made = as_tensor(obj, dtype, device)
    shared = (
        isinstance(obj, np.ndarray) and np.shares_memory(obj, made._host(kept=False))
        if made.numel()
        else True
    )
    if copy is False and not shared:
        raise ValueError("asarray: the memory cannot be shared, as copy=False asks for")
    return _leaf(made, requires_grad)


def scalar_tensor(s: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A 0-d tensor of the number, of the default floating-point type unless ``dtype`` is given."""
    return full(
        (), s, dtype=default_dtype() if dtype is None else dtype, device=device, requires_grad=requires_grad
    )


def frombuffer(
    buffer: Any, *, dtype: Any, count: int = -1, offset: int = 0, requires_grad: bool = False
) -> Tensor:
    """A 1-d tensor over the memory of an object with a buffer, such as ``bytearray``.

    Raises:
        ValueError: count or offset do not fit the buffer.
    """
    want = as_dtype(dtype)
    if offset < 0 or count == 0 or count < -1:
        raise ValueError(f"frombuffer: count {count} and offset {offset} do not make sense")
    return _leaf(as_tensor(np.frombuffer(buffer, want.name, count, offset)), requires_grad)


def from_numpy(array: Array) -> Tensor:
    """A tensor over the memory of a NumPy array (a copy when the array is read-only or cannot be shared)."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(array).__name__})")
    dtype_of(array)
    return as_tensor(array)


_CUDA = 2  # of DLPack's kinds of devices


def from_dlpack(source: Any) -> Tensor:
    """A tensor from any object with ``__dlpack__``, sharing memory where the device can.

    Raises:
        TypeError: the device has no tensors of that type.
    """
    kind, index = getattr(source, "__dlpack_device__", lambda: (1, 0))()
    if int(kind) == _CUDA:
        place = Device("cuda", int(index))
        view = place.backend.adopt(source, place)
        if view is not None:
            return new(view)
    # NumPy before 2.3 takes memory by DLPack for reading only, so it would be copied.
    if "bfloat16" in str(getattr(source, "dtype", "")) and not isinstance(source, np.ndarray):
        from genesis._dlpack import Imported  # NumPy has no such type

        return as_tensor(np.from_dlpack(Imported(source)).view(as_dtype("bfloat16").name))
    return as_tensor(source if isinstance(source, np.ndarray) else np.from_dlpack(source))


# -- filled ------------------------------------------------------------------------------------------------
def empty(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """An uninitialised tensor."""
    return _leaf(new(_empty(size_of(size), dtype, device)), requires_grad)


def empty_strided(
    size: Sequence[int],
    stride: Sequence[int],
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """An uninitialised tensor with the given strides, in elements.

    Raises:
        RuntimeError: there is not one stride for each axis, or one is negative.
    """
    shape, strides = size_of((size,)), tuple(int(s) for s in stride)
    if len(shape) != len(strides):
        raise RuntimeError(
            f"dimensionality of sizes ({len(shape)}) must match dimensionality of strides ({len(strides)})"
        )
    if any(s < 0 for s in strides):
        raise RuntimeError(f"empty_strided: strides must not be negative, got {strides}")
    length = 1 + sum((n - 1) * s for n, s in zip(shape, strides, strict=True)) if 0 not in shape else 0
    view = _empty((length,), dtype, device)
    return _leaf(new(view.like(shape, strides)), requires_grad)


def full(
    size: Sequence[int],
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of one number; its type follows the number unless given."""
    if isinstance(fill_value, complex):
        raise DtypeError("full: there are no complex types; keep the real and the imaginary part apart")
    value = fill_value.item() if isinstance(fill_value, TensorCore) else fill_value  # type: ignore[attr-defined]
    if not isinstance(value, bool | int | float | np.generic):
        raise TypeError(f"full: fill_value must be a number, got {type(value).__name__}")
    if dtype is None:
        dtype = bool_ if isinstance(value, bool) else int64 if isinstance(value, int) else default_dtype()
    view = _empty(size_of((size,)), dtype, device)
    fill_view(view, value)
    return _leaf(new(view), requires_grad)


def zeros(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of zeros."""
    return full(
        size_of(size), 0.0, dtype=dtype or default_dtype(), device=device, requires_grad=requires_grad
    )


def ones(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor of ones."""
    return full(
        size_of(size), 1.0, dtype=dtype or default_dtype(), device=device, requires_grad=requires_grad
    )


def _like(x: Any, dtype: Any, device: Any) -> tuple[Any, Any]:
    return x.dtype if dtype is None else dtype, x.device if device is None else device


def empty_like(x: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """An uninitialised tensor of the shape, type and device of ``x``."""
    dtype, device = _like(x, dtype, device)
    return empty(tuple(x.shape), dtype=dtype, device=device, requires_grad=requires_grad)


def full_like(
    x: Tensor, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """One number in the shape, type and device of ``x``."""
    dtype, device = _like(x, dtype, device)
    return full(tuple(x.shape), fill_value, dtype=dtype, device=device, requires_grad=requires_grad)


def zeros_like(x: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros in the shape, type and device of ``x``."""
    return full_like(x, 0, dtype=dtype, device=device, requires_grad=requires_grad)


def ones_like(x: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones in the shape, type and device of ``x``."""
    return full_like(x, 1, dtype=dtype, device=device, requires_grad=requires_grad)


# -- ranges ------------------------------------------------------------------------------------------------
def check_range(name: str, start: Any, end: Any, step: Any) -> None:
    """Raise unless steps lead from ``start`` to ``end``.

    Raises:
        RuntimeError: an end is not finite, or the step is 0 or leads away from ``end``.
    """
    if not all(-math.inf < v < math.inf for v in (start, end)):
        raise RuntimeError(f"unsupported range: {start} -> {end}")
    if step == 0:
        raise RuntimeError(f"step must be nonzero: {name}({start}, {end}, {step})")
    if (end - start) / step < 0:
        raise RuntimeError(
            f"upper bound and lower bound inconsistent with step sign: {name}({start}, {end}, {step})"
        )


def arange(
    *bounds: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False, **named: Any
) -> Tensor:
    """``start, start + step, …`` below ``end``: ``arange(end)``, ``arange(start, end[, step])``.

    Raises:
        RuntimeError: the step is 0 or leads away from ``end``.
        ValueError: the step is a fraction that is 0 in int64.
    """
    start, end, step = 0, named.pop("end", None), named.pop("step", 1)
    if len(bounds) == 1 and end is None:
        end = bounds[0]
    elif bounds:
        start, end, step = (*bounds, *((end, step) if len(bounds) == 1 else (step,)))[:3]
    start = named.pop("start", start)
    if named or end is None:
        raise TypeError(f"arange expects end, or start, end and step; got {bounds} {named}")
    start, end, step = (v.item() if hasattr(v, "item") else v for v in (start, end, step))
    check_range("arange", start, end, step)
    if dtype is None:
        dtype = int64 if all(isinstance(v, int) for v in (start, end, step)) else default_dtype()
    want = as_dtype(dtype)
    if want is int64:  # PyTorch counts in the type of the result
        if not int(step):
            raise ValueError(f"step must be nonzero: arange({start}, {end}, {step}) of int64")
        start, end, step = int(start), int(end), int(step)
    whole = all(isinstance(v, int) for v in (start, end, step))
    count = max(0, -(-(end - start) // step) if whole else math.ceil((end - start) / step))
    if not whole and not want.is_floating_point:  # but of other integers only the steps, not their number
        start, step, whole = int(start), int(step), True
    view = _empty((int(count),), want, device)
    _fill(_steps(whole, want), view, start, step)
    return _leaf(new(view), requires_grad)


@cache
def _steps(whole: bool, want: dtype) -> Expr:
    """A start and a step -> the numbers; exact: in int64 for whole numbers, in float64 otherwise."""
    inner = int64 if whole else float64
    position = INDEX if whole else cast(INDEX, inner)
    return _as(cast(arg(0), inner) + cast(arg(1), inner) * position, inner, want)


def _as(expr: Expr, have: dtype, want: dtype) -> Expr:
    return expr if have is want else cast(expr, want)


def _fill(expr: Any, view: View, *numbers: Any) -> None:
    if view.size:
        run_map(view.buffer.device.backend, expr, view, *numbers)


def _check_steps(name: str, steps: Any) -> None:
    if isinstance(steps, float | bool):
        raise TypeError(f"{name}: steps must be an int, got {steps!r}")
    if steps < 0:
        raise RuntimeError(f"number of steps must be non-negative, got {steps}")


def linspace(
    start: Any,
    end: Any,
    steps: int,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``steps`` numbers from ``start`` to ``end``, both included, evenly spaced."""
    start, end = (v.item() if isinstance(v, TensorCore) else v for v in (start, end))  # type: ignore[attr-defined]
    _check_steps("linspace", steps)
    view = _empty((int(steps),), dtype, device)
    if not view.dtype.is_floating_point:  # PyTorch takes the ends in the type of the result
        start, end = int(start), int(end)
    step = (end - start) / (steps - 1) if steps > 1 else 0.0
    _fill(_between(view.dtype), view, float(start), float(end), float(step), float(max(steps - 1, 1)))
    return _leaf(new(view), requires_grad)


@cache
def _between(want: dtype) -> Expr:
    """Both ends, a step and the number of steps -> the numbers; each half counts from its own end."""
    i = cast(INDEX, float64)
    first = cast(arg(0), float64) + cast(arg(2), float64) * i
    second = cast(arg(1), float64) - cast(arg(2), float64) * (cast(arg(3), float64) - i)
    half = call("lt", i * 2, cast(arg(3), float64))
    return _as(call("where", half, first, second), float64, want)


def eye(
    n: int, m: int | None = None, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """The identity matrix, n by m (square by default)."""
    m = n if m is None else m
    if n < 0 or m < 0:
        raise RuntimeError(f"n and m must be greater or equal to 0, got {n} and {m}")
    view = _empty((n, m), dtype, device)
    if view.size:
        fill_view(view, 0)
        fill_view(view.diagonal(0, 0, 1), 1)
    return _leaf(new(view), requires_grad)
