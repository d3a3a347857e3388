"""Philox 4x32-10: random numbers that are a pure function of (seed, position).

Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11, 3.3 and table 2.
The counter is the block number (position // 4) in the low 64 bits, the key is the 64-bit seed; block i yields
the words for positions 4i … 4i+3.  This module is the definition; devices repeat it in their own language.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

M0, M1 = 0xD2511F53, 0xCD9E8D57
W0, W1 = 0x9E3779B9, 0xBB67AE85
MASK = 0xFFFFFFFF

Array = np.ndarray[Any, Any]


def words(seed: int, offset: int, count: int) -> Array:
    """The 32-bit words of positions offset … offset + count - 1, as uint64."""
    first, last = offset // 4, (offset + count + 3) // 4
    block: Array = np.arange(first, last, dtype=np.uint64)
    c0: Array = block & MASK
    c1: Array = block >> np.uint64(32)
    c2: Array = np.zeros_like(block)
    c3: Array = np.zeros_like(block)
    k0, k1 = seed & MASK, (seed >> 32) & MASK
    for _ in range(10):
        p0, p1 = c0 * np.uint64(M0), c2 * np.uint64(M1)
        c0, c1, c2, c3 = (
            (p1 >> np.uint64(32)) ^ c1 ^ np.uint64(k0),
            p1 & MASK,
            (p0 >> np.uint64(32)) ^ c3 ^ np.uint64(k1),
            p0 & MASK,
        )
        k0, k1 = (k0 + W0) & MASK, (k1 + W1) & MASK
    flat = np.stack([c0, c1, c2, c3], axis=1).reshape(-1)
    return flat[offset - 4 * first : offset - 4 * first + count]


def word(seed: int, position: int) -> int:
    """``words(seed, position, 1)[0]``, without arrays."""
    block = position // 4
    c0, c1, c2, c3 = block & MASK, block >> 32, 0, 0
    k0, k1 = seed & MASK, (seed >> 32) & MASK
    for _ in range(10):
        p0, p1 = c0 * M0, c2 * M1
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & MASK, (p0 >> 32) ^ c3 ^ k1, p0 & MASK
        k0, k1 = (k0 + W0) & MASK, (k1 + W1) & MASK
    return (c0, c1, c2, c3)[position % 4]


def fill(kind: str, shape: tuple[int, ...], dtype: str, seed: int, offset: int) -> Array:
    """The numbers of ``Backend.random``.

    uniform: the top 24 bits of the word at the element's position, over 2**24 (exact in float32).
    normal: Box-Muller in float64 on the words at 2p and 2p+1, p = offset + position:
    ``sqrt(-2 ln((w0 + 1) / 2**32)) * cos(2 pi w1 / 2**32)``.
    bits: the word itself.
    """
    count = math.prod(shape)
    if kind == "uniform":
        out = (words(seed, offset, count) >> np.uint64(8)).astype(np.float64) * 2.0**-24
    elif kind == "normal":
        w = words(seed, 2 * offset, 2 * count).astype(np.float64)
        out = np.sqrt(-2.0 * np.log((w[0::2] + 1.0) * 2.0**-32)) * np.cos(w[1::2] * (math.tau * 2.0**-32))
    elif kind == "bits":
        out = words(seed, offset, count)
    else:
        raise ValueError(f"unknown kind of random numbers {kind!r}; known: uniform, normal, bits")
    return out.astype(dtype).reshape(shape)
