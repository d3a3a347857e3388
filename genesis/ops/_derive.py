"""Derivatives of elementwise expressions, by reverse accumulation over the expression itself."""

from __future__ import annotations

import math
from collections.abc import Callable

from genesis.backend.expr import Expr, call, const, substitute, topological

Contributions = tuple[Expr | None, ...]

_ZERO = const(0)


def _max(g: Expr, e: Expr, a: Expr, b: Expr) -> Contributions:
    # both share the gradient where they are equal, and both get it where one is nan, as in PyTorch
    def part(x: Expr, y: Expr) -> Expr:
        loses = call("lt", x, y) if e.name == "max" else call("lt", y, x)
        return call("where", loses, _ZERO, call("where", call("eq", x, y), g * 0.5, g))

    return part(a, b), part(b, a)


def _abs(g: Expr, e: Expr, x: Expr) -> Contributions:
    # the slope at nan is 0, as in PyTorch
    return (call("where", call("eq", x, x), g * call("sign", x), _ZERO),)


def _pow(g: Expr, e: Expr, a: Expr, b: Expr) -> Contributions:
    base = call("where", call("eq", b, _ZERO), _ZERO, g * (b * call("pow", a, b - 1)))
    at_zero = call("and", call("eq", a, _ZERO), call("le", _ZERO, b))
    return base, call("where", at_zero, _ZERO, g * (e * call("log", a)))


#: name -> function of (gradient, the node itself, its operands) that gives the gradient of each operand
RULES: dict[str, Callable[..., Contributions]] = {
    "neg": lambda g, e, x: (-g,),
    "abs": _abs,
    "exp": lambda g, e, x: (g * e,),
    "expm1": lambda g, e, x: (g * (e + 1),),
    "log": lambda g, e, x: (g / x,),
    "log1p": lambda g, e, x: (g / (x + 1),),
    "sqrt": lambda g, e, x: (g * 0.5 / e,),
    "sin": lambda g, e, x: (g * call("cos", x),),
    "cos": lambda g, e, x: (-(g * call("sin", x)),),
    "tanh": lambda g, e, x: (g * (1 - e * e),),
    "erf": lambda g, e, x: (g * (call("exp", -(x * x)) * (2 / math.sqrt(math.pi))),),
    "add": lambda g, e, a, b: (g, g),
    "sub": lambda g, e, a, b: (g, -g),
    "mul": lambda g, e, a, b: (g * b, g * a),
    "div": lambda g, e, a, b: (g / b, -(g * e / b)),
    "mod": lambda g, e, a, b: (g, -(g * call("floordiv", a, b))),
    "pow": _pow,
    "max": _max,
    "min": _max,
    "where": lambda g, e, c, a, b: (None, call("where", c, g, _ZERO), call("where", c, _ZERO, g)),
}


def gradients(root: Expr, count: int, grad: Expr, out: Expr) -> list[Expr | None]:
    """The gradient of each of the ``count`` inputs of ``root``.

    Args:
        root: the expression, over inputs 0 … count - 1.
        grad: stands for the gradient of the result.
        out: stands for the result, so that it is not computed again.

    Names without a rule (comparisons, floor, sign, …) have derivative zero almost everywhere.
    """
    adjoint: dict[Expr, Expr] = {root: grad}
    for e in reversed(topological(root)):
        rule = RULES.get(e.name)
        if rule is None or e not in adjoint:
            continue
        for a, part in zip(e.args, rule(adjoint[e], e, *e.args), strict=True):
            if part is not None and a.name != "const":
                adjoint[a] = adjoint[a] + part if a in adjoint else part
    result: list[Expr | None] = []
    for i in range(count):
        part = adjoint.get(Expr("arg", (), i))
        result.append(None if part is None else substitute(part, lambda e: out if e is root else None))
    return result
