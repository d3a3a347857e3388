"""``sort`` and ``leading``: runs in shared memory, then merged, two by two.

A block sorts a run of ``RUN`` elements by a bitonic network (Batcher 1968). To merge two runs, a thread finds
for its element by bisection how many of the other run come before it, which says where it goes. Elements are
ordered by value and then by position, so no two are equal, and the sort is stable whatever its steps are.

For the first few of many, each run keeps its first few, and what is kept is sorted in runs again.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
from __future__ import annotations

from typing import TYPE_CHECKING

from genesis import int64 as _int64
from genesis.backend import View, arg, cast
from genesis_cuda._copies import contiguous, empty
from genesis_cuda._kernel import Template, blocks_for
from genesis_cuda._memory import address, handle
from genesis_cuda._sizes import THREADS as _THREADS
from genesis_cuda.kernels import map as elementwise

if TYPE_CHECKING:  # what kernels find in their module
    from genesis_cuda._names import RUN, THREADS, cuda, int64, precedes, real, udiv

_RUN = 4 * _THREADS
_TYPES = ("float32", "float64", "int64")
_LIMIT = 1 << 32


def _runs(rows, n, runs, keep, length, bound, down, values, indices, x, places, known):
    """Sort runs of ``RUN`` elements of rows of ``n``; the first ``keep`` of each go to rows of ``length``.

    ``places`` are the positions of the elements if ``known``; those of a row are below ``bound``.
    """
    keys = cuda.shared.array(RUN, real)
    where = cuda.shared.array(RUN, int64)
    item = cuda.blockIdx.x
    while item < rows * runs:
        row = udiv(item, runs)
        start = (item - row * runs) * RUN
        count = min(n - start, RUN)
        size = 2
        while size < count:
            size *= 2
        cuda.syncthreads()
        i = cuda.threadIdx.x
        while i < size:
            keys[i] = real(0)
            where[i] = int64(bound + i)  # beyond the row: it comes last
            if i < count:
                at = row * n + start + i
                keys[i] = x[at]
                where[i] = places[at] if known != 0 else int64(start + i)
            i += THREADS
        k = 2
        while k <= size:
            j = k // 2
            while j > 0:
                cuda.syncthreads()
                t = cuda.threadIdx.x
                while t < size // 2:
                    low = 2 * t - (t & (j - 1))
                    high = low + j
                    a, b, at_a, at_b = keys[low], keys[high], where[low], where[high]
                    if precedes(b, at_b, a, at_a, bound, down) == ((low & k) == 0):
                        keys[low], keys[high] = b, a
                        where[low], where[high] = at_b, at_a
                    t += THREADS
                j //= 2
            k *= 2
        cuda.syncthreads()
        i = cuda.threadIdx.x
        while i < min(count, keep):
            to = row * length + (item - row * runs) * keep + i
            values[to] = keys[i]
            indices[to] = where[i]
            i += THREADS
        item += cuda.gridDim.x


def _merge(total, n, run, down, values, indices, x, places):
    """Two runs of ``run`` elements each become one; a thread for each element."""
    e = cuda.grid(1)
    while e < total:
        row = udiv(e, n)
        i = e - row * n
        pair = udiv(i, 2 * run) * 2 * run
        left = i - pair < run
        low = min(pair + run, n) if left else pair
        high = min(pair + 2 * run, n) if left else pair + run
        first = low
        key, at = x[e], places[e]
        while low < high:
            middle = (low + high) // 2
            if precedes(x[row * n + middle], places[row * n + middle], key, at, n, down):
                low = middle + 1
            else:
                high = middle
        to = row * n + i + (low - first) - (0 if left else run)
        values[to] = key
        indices[to] = at
        e += cuda.gridsize(1)


runs = Template(_runs, f"{'int64 ' * 7} real* int64* real* int64* int64", _TYPES, RUN=str(_RUN))
merge = Template(_merge, "int64 int64 int64 int64 real* int64* real* int64*", _TYPES)


def _widened(x: View) -> View:
    """Contiguous, in one of the types that are sorted."""
    if x.dtype.name in _TYPES:
        return contiguous(x)
    wide = empty(x.shape, _int64, x.buffer.device)
    elementwise.run(cast(arg(0), _int64), wide, (x,))
    return wide


def _can(x: View) -> bool:
    return x.size < _LIMIT and (x.dtype.name in _TYPES or x.dtype.kind in "iub")


def _sort(x: View, keep: int, descending: bool) -> tuple[View, View]:
    """Runs of all rows, of which each has ``keep`` elements, and how many elements a row has then."""
    n, device, unit = x.shape[-1], x.buffer.device, handle(x).unit
    rows, source, bound = x.size // n, x, n
    places: View | None = None
    while True:
        count = -(-n // _RUN)
        length = (count - 1) * keep + min(keep, n - (count - 1) * _RUN)
        values = empty((rows, length), x.dtype, device)
        indices = empty((rows, length), _int64, device)
        words = (rows, n, count, keep, length, bound, int(descending), address(values), address(indices))
        known = 0 if places is None else address(places)
        args = (*words, address(source), known, int(known != 0))
        runs(x.dtype.name)(unit, min(rows * count, 1 << 20), args)
        if keep == _RUN or count == 1:
            return values, indices
        source, places, n = values, indices, length


def run(values: View, indices: View, x: View, descending: bool) -> bool:
    """``Backend.sort``; False where it is not done."""
    if not _can(x):
        return False
    if not x.size:
        return True
    source = _widened(x)
    n, unit = x.shape[-1], handle(x).unit
    found, where = _sort(source, _RUN, descending)
    spare = empty(found.shape, found.dtype, x.buffer.device), empty(found.shape, _int64, x.buffer.device)
    length = _RUN
    while length < n:
        to = tuple(address(v) for v in spare)
        args = (x.size, n, length, int(descending), *to, address(found), address(where))
        merge(found.dtype.name)(unit, blocks_for(unit, x.size), args)
        (found, where), spare = spare, (found, where)
        length *= 2
    _hand_over(values, found)
    _hand_over(indices, where)
    return True


def leading(indices: View, x: View, largest: bool) -> bool:
    """``Backend.leading``; False where it is not done."""
    k = indices.shape[-1]
    if not _can(x) or not x.size or 2 * k > _RUN:
        return False
    _, where = _sort(_widened(x), k, largest)
    _hand_over(indices, where)
    return True


def _hand_over(out: View, found: View) -> None:
    source = found.reshape(out.shape)
    if source is None:
        source = contiguous(found).reshape(out.shape)
    assert source is not None
    elementwise.run(cast(arg(0), out.dtype), out, (source,))
