"""Attention a tile at a time: scores and weights are never stored as a whole.

A block does some rows of the query of one head. Keys come a tile at a time through shared memory, then the
values of the same tile; each thread of a warp has the score of one key, and some columns of the result. The
forward pass keeps one number for each row, the logarithm of its sum (Milakov and Gimelshein 2018,
arXiv:1805.02867; Dao et al. 2022, arXiv:2205.14135).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from genesis.backend import Backend, View
from genesis_cuda import _walk
from genesis_cuda._copies import duplicate, empty
from genesis_cuda._kernel import Template
from genesis_cuda._memory import address, handle
from genesis_cuda._sizes import SIMULATED, THREADS, WARP

if TYPE_CHECKING:  # what kernels find in their module
    from genesis_cuda._names import (
        BOTH,
        COLUMNS,
        QUERIES,
        ROOM,
        ROWS,
        TILE_ROOM,
        WIDTH,
        cuda,
        inf,
        load_rows,
        math,
        real,
        udiv,
        umod,
        warp_max,
        warp_sum,
        wide,
    )


def _attention(
    heads, size1, length, source, width, values, causal, masked, scale,
    q, q_row, q_0, q_1, k, k_row, k_0, k_1, v, v_row, v_0, v_1,
    out, out_row, out_0, out_1, mask, bias, mask_row, mask_column, mask_0, mask_1, sums,
):  # fmt: skip
    queries = cuda.shared.array(ROOM, wide)
    tile = cuda.shared.array(TILE_ROOM, wide)
    scores = cuda.local.array(ROWS, wide)
    tops = cuda.local.array(ROWS, wide)
    totals = cuda.local.array(ROWS, wide)
    result = cuda.local.array(BOTH, wide)
    lane, warp = umod(cuda.threadIdx.x, WARP), udiv(cuda.threadIdx.x, WARP)
    none = wide(0)
    tiles = (length + QUERIES - 1) // QUERIES
    item = cuda.blockIdx.x
    while item < heads * tiles:
        head = udiv(item, tiles)
        first = (item - head * tiles) * QUERIES
        h0 = udiv(head, size1)
        h1 = head - h0 * size1
        q_at = h0 * q_0 + h1 * q_1
        k_at = h0 * k_0 + h1 * k_1
        v_at = h0 * v_0 + h1 * v_1
        load_rows(queries, WIDTH, QUERIES, q, q_at + first * q_row, q_row, length - first, width, none)
        for r in range(ROWS):
            tops[r] = wide(-inf)
            totals[r] = wide(0)
            for c in range(COLUMNS):
                result[r * COLUMNS + c] = wide(0)
        limit = min(source, first + QUERIES) if causal != 0 else source
        start = 0
        while start < limit:
            cuda.syncthreads()
            load_rows(tile, WIDTH + 1, WARP, k, k_at + start * k_row, k_row, limit - start, width, none)
            cuda.syncthreads()
            for r in range(ROWS):
                scores[r] = wide(0)
            for e in range(width):
                value = tile[lane * (WIDTH + 1) + e]
                for r in range(ROWS):
                    scores[r] += queries[(warp * ROWS + r) * WIDTH + e] * value
            column = start + lane
            for r in range(ROWS):
                row = first + warp * ROWS + r
                x = scores[r] * wide(scale)
                takes_part = column < limit and row < length
                if causal != 0 and column > row:
                    takes_part = False
                if takes_part and masked != 0:
                    at = h0 * mask_0 + h1 * mask_1 + row * mask_row + column * mask_column
                    if masked == 1:
                        takes_part = mask[at] != 0
                    else:
                        x += wide(bias[at])
                x = x if takes_part else wide(-inf)
                top = warp_max(x, tile)
                top = top if top >= tops[r] or top != top else tops[r]
                keep = wide(1) if top == wide(-inf) else math.exp(tops[r] - top)
                weight = wide(0) if x == wide(-inf) else math.exp(x - top)
                totals[r] = totals[r] * keep + warp_sum(weight, tile)
                tops[r] = top
                scores[r] = weight
                for c in range(COLUMNS):
                    result[r * COLUMNS + c] *= keep
            cuda.syncthreads()
            load_rows(tile, WIDTH + 1, WARP, v, v_at + start * v_row, v_row, limit - start, values, none)
            cuda.syncthreads()
            last = min(WARP, limit - start)
            j = 0
            while j < last:  # not range(WARP): that is unrolled until registers run out
                for r in range(ROWS):
                    weight = cuda.shfl_sync(0xFFFFFFFF, scores[r], j)
                    for c in range(COLUMNS):
                        if c * WARP + lane < values:
                            result[r * COLUMNS + c] += weight * tile[j * (WIDTH + 1) + c * WARP + lane]
                j += 1
            start += WARP
        cuda.syncthreads()
        for r in range(ROWS):
            row = first + warp * ROWS + r
            if row < length:
                share = wide(0) if totals[r] == wide(0) else wide(1) / totals[r]
                for c in range(COLUMNS):
                    e = c * WARP + lane
                    if e < values:
                        place = h0 * out_0 + h1 * out_1 + row * out_row + e
                        out[place] = real(result[r * COLUMNS + c] * share)
                if lane == 0:
                    lse = wide(inf) if totals[r] == wide(0) else tops[r] + math.log(totals[r])
                    sums[head * length + row] = real(lse)
        item += cuda.gridDim.x


_MATRIX = "real* int64 int64 int64"
_PARAMETERS = f"{'int64 ' * 8}float64 {' '.join([_MATRIX] * 4)} uint8* real* int64 int64 int64 int64 real*"
_WARPS = THREADS // WARP
WIDTHS = {"float32": 16 if SIMULATED else 128, "float64": 16 if SIMULATED else 64}


def _template(real: str, rows: int) -> Template:
    width, queries = WIDTHS[real], _WARPS * rows
    return Template(
        _attention, _PARAMETERS, (real,), blocks=2, WIDTH=str(width), ROWS=str(rows), QUERIES=str(queries),
        ROOM=str(queries * width), TILE_ROOM=str(WARP * (width + 1)), COLUMNS=str(width // WARP),
        BOTH=str(rows * (width // WARP)),
    )  # fmt: skip


_ROWS = {
    "float32": 2,
    "float64": 1,
}  # of a warp: more would read shared memory less often, and spill registers
forward = {real: _template(real, _ROWS[real]) for real in WIDTHS}


def serves(query: View, key: View, value: View) -> bool:
    """Whether the kernels of both passes take these."""
    width = WIDTHS.get(query.dtype.name, 0)
    return bool(query.size and key.size and value.size and max(query.shape[-1], value.shape[-1]) <= width)


class Operands(NamedTuple):
    """What both passes tell their kernels.

    Attributes:
        heads: how many.
        sizes: the first words of a launch.
        matrices: address, row and steps from head to head of query, key, value and a fourth.
        mask: its address as bool, and as numbers, then its steps.
    """

    heads: int
    sizes: tuple[int, ...]
    matrices: list[int]
    mask: tuple[int, ...]


def operands(
    query: View, key: View, value: View, fourth: View, mask: View | None, is_causal: bool
) -> Operands | None:
    """None where the heads lie in more than two steps; the elements of a row lie side by side."""
    lead, length, source = query.shape[:-2], query.shape[-2], key.shape[-2]
    whole = query if mask is None else mask.expand((*lead, length, source))
    views = (query, key, value, fourth, whole)
    sizes, strides = _walk.collapse(lead, [v.strides[:-2] for v in views], keep_order=True)
    if len(sizes) > 2:
        return None
    if not lead:
        strides = [[0] for _ in views]
    if len(sizes) == 1:
        sizes, strides = [1, *sizes], [[0, *s] for s in strides]
    heads = sizes[0] * sizes[1]
    masked = 0 if mask is None else 1 if mask.dtype.kind == "b" else 2
    places = [0, 0]
    if masked:
        places[masked - 1] = address(whole)
    words = (heads, sizes[1], length, source, query.shape[-1], value.shape[-1], int(is_causal), masked)
    matrices = [
        word for v, s in zip(views[:4], strides, strict=False) for word in (address(v), v.strides[-2], *s)
    ]
    return Operands(heads, words, matrices, (*places, *whole.strides[-2:], *strides[4]))


def attention(
    backend: Backend,
    query: View,
    key: View,
    value: View,
    mask: View | None,
    *,
    scale: float,
    is_causal: bool,
) -> Any:
    """The result, and the logarithm of the sum of each row."""
    if not serves(query, key, value):
        return NotImplemented
    if mask is not None and mask.dtype is not query.dtype and mask.dtype.kind != "b":
        return NotImplemented
    query, key, value = (v if v.strides[-1] == 1 else duplicate(v) for v in (query, key, value))
    out = _result(query, value.shape[-1])
    found = operands(query, key, value, out, mask, is_causal)
    if found is None:
        return NotImplemented
    sums = empty(query.shape[:-1], query.dtype, query.buffer.device)
    name = query.dtype.name
    blocks = found.heads * -(-query.shape[-2] // (_WARPS * _ROWS[name]))
    args = (*found.sizes, float(scale), *found.matrices, *found.mask, address(sums))
    forward[name](name)(handle(query).unit, min(blocks, 1 << 20), args)
    return out, sums


def _result(query: View, values: int) -> View:
    """(batch, heads, rows, columns) lies as (batch, rows, heads, columns), which is what is wanted next."""
    shape = (*query.shape[:-1], values)
    if len(shape) != 4:
        return empty(shape, query.dtype, query.buffer.device)
    a, b, c, d = shape
    return empty((a, c, b, d), query.dtype, query.buffer.device).permute((0, 2, 1, 3))
