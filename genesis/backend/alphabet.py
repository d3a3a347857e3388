"""The alphabet of elementwise expressions: every scalar name a device must know, and what it means.

A device implements ``map`` over these names and ``reduce`` over ``REDUCTIONS``; everything else in Genesis is
built of them.  The NumPy device (``genesis.testing.reference``) is the executable form of this table.
"""

from __future__ import annotations

from typing import NamedTuple


class Name(NamedTuple):
    """One scalar operation.

    ``result`` says which type comes out: ``"same"`` as the operands (which agree), or ``"bool"``.
    ``operands`` says which types go in: ``"any"``, ``"number"`` (no bool), ``"float"``, ``"integer"``, or
    ``"bits"`` (integer or bool).
    """

    arity: int
    operands: str
    result: str
    meaning: str


ALPHABET: dict[str, Name] = {
    # one operand
    "neg": Name(1, "number", "same", "-x"),
    "abs": Name(1, "number", "same", "|x|"),
    "sign": Name(1, "number", "same", "-1, 0 or 1; nan stays nan"),
    "floor": Name(1, "float", "same", "largest integer <= x"),
    "ceil": Name(1, "float", "same", "smallest integer >= x"),
    "round": Name(1, "float", "same", "nearest integer, halves to even"),
    "exp": Name(1, "float", "same", "e to the x"),
    "expm1": Name(1, "float", "same", "e to the x, minus 1, exact near 0"),
    "log": Name(1, "float", "same", "natural logarithm; nan below 0, -inf at 0"),
    "log1p": Name(1, "float", "same", "log(1 + x), exact near 0"),
    "sqrt": Name(1, "float", "same", "square root, correctly rounded; nan below 0"),
    "sin": Name(1, "float", "same", "sine of radians"),
    "cos": Name(1, "float", "same", "cosine of radians"),
    "tanh": Name(1, "float", "same", "hyperbolic tangent"),
    "erf": Name(1, "float", "same", "error function"),
    "not": Name(1, "bits", "same", "bitwise, logical for bool"),
    # two operands
    "add": Name(2, "number", "same", "x + y; integers wrap"),
    "sub": Name(2, "number", "same", "x - y"),
    "mul": Name(2, "number", "same", "x * y"),
    "div": Name(2, "float", "same", "x / y, IEEE"),
    "pow": Name(2, "number", "same", "x to the y; of integers to negative powers what is left: 1, -1 or 0"),
    "floordiv": Name(2, "number", "same", "floor(x / y)"),
    "mod": Name(2, "number", "same", "x - y * floor(x / y), the sign of y"),
    "max": Name(2, "any", "same", "the larger; nan if either is"),
    "min": Name(2, "any", "same", "the smaller; nan if either is"),
    "eq": Name(2, "any", "bool", "x == y"),
    "ne": Name(2, "any", "bool", "x != y"),
    "lt": Name(2, "any", "bool", "x < y"),
    "le": Name(2, "any", "bool", "x <= y"),
    "and": Name(2, "bits", "same", "bitwise, logical for bool"),
    "or": Name(2, "bits", "same", "bitwise, logical for bool"),
    "xor": Name(2, "bits", "same", "bitwise, logical for bool"),
    "shl": Name(2, "integer", "same", "x << y"),
    "shr": Name(2, "integer", "same", "x >> y, arithmetic"),
    # three operands
    "where": Name(3, "any", "same", "y where x (a bool) is true, else z"),
}

#: Leaves of an expression, and the one operation that changes a type.
LEAVES: dict[str, str] = {
    "arg": "the i-th input: an element of a view, or a number that is the same for all elements",
    "const": "a fixed number of the type of the operand beside it",
    "index": "the row-major position of the element in the output, int64",
    "cast": "x as another type; float to integer truncates, anything to bool is x != 0",
}

#: op -> value of an empty reduction (None: an empty axis is an error).
REDUCTIONS: dict[str, float | None] = {
    "sum": 0,
    "prod": 1,
    "max": None,
    "min": None,
    "argmax": None,
    "argmin": None,
}
