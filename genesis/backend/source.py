"""Expression -> text of a scalar Python function, for devices that compile (``numba.njit``, say).

The text uses plain operators where Python's mean the same, and otherwise calls ``name_`` for a name of the
alphabet (``exp_``, ``max_``, …) and ``float32(x)``, ``int64(x)``, … for casts.  A device puts functions of
these names beside the text. Variables of the types float16 and bfloat16 are float32, and ``float16(x)`` and
``bfloat16(x)`` round.
"""

from __future__ import annotations

from collections.abc import Sequence

from genesis._dtypes import bool_, dtype, int64
from genesis.backend.expr import Expr, infer, topological

_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/", "eq": "==", "ne": "!=", "lt": "<", "le": "<="}
_BITS = {"and": "&", "or": "|", "xor": "^", "shl": "<<", "shr": ">>"}


def scalar_source(
    expr: Expr, inputs: Sequence[dtype], index: str = "index", out: dtype | None = None
) -> tuple[list[str], str]:
    """Statements that compute ``expr`` from variables x0, x1, …, and the text of its value.

    Args:
        expr: the expression.
        inputs: type of each input.
        index: the text that stands for the row-major position.
        out: type of the destination, taken by an expression that has none of its own (a constant).

    Returns:
        (lines, result): lines such as ``t0 = x0 * x1``, and the name or literal of the result.
    """
    types = infer(expr, inputs)
    if expr.name == "const" and out is not None:
        types[expr] = out
    names: dict[Expr, str] = {}
    lines: list[str] = []
    for e in topological(expr):
        t = types[e]
        if e.name == "arg":
            names[e] = f"x{e.value}"
        elif e.name == "const":
            names[e] = _literal(e.value, t)
        elif e.name == "index":
            names[e] = index
        else:
            text = _text(e, [names[a] for a in e.args], t, types)
            names[e] = f"t{len(lines)}"
            lines.append(f"{names[e]} = {text}")
    return lines, names[expr]


def _literal(value: bool | int | float, t: dtype) -> str:
    if t is bool_:
        return repr(bool(value))
    name = "float32" if t.is_half else t.name
    if value != value:
        return f"{name}(nan)"
    if value in (float("inf"), float("-inf")):
        return f"{name}({'-' if value < 0 else ''}inf)"
    return f"{name}({value!r})"


def _text(e: Expr, a: list[str], t: dtype, types: dict[Expr, dtype]) -> str:
    name = e.name
    if name == "cast":
        if t is bool_:
            return f"{a[0]} != {_literal(0, types[e.args[0]])}"
        return f"{t.name}({a[0]})"
    if name == "where":
        return f"{a[1]} if {a[0]} else {a[2]}"
    if name == "neg":
        text = f"-{a[0]}"
    elif name == "not":
        return f"not {a[0]}" if t is bool_ else f"{t.name}(~{a[0]})"
    elif name in _INFIX:
        text = f"{a[0]} {_INFIX[name]} {a[1]}"
    elif name in _BITS:
        text = f"{a[0]} {_BITS[name]} {a[1]}"
    else:
        text = f"{name}_({', '.join(a)})"
    # Numba widens small integers; the alphabet keeps the type of the operands
    return f"{t.name}({text})" if t.kind in "ui" and t is not int64 else text
