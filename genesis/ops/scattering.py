"""Scatter that combines what falls on one place: sum, product, mean, largest, smallest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from genesis.ops import elementwise as ew
from genesis.ops._op import op
from genesis.ops.indexing import (
    along,
    check_scatter,
    gather,
    number_as,
    scatter,
    scatter_add,
    vector_of,
)
from genesis.ops.reduction import axis_of
from genesis.ops.shape import reshape
from genesis.ops.slices import check_source

if TYPE_CHECKING:
    from genesis._tensor import Tensor

_UFUNCS = {"prod": np.multiply, "amax": np.maximum, "amin": np.minimum}
_REDUCTIONS = ("sum", "prod", "mean", "amax", "amin")


@op(saves=("x", "index", "src", "out"))
def scatter_combine(x: Any, index: Any, src: Any, *, dim: int, reduce: str) -> Any:
    """``scatter_reduce`` with ``"prod"``, ``"amax"`` or ``"amin"`` onto ``x``; arguments are checked.

    On the host, through NumPy's unbuffered ``ufunc.at``, unless the device has a kernel.
    """
    from genesis.ops.creation import from_host

    backend = x._view.buffer.device.backend
    out, where, values = (backend.read(v._view) for v in (x, index, src))
    if where.size and (where.min() < 0 or where.max() >= out.shape[dim]):
        scatter_add(x, dim, index, src)  # says which index is out of range
    grid = list(np.ogrid[tuple([slice(n) for n in where.shape])])
    grid[dim] = where
    _UFUNCS[reduce].at(out, tuple(grid), values)
    return from_host(out, x.device)


@scatter_combine.backward_rule
def _scatter_combine(
    needs: Any, grad: Any, x: Any, index: Any, src: Any, out: Any, *, dim: int, reduce: str
) -> Any:
    """As PyTorch's ``scatter_reduce_backward`` (FunctionsManual.cpp): equal extremes share the gradient."""
    if reduce == "prod":
        # the product of the others, also where one factor is zero: with the zeros counted and taken out
        zero_x, zero_src = ew.eq(x, 0), ew.eq(src, 0)
        filled_x, filled_src = ew.masked_fill(x, zero_x, 1), ew.masked_fill(src, zero_src, 1)
        zeros = scatter_add(zero_x.to(grad.dtype), dim, index, zero_src.to(grad.dtype))
        others = scatter_combine(filled_x, index, filled_src, dim=dim, reduce="prod")
        to_x = grad * others / filled_x
        to_src = gather(grad * others, dim, index) / filled_src
        count = gather(zeros, dim, index)
        return (
            ew.where(ew.eq(zeros, zero_x.to(grad.dtype)), to_x, 0.0) if needs[0] else None,
            None,
            ew.where(ew.eq(count, zero_src.to(grad.dtype)), to_src, 0.0) if needs[2] else None,
        )
    is_x = ew.eq(x, out).to(grad.dtype)
    is_src = ew.eq(src, gather(out, dim, index)).to(grad.dtype)
    share = grad / scatter_add(is_x, dim, index, is_src)
    return is_x * share if needs[0] else None, None, is_src * gather(share, dim, index) if needs[2] else None


def scatter_reduce(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """``src`` combined into places of ``input`` that ``index`` names along ``dim``.

    Args:
        reduce: ``"sum"``, ``"prod"``, ``"mean"``, ``"amax"`` or ``"amin"``.
        include_self: whether the elements of ``input`` that are written to take part.

    Raises:
        RuntimeError: ``reduce`` is something else, or types and shapes do not fit.
    """
    if reduce not in _REDUCTIONS:
        raise RuntimeError(
            f"scatter_reduce: reduce must be either sum, prod, mean, amax or amin, got {reduce!r}"
        )
    return _combined(input, dim, index, src, reduce, include_self)


def _combined(input: Any, dim: int, index: Any, src: Any, reduce: str, include_self: bool) -> Tensor:
    axis, x, index, src = check_scatter("scatter_reduce", input, dim, index, src)
    if not index._view.size:
        return scatter_add(input, dim, index, src)
    if not include_self:
        x = scatter(x, axis, index, _neutral(x, index, reduce))
    if reduce in ("sum", "mean"):
        total: Any = scatter_add(x, axis, index, src)
        if reduce == "mean":
            ones = number_as(x, index, 1)
            start = x._ones_like()
            if not include_self:
                start = scatter(start, axis, index, number_as(x, index, 0))
            count = scatter_add(start, axis, index, ones)
            if not include_self:
                count = ew.clamp(count, min=1)
            total = total / count if x.dtype.is_floating_point else ew.floor_divide(total, count)
        result = total
    else:
        result = scatter_combine(x, index, src, dim=axis, reduce=reduce)
    return reshape(result, input._view.shape)


def _neutral(x: Any, index: Any, reduce: str) -> Any:
    """What does not change the result: 0, 1, or the far end of the type."""
    if reduce in ("sum", "mean"):
        return number_as(x, index, 0)
    if reduce == "prod":
        return number_as(x, index, 1)
    sign = -1 if reduce == "amax" else 1
    if x.dtype.is_floating_point:
        return number_as(x, index, sign * float("inf"))
    if x.dtype.kind == "b":
        return number_as(x, index, sign > 0)
    limits = np.iinfo(x.dtype.name)
    return number_as(x, index, int(limits.min if sign < 0 else limits.max))


def scatter_reduce_(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """``scatter_reduce`` in place."""
    return _write(input, scatter_reduce(_before(input), dim, index, src, reduce, include_self=include_self))


def _before(x: Any) -> Any:
    """``x`` as it is before it is written: a copy where its gradient needs that."""
    from genesis.autograd.graph import tracked

    return x.clone() if tracked(x) else x


def _write(x: Any, out: Any) -> Tensor:
    written: Tensor = x.copy_(out)
    return written


def index_reduce(
    input: Tensor, dim: int, index: Tensor, source: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """``source`` combined into the given indices of axis ``dim``; ``index`` is a vector.

    Args:
        reduce: ``"prod"``, ``"mean"``, ``"amax"`` or ``"amin"``.
        include_self: whether the elements of ``input`` that are written to take part.
    """
    if reduce not in _REDUCTIONS[1:]:
        raise RuntimeError(
            f"index_reduce: expected reduce to be one of prod, mean, amax or amin but got {reduce!r}"
        )
    where = vector_of("index_reduce", index)
    axis = axis_of(dim, input.dim())
    source = check_source("index_reduce", input, axis, where, source)
    from genesis.ops.indexing import PositionError

    try:
        return _combined(input, axis, along(where, axis, source._view.shape), source, reduce, include_self)
    except PositionError as error:
        raise IndexError(str(error)) from None


def index_reduce_(
    input: Tensor, dim: int, index: Tensor, source: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """``index_reduce`` in place."""
    return _write(input, index_reduce(_before(input), dim, index, source, reduce, include_self=include_self))
