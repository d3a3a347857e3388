"""Every kernel of the device `cuda`, in every type that it is launched with."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import genesis
import genesis_cuda.fused
import genesis_cuda.kernels
from genesis.backend import ALPHABET, Buffer, Shape, View, arg, call, cast, contiguous_strides
from genesis.ops import Update
from genesis_cuda import _walk
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
    for part in (of_map, of_reduce, of_indexing, of_templates, of_optimizers):
        for label, kernel in part():
            found.setdefault((kernel.text, *kernel.parameters), (label, kernel))
    named = dict(found.values())
    assert len(named) == len(found), "two kernels of one name"
    return named
