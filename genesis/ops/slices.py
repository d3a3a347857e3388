"""Whole slices by their indices along an axis: added, copied, filled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genesis._dtypes import bool_, int64
from genesis.autograd.graph import TensorCore, new
from genesis.ops import elementwise as ew
from genesis.ops._autocast import WIDEST, listed
from genesis.ops._view import zeros_view
from genesis.ops.indexing import (
    PositionError,
    along,
    as_vector,
    check_devices,
    scatter,
    scatter_,
    scatter_add,
    scatter_add_,
    vector_of,
)
from genesis.ops.reduction import axis_of
from genesis.ops.shape import reshape

if TYPE_CHECKING:
    from genesis._tensor import Tensor


def check_source(
    name: str, x: Any, axis: int, index: Any, source: Any, error: type[Exception] = RuntimeError
) -> Any:
    """``source``, after checking that it has one slice for each index."""
    if not isinstance(source, TensorCore):
        raise TypeError(f"{name}: source must be a tensor, got {type(source).__name__}")
    shape, have = x._view.shape, source._view.shape
    check_devices(name, x, index, source)
    if x.dtype is not source._view.dtype:
        raise RuntimeError(
            f"{name}: self ({x.dtype}) and source ({source._view.dtype}) must have the same scalar type"
        )
    source = as_vector(source)
    have, count = source._view.shape, index._view.shape[0]
    if len(have) != max(len(shape), 1) or have[:axis] + have[axis + 1 :] != shape[:axis] + shape[axis + 1 :]:
        raise error(f"{name}: source of shape {have} must match the input {shape}, but for dimension {axis}")
    if have[axis] != count:
        raise error(
            f"{name}: number of indices ({count}) should be equal to source.size({axis}) ({have[axis]})"
        )
    return source


def _indexed(name: str, write: Any, x: Any, dim: int, index: Any, source: Any) -> Any:
    where = vector_of(name, index)
    axis = axis_of(dim, x.dim())
    source = check_source(name, x, axis, where, source)
    wide = along(where, axis, source._view.shape)
    try:
        return write(x, axis, wide, source)
    except PositionError as error:
        raise IndexError(str(error)) from None


def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: float = 1) -> Tensor:
    """``input`` with ``alpha * source`` added at the given indices of axis ``dim``."""
    if alpha != 1 and isinstance(source, TensorCore):
        source = source * alpha
    out: Tensor = _indexed("index_add", scatter_add, input, dim, index, source)
    return out


def index_add_(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: float = 1) -> Tensor:
    """``index_add`` in place."""
    if alpha != 1 and isinstance(source, TensorCore):
        source = source * alpha
    _indexed("index_add_", scatter_add_, input, dim, index, source)
    return input


@listed(cpu=WIDEST)
def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """``input`` with the slices of ``source`` in place of the given indices of axis ``dim``."""
    out: Tensor = _index_copy("index_copy", scatter, input, dim, index, source)
    return out


def index_copy_(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """``index_copy`` in place."""
    _index_copy("index_copy_", scatter_, input, dim, index, source)
    return input


def _index_copy(name: str, write: Any, x: Any, dim: int, index: Any, source: Any) -> Any:
    where = vector_of(name, index)
    if isinstance(source, TensorCore):
        axis = axis_of(dim, x.dim())
        have = as_vector(source)._view.shape
        if len(have) == max(x.dim(), 1) and have[axis] != where._view.shape[0]:
            raise PositionError(
                f"{name}: number of indices ({where._view.shape[0]}) should be equal to source.size(dim) "
                f"({have[axis]})"
            )
    return _indexed(name, write, x, dim, where, source)


def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """``input`` with a number (or 0-d tensor) at the given indices of axis ``dim``, which may be negative."""
    return ew.masked_fill(input, *_filled("index_fill", input, dim, index, value))  # type: ignore[no-any-return]


def index_fill_(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """``index_fill`` in place."""
    return ew.masked_fill_(input, *_filled("index_fill_", input, dim, index, value))  # type: ignore[no-any-return]


def _filled(name: str, x: Any, dim: int, index: Any, value: Any) -> tuple[Any, Any]:
    """Which elements are filled (a mask: an index may appear twice), and with what."""
    if isinstance(index, TensorCore) and index._view.dtype is not int64:
        raise PositionError(f"{name}: expected int64 for index, got {index._view.dtype}")
    where = vector_of(name, index)
    axis = axis_of(dim, x.dim())
    size = x._view.shape[axis] if x.dim() else 1
    if isinstance(value, TensorCore):
        if value._view.shape:
            raise RuntimeError(
                f"{name} only supports a 0-dimensional value tensor, got {len(value._view.shape)} axes"
            )
        value = value.to(x.dtype)  # type: ignore[attr-defined]
    else:
        value = {"b": bool, "f": float}.get(x.dtype.kind, int)(value)
    none = new(zeros_view((size,), bool_, x._view.buffer.device))
    where = ew.where(ew.lt(where, 0), where + size, where)
    try:
        mask = scatter(none, 0, where, True)
    except PositionError as error:
        raise IndexError(str(error)) from None
    return reshape(mask, [size if a == axis else 1 for a in range(x.dim())]), value
