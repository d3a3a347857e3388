"""Picking and placing along one axis: gather, scatter and the look-ups and writes made of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from genesis._dtypes import int32, int64
from genesis._errors import DeviceError, ShapeError
from genesis.autograd.grad_mode import state
from genesis.autograd.graph import Node, TensorCore, check_writable, edges_of, new, rebase
from genesis.backend import halves
from genesis.backend.view import broadcast_shapes
from genesis.ops import elementwise as ew
from genesis.ops._autocast import in_widest_on_cuda
from genesis.ops._op import Primitive, op, primitive
from genesis.ops._view import fill_view, take_view, zeros_of, zeros_view
from genesis.ops.reduction import axis_of
from genesis.ops.shape import expand, reshape

if TYPE_CHECKING:
    from genesis._tensor import Tensor


class PositionError(IndexError, ShapeError):
    """An index lies outside its axis."""


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
    wide = expand(reshape(rows, (-1, 1)), grad._view.shape)
    return None, reshape(spread((shape[0], grad._view.shape[1]), 0, wide, grad), shape)


def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The given indices (a 1-D or 0-d tensor of int32 or int64) of axis ``dim``.

    Raises:
        IndexError: an index is out of range, or ``index`` has several axes.
        RuntimeError: ``index`` is of another type.
    """
    where = vector_of("index_select", index)
    axis = axis_of(dim, input.dim())
    if not input.dim():
        if where._view.size != 1:
            raise RuntimeError(
                f"index_select: index to a scalar can have only 1 value, got {where._view.size}"
            )
        return reshape(index_select(reshape(input, 1), 0, where), ())
    check_devices("index_select", input, where)
    if not axis and (input._view.size or not where._view.size):
        return embedding(where, input)  # type: ignore[no-any-return]
    shape = input._view.shape
    try:
        return gather(input, axis, along(where, axis, (*shape[:axis], -1, *shape[axis + 1 :])))
    except PositionError as error:
        raise IndexError(str(error)) from None


def along(index: Any, axis: int, shape: tuple[int, ...]) -> Any:
    """A vector of indices repeated over all other axes; ``shape`` is that of the result."""
    n = index._view.shape[0]
    line = tuple([n if a == axis else 1 for a in range(len(shape))])
    return expand(reshape(index, line), tuple([n if a == axis else s for a, s in enumerate(shape)]))


def vector_of(name: str, index: Any, error: type[Exception] = IndexError) -> Any:
    if not isinstance(index, TensorCore):
        raise TypeError(f"{name}: index must be a tensor, got {type(index).__name__}")
    index = _check_index(name, index)
    if index.dim() > 1:
        raise error(f"{name}: index is supposed to be a vector, got shape {tuple(index.shape)}")
    return reshape(index, -1)


# -- gather and scatter ------------------------------------------------------------------------------------
def check_devices(name: str, *tensors: Any) -> None:
    devices = {str(t._view.buffer.device) for t in tensors}
    if len(devices) > 1:
        raise DeviceError(f"{name}: all tensors must be on one device, got {' and '.join(sorted(devices))}")


def _check_index(name: str, index: Any) -> Any:
    if not isinstance(index, TensorCore):
        raise TypeError(f"{name}: index must be a tensor, got {type(index).__name__}")
    if index._view.dtype is not int64:
        if index._view.dtype is not int32 and index._view.size:
            raise RuntimeError(f"{name}: expected int32 or int64 for index, got {index._view.dtype}")
        index = index.to(int64)  # type: ignore[attr-defined]
    return index


def as_vector(x: Any) -> Any:
    """A 0-d tensor as one of a single element: devices look up along an axis."""
    return x if x.dim() else reshape(x, 1)


@primitive("gather")
def _gather(node: Node, grad: Any) -> tuple[Any, None]:
    (index,) = node.unpack()
    shape, axis = node.options
    return spread(shape, axis, index, grad), None


def spread(shape: tuple[int, ...], axis: int, index: Any, grad: Any) -> Tensor:
    """Zeros of ``shape`` with ``grad`` added up where ``index`` says: the gradient of ``gather``."""
    zeros = new(zeros_view(shape, grad.dtype, grad.device))
    return (scatter_add if state.enabled else scatter_add_)(zeros, axis, index, grad)


def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """``out[i][j] = input[index[i][j]][j]`` for dim 0, and so on; the shape of ``index``.

    Args:
        index: int64 or int32, with as many axes as ``input``, none longer than there except ``dim``.
        sparse_grad: accepted; gradients are dense.

    Raises:
        RuntimeError, IndexError: an index is out of range.
    """
    index = _check_index("gather", index)
    check_devices("gather", input, index)
    if max(input.dim(), 1) != max(index.dim(), 1) and index._view.size:
        raise RuntimeError(
            f"gather: index has {index.dim()} dimensions, the input {input.dim()}; they must agree"
        )
    axis = axis_of(dim, input.dim())
    if not (input.dim() and index.dim()):
        return reshape(gather(as_vector(input), 0, as_vector(index)), index._view.shape)
    device = input._view.buffer.device
    out = device.backend.empty(index._view.shape, input._view.dtype, device)
    if out.size:
        if any(i > s for a, (i, s) in enumerate(zip(index.shape, input.shape, strict=True)) if a != axis):
            raise ShapeError(
                f"gather: index of shape {tuple(index.shape)} is larger than the input {tuple(input.shape)}"
            )
        try:
            if out.dtype.is_half:
                halves.gather(device.backend, out, input._view, index._view, axis)
            else:
                device.backend.gather(out, input._view, index._view, axis)
        except IndexError as error:
            raise PositionError(f"gather: {error}") from None
    return _gather.wrap(out, (input, index), (index,), (input._view.shape, axis))


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


def check_scatter(name: str, x: Any, dim: int, index: Any, src: Any) -> tuple[int, Any, Any, Any]:
    """The axis, the index as int64, and as much of ``src`` as the index covers; checked.

    Raises:
        RuntimeError: types, shapes or devices do not fit.
    """
    index = _check_index(name, index)
    axis = axis_of(dim, x.dim())
    check_devices(name, x, index, src)
    if x.dtype is not src.dtype:
        raise RuntimeError(f"{name}: expected self.dtype {x.dtype} to be equal to src.dtype {src.dtype}")
    if not index._view.size:  # whatever the shapes are, there is nothing to write
        return axis, x, index, src if src._view.shape == index._view.shape else zeros_of(index._view.shape, x)
    if not max(x.dim(), 1) == max(index.dim(), 1) == max(src.dim(), 1):
        raise RuntimeError(f"{name}: input, index and src must have the same number of dimensions")
    x, index, src = as_vector(x), as_vector(index), as_vector(src)
    for a, (i, s, n) in enumerate(zip(index.shape, src.shape, x.shape, strict=True)):
        if i > s or (a != axis and i > n):
            raise ShapeError(
                f"{name}: index of shape {tuple(index.shape)} does not fit src {tuple(src.shape)} and "
                f"input {tuple(x.shape)}"
            )
    if tuple(src.shape) != tuple(index.shape):
        src = take_view(src, tuple([("narrow", (a, 0, n)) for a, n in enumerate(index.shape)]))
    return axis, x, index, src


def number_as(x: Any, index: Any, value: Any) -> Any:
    """A number in the shape of ``index`` and the type of ``x``."""
    device = x._view.buffer.device
    one = device.backend.empty((1,) * index.dim(), x._view.dtype, device)
    fill_view(one, value)
    return new(one.expand(index._view.shape))


def _scattered(mode: str, rule: Primitive, x: Any, dim: int, index: Any, src: Any, in_place: bool) -> Tensor:
    name = "scatter_add" if mode == "add" else "scatter"
    axis, target, index, src = check_scatter(name, x, dim, index, src)
    if target is not x:  # zero-dimensional: devices scatter along an axis
        one = _scattered(mode, rule, target, 0, index, src, in_place)
        return x if in_place else reshape(one, ())
    if in_place:
        check_writable(x)
        if src._view.buffer is x._view.buffer:
            src = src.clone()
    device = x._view.buffer.device
    out = x._view if in_place else x._copy_view()
    edges = edges_of((x, index, src))
    try:
        if index._view.size:
            if out.dtype.is_half:
                halves.scatter(device.backend, mode, out, index._view, src._view, axis)
            else:
                device.backend.scatter(mode, out, index._view, src._view, axis)
    except IndexError as error:
        raise PositionError(f"{name}: {error}") from None
    if not in_place:
        return rule.wrap(out, (x, index, src), (index,), axis)
    out.buffer.version += 1
    if edges is not None:
        rebase(x, Node(rule, edges, (index,), axis))
    return x  # type: ignore[no-any-return]


def _scatter_by(
    x: Any, dim: int, index: Any, src: Any, value: Any, reduce: str | None, in_place: bool
) -> Any:
    src = value if src is None else src
    if src is None:
        raise TypeError("scatter needs src, a tensor, or value, a number")
    if not isinstance(src, TensorCore):
        src = number_as(x, _check_index("scatter", index), src)
    if reduce is None:
        return _scattered("set", _scatter, x, dim, index, src, in_place)
    if reduce not in ("add", "multiply"):
        raise RuntimeError(f"scatter: reduce must be either add or multiply, got {reduce!r}")
    if reduce == "add":
        return _scattered("add", _scatter_add, x, dim, index, src, in_place)
    from genesis.ops.scattering import scatter_reduce

    out = scatter_reduce(x, dim, index, src, "prod")
    return x.copy_(out) if in_place else out


@in_widest_on_cuda
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """``out[index[i][j]][j] += src[i][j]`` for dim 0, starting from ``input``."""
    if not isinstance(src, TensorCore):
        raise TypeError(f"scatter_add: src must be a tensor, got {type(src).__name__}")
    return _scattered("add", _scatter_add, input, dim, index, src, False)


def scatter(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Any = None,
    *,
    value: Any = None,
    reduce: str | None = None,
) -> Tensor:
    """``out[index[i][j]][j] = src[i][j]`` for dim 0, starting from ``input``.

    Args:
        src, value: a tensor or a number; either name.
        reduce: ``"add"`` or ``"multiply"`` combines with what is there instead.

    Where an index appears several times without ``reduce``, the last write is kept.
    """
    out: Tensor = _scatter_by(input, dim, index, src, value, reduce, False)
    return out


def scatter_(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Any = None,
    *,
    value: Any = None,
    reduce: str | None = None,
) -> Tensor:
    """``scatter`` in place."""
    out: Tensor = _scatter_by(input, dim, index, src, value, reduce, True)
    return out


def scatter_add_(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """``scatter_add`` in place."""
    if not isinstance(src, TensorCore):
        raise TypeError(f"scatter_add_: src must be a tensor, got {type(src).__name__}")
    return _scattered("add", _scatter_add, input, dim, index, src, True)


def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """``gather`` whose other axes broadcast; of the flattened tensors where no ``dim`` is given.

    Raises:
        RuntimeError: ``indices`` is not int64, or has another number of axes.
    """
    if indices.dtype is not int64:
        raise RuntimeError(f"take_along_dim(): dtype of indices should be int64 but got {indices.dtype}")
    if dim is None:
        input, indices, dim = reshape(input, -1), reshape(indices, -1), 0
    if input.dim() != indices.dim():
        raise RuntimeError(
            "take_along_dim(): input and indices should have the same number of dimensions, but got "
            f"{input.dim()} dimensions for input, and {indices.dim()} dimensions for indices"
        )
    axis = axis_of(dim, input.dim())
    size = input._view.shape[axis] if input.dim() else 1
    indices = ew.where(ew.lt(indices, 0), indices + size, indices)
    a, b = list(input._view.shape), list(indices._view.shape)
    if a:
        a[axis] = b[axis] = 1
    common = broadcast_shapes(a, b)

    def wide(x: Any) -> Any:
        return expand(x, [n if i == axis else common[i] for i, n in enumerate(x._view.shape)])

    return gather(wide(input), axis, wide(indices))
