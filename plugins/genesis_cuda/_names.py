"""What kernels find in their module, for type checkers alone: Numba checks the types itself."""

from __future__ import annotations

from typing import Any

# of Numba
cuda: Any
float32: Any
float64: Any
int64: Any
uint64: Any
math: Any
# constants of their templates
BOTH: Any
CENTERED: Any
COLUMNS: Any
GROUP: Any
QUERIES: Any
ROOM: Any
ROWS: Any
TILE_ROOM: Any
WIDTH: Any
WARPS: Any
axis: Any
kind: Any
real: Any
wide: Any
# of _sizes
THREADS: Any
TILE: Any
WARP: Any
# of _cuda
inf: Any
like: Any
nan: Any
udiv: Any
umod: Any
float32_pointer: Any
float64_pointer: Any
int64_pointer: Any
reals: Any
# of _block
block_max: Any
row_max: Any
warp_max: Any
warp_sum: Any
row_sum: Any
block_sum: Any
# of _scalars
max_f: Any
