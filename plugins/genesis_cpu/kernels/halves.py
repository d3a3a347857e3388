"""``map`` on float16 and bfloat16, where few elements are asked for now and then: by the kernels of float32.

A kernel of its own converts as it reads and writes, but compiling it takes a tenth of a second. So the first
calls on small tensors convert by NumPy, and use a kernel that is there already.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from genesis import float32, int16
from genesis.backend import Expr, Number, View, arg, cast, in_float32, infer, number_dtype, substitute
from genesis_cpu._memory import array, empty
from genesis_cpu.kernels import map

#: of an expression and the types around it: the expression on float32, and how often it is still used
_plans: dict[Any, list[Any]] = {}


def run(expr: Expr, out: View, inputs: Sequence[View | Number]) -> bool:
    """Evaluate ``expr`` if it is a copy, or small and seldom asked for; else False."""
    if expr.name == "arg":
        x = inputs[expr.value]
        if isinstance(x, View) and x.dtype is out.dtype and x.dtype.is_half:  # only moved
            map.run(arg(0), _bits(out), (_bits(x),))
            return True
    if out.size >= map.SMALL:
        return False
    key = (expr, out.dtype, *[x.dtype if isinstance(x, View) else type(x) for x in inputs])
    plan = _plans.get(key)
    if plan is None:
        plan = map.remember(_plans, key, [_on_float32(expr, out, inputs), map.PATIENCE])
    if not plan[1]:
        return False
    plan[1] -= 1
    wide: list[View | Number] = []
    for v in inputs:
        if isinstance(v, View) and v.dtype.is_half:
            copy = empty(v.shape, float32, v.buffer.device)
            np.copyto(array(copy), array(v), casting="unsafe")
            wide.append(copy)
        else:
            wide.append(v)
    target = empty(out.shape, float32, out.buffer.device) if out.dtype.is_half else out
    map.run(plan[0], target, wide)
    if target is not out:
        map.quiet.run(np.copyto, array(out), array(target), casting="unsafe")
    return True


def _bits(v: View) -> View:
    return View(v.buffer, int16, v.shape, v.strides, v.offset)


def _on_float32(expr: Expr, out: View, inputs: Sequence[View | Number]) -> Expr:
    """The expression for inputs that are widened already, with a value of float32 or a type of its own."""
    types = [_type(x) for x in inputs]

    def plain(e: Expr) -> Expr | None:
        if (
            e.name == "cast"
            and e.value is float32
            and e.args[0].name == "arg"
            and types[e.args[0].value].is_half
        ):
            return e.args[0]
        return None

    expr = substitute(in_float32(expr, types, out.dtype), plain)
    if not out.dtype.is_half:
        return expr
    (value,) = expr.args  # rounded by who calls
    types = [float32 if t.is_half else t for t in types]
    return value if value.args and infer(value, types)[value] is float32 else cast(value, float32)


def _type(x: View | Number) -> Any:
    return x.dtype if isinstance(x, View) else number_dtype(x)
