"""``random``: Philox 4x32-10, as ``genesis.backend.philox`` defines it, in parallel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genesis.backend import View, arg
from genesis_cpu._kernel import Kernel, launch, parts
from genesis_cpu._memory import address, empty
from genesis_cpu.kernels import map as elementwise

if TYPE_CHECKING:  # what kernels find in their file
    from genesis_cpu._names import float64, kind, normal_, real, reals, slot, uint64


def _fill(args, lo, hi):
    """Blocks of four words.  ``kind``: 0 bits, 1 uniform, 2 normal (two words for each number)."""
    out, n = reals(slot(args, 0)), slot(args, 1)
    first, skip = slot(args, 2), slot(args, 3)
    mask, half, shift = uint64(0xFFFFFFFF), uint64(32), uint64(8)
    m0, m1, w0, w1 = uint64(0xD2511F53), uint64(0xCD9E8D57), uint64(0x9E3779B9), uint64(0xBB67AE85)
    key0, key1 = uint64(slot(args, 4)), uint64(slot(args, 5))
    for block in range(lo, hi):
        counter = uint64(first + block)
        c0, c1, c2, c3 = counter & mask, counter >> half, uint64(0), uint64(0)
        k0, k1 = key0, key1
        for _ in range(10):
            p0, p1 = c0 * m0, c2 * m1
            c0, c1, c2, c3 = (p1 >> half) ^ c1 ^ k0, p1 & mask, (p0 >> half) ^ c3 ^ k1, p0 & mask
            k0, k1 = (k0 + w0) & mask, (k1 + w1) & mask
        if kind == 2:
            at = 2 * block - skip
            if at >= 0:
                out[at] = real(normal_(c0, c1))
            if at + 1 < n:
                out[at + 1] = real(normal_(c2, c3))
        else:
            for k in range(4):
                at = 4 * block - skip + k
                if 0 <= at < n:
                    word = c0 if k == 0 else c1 if k == 1 else c2 if k == 2 else c3
                    out[at] = real(float64(word >> shift) * 2.0**-24) if kind else real(word)


_fills = {name: Kernel(_fill, f"kind = {k}") for k, name in enumerate(("bits", "uniform", "normal"))}


def run(kind: str, out: View, seed: int, offset: int) -> Any:
    """``Backend.random``."""
    if kind not in _fills:
        raise ValueError(f"unknown kind of random numbers {kind!r}; known: {', '.join(_fills)}")
    if not out.size:
        return
    target = out if out.contiguous else empty(out.shape, out.dtype, out.buffer.device)
    per_block = 2 if kind == "normal" else 4
    first, skip = divmod(offset, per_block)
    blocks = -(-(skip + out.size) // per_block)
    words = (address(target), out.size, first, skip, seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF)
    launch(_fills[kind](out.dtype.name), blocks, parts(out.size * 20, blocks), words)
    if target is not out:
        elementwise.run(arg(0), out, (target,))
