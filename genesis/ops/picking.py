"""Elements by position in the flattened tensor or by a mask; where they are; classes as vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genesis._dtypes import bool_, int64
from genesis.autograd.graph import TensorCore, new
from genesis.backend import halves
from genesis.backend.view import View, broadcast_shapes
from genesis.ops import elementwise as ew
from genesis.ops._view import fill_view, zeros_view
from genesis.ops.indexing import PositionError, scatter, scatter_, scatter_add, scatter_add_
from genesis.ops.shape import expand, reshape

if TYPE_CHECKING:
    from genesis._tensor import Tensor


# -- where -------------------------------------------------------------------------------------------------
def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """Positions of the non-zero elements: an int64 tensor (count, ndim), or one 1-D tensor for each axis."""
    from genesis.ops.creation import from_host

    if as_tuple and not input.dim():
        input = reshape(input, 1)
    view = halves.widened(input._view) if input._view.dtype.is_half else input._view
    found = view.buffer.device.backend.nonzero(view)
    if isinstance(found, View):
        columns = [new(found.select(1, i)).contiguous() for i in range(found.shape[1] if as_tuple else 0)]
        return tuple(columns) if as_tuple else new(found)
    if not as_tuple:
        return from_host(found, input._view.buffer.device)
    return tuple([from_host(found[:, i].copy(), input._view.buffer.device) for i in range(input.dim())])


def nonzero_static(input: Tensor, *, size: int, fill_value: int = -1) -> Tensor:
    """``nonzero`` with a fixed number of rows: int64 (size, ndim), cut off or filled with ``fill_value``.

    Raises:
        RuntimeError: ``size`` is negative.
    """
    from genesis.ops.creation import full
    from genesis.ops.joining import cat

    if size < 0:
        raise RuntimeError(f"nonzero_static: size must be non-negative, got {size}")
    found: Tensor = nonzero(input)[:size]
    missing = size - found._view.shape[0]
    if not missing:
        return found
    return cat([found, full((missing, input.dim()), fill_value, dtype=int64, device=input.device)])


def argwhere(input: Tensor) -> Tensor:
    """Positions of the non-zero elements, int64 of shape (count, ndim)."""
    out: Tensor = nonzero(input)
    return out


# -- by a mask ---------------------------------------------------------------------------------------------
def _check_mask(name: str, mask: Any) -> None:
    if not isinstance(mask, TensorCore):
        raise TypeError(f"{name}: the mask must be a tensor, got {type(mask).__name__}")
    if mask._view.dtype is not bool_:
        raise RuntimeError(f"{name}: expected a bool tensor as mask, got {mask._view.dtype}")


def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements of ``input`` where ``mask`` is true, one-dimensional; both broadcast."""
    _check_mask("masked_select", mask)
    from genesis.ops.subscript import getitem

    shape = broadcast_shapes(input._view.shape, mask._view.shape)
    if not shape:
        return getitem(reshape(input, 1), reshape(mask, 1))
    return getitem(expand(input, shape), expand(mask, shape))


def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """``input`` with the elements of ``source``, in order, where ``mask`` is true; both broadcast.

    Raises:
        RuntimeError: ``source`` has fewer elements than ``mask`` has true ones, or another type.
    """
    _check_mask("masked_scatter", mask)
    shape = broadcast_shapes(input._view.shape, mask._view.shape)
    out = expand(input, shape)
    return reshape(_masked_scatter(scatter, reshape(out, -1), expand(mask, shape), source), shape)


def masked_scatter_(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """``masked_scatter`` in place."""
    _check_mask("masked_scatter_", mask)
    mask = expand(mask, input._view.shape)
    if input._view.contiguous:
        _masked_scatter(scatter_, reshape(input, -1), mask, source)
        return input
    return input.copy_(masked_scatter(input, mask, source))


def _masked_scatter(write: Any, flat: Any, mask: Any, source: Any) -> Any:
    if source._view.dtype is not flat._view.dtype:
        raise RuntimeError(
            f"masked_scatter: expected self and source to have same dtypes but got {flat._view.dtype} and "
            f"{source._view.dtype}"
        )
    where = reshape(nonzero(reshape(mask, -1)), -1)
    count = where._view.size
    if source._view.size < count:
        raise RuntimeError(
            f"masked_scatter: number of elements of source ({source._view.size}) < number of ones in mask "
            f"({count})"
        )
    return write(flat, 0, where, reshape(source, -1)[:count])


# -- by position in the flattened tensor -------------------------------------------------------------------
def _flat_positions(name: str, index: Any, size: int) -> Any:
    if not isinstance(index, TensorCore):
        raise TypeError(f"{name}: index must be a tensor, got {type(index).__name__}")
    if index._view.dtype is not int64:
        raise RuntimeError(f"{name}(): expected a long tensor for index, but got {index._view.dtype}")
    flat: Any = reshape(index, -1)  # type: ignore[arg-type]
    if not size and flat._view.size:
        raise IndexError(f"{name}(): tried to take from an empty tensor")
    return ew.where(ew.lt(flat, 0), flat + size, flat)


def take(input: Tensor, index: Tensor) -> Tensor:
    """Elements of the flattened tensor, in the shape of ``index``; negative positions count from the end.

    Raises:
        IndexError: a position is out of range.
        RuntimeError: ``index`` is not int64.
    """
    from genesis.ops.indexing import index_select

    size = input._view.size
    where = _flat_positions("take", index, size)
    try:
        return reshape(index_select(reshape(input, -1), 0, where), index._view.shape)
    except IndexError as error:
        raise IndexError(f"take: {error} (the tensor has {size} elements)") from None


def _put(write: Any, add: Any, name: str, x: Any, index: Any, source: Any, accumulate: bool) -> Any:
    where = _flat_positions(name, index, x._view.size)
    if source._view.dtype is not x._view.dtype:
        raise RuntimeError(
            f"{name}(): self and source expected to have the same dtype, but got {x._view.dtype} and "
            f"{source._view.dtype}"
        )
    if source._view.size != where._view.size:
        raise IndexError(
            f"{name}(): expected source and index to have the same number of elements, got "
            f"{source._view.size} and {where._view.size}"
        )
    try:
        return (add if accumulate else write)(reshape(x, -1), 0, where, reshape(source, -1))
    except PositionError as error:
        raise IndexError(f"{name}: {error}") from None


def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """``input`` with ``source`` at positions of the flattened tensor; ``accumulate`` adds instead."""
    flat = _put(scatter, scatter_add, "put", input, index, source, accumulate)
    return reshape(flat, input._view.shape)


def put_(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """``put`` in place."""
    if input._view.contiguous:
        _put(scatter_, scatter_add_, "put_", input, index, source, accumulate)
        return input
    return input.copy_(put(input, index, source, accumulate))


# -- classes -----------------------------------------------------------------------------------------------
def one_hot(input: Tensor, num_classes: int = -1) -> Tensor:
    """int64 tensor with one more axis: 1 at the class, 0 elsewhere.

    Raises:
        RuntimeError: a class is negative or not below ``num_classes``.
    """
    if input.dtype.is_floating_point or input.dtype is bool_:
        raise RuntimeError(f"one_hot is only applicable to index tensors of integer type, got {input.dtype}")
    if input.numel():
        num_classes = int(input.max().item()) + 1 if num_classes == -1 else num_classes
    elif num_classes <= 0:
        raise RuntimeError("one_hot: cannot infer the number of classes of an empty tensor; pass num_classes")
    device = input._view.buffer.device
    where, axis = input.detach().to(int64)._view, input.dim()
    out = zeros_view((*where.shape, max(num_classes, 0)), int64, device)
    one = device.backend.empty((1,) * (axis + 1), int64, device)
    fill_view(one, 1)
    try:
        if where.size:
            wide = (*where.shape, 1)
            device.backend.scatter("set", out, where.unsqueeze(axis), one.expand(wide), axis)
    except IndexError:
        if int(input.min().item()) < 0:
            raise RuntimeError("one_hot: class values must be non-negative") from None
        raise RuntimeError(
            f"one_hot: class values must be smaller than num_classes ({num_classes}), "
            f"got {input.max().item()}"
        ) from None
    return new(out)
