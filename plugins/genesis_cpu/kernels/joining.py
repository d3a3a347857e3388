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
    """Item: a part in one outer index, ``n`` lines of ``inner`` elements.

    Of each part: its address, n, its strides (outer, line, element), and the elements before it in a row.
    """
    count, row, inner, size = slot(args, 1), slot(args, 2), slot(args, 3), slot(args, 4)
    outer, k = udiv(lo, count), umod(lo, count)
    for _ in range(lo, hi):
        n, line, step = slot(args, 6 + 6 * k), slot(args, 8 + 6 * k), slot(args, 9 + 6 * k)
        x = reals(slot(args, 5 + 6 * k) + outer * slot(args, 7 + 6 * k) * size)
        out = reals(slot(args, 0) + (outer * row + slot(args, 10 + 6 * k)) * size)
        if step == 1 and line == inner:
            for i in range(n * inner):
                out[i] = x[i]
        elif inner == 1:
            for i in range(n):
                out[i] = x[i * line]
        else:
            for i in range(n):
                for j in range(inner):
                    out[i * inner + j] = x[i * line + j * step]
        k += 1
        if k == count:
            outer, k = outer + 1, 0


join = Kernel(_join)
BITS = {1: "int8", 2: "int16", 4: "int32", 8: "int64"}  # moving a number needs only its bits


def run(out: View, views: Sequence[View], axis: int) -> bool:
    """``Backend.join`` of small parts; False where it is not done."""
    outer, count = math.prod(out.shape[:axis]), len(views)
    dtype = out.dtype
    if out.size > _LARGE * outer * count or not out.size or not out.contiguous:
        return False
    inner = math.prod(out.shape[axis + 1 :])
    words = [address(out), count, out.size // outer, inner, dtype.itemsize]
    before = 0
    for v in views:
        n = v.size // outer
        if v.contiguous:
            words += (address(v), n // inner, n, inner, 1, before)
        else:
            lines = v.reshape((outer, n // inner, inner))
            if lines is None:
                return False
            words += (address(v), n // inner, *lines.strides, before)
        before += n
    launch(
        join(BITS[dtype.itemsize]), outer * count, parts(out.size, outer * count), words, views=(out, *views)
    )  # fmt: skip
    return True
