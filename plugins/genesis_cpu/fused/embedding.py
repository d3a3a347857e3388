"""embedding: rows of a table, and their gradient added up in the order of the indices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genesis.backend import Backend, View
from genesis_cpu._kernel import Kernel, launch, parts
from genesis_cpu._memory import address, empty, report
from genesis_cpu.kernels.map import contiguous

if TYPE_CHECKING:  # what kernels find in their file
    from genesis_cpu._names import int64_pointer, real, reals, slot


def _embedding(args, lo, hi):
    index, table, length, n = int64_pointer(slot(args, 1)), slot(args, 2), slot(args, 3), slot(args, 4)
    size, bad = slot(args, 5), int64_pointer(slot(args, 6))
    for k in range(lo, hi):
        i = index[k]
        if i < 0 or i >= length:
            bad[0] = 1
            bad[1] = i
        else:
            out = reals(slot(args, 0) + k * n * size)
            row = reals(table + i * n * size)
            for j in range(n):
                out[j] = row[j]


def _backward(args, lo, hi):
    """Columns lo … hi - 1 of the gradient: a thread adds all rows in order, so the sum is always the same."""
    out, index, grad = slot(args, 0), int64_pointer(slot(args, 1)), slot(args, 2)
    length, n, size, count, skip = slot(args, 3), slot(args, 4), slot(args, 5), slot(args, 6), slot(args, 7)
    if hi - lo == n:
        row = reals(out)
        for i in range(length * n):
            row[i] = real(0)
    else:
        for i in range(length):
            row = reals(out + i * n * size)
            for j in range(lo, hi):
                row[j] = real(0)
    for k in range(count):
        i = index[k]
        if i != skip:
            row = reals(out + i * n * size)
            g = reals(grad + k * n * size)
            for j in range(lo, hi):
                row[j] = row[j] + g[j]


forward, backward = Kernel(_embedding), Kernel(_backward)


def embedding(backend: Backend, index: View, weight: View, *, padding_idx: int | None = None) -> Any:
    """``weight[index]``.

    Raises:
        IndexError: an index is not a row of the table.
    """
    if index.dtype.name != "int64" or not weight.dtype.is_floating_point:
        return NotImplemented
    length, *rest = weight.shape
    n = math.prod(rest)
    if not weight.contiguous and weight.size > 8 * index.size * n:
        return NotImplemented  # a copy of all rows for the sake of a few
    index, weight = contiguous(index), contiguous(weight)
    out = empty((*index.shape, *rest), weight.dtype, weight.buffer.device)
    count = index.size
    if count:
        words = (
            address(out), address(index), address(weight), length, n, weight.dtype.itemsize, report.address,
        )  # fmt: skip
        launch(forward(weight.dtype.name), count, parts(count * n, count), words)
    bad = report.take()
    if bad is not None:
        raise IndexError(f"embedding index {bad} is out of range for a table of {length} rows")
    return out


def embedding_backward(
    backend: Backend,
    needs: Sequence[bool],
    grad: View,
    index: View,
    weight: View,
    *,
    padding_idx: int | None = None,
) -> Any:
    """The dense gradient of the table; the row ``padding_idx`` gets none."""
    if index.dtype.name != "int64" or grad.dtype is not weight.dtype:
        return NotImplemented
    if not weight.dtype.is_floating_point:
        return NotImplemented
    if not needs[1]:
        return None, None
    index, grad = contiguous(index), contiguous(grad)
    length, *rest = weight.shape
    n = math.prod(rest)
    out = empty(weight.shape, weight.dtype, weight.buffer.device)
    skip = -1 if padding_idx is None else padding_idx % length if length else -1
    if out.size:
        words = (
            address(out), address(index), address(grad), length, n, weight.dtype.itemsize, index.size, skip,
        )  # fmt: skip
        # a part narrower than a few cache lines would make threads share lines
        cut = min(parts(out.size + grad.size, n), max(1, n // 32))
        launch(backward(weight.dtype.name), n, cut, words, views=(out, index, grad))
    return None, out
