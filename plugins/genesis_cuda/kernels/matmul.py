"""``matmul``: a library's product where there is one and it takes the types, else our own, tile by tile.

In our own, a block of ``TILE`` by ``TILE`` threads does a tile of the result: it copies tiles of both factors
into shared memory, so that each element is read from memory once per tile and not once per product. Strides
are arguments, so transposed factors, broadcast ones and parts of larger arrays need no copy.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from genesis.backend import Backend, View, arg, cast
from genesis_cuda import _gemm, _walk
from genesis_cuda._kernel import Kernel, Template
from genesis_cuda._memory import address, handle
from genesis_cuda._sizes import TILE
from genesis_cuda.kernels import map as elementwise

if TYPE_CHECKING:
    from genesis_cuda._names import ROOM, cuda, real, wide


def _product(
    m, n, k, columns, rows, lead, size1, size2,
    out, out_i, out_j, out_0, out_1, out_2,
    a, a_i, a_k, a_0, a_1, a_2,
    b, b_k, b_j, b_0, b_1, b_2,
):  # fmt: skip
    """``out[i, j] = sum over k of a[i, k] b[k, j]`` for each of ``lead`` products, along up to three axes."""
    left = cuda.shared.array(ROOM, wide)
    right = cuda.shared.array(ROOM, wide)
    me = cuda.threadIdx.x
    y, x = me // TILE, me % TILE
    item = cuda.blockIdx.x
    while item < columns * rows * lead:
        tile = item % (columns * rows)
        batch = item // (columns * rows)
        l2 = batch % size2
        l1 = batch // size2 % size1
        l0 = batch // size2 // size1
        i = tile // columns * TILE + y
        j = tile % columns * TILE + x
        a_at = l0 * a_0 + l1 * a_1 + l2 * a_2
        b_at = l0 * b_0 + l1 * b_1 + l2 * b_2
        total = wide(0)
        start = 0
        while start < k:
            inside = i < m and start + x < k
            left[y * (TILE + 1) + x] = wide(a[a_at + i * a_i + (start + x) * a_k]) if inside else wide(0)
            inside = j < n and start + y < k
            right[y * (TILE + 1) + x] = wide(b[b_at + (start + y) * b_k + j * b_j]) if inside else wide(0)
            cuda.syncthreads()
            for p in range(TILE):
                total += left[y * (TILE + 1) + p] * right[p * (TILE + 1) + x]
            cuda.syncthreads()
            start += TILE
        if i < m and j < n:
            out[l0 * out_0 + l1 * out_1 + l2 * out_2 + i * out_i + j * out_j] = real(total)
        item += cuda.gridDim.x


_OPERAND = "real* int64 int64 int64 int64 int64"
_TYPES = ("float32", "float64", "int64", "int32", "int16", "int8", "uint8")
product = Template(
    _product, f"{'int64 ' * 8}{' '.join([_OPERAND] * 3)}", _TYPES, TILE * TILE, 2, ROOM=str(TILE * (TILE + 1))
)


def run(out: View, a: View, b: View) -> None:
    """``Backend.matmul``."""
    if not out.size:
        return
    k = a.shape[-1]
    if not k:
        elementwise.run(cast(arg(0), out.dtype), out, (0,))
        return
    handle(out).bounds = None
    if not _gemm.run(out, a, b):
        tiled(out, a, b)


def half_matmul(backend: Backend, out: View, a: View, b: View) -> Any:
    """Of float16 or bfloat16, by the library: sums in float32, rounded once."""
    if not out.size or not a.size or not (a.dtype is b.dtype is out.dtype) or not _gemm.run(out, a, b):
        return NotImplemented
    handle(out).bounds = None
    return None


def tiled(out: View, a: View, b: View) -> None:
    """By our own kernel."""
    unit = handle(out).unit
    m, n, k = out.shape[-2], out.shape[-1], a.shape[-1]
    lead = out.shape[:-2]
    sizes, merged = _walk.collapse(lead, [v.strides[:-2] for v in (out, a, b)], keep_order=True)
    if not lead:
        merged = [[0], [0], [0]]
    if len(sizes) > 3:  # very rare: one product after the other along the first axis
        for i in range(lead[0]):
            tiled(out.select(0, i), a.select(0, i), b.select(0, i))
        return
    short = 3 - len(sizes)
    sizes = [1] * short + sizes
    leads = [[0] * short + s for s in merged]
    columns, rows = -(-n // TILE), -(-m // TILE)
    kernel: Kernel = product("uint8" if out.dtype.kind == "b" else out.dtype.name)
    blocks = min(columns * rows * math.prod(sizes), 1 << 20)
    args = (
        m, n, k, columns, rows, math.prod(sizes), sizes[1], sizes[2],
        address(out), *out.strides[-2:], *leads[0],
        address(a), *a.strides[-2:], *leads[1],
        address(b), *b.strides[-2:], *leads[2],
    )  # fmt: skip
    kernel(unit, blocks, args)
