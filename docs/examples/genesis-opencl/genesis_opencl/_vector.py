"""Expressions as text for vectors of a CPU.

Compilers make vector instructions of loops by themselves, but not of calls to `exp` or `erf` in them; the
functions of OpenCL C for whole vectors do that. A bool is then an integer as wide as the numbers beside it,
with all bits set or none.
"""

from __future__ import annotations

from collections.abc import Sequence

from genesis import dtype
from genesis.backend import Expr, infer, topological
from genesis_opencl._scalar import BITS, CALLS, COMPARE, INFIX, literal, scalar_text

_WORTH_IT = {"exp", "expm1", "log", "log1p", "tanh", "erf", "pow"}
# In a vector of sines or cosines, PoCL's infinity costs its neighbours half of their digits.
_KNOWN = {"arg", "const", "cast", "where", "max", "min", "neg", "abs", *CALLS, *INFIX, *COMPARE, *BITS} - {
    "sin",
    "cos",
}


def lanes(out: dtype) -> int:
    """Numbers in a vector of 32 bytes, which is what compilers for any CPU can pass to a function."""
    return min(16, 32 // out.itemsize)


def vectorizes(expr: Expr, inputs: Sequence[dtype], are_numbers: Sequence[bool], out: dtype) -> bool:
    """Whether `statements` knows the expression, and vectors are worth it.

    All has to be of the type of `out`, but for comparisons, and numbers that are cast to it at once.
    """
    nodes = topological(expr)
    if out.kind != "f" or not any(e.name in _WORTH_IT for e in nodes):
        return False
    types = infer(expr, inputs)

    def is_number(e: Expr) -> bool:
        return e.name == "arg" and are_numbers[e.value]

    def fits(e: Expr) -> bool:
        if is_number(e):
            return True
        if e.name == "cast":
            return e.value is out and is_number(e.args[0])
        of_the_type = types[e] is out or (types[e].kind == "b" and bool(e.args))
        return e.name in _KNOWN and of_the_type and not any(is_number(a) for a in e.args)

    return all(fits(e) for e in nodes)


def vector_type(t: dtype, beside: dtype) -> str:
    """The vector of `t`; of a bool, one as wide as that of `beside`."""
    number = ("long" if beside.itemsize == 8 else "int") if t.kind == "b" else _scalar(t)
    return f"{number}{lanes(beside)}"


def statements(expr: Expr, inputs: Sequence[dtype], out: dtype) -> tuple[list[str], str]:
    """Lines that compute `expr` from the vectors (or numbers) x0, x1, …, and the text of the result."""
    types = infer(expr, inputs)
    names: dict[Expr, str] = {}
    lines: list[str] = []
    for e in topological(expr):
        if e.name == "arg":
            names[e] = f"x{e.value}"
        elif e.name == "const":
            names[e] = f"(({vector_type(out, out)}){literal(e.value, out)})"
        else:
            names[e] = f"t{len(lines)}"
            text = _text(e, [names[a] for a in e.args], types[e])
            lines.append(f"const {vector_type(types[e], out)} t{len(lines)} = {text};")
    return lines, names[expr]


def _text(e: Expr, a: list[str], t: dtype) -> str:
    if e.name == "cast":
        return f"({vector_type(t, t)})({_scalar(t)}){a[0]}"
    if e.name in ("max", "min"):
        sign = ">=" if e.name == "max" else "<="
        return f"({a[0]} {sign} {a[1]}) | ({a[0]} != {a[0]}) ? {a[0]} : {a[1]}"
    if e.name in BITS:
        return f"{a[0]} {BITS[e.name]} {a[1]}"
    return scalar_text(e, a, t, t, True, {})


def _scalar(t: dtype) -> str:
    return "double" if t.itemsize == 8 else "float"


# The last elements of a row, fewer than a vector, go through one too: so all get the same bits.
def load(x: str, where: str, t: dtype) -> str:
    """Text that declares the vector `x`, read from an element on, but not beyond the row."""
    n = lanes(t)
    return (
        f"{_scalar(t)}{n} {x}; if (last - i >= {n}) {x} = vload{n}(0, &{where}); else {{ "
        f"{_scalar(t)} part[{n}]; "
        f"for (int j = 0; j < {n}; j++) part[j] = (&{where})[min((long)j, last - i - 1)]; "
        f"{x} = vload{n}(0, part); }}"
    )


def store(where: str, x: str, t: dtype) -> str:
    """Text that writes the vector `x` from an element on, but not beyond the row."""
    n = lanes(t)
    return (
        f"if (last - i >= {n}) vstore{n}({x}, 0, &{where}); else {{ {_scalar(t)} part[{n}]; "
        f"vstore{n}({x}, 0, part); for (int j = 0; j < (int)(last - i); j++) (&{where})[j] = part[j]; }}"
    )
