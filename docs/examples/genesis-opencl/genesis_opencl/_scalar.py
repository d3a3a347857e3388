"""Expressions as text of OpenCL C: the alphabet, scalar by scalar."""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence

from genesis import dtype
from genesis.backend import Expr, infer, topological

_C = {
    "bool": "uchar", "uint8": "uchar", "int8": "char", "int16": "short", "int32": "int", "int64": "long",
    "float32": "float", "float64": "double",
}  # fmt: skip
MOVES = {1: "uchar", 2: "ushort", 4: "uint", 8: "ulong"}  # what moves an element needs only its size
INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
COMPARE = {"eq": "==", "ne": "!=", "lt": "<", "le": "<="}
BITS = {"and": "&", "or": "|", "xor": "^"}
_SAME = ("floor", "ceil", "exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tanh", "erf", "pow")
CALLS = {"round": "rint", **{name: name for name in _SAME}}

# T is the type, W the unsigned type that it is computed in, where what overflows wraps.
_FUNCTIONS = {
    # Python's and NumPy's floor of a quotient: from the remainder, which is exact
    "floordiv_f": """
T floordiv_T(T x, T y) {
  if (y == 0) return x / y;
  T r = fmod(x, y);
  T q = (x - r) / y;
  if (r != 0 && (y < 0) != (r < 0)) q -= 1;
  if (q == 0) return copysign((T)0, x / y);
  T whole = floor(q);
  return q - whole > (T)0.5 ? whole + 1 : whole;
}
""",
    "mod_f": """
T mod_T(T x, T y) {
  T r = fmod(x, y);
  if (r == 0) return copysign(r, y);
  return (y < 0) != (r < 0) ? r + y : r;
}
""",
    # a processor may stop at a division by 0, and at that of the smallest number by -1
    "floordiv_i": """
T floordiv_T(T x, T y) {
  if (y == 0) return 0;
  if (y == -1) return (T)((W)0 - (W)x);
  T q = (T)(x / y);
  return (T)(q - (x % y != 0 && (x < 0) != (y < 0)));
}
""",
    "mod_i": """
T mod_T(T x, T y) {
  if (y == 0 || y == -1) return 0;
  T r = (T)(x % y);
  return r != 0 && (r < 0) != (y < 0) ? (T)(r + y) : r;
}
""",
    "floordiv_u": "T floordiv_T(T x, T y) { return y == 0 ? (T)0 : (T)(x / y); }\n",
    "mod_u": "T mod_T(T x, T y) { return y == 0 ? (T)0 : (T)(x % y); }\n",
    "pow_i": """
T pow_T(T x, T y) {
  if (y < 0) return x == 1 ? (T)1 : x == -1 ? (T)(y % 2 ? -1 : 1) : (T)0;
  W base = (W)x, result = 1;
  for (; y > 0; y /= 2) {
    if (y % 2) result *= base;
    base *= base;
  }
  return (T)result;
}
""",
    "shl_i": "T shl_T(T x, T y) { return (ulong)y >= 8 * sizeof(T) ? (T)0 : (T)((W)x << (W)y); }\n",
    "shr_i": "T shr_T(T x, T y) { return (ulong)y >= 8 * sizeof(T) ? (T)(x < 0 ? -1 : 0) : (T)(x >> y); }\n",
}
_FUNCTIONS["pow_u"] = _FUNCTIONS["pow_i"].replace(
    "  if (y < 0) return x == 1 ? (T)1 : x == -1 ? (T)(y % 2 ? -1 : 1) : (T)0;\n", ""
)
_FUNCTIONS["shl_u"] = _FUNCTIONS["shl_i"]
_FUNCTIONS["shr_u"] = "T shr_T(T x, T y) { return (ulong)y >= 8 * sizeof(T) ? (T)0 : (T)(x >> y); }\n"


def c_type(t: dtype, fp64: bool) -> str:
    """The name of a type in OpenCL C.

    Raises:
        TypeError: it is float64, which the device does not know.
    """
    if t.name == "float64" and not fp64:
        raise TypeError("this OpenCL device has no float64 (cl_khr_fp64); use float32")
    return _C[t.name]


def literal(value: float | int, t: dtype) -> str:
    """A number of type `t`."""
    if t.kind != "f":
        if t.kind == "b":
            return "((uchar)1)" if value else "((uchar)0)"
        number = int(value)
        # the smallest integer has no literal of its own
        text = f"(-{-number - 1}L - 1)" if number < 0 else f"{number}UL" if number >> 63 else f"{number}L"
        return f"(({_C[t.name]}){text})"
    name = _C[t.name]
    if value != value:
        return f"(({name})NAN)"
    if value in (float("inf"), float("-inf")):
        return f"(({name}){'-' if value < 0 else ''}INFINITY)"
    if t.name == "float64":
        return f"({float(value).hex()})"
    try:
        (number32,) = struct.unpack("f", struct.pack("f", value))
    except OverflowError:  # beyond float32
        return literal(float("inf") if value > 0 else float("-inf"), t)
    return f"({number32.hex()}f)"


def statements(expr: Expr, inputs: Sequence[dtype], out: dtype, fp64: bool) -> tuple[str, list[str], str]:
    """Text that computes `expr` from the variables x0, x1, … and `index`, the row-major position.

    Args:
        inputs: type of each input.
        out: type of the destination, which a bare constant takes.

    Returns:
        (functions, lines, result): functions that the lines call, the lines, and the text of the result.
    """
    types = infer(expr, inputs)
    if expr.name == "const":
        types[expr] = out
    names: dict[Expr, str] = {}
    functions: dict[str, str] = {}
    lines: list[str] = []
    for e in topological(expr):
        if e.name == "arg":
            names[e] = f"x{e.value}"
        elif e.name == "const":
            names[e] = literal(e.value, types[e])
        elif e.name == "index":
            names[e] = "index"
        else:
            text = scalar_text(e, [names[a] for a in e.args], types[e.args[-1]], types[e], fp64, functions)
            names[e] = f"t{len(lines)}"
            lines.append(f"const {c_type(types[e], fp64)} {names[e]} = {text};")
    return "".join(functions.values()), lines, names[expr]


def scalar_text(
    e: Expr, a: list[str], operand: dtype, t: dtype, fp64: bool, functions: dict[str, str]
) -> str:
    """One operation on the texts of its operands, of type `operand`; adds the function that it calls."""
    name, kind = e.name, operand.kind
    if name == "cast":
        return convert(a[0], operand, t, fp64)
    if name == "where":
        return f"{a[0]} ? {a[1]} : {a[2]}"
    if name in COMPARE:
        return f"{a[0]} {COMPARE[name]} {a[1]}"
    if name in ("max", "min"):
        sign = ">=" if name == "max" else "<="
        first = f"{a[0]} {sign} {a[1]}" + (f" || {a[0]} != {a[0]}" if kind == "f" else "")
        return f"{first} ? {a[0]} : {a[1]}"
    c = c_type(operand, fp64)
    wide = "ulong" if operand.itemsize == 8 else "uint"
    if name == "sign":
        steps = f"({c})(({a[0]} > 0) - ({a[0]} < 0))"
        return f"{a[0]} != {a[0]} ? {a[0]} : {steps}" if kind == "f" else steps
    if kind == "f":
        if name in INFIX:
            return f"{a[0]} {INFIX[name]} {a[1]}"
        if name in CALLS:
            return f"{CALLS[name]}({', '.join(a)})"
        if name in ("neg", "abs"):
            return f"-{a[0]}" if name == "neg" else f"fabs({a[0]})"
    elif name in INFIX:
        return f"({c})(({wide}){a[0]} {INFIX[name]} ({wide}){a[1]})"
    elif name in BITS:
        return f"({c})({a[0]} {BITS[name]} {a[1]})"
    elif name == "not":
        return f"(uchar)!{a[0]}" if kind == "b" else f"({c})~{a[0]}"
    elif name == "neg":
        return f"({c})(({wide})0 - ({wide}){a[0]})"
    elif name == "abs":
        return a[0] if kind == "u" else f"{a[0]} < 0 ? ({c})(({wide})0 - ({wide}){a[0]}) : {a[0]}"
    function = f"{name}_{c}"
    if function not in functions:
        text = _FUNCTIONS[f"{name}_{kind}"].replace("_T", f"_{c}").replace("W", wide)
        functions[function] = re.sub(r"\bT\b", c, text)
    return f"{function}({', '.join(a)})"


def convert(x: str, source: dtype, target: dtype, fp64: bool) -> str:
    """The text `x` of type `source` as `target`."""
    c = c_type(target, fp64)
    if target.kind == "b":
        return f"(uchar)({x} != 0)"
    if source.kind == "f" and target.kind in "ui":
        return f"({c})(long){x}"  # through 64 bits, so that what does not fit wraps
    return f"({c}){x}"
