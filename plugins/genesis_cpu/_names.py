"""What kernels find in their files, for type checkers alone: Numba checks the types itself."""

from __future__ import annotations

from typing import Any

# of numba
float64: Any
int64: Any
uint64: Any
# of _pointers; a kernel's file says which type ``real`` is
block: Any
call: Any
float64_pointer: Any
int64_pointer: Any
number: Any
ratio_: Any
real: Any
reals: Any
slot: Any
udiv: Any
uint8_pointer: Any
umod: Any
# of _math
accumulate: Any
cos_: Any
exp_: Any
fma_: Any
inf: Any
log_: Any
max_: Any
normal_: Any
order: Any
rank: Any
sqrt_: Any
tanh_: Any
unorder: Any
# of _team
member: Any
share: Any
# of _blas
gemm: Any
# of _gemm
product: Any
# of _panels
multiply: Any
# of fused._attention_parts
copied_: Any
filled_: Any
head_: Any
mask_: Any
queries_: Any
scores_: Any
# of _strips
ROWS: Any
size_of: Any
strip: Any
turned: Any
# of _tile
height: Any
tile: Any
turn: Any
# of _vectors
v_add: Any
v_exp: Any
v_finite: Any
v_from: Any
v_inverse: Any
v_larger: Any
v_load: Any
v_log: Any
v_mul: Any
v_same: Any
v_seen: Any
v_store: Any
v_sub: Any
# of random
kind: Any
