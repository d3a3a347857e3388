"""Kernels whose threads do not wait for each other, compiled for the host instead of simulated.

The simulator takes Python's word for types; here Numba decides them as it does for a GPU: what widens, what
wraps, what a cast does. A launch is a loop over its threads.
"""

from __future__ import annotations

import ctypes
import math
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numba
from numba.core import types
from numba.extending import intrinsic

import genesis_cuda
from genesis_cuda import _fake_driver, _sizes, _typed

simulated = _fake_driver.FakeDriver.cuLaunchKernel


@cache
def names() -> dict[str, Any]:
    """What ``_cuda.names()`` has for a GPU."""
    found: dict[str, Any] = _typed.typed_names(intrinsic, types, str)
    found |= {name: getattr(types, name) for name in _typed.TYPES}
    found |= {"math": math, "inf": math.inf, "nan": math.nan, "THREADS": _sizes.THREADS, "WARP": _sizes.WARP}
    found |= dict.fromkeys(("times_float32", "times_float64"), numba.njit(lambda x, y: x * y))
    place = Path(genesis_cuda.__file__).parent
    own: dict[str, Any] = {}
    for part in ("scalars", "philox"):
        module = ModuleType(part)
        lines = (place / f"_{part}.py").read_text().splitlines(keepends=True)
        text = "".join([line for line in lines if not line.startswith("from genesis_cuda._cuda import")])
        given = {"device": numba.njit(error_model="numpy"), "math": math, "typed": found, "casts": found}
        module.__dict__.update(given)
        exec(compile(text, f"<{part}>", "exec"), module.__dict__)
        own |= {name: getattr(module, name) for name in module.__all__}
    return found | own


_compiled: dict[tuple[str, ...], Any] = {}


def compiled(kernel: Any) -> Any:
    """The kernel as a function of C that plays one thread, or None for one that is more than a loop."""
    text = kernel.text.replace("cuda.grid(1)", "int64(me)").replace("cuda.gridsize(1)", "int64(all)")
    if "cuda." in text:
        return None
    key = (text, *kernel.parameters)
    if key not in _compiled:
        text = text.replace("):\n", ", me, all):\n", 1)
        module = ModuleType("kernel")
        module.__dict__.update(names())
        exec(compile(text, f"<{kernel.name}>", "exec"), module.__dict__)
        kinds = []
        for name in kernel.parameters:
            kind = getattr(types, name.rstrip("*"))
            kinds.append(types.CPointer(kind) if name.endswith("*") else kind)
        signature = types.void(*kinds, types.int64, types.int64)
        made = numba.cfunc(signature, error_model="numpy")(getattr(module, kernel.name))
        c = [ctypes.c_double if name == "float64" else ctypes.c_int64 for name in kernel.parameters]
        function = ctypes.CFUNCTYPE(None, *c, ctypes.c_int64, ctypes.c_int64)(made.address)
        _compiled[key] = made, function
    return _compiled[key][1]


#: names of the kernels that ran compiled
ran: set[str] = set()


def launch(self, kernel, gx, gy, gz, bx, by, bz, shared, stream, parameters, extra):
    """In place of ``FakeDriver.cuLaunchKernel``."""
    function = compiled(kernel)
    if function is None:
        return simulated(self, kernel, gx, gy, gz, bx, by, bz, shared, stream, parameters, extra)
    ran.add(kernel.name)
    places = (ctypes.c_void_p * len(kernel.parameters)).from_address(int(parameters))
    args = [
        (ctypes.c_double if kind == "float64" else ctypes.c_int64).from_address(place).value
        for place, kind in zip(places, kernel.parameters, strict=True)
    ]
    for thread in range(gx * bx):
        function(*args, thread, gx * bx)
    return (0,)
