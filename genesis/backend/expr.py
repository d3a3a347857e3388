"""Elementwise expressions: formulas over the alphabet, built with ordinary operators.

>>> x, y = arg(0), arg(1)
>>> x * y + 1.0
add(mul(x0, x1), 1.0)

Equal expressions are the same object, so an expression is a cheap dictionary key and repeated parts are
computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from genesis._dtypes import bool_, default_dtype, dtype, float32, float64, int64
from genesis.backend.alphabet import ALPHABET

Number = bool | int | float

_interned: dict[tuple[Any, ...], Expr] = {}


class Expr:
    """One node of an expression; make it with the functions of this module or with operators."""

    __slots__ = ("args", "name", "value")

    name: str
    args: tuple[Expr, ...]
    value: Any

    def __new__(cls, name: str, args: tuple[Expr, ...] = (), value: Any = None) -> Expr:
        # repr tells 1 from 1.0 and True, and 0.0 from -0.0
        key = (name, tuple(map(id, args)), repr(value))
        found = _interned.get(key)
        if found is None:
            found = super().__new__(cls)
            found.name, found.args, found.value = name, args, value
            found = _interned.setdefault(key, found)
        return found

    def __reduce__(self) -> tuple[type[Expr], tuple[Any, ...]]:
        return Expr, (self.name, self.args, self.value)

    def __repr__(self) -> str:
        if self.name == "arg":
            return f"x{self.value}"
        if self.name == "const":
            return repr(self.value)
        if self.name == "cast":
            return f"{self.value.name}({self.args[0]!r})"
        return f"{self.name}({', '.join(map(repr, self.args))})"

    def __add__(self, other: Expr | Number) -> Expr:
        return call("add", self, other)

    def __radd__(self, other: Number) -> Expr:
        return call("add", other, self)

    def __sub__(self, other: Expr | Number) -> Expr:
        return call("sub", self, other)

    def __rsub__(self, other: Number) -> Expr:
        return call("sub", other, self)

    def __mul__(self, other: Expr | Number) -> Expr:
        return call("mul", self, other)

    def __rmul__(self, other: Number) -> Expr:
        return call("mul", other, self)

    def __truediv__(self, other: Expr | Number) -> Expr:
        return call("div", self, other)

    def __rtruediv__(self, other: Number) -> Expr:
        return call("div", other, self)

    def __neg__(self) -> Expr:
        return call("neg", self)


def arg(i: int) -> Expr:
    """The i-th input of the expression."""
    return Expr("arg", (), i)


def const(value: Number) -> Expr:
    """A fixed number; it takes the type of the operand beside it."""
    return Expr("const", (), value)


def cast(x: Expr, to: dtype) -> Expr:
    """``x`` as another type."""
    return Expr("cast", (x,), to)


INDEX = Expr("index")
#: the expression that copies its input
INPUT = arg(0)


def call(name: str, *args: Expr | Number) -> Expr:
    """Apply one name of the alphabet; numbers become constants, and trivial arithmetic is folded away."""
    operands = tuple(a if isinstance(a, Expr) else const(a) for a in args)
    if len(operands) != ALPHABET[name].arity:
        raise TypeError(f"{name} takes {ALPHABET[name].arity} operands, got {len(operands)}")
    return _fold(name, operands) or Expr(name, operands)


def _fold(name: str, a: tuple[Expr, ...]) -> Expr | None:
    """x+0, x-0, x*1, x/1 -> x; 0+x, 1*x -> x; -(-x) -> x."""
    if name in ("add", "sub") and is_const(a[1], 0):
        return a[0]
    if name == "add" and is_const(a[0], 0):
        return a[1]
    if name in ("mul", "div") and is_const(a[1], 1):
        return a[0]
    if name == "mul" and is_const(a[0], 1):
        return a[1]
    if name == "neg" and a[0].name == "neg":
        return a[0].args[0]
    return None


def is_const(e: Expr, value: Number) -> bool:
    """True when ``e`` is the constant ``value``."""
    return e.name == "const" and e.value == value


def topological(root: Expr) -> list[Expr]:
    """Every node once, operands before their users."""
    order: list[Expr] = []
    seen: set[Expr] = set()

    def visit(e: Expr) -> None:
        if e not in seen:
            seen.add(e)
            for a in e.args:
                visit(a)
            order.append(e)

    visit(root)
    return order


def substitute(root: Expr, replace: Callable[[Expr], Expr | None]) -> Expr:
    """Rebuild an expression; ``replace(node)`` gives a new node or None to keep it."""
    done: dict[Expr, Expr] = {}
    for e in topological(root):
        new = replace(e)
        if new is None:
            args = tuple(done[a] for a in e.args)
            new = e if args == e.args else Expr(e.name, args, e.value)
        done[e] = new
    return done[root]


def in_float32(root: Expr, given: Sequence[dtype], out: dtype) -> Expr:
    """The expression with halves as float32 where they are read, and its value rounded at the end.

    Args:
        root: the expression, in which halves are rounded to only where they are cast to.
        given: the type of each input.
        out: that of the destination.
    """

    def wide(e: Expr) -> Expr | None:
        if e.name == "arg" and given[e.value].is_half:
            return cast(e, float32)
        if e.name == "cast" and e.value is float32 and e.args[0].name == "arg":
            return e
        if e.name == "cast" and e.value.is_half:
            return cast(cast(substitute(e.args[0], wide), e.value), float32)
        return None

    if out.is_half and root.name == "cast" and root.value is out:
        root = root.args[0]
    root = substitute(root, wide)
    return cast(root, out) if out.is_half else root


def arguments(root: Expr) -> list[int]:
    """The indices of the inputs that the expression reads, sorted."""
    return sorted({e.value for e in topological(root) if e.name == "arg"})


def number_dtype(value: Number) -> dtype:
    """The type a Python number has as an input."""
    return bool_ if isinstance(value, bool) else int64 if isinstance(value, int) else float64


def infer(root: Expr, inputs: Sequence[dtype]) -> dict[Expr, dtype]:
    """The type of every node, given those of the inputs.

    Raises:
        TypeError: operands of one name disagree (the caller must insert casts).
    """
    types: dict[Expr, dtype | None] = {}
    for e in topological(root):
        t: dtype | None
        if e.name == "arg":
            t = inputs[e.value]
        elif e.name == "const":
            t = None
        elif e.name == "index":
            t = int64
        elif e.name == "cast":
            t = e.value
        else:
            operands = e.args[1:] if e.name == "where" else e.args
            known = {types[a] for a in operands} - {None}
            if len(known) > 1:
                raise TypeError(f"operands of {e!r} have types {sorted(str(k) for k in known)}")
            same = known.pop() if known else None
            if same is not None:
                for a in operands:
                    if types[a] is None:
                        types[a] = same
            t = bool_ if ALPHABET[e.name].result == "bool" else same
        types[e] = t
    fallback = types[root] or default_dtype()
    return {e: t or fallback for e, t in types.items()}
