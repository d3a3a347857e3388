"""``random``: Philox 4x32-10, as ``genesis.backend.philox`` defines it: the same numbers on every device."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
from __future__ import annotations

from typing import TYPE_CHECKING

from genesis.backend import View, arg
from genesis_cuda._copies import empty
from genesis_cuda._kernel import Template, blocks_for
from genesis_cuda._memory import address, handle
from genesis_cuda.kernels import map as elementwise

if TYPE_CHECKING:
    from genesis_cuda._names import cuda, float64, kind, math, philox, real, uint64


def _fill(out, n, blocks, first, skip, key0, key1):
    """A thread does blocks of four words.  ``kind``: 0 bits, 1 uniform, 2 normal (two words a number)."""
    block = cuda.grid(1)
    while block < blocks:
        c0, c1, c2, c3 = philox(first + block, key0, key1)
        if kind == 2:
            for k in range(2):
                at = 2 * block - skip + k
                if at >= 0 and at < n:
                    u, v = (c0, c1) if k == 0 else (c2, c3)
                    size = math.sqrt(-2.0 * math.log((float64(u) + 1.0) * 2.0**-32))
                    out[at] = real(size * math.cos(float64(v) * (6.283185307179586 * 2.0**-32)))
        else:
            for k in range(4):
                at = 4 * block - skip + k
                if at >= 0 and at < n:
                    word = c0 if k == 0 else c1 if k == 1 else c2 if k == 2 else c3
                    out[at] = real(float64(word >> uint64(8)) * 2.0**-24) if kind == 1 else real(word)
        block += cuda.gridsize(1)


_PARAMETERS = "real* int64 int64 int64 int64 int64 int64"
_fills = {
    "bits": Template(_fill, _PARAMETERS, ("int64",), variant="bits", kind="0"),
    "uniform": Template(_fill, _PARAMETERS, variant="uniform", kind="1"),
    "normal": Template(_fill, _PARAMETERS, variant="normal", kind="2"),
}


def run(kind: str, out: View, seed: int, offset: int) -> None:
    """``Backend.random``."""
    if kind not in _fills:
        raise ValueError(f"unknown kind of random numbers {kind!r}; known: {', '.join(_fills)}")
    if not out.size:
        return
    target = out if out.contiguous else empty(out.shape, out.dtype, out.buffer.device)
    per_block = 2 if kind == "normal" else 4
    first, skip = divmod(offset, per_block)
    blocks = -(-(skip + out.size) // per_block)
    memory = handle(target)
    memory.bounds = None
    words = (address(target), out.size, blocks, first, skip, seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF)
    _fills[kind](out.dtype.name)(memory.unit, blocks_for(memory.unit, blocks), words)
    if target is not out:
        elementwise.run(arg(0), out, (target,))
