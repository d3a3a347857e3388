"""Checks of whole expressions, for a device that says ``fuses = True``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

import genesis
from genesis.backend import Expr, arg, call, cast, const
from genesis.backend.expr import INDEX
from genesis.testing._check import Question
from genesis.testing.backend_checks._agree import agree
from genesis.testing.backend_checks._bench import Array, Bench
from genesis.testing.backend_checks._map import LARGE, values_of
from genesis.testing.backend_checks._names import ordinary

F32, F64, I64 = genesis.float32, genesis.float64, genesis.int64


class Formula(NamedTuple):
    """An expression, and the same in NumPy, in float64 where it is inexact."""

    name: str
    expr: Expr
    inputs: tuple[str, ...]
    result: str
    reference: Callable[..., Any]
    numbers: tuple[Any, ...] = ()


def _sigmoid(x: Expr) -> Expr:
    e = call("exp", -call("abs", x))
    return call("where", call("lt", x, const(0)), e, const(1)) / (1 + e)


def _adam(p: Expr, m: Expr, v: Expr, size: Expr, root: Expr, eps: Expr) -> Expr:
    return p - size * (m / (call("sqrt", v) / root + eps))


X, Y, Z = arg(0), arg(1), arg(2)
_shared = call("exp", X * 0.25) + Y

FORMULAS = [
    Formula("nested", (X * Y + 1.5) / (call("abs", X) + 2.0), ("float32",) * 2, "float32",
            lambda x, y: (x * y + 1.5) / (np.abs(x) + 2)),
    Formula("a shared part", _shared * _shared - _shared, ("float32",) * 2, "float32",
            lambda x, y: (np.exp(x / 4) + y) ** 2 - (np.exp(x / 4) + y)),
    Formula("sigmoid", _sigmoid(X), ("float32",), "float32", lambda x: 1 / (1 + np.exp(-x))),
    Formula("sigmoid, float64", _sigmoid(X), ("float64",), "float64", lambda x: 1 / (1 + np.exp(-x))),
    Formula("gelu", X * (0.5 * (1 + call("erf", X * math.sqrt(0.5)))), ("float32",), "float32",
            lambda x: x * 0.5 * (1 + np.vectorize(math.erf, otypes=[float])(x * math.sqrt(0.5)))),
    Formula("step of Adam", _adam(X, Y, call("abs", Z), *(cast(arg(i), F32) for i in (3, 4, 5))),
            ("float32",) * 3, "float32",
            lambda p, m, v, size, root, eps: p - size * (m / (np.sqrt(np.abs(v)) / root + eps)),
            (0.01, 0.5, 1e-8)),
    Formula("a comparison inside", call("where", call("le", X, Y), X, Y) * 2.0, ("float32",) * 2, "float32",
            lambda x, y: np.where(x <= y, x, y) * 2),
    Formula("a bool comes out", call("and", call("lt", X, Y), call("ne", X, const(0))), ("float32",) * 2,
            "bool", lambda x, y: np.logical_and(x < y, x != 0)),
    Formula("casts inside", cast(cast(X, I64) * Y, F32) + cast(Z, F32), ("float32", "int64", "bool"),
            "float32", lambda x, y, z: np.trunc(x) * y + z),
    Formula("integers stay small", cast(X * Y + X, I64) + Z, ("uint8", "uint8", "int64"), "int64",
            lambda x, y, z: (x * y + x).astype("uint8").astype("int64") + z),
    Formula("float32 does not widen", cast(X * Y, F64) - cast(X, F64) * cast(Y, F64), ("float32",) * 2,
            "float64",
            lambda x, y: (x * y).astype("float32").astype("float64") - x.astype("float64") * y),
    Formula("integer quotients", call("mod", X, Y) + Y * call("floordiv", X, Y), ("int64", "int64"), "int64",
            lambda x, y: x),
    Formula("the position", cast(INDEX, F32) * 2.0 + X, ("float32",), "float32",
            lambda x: np.arange(x.size).reshape(x.shape) * 2.0 + x),
    Formula("infinite constants", call("where", call("lt", X, const(0)), const(-math.inf), X), ("float32",),
            "float32", lambda x: np.where(x < 0, -np.inf, x)),
    Formula("a nan as a constant", call("where", call("lt", X, const(0)), const(math.nan), X), ("float32",),
            "float32", lambda x: np.where(x < 0, np.nan, x)),
    Formula("large constants", call("add", call("mul", X, const(2**40)), const(-(2**62))), ("int64",),
            "int64", lambda x: x * 2**40 - 2**62),
    Formula("eight inputs", X + arg(1) * 2.0 + arg(2) * 3.0 - arg(3) + arg(4) * arg(5) - arg(6) * arg(7),
            ("float32",) * 8, "float32",
            lambda a, b, c, d, e, f, g, h: a + b * 2 + c * 3 - d + e * f - g * h),
    Formula("an input that is not read", Y + 1.0, ("float32",) * 2, "float32", lambda x, y: y + 1),
]  # fmt: skip


def questions(bench: Bench) -> Iterator[Question]:
    for formula in FORMULAS:
        yield f"expression/{formula.name}", partial(check, bench, formula, False)
    for name in ("nested", "casts inside", "the position", "a bool comes out", "sigmoid"):
        formula = next(f for f in FORMULAS if f.name == name)
        yield f"expression/{name}/strided", partial(check, bench, formula, True)
    yield "expression/broadcast", partial(broadcast, bench)


def _inputs(formula: Formula, shape: tuple[int, ...]) -> list[Array]:
    made = [ordinary(shape, dtype, i) for i, dtype in enumerate(formula.inputs)]
    if formula.name == "integer quotients":
        made[1][made[1] == 0] = 7
    return made


def check(bench: Bench, formula: Formula, strided: bool) -> None:
    for shape in ((29, 37),) if strided else ((7,), (LARGE,)):
        inputs = _inputs(formula, shape)
        layouts = ("transposed", "step", "reversed") if strided else ("contiguous",) * 8
        views = [bench.place(x, layout).view for x, layout in zip(inputs, layouts, strict=False)]
        out = bench.place(np.full(shape, 77).astype(formula.result), "columns" if strided else "contiguous")
        bench.map(formula.expr, out.view, *views, *formula.numbers)
        exact = formula.result not in ("float32", "float64") or "widen" in formula.name
        wide = [x.astype("float64") if x.dtype == np.float32 and not exact else x for x in inputs]
        want = np.asarray(formula.reference(*wide, *formula.numbers)).astype(formula.result)
        # a few operations, each off by an eps of the largest number that takes part
        scale = 1 + max(
            float(np.abs(x[np.isfinite(x)]).max()) for x in (*map(np.asarray, wide), _finite(want))
        )
        eps = float(np.finfo(formula.result).eps) if want.dtype.kind == "f" else 0.0
        agree(
            out.inner(bench.read(out.whole)), want,
            f"map of the expression {formula.expr!r}, of {formula.inputs} and {formula.numbers}, shape "
            f"{shape}"
            + (", strided" if strided else ""),
            allowed=16 * eps * scale**2 if not exact else 0.0,
            why="16 units in the last place of the largest product of two inputs" if not exact else
            "equal in every bit",
            element=partial(values_of, inputs),
            advice=_advice(formula),
        )  # fmt: skip


def _finite(x: Array) -> Array:
    return x[np.isfinite(x)] if x.dtype.kind == "f" else np.ones(1)


def _advice(formula: Formula) -> str:
    return {
        "integers stay small": "a small integer wraps in its own type: compilers widen it, so it must be "
        "cast back after every operation",
        "float32 does not widen": "the product of two float32 has to be rounded to float32 before it is "
        "used: was it computed in float64, or contracted into a fused multiply-add?",
        "an input that is not read": "inputs are numbered by their place in the call, also when one is not "
        "read",
        "large constants": "a constant has the type of the operand beside it, here int64",
        "the position": "index is the row-major position in the output, whatever the strides",
    }.get(formula.name, "")


def broadcast(bench: Bench) -> None:
    x, y, z = ordinary((40, 1), "float32"), ordinary((31,), "float32", 1), ordinary((), "float32", 2)
    out = bench.put(np.zeros((40, 31), "float32"))
    views = [bench.put(v).expand((40, 31)) for v in (x, y, z)]
    bench.map(X * Y - call("max", Z, X), out, *views)
    agree(
        bench.read(out), x * y - np.maximum(z, x), "map x0 * x1 - max(x2, x0) of inputs with strides of 0",
        allowed=1e-5, why="1e-5, a few eps of the largest product",
    )  # fmt: skip
