"""Rows of a matrix on their way into shared memory."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"
from __future__ import annotations

from genesis_cuda._cuda import cuda, device, like, typed
from genesis_cuda._sizes import THREADS

__all__ = ["load_rows"]

udiv = typed["udiv"]


@device
def load_rows(tile, pitch, rows, x, at, step, inside, width, zero):
    """Rows of ``width`` elements that lie ``step`` apart, from ``x[at]`` on; all threads of a block call.

    They begin ``pitch`` elements apart in ``tile``; of ``rows`` of them those from ``inside`` on are zeros.
    ``zero`` has the type of the tile.
    """
    t = cuda.threadIdx.x
    while t < rows * width:
        j = udiv(t, width)
        e = t - j * width
        tile[j * pitch + e] = like(zero, x[at + j * step + e]) if j < inside else zero
        t += THREADS
