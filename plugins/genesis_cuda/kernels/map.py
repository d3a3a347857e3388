"""``map``: one generated kernel for each expression, types and pattern of memory.

Each thread does every so-many-th element, so that neighbours read and write neighbouring memory. Sizes,
strides and numbers are arguments: changing them compiles nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from genesis import dtype
from genesis.backend import Expr, Number, View, arg, cast, infer, number_dtype, scalar_source, topological
from genesis_cuda import _walk
from genesis_cuda._driver import Unit
from genesis_cuda._kernel import Kernel, blocks_for
from genesis_cuda._memory import Memory, address

_LIMIT = 4096  # plans kept; programs whose shapes never repeat must not grow
_LEAVES = ("arg", "const", "index")
_SHIFTS = {"shl": " << ", "shr": " >> "}


class _Plan(NamedTuple):
    kernel: Kernel
    blocks: int
    words: tuple[int, ...]


_plans: dict[Any, _Plan] = {}
_kernels: dict[tuple[str, tuple[str, ...]], Kernel] = {}
#: names of the alphabet that were compiled in this process
used_names: set[str] = set()


def run(expr: Expr, out: View, inputs: Sequence[View | Number]) -> None:
    """``Backend.map``."""
    if expr.name == "const":  # as a number, so that all fills of a type share a kernel
        expr, inputs = cast(arg(0), out.dtype), (expr.value,)
    target: Memory = out.buffer.handle
    base = address(out)
    key: list[Any] = [target.unit, expr, out.dtype, out.shape, out.strides]
    places = [base]
    numbers: list[Number] = []
    for x in inputs:
        if type(x) is View:
            place = address(x)
            # the destination once more: it needs no pointer of its own, and the compiler sees that it is the
            # same
            same = place == base and x.dtype is out.dtype and x.strides == out.strides
            key.append((x.dtype, x.strides, same))
            if not same:
                places.append(place)
        else:
            key.append(type(x))
            numbers.append(x if type(x) is float else int(x))  # type: ignore[arg-type]
    found = _plans.get(tuple(key))
    if found is None:
        if not out.size:
            return
        found = _plan(tuple(key), target.unit, expr, out, inputs)
    target.bounds = None
    found.kernel(target.unit, found.blocks, (*found.words, *places, *numbers))


def _plan(key: tuple[Any, ...], unit: Unit, expr: Expr, out: View, inputs: Sequence[View | Number]) -> _Plan:
    same = [k[2] for k in key[5:] if isinstance(k, tuple)]
    views = [x for x in inputs if isinstance(x, View)]
    others = [x for x, is_same in zip(views, same, strict=True) if not is_same]
    ordered = any(e.name == "index" for e in topological(expr))
    walk = _walk.walk(out.shape, [out.strides, *[x.strides for x in others]], keep_order=ordered)
    text, parameters = source(expr, out.dtype, inputs, same, walk)
    kernel = _kernels.get((text, parameters))
    if kernel is None:
        used_names.update(e.name for e in topological(expr))
        kernel = _kernels[text, parameters] = Kernel("map_kernel", text, parameters)
    if len(_plans) >= _LIMIT:
        _plans.clear()
    plan = _plans[key] = _Plan(kernel, blocks_for(unit, walk.size), (walk.size, *walk.words))
    return plan


def source(
    expr: Expr, out: dtype, inputs: Sequence[View | Number], same: Sequence[bool], walk: _walk.Walk
) -> tuple[str, tuple[str, ...]]:
    """The text of a kernel, and the types of its parameters: sizes and strides, pointers, numbers."""
    types = [x.dtype if isinstance(x, View) else number_dtype(x) for x in inputs]
    if out.is_half and expr.name == "cast" and expr.value is out:
        expr = expr.args[0]  # what is written is rounded anyway
    wanted = {e.value for e in topological(expr) if e.name == "arg"}
    body, result = statements(expr, types, out)
    piece = _walk.text(walk)
    kinds = ["int64"] * (1 + len(piece.parameters)) + [f"{_stored(out)}*"]
    pointers, numbers, number_kinds = ["out"], [], []
    once: list[str] = []
    loads: list[str] = []
    operand, views = 0, iter(same)
    for k, (x, t) in enumerate(zip(inputs, types, strict=True)):
        truth = " != 0" if t.kind == "b" else ""
        if not isinstance(x, View):
            numbers.append(f"number{k}")
            number_kinds.append("float64" if t.kind == "f" else "int64")
            once.append(f"x{k} = number{k}{truth}")
            continue
        if next(views):
            element = f"out[{piece.places[0]}]"
        else:
            operand += 1
            pointers.append(f"a{k}")
            kinds.append(f"{_stored(t)}*")
            element = f"a{k}[{piece.places[operand]}]"
        if k in wanted:
            loads.append(f"x{k} = {f'wide_{t.name}({element})' if t.is_half else element}{truth}")
    value = f"narrow_{out.name}(float32({result}))" if out.is_half else f"{_stored(out)}({result})"
    lines = [
        f"def map_kernel({', '.join(['n', *piece.parameters, *pointers, *numbers])}):",
        "    i = cuda.grid(1)",
        "    step = cuda.gridsize(1)",
        *[f"    {line}" for line in once],
        "    while i < n:",
        *[f"        {line}" for line in (*piece.lines, *loads, *body)],
        f"        out[{piece.places[0]}] = {value}",
        "        i += step",
    ]
    return "\n".join(lines) + "\n", (*kinds, *number_kinds)


def _stored(t: dtype) -> str:
    return "uint8" if t.kind == "b" else "uint16" if t.is_half else t.name


def statements(expr: Expr, types: Sequence[dtype], out: dtype) -> tuple[list[str], str]:
    """As ``genesis.backend.scalar_source``, with the functions of ``_scalars`` for each type.

    A product of floats is rounded before it is added to something, as the formula says: the compiler would
    make one operation of both, so it is given a function that it leaves alone.
    """
    lines, result = scalar_source(expr, types, "i", out)
    kinds = infer(expr, types)
    if expr.name == "const":
        kinds[expr] = out
    nodes = [e for e in topological(expr) if e.name not in _LEAVES]
    made: list[str] = []
    for node, line in zip(nodes, lines, strict=True):
        if node.name == "cast":
            made.append(line)
            continue
        kind = kinds[node.args[-1]].kind.replace("b", "u")
        name, _, value = line.partition(" = ")
        t = kinds[node].name
        if node.name == "mul" and kind == "f":
            x, _, y = value.partition(" * ")
            made.append(f"{name} = times_{'float64' if t == 'float64' else 'float32'}({x}, {y})")
        elif node.name in _SHIFTS:
            if t != "int64":
                value = value.removeprefix(f"{t}(").removesuffix(")")
            x, _, y = value.partition(_SHIFTS[node.name])
            made.append(f"{name} = {t}({node.name}_i({x}, {y}))")
        else:
            made.append(line.replace(f"{node.name}_(", f"{node.name}_{kind}(", 1))
    return made, result
