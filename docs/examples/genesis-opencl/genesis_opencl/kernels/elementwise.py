"""`map`: a whole expression as one kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from genesis import dtype
from genesis.backend import Expr, Number, View, arg, cast, number_dtype, topological
from genesis_opencl import _scalar, _vector, _walk
from genesis_opencl._memory import Memory
from genesis_opencl._unit import Kernel, Unit, number_text, number_word

#: additions that cost as much as one element of these names
_WEIGHTS = {"exp": 8, "expm1": 16, "log": 8, "log1p": 16, "tanh": 16, "erf": 16, "sin": 16, "cos": 16,
            "pow": 32, "floordiv": 16, "mod": 16, "div": 2, "sqrt": 2}  # fmt: skip
_LIMIT = 4096  # plans kept; programs whose shapes never repeat must not grow


class _Plan(NamedTuple):
    kernel: Kernel
    size: tuple[tuple[int], tuple[int]]
    words: tuple[int, ...]


_plans: dict[Any, _Plan] = {}


def run(unit: Unit, expr: Expr, out: View, inputs: Sequence[View | Number]) -> None:
    """`Backend.map`."""
    if expr.name == "const":  # as a number, so that all fills of a type share a kernel
        expr, inputs = cast(arg(0), out.dtype), (expr.value,)
    key: list[Any] = [unit, expr, out.dtype, out.shape, out.strides]
    target: Memory = out.buffer.handle
    buffers = [target.buffer]
    places = [out.offset]
    numbers: list[int] = []
    for x in inputs:
        if type(x) is View:
            handle: Memory = x.buffer.handle
            # the destination once more: it needs no pointer of its own, and compilers see that it is the same
            same = (
                handle is target and x.offset == out.offset and x.strides == out.strides
                and x.dtype is out.dtype
            )  # fmt: skip
            key.append((x.dtype, x.strides, same))
            places.append(x.offset)
            if not same:
                buffers.append(handle.buffer)
        else:
            key.append(type(x))
            numbers.append(number_word(x, unit.fp64))  # type: ignore[arg-type]
    found = _plans.get(tuple(key))
    if found is None:
        if not out.size:
            return
        found = _plan(unit, tuple(key), expr, out, inputs)
    target.bounds = None
    found.kernel(*found.size, buffers, (*found.words, *places, *numbers))


def _plan(unit: Unit, key: tuple[Any, ...], expr: Expr, out: View, inputs: Sequence[View | Number]) -> _Plan:
    views = [out, *[x for x in inputs if isinstance(x, View)]]
    nodes = topological(expr)
    indexed = any(e.name == "index" for e in nodes)
    sizes, strides = _walk.collapse(out.shape, [v.strides for v in views], keep_order=indexed)
    same = [False, *[k[2] for k in key[5:] if isinstance(k, tuple)]]
    weight = 1 + sum(_WEIGHTS.get(e.name, 0.25) for e in nodes if e.args)
    walk = _walk.plan(unit, sizes, strides, same, weight)
    text = _text(unit, expr, out, inputs, walk.layout, indexed)
    if len(_plans) >= _LIMIT:
        _plans.clear()
    plan = _plans[key] = _Plan(unit.kernel(text), _walk.launch_size(unit, walk.items), walk.words)
    return plan


def _text(
    unit: Unit, expr: Expr, out: View, inputs: Sequence[View | Number], layout: _walk.Layout, indexed: bool
) -> str:
    fp64, t = unit.fp64, out.dtype

    types = [x.dtype if isinstance(x, View) else number_dtype(x) for x in inputs]
    are_numbers = [not isinstance(x, View) for x in inputs]
    moves = expr.name == "arg" and not are_numbers[expr.value] and types[expr.value] is t

    def c_type(t: dtype) -> str:
        return _scalar.MOVES[t.itemsize] if moves else _scalar.c_type(t, fp64)

    vectors = unit.serial and "s" not in layout.patterns and _vector.vectorizes(expr, types, are_numbers, t)
    functions = ""
    if vectors:
        lines, result = _vector.statements(expr, types, t)
    else:
        functions, lines, result = _scalar.statements(expr, types, t, fp64)
    used = {e.value for e in topological(expr) if e.name == "arg"}
    word = _walk.words_before(layout) + len(layout.patterns)  # of the first number
    once: list[str] = []
    hoisted: list[str] = []
    loads: list[tuple[int, int, str]] = []  # operand, input, C type
    operand = 0
    for i, (x, kind) in enumerate(zip(inputs, types, strict=True)):
        if not isinstance(x, View):
            c = "float" if kind.name == "float64" and not fp64 else c_type(kind)
            once.append(f"const {c} x{i} = {number_text(f'm.w[{word}]', kind.kind, fp64)};")
            word += 1
            continue
        operand += 1
        if i not in used:
            continue
        c = _vector.vector_type(kind, kind) if vectors else c_type(kind)
        if layout.patterns[operand] == "0":
            hoisted.append(f"const {c} x{i} = p{operand}[o{operand}];")
        else:
            loads.append((operand, i, c))

    def body(places: Sequence[str]) -> list[str]:
        item = ["const long index = row * inner + i;"] if indexed else []
        for k, i, c in loads:
            where = places[0] if layout.patterns[k] == "=" else places[k]
            item.append(_vector.load(f"x{i}", where, types[i]) if vectors else f"const {c} x{i} = {where};")
        last = _vector.store(places[0], result, t) if vectors else f"{places[0]} = {result};"
        return [*item, *lines, last]

    reads = [f"const {c_type(x.dtype)}" for x in inputs if isinstance(x, View)]
    return _walk.text(
        layout, [c_type(t), *reads], sum(are_numbers), body, functions,
        once=once, hoisted=hoisted, step=_vector.lanes(t) if vectors else 1,
    )  # fmt: skip


def copy(unit: Unit, out: View, x: View) -> None:
    """`out = x`, of one type."""
    run(unit, arg(0), out, (x,))
