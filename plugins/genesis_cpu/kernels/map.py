"""``map``: one generated loop for each expression, types and pattern of memory.

A plan says how to run one kind of call.  Contiguous operands are planned once for all shapes; anything else
is planned for its shape and strides, with axes merged where memory allows.
"""

from __future__ import annotations

import contextvars
import math
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from genesis.backend import (
    Expr,
    Number,
    View,
    arg,
    collapse,
    number_dtype,
    scalar_source,
    topological,
)
from genesis_cpu import _threads
from genesis_cpu._kernel import ALONE, compile_text, float_place, launch
from genesis_cpu._memory import address, array, empty, layout

#: below so many elements one IEEE operation goes to NumPy: it needs no compilation
SMALL = 2048
#: additions that cost as much as one element of these names
WEIGHTS = {"exp": 6, "expm1": 6, "log": 6, "log1p": 8, "tanh": 8, "erf": 10, "sin": 30, "cos": 30,
           "pow": 40, "floordiv": 100, "mod": 100, "div": 2, "sqrt": 2}  # fmt: skip
#: how often one is left to NumPy before its formula is compiled after all, which is faster
PATIENCE = 200
_LIMIT = 4096  # plans kept; programs whose shapes never repeat must not grow

_UFUNCS: dict[str, Callable[..., Any]] = {
    "neg": np.negative, "abs": np.absolute, "sqrt": np.sqrt, "not": np.invert, "add": np.add,
    "sub": np.subtract, "mul": np.multiply, "div": np.true_divide, "max": np.maximum, "min": np.minimum,
    "eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "and": np.bitwise_and,
    "or": np.bitwise_or, "xor": np.bitwise_xor, "floor": np.floor, "ceil": np.ceil, "round": np.rint,
    "sign": np.sign,
}  # fmt: skip
#: NumPy's at every size: it defines shifts by more than the width, a processor does not
_SHIFTS: dict[str, Callable[..., Any]] = {"shl": np.left_shift, "shr": np.right_shift}


class _Walk(NamedTuple):
    """Strided operands of one shape: ``n`` rows (or elements), and what follows the addresses."""

    kernel: int
    n: int
    work: float
    words: tuple[int, ...]


class _Numpy:
    """One operation that NumPy has; ``order`` gives its operands: an input's index, or a constant."""

    def __init__(self, function: Callable[..., Any], order: tuple[tuple[bool, Any], ...]) -> None:
        self.function, self.order = function, order
        self.left = PATIENCE


#: contiguous operands: the kernel, and what an element costs; one loop serves every length
_flat: dict[Any, tuple[int, float]] = {}
_walks: dict[Any, _Walk | None] = {}
_kernels: dict[str, int] = {}
_numpy: dict[Any, _Numpy | None] = {}


def run(expr: Expr, out: View, inputs: Sequence[View | Number]) -> None:
    """``Backend.map``."""
    size, strides = layout(out.shape)
    if size < SMALL or out.dtype.itemsize < 4 or expr.name in _SHIFTS:
        if not size:
            return
        half = out.dtype.is_half
        if half or (size < SMALL and any([type(x) is View and x.dtype.is_half for x in inputs])):
            from genesis_cpu.kernels import halves

            if halves.run(expr, out, inputs):
                return
        plan = numpy_plan(expr, inputs)
        if plan and not half and (expr.name in _SHIFTS or _narrow(inputs) or (size < SMALL and plan.left)):
            plan.left = max(0, plan.left - 1)
            _run_numpy(plan, out, inputs)
            return
    if out.strides != strides:
        _run_walk(expr, out, inputs)
        return
    # from here to the launch this is the price of every operation, so it is written for speed
    native = out.native
    base = address(out) if native is None else native[0]
    words = [base]
    floats: list[float] = []
    key: list[Any] = [expr, out.dtype]
    for x in inputs:
        if type(x) is View:
            if x.strides != strides:
                _run_walk(expr, out, inputs)
                return
            native = x.native
            place = address(x) if native is None else native[0]
            key.append(x.dtype)
            if place == base and x.dtype is out.dtype:
                key.append(True)  # in place
            else:
                words.append(place)
        else:
            key.append(type(x))
            if type(x) is float:
                floats.append(x)
            else:
                words.append(int(x))  # type: ignore[arg-type]
    found = _flat.get(tuple(key))
    if found is None:
        found = plan_flat(tuple(key), expr, out, inputs, len(words))
    kernel, weight = found
    if size * weight < ALONE:
        _threads.serial(kernel, size, *words, *floats)
    else:
        launch(kernel, size, _threads.get_num_threads(), words, floats, (out, *inputs))


# -- NumPy -------------------------------------------------------------------------------------------------
class _Quiet(threading.local):
    """A context in which NumPy does not warn; entering one costs less than ``np.errstate``."""

    def __init__(self) -> None:
        context = contextvars.copy_context()
        context.run(np.seterr, all="ignore")
        self.run = context.run


quiet = _Quiet()


def numpy_plan(expr: Expr, inputs: Sequence[View | Number]) -> _Numpy | None:
    """How NumPy does it, if it does; remembered, as it counts."""
    kinds = (expr, *map(type, inputs))
    return _numpy[kinds] if kinds in _numpy else remember(_numpy, kinds, _numpy_plan(expr, inputs))


def is_shift(expr: Expr) -> bool:
    return expr.name in _SHIFTS


def _numpy_plan(expr: Expr, inputs: Sequence[View | Number]) -> _Numpy | None:
    """The NumPy function for an expression of one exact operation, or None."""
    if expr.name in ("arg", "cast"):
        source = expr if expr.name == "arg" else expr.args[0]
        return _Numpy(_copy, ((True, source.value),)) if source.name == "arg" else None
    if expr.name == "const":
        return _Numpy(_copy, ((False, expr.value),))
    function = _where if expr.name == "where" else _UFUNCS.get(expr.name) or _SHIFTS.get(expr.name)
    if function is None:
        return None
    order: list[tuple[bool, Any]] = []
    for a in expr.args:
        if a.name == "cast" and _is_number_like(a, inputs):
            a = a.args[0]  # NumPy gives a Python number the type of the array beside it
        if a.name == "arg":
            order.append((True, a.value))
        elif a.name == "const":
            order.append((False, a.value))
        else:
            return None
    return _Numpy(function, tuple(order))


def _is_number_like(e: Expr, inputs: Sequence[View | Number]) -> bool:
    """True when a cast changes nothing that NumPy would not do: of a number to the type beside it."""
    if e.args[0].name != "arg":
        return False
    x = inputs[e.args[0].value]
    if isinstance(x, View):
        return False
    return e.value.kind == "f" or (e.value.name == "int64" and not isinstance(x, float))


def _copy(x: Any, out: np.ndarray[Any, Any]) -> None:
    np.copyto(out, x, casting="unsafe")


def _where(c: Any, x: Any, y: Any, out: np.ndarray[Any, Any]) -> None:
    np.copyto(out, np.where(c, x, y), casting="unsafe")


def _run_numpy(plan: _Numpy, out: View, inputs: Sequence[View | Number]) -> None:
    operands = []
    for is_input, value in plan.order:
        x = inputs[value] if is_input else value
        operands.append(array(x) if type(x) is View else x)
    quiet.run(plan.function, *operands, out=array(out))


def _narrow(inputs: Sequence[View | Number]) -> bool:
    """True when all operands are bools or small integers, where a compiled loop would bring nothing."""
    return all(type(x) is not View or (x.dtype.itemsize < 4 and not x.dtype.is_half) for x in inputs)


# -- compiled ----------------------------------------------------------------------------------------------
def remember(plans: dict[Any, Any], key: Any, plan: Any) -> Any:
    if len(plans) >= _LIMIT:
        plans.clear()
    plans[key] = plan
    return plan


def weigh(expr: Expr) -> float:
    """What one element costs, in additions."""
    return 1 + sum(WEIGHTS.get(e.name, 0.25) for e in topological(expr) if e.args)


def _compiled(text: str) -> int:
    found = _kernels.get(text)
    if found is None:
        found = _kernels[text] = compile_text(text, "map_kernel")
    return found


def plan_flat(
    key: Any, expr: Expr, out: View, inputs: Sequence[View | Number], words: int
) -> tuple[int, float]:
    """How contiguous operands are walked; remembered."""
    found = _flat.get(key)
    if found is not None:
        return found
    base = address(out)
    patterns = [_pattern(x, "=" if _in_place(x, out, base) else "1") for x in inputs]
    text = _text(expr, out, inputs, "1", patterns, 0, words)
    plan: tuple[int, float] = remember(_flat, key, (_compiled(text), weigh(expr)))
    return plan


def _in_place(x: View | Number, out: View, base: int) -> bool:
    return isinstance(x, View) and x.dtype is out.dtype and x.strides == out.strides and address(x) == base


def _pattern(x: View | Number, pattern: str) -> str:
    return pattern if isinstance(x, View) else "n"


def _run_walk(expr: Expr, out: View, inputs: Sequence[View | Number]) -> None:
    base = address(out)
    words = [base]
    floats: list[float] = []
    key: list[Any] = [expr, out.dtype, out.shape, out.strides]
    for x in inputs:
        if type(x) is View:
            same = _in_place(x, out, base)
            key.append((x.dtype, x.strides, same))
            if not same:
                words.append(address(x))
        else:
            key.append(type(x))
            if type(x) is float:
                floats.append(x)
            else:
                words.append(int(x))  # type: ignore[arg-type]
    found = _walks.get(tuple(key))
    if found is None:
        found = remember(_walks, tuple(key), plan_walk(expr, out, inputs, len(words)))
    parts = 1 if found.work < ALONE else min(_threads.get_num_threads(), found.n)
    launch(found.kernel, found.n, parts, [*words, *found.words], floats, (out, *inputs))


def plan_walk(expr: Expr, out: View, inputs: Sequence[View | Number], words: int) -> _Walk:
    """How operands of one shape and any strides are walked; ``words``: how many addresses and integers."""
    base = address(out)
    operands = [out, *[x for x in inputs if isinstance(x, View)]]
    ordered = any(e.name == "index" for e in topological(expr))
    sizes, strides = collapse(out.shape, [v.strides for v in operands], keep_order=ordered)
    if not sizes:
        sizes, strides = [1], [[1] for _ in operands]
    # the block after the addresses: length of a row, sizes of the outer axes but the first, then for each
    # operand its outer strides in bytes, and the inner one where the pattern does not say it
    *outer, inner = sizes
    extra: list[int] = [] if not outer else [inner, *outer[1:]]
    patterns: list[str] = []
    rest = iter(zip(operands[1:], strides[1:], strict=True))
    for x in [out, *inputs]:
        if x is out and not patterns:
            v, s = out, strides[0]
        elif isinstance(x, View):
            v, s = next(rest)
            if _in_place(v, out, base):
                patterns.append("=")
                continue
        else:
            patterns.append("n")
            continue
        extra += [t * v.dtype.itemsize for t in s[:-1]]
        patterns.append(str(s[-1]) if s[-1] in (0, 1) else "s")
        if patterns[-1] == "s":
            extra.append(s[-1])
    text = _text(expr, out, inputs, patterns[0], patterns[1:], len(outer), words, len(extra))
    n = math.prod(outer or [inner])
    return _Walk(_compiled(text), n, out.size * weigh(expr), tuple(extra))


def duplicate(v: View) -> View:
    """A contiguous copy."""
    copy = empty(v.shape, v.dtype, v.buffer.device)
    run(arg(0), copy, (v,))
    return copy


def contiguous(v: View) -> View:
    """``v`` itself when it is contiguous, else a copy."""
    return v if v.contiguous else duplicate(v)


def _text(
    expr: Expr,
    out: View,
    inputs: Sequence[View | Number],
    out_pattern: str,
    patterns: Sequence[str],
    outer: int,
    words: int,
    extra: int = 0,
) -> str:
    """The kernel: loops over ``outer`` axes and an inner one; a pattern is the inner stride, or its kind.

    ``0`` the same element all along, ``1`` contiguous, ``s`` any stride, ``=`` the destination itself,
    ``n`` a number.
    """
    types = [x.dtype if isinstance(x, View) else number_dtype(x) for x in inputs]
    if out.dtype.is_half and expr.name == "cast" and expr.value is out.dtype:
        expr = expr.args[0]  # what is written is rounded anyway
    body, result = scalar_source(expr, types, "index", out.dtype)
    used = {e.value for e in topological(expr) if e.name == "arg"}
    lines: list[str] = []  # once
    row: list[str] = []  # for each row
    item: list[str] = []  # for each element
    place, float_at = 1, float_place(words + extra)
    more = words  # where sizes and strides begin
    if outer:
        lines.append(f"inner = slot(args, {more})")
        more += 1
        for d in range(1, outer):
            lines.append(f"n{d} = slot(args, {more})")
            more += 1
        row.append("j0 = row")
        for d in range(outer - 1, 0, -1):
            row += [f"j{d} = umod(j0, n{d})", f"j0 = udiv(j0, n{d})"]

    def pointer(name: str, dtype: str, at: int, pattern: str) -> str:
        """Text that reads or writes the element; adds the lines that set it up."""
        nonlocal more
        lines.append(f"{name}_at = slot(args, {at})")
        terms = [f"{name}_at"]
        for d in range(outer):
            lines.append(f"{name}_{d} = slot(args, {more})")
            terms.append(f"j{d} * {name}_{d}")
            more += 1
        (row if outer else lines).append(f"{name} = {dtype}_pointer({' + '.join(terms)})")
        if pattern == "s":
            lines.append(f"{name}_s = slot(args, {more})")
            more += 1
        return f"{name}[{ {'0': '0', '1': 'i', 's': f'i * {name}_s'}[pattern] }]".replace("[ ", "[").replace(
            " ]", "]"
        )

    target = pointer("out", out.dtype.name, 0, out_pattern)
    for k, (x, t, pattern) in enumerate(zip(inputs, types, patterns, strict=True)):
        if pattern == "n":
            if isinstance(x, float):
                value = f"number(args, {float_at})"
                float_at += 1
            else:
                value = f"slot(args, {place})" + (" != 0" if t.kind == "b" else "")
                place += 1
            lines.append(f"x{k} = {value}")
            continue
        if pattern == "=":
            value = target
        else:
            value = pointer(f"a{k}", t.name, place, pattern)
            place += 1
        if k in used:
            load = f"x{k} = wide_{t.name}({value})" if t.is_half else f"x{k} = {value}"
            load += " != 0" if t.kind == "b" else ""
            (item if pattern != "0" else row if outer else lines).append(load)
    store = f"uint8({result})" if out.dtype.kind == "b" else f"{out.dtype.name}({result})"
    if out.dtype.is_half:
        store = f"narrow_{out.dtype.name}(float32({result}))"
    indexed = any(e.name == "index" for e in topological(expr))
    if indexed:
        item.append("index = row * inner + i" if outer else "index = i")
    item += [*body, f"{target} = {store}"]
    text = ["def map_kernel(args, lo, hi):", *_indent(lines, 1)]
    if outer:
        text += [
            "    for row in range(lo, hi):",
            *_indent(row, 2),
            "        for i in range(inner):",
            *_indent(item, 3),
        ]
    else:
        text += ["    for i in range(lo, hi):", *_indent(item, 2)]
    return "\n".join(text) + "\n"


def _indent(lines: Sequence[str], depth: int) -> list[str]:
    return ["    " * depth + line for line in lines]
