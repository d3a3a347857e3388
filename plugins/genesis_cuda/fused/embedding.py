"""embedding: rows of a table, and their gradient added up in the order of the indices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genesis.backend import Backend, View, arg, cast
from genesis_cuda._copies import contiguous, empty
from genesis_cuda._kernel import Template, blocks_for
from genesis_cuda._memory import address, handle
from genesis_cuda._sizes import MANY
from genesis_cuda.kernels import map as elementwise
from genesis_cuda.kernels.indexing import wrong

if TYPE_CHECKING:  # what kernels find in their module
    from genesis_cuda._names import THREADS, cuda, int64, real, udiv, wide


def _embedding(count, n, out, index, table):
    """A thread for each element."""
    i = cuda.grid(1)
    while i < count * n:
        k = udiv(i, n)
        out[i] = table[index[k] * n + (i - k * n)]
        i += cuda.gridsize(1)


def _links(count, index, following, first):
    """For each position the next one with the same index (or -1), and whether it is the first of them.

    A thread does a position and looks at all others, which come through shared memory.
    """
    others = cuda.shared.array(THREADS, int64)
    me = cuda.threadIdx.x
    begin = cuda.blockIdx.x * THREADS
    while begin < count:
        k = begin + me
        mine = index[k] if k < count else int64(-1)
        then, is_first = int64(-1), int64(1)
        start = 0
        while start < count:
            others[me] = index[start + me] if start + me < count else int64(-2)
            cuda.syncthreads()
            for j in range(THREADS):
                if others[j] == mine:
                    if start + j < k:
                        is_first = int64(0)
                    elif start + j > k and then < 0:
                        then = int64(start + j)
            cuda.syncthreads()
            start += THREADS
        if k < count:
            following[k] = then
            first[k] = is_first
        begin += cuda.gridDim.x * THREADS


def _backward(count, n, skip, out, index, following, first, grad):
    """A block does a row of the table: from the first position that names it along those that follow."""
    k = cuda.blockIdx.x
    while k < count:
        row = index[k]
        if first[k] != 0 and row != skip:
            column = cuda.threadIdx.x
            while column < n:
                total = wide(0)
                at = int64(k)
                while at >= 0:
                    total += wide(grad[at * n + column])
                    at = following[at]
                out[row * n + column] = real(total)
                column += THREADS
        k += cuda.gridDim.x


forward = Template(_embedding, "int64 int64 real* int64* real*")
links = Template(_links, "int64 int64* int64* int64*", ("int64",))
backward = Template(_backward, "int64 int64 int64 real* int64* int64* int64* real*")
_MANY_INDICES = 1 << 17  # from so many on, looking at all pairs takes too long


def embedding(backend: Backend, index: View, weight: View, *, padding_idx: int | None = None) -> Any:
    """``weight[index]``.

    Raises:
        IndexError: an index is not a row of the table.
    """
    if index.dtype.name != "int64" or not weight.dtype.is_floating_point:
        return NotImplemented
    length, *rest = weight.shape
    out = empty((*index.shape, *rest), weight.dtype, weight.buffer.device)
    if index.size:
        bad = wrong(index, length)
        if bad is not None:
            raise IndexError(f"embedding index {bad} is out of range for a table of {length} rows")
    if out.size:
        if out.size >= 1 << 32:
            return NotImplemented
        index, weight = contiguous(index), contiguous(weight)
        unit = handle(out).unit
        words = (index.size, math.prod(rest), address(out), address(index), address(weight))
        forward(weight.dtype.name)(unit, blocks_for(unit, out.size), words)
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
    dtype = weight.dtype
    if index.dtype.name != "int64" or grad.dtype is not dtype or not dtype.is_floating_point:
        return NotImplemented
    if index.size >= _MANY_INDICES:
        return NotImplemented
    if not needs[1]:
        return None, None
    length, *rest = weight.shape
    out = empty(weight.shape, dtype, weight.buffer.device)
    elementwise.run(cast(arg(0), dtype), out, (0.0,))
    if out.size and index.size:
        index, grad = contiguous(index), contiguous(grad)
        unit, count = handle(out).unit, index.size
        following, first = (empty((count,), index.dtype, index.buffer.device) for _ in range(2))
        places = (address(index), address(following), address(first))
        links("int64")(unit, blocks_for(unit, count), (count, *places))
        skip = -1 if padding_idx is None else padding_idx % length
        words = (count, math.prod(rest), skip, address(out), *places, address(grad))
        backward(dtype.name)(unit, min(count, MANY * unit.processors), words)
    return None, out
