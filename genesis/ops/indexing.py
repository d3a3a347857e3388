"""Picking and placing elements: basic and advanced indexing, gather and scatter, sorting."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from genesis._dtypes import bool_, int64
from genesis._errors import ShapeError
from genesis.autograd.graph import Node, TensorCore, check_writable, new, rebase, recording
from genesis.ops import elementwise as ew
from genesis.ops._op import op, primitive
from genesis.ops.reduction import ValuesAndIndices, axis_of
from genesis.ops.shape import Steps, expand, movedim, permute, reshape, take_view, zeros_view

if TYPE_CHECKING:
    from genesis._tensor import Tensor


# -- rows: the one look-up that embedding, index_select and advanced indexing share ------------------------
@op(saves=("index", "weight"))
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


def _scattered(mode: str, rule: Any, x: Any, dim: int, index: Any, src: Any, target: Any) -> Any:
    name = "scatter_add" if mode == "add" else "scatter"
    index = _check_index(name, index)
    axis = axis_of(dim, x.dim())
    if not isinstance(src, TensorCore):
        value = src
        src = new(x._view.buffer.device.backend.empty(index._view.shape, x.dtype, x._view.buffer.device))
        src.fill_(value)
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
    backend = x._view.buffer.device.backend
    if target is None:
        out = x._copy_view()
        backend.scatter(mode, out, index._view, src._view, axis)
        return rule.wrap(out, (x, index, src), (index,), axis)
    check_writable(x)
    backend.scatter(mode, x._view, index._view, src._view, axis)
    x._view.buffer.version += 1
    if recording(x, src):
        out = rule.wrap(x._view, (x, index, src), (index,), axis)
        rebase(x, out._node)
    return x


def scatter_add(x: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """``out[index[i][j]][j] += src[i][j]`` for dim 0, starting from ``x``."""
    return _scattered("add", _scatter_add, x, dim, index, src, None)


def scatter(x: Tensor, dim: int, index: Tensor, src: Any) -> Tensor:
    """``out[index[i][j]][j] = src[i][j]`` for dim 0, starting from ``x``; ``src`` is a tensor or a number."""
    return _scattered("set", _scatter, x, dim, index, src, None)


def scatter_(x: Tensor, dim: int, index: Tensor, src: Any) -> Tensor:
    """``scatter`` in place."""
    return _scattered("set", _scatter, x, dim, index, src, x)


def scatter_add_(x: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """``scatter_add`` in place."""
    return _scattered("add", _scatter_add, x, dim, index, src, x)


# -- x[...] ------------------------------------------------------------------------------------------------
def _parse(x: Any, key: Any) -> tuple[Steps, list[Any | None]]:
    """View steps for the basic part, and for each axis of the result its index tensor or None."""
    items = list(key) if isinstance(key, tuple) else [key]
    items = [_as_index(x, i) for i in items]
    consumed = sum(i.dim() if _is_mask(i) else 1 for i in items if i is not None and i is not Ellipsis)
    if items.count(Ellipsis) > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    if consumed > x.dim():
        raise IndexError(f"too many indices for tensor of dimension {x.dim()}: got {consumed}")
    if Ellipsis not in items:
        items.append(Ellipsis)
    at = items.index(Ellipsis)
    items[at : at + 1] = [slice(None)] * (x.dim() - consumed)
    steps: list[tuple[str, tuple[Any, ...]]] = []
    advanced: list[Any | None] = []
    axis, source = 0, 0  # axis of the view so far, axis of x
    for item in items:
        if item is None:
            steps.append(("unsqueeze", (axis,)))
            advanced.append(None)
            axis += 1
            continue
        size = x._view.shape[source]
        if isinstance(item, slice):
            start, stop, step = item.indices(size)
            if step < 0:
                raise ValueError("slice step must be positive; use flip() to reverse an axis")
            length = max(0, -(-(stop - start) // step))
            if (start, length, step) != (0, size, 1):
                steps.append(("narrow", (axis, start, length, step)))
            advanced.append(None)
        elif isinstance(item, int):
            if not -size <= item < size:
                raise IndexError(f"index {item} is out of bounds for dimension {source} with size {size}")
            steps.append(("select", (axis, item % size)))
            source += 1
            continue
        elif _is_mask(item):
            want = x._view.shape[source : source + item.dim()]
            if item._view.shape != want:
                raise IndexError(
                    f"the shape of the mask {item._view.shape} does not match the indexed shape {want}"
                )
            advanced.extend(nonzero(item, as_tuple=True) if item.dim() else [item])
            axis += item.dim()
            source += item.dim()
            continue
        else:
            advanced.append(item)
        axis += 1
        source += 1
    return tuple(steps), advanced


def _is_mask(item: Any) -> bool:
    return isinstance(item, TensorCore) and item._view.dtype is bool_


def _as_index(x: Any, item: Any) -> Any:
    if item is None or item is Ellipsis or (isinstance(item, slice | int) and not isinstance(item, bool)):
        return item
    if isinstance(item, TensorCore):
        if item._view.dtype.is_floating_point:
            raise IndexError(
                f"tensors used as indices must be integer or bool tensors, got {item._view.dtype}"
            )
        return item
    if hasattr(item, "__index__") and not isinstance(item, bool) and not getattr(item, "ndim", 0):
        return item.__index__()
    from genesis.ops.creation import tensor

    index = tensor(item, device=x.device)
    if index.dtype.is_floating_point:
        if index.numel():
            raise IndexError(f"indices must be integers, slices, None, ... or tensors, got {item!r}")
        index = index.to(int64)
    return index


def _mask_dims(x: Any, key: Any) -> bool:
    """True for a 0-d mask (``x[True]``), which PyTorch reads as a new axis of length 0 or 1."""
    return isinstance(key, bool) or (_is_mask(key) and key.dim() == 0)


def getitem(x: Tensor, key: Any) -> Tensor:
    """``x[key]``: a view for integers, slices, None and ``...``; a copy when there are index tensors or masks."""
    if type(key) is int:
        size = x._view.shape[0] if x.dim() else 0
        if not x.dim():
            raise IndexError("invalid index of a 0-dim tensor; use tensor.item() to get its number")
        if not -size <= key < size:
            raise IndexError(f"index {key} is out of bounds for dimension 0 with size {size}")
        return take_view(x, (("select", (0, key % size)),))
    if _mask_dims(x, key):
        keep = bool(key) if isinstance(key, bool) else bool(key.item())
        return take_view(x, (("unsqueeze", (0,)), ("narrow", (0, 0, int(keep)))))
    steps, advanced = _parse(x, key)
    part: Any = take_view(x, steps)
    if all(a is None for a in advanced):
        return part
    rows, index, place = _rows(part, advanced)
    return place(embedding(index, rows))


def _rows(part: Any, advanced: list[Any | None]) -> tuple[Any, Any, Any]:
    """Advanced indexing as a look-up of rows: the rows, their indices, and how to order the result's axes."""
    axes = [i for i, a in enumerate(advanced) if a is not None]
    sizes = [part._view.shape[i] for i in axes]
    rest = [i for i in range(part.dim()) if i not in axes]
    index = _linear([advanced[i] for i in axes], sizes, part)
    rows = permute(part, axes + rest) if axes + rest != list(range(part.dim())) else part
    rows = reshape(rows, (math.prod(sizes), *[part._view.shape[i] for i in rest]))
    together = axes == list(range(axes[0], axes[-1] + 1))
    first, count = axes[0], index.dim()

    def place(out: Any) -> Any:
        # index axes come first unless they replace neighbouring axes, as in NumPy
        return (
            movedim(out, list(range(count)), list(range(first, first + count))) if together and first else out
        )

    return rows, index, place


def _linear(indices: list[Any], sizes: list[int], x: Any) -> Any:
    """One index over the merged axes; negative ones count from the end."""
    total: Any = None
    for index, size in zip(indices, sizes, strict=True):
        i = index.to(int64).to(x.device)
        if (
            len(sizes) > 1 and i._view.size
        ):  # the merged index would hide a bad one; the look-up checks a single axis
            low, high = int(i.min().item()), int(i.max().item())
            if low < -size or high >= size:
                bad = low if low < -size else high
                raise IndexError(f"index {bad} is out of bounds for an axis of size {size}")
        i = ew.where(ew.lt(i, 0), i + size, i)
        total = i if total is None else total * size + i
    return total


def setitem(x: Tensor, key: Any, value: Any) -> None:
    """``x[key] = value``, in place; ``value`` broadcasts to the indexed part."""
    from genesis.ops.creation import as_tensor

    if _is_mask(key) and not (isinstance(value, TensorCore) and value.dim()) and key.dim():
        if key._view.shape == x._view.shape[: key.dim()]:
            mask = reshape(key, (*key._view.shape, *(1,) * (x.dim() - key.dim())))
            ew.select_where.into(x, mask, _scalar(value, x), x)
            return
    steps, advanced = _parse(x, key)
    part: Any = take_view(x, steps)
    if all(a is None for a in advanced):
        if isinstance(value, TensorCore) or not isinstance(value, int | float):
            value = as_tensor(value, device=x.device)
            lead = value.dim() - part.dim()
            if lead > 0 and all(s == 1 for s in value.shape[:lead]):
                value = reshape(value, value.shape[lead:])
        part.copy_(value)
        return
    rows, index, place = _rows(part, advanced)
    value = (
        as_tensor(value, dtype=x.dtype, device=x.device)
        if not isinstance(value, TensorCore)
        else value.to(x.dtype)
    )
    wanted = place(
        new(zeros_view((*index._view.shape, *rows._view.shape[1:]), x.dtype, x.device))
    )._view.shape
    try:
        value = expand(value, wanted)
    except ShapeError:
        raise ShapeError(
            f"shape mismatch: value of shape {tuple(value.shape)} cannot be broadcast to {wanted}"
        ) from None
    count, first = index.dim(), next(i for i, a in enumerate(advanced) if a is not None)
    if len(wanted) == count + rows.dim() - 1 and first and place(index) is not index:
        value = movedim(value, list(range(first, first + count)), list(range(count)))
    flat = reshape(index, -1)
    width = math.prod(rows._view.shape[1:])
    source = reshape(value, (flat._view.size, width))
    wide = expand(reshape(flat, (-1, 1)), (flat._view.size, width))
    result = scatter(reshape(rows, (-1, width)), 0, wide, source)
    axes = [i for i, a in enumerate(advanced) if a is not None]
    order = axes + [i for i in range(part.dim()) if i not in axes]
    result = reshape(result, [part._view.shape[i] for i in order])
    inverse = [order.index(i) for i in range(part.dim())]
    part.copy_(permute(result, inverse))


def _scalar(value: Any, x: Any) -> Any:
    if isinstance(value, TensorCore):
        return value.to(x.dtype)
    return float(value) if x.dtype.is_floating_point else int(value)


# -- finding -----------------------------------------------------------------------------------------------
def nonzero(x: Tensor, *, as_tuple: bool = False) -> Any:
    """Positions of the non-zero elements: an int64 tensor (count, ndim), or one 1-D tensor for each axis."""
    from genesis.ops.creation import from_host

    host = x._view.buffer.device.backend.nonzero(x._view)
    if not as_tuple:
        return from_host(host, x._view.buffer.device)
    return tuple(
        [
            from_host(host[:, i], x._view.buffer.device)
            for i in range(max(x.dim(), 1))
            if host.shape[1:] != (0,)
        ]
    )


def masked_select(x: Tensor, mask: Tensor) -> Tensor:
    """The elements of ``x`` where ``mask`` is true, one-dimensional."""
    from genesis.backend.view import broadcast_shapes

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
    return sort(x, dim, descending).indices


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
