"""Which tile of sums suits a number of columns, and the kernels that run tiles over a table of rows."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from genesis_cpu._kernel import Kernel

if TYPE_CHECKING:  # what kernels find in their file
    from genesis_cpu._names import height, slot, tile


class Tile(NamedTuple):
    """Rows, vectors, and numbers in a vector."""

    height: int
    vectors: int
    lanes: int

    @property
    def columns(self) -> int:
        return self.vectors * self.lanes


@cache
def _machine() -> tuple[int, int]:
    """Bytes of a vector register, and how many there are."""
    from llvmlite import binding

    features: Any = binding.get_host_cpu_features()
    if features.get("avx512f"):
        return 64, 32
    if features.get("avx2"):
        return 32, 16
    return 16, 32 if features.get("neon") else 16


#: vectors -> heights, for 32 registers and for 16, as measured: there are enough sums to hide the latency of
#: a multiplication, and few enough that the compiler keeps all, and what it loads ahead, in registers
_HEIGHTS: dict[int, dict[int, tuple[int, ...]]] = {
    32: {1: (24, 9), 2: (10, 9), 3: (9, 6), 4: (6, 5, 3)},
    16: {1: (8, 5), 2: (5, 4), 3: (4, 3)},
}
#: the same for tiles that lie: height -> vectors
_LYING = {
    32: {1: 8, 2: 8, 3: 7, 4: 6, 6: 4, 8: 3},
    16: {1: 8, 2: 4, 3: 3, 4: 3, 6: 2, 8: 1},
}


def choices(itemsize: int, columns: int) -> list[Tile]:
    """The tiles for a product with so many columns, the tallest first."""
    width, registers = _machine()
    lanes = max(1, width // itemsize)
    while lanes > 4 and lanes // 2 >= columns:
        lanes //= 2
    needed = -(-columns // lanes)
    heights = _HEIGHTS[registers]
    vectors = -(-needed // -(-needed // max(heights)))
    return [Tile(height, vectors, lanes) for height in heights[vectors]]


def choose(itemsize: int, columns: int, rows: int) -> Tile:
    """Of these the one that wastes fewest rows."""
    found = choices(itemsize, columns)
    # the tallest reads the right factor least often
    cost = {t: -(-rows // t.height) * t.height * (1.0 if t is found[0] else 1.02) for t in found}
    return min(found, key=cost.__getitem__)


def lying(itemsize: int, rows: int) -> Tile:
    """The tile for a product with at most 8 rows."""
    width, registers = _machine()
    height = min(h for h in _LYING[registers] if h >= rows)
    return Tile(height, _LYING[registers][height], width // itemsize)


def _tiles(args, lo, hi):
    """Tiles lo … hi - 1: each takes ``height`` entries of the table of rows."""
    x, rows, offs, count = slot(args, 0), slot(args, 1), slot(args, 2), slot(args, 3)
    panel, out, pitch = slot(args, 4), slot(args, 5), slot(args, 6)
    for i in range(lo, hi):
        tile(x, rows + 8 * height * i, offs, count, panel, out + i * height * pitch, pitch)


IMPORTS = "from genesis_cpu._tile import turn"


@cache
def tiles(real: str, shape: Tile) -> int:
    """The address of the kernel for tiles of a shape."""
    imports = (
        "from genesis_cpu._tile import tile as shaped\n"
        f"tile = shaped({real!r}, {shape.height}, {shape.vectors}, {shape.lanes})\nheight = {shape.height}"
    )
    return Kernel(_tiles, imports)(real)
