"""``distinct``: equal neighbours are taken away, after sorting or as they are."""

from __future__ import annotations

from typing import Any

from genesis import int64, uint8
from genesis.backend import Backend, View, arg, call, cast
from genesis_cuda._copies import contiguous, empty
from genesis_cuda._memory import handle
from genesis_cuda.kernels import indexing, scan, search, sorting
from genesis_cuda.kernels import map as elementwise

_LIMIT = 1 << 31


def distinct(backend: Backend, x: View, *, neighbours: bool, inverse: bool, counts: bool) -> Any:
    """Of a view of one axis the distinct elements in order, or with ``neighbours`` those that differ from the
    one before.

    Returns:
        The elements; for each element of ``x`` its place among them, or None; how often each occurs, or None.
    """
    n, device = x.size, x.buffer.device
    if not 0 < n < _LIMIT or x.dtype.name in ("float16", "bfloat16"):
        return NotImplemented
    order = None
    if neighbours:
        values = contiguous(x)
    else:
        values, order = empty((n,), x.dtype, device), empty((n,), int64, device)
        if not sorting.run(values, order, x, False):
            return NotImplemented
    first = empty((n,), uint8, device)
    elementwise.run(cast(arg(0), uint8), first.narrow(0, 0, 1), (1,))
    if n > 1:
        differ = cast(call("ne", arg(0), arg(1)), uint8)
        elementwise.run(
            differ, first.narrow(0, 1, n - 1), (values.narrow(0, 1, n - 1), values.narrow(0, 0, n - 1))
        )
    found = search.nonzero(first)
    assert found is not None
    places = found.select(1, 0)
    m = places.size
    result = empty((m,), x.dtype, device)
    indexing.gather(result, values, places, 0)
    return result, _inverse(first, order) if inverse else None, _counts(places, n) if counts else None


def _inverse(first: View, order: View | None) -> View:
    """For each element the number of its group."""
    n, device = first.size, first.buffer.device
    group = empty((n,), int64, device)
    elementwise.run(cast(arg(0), int64), group, (first,))
    scan.run("sum", group, group, 0)
    elementwise.run(arg(0) - cast(arg(1), int64), group, (group, 1))
    if order is None:
        return group
    # where each element came to stand: sorting is done by all threads, writing to places by one after another
    rank, found = empty((n,), int64, device), empty((n,), int64, device)
    sorting.run(found, rank, order, False)
    handle(rank).bounds = (0, n - 1)
    indexing.gather(found, group, rank, 0)
    return found


def _counts(places: View, n: int) -> View:
    """From where each group begins to the next one, or to the end."""
    m = places.size
    found = empty((m,), int64, places.buffer.device)
    if m > 1:
        elementwise.run(
            arg(1) - arg(0),
            found.narrow(0, 0, m - 1),
            (places.narrow(0, 0, m - 1), places.narrow(0, 1, m - 1)),
        )
    last = places.narrow(0, m - 1, 1)
    elementwise.run(cast(arg(1), int64) - arg(0), found.narrow(0, m - 1, 1), (last, n))
    return found
