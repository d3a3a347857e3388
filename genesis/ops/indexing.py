"""Picking and placing elements: basic and advanced indexing, gather and scatter, sorting."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from genesis._dtypes import bool_, int64
from genesis._errors import DeviceError, ShapeError
from genesis.autograd.graph import Node, TensorCore, check_writable, edges_of, new, rebase
from genesis.backend.view import broadcast_shapes
from genesis.ops import elementwise as ew
from genesis.ops._op import Primitive, op, primitive
from genesis.ops.reduction import ValuesAndIndices, axis_of
from genesis.ops.shape import expand, fill_view, movedim, reshape, take_view, zeros_view

if TYPE_CHECKING:
    from genesis._tensor import Tensor


# -- rows: the one look-up that embedding, index_select and advanced indexing share ------------------------
@op(saves=("index", "weight"), read_for={"weight": ()})
def embedding(index: Any, weight: Any, *, padding_idx: int | None = None) -> Any:
    """Rows of ``weight`` (rows, …) by ``index`` (any shape, integers in [0, rows)): shape index.shape + (…).

    ``padding_idx``: this row gets no gradient.

    Raises:
        IndexError: an index is out of range.
    """
    rows = reshape(index, -1).to(int64)
    rest = weight._view.shape[1:]
    width = math.prod(rest)
    flat = reshape(weight, (weight._view.shape[0], width))
    wide = expand(reshape(rows, (-1, 1)), (rows._view.size, width))
    return reshape(gather(flat, 0, wide), (*index._view.shape, *rest))


@embedding.backward_rule
def _embedding(needs: Any, grad: Any, index: Any, weight: Any, *, padding_idx: int | None = None) -> Any:
    rows = reshape(index, -1).to(int64)
    shape = weight._view.shape
    grad = reshape(grad, (rows._view.size, math.prod(shape[1:])))
    if padding_idx is not None:
        grad = ew.where(reshape(ew.eq(rows, padding_idx), (-1, 1)), 0.0, grad)
    zeros = new(zeros_view((shape[0], grad._view.shape[1]), grad.dtype, grad.device))
    wide = expand(reshape(rows, (-1, 1)), grad._view.shape)
    return None, reshape(scatter_add(zeros, 0, wide, grad), shape)


def index_select(x: Tensor, dim: int, index: Tensor) -> Tensor:
    """The given indices (a 1-D integer tensor) of axis ``dim``."""
    if index.dim() > 1:
        raise IndexError(f"index_select: index is supposed to be a vector, got shape {tuple(index.shape)}")
    axis = axis_of(dim, x.dim())
    out = embedding(reshape(index, -1), movedim(x, axis, 0) if axis else x)
    return movedim(out, 0, axis) if axis else out


# -- gather and scatter ------------------------------------------------------------------------------------
def _check_devices(name: str, *tensors: Any) -> None:
    devices = {str(t._view.buffer.device) for t in tensors}
    if len(devices) > 1:
        raise DeviceError(f"{name}: all tensors must be on one device, got {' and '.join(sorted(devices))}")


def _check_index(name: str, index: Any) -> Any:
    if index.dtype is not int64:
        if index.dtype.is_floating_point or index.dtype is bool_:
            raise RuntimeError(f"{name}: expected an integer tensor as index, got {index.dtype}")
        index = index.to(int64)
    return index


@primitive("gather")
def _gather(node: Node, grad: Any) -> tuple[Any, None]:
    (index,) = node.unpack()
    shape, axis = node.options
    zeros = new(zeros_view(shape, grad.dtype, grad.device))
    return scatter_add(zeros, axis, index, grad), None


def gather(x: Tensor, dim: int, index: Tensor) -> Tensor:
    """``out[i][j] = x[index[i][j]][j]`` for dim 0, and so on; the shape of ``index``."""
    index = _check_index("gather", index)
    _check_devices("gather", x, index)
    if x.dim() != index.dim():
        raise RuntimeError(
            f"gather: index has {index.dim()} dimensions, the input {x.dim()}; they must agree"
        )
    axis = axis_of(dim, x.dim())
    if not x.dim():
        return reshape(gather(reshape(x, 1), 0, reshape(index, 1)), ())
    if any(i > s for a, (i, s) in enumerate(zip(index.shape, x.shape, strict=True)) if a != axis):
        raise ShapeError(
            f"gather: index of shape {tuple(index.shape)} is larger than the input {tuple(x.shape)}"
        )
    device = x._view.buffer.device
    out = device.backend.empty(index._view.shape, x._view.dtype, device)
    if out.size:
        device.backend.gather(out, x._view, index._view, axis)
    return _gather.wrap(out, (x, index), (index,), (x._view.shape, axis))


@primitive("scatter_add")
def _scatter_add(node: Node, grad: Any) -> tuple[Any, None, Any]:
    (index,) = node.unpack()
    return grad, None, gather(grad, node.options, index) if node.needs[2] else None


@primitive("scatter")
def _scatter(node: Node, grad: Any) -> tuple[Any, None, Any]:
    (index,) = node.unpack()
    zero = new(zeros_view(index._view.shape, grad.dtype, grad.device))
    kept = scatter(grad, node.options, index, zero) if node.needs[0] else None
    return kept, None, gather(grad, node.options, index) if node.needs[2] else None


def _scattered(mode: str, rule: Primitive, x: Any, dim: int, index: Any, src: Any, in_place: bool) -> Tensor:
    name = "scatter_add" if mode == "add" else "scatter"
    index = _check_index(name, index)
    axis = axis_of(dim, x.dim())
    device = x._view.buffer.device
    if not isinstance(src, TensorCore):
        filled = device.backend.empty(index._view.shape, x.dtype, device)
        fill_view(filled, src)
        src = new(filled)
    _check_devices(name, x, index, src)
    if x.dtype is not src.dtype:
        raise RuntimeError(f"{name}: expected self.dtype {x.dtype} to be equal to src.dtype {src.dtype}")
    if not x.dim() == index.dim() == src.dim():
        raise RuntimeError(f"{name}: input, index and src must have the same number of dimensions")
    for a, (i, s, n) in enumerate(zip(index.shape, src.shape, x.shape, strict=True)):
        if i > s or (a != axis and i > n):
            raise ShapeError(
                f"{name}: index of shape {tuple(index.shape)} does not fit src {tuple(src.shape)} and "
                f"input {tuple(x.shape)}"
            )
    if tuple(src.shape) != tuple(index.shape):
        src = take_view(src, tuple([("narrow", (a, 0, n)) for a, n in enumerate(index.shape)]))
    if not x.dim():  # devices scatter along an axis
        one = _scattered(mode, rule, reshape(x, 1), 0, reshape(index, 1), reshape(src, 1), in_place)
        return x if in_place else reshape(one, ())
    if in_place:
        check_writable(x)
        if src._view.buffer is x._view.buffer:
            src = src.clone()
    out = x._view if in_place else x._copy_view()
    edges = edges_of((x, index, src))
    if index._view.size:
        device.backend.scatter(mode, out, index._view, src._view, axis)
    if not in_place:
        return rule.wrap(out, (x, index, src), (index,), axis)
    out.buffer.version += 1
    if edges is not None:
        rebase(x, Node(rule, edges, (index,), axis))
    return x  # type: ignore[no-any-return]


def scatter_add(x: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """``out[index[i][j]][j] += src[i][j]`` for dim 0, starting from ``x``."""
    return _scattered("add", _scatter_add, x, dim, index, src, False)


def scatter(x: Tensor, dim: int, index: Tensor, src: Any) -> Tensor:
    """``out[index[i][j]][j] = src[i][j]`` for dim 0, starting from ``x``; ``src`` is a tensor or a number."""
    return _scattered("set", _scatter, x, dim, index, src, False)


def scatter_(x: Tensor, dim: int, index: Tensor, src: Any) -> Tensor:
    """``scatter`` in place."""
    return _scattered("set", _scatter, x, dim, index, src, True)


def scatter_add_(x: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """``scatter_add`` in place."""
    return _scattered("add", _scatter_add, x, dim, index, src, True)


# -- finding -----------------------------------------------------------------------------------------------
def nonzero(x: Tensor, *, as_tuple: bool = False) -> Any:
    """Positions of the non-zero elements: an int64 tensor (count, ndim), or one 1-D tensor for each axis."""
    from genesis.ops.creation import from_host

    if as_tuple and not x.dim():
        x = reshape(x, 1)
    host = x._view.buffer.device.backend.nonzero(x._view)
    if not as_tuple:
        return from_host(host, x._view.buffer.device)
    return tuple([from_host(host[:, i], x._view.buffer.device) for i in range(x.dim())])


def masked_select(x: Tensor, mask: Tensor) -> Tensor:
    """The elements of ``x`` where ``mask`` is true, one-dimensional."""
    if mask.dtype is not bool_:
        raise RuntimeError(f"masked_select: expected a bool tensor as mask, got {mask.dtype}")
    from genesis.ops.subscript import getitem

    shape = broadcast_shapes(x._view.shape, mask._view.shape)
    return getitem(expand(x, shape), expand(mask, shape))


def index_add(x: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: float = 1) -> Tensor:
    """``x`` with ``alpha * source`` added at the given indices of axis ``dim``."""
    axis = axis_of(dim, x.dim())
    shape = [1] * x.dim()
    shape[axis] = -1
    wide = expand(reshape(index, shape), source._view.shape)
    return scatter_add(x, axis, wide, source if alpha == 1 else source * alpha)


@primitive("sort")
def _sort(node: Node, grad: Any) -> tuple[Any]:
    (indices,) = node.unpack()
    zeros = new(zeros_view(node.options[0], grad.dtype, grad.device))
    return (scatter_add(zeros, node.options[1], indices, grad),)


def sort(x: Tensor, dim: int = -1, descending: bool = False, stable: bool = True) -> ValuesAndIndices:
    """Sorted along ``dim``; equal elements keep their order.  Returns (values, indices)."""
    if not x.dim():
        return ValuesAndIndices(x.clone(), argsort_zero(x))
    axis = axis_of(dim, x.dim())
    source = movedim(x, axis, -1)._view
    device = source.buffer.device
    values = device.backend.empty(source.shape, source.dtype, device)
    where = device.backend.empty(source.shape, int64, device)
    device.backend.sort(values, where, source, descending)
    indices = movedim(new(where), -1, axis)
    out = movedim(new(values), -1, axis)._view
    return ValuesAndIndices(_sort.wrap(out, (x,), (indices,), (x._view.shape, axis)), indices)


def argsort_zero(x: Any) -> Any:
    """The position of the only element of a 0-d tensor."""
    return new(zeros_view((), int64, x._view.buffer.device))


def argsort(x: Tensor, dim: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """The indices that sort ``x`` along ``dim``."""
    indices: Tensor = sort(x, dim, descending).indices
    return indices


def topk(x: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> ValuesAndIndices:
    """The ``k`` largest (or smallest) along ``dim``, in order.  Returns (values, indices)."""
    axis = axis_of(dim, x.dim())
    size = x._view.shape[axis] if x.dim() else 1
    if not 0 <= k <= size:
        raise RuntimeError(f"topk: k = {k} is not between 0 and {size}, the size of dimension {dim}")
    values, indices = sort(x, axis, descending=largest)
    if not x.dim():
        return ValuesAndIndices(values, indices)
    part = (("narrow", (axis, 0, k)),)
    return ValuesAndIndices(take_view(values, part), take_view(indices, part))


def one_hot(x: Tensor, num_classes: int = -1) -> Tensor:
    """int64 tensor with one more axis: 1 at the class, 0 elsewhere.

    Raises:
        RuntimeError: a class is negative or not below ``num_classes``.
    """
    if x.dtype.is_floating_point or x.dtype is bool_:
        raise RuntimeError(f"one_hot is only applicable to index tensors of integer type, got {x.dtype}")
    if x.numel():
        if int(x.min().item()) < 0:
            raise RuntimeError("one_hot: class values must be non-negative")
        top = int(x.max().item())
        if num_classes != -1 and top >= num_classes:
            raise RuntimeError(
                f"one_hot: class values must be smaller than num_classes ({num_classes}), got {top}"
            )
        num_classes = top + 1 if num_classes == -1 else num_classes
    elif num_classes == -1:
        raise RuntimeError("one_hot: cannot infer the number of classes of an empty tensor; pass num_classes")
    from genesis.ops.creation import arange

    return ew.eq(x.unsqueeze(-1), arange(num_classes, device=x.device)).to(int64)
