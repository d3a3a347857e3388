"""Philox 4x32-10, as ``genesis.backend.philox`` defines it."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"
from __future__ import annotations

from genesis_cuda._cuda import casts, device

__all__ = ["philox"]

uint64 = casts["uint64"]


@device
def philox(block, key0, key1):
    """The four words of a block, as uint64."""
    mask, half = uint64(0xFFFFFFFF), uint64(32)
    m0, m1, w0, w1 = uint64(0xD2511F53), uint64(0xCD9E8D57), uint64(0x9E3779B9), uint64(0xBB67AE85)
    counter = uint64(block)
    c0, c1, c2, c3 = counter & mask, counter >> half, uint64(0), uint64(0)
    k0, k1 = uint64(key0), uint64(key1)
    for _ in range(10):
        p0, p1 = c0 * m0, c2 * m1
        c0, c1, c2, c3 = (p1 >> half) ^ c1 ^ k0, p1 & mask, (p0 >> half) ^ c3 ^ k1, p0 & mask
        k0, k1 = (k0 + w0) & mask, (k1 + w1) & mask
    return c0, c1, c2, c3
