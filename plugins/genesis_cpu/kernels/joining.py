"""Many tensors as one: all parts are copied in one launch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from genesis.backend import View
from genesis_cpu._kernel import Kernel, launch, parts
from genesis_cpu._memory import address

if TYPE_CHECKING:  # what kernels find in their file
    from genesis_cpu._names import reals, slot, udiv, umod

_LARGE = 65536  # elements of a part that is worth a launch of its own, which all threads share


def _join(args, lo, hi):
    """Item: a part in one outer index.  Of each part: its address, its elements there, those before it."""
    count, row, size = slot(args, 1), slot(args, 2), slot(args, 3)
    for item in range(lo, hi):
        outer, k = udiv(item, count), umod(item, count)
        n = slot(args, 5 + 3 * k)
        x = reals(slot(args, 4 + 3 * k) + outer * n * size)
        out = reals(slot(args, 0) + (outer * row + slot(args, 6 + 3 * k)) * size)
        for i in range(n):
            out[i] = x[i]


join = Kernel(_join)
BITS = {1: "int8", 2: "int16", 4: "int32", 8: "int64"}  # moving a number needs only its bits


def run(out: View, views: Sequence[View], axis: int) -> bool:
    """``Backend.join`` of many small contiguous parts; False where it is not done."""
    outer, count = math.prod(out.shape[:axis]), len(views)
    dtype = out.dtype
    if out.size > _LARGE * outer * count or not out.size or not out.contiguous:
        return False
    words = [address(out), count, out.size // outer, dtype.itemsize]
    before = 0
    for v in views:
        if not v.contiguous:
            return False
        n = v.size // outer
        words += (address(v), n, before)
        before += n
    launch(join(BITS[dtype.itemsize]), outer * count, parts(out.size, outer * count), words)
    return True
