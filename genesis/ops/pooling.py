"""Pooling: the largest element or the average of windows over the last one to three axes.

A device sees four operations, ``max_pool``, ``avg_pool``, ``adaptive_max_pool`` and ``adaptive_avg_pool``;
the axes of a window are the last ``len(kernel)`` of the input, whatever comes before them. What people call
checks its arguments in ``genesis.ops.pools``.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from genesis.autograd.graph import new
from genesis.ops import elementwise as ew
from genesis.ops._op import op
from genesis.ops._view import zeros_view
from genesis.ops.indexing import gather, index_select, scatter_add
from genesis.ops.rearranging import flip
from genesis.ops.reduction import any, argmax, sum
from genesis.ops.shape import expand, permute, reshape
from genesis.ops.slices import index_add

Array = np.ndarray[Any, Any]
Sizes = tuple[int, ...]


class Taps(NamedTuple):
    """Which elements of an axis each window holds.

    Attributes:
        first: the first element, one for each window.
        length: how many.
        step: from one to the next.
    """

    first: Array
    length: Array
    step: int

    def table(self) -> tuple[Array, Array]:
        """The elements as (windows, most elements), and which of these are none but repeat the last."""
        k = np.arange(int(self.length.max(initial=0)))
        beyond = k >= self.length[:, None]
        return self.first[:, None] + self.step * np.minimum(k, self.length[:, None] - 1), beyond


@lru_cache(1024)
def sliding(size: int, out: int, kernel: int, stride: int, padding: int, dilation: int = 1) -> Taps:
    """Windows that slide over an axis, without what they hold of the padding."""
    start = np.arange(out) * stride - padding
    first = start + -(np.minimum(start, 0) // dilation) * dilation
    last = np.minimum(start + (kernel - 1) * dilation, start + (size - 1 - start) // dilation * dilation)
    return Taps(first, (last - first) // dilation + 1, dilation)


@lru_cache(1024)
def adaptive(size: int, out: int) -> Taps:
    """``out`` windows of about equal size that cover an axis."""
    o = np.arange(out)
    first = o * size // max(out, 1)
    return Taps(first, -(-(o + 1) * size // max(out, 1)) - first, 1)


def _host(a: Array, x: Any) -> Any:
    from genesis.ops.creation import from_host

    return from_host(np.ascontiguousarray(a), x._view.buffer.device)


# -- the largest -------------------------------------------------------------------------------------------
def _largest(x: Any, taps: tuple[Taps, ...]) -> tuple[Any, Any]:
    """The first largest element of each window, and its place among the elements of the last axes."""
    d = len(taps)
    lead, spatial = x.shape[: x.dim() - d], x.shape[x.dim() - d :]
    tables = [t.table()[0] for t in taps]
    wide, place = x, np.zeros((1,) * (2 * d), np.int64)
    for i, table in enumerate(tables):
        wide = index_select(wide, len(lead) + i, _host(table.reshape(-1), x))
        shape = [1] * (2 * d)
        shape[i], shape[d + i] = table.shape
        place = place + table.reshape(shape) * math.prod(spatial[i + 1 :])
    outs, counts = zip(*[t.shape for t in tables], strict=True)
    n, k = len(lead), math.prod(counts)
    wide = reshape(wide, (*lead, *[s for t in tables for s in t.shape]))
    wide = permute(wide, (*range(n), *range(n, n + 2 * d, 2), *range(n + 1, n + 2 * d, 2)))
    wide = reshape(wide, (*lead, *outs, k))
    best = argmax(wide, -1, True)
    if x.dtype.is_floating_point:  # of several that are not a number it is the last
        nans = ew.isnan(wide)
        last = k - 1 - argmax(flip(nans, -1), -1, True)
        best = ew.where(any(nans, -1, True), last, best)
    places = expand(_host(place.reshape(*outs, k), x), (*lead, *outs, k))
    where = reshape(gather(places, -1, best), (*lead, *outs))
    return picked(x, where, d), where


def picked(x: Any, where: Any, d: int) -> Any:
    """The elements of ``x`` at places among those of its last ``d`` axes."""
    lead = x.shape[: x.dim() - d]
    flat = reshape(x, (*lead, math.prod(x.shape[len(lead) :])))
    return reshape(gather(flat, -1, reshape(where, (*lead, -1 if where.numel() else 0))), where.shape)


def placed(grad: Any, where: Any, shape: Sizes, d: int) -> Any:
    """The converse: zeros of ``shape`` with the elements of ``grad`` added at their places."""
    lead = shape[: len(shape) - d]
    flat = new(zeros_view((*lead, math.prod(shape[len(lead) :])), grad.dtype, grad._view.buffer.device))
    size = -1 if where.numel() else 0
    return reshape(scatter_add(flat, -1, reshape(where, (*lead, size)), reshape(grad, (*lead, size))), shape)


@op(saves=("x", "where"), results=("out", "where"), public=2, read_for={"x": ()})
def max_pool(x: Any, *, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, shape: Sizes) -> Any:
    """The largest element of windows that slide over the last axes, and its place among these elements.

    The windows are ``kernel`` elements that lie ``dilation`` apart, ``stride`` from window to window, from
    ``padding`` before the first element on; ``shape`` is the number of windows. Of equal elements it is the
    first; a nan is larger than any number, and of several nans it is the last.
    """
    return _largest(x, _sliding(x.shape, kernel, stride, padding, dilation, shape))


def _sliding(size: Any, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, shape: Sizes) -> Any:
    places = zip(size[len(size) - len(kernel) :], shape, kernel, stride, padding, dilation, strict=True)
    return tuple([sliding(*p) for p in places])


@max_pool.backward_rule
def _max_pool_backward(
    needs: Any,
    grad: Any,
    x: Any,
    where: Any,
    *,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    shape: Sizes,
) -> tuple[Any]:
    if where is None:
        where = _largest(x.detach(), _sliding(x.shape, kernel, stride, padding, dilation, shape))[1]
    return (placed(grad, where, x.shape, len(kernel)),)


@op(saves=("x", "where"), results=("out", "where"), public=2, read_for={"x": ()})
def adaptive_max_pool(x: Any, *, shape: Sizes) -> Any:
    """The largest element of ``shape`` windows that cover the last axes, and its place."""
    return _largest(x, _adaptive(x.shape, shape))


def _adaptive(size: Any, shape: Sizes) -> tuple[Taps, ...]:
    return tuple([adaptive(n, out) for n, out in zip(size[len(size) - len(shape) :], shape, strict=True)])


@adaptive_max_pool.backward_rule
def _adaptive_max_pool_backward(needs: Any, grad: Any, x: Any, where: Any, *, shape: Sizes) -> tuple[Any]:
    if where is None:
        where = _largest(x.detach(), _adaptive(x.shape, shape))[1]
    return (placed(grad, where, x.shape, len(shape)),)


# -- the average -------------------------------------------------------------------------------------------
def _window_sums(x: Any, taps: tuple[Taps, ...]) -> Any:
    """The sums of windows, axis by axis."""
    for i, t in enumerate(taps):
        axis = x.dim() - len(taps) + i
        table, beyond = t.table()
        wide = index_select(x, axis, _host(table.reshape(-1), x))
        wide = reshape(wide, (*x.shape[:axis], *table.shape, *x.shape[axis + 1 :]))
        x = sum(_without(wide, beyond, axis), axis + 1)
    return x


def _without(wide: Any, beyond: Array, axis: int) -> Any:
    if not beyond.any():
        return wide
    mask = _host(beyond.reshape(*beyond.shape, *(1,) * (wide.dim() - axis - 2)), wide)
    return ew.masked_fill(wide, mask, 0)


def _spread(grad: Any, size: Sizes, taps: tuple[Taps, ...]) -> Any:
    """The converse of ``_window_sums``: each element of ``grad`` added to all elements of its window."""
    for i, t in enumerate(taps):
        axis = grad.dim() - len(taps) + i
        table, beyond = t.table()
        before, after = tuple(grad.shape[:axis]), tuple(grad.shape[axis + 1 :])
        wide = expand(grad.unsqueeze(axis + 1), (*before, *table.shape, *after))
        wide = reshape(_without(wide, beyond, axis), (*before, table.size, *after))
        zeros = new(zeros_view((*before, size[i], *after), grad.dtype, grad._view.buffer.device))
        grad = index_add(zeros, axis, _host(table.reshape(-1), grad), wide)
    return grad


def divisors(lengths: list[Array]) -> Array:
    """The products of the windows' lengths along each axis."""
    total: Array = lengths[0]
    for more in lengths[1:]:
        total = np.multiply.outer(total, more)
    return total


def _divided(x: Any, by: Array) -> Any:
    if (by == by.flat[0]).all():
        value = int(by.flat[0])
        return x / value if x.dtype.is_floating_point else ew.div(x, value, rounding_mode="trunc")
    count = _host(by.astype(x.dtype.name), x)
    return x / count if x.dtype.is_floating_point else ew.div(x, count, rounding_mode="trunc")


def average_lengths(
    size: Any, kernel: Sizes, stride: Sizes, padding: Sizes, shape: Sizes, count_include_pad: bool
) -> list[Array]:
    """How many elements the windows of ``avg_pool`` count along each axis; padding counts or not."""
    lengths = []
    for n, out, k, s, p in zip(size[len(size) - len(kernel) :], shape, kernel, stride, padding, strict=True):
        if count_include_pad:
            start = np.arange(out) * s - p
            lengths.append(np.minimum(start + k, n + p) - start)
        else:
            lengths.append(sliding(n, out, k, s, p).length)
    return lengths


@op(saves=("x",), read_for={"x": ()})
def avg_pool(
    x: Any,
    *,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    shape: Sizes,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Any:
    """The average of windows that slide over the last axes: the sum through the number of elements.

    Padding of zeros counts where ``count_include_pad``; ``divisor_override`` takes the place of the number.
    """
    taps = _sliding(x.shape, kernel, stride, padding, (1,) * len(kernel), shape)
    lengths = average_lengths(x.shape, kernel, stride, padding, shape, count_include_pad)
    by = divisors(lengths) if divisor_override is None else np.array([divisor_override])
    return _divided(_window_sums(x, taps), by)


@avg_pool.backward_rule
def _avg_pool_backward(
    needs: Any,
    grad: Any,
    x: Any,
    *,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    shape: Sizes,
    count_include_pad: bool,
    divisor_override: int | None,
) -> tuple[Any]:
    taps = _sliding(x.shape, kernel, stride, padding, (1,) * len(kernel), shape)
    lengths = average_lengths(x.shape, kernel, stride, padding, shape, count_include_pad)
    by = divisors(lengths) if divisor_override is None else np.array([divisor_override])
    return (_spread(_divided(grad, by), tuple(x.shape[x.dim() - len(kernel) :]), taps),)


@op(saves=("x",), read_for={"x": ()})
def adaptive_avg_pool(x: Any, *, shape: Sizes) -> Any:
    """The average of ``shape`` windows that cover the last axes.

    Of n windows of an axis of s elements, window i holds elements floor(i s / n) … ceil((i + 1) s / n) - 1.
    """
    taps = _adaptive(x.shape, shape)
    return _divided(_window_sums(x, taps), divisors([t.length for t in taps]))


@adaptive_avg_pool.backward_rule
def _adaptive_avg_pool_backward(needs: Any, grad: Any, x: Any, *, shape: Sizes) -> tuple[Any]:
    taps = _adaptive(x.shape, shape)
    by = divisors([t.length for t in taps])
    return (_spread(_divided(grad, by), tuple(x.shape[x.dim() - len(shape) :]), taps),)
