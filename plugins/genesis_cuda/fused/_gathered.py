"""Products whose right factor is read where it lies: what convolutions and their gradients have in common.

    out[m, column] = sum over rows of left[m, row] x[place(row, column)]

A row and a column are each an outer index and three along the axes of the source, and ``place = c + a * row +
b * column`` along each of these; outside of the source x is 0. With rows over channels and taps and columns
over images and places this is a convolution; with another start and step, a phase of its transpose; with rows
over images and places and columns over channels and taps, the gradient of its weight. So there is one list of
numbers for all of them, and three kernels that differ in who does what.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from genesis_cuda._driver import Unit
from genesis_cuda._kernel import Template, blocks_for
from genesis_cuda._sizes import MANY, SIMULATED
from genesis_cuda._sizes import THREADS as _THREADS
from genesis_cuda._sizes import TILE as _TILE
from genesis_cuda._sizes import WARP as _WARP

if TYPE_CHECKING:  # what kernels find in their module
    from genesis_cuda._names import (
        ALONG,
        EACH,
        FAR,
        OWN,
        PLACES,
        ROOM,
        STEPS,
        THREADS,
        TILE,
        WARPS,
        WIDE,
        block_sum,
        cuda,
        int64,
        real,
        udiv,
        wide,
    )

Ints = tuple[int, ...]


def _tiles(
    groups, m, m_tiles, n_tiles, parts, chunk, depth, columns, r0, r1, r2, n0, n1, n2, s0, s1, s2,
    a0, a1, a2, b0, b1, b2, c0, c1, c2, x, x_g, x_r, x_n, left, l_g, l_m, l_r, l_0, l_1, l_2,
    out, o_part, o_g, o_m, o_n, o_0, o_1, o_2, bias, has_bias,
):  # fmt: skip
    """A block does a tile of ``WIDE`` by ``WIDE``, each of its threads ``EACH`` by ``EACH`` of it.

    ``TILE`` rows at a time come through shared memory. Where they lie in the source is found once for each
    row and once for each column, not for each element.
    """
    factors = cuda.shared.array(ROOM, wide)
    sources = cuda.shared.array(ROOM, wide)
    row_at = cuda.shared.array(STEPS, int64)
    column_at = cuda.shared.array(PLACES, int64)
    sums = cuda.local.array(OWN, wide)
    me = cuda.threadIdx.x
    my, mx = me // TILE, me % TILE
    item = cuda.blockIdx.x
    while item < groups * parts * n_tiles * m_tiles:
        rest = udiv(item, m_tiles)
        first = (item - rest * m_tiles) * WIDE
        part = udiv(rest, n_tiles)
        begin = (rest - part * n_tiles) * WIDE
        group = udiv(part, parts)
        part -= group * parts
        cuda.syncthreads()
        t = me
        while t < WIDE:
            column = begin + t
            q2 = udiv(column, n2)
            q1 = udiv(q2, n1)
            q0 = udiv(q1, n0)
            column_at[4 * t] = q0 * x_n
            column_at[4 * t + 1] = c0 + b0 * (q1 - q0 * n0) if column < columns else int64(FAR)
            column_at[4 * t + 2] = c1 + b1 * (q2 - q1 * n1)
            column_at[4 * t + 3] = c2 + b2 * (column - q2 * n2)
            t += TILE * TILE
        for k in range(OWN):
            sums[k] = wide(0)
        start = part * chunk
        end = min(start + chunk, depth)
        while start < end:
            if me < TILE:
                row = start + me
                q2 = udiv(row, r2)
                q1 = udiv(q2, r1)
                q0 = udiv(q1, r0)
                u0, u1, u2 = q1 - q0 * r0, q2 - q1 * r1, row - q2 * r2
                row_at[5 * me] = q0 * x_r
                row_at[5 * me + 1] = a0 * u0 if row < end else int64(FAR)
                row_at[5 * me + 2] = a1 * u1
                row_at[5 * me + 3] = a2 * u2
                row_at[5 * me + 4] = q0 * l_r + u0 * l_0 + u1 * l_1 + u2 * l_2
            cuda.syncthreads()
            t = me
            while t < TILE * WIDE:
                j, k = t // TILE, t % TILE
                value = wide(0)
                if first + j < m and start + k < end:
                    value = wide(left[group * l_g + (first + j) * l_m + row_at[5 * k + 4]])
                factors[k * (WIDE + 1) + j] = value
                t += TILE * TILE
            t = me
            while t < TILE * WIDE:
                j, k = (t // TILE, t % TILE) if ALONG else (t % WIDE, t // WIDE)
                i0 = row_at[5 * k + 1] + column_at[4 * j + 1]
                i1 = row_at[5 * k + 2] + column_at[4 * j + 2]
                i2 = row_at[5 * k + 3] + column_at[4 * j + 3]
                value = wide(0)
                if i0 >= 0 and i0 < s0 and i1 >= 0 and i1 < s1 and i2 >= 0 and i2 < s2:
                    at = row_at[5 * k] + column_at[4 * j]
                    value = wide(x[group * x_g + at + (i0 * s1 + i1) * s2 + i2])
                sources[k * (WIDE + 1) + j] = value
                t += TILE * TILE
            cuda.syncthreads()
            k = 0
            while k < TILE:
                for r in range(EACH):
                    factor = factors[k * (WIDE + 1) + my + r * TILE]
                    for c in range(EACH):
                        sums[r * EACH + c] += factor * sources[k * (WIDE + 1) + mx + c * TILE]
                k += 1
            start += TILE
        for c in range(EACH):
            column = begin + mx + c * TILE
            if column < columns:
                q2 = udiv(column, n2)
                q1 = udiv(q2, n1)
                q0 = udiv(q1, n0)
                to = q0 * o_n + (q1 - q0 * n0) * o_0 + (q2 - q1 * n1) * o_1 + (column - q2 * n2) * o_2
                for r in range(EACH):
                    row = first + my + r * TILE
                    if row < m:
                        value = sums[r * EACH + c]
                        if has_bias != 0:
                            value += wide(bias[group * m + row])
                        out[part * o_part + group * o_g + row * o_m + to] = real(value)
        item += cuda.gridDim.x


def _each(
    groups, m, m_tiles, n_tiles, parts, chunk, depth, columns, r0, r1, r2, n0, n1, n2, s0, s1, s2,
    a0, a1, a2, b0, b1, b2, c0, c1, c2, x, x_g, x_r, x_n, left, l_g, l_m, l_r, l_0, l_1, l_2,
    out, o_part, o_g, o_m, o_n, o_0, o_1, o_2, bias, has_bias,
):  # fmt: skip
    """A thread does an element of the result: for groups of few channels, whose tiles would be empty."""
    item = cuda.grid(1)
    while item < groups * m * columns:
        line = udiv(item, columns)
        column = item - line * columns
        group = udiv(line, m)
        row = line - group * m
        q2 = udiv(column, n2)
        q1 = udiv(q2, n1)
        q0 = udiv(q1, n0)
        j0, j1, j2 = q1 - q0 * n0, q2 - q1 * n1, column - q2 * n2
        outer = depth // (r0 * r1 * r2)
        total = wide(0)
        for k in range(outer):
            from_x = group * x_g + k * x_r + q0 * x_n
            from_left = group * l_g + row * l_m + k * l_r
            for u0 in range(r0):
                i0 = c0 + a0 * u0 + b0 * j0
                if i0 >= 0 and i0 < s0:
                    for u1 in range(r1):
                        i1 = c1 + a1 * u1 + b1 * j1
                        if i1 >= 0 and i1 < s1:
                            for u2 in range(r2):
                                i2 = c2 + a2 * u2 + b2 * j2
                                if i2 >= 0 and i2 < s2:
                                    factor = wide(left[from_left + u0 * l_0 + u1 * l_1 + u2 * l_2])
                                    total += factor * wide(x[from_x + (i0 * s1 + i1) * s2 + i2])
        if has_bias != 0:
            total += wide(bias[line])
        out[group * o_g + row * o_m + q0 * o_n + j0 * o_0 + j1 * o_1 + j2 * o_2] = real(total)
        item += cuda.gridsize(1)


def _sums(
    groups, m, m_tiles, n_tiles, parts, chunk, depth, columns, r0, r1, r2, n0, n1, n2, s0, s1, s2,
    a0, a1, a2, b0, b1, b2, c0, c1, c2, x, x_g, x_r, x_n, left, l_g, l_m, l_r, l_0, l_1, l_2,
    out, o_part, o_g, o_m, o_n, o_0, o_1, o_2, bias, has_bias,
):  # fmt: skip
    """A block does an element of the result, or a part of its sum: for few results of long sums."""
    shared = cuda.shared.array(WARPS, wide)
    item = cuda.blockIdx.x
    while item < groups * m * columns * parts:
        line = udiv(item, parts)
        part = item - line * parts
        row = udiv(line, columns)
        column = line - row * columns
        group = udiv(row, m)
        row -= group * m
        q2 = udiv(column, n2)
        q1 = udiv(q2, n1)
        q0 = udiv(q1, n0)
        j0, j1, j2 = q1 - q0 * n0, q2 - q1 * n1, column - q2 * n2
        total = wide(0)
        k = part * chunk + cuda.threadIdx.x
        end = min(part * chunk + chunk, depth)
        while k < end:
            p2 = udiv(k, r2)
            p1 = udiv(p2, r1)
            p0 = udiv(p1, r0)
            u0, u1, u2 = p1 - p0 * r0, p2 - p1 * r1, k - p2 * r2
            i0, i1, i2 = c0 + a0 * u0 + b0 * j0, c1 + a1 * u1 + b1 * j1, c2 + a2 * u2 + b2 * j2
            if i0 >= 0 and i0 < s0 and i1 >= 0 and i1 < s1 and i2 >= 0 and i2 < s2:
                at = group * l_g + row * l_m + p0 * l_r + u0 * l_0 + u1 * l_1 + u2 * l_2
                place = group * x_g + p0 * x_r + q0 * x_n + (i0 * s1 + i1) * s2 + i2
                total += wide(left[at]) * wide(x[place])
            k += THREADS
        total = block_sum(total, shared)
        if cuda.threadIdx.x == 0:
            to = group * o_g + row * o_m + q0 * o_n + j0 * o_0 + j1 * o_1 + j2 * o_2
            out[part * o_part + to] = real(total)
        item += cuda.gridDim.x


_EACH = 2 if SIMULATED else 4
_WIDE = _TILE * _EACH
_PARAMETERS = f"{'int64 ' * 26} real* {'int64 ' * 3} real* {'int64 ' * 6} real* {'int64 ' * 7} real* int64"
_ROOMS: dict[str, Any] = {
    "EACH": str(_EACH), "WIDE": str(_WIDE), "ROOM": str(_TILE * (_WIDE + 1)), "STEPS": str(5 * _TILE),
    "PLACES": str(4 * _WIDE), "OWN": str(_EACH * _EACH), "FAR": str(-(1 << 40)),
}  # fmt: skip
#: by whether neighbouring threads read x along a column
tiles = {
    along: Template(
        _tiles, _PARAMETERS, threads=_TILE * _TILE, blocks=2, variant="along" if along else "across",
        ALONG=str(along), **_ROOMS,
    )
    for along in (False, True)
}  # fmt: skip
each = Template(_each, _PARAMETERS, blocks=3)
sums = Template(_sums, _PARAMETERS, blocks=3, WARPS=str(_THREADS // _WARP))
FEW = 4  # rows of a tile that leave most of it empty


class Product(NamedTuple):
    """The numbers of a launch but the addresses.

    Attributes:
        groups, m: products, and rows of the left factor in each.
        outer, rows: the outer length of the inner index, and its three axes.
        images, columns: the outer length of the columns, and their three axes.
        source: the three axes of x.
        a, b, c: where a row and a column meet, along each axis.
        x: steps of x from group to group, and along the outer indices of row and column.
        left: steps of the left factor: group, m, and the four of a row.
        out: steps of the result: group, m, and the four of a column.
        starts: elements to add to the addresses of x, the left factor and the result.
    """

    groups: int
    m: int
    outer: int
    rows: Ints
    images: int
    columns: Ints
    source: Ints
    a: Ints
    b: Ints
    c: Ints
    x: Ints
    left: Ints
    out: Ints
    starts: Ints = (0, 0, 0)

    @property
    def depth(self) -> int:
        """Terms of a sum."""
        return self.outer * self.rows[0] * self.rows[1] * self.rows[2]

    @property
    def width(self) -> int:
        """Columns of the result."""
        return self.images * self.columns[0] * self.columns[1] * self.columns[2]

    def few(self, along: bool) -> bool:
        """Whether tiles would be nearly empty."""
        return self.m * self.width <= _WIDE if along else self.m <= FEW

    def parts(self, unit: Unit, along: bool) -> int:
        """In how many parts to add up, so that there is work for the whole GPU."""
        if not along:
            return 1
        if self.few(along):
            blocks, least = self.groups * self.m * self.width, 4 * _THREADS
        else:
            blocks, least = self.groups * -(-self.m // _WIDE) * -(-self.width // _WIDE), 8 * _TILE
        return max(1, min(4 * unit.processors // blocks, self.depth // least))


def launch(
    unit: Unit,
    name: str,
    plan: Product,
    places: Ints,
    size: int,
    along: bool = False,
    parts: int = 1,
    apart: int = 0,
) -> None:
    """Put one product into the stream.

    Args:
        name: of the type of elements.
        places: the addresses of x, left factor, result and bias (0: none).
        size: bytes of an element.
        along: few columns and long sums.
        parts: in how many parts to add up; ``apart`` elements lie between the results of two of them.
    """
    m_tiles, n_tiles = -(-plan.m // _WIDE), -(-plan.width // _WIDE)
    chunk = -(-plan.depth // parts)
    x, left, out = (p + size * s for p, s in zip(places, plan.starts, strict=False))
    args = (
        plan.groups, plan.m, m_tiles, n_tiles, parts, chunk, plan.depth, plan.width, *plan.rows,
        *plan.columns, *plan.source, *plan.a, *plan.b, *plan.c, x, *plan.x, left, *plan.left,
        out, apart, *plan.out, places[3], int(places[3] != 0),
    )  # fmt: skip
    if not plan.few(along):
        blocks = plan.groups * parts * m_tiles * n_tiles
        tiles[along](name)(unit, min(blocks, 1 << 20), args)
    elif along:
        blocks = plan.groups * plan.m * plan.width * parts
        sums(name)(unit, min(blocks, 64 * MANY * unit.processors), args)
    else:
        each(name)(unit, blocks_for(unit, plan.groups * plan.m * plan.width), args)
