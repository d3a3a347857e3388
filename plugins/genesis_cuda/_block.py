"""What the threads of a block, or of a warp, do together. All of them have to call.

A warp joins by shuffles; the warps join in shared memory, in their order, so the same bits come out every
time.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"
from __future__ import annotations

from genesis_cuda._cuda import cuda, device, like, math
from genesis_cuda._sizes import THREADS, WARP

__all__ = [
    "block_last", "block_max", "block_scan_logs", "block_scan_max", "block_scan_min", "block_scan_prod",
    "block_scan_sum", "block_sum", "join_logs", "join_max", "join_min", "join_prod", "join_sum",
    "thread_last", "thread_max", "thread_scan_logs", "thread_scan_max", "thread_scan_min", "thread_scan_prod",
    "thread_scan_sum", "thread_sum", "warp_max", "warp_sum",
]  # fmt: skip

_ALL = 0xFFFFFFFF
_HALF, _WARPS = WARP // 2, THREADS // WARP


@device
def thread_sum(x, shared):
    """``x``: a thread that has a row for itself has nothing to join."""
    return x


thread_max = thread_last = thread_sum


@device
def thread_scan(x, shared, neutral):
    """As ``thread_sum``."""
    return x


thread_scan_sum = thread_scan_prod = thread_scan_max = thread_scan_min = thread_scan_logs = thread_scan


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


@device
def join_sum(a, b):
    """How a running sum goes on."""
    return a + b


@device
def join_prod(a, b):
    """How a running product goes on."""
    return a * b


@device
def join_max(a, b):
    """The larger; a nan wins."""
    return a if a >= b or a != a else b


@device
def join_min(a, b):
    """The smaller; a nan wins."""
    return a if a <= b or a != a else b


@device
def join_logs(a, b):
    """``log(exp(a) + exp(b))`` without overflow."""
    apart = like(a, 0) if a == b else math.fabs(a - b)  # two that are infinite are not
    return join_max(a, b) + math.log1p(math.exp(-apart))


def _scan_by(join, rolled=False):
    """``rolled``: the compiler is not told how often ``join`` runs, so that it stands there but twice."""

    @device
    def scan(x, shared, neutral):
        """What the threads of a block have up to the caller, joined; ``neutral`` changes nothing."""
        lane, warp = cuda.threadIdx.x % WARP, cuda.threadIdx.x // WARP
        end = cuda.blockDim.x // _WARPS if rolled else WARP
        step = 1
        while step < end:
            other = cuda.shfl_up_sync(_ALL, x, step)
            if lane >= step:
                x = join(other, x)
            step *= 2
        cuda.syncthreads()  # what was there before has been read
        if lane == WARP - 1:
            shared[warp] = x
        cuda.syncthreads()
        before = shared[lane] if lane < warp else neutral
        step = end // 2
        while step > 0:
            before = join(before, cuda.shfl_xor_sync(_ALL, before, step))
            step //= 2
        return join(before, x)

    return scan


block_scan_sum, block_scan_prod = _scan_by(join_sum), _scan_by(join_prod)
block_scan_max, block_scan_min = _scan_by(join_max), _scan_by(join_min)
block_scan_logs = _scan_by(join_logs, rolled=True)


@device
def block_last(x, shared):
    """``x`` of the last thread of a block."""
    cuda.syncthreads()
    if cuda.threadIdx.x == THREADS - 1:
        shared[0] = x
    cuda.syncthreads()
    return shared[0]
