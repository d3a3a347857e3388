"""The Euclidean norm of rows: squares are added up as they are read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from genesis.backend import Backend, View
from genesis_cpu._kernel import Kernel, launch, parts
from genesis_cpu._memory import address, empty

if TYPE_CHECKING:  # what kernels find in their file
    from genesis_cpu._names import accumulate, float64, real, reals, slot, sqrt_


def _rows(args, lo, hi):
    out, n, size = reals(slot(args, 0)), slot(args, 2), slot(args, 3)
    for row in range(lo, hi):
        x = reals(slot(args, 1) + row * n * size)
        total = float64(0)
        for start in range(0, n, 4096):
            part = real(0)
            for i in range(start, min(start + 4096, n)):
                part = accumulate(part, x[i] * x[i])
            total += float64(part)
        out[row] = real(sqrt_(total))


rows = Kernel(_rows)


def power_norm(backend: Backend, x: View, *, p: float, axes: tuple[int, ...], keepdim: bool) -> Any:
    """``sqrt(sum x^2)`` over the last axes of contiguous elements."""
    kept = x.ndim - len(axes)
    if p != 2 or not x.dtype.is_floating_point or not x.size or not x.contiguous:
        return NotImplemented
    if axes != tuple(range(kept, x.ndim)):
        return NotImplemented
    out = empty((*x.shape[:kept], *(1,) * (len(axes) if keepdim else 0)), x.dtype, x.buffer.device)
    n = math.prod(x.shape[kept:])
    words = (address(out), address(x), n, x.dtype.itemsize)
    launch(rows(x.dtype.name), x.size // n, parts(x.size, x.size // n), words)
    return out
