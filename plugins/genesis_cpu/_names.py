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
# of _tile
height: Any
tile: Any
turn: Any
# of random
kind: Any
