"""What kernels find in their module, for type checkers alone: Numba checks the types itself."""

from __future__ import annotations

from typing import Any

# of Numba
cuda: Any
float32: Any
float64: Any
int32: Any
int64: Any
uint64: Any
math: Any
# constants of their templates
ALONG: Any
BOTH: Any
CHUNK: Any
CENTERED: Any
COLUMNS: Any
EACH: Any
FAR: Any
GROUP: Any
LOGARITHM: Any
NEUTRAL: Any
OWN: Any
PLACES: Any
QUERIES: Any
ROOM: Any
ROWS: Any
RUN: Any
SMOOTH: Any
STEPS: Any
TILE_ROOM: Any
WARPS: Any
WIDE: Any
WIDTH: Any
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
block_last: Any
block_scan_sum: Any
row_last: Any
row_scan: Any
block_max: Any
row_max: Any
warp_max: Any
warp_sum: Any
row_sum: Any
block_sum: Any
join: Any
# of _chunks
tensor_of_chunk: Any
# of _philox
philox: Any
# of _scalars
max_f: Any
# of _windows
place_of: Any
window_count: Any
windows_of: Any
windows_on: Any
# of _shares
exp_sum_of_share: Any
top_of_share: Any
# of _order
precedes: Any
# of _tiles
load_rows: Any
