"""Order: sorting, the largest, distinct elements, places in a sorted sequence."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from genesis._dtypes import int32, int64
from genesis.autograd.graph import Node, TensorCore, new
from genesis.backend import halves
from genesis.backend.dispatch import kernel
from genesis.backend.view import View
from genesis.ops._op import primitive
from genesis.ops._view import zeros_view
from genesis.ops.indexing import gather, spread
from genesis.ops.reduction import ValuesAndIndices, axis_of
from genesis.ops.shape import movedim

if TYPE_CHECKING:
    from genesis._tensor import Tensor


@primitive("sort")
def _sort(node: Node, grad: Any) -> tuple[Any]:
    (indices,) = node.unpack()
    shape, axis = node.options
    return (spread(shape, axis, indices, grad),)


def sort(
    input: Tensor, dim: Any = -1, descending: bool = False, *, stable: bool | None = None
) -> ValuesAndIndices:
    """Sorted along ``dim``; equal elements keep their order, nan is the largest.  Returns (values, indices).

    ``stable`` is accepted: every sort here is stable.
    """
    if isinstance(dim, bool):  # sort(x, stable, dim) of old
        dim, descending = -1, dim
    axis = axis_of(dim, input.dim())
    if not input.dim():
        values = input.clone()
        return ValuesAndIndices(values, new(zeros_view((), int64, input._view.buffer.device)))
    source = movedim(input.detach(), axis, -1)._view
    device = source.buffer.device
    values_view = device.backend.empty(source.shape, source.dtype, device)
    where = device.backend.empty(source.shape, int64, device)
    if source.size:
        _sort_view(values_view, where, source, bool(descending))
    indices = movedim(new(where), -1, axis)
    out = movedim(new(values_view), -1, axis)._view
    return ValuesAndIndices(
        _sort.wrap(out, (input,), (indices,), (input._view.shape, axis)), new(indices._view)
    )


def _sort_view(values: View, order: View, x: View, descending: bool) -> None:
    backend = x.buffer.device.backend
    if x.dtype.is_half:
        halves.sort(backend, values, order, x, descending)
    else:
        backend.sort(values, order, x, descending)


def argsort(input: Tensor, dim: Any = -1, descending: bool = False, *, stable: bool = False) -> Tensor:
    """The indices that sort ``input`` along ``dim``; equal elements keep their order."""
    indices: Tensor = sort(input.detach(), dim, descending).indices
    return indices


def msort(input: Tensor) -> Tensor:
    """Sorted along the first axis."""
    values: Tensor = sort(input, 0).values
    return values


def topk(
    input: Tensor, k: int, dim: int | None = None, largest: bool = True, sorted: bool = True
) -> ValuesAndIndices:
    """The ``k`` largest (or smallest) along ``dim`` (the last), in order.  Returns (values, indices)."""
    axis = axis_of(-1 if dim is None else dim, input.dim())
    size = input._view.shape[axis] if input.dim() else 1
    if not 0 <= k <= size:
        raise RuntimeError(f"topk: k = {k} is not between 0 and {size}, the size of dimension {axis}")
    if not input.dim():
        values = input.clone() if k else input.reshape(1)[:0]
        return ValuesAndIndices(values, new(zeros_view(values._view.shape, int64, input.device)))
    if k == size or (4 * k > size and k > 16):
        values, indices = sort(input.detach(), axis, descending=largest)
        indices = indices.narrow(axis, 0, k).contiguous()
    else:
        indices = _leading(input, k, axis, largest)
    return ValuesAndIndices(gather(input, axis, indices), indices)


def _leading(x: Any, k: int, axis: int, largest: bool) -> Any:
    """Positions of the ``k`` largest (or smallest) along an axis."""
    order = [i for i in range(x.dim()) if i != axis] + [axis]
    view = x._view.permute(tuple(order))
    device = view.buffer.device
    out = device.backend.empty((*view.shape[:-1], k), int64, device)
    if out.size:
        device.backend.leading(out, halves.widened(view) if view.dtype.is_half else view, largest)
    return new(out.permute(tuple([order.index(i) for i in range(x.dim())]))).contiguous()


# -- distinct elements -------------------------------------------------------------------------------------
def _results(x: Any, arrays: list[Any]) -> Any:
    from genesis.ops.creation import from_host

    out = [from_host(np.asarray(a, order="C"), x.device) for a in arrays]
    return out[0] if len(out) == 1 else tuple(out)


def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The distinct elements, or slices along ``dim``, in ascending order.

    Args:
        sorted: accepted; the result is always sorted.
        return_inverse: also, for each element (or slice), its place in the result.
        return_counts: also how often each occurs.

    Returns:
        The values alone, or a tuple (values, inverse, counts) of what was asked for. They have no gradient.
    """
    if dim is None and (own := _on_device(input, False, return_inverse, return_counts)) is not None:
        return own
    if dim is None:
        order, found = _in_order(input)
        first = np.ones(len(found), bool)
        np.not_equal(found[1:], found[:-1], out=first[1:])
    else:
        host = np.moveaxis(_host(input, dim), axis_of(dim, input.dim()), 0)
        rows = host.reshape(len(host), math.prod(host.shape[1:]))
        order = np.lexsort(rows.T[::-1]) if rows.shape[1] else np.arange(len(rows))
        found = host[order]
        first = np.ones(len(found), bool)
        first[1:] = (rows[order[1:]] != rows[order[:-1]]).any(1)
    values = found[first]
    inverse = counts = None
    if return_inverse:
        inverse = np.empty(len(order), np.int64)
        inverse[order] = np.cumsum(first) - 1
    if return_counts:
        counts = np.diff(np.flatnonzero(first), append=len(first))
    return _distinct(input, dim, values, inverse, counts)


def _on_device(x: Any, neighbours: bool, inverse: bool, counts: bool) -> Any:
    """By the device's own kernel; None where it has none for this."""
    device = x._view.buffer.device
    own = kernel(device.backend, "distinct")
    if own is None or not x._view.size:
        return None
    flat = x.detach().reshape(-1)._view
    view = halves.widened(flat) if x.dtype.is_half else flat
    made = own(device.backend, view, neighbours=neighbours, inverse=inverse, counts=counts)
    if made is NotImplemented:
        return None
    values, places, often = made
    found = [new(halves.rounded(values, x.dtype) if x.dtype.is_half else values)]
    if places is not None:
        found.append(new(places).reshape(x._view.shape))
    if often is not None:
        found.append(new(often))
    return found[0] if len(found) == 1 else tuple(found)


def _in_order(x: Any) -> tuple[Any, Any]:
    """On the host: the indices that sort all elements, and the elements in order."""
    flat = x.detach().reshape(-1)._view
    device = flat.buffer.device
    values = device.backend.empty(flat.shape, flat.dtype, device)
    order = device.backend.empty(flat.shape, int64, device)
    if flat.size:
        _sort_view(values, order, flat, False)
    return device.backend.read(order), device.backend.read(values)


def _host(x: Any, dim: int | None) -> Any:
    if dim is not None:
        axis = axis_of(dim, x.dim())
        if not x.dim():
            raise IndexError("there is no dimension of a 0-d tensor")
        if not x._view.shape[axis] == 0 and 0 in x._view.shape:
            raise RuntimeError(
                "there are 0 sized dimensions, and they aren't selected, so unique cannot be applied"
            )
    return x._view.buffer.device.backend.read(x._view)


def _distinct(x: Any, dim: int | None, values: Any, inverse: Any, counts: Any) -> Any:
    """The values, and what else there is, as tensors."""
    if dim is not None:
        values = np.moveaxis(values, 0, axis_of(dim, x.dim()))
    elif inverse is not None:
        inverse = inverse.reshape(x._view.shape)
    arrays = [values, *[a.astype(np.int64, copy=False) for a in (inverse, counts) if a is not None]]
    return _results(x, arrays)


def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """All but the first of equal neighbours taken away; arguments and results as for ``unique``."""
    if dim is None and (own := _on_device(input, True, return_inverse, return_counts)) is not None:
        return own
    host = _host(input, dim)
    host = host.reshape(-1) if dim is None else np.moveaxis(host, axis_of(dim, input.dim()), 0)
    rows = host.reshape(len(host), math.prod(host.shape[1:]))
    first = np.ones(len(host), bool)
    first[1:] = (rows[1:] != rows[:-1]).any(1)
    group = np.cumsum(first) - 1 if return_inverse else None
    counts = np.diff(np.flatnonzero(first), append=len(first)) if return_counts else None
    return _distinct(input, dim, host[first], group, counts)


# -- places in a sorted sequence ---------------------------------------------------------------------------
def searchsorted(
    sorted_sequence: Tensor,
    input: Any = None,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Tensor | None = None,
    values: Any = None,
) -> Tensor:
    """Where ``input`` would have to be inserted into a sequence that ascends along its last axis.

    Args:
        sorted_sequence: one sequence (1-D), or one for each row of ``input``.
        input: values (``values`` is another name); a number gives a 0-d tensor.
        out_int32: int32 instead of int64.
        right, side: behind equal elements (``right=True``, ``side="right"``), or before them.
        sorter: the indices that sort an unsorted sequence.

    Raises:
        RuntimeError: shapes or types do not fit, or ``right`` and ``side`` disagree.
    """
    from genesis.ops.creation import from_host, tensor

    values = input if values is None else values
    if side not in (None, "left", "right"):
        raise RuntimeError(f"searchsorted(): side can only be 'left' or 'right' but got {side}")
    if right and side == "left":
        raise RuntimeError("searchsorted(): side and right can't be set to opposites")
    right = right or side == "right"
    sequence: Any = sorted_sequence
    if not isinstance(values, TensorCore):
        if sequence.dim() != 1:
            raise RuntimeError("searchsorted(): a number needs a sequence of one dimension")
        values = tensor(values, dtype=sequence.dtype, device=sequence.device)
    v: Any = values
    if not sequence.dim() or (sequence.dim() > 1 and sequence._view.shape[:-1] != v._view.shape[:-1]):
        raise RuntimeError(
            "searchsorted(): the sequence has one axis, or all but its last are those of the values; got "
            f"{sequence._view.shape} and {v._view.shape}"
        )
    if sorter is not None:
        if sorter._view.shape != sequence._view.shape:
            raise RuntimeError("searchsorted(): boundary and sorter must have the same size")
        if sorter.dtype is not int64:
            raise RuntimeError(
                f"searchsorted(): sorter must be a tensor of long dtype but got {sorter.dtype}"
            )
        sequence = gather(sequence.detach(), -1, sorter)
    backend = sequence._view.buffer.device.backend
    have, want = backend.read(sequence._view), v._view.buffer.device.backend.read(v._view)
    if have.ndim == 1:
        found = np.searchsorted(have, want, "right" if right else "left")
    else:
        found = _search_rows(have, want, right)
    found = np.asarray(found).astype((int32 if out_int32 else int64).name)
    return from_host(found, v.device)


def _search_rows(have: Any, want: Any, right: bool) -> Any:
    """Binary search in every row at once."""
    low = np.zeros(want.shape, np.int64)
    high = np.full(want.shape, have.shape[-1], np.int64)
    for _ in range(int(have.shape[-1]).bit_length()):
        open_ = low < high
        middle = (low + high) // 2
        value = np.take_along_axis(have, np.minimum(middle, have.shape[-1] - 1), -1)
        ahead = ~(value > want) if right else ~(value >= want)
        low = np.where(open_ & ahead, middle + 1, low)
        high = np.where(open_ & ~ahead, middle, high)
    return low


def bucketize(input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """The bucket of each element between ascending ``boundaries`` (1-D); see ``searchsorted``.

    ``right=False``: bucket i has ``boundaries[i-1] < x <= boundaries[i]``.
    """
    if boundaries.dim() != 1:
        raise RuntimeError(f"bucketize: boundaries tensor must be 1 dimension, got {boundaries.dim()}")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)
