"""``nonzero``: blocks count what they find, the counts are summed up, and blocks write where it is."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
from __future__ import annotations

import math
from typing import TYPE_CHECKING

from genesis import int64 as _int64
from genesis import uint8 as _uint8
from genesis.backend import View, arg, call, cast
from genesis_cuda._copies import contiguous, empty, read
from genesis_cuda._kernel import Template
from genesis_cuda._memory import address, handle
from genesis_cuda._sizes import MANY
from genesis_cuda._sizes import THREADS as _THREADS
from genesis_cuda._sizes import WARP as _WARP
from genesis_cuda.kernels import map as elementwise
from genesis_cuda.kernels import scan

if TYPE_CHECKING:  # what kernels find in their module
    from genesis_cuda._names import THREADS, WARPS, block_last, block_scan_sum, block_sum, cuda, int64

_LIMIT = 1 << 32


def _count(n, parts, chunk, counts, flags):
    """A block for each part: how many flags are set."""
    shared = cuda.shared.array(WARPS, int64)
    part = cuda.blockIdx.x
    while part < parts:
        i = part * chunk + cuda.threadIdx.x
        end = min(part * chunk + chunk, n)
        total = int64(0)
        while i < end:
            total += int64(flags[i] != 0)
            i += THREADS
        total = block_sum(total, shared)
        if cuda.threadIdx.x == 0:
            counts[part] = total
        part += cuda.gridDim.x


def _place(n, parts, chunk, out, ends, counts, flags):
    """A block for each part: the positions of its flags, behind those of the parts before it."""
    shared = cuda.shared.array(WARPS, int64)
    part = cuda.blockIdx.x
    while part < parts:
        start = part * chunk
        end = min(start + chunk, n)
        before = ends[part] - counts[part]
        while start < end:
            i = start + cuda.threadIdx.x
            mine = int64(flags[i] != 0) if i < end else int64(0)
            last = before + block_scan_sum(mine, shared, int64(0))
            if mine != 0:
                out[last - 1] = int64(i)
            before = block_last(last, shared)
            start += THREADS
        part += cuda.gridDim.x


_ROOM = str(_THREADS // _WARP)
count = Template(_count, "int64 int64 int64 int64* uint8*", ("int64",), WARPS=_ROOM)
place = Template(_place, "int64 int64 int64 int64* int64* int64* uint8*", ("int64",), WARPS=_ROOM)


def nonzero(x: View) -> View | None:
    """``Backend.nonzero``, or None where it is not done."""
    n, device, unit = x.size, x.buffer.device, handle(x).unit
    if not 0 < n < _LIMIT or not x.ndim:
        return None
    flags = contiguous(x)
    if x.dtype.name not in ("bool", "uint8"):
        flags = empty(x.shape, _uint8, device)
        zero = cast(arg(1), x.dtype)
        elementwise.run(cast(call("ne", arg(0), zero), _uint8), flags, (x, 0))
    parts = max(1, min(MANY * unit.processors, n // (8 * _THREADS)))
    chunk = -(-n // parts)
    parts = -(-n // chunk)
    counts, ends = empty((parts,), _int64, device), empty((parts,), _int64, device)
    count("int64")(unit, parts, (n, parts, chunk, address(counts), address(flags)))
    scan.run("sum", ends, counts, 0)
    total = int(read(ends.narrow(0, parts - 1, 1))[0])
    flat = empty((total,), _int64, device)
    places = (address(flat), address(ends), address(counts), address(flags))
    place("int64")(unit, parts, (n, parts, chunk, *places))
    if x.ndim == 1:
        handle(flat).bounds = (0, n - 1)  # they need no check when they are used
        return flat.unsqueeze(1)
    out = empty((total, x.ndim), _int64, device)
    for axis, size in enumerate(x.shape):
        step = math.prod(x.shape[axis + 1 :])
        position = call("mod", call("floordiv", arg(0), cast(arg(1), _int64)), cast(arg(2), _int64))
        elementwise.run(position, out.select(1, axis), (flat, step, size))
    return out
