"""``reduce``: float sums by kernels, the rest by NumPy.

Sums are cut by shape alone, never by the number of threads, and the parts are added in float64: a result does
not depend on where it was computed, and hardly on its length.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from genesis.backend import View
from genesis_cpu import _threads
from genesis_cpu._kernel import Kernel, launch, parts
from genesis_cpu._memory import address, array, empty, scratch
from genesis_cpu.kernels.map import duplicate

if TYPE_CHECKING:
    # what kernels find in their file
    from genesis_cpu._names import accumulate, float64, float64_pointer, real, reals, slot

_REDUCERS: dict[str, Any] = {"sum": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum}
#: below so many elements a sum goes to NumPy: it needs no compilation
SMALL = 256
#: elements of a part of a long sum; columns of a tile, which stays in the nearest cache, and of a narrow one
PART, TILE, NARROW = 16384, 1024, 64
#: rows that one tile adds up in one go
FEW_ROWS = 1024


def _along_rows(args, lo, hi):
    """``out[row] = sum(x[row, :])``; the elements of a row are contiguous."""
    out, x, n, stride = reals(slot(args, 0)), slot(args, 1), slot(args, 2), slot(args, 3)
    for row in range(lo, hi):
        line = reals(x + row * stride)
        total = float64(0)
        if n < 256:
            for i in range(n):
                total = accumulate(total, float64(line[i]))
        else:
            for start in range(0, n, 4096):
                part = real(0)
                for i in range(start, min(start + 4096, n)):
                    part = accumulate(part, line[i])
                total += float64(part)
        out[row] = real(total)


def _whole(args, lo, hi):
    """Partial sums of a contiguous range, in float64."""
    sums, x, n, size = float64_pointer(slot(args, 0)), reals(slot(args, 1)), slot(args, 2), slot(args, 3)
    for k in range(lo, hi):
        total = float64(0)
        for start in range(k * size, min((k + 1) * size, n), 4096):
            part = real(0)
            for i in range(start, min(min(start + 4096, (k + 1) * size), n)):
                part = accumulate(part, x[i])
            total += float64(part)
        sums[k] = total


def _down_columns(args, lo, hi):
    """Tiles of ``sums[batch, part, :] = sum(x[batch, rows of the part, :])``, in float64.

    Four rows are added in their own type before they are widened: exact enough, and four times less work.
    Where there is one part, its sums are the result.
    """
    sums, x = slot(args, 0), slot(args, 1)
    rows, columns, per_part = slot(args, 2), slot(args, 3), slot(args, 4)
    pieces, tiles, tile = slot(args, 5), slot(args, 6), slot(args, 7)
    batch_stride, row_stride = slot(args, 8), slot(args, 9)
    for item in range(lo, hi):
        t = item % tiles
        piece = item // tiles % pieces
        batch = item // tiles // pieces
        first = t * tile
        n = min(tile, columns - first)
        total = float64_pointer(sums + ((batch * pieces + piece) * columns + first) * 8)
        base = x + batch * batch_stride + first * slot(args, 10)
        r = piece * per_part
        end = min(r + per_part, rows)
        for i in range(n):
            total[i] = float64(0)
        while r + 4 <= end:
            a, b = reals(base + r * row_stride), reals(base + (r + 1) * row_stride)
            c, d = reals(base + (r + 2) * row_stride), reals(base + (r + 3) * row_stride)
            for i in range(n):
                total[i] = total[i] + float64((a[i] + b[i]) + (c[i] + d[i]))
            r += 4
        while r < end:
            a = reals(base + r * row_stride)
            for i in range(n):
                total[i] = total[i] + float64(a[i])
            r += 1
        if pieces == 1:
            result = reals(slot(args, 11) + (batch * columns + first) * slot(args, 10))
            for i in range(n):
                result[i] = real(total[i])


def _combine(args, lo, hi):
    """``out[batch, :] = sum over parts of sums[batch, part, :]``, in order."""
    out, sums = slot(args, 0), slot(args, 1)
    columns, pieces, size = slot(args, 2), slot(args, 3), slot(args, 4)
    for batch in range(lo, hi):
        result = reals(out + batch * columns * size)
        for i in range(columns):
            total = float64(0)
            for piece in range(pieces):
                total += float64_pointer(sums + (batch * pieces + piece) * columns * 8)[i]
            result[i] = real(total)


def _products(args, lo, hi):
    """``out[row] = prod(x[row, :])`` in float64, as eight partial products; rows are contiguous."""
    out, x, n, stride = reals(slot(args, 0)), slot(args, 1), slot(args, 2), slot(args, 3)
    for row in range(lo, hi):
        line = reals(x + row * stride)
        a = b = c = d = e = f = g = h = float64(1)
        i = 0
        while i + 8 <= n:
            a *= float64(line[i])
            b *= float64(line[i + 1])
            c *= float64(line[i + 2])
            d *= float64(line[i + 3])
            e *= float64(line[i + 4])
            f *= float64(line[i + 5])
            g *= float64(line[i + 6])
            h *= float64(line[i + 7])
            i += 8
        while i < n:
            a *= float64(line[i])
            i += 1
        out[row] = real(((a * b) * (c * d)) * ((e * f) * (g * h)))


products = Kernel(_products)
along_rows, whole, down_columns, combine = (Kernel(k) for k in (_along_rows, _whole, _down_columns, _combine))


def run(op: str, out: View, x: View) -> None:
    """``Backend.reduce``."""
    if not out.size:
        return
    floats = x.dtype is out.dtype and x.dtype.is_floating_point
    if floats and op == "sum" and out.size == 1 and 0 < x.size < PART and x.contiguous:
        _threads.serial(along_rows(x.dtype.name), 1, address(out), address(x), x.size, 0)
    elif floats and op == "sum" and x.size >= SMALL:
        _sum(out, x)
    elif not (floats and op == "prod" and x.size >= SMALL and _product(out, x)):
        _by_numpy(op, out, x)


def _product(out: View, x: View) -> bool:
    """The products of floats along the last axes; False where that is not what is asked for."""
    runs = _runs(x.shape, x.strides, out.shape)
    if not (out.contiguous and runs and runs[-1][1:] == (1, True)):
        return False
    if len(runs) > 2:
        return False
    rows, stride = (runs[0][0], runs[0][1]) if len(runs) == 2 else (1, 0)
    words = (address(out), address(x), runs[-1][0], stride * x.dtype.itemsize)
    launch(products(x.dtype.name), rows, parts(x.size, rows), words)
    return True


def _by_numpy(op: str, out: View, x: View) -> None:
    axes = tuple(i for i, (a, b) in enumerate(zip(x.shape, out.shape, strict=True)) if a != b)
    source, target = array(x), array(out)
    if min(x.strides, default=0) < 0:  # NumPy before 2.3 finds a wrong maximum there, now and then
        source = source.copy()
    if op in _REDUCERS:
        # NumPy adds float32 columns one after another, which loses digits
        wide = "float64" if out.dtype.name == "float32" and op in ("sum", "prod") else out.dtype.name
        with np.errstate(all="ignore"):
            target[...] = _REDUCERS[op].reduce(source, axis=axes, dtype=wide, keepdims=True)
    else:
        function = np.argmax if op == "argmax" else np.argmin
        target[...] = function(source, axis=axes[0], keepdims=True) if axes else 0


def _sum(out: View, x: View) -> None:
    if not out.contiguous:
        flat = empty(out.shape, out.dtype, out.buffer.device)
        _sum(flat, x)
        array(out)[...] = array(flat)
        return
    runs = _runs(x.shape, x.strides, out.shape)
    kinds = [reduced for _, _, reduced in runs]
    name, size = x.dtype.name, x.dtype.itemsize
    last = runs[-1][1] if runs else 1
    if last == 1 and kinds == [True, False, True]:  # as of the channels of images: within each image first
        (batch, step, _), (n, stride, _), (inner, _, _) = runs
        part = empty((batch, n, 1), x.dtype, x.buffer.device)
        _sum(part, x.like((batch, n, inner), (step, stride, 1)))
        _sum(out.like((1, n, 1), (n, 1, 1)), part)
        return
    if last != 1 or kinds not in ([True], [False, True], [True, False], [False, True, False]):
        if kinds and not any(kinds):
            array(out)[...] = array(x)
        else:
            _sum_in_order(out, x)
        return
    if kinds == [True]:
        n = runs[0][0]
        count = -(-n // PART)
        if count == 1:
            launch(along_rows(name), 1, 1, (address(out), address(x), n, 0))
            return
        sums, owner = scratch(8 * count)
        launch(whole(name), count, parts(n, count), (sums, address(x), n, PART))
        launch(combine(name), 1, 1, (address(out), sums, 1, count, size))
        del owner
    elif kinds == [False, True]:
        (rows, stride, _), (n, _, _) = runs
        launch(along_rows(name), rows, parts(rows * n, rows), (address(out), address(x), n, stride * size))
    else:
        batch, batch_stride = (runs[0][0], runs[0][1]) if len(runs) == 3 else (1, 0)
        (rows, row_stride, _), (columns, _, _) = runs[-2:]
        _sum_columns(out, x, batch, rows, columns, batch_stride, row_stride)


def sum_rows(out: View, x: View, rows: int, columns: int) -> None:
    """The sum of the rows of a contiguous matrix of floats, whatever the shapes of the views."""
    _sum_columns(out, x, 1, rows, columns, 0, columns)


def _sum_columns(
    out: View, x: View, batch: int, rows: int, columns: int, batch_stride: int, row_stride: int
) -> None:
    size, name = x.dtype.itemsize, x.dtype.name
    tile, tiles, pieces, cut, cut_sums = _cut_columns(batch, rows, columns, _threads.get_num_threads())
    sums, owner = scratch(8 * batch * pieces * columns)
    words = (
        sums, address(x), rows, columns, -(-rows // pieces), pieces, tiles, tile,
        batch_stride * size, row_stride * size, size, address(out),
    )  # fmt: skip
    launch(down_columns(name), batch * pieces * tiles, cut, words, views=(out, x))
    if pieces > 1:
        rest = (address(out), sums, columns, pieces, size)
        launch(combine(name), batch, cut_sums, rest, views=(out,))
    del owner


@lru_cache(1024)
def _cut_columns(batch: int, rows: int, columns: int, threads: int) -> tuple[int, int, int, int, int]:
    """Columns of a tile, tiles, pieces of the rows; into how many parts to cut the tiles, and their sums.

    All but the last two depend on the shape alone, so the sums do not depend on the number of threads.
    """
    if rows <= FEW_ROWS:  # narrow tiles can be shared, and need no second pass
        tile, pieces = NARROW, 1
    else:
        tile, pieces = TILE, max(1, min(rows // 32, rows * min(columns, TILE) // PART, 64))
    tiles = -(-columns // tile)
    cut = parts(batch * rows * columns, batch * pieces * tiles)
    return tile, tiles, pieces, cut, parts(batch * pieces * columns, batch)


def _runs(shape: Sequence[int], strides: Sequence[int], out: Sequence[int]) -> list[tuple[int, int, bool]]:
    """(length, stride, reduced) of each run of axes that are walked alike, without axes of length 1."""
    runs: list[tuple[int, int, bool]] = []
    for n, stride, kept in zip(shape, strides, out, strict=True):
        if n == 1:
            continue
        reduced = kept != n
        if runs and runs[-1][2] == reduced and runs[-1][1] == stride * n:
            runs[-1] = (runs[-1][0] * n, stride, reduced)
        else:
            runs.append((n, stride, reduced))
    return runs


def _sum_in_order(out: View, x: View) -> None:
    """Any other walk: kept axes first, reduced axes last, copied so that they are contiguous."""
    kept = [i for i in range(x.ndim) if x.shape[i] == out.shape[i]]
    reduced = [i for i in range(x.ndim) if x.shape[i] != out.shape[i]]
    copy = duplicate(x.permute([*kept, *reduced]))
    rows, n = out.size, math.prod(x.shape[i] for i in reduced)
    words = (address(out), address(copy), n, n * x.dtype.itemsize)
    launch(along_rows(x.dtype.name), rows, parts(rows * n, rows), words)
