"""``total_norm``: the squares of all elements of many tensors, summed in one launch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from genesis.backend import Backend, View
from genesis_cpu._kernel import Kernel, launch, parts
from genesis_cpu._memory import array, empty
from genesis_cpu.fused.optimizer import pack, tabulate
from genesis_cpu.kernels.map import contiguous
from genesis_cpu.kernels.reduce import PART

if TYPE_CHECKING:  # what kernels find in their file
    from genesis_cpu._names import accumulate, float64, float64_pointer, int64_pointer, real, reals, slot


def _squares(args, lo, hi):
    """Sums of the squares of parts of all elements laid end to end, in float64."""
    table, starts = int64_pointer(slot(args, 0)), int64_pointer(slot(args, 1))
    sums, size, total = float64_pointer(slot(args, 2)), slot(args, 3), slot(args, 4)
    t = 0
    for k in range(lo, hi):
        at, end = k * size, min((k + 1) * size, total)
        result = float64(0)
        while at < end:
            while starts[t + 1] <= at:
                t += 1
            x, first, last = reals(table[t]), at - starts[t], min(end, starts[t + 1]) - starts[t]
            for start in range(first, last, 4096):
                part = real(0)
                for i in range(start, min(start + 4096, last)):
                    part = accumulate(part, x[i] * x[i])
                result += float64(part)
            at = starts[t] + last
        sums[k] = result


squares = Kernel(_squares)


def total_norm(backend: Backend, views: Sequence[View], *, order: float) -> Any:
    """The Euclidean norm of all elements, added in parts that do not depend on the number of threads."""
    if order != 2.0:
        return NotImplemented
    plan = tabulate([contiguous(v) for v in views])
    if plan is None:
        return NotImplemented
    table, starts = plan[:2]
    total, dtype = starts[-1], views[0].dtype
    count = -(-total // PART)
    sums = np.empty(count)
    if total:
        place = pack([*table, *starts])
        words = (place, place + 8 * len(table), int(sums.ctypes.data), PART, total)
        launch(squares(dtype.name), count, parts(total, count), words)
    out = empty((), dtype, views[0].buffer.device)
    with np.errstate(over="ignore"):
        array(out)[()] = math.sqrt(sums.sum())
    return out
