"""Every kernel of the device `cuda`, in every type that it is launched with."""

from __future__ import annotations

import hashlib
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import genesis
import genesis_cuda
import genesis_cuda.fused
import genesis_cuda.kernels
from genesis.backend import ALPHABET, Buffer, Shape, View, arg, call, cast, contiguous_strides
from genesis.ops import Update
from genesis_cuda import _walk
from genesis_cuda._cache import FUNCTIONS
from genesis_cuda._kernel import Kernel, templates
from genesis_cuda.kernels import _reductions, indexing
from genesis_cuda.kernels import map as elementwise

INTEGERS = ("uint8", "int8", "int16", "int32", "int64")
FLOATS = ("float32", "float64")
DTYPES = ("bool", *INTEGERS, *FLOATS)
KINDS = {
    "any": DTYPES,
    "number": (*INTEGERS, *FLOATS),
    "float": FLOATS,
    "integer": INTEGERS,
    "bits": ("bool", *INTEGERS),
}
_NOWHERE = Buffer(None, 0, None)


def view(dtype: str, shape: Shape = (4, 5), strides: Shape | None = None) -> View:
    """A view of nothing: texts depend on types and strides alone."""
    return View(_NOWHERE, getattr(genesis, dtype), shape, strides or contiguous_strides(shape))


def map_kernel(expr: Any, out: View, *inputs: Any) -> Kernel:
    views = [x for x in inputs if isinstance(x, View)]
    walk = _walk.walk(out.shape, [out.strides, *[x.strides for x in views]])
    text, parameters = elementwise.source(expr, out.dtype, inputs, [False] * len(views), walk)
    return Kernel("map_kernel", text, parameters)


def of_map() -> Iterator[tuple[str, Kernel]]:
    """Each name of the alphabet in each type, each cast, and the patterns of memory."""
    for name, entry in ALPHABET.items():
        for dtype in KINDS[entry.operands]:
            inputs = [view(dtype) for _ in range(entry.arity)]
            if name == "where":
                inputs[0] = view("bool")
            result = "bool" if entry.result == "bool" else dtype
            expr = call(name, *[arg(i) for i in range(entry.arity)])
            yield f"map/{name}/{dtype}", map_kernel(expr, view(result), *inputs)
    for source in DTYPES:
        for target in DTYPES:
            expr = cast(arg(0), getattr(genesis, target))
            yield f"map/cast/{source}/{target}", map_kernel(expr, view(target), view(source))
    x, y = arg(0), arg(1)
    strided, row = view("float32", (4, 5), (1, 4)), view("float32", (4, 5), (0, 1))
    yield "map/strided", map_kernel(x * y, view("float32"), strided, row)
    yield "map/one for all", map_kernel(x * y, view("float32"), strided, view("float32", (4, 5), (0, 0)))
    deep = view("float32", (3, 4, 5, 6), (1, 3, 12, 60))
    yield "map/four axes", map_kernel(x * y, view("float32", (3, 4, 5, 6)), deep, deep)
    large = view("float32", (1 << 16, 1 << 16), (1, 1 << 16))
    yield "map/wide", map_kernel(x, view("float32", (1 << 16, 1 << 16)), large)
    number = cast(y, genesis.float32)
    yield (
        "map/numbers",
        map_kernel(x * number + cast(arg(2), genesis.float32), view("float32"), view("float32"), 2.0, 3),
    )
    erf = x * (0.5 * (1 + call("erf", x * 0.7071)))
    yield "map/gelu", map_kernel(erf, view("float32"), view("float32"))


def of_halves() -> Iterator[tuple[str, Kernel]]:
    """Those that are kept in 16 bits are computed with in float32."""
    for half in ("float16", "bfloat16"):
        kind = getattr(genesis, half)
        for other in ("float32", "int64", "bool"):
            yield (
                f"map/cast/{half}/{other}",
                map_kernel(cast(arg(0), getattr(genesis, other)), view(other), view(half)),
            )
            yield f"map/cast/{other}/{half}", map_kernel(cast(arg(0), kind), view(half), view(other))
        total = cast(cast(arg(0), genesis.float32) + cast(arg(1), genesis.float32), kind)
        yield f"map/add/{half}", map_kernel(total, view(half), view(half), view(half))


def of_reduce() -> Iterator[tuple[str, Kernel]]:
    for op in ("sum", "prod", "max", "min", "argmax", "argmin"):
        for dtype in ("float32", "float64", "int64") if op in ("sum", "prod") else (*INTEGERS, *FLOATS):
            out = getattr(genesis, "int64" if op.startswith("arg") else dtype)
            for kept, reduced, wide in ((1, 1, False), (3, 1, False), (1, 2, True)):
                if wide and dtype != "float32":  # the numbering of elements is the same for all types
                    continue
                form = _reductions.Form(op, out, getattr(genesis, dtype), kept, reduced, wide)
                for kind in ("thread", "block"):
                    text = getattr(_reductions, kind)(form)
                    label = f"reduce/{kind}/{op}/{dtype}/{kept} and {reduced} axes" + ", wide" * wide
                    yield label, Kernel(f"reduce_{kind}", text, form.parameters)


def of_indexing() -> Iterator[tuple[str, Kernel]]:
    for name, shape, strides in (("contiguous", (4, 5), (5, 1)), ("transposed", (4, 5), (1, 4))):
        index = view("int64", shape, strides)
        yield f"check/{name}", indexing.check_kernel(index)[0]
        for dtype in DTYPES:
            x, out = view(dtype, shape, strides), view(dtype, shape)
            yield f"gather/{dtype}/{name}", indexing.gather_kernel(out, x, index, 0)[0]
            for op in ("set", "add"):
                yield f"scatter/{op}/{dtype}/{name}", indexing.scatter_kernel(op, out, index, x, 0)[0]


def of_templates() -> Iterator[tuple[str, Kernel]]:
    """Those that are written as functions."""
    for package in (genesis_cuda.kernels, genesis_cuda.fused):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    for template in templates:
        for dtype in template.types:
            yield f"{template.name}/{dtype}", template(dtype)


def of_optimizers() -> Iterator[tuple[str, Kernel]]:
    from genesis_cuda.fused.optimizer import adam_kernel, sgd_kernel
    from genesis_cuda.fused.update import update_kernel

    for dtype in FLOATS:
        for amsgrad in (False, True):
            yield f"adam/{dtype}/amsgrad {amsgrad}", adam_kernel(dtype, amsgrad)
        for momentum, nesterov in ((False, False), (True, False), (True, True)):
            yield f"sgd/{dtype}/momentum {momentum}, {nesterov}", sgd_kernel(dtype, momentum, nesterov)
        for name, update in updates().items():
            yield f"update/{name}/{dtype}", update_kernel(update, getattr(genesis, dtype))


def updates() -> dict[str, Update]:
    """Those of the optimizers that come with Genesis."""
    import genesis_optimizers

    found = {}
    for module in pkgutil.iter_modules(genesis_optimizers.__path__, "genesis_optimizers."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, Update):
                found[f"{module.name.rpartition('.')[2]}.{name}"] = value
    return found


def all_kernels() -> dict[str, Kernel]:
    """By label; texts that are the same are compiled once."""
    found: dict[tuple[str, ...], tuple[str, Kernel]] = {}
    for part in (of_map, of_halves, of_reduce, of_indexing, of_templates, of_optimizers):
        for label, kernel in part():
            found.setdefault((kernel.text, *kernel.parameters), (label, kernel))
    named = dict(found.values())
    assert len(named) == len(found), "two kernels of one name"
    return named


# -- what a kernel needs of a multiprocessor ---------------------------------------------------------------
ARCHITECTURES = ("sm_80", "sm_90", "sm_100")
REGISTERS = 65536  # of a multiprocessor, as many in all three generations
RESIDENT = 2048  # threads that it holds
BLOCKS = 32  # blocks that it holds
SHARED = {"sm_80": 164 << 10, "sm_90": 228 << 10, "sm_100": 228 << 10}  # bytes of shared memory
RESERVED = 1 << 10  # bytes of it that each block takes besides


class Resources(NamedTuple):
    """What the assembler says of a kernel."""

    registers: int
    shared: int
    spilled: int

    def occupancy(self, architecture: str, threads: int) -> float:
        """The part of a multiprocessor's threads that may be busy at once, in whole blocks."""
        warps = -(-threads // 32)
        of_warp = -(-self.registers * 32 // 256) * 256
        blocks = min(
            RESIDENT // threads,
            REGISTERS // (of_warp * warps),
            SHARED[architecture] // (self.shared + RESERVED),
            BLOCKS,
        )
        return blocks * threads / RESIDENT


def resources(log: str) -> Resources:
    """From the log of the assembler."""

    def number(pattern: str) -> int:
        found = re.search(pattern, log)
        return int(found[1]) if found else 0

    spilled = number(r"(\d+) bytes spill stores") + number(r"(\d+) bytes spill loads")
    return Resources(number(r"Used (\d+) registers"), number(r"(\d+) bytes smem"), spilled)


def least(label: str) -> float:
    """The occupancy that a kernel must allow: half, but for those named here, with the reason."""
    for start, allowed in EXCEPTIONS:
        if re.match(start, label):
            return allowed
    return 0.5


#: patterns of labels, the first that fits counts; why registers are worth more there than threads
EXCEPTIONS: list[tuple[str, float]] = [
    # products: what a thread has in registers it multiplies several times, and its loads do not wait for each
    # other; two results of a tile each on sm_80: less would be read from shared memory twice
    (r"attention_backward_of_keys", 0.125),
    (r"attention|gathered_tiles|matmul", 0.25),
    # products too: places along three axes. With 64 registers 56 to 204 bytes are spilled, and 16 to 40
    (r"gathered_(each|sums)", 0.375),
]


def digests(kernels: dict[str, Kernel]) -> dict[str, str]:
    """Of all that the machine code of each kernel depends on, but the compiler."""
    called = hashlib.sha256()
    for name in FUNCTIONS:
        called.update((Path(genesis_cuda.__file__).parent / f"{name}.py").read_bytes())
    found = {}
    for label, kernel in kernels.items():
        own = repr((label, kernel.text, kernel.parameters, kernel.threads, kernel.blocks))
        found[label] = hashlib.sha256(called.digest() + own.encode()).hexdigest()[:8]
    return found
