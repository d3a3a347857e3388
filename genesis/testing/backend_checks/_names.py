"""What each name of the alphabet should give: NumPy's function, its accuracy, and arguments to try it on."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from genesis.backend import ALPHABET

Array = np.ndarray[Any, Any]

#: the types on which a name is tried, by the operands that it takes
KINDS = {
    "any": ("bool", "int64", "float32", "float64"),
    "number": ("uint8", "int32", "int64", "float32", "float64"),
    "float": ("float32", "float64"),
    "integer": ("uint8", "int64"),
    "bits": ("bool", "uint8", "int64"),
}


def _pow(x: Array, y: Array) -> Array:
    """NumPy refuses negative powers of integers; what is left of the number is 1, -1 or 0."""
    if x.dtype.kind == "f":
        return np.asarray(np.power(x, y))
    power = np.where(np.abs(x) == 1, np.power(x, np.abs(y)), 0)
    return np.asarray(np.where(y < 0, power, np.power(x, np.maximum(y, 0)))).astype(x.dtype)


ORACLE: dict[str, Callable[..., Any]] = {
    "neg": np.negative, "abs": np.abs, "sign": np.sign, "floor": np.floor, "ceil": np.ceil, "round": np.rint,
    "exp": np.exp, "expm1": np.expm1, "log": np.log, "log1p": np.log1p, "sqrt": np.sqrt, "sin": np.sin,
    "cos": np.cos, "tanh": np.tanh, "erf": np.vectorize(math.erf, otypes=[float]), "not": np.invert,
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.true_divide, "pow": _pow,
    "floordiv": np.floor_divide, "mod": np.remainder, "max": np.maximum, "min": np.minimum, "eq": np.equal,
    "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "and": np.bitwise_and, "or": np.bitwise_or,
    "xor": np.bitwise_xor, "shl": np.left_shift, "shr": np.right_shift, "where": np.where,
}  # fmt: skip

#: Units in the last place that a result may be off.  The OpenCL standard grants these to its own functions,
#: and other libraries do better, so no correct implementation has to be tuned for the kit.  A name that is
#: not here is one IEEE operation, or none, and exact.
UNITS = {
    "exp": 4, "expm1": 4, "log": 4, "log1p": 4, "sin": 4, "cos": 4, "tanh": 5, "erf": 16, "pow": 16,
}  # fmt: skip

#: names whose result keeps the sign of a zero
SIGNED_ZEROS = frozenset({"neg", "abs", "floor", "ceil", "round", "sqrt", "mul", "div", "where"})

#: what a wrong special value usually comes from, by name
TRAPS = {
    "sign": "sign(nan) is nan, and sign(0) is 0; a comparison with 0 gives neither",
    "round": "halves go to the even neighbour: round(0.5) = 0, round(1.5) = 2, round(2.5) = 2",
    "max": "a nan in either operand gives nan; fmax of C and of OpenCL returns the other operand instead",
    "min": "a nan in either operand gives nan; fmin of C and of OpenCL returns the other operand instead",
    "expm1": "exp(x) - 1 loses all digits near 0; take the library's expm1",
    "log1p": "log(1 + x) loses all digits near 0; take the library's log1p",
    "tanh": "a formula with exp(2x) overflows to nan for large x: the result is 1 or -1 there",
    "sqrt": "correctly rounded means IEEE's square root, not an approximate one of a vector library or a GPU",
    "ne": "nan differs from everything, itself included",
    "floordiv": "the quotient is rounded down, also for operands of different signs",
    "mod": "the result has the sign of y: in C, % and fmod give that of x",
    "pow": "x ** 0 is 1 and 1 ** y is 1 for every operand, nan included; integers take integer powers",
    "neg": "-0.0 is a number of its own; 0 - x gives 0.0",
    "shr": "the shift of a negative number fills with ones",
}


def arguments(name: str, shape: tuple[int, ...], dtype: str, seed: int = 0) -> list[Array]:
    """Ordinary operands: finite, and where the name is defined."""
    operands = [ordinary(shape, dtype, seed + i) for i in range(ALPHABET[name].arity)]
    if name == "where":
        operands[0] = ordinary(shape, "bool", seed)
    elif name in ("shl", "shr") or (name == "pow" and operands[0].dtype.kind != "f"):
        operands[1] = np.abs(operands[1].astype("int64") % 5).astype(dtype)
    elif name in ("log", "sqrt"):
        operands[0] = np.abs(operands[0])
    elif name == "log1p":
        operands[0] = np.abs(operands[0]) - np.asarray(0.5, dtype)
    elif name == "pow":
        operands[0] = np.abs(operands[0]) + np.asarray(0.01, dtype)
    elif name in ("floordiv", "mod"):
        if dtype in ("float32", "float64"):
            # eighths: quotient, product and difference are exact, and so is every way to the result
            operands = [(np.round(x * 8) / 8).astype(dtype) for x in operands]
        operands[1][operands[1] == 0] = 3
    elif name in ("eq", "ne", "lt", "le"):
        equal = np.arange(operands[0].size).reshape(shape) % 3 == 0
        operands[1] = np.where(equal, operands[0], operands[1]).astype(dtype)
    return operands


def ordinary(shape: tuple[int, ...], dtype: str, seed: int = 0) -> Array:
    """Numbers without extremes."""
    rng = np.random.default_rng(seed)
    if dtype == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    if dtype in ("float32", "float64"):
        return np.asarray(rng.standard_normal(shape) * 4).astype(dtype).reshape(shape)
    return rng.integers(0 if dtype == "uint8" else -20, 20, shape).astype(dtype)


def special(name: str, dtype: str) -> list[Array]:
    """Operands at the edges: of two, every pair."""
    info = np.finfo(dtype)
    x = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 1e-8, -1e-8, 1e-30, -1e-3]
    if name not in ("sin", "cos"):  # a device need not reduce enormous angles exactly
        x += [88.8, -104, 710, -746, 20, float(info.max), -float(info.max), float(info.tiny)]
    values = np.array(x, dtype)
    arity = ALPHABET[name].arity
    if arity == 1:
        return [values]
    pairs = [np.repeat(values, values.size), np.tile(values, values.size)]
    if arity == 2:
        return pairs
    return [np.arange(pairs[0].size) % 2 == 0, *pairs]


def expected(name: str, operands: list[Array]) -> Array:
    """The result, computed in float64 where the operation is inexact."""
    dtype = operands[-1].dtype
    with np.errstate(all="ignore"):
        if name in UNITS and dtype == np.float32:
            operands = [x.astype("float64") for x in operands]
        want = np.asarray(ORACLE[name](*operands))
        return want.astype("bool" if ALPHABET[name].result == "bool" else dtype)
