"""Several tensors as one: one after another, side by side, on a diagonal."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from genesis._dtypes import result_type
from genesis._errors import DeviceError, GenesisError, ShapeError
from genesis.autograd.grad_mode import state
from genesis.autograd.graph import Node, TensorCore, new
from genesis.backend import halves
from genesis.backend.view import Shape, View
from genesis.ops._op import primitive
from genesis.ops._view import take_view, zeros_of
from genesis.ops.reduction import axis_of
from genesis.ops.shape import reshape, unsqueeze

if TYPE_CHECKING:
    from genesis._tensor import Tensor


@primitive("cat")
def _cat(node: Node, grad: Any) -> tuple[Any, ...]:
    axis, inputs = node.options
    starts = accumulate([size for size, _, _ in inputs], initial=0)
    return tuple(
        [
            _part(grad, ("narrow", (axis, start, size)), shape, dtype) if e is not None else None
            for e, start, (size, shape, dtype) in zip(node.edges, starts, inputs, strict=False)
        ]
    )


@primitive("stack")
def _stack(node: Node, grad: Any) -> tuple[Any, ...]:
    axis, shape, dtypes = node.options
    return tuple(
        [
            _part(grad, ("select", (axis, i)), shape, dtype) if e is not None else None
            for i, (e, dtype) in enumerate(zip(node.edges, dtypes, strict=True))
        ]
    )


def _part(grad: Any, step: Any, shape: Shape, dtype: Any) -> Any:
    """The gradient of one part."""
    if state.enabled:
        out = take_view(grad, (step,))
    else:
        name, arguments = step
        out = new(getattr(grad._view, name)(*arguments))
    if out._view.shape != shape:
        out = reshape(out, shape)
    return out if out._view.dtype is dtype else out.to(dtype)


class EmptyListError(GenesisError, ValueError, RuntimeError):
    """There is nothing to join."""


def tensors_of(name: str, tensors: Any) -> list[Any]:
    """A list of tensors on one device.

    Raises:
        ValueError, RuntimeError: there are none.
        TypeError: something is no tensor.
        RuntimeError: they lie on several devices.
    """
    if isinstance(tensors, TensorCore):
        raise TypeError(f"{name} takes a sequence of tensors, got one tensor; put it into a list")
    found = list(tensors)
    if not found:
        raise EmptyListError(f"{name} expects a non-empty list of tensors")
    for x in found:
        if not isinstance(x, TensorCore):
            raise TypeError(f"{name} expects tensors, got {type(x).__name__}")
    if any(x._view.buffer.device is not found[0]._view.buffer.device for x in found):
        places = " and ".join(str(x.device) for x in found)
        raise DeviceError(
            f"{name}: all tensors must be on one device, got {places}; move them with .to(device)"
        )
    return found


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors one after another along ``dim``; all other sizes must agree.

    Raises:
        ValueError: no tensors are given.
        RuntimeError: shapes that do not fit (all are named).
    """
    given = tensors_of("cat", tensors)
    if any(not x._view.shape for x in given):
        raise RuntimeError("zero-dimensional tensors cannot be concatenated; use stack, or reshape them")
    # PyTorch lets an empty one-dimensional tensor join anything
    parts = [x for x in given if x._view.shape != (0,)] or given[:1]
    first = parts[0]._view
    axis = axis_of(dim, first.ndim)
    for x in parts:
        s = x._view.shape
        if len(s) != first.ndim or s[:axis] + s[axis + 1 :] != first.shape[:axis] + first.shape[axis + 1 :]:
            shapes = ", ".join(str(x._view.shape) for x in parts)
            raise ShapeError(f"cat: sizes must match except in dimension {axis}, got {shapes}")
    dtype = result_type([(x.dtype, 1) for x in given], [])
    total = sum(x._view.shape[axis] for x in parts)
    device = first.buffer.device
    out: View = device.backend.empty((*first.shape[:axis], total, *first.shape[axis + 1 :]), dtype, device)
    _join(out, parts, axis)
    inputs = [
        (0 if x._view.shape == (0,) else x._view.shape[axis], x._view.shape, x._view.dtype) for x in given
    ]
    return _cat.wrap(out, given, (), (axis, inputs))


def _join(out: View, parts: Sequence[Any], axis: int) -> None:
    views = [x._view if x._view.dtype is out.dtype else x.detach().to(out.dtype)._view for x in parts]
    backend = out.buffer.device.backend
    if out.dtype.is_half:
        halves.join(backend, out, views, axis)
    else:
        backend.join(out, views, axis)


concat = cat
concatenate = cat


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors of one shape along a new axis at ``dim``."""
    parts = tensors_of("stack", tensors)
    shape = parts[0]._view.shape
    if any(x._view.shape != shape for x in parts):
        shapes = ", ".join(str(x._view.shape) for x in parts)
        raise ShapeError(f"stack expects each tensor to be equal size, got {shapes}")
    axis = axis_of(dim, len(shape) + 1)
    dtypes = [x._view.dtype for x in parts]
    dtype = result_type([(d, len(shape)) for d in dtypes], [])
    device = parts[0]._view.buffer.device
    out: View = device.backend.empty((*shape[:axis], len(parts), *shape[axis:]), dtype, device)
    _join(out, parts, axis)
    return _stack.wrap(out, parts, (), (axis, shape, dtypes))


# -- at least so many axes ---------------------------------------------------------------------------------
def _at_least(name: str, tensors: tuple[Any, ...], widen: Any) -> Any:
    if len(tensors) == 1 and isinstance(tensors[0], TensorCore):
        return widen(tensors[0])
    if len(tensors) == 1 and isinstance(tensors[0], list | tuple):
        tensors = tuple(tensors[0])
    for x in tensors:
        if not isinstance(x, TensorCore):
            raise TypeError(f"{name} takes tensors, got {type(x).__name__}")
    return tuple([widen(x) for x in tensors])


def _one(x: Any) -> Any:
    return reshape(x, 1) if not x.dim() else x


def _two(x: Any) -> Any:
    return unsqueeze(_one(x), 0) if x.dim() < 2 else x


def _three(x: Any) -> Any:
    return unsqueeze(_two(x), -1) if x.dim() < 3 else x


def atleast_1d(*tensors: Any) -> Any:
    """Each tensor (or the tensors of one sequence) with at least one axis."""
    return _at_least("atleast_1d", tensors, _one)


def atleast_2d(*tensors: Any) -> Any:
    """Each tensor with at least two axes; new ones come in front."""
    return _at_least("atleast_2d", tensors, _two)


def atleast_3d(*tensors: Any) -> Any:
    """Each tensor with at least three axes; a vector becomes (1, n, 1), a matrix (m, n, 1)."""
    return _at_least("atleast_3d", tensors, _three)


def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """Side by side: along axis 1, vectors along axis 0."""
    parts = [_one(x) for x in tensors_of("hstack", tensors)]
    return cat(parts, 0 if parts[0].dim() == 1 else 1)


def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """One below another: along axis 0; vectors are rows."""
    return cat([_two(x) for x in tensors_of("vstack", tensors)], 0)


row_stack = vstack


def dstack(tensors: Sequence[Tensor]) -> Tensor:
    """One behind another: along axis 2."""
    return cat([_three(x) for x in tensors_of("dstack", tensors)], 2)


def column_stack(tensors: Sequence[Tensor]) -> Tensor:
    """Vectors as the columns of a matrix; matrices side by side."""
    parts = tensors_of("column_stack", tensors)
    return hstack([reshape(x, -1, 1) if x.dim() <= 1 else x for x in parts])


def block_diag(*tensors: Any) -> Tensor:
    """A matrix with the given ones (vectors are rows) along its diagonal, and zeros elsewhere."""
    if not tensors:
        from genesis.ops.creation import zeros

        return zeros(1, 0)
    parts = [_two(x) for x in tensors_of("block_diag", tensors)]
    if any(x.dim() > 2 for x in parts):
        raise RuntimeError(
            f"block_diag: input tensors must have 2 or fewer dimensions, got {[x.dim() for x in parts]}"
        )
    columns = sum(x._view.shape[1] for x in parts)
    dtype = result_type([(x.dtype, 1) for x in parts], [])
    rows, before = [], 0
    for x in parts:
        x = x.to(dtype)
        height, width = x._view.shape
        left, right = zeros_of((height, before), x), zeros_of((height, columns - before - width), x)
        rows.append(cat([left, x, right], 1))
        before += width
    return cat(rows, 0)
