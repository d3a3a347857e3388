"""``dropout``: the numbers that decide are made where they are used, and made again for the gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genesis.backend import Backend, View
from genesis_cuda._copies import contiguous, empty
from genesis_cuda._kernel import Template, blocks_for
from genesis_cuda._memory import address, handle

if TYPE_CHECKING:  # what kernels find in their module
    from genesis_cuda._names import cuda, float64, philox, real, uint64


def _scaled(n, blocks, first, skip, key0, key1, out, x, p, scale):
    """A thread does blocks of four elements, as ``random`` does."""
    block = cuda.grid(1)
    while block < blocks:
        c0, c1, c2, c3 = philox(first + block, key0, key1)
        for k in range(4):
            at = 4 * block - skip + k
            if at >= 0 and at < n:
                word = c0 if k == 0 else c1 if k == 1 else c2 if k == 2 else c3
                noise = real(float64(word >> uint64(8)) * 2.0**-24)
                out[at] = real(0) if noise < real(p) else real(x[at] * real(scale))
        block += cuda.gridsize(1)


scaled = Template(_scaled, "int64 int64 int64 int64 int64 int64 real* real* float64 float64")


def dropout(backend: Backend, x: View, *, p: float, seed: int, offset: int) -> Any:
    """``x / (1 - p)``, and 0 where the element's number of ``Backend.random`` (uniform) is below p."""
    if not x.size or x.dtype.name not in ("float32", "float64"):
        return NotImplemented
    x = contiguous(x)
    out, unit = empty(x.shape, x.dtype, x.buffer.device), handle(x).unit
    first, skip = divmod(offset, 4)
    blocks = -(-(skip + x.size) // 4)
    words = (x.size, blocks, first, skip, seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF)
    numbers = (float(p), 1.0 / (1.0 - p))
    scaled(x.dtype.name)(unit, blocks_for(unit, blocks), (*words, address(out), address(x), *numbers))
    return out
