"""``x[key]`` and ``x[key] = value``: views for basic keys, look-ups of rows for index tensors and masks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from genesis._dtypes import bool_, dtype, int32, int64, uint8
from genesis._errors import ShapeError
from genesis.autograd.graph import TensorCore, new
from genesis.backend.expr import call
from genesis.backend.view import broadcast_shapes
from genesis.ops import elementwise as ew
from genesis.ops._elementwise import Elementwise
from genesis.ops._view import Steps, fill_view, take_view
from genesis.ops.creation import as_tensor, tensor, zeros
from genesis.ops.indexing import embedding, index_select, scatter, scatter_, scatter_add, scatter_add_
from genesis.ops.picking import nonzero
from genesis.ops.shape import expand, movedim, permute, reshape

if TYPE_CHECKING:
    from genesis._tensor import Tensor


_from_start = Elementwise("index", lambda i, n: ew.where_expr(call("lt", i, 0), i + n, i), 2, "same")


def _parse(x: Any, key: Any) -> tuple[Steps, list[Any | None]]:
    """View steps for the basic part, and for each axis of the result its index tensor or None."""
    items = [_as_index(x, i) for i in (key if isinstance(key, tuple) else [key])]
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
        if _is_mask(item) and not item.dim():  # one more axis, of length 1 or 0
            steps.append(("unsqueeze", (axis,)))
            advanced.append(zeros((int(item.item()),), dtype=int64, device=x.device))
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
            advanced.extend(nonzero(item, as_tuple=True))
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


def _as_tuple(key: Any) -> Any:
    """A list of few items, one of which is no number, means a tuple; so it is in PyTorch."""
    if isinstance(key, list) and len(key) < 32:
        for item in key:
            if item is None or item is Ellipsis or isinstance(item, TensorCore | slice | list | tuple):
                return tuple(key)
    return key


def _as_index(x: Any, item: Any) -> Any:
    if item is None or item is Ellipsis or (isinstance(item, slice | int) and not isinstance(item, bool)):
        return item
    if isinstance(item, TensorCore):
        kind = item._view.dtype
        if kind is uint8:  # a mask, as before there were bools
            return item.to(bool_)  # type: ignore[attr-defined]
        if kind not in (int64, int32, bool_):
            raise IndexError(f"tensors used as indices must be int64, int32, uint8 or bool, got {kind}")
        if not item._view.shape and kind is not bool_:
            return int(item.item())  # type: ignore[attr-defined]
        return item
    if hasattr(item, "__index__") and not isinstance(item, bool) and not getattr(item, "ndim", 0):
        return item.__index__()
    index = tensor(item, device=x.device)
    if index.dtype.is_floating_point:
        if index.numel():
            raise IndexError(f"indices must be integers, slices, None, ... or tensors, got {item!r}")
        index = index.to(int64)
    if index.dtype is not bool_:
        return index.to(bool_) if index.dtype is uint8 else index.to(int64)
    return index


def getitem(x: Tensor, key: Any) -> Tensor:
    """``x[key]``: a view for integers, slices, None and ``...``; a copy for index tensors and masks.

    Raises:
        IndexError: an index is out of range, there are too many, or one is not an index.
    """
    if type(key) is int:
        if not x._view.shape:
            raise IndexError("invalid index of a 0-dim tensor; use tensor.item() to get its number")
        size = x._view.shape[0]
        if not -size <= key < size:
            raise IndexError(f"index {key} is out of bounds for dimension 0 with size {size}")
        return take_view(x, (("select", (0, key % size)),))
    if isinstance(key, TensorCore) and _is_mask(key) and key._view.ndim > 1:
        mask: Any = key
        shape, n = x._view.shape, key._view.ndim
        if mask._view.shape == shape[:n] and x._view.size:  # one axis is searched faster than several
            return getitem(reshape(x, (mask._view.size, *shape[n:])), reshape(mask, -1))
    steps, advanced = _parse(x, _as_tuple(key))
    axes = [i for i, a in enumerate(advanced) if a is not None]
    if not axes:
        return take_view(x, steps)
    part = take_view(x, steps) if steps else x
    if (
        len(axes) == 1 and axes[0] and part._view.size
    ):  # along an axis that is not the first: no need to move it
        (axis,) = axes
        given = advanced[axis].to(x.device, int64)  # type: ignore[union-attr]
        size = part._view.shape[axis]
        flat = reshape(_from_start(given, size), -1)
        try:
            out = index_select(part, axis, flat)
        except IndexError:
            _check_range(given, size)
            raise
        if given.dim() == 1:
            return out
        shape = out._view.shape
        return reshape(out, (*shape[:axis], *given._view.shape, *shape[axis + 1 :]))
    look_up = _LookUp(part, advanced)
    try:
        return look_up.place(embedding(look_up.index, look_up.rows(part)))
    except IndexError:
        look_up.check()
        raise


def _check_range(index: Any, size: int) -> None:
    """Raise IndexError for an index that is out of range."""
    if index._view.size:
        host = index._view.buffer.device.backend.read(index._view)
        low, high = int(host.min()), int(host.max())
        if low < -size or high >= size:
            bad = low if low < -size else high
            raise IndexError(f"index {bad} is out of bounds for an axis of size {size}")


class _LookUp:
    """Advanced indexing as a look-up of rows: the indexed axes come first, merged; one index counts in them.

    Attributes:
        index: int64, of the broadcast shape of all index tensors.
    """

    def __init__(self, part: Any, advanced: list[Any | None]) -> None:
        shape = part._view.shape
        self.axes = [i for i, a in enumerate(advanced) if a is not None]
        self.rest = [i for i in range(len(shape)) if i not in self.axes]
        self.order = self.axes + self.rest
        self.sizes = [shape[i] for i in self.axes]
        self.rest_shape = tuple([shape[i] for i in self.rest])
        self.indices = [advanced[i].to(part.device, int64) for i in self.axes]  # type: ignore[union-attr]
        shape = self.indices[0]._view.shape
        if any(i._view.shape != shape for i in self.indices):
            try:
                shape = broadcast_shapes(*[i._view.shape for i in self.indices])
            except ShapeError as error:
                raise IndexError(f"index tensors cannot be broadcast together: {error}") from None
        self.index: Any = self._merged(shape, part._view.buffer.device)
        # index axes come first unless they replace neighbouring axes, as in NumPy
        together = self.axes == list(range(self.axes[0], self.axes[-1] + 1))
        self.first = self.axes[0] if together else 0

    def _merged(self, shape: tuple[int, ...], device: Any) -> Any:
        """One index for all, none of which is negative."""
        if len(self.axes) == 1:  # whose range the look-up checks
            return _from_start(self.indices[0], self.sizes[0])
        out = device.backend.empty(shape, int64, device)
        try:
            device.backend.merge_indices(out, [i._view.expand(shape) for i in self.indices], self.sizes)
        except IndexError:
            self.check()
            raise
        return new(out)

    def check(self) -> None:
        """Raise IndexError for an index that is out of range."""
        for i, size in zip(self.indices, self.sizes, strict=True):
            _check_range(i, size)

    def rows(self, part: Any) -> Any:
        """``part`` as rows: (product of the indexed sizes, …)."""
        if self.axes == [0]:
            return part
        moved = part if self.order == sorted(self.order) else permute(part, self.order)
        return reshape(moved, (math.prod(self.sizes), *self.rest_shape))

    def part(self, rows: Any) -> Any:
        """The converse of ``rows``."""
        moved = reshape(rows, (*self.sizes, *self.rest_shape))
        return permute(moved, [self.order.index(i) for i in range(len(self.order))])

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the result of the look-up."""
        return (*self.rest_shape[: self.first], *self.index._view.shape, *self.rest_shape[self.first :])

    def write(self, part: Any, value: Any, accumulate: bool) -> None:
        """Write ``value``, of the shape of the whole result, in place."""
        count, width = self.index._view.size, math.prod(self.rest_shape)
        source = reshape(self.unplace(value), (count, width))
        index = expand(reshape(self.index, (count, 1)), (count, width))
        rows = self.rows(part)
        matrix = reshape(rows, (rows._view.shape[0], width))
        if matrix._view.buffer is part._view.buffer:
            (scatter_add_ if accumulate else scatter_)(matrix, 0, index, source)
        else:  # the indexed axes cannot be merged in place
            part.copy_(self.part((scatter_add if accumulate else scatter)(matrix, 0, index, source)))

    def write_along(self, part: Any, value: Any, write: Any) -> None:
        """The same for one index of an axis that is not the first: nothing has to be moved."""
        (axis,) = self.axes
        shape, count = part._view.shape, self.index._view.size
        wide = (*shape[:axis], count, *shape[axis + 1 :])
        line = (*(1,) * axis, count, *(1,) * (len(shape) - axis - 1))
        write(part, axis, expand(reshape(self.index, line), wide), reshape(value, wide))

    def place(self, out: Tensor) -> Tensor:
        """Move the axes of the index from the front to where they belong."""
        count = self.index.dim()
        if not self.first:
            return out
        return movedim(out, list(range(count)), list(range(self.first, self.first + count)))

    def unplace(self, out: Any) -> Any:
        """The converse of ``place``."""
        count = self.index.dim()
        if not self.first:
            return out
        return movedim(out, list(range(self.first, self.first + count)), list(range(count)))


def setitem(x: Tensor, key: Any, value: Any) -> None:
    """``x[key] = value``, in place; ``value`` (a tensor, a number, anything ``tensor`` takes) broadcasts.

    Raises:
        IndexError: as for ``getitem``.
        RuntimeError: the shapes do not fit, or ``x`` is a leaf that requires a gradient.
    """
    number = isinstance(value, bool | int | float)
    if not number:
        value = as_tensor(value, device=x.device)
        value = value.to(x.device, x.dtype)
    scalar = number or not value.dim()
    if scalar and _is_mask(key) and key.dim() and key._view.shape == x._view.shape[: key.dim()]:
        mask = reshape(key, (*key._view.shape, *(1,) * (x.dim() - key.dim())))
        ew.select_where.into(x, mask, _as_kind(value, x.dtype) if number else value, x)
        return  # there was no need to find the positions
    write_part(x, _as_tuple(key), value, number)


def write_part(x: Any, key: Any, value: Any, number: bool = False, accumulate: bool = False) -> None:
    """Write or add ``value`` (of the type of ``x``, or a number) where ``key`` points."""
    steps, advanced = _parse(x, key)
    part: Any = take_view(x, steps) if steps else x
    if all(a is None for a in advanced):
        if number:
            part.copy_(value)
        elif accumulate:
            part.add_(_without_leading_ones(value, part.dim()))
        else:
            part.copy_(_without_leading_ones(value, part.dim()))
        return
    look_up = _LookUp(part, advanced)
    if number:
        device = x._view.buffer.device
        one = device.backend.empty((), x._view.dtype, device)
        fill_view(one, _as_kind(value, x._view.dtype))
        value = new(one)
    wanted = look_up.shape
    try:
        value = expand(_without_leading_ones(value, len(wanted)), wanted)
    except ShapeError:
        raise ShapeError(
            f"shape mismatch: a value of shape {tuple(value.shape)} cannot be broadcast to {tuple(wanted)}"
        ) from None
    if 0 in wanted:
        look_up.check()
    try:
        if len(look_up.axes) == 1 and look_up.axes[0]:
            look_up.write_along(part, value, scatter_add_ if accumulate else scatter_)
        else:
            look_up.write(part, value, accumulate)
    except IndexError:
        look_up.check()
        raise


def _without_leading_ones(value: Any, ndim: int) -> Any:
    lead = max(value.dim() - ndim, 0)
    return reshape(value, value._view.shape[lead:]) if set(value._view.shape[:lead]) == {1} else value


def _as_kind(value: Any, to: dtype) -> Any:
    return {"b": bool, "f": float}.get(to.kind, int)(value)


# -- the same with a sequence of indices -------------------------------------------------------------------
def index_put_(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """``input[indices] = values``, or ``+=`` where each occurrence of an index counts; in place.

    Args:
        indices: a sequence of index tensors (int64, int32 or bool), one for each axis; None leaves an axis.
        values: a tensor of the type of ``input`` that broadcasts to ``input[indices]``.

    Raises:
        IndexError: an index is out of range.
        RuntimeError: types or shapes do not fit.
    """
    if isinstance(indices, TensorCore) or not isinstance(values, TensorCore):
        raise TypeError("index_put takes a sequence of index tensors and a tensor of values")
    if values._view.dtype is not input._view.dtype:
        raise RuntimeError(
            f"index_put requires the source and destination types to match, got {input._view.dtype} for the "
            f"destination and {values._view.dtype} for the source"
        )
    key = tuple([slice(None) if i is None else i for i in indices])
    write_part(input, key, values, accumulate=accumulate)
    return input


def index_put(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """``index_put_`` of a copy."""
    return index_put_(input.clone(), indices, values, accumulate)
