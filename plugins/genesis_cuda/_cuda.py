"""The one module that knows Numba's CUDA: what kernels are written with, and how they become machine code.

Kernels use the names of ``names()``, and nothing else of Numba. Another compiler that takes Python with the
same few names would replace this file and ``_intrinsics``. In Numba's simulator the same names stand for
functions on the host. It is imported when a kernel has to be compiled.
"""

from __future__ import annotations

import math as _math
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from typing import Any

from genesis_cuda._sizes import SIMULATED, THREADS, TILE, WARP

Function = Callable[..., Any]

_made: Any = import_module(f"genesis_cuda.{'_simulator' if SIMULATED else '_intrinsics'}")
cuda, math, typed, casts = _made.cuda, _made.math, _made.typed, _made.casts
like: Any = typed["like"]
device: Callable[[Function], Any] = _made.device  # makes a function that kernels call


@cache
def names() -> dict[str, Any]:
    """What the text of a kernel may use."""
    from genesis_cuda import _block, _chunks, _order, _philox, _scalars, _shares, _tiles, _windows

    found: dict[str, Any] = {
        "cuda": cuda, "math": math,
        "inf": _math.inf, "nan": _math.nan, "THREADS": THREADS, "WARP": WARP, "TILE": TILE,
    }  # fmt: skip
    for module in (_scalars, _block, _chunks, _order, _philox, _shares, _tiles, _windows):
        found |= {name: getattr(module, name) for name in module.__all__}
    found |= casts
    found |= typed
    return found


def machine_code(
    function: Function, parameters: Sequence[str], architecture: str, threads: int, blocks: int
) -> tuple[str, bytes, str]:
    """Compile a kernel without a GPU.

    Args:
        function: the kernel.
        parameters: of each ``"int64"``, ``"float64"``, or ``"float32*"`` for a pointer.
        architecture: such as ``"sm_90"``.
        threads: of a block.
        blocks: how many of them a multiprocessor should have room for at once.

    Returns:
        The name of the entry, the machine code (a cubin), and what the assembler says of its resources.
    """
    code: tuple[str, bytes, str] = _made.machine_code(function, parameters, architecture, threads, blocks)
    return code
