"""``total_norm``: the squares of all elements of many tensors, added up by chunks and then by one block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genesis import float64 as _float64
from genesis.backend import Backend, View
from genesis_cuda._copies import contiguous, empty
from genesis_cuda._kernel import Template
from genesis_cuda._memory import address, handle
from genesis_cuda._sizes import THREADS as _THREADS
from genesis_cuda._sizes import WARP as _WARP
from genesis_cuda.fused import _multi

if TYPE_CHECKING:  # what kernels find in their module
    from genesis_cuda._names import (
        CHUNK,
        THREADS,
        WARPS,
        block_sum,
        cuda,
        math,
        real,
        reals,
        tensor_of_chunk,
        wide,
    )


def _squares(n, table, sums):
    """A block for each chunk; ``table`` holds addresses, the first chunks and the sizes of ``n`` tensors."""
    shared = cuda.shared.array(WARPS, wide)
    t = tensor_of_chunk(table, n, n, cuda.blockIdx.x)
    x = reals(table[t])
    begin = (cuda.blockIdx.x - table[n + t]) * CHUNK
    end = min(begin + CHUNK, table[2 * n + t])
    i = begin + cuda.threadIdx.x
    total = wide(0)
    while i < end:
        v = wide(x[i])
        total += v * v
        i += THREADS
    total = block_sum(total, shared)
    if cuda.threadIdx.x == 0:
        sums[cuda.blockIdx.x] = total


def _root(count, out, sums):
    """One block."""
    shared = cuda.shared.array(WARPS, wide)
    i = cuda.threadIdx.x
    total = wide(0)
    while i < count:
        total += sums[i]
        i += THREADS
    total = block_sum(total, shared)
    if cuda.threadIdx.x == 0:
        out[0] = real(math.sqrt(total))


_CHUNK = 16 * _THREADS
_WARPS = str(_THREADS // _WARP)
squares = Template(_squares, "int64 int64* wide*", exact=True, WARPS=_WARPS, CHUNK=str(_CHUNK))
root = Template(_root, "int64 real* wide*", exact=True, WARPS=_WARPS)


def total_norm(backend: Backend, views: Sequence[View], *, order: float) -> Any:
    """The Euclidean norm of all elements, added up in float64."""
    if order != 2.0:
        return NotImplemented
    views = [contiguous(v) for v in views]
    dtype, device, unit = views[0].dtype, views[0].buffer.device, handle(views[0]).unit
    memory, chunks = _multi.tabulate([views], _CHUNK)
    sums, out = empty((chunks,), _float64, device), empty((), dtype, device)
    if chunks:
        squares(dtype.name)(unit, chunks, (len(views), memory.address, address(sums)))
    root(dtype.name)(unit, 1, (chunks, address(out), address(sums)))
    return out
