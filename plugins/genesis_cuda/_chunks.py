"""Many tensors in one launch: each is cut into chunks, which are numbered through all of them."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"
from __future__ import annotations

from genesis_cuda._cuda import casts, device

__all__ = ["tensor_of_chunk"]

int64 = casts["int64"]


@device
def tensor_of_chunk(table, starts, n, chunk):
    """Which of ``n`` tensors holds a chunk; the first one of tensor t has number ``table[starts + t]``."""
    t, above = int64(0), int64(n)
    while above - t > 1:
        middle = (t + above) // 2
        if table[starts + middle] <= chunk:
            t = middle
        else:
            above = middle
    return t
