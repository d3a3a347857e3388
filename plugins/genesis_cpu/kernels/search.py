"""Searches: positions of what is not zero, and of the few largest or smallest elements of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from genesis.backend import View
from genesis_cpu._kernel import Kernel, launch, parts
from genesis_cpu._memory import address
from genesis_cpu.kernels.map import contiguous

if TYPE_CHECKING:  # what kernels find in their file
    from genesis_cpu._names import int64, int64_pointer, order, real, reals, slot, udiv, umod

_FEW = 128  # a longer list of leaders is put in order faster by a partition


def _count(args, lo, hi):
    """How many bytes are not 0, for each row."""
    n, counts = slot(args, 2), int64_pointer(slot(args, 1))
    for row in range(lo, hi):
        x = reals(slot(args, 0) + row * n)
        total = int64(0)
        for i in range(n):
            total += int64(x[i] != real(0))
        counts[row] = total


def _places(args, lo, hi):
    """The indices of the bytes that are not 0; ``starts`` says where those of a row go."""
    n, outer, starts = slot(args, 2), slot(args, 4), int64_pointer(slot(args, 1))
    for row in range(lo, hi):
        x = reals(slot(args, 0) + row * n)
        place = starts[row]
        if outer == 0:  # always written, kept where the element counts: no branch to guess
            at = int64_pointer(slot(args, 3))
            for i in range(n):
                at[place] = i
                place += int64(x[i] != real(0))
        else:
            for i in range(n):
                if x[i] != real(0):
                    at = int64_pointer(slot(args, 3) + place * (outer + 1) * 8)
                    rest = row
                    for d in range(outer):  # the last axis first
                        size = slot(args, 5 + d)
                        at[outer - 1 - d] = umod(rest, size)
                        rest = udiv(rest, size)
                    at[outer] = i
                    place += 1


def _leading(args, lo, hi):
    """A list of ``k`` leaders for each row, in which each better element takes its place."""
    n, k, size, smallest = slot(args, 2), slot(args, 3), slot(args, 4), slot(args, 5)
    for row in range(lo, hi):
        x = reals(slot(args, 1) + row * n * size)
        found = int64_pointer(slot(args, 0) + row * k * 8)
        have = 0
        worst = order(x[0])
        for i in range(n):
            word = order(x[i] + real(0))  # -0 and 0 are equal
            if smallest:
                word = ~word
            if have < k or word > worst:
                at = have if have < k else k - 1
                have = min(have + 1, k)
                while at > 0:
                    other = order(x[found[at - 1]] + real(0))
                    if smallest:
                        other = ~other
                    if word <= other:
                        break
                    found[at] = found[at - 1]
                    at -= 1
                found[at] = i
                worst = order(x[found[have - 1]] + real(0))
                if smallest:
                    worst = ~worst


count, places, leaders = Kernel(_count), Kernel(_places), Kernel(_leading)


def nonzero(x: View) -> np.ndarray[Any, Any] | None:
    """Positions of the true elements, int64 of shape (count, ndim); None for other types than bool."""
    if x.dtype.kind != "b" or not x.ndim or not x.size:
        return None
    x = contiguous(x)
    *outer, n = x.shape
    rows = x.size // n
    starts = np.empty(rows, np.int64)
    at = starts.ctypes.data
    launch(count("uint8"), rows, parts(x.size / 4, rows), (address(x), at, n))
    ends = np.cumsum(starts)
    total = int(ends[-1])
    np.subtract(ends, starts, out=starts)
    found = np.empty((total + 1, x.ndim), np.int64)[:total]  # one more is written
    if total:
        words = (address(x), at, n, found.ctypes.data, len(outer), *reversed(outer))
        launch(places("uint8"), rows, parts(x.size * 2, rows), words)
    return found


def leading(indices: View, x: View, largest: bool) -> bool:
    """``Backend.leading`` of floats, where these are few; False where it is not done."""
    k, n = indices.shape[-1], x.shape[-1]
    if k > _FEW or not x.dtype.is_floating_point or not indices.contiguous:
        return False
    x = contiguous(x)
    rows = x.size // n
    words = (address(indices), address(x), n, k, x.dtype.itemsize, not largest)
    launch(leaders(x.dtype.name), rows, parts(x.size * 4, rows), words)
    return True
