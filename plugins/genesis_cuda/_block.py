"""What the threads of a block, or of a warp, do together. All of them have to call.

A warp joins by shuffles; the warps join in shared memory, in their order, so the same bits come out every
time.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"
from __future__ import annotations

from genesis_cuda._cuda import cuda, device
from genesis_cuda._sizes import THREADS, WARP

__all__ = ["block_max", "block_sum", "warp_max", "warp_sum"]

_ALL = 0xFFFFFFFF
_HALF, _WARPS = WARP // 2, THREADS // WARP


@device
def warp_sum(x, shared):
    """The sum of ``x`` over the threads of a warp; ``shared`` is not used."""
    step = _HALF
    while step > 0:
        x += cuda.shfl_xor_sync(_ALL, x, step)
        step //= 2
    return x


@device
def warp_max(x, shared):
    """The largest ``x`` of a warp; a nan wins."""
    step = _HALF
    while step > 0:
        other = cuda.shfl_xor_sync(_ALL, x, step)
        x = x if x >= other or x != x else other
        step //= 2
    return x


@device
def block_sum(x, shared):
    """The sum of ``x`` over the threads of a block; ``shared`` has room for one number of each warp."""
    x = warp_sum(x, shared)
    cuda.syncthreads()  # what was there before has been read
    if cuda.threadIdx.x % WARP == 0:
        shared[cuda.threadIdx.x // WARP] = x
    cuda.syncthreads()
    total = shared[0]
    for warp in range(1, _WARPS):
        total += shared[warp]
    return total


@device
def block_max(x, shared):
    """The largest ``x`` of a block; a nan wins."""
    x = warp_max(x, shared)
    cuda.syncthreads()
    if cuda.threadIdx.x % WARP == 0:
        shared[cuda.threadIdx.x // WARP] = x
    cuda.syncthreads()
    top = shared[0]
    for warp in range(1, _WARPS):
        other = shared[warp]
        top = top if top >= other or top != top else other
    return top
