"""Arithmetic beyond the operators: remainders, signs, steps, extremes that ignore nan, whole numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from genesis._dtypes import DtypeError, bool_, float64, int32, result_type
from genesis._errors import DeviceError
from genesis.autograd.graph import Node, TensorCore
from genesis.backend.expr import Expr, call
from genesis.ops import elementwise as ew
from genesis.ops._elementwise import Elementwise
from genesis.ops._formulas import (
    ZERO,
    absolute,
    both,
    eq,
    is_nan,
    le,
    lt,
    sign_bit,
    towards_zero,
    where,
    with_sign_of,
)
from genesis.ops._op import primitive

# -- remainders --------------------------------------------------------------------------------------------


def _float_fmod(a: Expr, b: Expr) -> Expr:
    size = call("mod", absolute(a), absolute(b))
    return where(lt(a, 0), -size, size)


def _whole_fmod(a: Expr, b: Expr) -> Expr:
    rest = call("mod", a, b)
    other = both(call("ne", rest, 0), call("ne", lt(a, 0), lt(b, 0)))
    return where(other, rest - b, rest)


_fmod = Elementwise(
    "fmod",
    _float_fmod,
    2,
    "numeric",
    grad=lambda g, a, b, out: (g, -(g * towards_zero(a / b))),
)
_integer_fmod = ew._Division("fmod", _whole_fmod, 2, "numeric")


def _any_float(*operands: Any) -> bool:
    return any(
        a._view.dtype.is_floating_point if isinstance(a, TensorCore) else isinstance(a, float)
        for a in operands
    )


def fmod(input: Any, other: Any) -> Any:
    """The remainder of ``input / other`` with the sign of ``input``, as in C; see ``remainder`` for Python's.

    Raises:
        RuntimeError: integers are divided by zero.
    """
    return (_fmod if _any_float(input, other) else _integer_fmod)(input, other)


_frac = Elementwise("frac", lambda x: x - towards_zero(x), 1, grad=lambda g, x, out: (g,))


def frac(input: Any) -> Any:
    """``input - trunc(input)``, with the sign of ``input``.

    Raises:
        RuntimeError: ``input`` is of integers.
    """
    if not input.dtype.is_floating_point:
        raise DtypeError(f"frac needs a floating-point tensor, got {input.dtype}")
    return _frac(input)


# -- signs and steps ---------------------------------------------------------------------------------------
copysign = Elementwise(
    "copysign",
    with_sign_of,
    2,
    grad=lambda g, a, b, out: (where(eq(a, 0), ZERO, g * (out / a)), None),
)
_signbit = Elementwise("signbit", sign_bit, 1, "compare")
_below_zero = Elementwise("signbit", lambda x: lt(x, 0), 1, "compare")
_step = Elementwise(
    "heaviside",
    lambda x, v: where(is_nan(x), x, where(lt(x, 0), 0.0, where(eq(x, 0), v, 1.0))),
    2,
    "same",
    grad=lambda g, x, v, out: (None, where(eq(x, 0), g, ZERO)),
)
_whole_step = Elementwise("heaviside", lambda x, v: where(lt(x, 0), 0, where(eq(x, 0), v, 1)), 2, "number")


def signbit(input: Any) -> Any:
    """True where the sign is negative, that of -0.0 included; False for nan."""
    if input.dtype is bool_:
        return ew.logical_and(input, False)
    return (_signbit if input.dtype.is_floating_point else _below_zero)(input)


def heaviside(input: Any, values: Any) -> Any:
    """0 below zero, ``values`` at zero, 1 above.

    Raises:
        RuntimeError: the two are not of one type.
    """
    _tensors("heaviside", input, values)
    if input.dtype is not values.dtype:
        raise RuntimeError(
            f"heaviside is not defined for tensors of two types, got {input.dtype} and {values.dtype}"
        )
    if input.dtype is bool_:
        return ew.logical_or(input, values)
    return (_step if input.dtype.is_floating_point else _whole_step)(input, values)


def positive(input: Any) -> Any:
    """``input`` itself.

    Raises:
        RuntimeError: ``input`` is of bools.
    """
    if input.dtype is bool_:
        raise DtypeError("positive (+x) is not defined for bools")
    return input


# -- powers ------------------------------------------------------------------------------------------------
def float_power(input: Any, exponent: Any) -> Any:
    """``input`` to the power ``exponent``, in float64."""
    base, power = (_wide(x) for x in (input, exponent))
    return ew.pow(base, power)


def _wide(x: Any) -> Any:
    return x.to(float64) if hasattr(x, "to") else float(x)


def ldexp(input: Any, other: Any) -> Any:
    """``input * 2**other``."""
    types = [t._view.dtype for t in (input, other) if isinstance(t, TensorCore)]
    if len(types) == 2 and types[0].is_half and not types[1].is_floating_point:
        other = other.to(types[0])
    return ew.times(input, ew.power(2.0, other))


def frexp(input: Any) -> Any:
    """(mantissa, exponent), an int32: ``input = mantissa * 2**exponent``, 0.5 <= |mantissa| < 1.

    Raises:
        RuntimeError: ``input`` is not of a floating-point type.
    """
    from genesis.ops.reduction import named_result

    if not input.dtype.is_floating_point:
        raise DtypeError(f"frexp needs a floating-point tensor, got {input.dtype}")
    exponent = _on_host(lambda x: np.frexp(x)[1].astype(np.int32), input)
    # in two factors: 2**-exponent may overflow alone
    half = ew.div(exponent, 2, rounding_mode="floor")
    mantissa = input * ew.power(2.0, -half.to(input.dtype)) * ew.power(2.0, (half - exponent).to(input.dtype))
    return named_result("frexp", "mantissa", "exponent")(mantissa, exponent.to(int32))


# -- rounding ----------------------------------------------------------------------------------------------
_round_scaled = Elementwise(
    "round", lambda x, scale: call("round", x * scale) / scale, 2, grad=lambda g, x, scale, out: (None, None)
)
_round_coarse = Elementwise(
    "round", lambda x, scale: call("round", x / scale) * scale, 2, grad=lambda g, x, scale, out: (None, None)
)


def round(input: Any, *, decimals: int = 0) -> Any:
    """To the nearest number with ``decimals`` digits after the point, halves to even.

    Raises:
        RuntimeError: ``decimals`` for integers.
    """
    if decimals == 0:
        return ew.round(input)
    if not input.dtype.is_floating_point:
        raise DtypeError(f"round with decimals is not defined for {input.dtype}")
    return (_round_scaled if decimals > 0 else _round_coarse)(input, 10.0 ** abs(decimals))


# -- extremes that ignore nan ------------------------------------------------------------------------------
def _extreme(name: str) -> Elementwise:
    def formula(a: Expr, b: Expr) -> Expr:
        return where(is_nan(a), b, where(is_nan(b), a, call(name, a, b)))

    def grad(g: Expr, a: Expr, b: Expr, out: Expr) -> tuple[Expr, Expr]:
        first = le(b, a) if name == "max" else le(a, b)
        chosen = call("or", first, is_nan(b))
        return where(chosen, g, ZERO), where(chosen, ZERO, g)

    return Elementwise(f"f{name}", formula, 2, "same", grad=grad)


_fmax, _fmin = _extreme("max"), _extreme("min")


def fmax(input: Any, other: Any) -> Any:
    """The larger of two; where one is nan, the other."""
    return (_fmax if _any_float(input, other) else ew.maximum)(input, other)


def fmin(input: Any, other: Any) -> Any:
    """The smaller of two; where one is nan, the other."""
    return (_fmin if _any_float(input, other) else ew.minimum)(input, other)


# -- on the host -------------------------------------------------------------------------------------------
def _on_host(function: Callable[..., Any], *tensors: Any) -> Any:
    """A function of NumPy arrays, for what the alphabet has no name for; the result has no gradient."""
    from genesis.ops.creation import from_host

    devices = {t._view.buffer.device for t in tensors}
    if len(devices) > 1:
        raise DeviceError(f"all tensors must be on one device, got {' and '.join(map(str, devices))}")
    arrays = [t._view.buffer.device.backend.read(t._view) for t in tensors]
    with np.errstate(all="ignore"):
        return from_host(np.asarray(function(*arrays), order="C"), tensors[0]._view.buffer.device)


def _tensors(name: str, *operands: Any) -> None:
    for t in operands:
        if not isinstance(t, TensorCore):
            raise TypeError(f"{name} takes tensors, got {type(t).__name__}; use genesis.tensor(...)")


def _common(*tensors: Any) -> Any:
    return result_type([(t._view.dtype, len(t._view.shape)) for t in tensors], [])


def _whole_pair(name: str, a: Any, b: Any) -> Any:
    _tensors(name, a, b)
    common = _common(a, b)
    if common.is_floating_point or common is bool_:
        raise DtypeError(f"{name} is defined for integers, got {a.dtype} and {b.dtype}")
    return a.to(common), b.to(common)


def gcd(input: Any, other: Any) -> Any:
    """The greatest common divisor, of integers."""
    return _on_host(np.gcd, *_whole_pair("gcd", input, other))


def lcm(input: Any, other: Any) -> Any:
    """The least common multiple, of integers."""
    return _on_host(np.lcm, *_whole_pair("lcm", input, other))


@primitive("nextafter")
def _nextafter(node: Node, grad: Any) -> Any:
    """As in PyTorch: a step is too small to count, and two equal numbers have no gradient."""
    from genesis.ops.reduction import sum_to_shape

    a, b = node.unpack()
    step = ew.where(ew.ne(a, b), grad, 0.0)
    zero = grad._zeros_like()
    return [sum_to_shape(g, x._view.shape).to(x.dtype) for g, x in ((step, a), (zero, b))]


def nextafter(input: Any, other: Any) -> Any:
    """The next floating-point number after ``input`` towards ``other``."""
    _tensors("nextafter", input, other)
    common = _common(input, other)
    if not common.is_floating_point:
        raise DtypeError(f"nextafter needs floating-point tensors, got {input.dtype} and {other.dtype}")
    out = _on_host(np.nextafter, input.to(common), other.to(common))
    return _nextafter.wrap(out._view, (input, other), (input, other))


_angle = Elementwise(
    "angle",
    lambda x: where(is_nan(x), x, where(lt(x, 0), math.pi, ZERO)),
    1,
    grad=lambda g, x, out: (None,),
)


def angle(input: Any) -> Any:
    """The angle of each number as one of the complex plane: 0, pi for negative ones, nan for nan."""
    return _angle(input)


def fill(input: Any, value: Any) -> Any:
    """A tensor like ``input`` with every element ``value``, a number or a 0-d tensor."""
    return input.clone().fill_(value)
