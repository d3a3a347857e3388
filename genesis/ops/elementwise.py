"""Elementwise arithmetic, comparison, logic and mathematics.  Each operation is its formula."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from genesis._dtypes import DtypeError, bool_, finfo, fitting, result_type, uint8
from genesis.autograd.graph import TensorCore
from genesis.backend.expr import Expr, call, const
from genesis.ops._elementwise import Elementwise

ZERO, ONE = const(0), const(1)


def _named(name: str, arity: int, kind: str = "float") -> Elementwise:
    """The operation that is one name of the alphabet."""
    return Elementwise(name, lambda *xs: call(name, *xs), arity, kind)


def where_expr(c: Expr, a: Expr | float, b: Expr | float) -> Expr:
    return call("where", c, a, b)


def _truncated(x: Expr) -> Expr:
    return where_expr(call("lt", x, 0), call("ceil", x), call("floor", x))


class _Division(Elementwise):
    """A division that keeps integers integers; it refuses a zero divisor then."""

    def _operands(self, args: Sequence[Any]) -> tuple[list[Any], Any, tuple[Any, ...]]:
        if all(_is_whole(a) for a in args):
            divisor = args[1]
            if divisor == 0 if isinstance(divisor, int) else bool(eq(divisor, 0).any()):
                raise RuntimeError(f"{self.name}: integers divided by zero; convert with .float() for inf")
        return super()._operands(args)


def _is_whole(a: Any) -> bool:
    return isinstance(a, int) if not isinstance(a, TensorCore) else not a._view.dtype.is_floating_point


# -- arithmetic --------------------------------------------------------------------------------------------
plus = _named("add", 2, "same")
minus = _named("sub", 2, "number")
times = _named("mul", 2, "same")
true_divide = _named("div", 2)
floor_divide = _Division("floor_divide", lambda a, b: call("floordiv", a, b), 2, "same")
remainder = _Division("remainder", lambda a, b: call("mod", a, b), 2, "same")
maximum = _named("max", 2, "same")
minimum = _named("min", 2, "same")
power = _named("pow", 2, "same")
neg = _named("neg", 1, "number")
abs = _named("abs", 1, "same")
_sign = Elementwise("sign", lambda x: where_expr(call("eq", x, x), call("sign", x), ZERO), 1, "number")
scaled_sum = Elementwise("add", lambda a, b, alpha: a + alpha * b, 3, "same")
square = Elementwise("square", lambda x: x * x, 1, "whole")
_cube = Elementwise("pow", lambda x: x * x * x, 1, "same", grad=lambda g, x, out: (g * (3 * (x * x)),))
reciprocal = Elementwise("reciprocal", lambda x: 1 / x, 1, grad=lambda g, x, out: (-(g * out * out),))
_trunc = Elementwise("trunc", _truncated, 1)
_truncated_quotient = Elementwise(
    "div", lambda a, b: _truncated(call("div", a, b)), 2, grad=lambda g, a, b, out: (None, None)
)
interpolated = Elementwise(
    "lerp",
    # counted from the nearer end, so that both ends are exact
    lambda a, b, w: where_expr(call("lt", call("abs", w), 0.5), a + w * (b - a), b - (b - a) * (1 - w)),
    3,
    grad=lambda g, a, b, w, out: (g * (1 - w), g * w, g * (b - a)),
    names=("input", "end", "weight"),
)


def lerp(input: Any, end: Any, weight: Any) -> Any:
    """``input + weight * (end - input)``, for tensors of one floating-point type; ``weight`` may be a number.

    Raises:
        RuntimeError: the types differ.
    """
    return interpolated(*_to_interpolate(input, end, weight))


def lerp_(input: Any, end: Any, weight: Any) -> Any:
    """``lerp`` in place."""
    return interpolated.into(input, *_to_interpolate(input, end, weight))


def _to_interpolate(*operands: Any) -> Any:
    for name, t in zip(("input", "end"), operands, strict=False):
        if not isinstance(t, TensorCore):
            raise TypeError(f"lerp: {name} is a tensor, got {type(t).__name__}")
    types = [t._view.dtype for t in operands if isinstance(t, TensorCore)]
    if any(t is not types[0] for t in types):
        raise RuntimeError(f"lerp: expected tensors of one dtype, got {' and '.join(map(str, types))}")
    if not types[0].is_floating_point:
        raise DtypeError(f"lerp is not defined for {types[0]}; convert with .float()")
    return operands


multiply_add = Elementwise("addcmul", lambda x, a, b, value: x + value * (a * b), 4, "numeric")
divide_add = Elementwise("addcdiv", lambda x, a, b, value: x + value * (a / b), 4)


def _rounding(name: str) -> Any:
    """floor, ceil, round and trunc leave integers as they are."""
    operation = _trunc if name == "trunc" else _named(name, 1)

    def apply(x: Any) -> Any:
        if x.dtype is bool_:
            raise DtypeError(f"{name} is not defined for bools")
        return operation(x) if x.dtype.is_floating_point else x.clone()

    apply.__name__, apply.__doc__ = name, f"``{name}`` of each element; integers stay as they are."
    return apply


floor, ceil, round, trunc = (_rounding(name) for name in ("floor", "ceil", "round", "trunc"))


def _towards_zero(a: Expr, b: Expr) -> Expr:
    down = call("floordiv", a, b)
    signs_differ = call("ne", call("lt", a, 0), call("lt", b, 0))
    return where_expr(call("and", call("ne", call("mod", a, b), 0), signs_differ), down + 1, down)


_integer_quotient = _Division("div", _towards_zero, 2, "same")


def sign(input: Any) -> Any:
    """-1, 0 or 1; nan has no sign and gives 0."""
    return input.clone() if input.dtype is bool_ else _sign(input)


def _alpha(name: str, input: Any, other: Any, alpha: Any) -> Any:
    """``alpha`` as the operands take it.

    Raises:
        RuntimeError: it is a float and both are integers, or they are bools and it is no bool.
    """
    types = [t._view.dtype for t in (input, other) if isinstance(t, TensorCore)]
    floating = any(t.is_floating_point for t in types) or isinstance(other, float)
    if isinstance(alpha, float) and not floating:
        raise RuntimeError(f"{name}: for integral input tensors, argument alpha must not be a float")
    return alpha


def add(input: Any, other: Any, *, alpha: float = 1) -> Any:
    """``input + alpha * other``, broadcast."""
    if alpha == 1:
        return plus(input, other)
    return scaled_sum(input, other, _alpha("add", input, other, alpha))


def sub(input: Any, other: Any, *, alpha: float = 1) -> Any:
    """``input - alpha * other``, broadcast."""
    if alpha == 1:
        return minus(input, other)
    return scaled_sum(input, other, -_alpha("sub", input, other, alpha))


def rsub(input: Any, other: Any, *, alpha: float = 1) -> Any:
    """``other - alpha * input``, broadcast."""
    return sub(other, input, alpha=alpha)


def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: float = 1) -> Any:
    """``input + value * tensor1 * tensor2``, broadcast."""
    return multiply_add(input, tensor1, tensor2, value)


def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: float = 1) -> Any:
    """``input + value * tensor1 / tensor2``, broadcast.

    Raises:
        RuntimeError: both divided tensors are of integers.
    """
    if all(isinstance(t, TensorCore) and not t._view.dtype.is_floating_point for t in (tensor1, tensor2)):
        raise RuntimeError("addcdiv does not divide integer tensors by each other; convert with .float()")
    return divide_add(input, tensor1, tensor2, value)


def mul(input: Any, other: Any) -> Any:
    """``input * other``, broadcast."""
    return times(input, other)


def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Any:
    """``input / other``; ``rounding_mode`` ``"floor"`` or ``"trunc"`` rounds the quotient and keeps integers.

    Raises:
        RuntimeError: ``rounding_mode`` is something else.
    """
    if rounding_mode is None:
        return true_divide(input, other)
    if rounding_mode == "floor":
        return floor_divide(input, other)
    if rounding_mode != "trunc":
        raise RuntimeError(f"div expected rounding_mode None, 'trunc' or 'floor', got {rounding_mode!r}")
    if any(
        x.dtype.is_floating_point if hasattr(x, "dtype") else isinstance(x, float) for x in (input, other)
    ):
        return _truncated_quotient(input, other)
    return _integer_quotient(input, other)


def pow(input: Any, exponent: Any) -> Any:
    """``input`` to the power ``exponent``.

    Raises:
        RuntimeError: an integer tensor to a negative whole power.
    """
    a, b = input, exponent
    if isinstance(a, TensorCore) and isinstance(b, int | float) and not isinstance(b, bool):
        floating = a._view.dtype.is_floating_point
        if a._view.dtype is bool_:
            return power(a.to(result_type([(bool_, 1)], [b])), b)  # type: ignore[attr-defined]
        if b == 2:
            return square(a) if isinstance(b, int) or floating else power(a, b)
        if isinstance(b, int) and b < 0 and not floating:
            raise RuntimeError("integers to negative integer powers are not allowed; use a float exponent")
        if b == 0.5:
            return sqrt(a)
        if b == 3 and floating:
            return _cube(a)
        if b == -1 and floating:
            return reciprocal(a)
    return power(a, b)


# -- mathematics -------------------------------------------------------------------------------------------
exp, expm1 = _named("exp", 1), _named("expm1", 1)
log, log1p = _named("log", 1), _named("log1p", 1)
sqrt, sin, cos, tanh, erf = (_named(n, 1) for n in ("sqrt", "sin", "cos", "tanh", "erf"))
rsqrt = Elementwise(
    "rsqrt", lambda x: 1 / call("sqrt", x), 1, grad=lambda g, x, out: (g * -0.5 * (out * out * out),)
)
log2 = Elementwise("log2", lambda x: call("log", x) * (1 / math.log(2)), 1)
log10 = Elementwise("log10", lambda x: call("log", x) * (1 / math.log(10)), 1)
exp2 = Elementwise("exp2", lambda x: call("pow", 2, x), 1, grad=lambda g, x, out: (g * out * math.log(2),))

# -- comparison and logic ----------------------------------------------------------------------------------
eq, ne, lt, le = (_named(n, 2, "compare") for n in ("eq", "ne", "lt", "le"))
gt = Elementwise("gt", lambda a, b: call("lt", b, a), 2, "compare")
ge = Elementwise("ge", lambda a, b: call("le", b, a), 2, "compare")
logical_and = Elementwise("logical_and", lambda a, b: call("and", a, b), 2, "logic")
logical_or = Elementwise("logical_or", lambda a, b: call("or", a, b), 2, "logic")
logical_xor = Elementwise("logical_xor", lambda a, b: call("xor", a, b), 2, "logic")
logical_not = Elementwise("logical_not", lambda a: call("not", a), 1, "logic")
bitwise_and, bitwise_or, bitwise_xor = (
    Elementwise(f"bitwise_{n}", lambda a, b, n=n: call(n, a, b), 2, "bits") for n in ("and", "or", "xor")
)
bitwise_not = Elementwise("bitwise_not", lambda a: call("not", a), 1, "bits")


def _shift(name: str) -> Elementwise:
    def formula(a: Expr, b: Expr) -> Expr:
        inside = call("and", call("le", 0, b), call("lt", b, 64))  # else 0, or the sign, in every width
        if name == "shl":
            return where_expr(inside, call("shl", a, where_expr(inside, b, 0)), 0)
        return call("shr", a, where_expr(inside, b, 63))

    return Elementwise(f"bitwise_{'left' if name == 'shl' else 'right'}_shift", formula, 2, "shift")


bitwise_left_shift, bitwise_right_shift = _shift("shl"), _shift("shr")
isnan = Elementwise("isnan", lambda x: call("ne", x, x), 1, "compare")
_abs_is_inf = Elementwise("isinf", lambda x: call("eq", call("abs", x), math.inf), 1, "compare")
_abs_is_finite = Elementwise("isfinite", lambda x: call("lt", call("abs", x), math.inf), 1, "compare")


def isinf(x: Any) -> Any:
    """True where an element is infinite."""
    return _abs_is_inf(x) if x.dtype.is_floating_point else ne(x, x)


def isfinite(x: Any) -> Any:
    """True where an element is neither infinite nor nan."""
    return _abs_is_finite(x) if x.dtype.is_floating_point else eq(x, x)


# -- selection ---------------------------------------------------------------------------------------------
select_where = Elementwise("where", where_expr, 3, "same", conditions=(0,))
masked = Elementwise("masked_fill", lambda x, m, v: where_expr(m, v, x), 3, "same", conditions=(1,))


def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """``input`` where ``condition`` holds, else ``other``; a condition alone gives its positions."""
    if input is None and other is None:
        from genesis.ops.picking import nonzero

        return nonzero(condition, as_tuple=True)
    if getattr(condition, "dtype", None) is uint8:  # as PyTorch still takes it
        condition = condition.to(bool_)
    _check_mask("where", condition)
    return select_where(condition, _beside(input, other), _beside(other, input))


def _beside(value: Any, x: Any) -> Any:
    """``value`` as it is, after checking that a whole number fits into the type of ``x``.

    Raises:
        RuntimeError: it does not.
    """
    return fitting(value, x._view.dtype) if type(value) is int and isinstance(x, TensorCore) else value


def masked_fill(x: Any, mask: Any, value: Any) -> Any:
    """``x`` with ``value`` (a number or a 0-d tensor) where ``mask`` is true; the type of ``x`` stays."""
    _check_mask("masked_fill", mask, value)
    out = masked(x, mask, _beside(value, x))
    return out if out.dtype is x.dtype else out.to(x.dtype)


def masked_fill_(x: Any, mask: Any, value: Any) -> Any:
    """``masked_fill`` in place."""
    _check_mask("masked_fill_", mask, value)
    return masked.into(x, x, mask, _beside(value, x))


def _check_mask(name: str, mask: Any, value: Any = 0) -> None:
    if isinstance(value, TensorCore) and value._view.shape:
        raise RuntimeError(f"{name} takes a number or a 0-d tensor as value, got shape {value._view.shape}")
    if getattr(mask, "dtype", None) is not bool_:
        what = getattr(mask, "dtype", type(mask).__name__)
        raise DtypeError(f"{name} expects a bool tensor as condition, got {what}; compare with 0, say")


def _inside(x: Expr, low: Expr | None, high: Expr | None, g: Expr) -> Expr:
    if low is not None:
        g = where_expr(call("le", low, x), g, ZERO)
    if high is not None:
        g = where_expr(call("le", x, high), g, ZERO)
    return g


clamp_both = Elementwise(
    "clamp",
    lambda x, low, high: call("min", call("max", x, low), high),
    3,
    "same",
    grad=lambda g, x, low, high, out: (
        _inside(x, low, high, g),
        where_expr(call("and", call("lt", x, low), call("lt", low, high)), g, ZERO),
        where_expr(call("or", call("lt", high, x), call("lt", high, low)), g, ZERO),
    ),
)
clamp_low = Elementwise(
    "clamp",
    lambda x, low: call("max", x, low),
    2,
    "same",
    grad=lambda g, x, low, out: (_inside(x, low, None, g), where_expr(call("lt", x, low), g, ZERO)),
)
clamp_high = Elementwise(
    "clamp",
    lambda x, high: call("min", x, high),
    2,
    "same",
    grad=lambda g, x, high, out: (_inside(x, None, high, g), where_expr(call("lt", high, x), g, ZERO)),
)


def clamp_operation(x: Any, low: Any, high: Any) -> tuple[Elementwise, tuple[Any, ...]]:
    """The clamping operation for the bounds that are given, and these bounds.

    Raises:
        RuntimeError: neither bound is given, or a whole number does not fit into the type of ``x``.
    """
    if low is None and high is None:
        raise RuntimeError("clamp needs at least one of min and max")
    if type(low) is not float and type(high) is not float:  # else the result is of a floating type
        low, high = _beside(low, x), _beside(high, x)
    if high is None:
        return clamp_low, (low,)
    if low is None:
        return clamp_high, (high,)
    return clamp_both, (low, high)


def clamp(x: Any, min: Any = None, max: Any = None) -> Any:
    """``x`` limited to [min, max]; bounds are numbers or tensors, either may be None.

    Raises:
        RuntimeError: neither bound is given, or a whole number does not fit into the type of ``x``.
    """
    operation, bounds = clamp_operation(x, min, max)
    return operation(x, *bounds)


def clamp_min(x: Any, min: Any) -> Any:
    """``clamp(x, min=min)``."""
    return clamp(x, min)


def clamp_max(x: Any, max: Any) -> Any:
    """``clamp(x, max=max)``."""
    return clamp(x, None, max)


def nan_to_num(x: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    """``x`` with nan and infinities replaced; the infinities by the largest finite numbers unless given."""
    if not x.dtype.is_floating_point:
        return x.clone()
    big = finfo(x.dtype).max
    out = where(isnan(x), nan, x)
    out = where(eq(out, math.inf), big if posinf is None else posinf, out)
    return where(eq(out, -math.inf), -big if neginf is None else neginf, out)
