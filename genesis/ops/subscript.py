"""``x[key]`` and ``x[key] = value``: views for basic keys, look-ups of rows for index tensors and masks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from genesis._dtypes import bool_, dtype, int64
from genesis._errors import ShapeError
from genesis.autograd.graph import TensorCore, new
from genesis.backend.view import broadcast_shapes
from genesis.ops import elementwise as ew
from genesis.ops.creation import as_tensor, tensor, zeros
from genesis.ops.indexing import embedding, nonzero, scatter, scatter_
from genesis.ops.shape import Steps, expand, movedim, permute, reshape, take_view, zeros_view

if TYPE_CHECKING:
    from genesis._tensor import Tensor


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
        elif _is_mask(item) and not item.dim():  # one more axis, of length 1 or 0
            steps.append(("unsqueeze", (axis,)))
            advanced.append(zeros((int(item.item()),), dtype=int64, device=x.device))
            axis += 1
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
    index = tensor(item, device=x.device)
    if index.dtype.is_floating_point:
        if index.numel():
            raise IndexError(f"indices must be integers, slices, None, ... or tensors, got {item!r}")
        index = index.to(int64)
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
    steps, advanced = _parse(x, key)
    part = take_view(x, steps)
    if all(a is None for a in advanced):
        return part
    look_up = _LookUp(part, advanced)
    try:
        return look_up.place(embedding(look_up.index, look_up.rows(part)))
    except IndexError:
        look_up.check()
        raise


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
        if len({i._view.shape for i in self.indices}) > 1:
            try:
                broadcast_shapes(*[i._view.shape for i in self.indices])
            except ShapeError as error:
                raise IndexError(f"index tensors cannot be broadcast together: {error}") from None
        if len(self.axes) > 1:
            self.check()  # the merged index would hide a bad one; a look-up checks a single axis itself
        self.index: Any = None
        for i, size in zip(self.indices, self.sizes, strict=True):
            i = ew.where(ew.lt(i, 0), i + size, i)
            self.index = i if self.index is None else self.index * size + i
        # index axes come first unless they replace neighbouring axes, as in NumPy
        together = self.axes == list(range(self.axes[0], self.axes[-1] + 1))
        self.first = self.axes[0] if together else 0

    def check(self) -> None:
        """Raise IndexError for an index that is out of range."""
        for i, size in zip(self.indices, self.sizes, strict=True):
            if i._view.size:
                low, high = int(i.min().item()), int(i.max().item())
                if low < -size or high >= size:
                    bad = low if low < -size else high
                    raise IndexError(f"index {bad} is out of bounds for an axis of size {size}")

    def rows(self, part: Any) -> Any:
        """``part`` as rows: (product of the indexed sizes, …)."""
        moved = part if self.order == sorted(self.order) else permute(part, self.order)
        return reshape(moved, (math.prod(self.sizes), *self.rest_shape))

    def part(self, rows: Any) -> Any:
        """The converse of ``rows``."""
        moved = reshape(rows, (*self.sizes, *self.rest_shape))
        return permute(moved, [self.order.index(i) for i in range(len(self.order))])

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the result of the look-up, before ``place``."""
        return (*self.index._view.shape, *self.rest_shape)

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
    steps, advanced = _parse(x, key)
    part: Any = take_view(x, steps) if steps else x
    if all(a is None for a in advanced):
        part.copy_(value if number else _without_leading_ones(value, part.dim()))
        return
    look_up = _LookUp(part, advanced)
    if number:
        value = new(zeros_view((), x.dtype, x.device)).fill_(_as_kind(value, x.dtype))
    wanted = look_up.place(new(zeros_view((), x.dtype, x.device).expand(look_up.shape)))._view.shape
    try:
        value = expand(_without_leading_ones(value, len(wanted)), wanted)
    except ShapeError:
        raise ShapeError(
            f"shape mismatch: a value of shape {tuple(value.shape)} cannot be broadcast to {tuple(wanted)}"
        ) from None
    count, width = look_up.index._view.size, math.prod(look_up.rest_shape)
    source = reshape(look_up.unplace(value), (count, width))
    index = expand(reshape(look_up.index, (count, 1)), (count, width))
    rows = look_up.rows(part)
    matrix = reshape(rows, (rows._view.shape[0], width))
    try:
        if matrix._view.buffer is x._view.buffer:
            scatter_(matrix, 0, index, source)
        else:  # the indexed axes cannot be merged in place
            part.copy_(look_up.part(scatter(matrix, 0, index, source)))
    except IndexError:
        look_up.check()
        raise


def _without_leading_ones(value: Any, ndim: int) -> Any:
    lead = max(value.dim() - ndim, 0)
    return reshape(value, value._view.shape[lead:]) if set(value._view.shape[:lead]) == {1} else value


def _as_kind(value: Any, to: dtype) -> Any:
    return {"b": bool, "f": float}.get(to.kind, int)(value)
