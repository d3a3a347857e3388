"""The gradients of attention a tile at a time: weights are computed again from what each row kept.

Two kernels. One does rows of the query, as the forward pass does, and adds up their gradient over the keys.
The other does rows of key and value, and adds up over the queries: so nothing is added to memory that another
block adds to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genesis.backend import Backend, View, arg
from genesis_cuda._copies import contiguous, duplicate, empty
from genesis_cuda._kernel import Template
from genesis_cuda._memory import address, handle
from genesis_cuda._sizes import THREADS as _THREADS
from genesis_cuda._sizes import WARP as _WARP
from genesis_cuda.fused.attention import WIDTHS, operands, serves
from genesis_cuda.kernels import map as elementwise
from genesis_cuda.kernels import reduce

if TYPE_CHECKING:  # what kernels find in their module
    from genesis_cuda._names import (
        BOTH,
        COLUMNS,
        QUERIES,
        ROOM,
        ROWS,
        TILE_ROOM,
        WARP,
        WIDTH,
        cuda,
        load_rows,
        math,
        real,
        udiv,
        umod,
        wide,
    )  # fmt: skip


def _of_queries(
    heads, size1, length, source, width, values, causal, masked, scale,
    q, q_row, q_0, q_1, k, k_row, k_0, k_1, v, v_row, v_0, v_1, g, g_row, g_0, g_1,
    mask, bias, mask_row, mask_column, mask_0, mask_1, sums, dots, gq,
):  # fmt: skip
    queries = cuda.shared.array(ROOM, wide)
    grads = cuda.shared.array(ROOM, wide)
    tile = cuda.shared.array(TILE_ROOM, wide)
    slopes = cuda.local.array(ROWS, wide)
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
        g_at = h0 * g_0 + h1 * g_1
        cuda.syncthreads()
        load_rows(queries, WIDTH, QUERIES, q, q_at + first * q_row, q_row, length - first, width, none)
        load_rows(grads, WIDTH, QUERIES, g, g_at + first * g_row, g_row, length - first, values, none)
        for c in range(BOTH):
            result[c] = wide(0)
        limit = min(source, first + QUERIES) if causal != 0 else source
        start = 0
        while start < limit:
            last = min(WARP, limit - start)
            cuda.syncthreads()
            load_rows(tile, WIDTH + 1, last, v, v_at + start * v_row, v_row, last, values, none)
            cuda.syncthreads()
            for r in range(ROWS):
                slopes[r] = wide(0)
            for e in range(values):
                value = tile[lane * (WIDTH + 1) + e] if lane < last else wide(0)
                for r in range(ROWS):
                    slopes[r] += grads[(warp * ROWS + r) * WIDTH + e] * value
            cuda.syncthreads()
            load_rows(tile, WIDTH + 1, last, k, k_at + start * k_row, k_row, last, width, none)
            cuda.syncthreads()
            column = start + lane
            for r in range(ROWS):
                row = first + warp * ROWS + r
                slope = wide(0)
                if lane < last and row < length and (causal == 0 or column <= row):
                    x = wide(0)
                    for e in range(width):
                        x += queries[(warp * ROWS + r) * WIDTH + e] * tile[lane * (WIDTH + 1) + e]
                    x *= wide(scale)
                    at = h0 * mask_0 + h1 * mask_1 + row * mask_row + column * mask_column
                    if masked == 2:
                        x += wide(bias[at])
                    if masked != 1 or mask[at] != 0:
                        place = head * length + row
                        weight = math.exp(x - wide(sums[place]))
                        slope = weight * (slopes[r] - wide(dots[place])) * wide(scale)
                slopes[r] = slope
            j = 0
            while j < last:
                for r in range(ROWS):
                    slope = cuda.shfl_sync(0xFFFFFFFF, slopes[r], j)
                    for c in range(COLUMNS):
                        if c * WARP + lane < width:
                            result[r * COLUMNS + c] += slope * tile[j * (WIDTH + 1) + c * WARP + lane]
                j += 1
            start += WARP
        for r in range(ROWS):
            row = first + warp * ROWS + r
            for c in range(COLUMNS):
                e = c * WARP + lane
                if row < length and e < width:
                    gq[(head * length + row) * width + e] = real(result[r * COLUMNS + c])
        item += cuda.gridDim.x


def _of_keys(
    heads, size1, length, source, width, values, causal, masked, scale,
    q, q_row, q_0, q_1, k, k_row, k_0, k_1, v, v_row, v_0, v_1, g, g_row, g_0, g_1,
    mask, bias, mask_row, mask_column, mask_0, mask_1, sums, dots, gk, gv,
):  # fmt: skip
    keys = cuda.shared.array(ROOM, wide)
    those = cuda.shared.array(ROOM, wide)
    tile = cuda.shared.array(TILE_ROOM, wide)
    weights = cuda.local.array(ROWS, wide)
    slopes = cuda.local.array(ROWS, wide)
    key = cuda.local.array(BOTH, wide)
    value = cuda.local.array(BOTH, wide)
    lane, warp = umod(cuda.threadIdx.x, WARP), udiv(cuda.threadIdx.x, WARP)
    none = wide(0)
    tiles = (source + QUERIES - 1) // QUERIES
    item = cuda.blockIdx.x
    while item < heads * tiles:
        head = udiv(item, tiles)
        first = (item - head * tiles) * QUERIES
        h0 = udiv(head, size1)
        h1 = head - h0 * size1
        q_at = h0 * q_0 + h1 * q_1
        k_at = h0 * k_0 + h1 * k_1
        v_at = h0 * v_0 + h1 * v_1
        g_at = h0 * g_0 + h1 * g_1
        cuda.syncthreads()
        load_rows(keys, WIDTH, QUERIES, k, k_at + first * k_row, k_row, source - first, width, none)
        load_rows(those, WIDTH, QUERIES, v, v_at + first * v_row, v_row, source - first, values, none)
        for c in range(BOTH):
            key[c] = wide(0)
            value[c] = wide(0)
        start = udiv(first, WARP) * WARP if causal != 0 else 0  # rows before see none of these keys
        while start < length:
            last = min(WARP, length - start)
            cuda.syncthreads()
            load_rows(tile, WIDTH + 1, last, q, q_at + start * q_row, q_row, last, width, none)
            cuda.syncthreads()
            row = start + lane
            for r in range(ROWS):
                column = first + warp * ROWS + r
                weight = wide(0)
                if lane < last and column < source and (causal == 0 or column <= row):
                    x = wide(0)
                    for e in range(width):
                        x += keys[(warp * ROWS + r) * WIDTH + e] * tile[lane * (WIDTH + 1) + e]
                    x *= wide(scale)
                    at = h0 * mask_0 + h1 * mask_1 + row * mask_row + column * mask_column
                    if masked == 2:
                        x += wide(bias[at])
                    if masked != 1 or mask[at] != 0:
                        weight = math.exp(x - wide(sums[head * length + row]))
                weights[r] = weight
            cuda.syncthreads()
            load_rows(tile, WIDTH + 1, last, g, g_at + start * g_row, g_row, last, values, none)
            cuda.syncthreads()
            dot = wide(dots[head * length + row]) if lane < last else wide(0)
            for r in range(ROWS):
                x = wide(0)
                if lane < last:
                    for e in range(values):
                        x += those[(warp * ROWS + r) * WIDTH + e] * tile[lane * (WIDTH + 1) + e]
                slopes[r] = weights[r] * (x - dot) * wide(scale)
            j = 0
            while j < last:
                for r in range(ROWS):
                    weight = cuda.shfl_sync(0xFFFFFFFF, weights[r], j)
                    for c in range(COLUMNS):
                        if c * WARP + lane < values:
                            value[r * COLUMNS + c] += weight * tile[j * (WIDTH + 1) + c * WARP + lane]
                j += 1
            cuda.syncthreads()
            load_rows(tile, WIDTH + 1, last, q, q_at + start * q_row, q_row, last, width, none)
            cuda.syncthreads()
            j = 0
            while j < last:
                for r in range(ROWS):
                    slope = cuda.shfl_sync(0xFFFFFFFF, slopes[r], j)
                    for c in range(COLUMNS):
                        if c * WARP + lane < width:
                            key[r * COLUMNS + c] += slope * tile[j * (WIDTH + 1) + c * WARP + lane]
                j += 1
            start += WARP
        for r in range(ROWS):
            column = first + warp * ROWS + r
            for c in range(COLUMNS):
                e = c * WARP + lane
                if column < source and e < width:
                    gk[(head * source + column) * width + e] = real(key[r * COLUMNS + c])
                if column < source and e < values:
                    gv[(head * source + column) * values + e] = real(value[r * COLUMNS + c])
        item += cuda.gridDim.x


_MATRIX = "real* int64 int64 int64"
_PARAMETERS = (
    f"{'int64 ' * 8}float64 {' '.join([_MATRIX] * 4)} uint8* real* int64 int64 int64 int64 real* real*"
)
_WARPS = _THREADS // _WARP


def _template(function: Any, real: str, results: str, blocks: int) -> Template:
    width = WIDTHS[real]
    return Template(
        function, f"{_PARAMETERS} {results}", (real,), blocks=blocks, WIDTH=str(width), ROWS="1",
        QUERIES=str(_WARPS),
        ROOM=str(_WARPS * width), TILE_ROOM=str(_WARP * (width + 1)), COLUMNS=str(width // _WARP),
        BOTH=str(width // _WARP),
    )  # fmt: skip


of_queries = {real: _template(_of_queries, real, "real*", 2) for real in WIDTHS}
of_keys = {real: _template(_of_keys, real, "real* real*", 1) for real in WIDTHS}


def attention_backward(
    backend: Backend, needs: Sequence[bool], grad: View, query: View, key: View, value: View, mask: View |
    None, out: View, kept: View | None, *, scale: float, is_causal: bool,
) -> Any:  # fmt: skip
    """The gradients of query, key and value; where the mask wants one, too, the weights are needed."""
    if (
        kept is None
        or kept.ndim == query.ndim
        or (len(needs) > 3 and needs[3])
        or grad.dtype is not query.dtype
        or not serves(query, key, value)
    ):
        return NotImplemented
    query, key, value, grad = (v if v.strides[-1] == 1 else duplicate(v) for v in (query, key, value, grad))
    found = operands(query, key, value, grad, mask, is_causal)
    if found is None:
        return NotImplemented
    dtype, device = query.dtype, query.buffer.device
    products, dots = empty(out.shape, dtype, device), empty((*query.shape[:-1], 1), dtype, device)
    elementwise.run(arg(0) * arg(1), products, (grad, out))
    reduce.run("sum", dots, products)
    kept = contiguous(kept)
    gq, gk, gv = (empty(x.shape, dtype, device) for x in (query, key, value))
    args = (*found.sizes, float(scale), *found.matrices, *found.mask, address(kept), address(dots))
    unit, name = handle(query).unit, dtype.name
    if needs[0]:
        blocks = min(found.heads * -(-query.shape[-2] // _WARPS), 1 << 20)
        of_queries[name](name)(unit, blocks, (*args, address(gq)))
    if needs[1] or needs[2]:
        blocks = min(found.heads * -(-key.shape[-2] // _WARPS), 1 << 20)
        of_keys[name](name)(unit, blocks, (*args, address(gk), address(gv)))
    grads = (gq, gk, gv)
    return *[g if need else None for g, need in zip(grads, needs, strict=False)], None
