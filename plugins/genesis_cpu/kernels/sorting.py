"""Stable sorting of rows by their digits, least significant first (Knuth 5.2.5, Algorithm R).

A key is how far an element lies above the smallest of its row (below the largest, where the row descends), in
a word that compares as the element does.  The first 32 bits of the keys are sorted together with the
positions, in one word each.  Where keys are longer, those that begin alike are then put in order one by one,
or, if they are many, all is sorted again by whole keys.  A digit that all keys have in common costs no pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genesis.backend import View
from genesis_cpu._kernel import Kernel, launch, parts
from genesis_cpu._memory import address, scratch
from genesis_cpu.kernels.map import contiguous

if TYPE_CHECKING:  # what kernels find in their file
    from genesis_cpu._names import int64, int64_pointer, rank, real, reals, slot, uint64

_COUNTS = 2048  # of the digits of 11 bits; short rows have digits of 8
_SHORT = 40  # a row that is sorted faster by insertion


def _sort(args, lo, hi):
    """Each item is a share of the rows; it has room for the counts of digits and four words an element."""
    n, rows, items = slot(args, 3), slot(args, 4), slot(args, 5)
    size, descending = slot(args, 6), slot(args, 7)
    for item in range(lo, hi):
        room = slot(args, 8) + item * (slot(args, 9) + 4 * n) * 8
        counts = int64_pointer(room)
        room += slot(args, 9) * 8
        for row in range(rows * item // items, rows * (item + 1) // items):
            x = reals(slot(args, 2) + row * n * size)
            low = high = int64(rank(real(x[0] + real(0))))  # -0 and 0 are equal
            for i in range(n):
                word = int64(rank(real(x[i] + real(0))))
                low, high = min(low, word), max(high, word)
            span = uint64(high) - uint64(low)
            bits = 0
            while bits < 64 and span >> uint64(bits) != uint64(0):
                bits += 1
            for narrow in (True, False):
                # the first 32 bits of longer keys say almost everything, unless many keys begin alike
                drop = uint64(max(bits - 32, 0) if narrow else 0)
                keys, places = int64_pointer(room), int64_pointer(room + 8 * n)
                other_keys, other_places = int64_pointer(room + 16 * n), int64_pointer(room + 24 * n)
                for i in range(n):
                    word = uint64(int64(rank(real(x[i] + real(0)))))
                    key = uint64(high) - word if descending else word - uint64(low)
                    if narrow:
                        keys[i] = int64(key >> drop << uint64(32) | uint64(i))
                    else:
                        keys[i] = int64(key)
                        places[i] = i
                digit = 8 if n < 2048 else 11
                mask = uint64((1 << digit) - 1)
                shift = 32 if narrow else 0
                end = 32 + min(bits, 32) if narrow else bits
                if n <= slot(args, 10) and narrow:
                    shift = end
                    for i in range(1, n):
                        key = uint64(keys[i])
                        j = i
                        while j > 0 and uint64(keys[j - 1]) > key:
                            keys[j] = keys[j - 1]
                            j -= 1
                        keys[j] = int64(key)
                while shift < end:
                    at = uint64(shift)
                    shift += digit
                    for d in range(1 << digit):
                        counts[d] = 0
                    for i in range(n):
                        counts[int64(uint64(keys[i]) >> at & mask)] += 1
                    if counts[int64(uint64(keys[0]) >> at & mask)] == n:
                        continue
                    total = 0
                    for d in range(1 << digit):
                        here = counts[d]
                        counts[d] = total
                        total += here
                    if narrow:
                        for i in range(n):
                            key = uint64(keys[i])
                            d = int64(key >> at & mask)
                            other_keys[counts[d]] = int64(key)
                            counts[d] += 1
                    else:
                        for i in range(n):
                            key = uint64(keys[i])
                            d = int64(key >> at & mask)
                            other_keys[counts[d]] = int64(key)
                            other_places[counts[d]] = places[i]
                            counts[d] += 1
                        places, other_places = other_places, places
                    keys, other_keys = other_keys, keys
                if narrow:
                    for i in range(n):
                        places[i] = int64(uint64(keys[i]) & uint64(0xFFFFFFFF))
                if not narrow or drop == uint64(0):
                    break
                moves = 0
                for i in range(1, n):
                    if uint64(keys[i]) >> uint64(32) == uint64(keys[i - 1]) >> uint64(32):
                        place = places[i]
                        word = int64(rank(real(x[place] + real(0))))
                        j = i
                        while j > 0 and moves <= n:
                            before = int64(rank(real(x[places[j - 1]] + real(0))))
                            if before >= word if descending else before <= word:
                                break
                            places[j] = places[j - 1]
                            j -= 1
                            moves += 1
                        places[j] = place
                if moves <= n:
                    break
            where = int64_pointer(slot(args, 1) + row * n * 8)
            out = reals(slot(args, 0) + row * n * size)
            for i in range(n):
                where[i] = places[i]
                out[i] = x[places[i]]


#: elements that NumPy sorts, in about 20 ms, before the kernel is compiled, which takes a second
_FIRST = 300_000
_sorted = 0
floats, integers = Kernel(_sort, "rank = order"), Kernel(_sort, "rank = int64")


def run(values: View, indices: View, x: View, descending: bool) -> bool:
    """``Backend.sort``; False where it is not done."""
    global _sorted
    n = x.shape[-1]
    if n >= 1 << 32 or not (values.contiguous and indices.contiguous):
        return False
    if not x.size:
        return True
    if _sorted < _FIRST:
        _sorted += x.size
        return False
    x = contiguous(x)
    rows = x.size // n
    items = parts(x.size * 16, rows)
    room, owner = scratch(8 * items * (_COUNTS + 4 * n))
    kernel = (floats if x.dtype.is_floating_point else integers)(_element(x.dtype))
    words = (
        address(values), address(indices), address(x), n, rows, items, x.dtype.itemsize, descending, room,
        _COUNTS, _SHORT,
    )  # fmt: skip
    launch(kernel, items, items, words)
    del owner
    return True


def _element(dtype: Any) -> str:
    return "uint8" if dtype.kind == "b" else str(dtype.name)
