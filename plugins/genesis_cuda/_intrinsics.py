"""Real hardware: what kernels are written with, the compiler, and the assembler."""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"
from __future__ import annotations

import math as math
import re
from collections.abc import Callable, Sequence
from typing import Any

from numba import cuda as _cuda
from numba.cuda import libdevice
from numba.cuda import types as _types
from numba.cuda.extending import intrinsic

from genesis_cuda._typed import TYPES, typed_names

cuda: Any = _cuda  # another package has put its own in this place, which type checkers do not see
types: Any = _types
casts: dict[str, Any] = {name: getattr(types, name) for name in TYPES}


def device(function: Callable[..., Any]) -> Any:
    """A function that kernels call."""
    return cuda.jit(device=True)(function)


typed: dict[str, Any] = typed_names(intrinsic, types, lambda name: f"__nv_{name}")
typed |= {"times_float32": libdevice.fmul_rn, "times_float64": libdevice.dmul_rn}


def signature(parameters: Sequence[str]) -> Any:
    """The types of a kernel's parameters, for Numba."""
    kinds = []
    for name in parameters:
        kind = casts[name.rstrip("*")]
        kinds.append(types.CPointer(kind) if name.endswith("*") else kind)
    return types.void(*kinds)


def machine_code(
    function: Callable[..., Any],
    parameters: Sequence[str],
    architecture: str,
    threads: int,
    blocks: int,
) -> tuple[str, bytes, str]:
    """As ``_cuda.machine_code``."""
    from cuda.core import Linker, LinkerOptions, ObjectCode

    number = int(architecture.removeprefix("sm_"))
    ptx, _ = cuda.compile_ptx(
        function, signature(parameters), cc=(number // 10, number % 10), launch_bounds=(threads, blocks)
    )
    found = re.search(r"\.visible \.entry ([\w$]+)", ptx)
    assert found, ptx
    linker = Linker(
        ObjectCode.from_ptx(ptx.encode()), options=LinkerOptions(arch=architecture, ptxas_options=["-v"])
    )
    code = linker.link("cubin").code
    shared = sum(
        map(int, re.findall(r"\.shared [^;\n]*\[(\d+)\];", ptx))
    )  # which the assembler does not count
    return found[1], bytes(code), f"{linker.get_info_log() or ''}\n{shared} bytes smem"
