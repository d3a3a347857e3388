"""Operations that overwrite their tensor: ``x.name_(...)`` is ``x.name(...)`` written into ``x``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from genesis._dtypes import float64
from genesis._errors import ShapeError
from genesis.autograd.grad_mode import state
from genesis.autograd.graph import TensorCore, check_writable, tracked
from genesis.ops import activation as act
from genesis.ops import arithmetic as ar
from genesis.ops import elementwise as ew
from genesis.ops import moments, orthogonal
from genesis.ops import reduction as red
from genesis.ops import special as sp
from genesis.ops import trigonometry as tr
from genesis.ops._elementwise import Elementwise

if TYPE_CHECKING:
    from genesis._tensor import Tensor

assign = Elementwise("copy", lambda x: x, 1, "same")
#: the same for a tensor with a history, which then gets a gradient of zero
replace = Elementwise("copy", lambda old, x: x, 2, "same", grad=lambda g, old, x, out: (None, g))


def overwrite(x: Any, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Write ``function(x, *args, **options)`` into ``x``.

    What the gradient needs of the old value of ``x`` is copied before.

    Raises:
        RuntimeError: the result has another shape or does not fit the type of ``x``, or ``x`` may not be
            overwritten.
    """
    check_writable(x)
    operands = (x, *args)
    if state.enabled and any(isinstance(a, TensorCore) and tracked(a) for a in operands):
        buffer = x._view.buffer
        operands = tuple(
            a.clone() if isinstance(a, TensorCore) and a._view.buffer is buffer else a  # type: ignore[attr-defined]
            for a in operands
        )
    result = function(*operands, **options)
    if result._view.shape != x._view.shape:
        raise ShapeError(
            f"output with shape {x._view.shape} doesn't match the broadcast shape {result._view.shape}; an "
            "in-place operation cannot change the shape of its tensor"
        )
    return assign.into(x, result)


def in_place(function: Callable[..., Any]) -> Callable[..., Tensor]:
    """The method that overwrites its tensor with what ``function`` gives for it."""
    if isinstance(function, Elementwise):
        operation: Elementwise = function
        if operation.arity == 1:
            return lambda self: operation.into(self, self)
        name = operation.names[1]

        def two(self: Any, *args: Any, **named: Any) -> Tensor:
            if named:
                args = (*args, *(named.pop(n) for n in (name,) if n in named))
            if named or len(args) != operation.arity - 1:
                raise TypeError(f"{operation.name}_ takes one argument, {name!r}")
            return operation.into(self, self, *args)

        return two
    return lambda self, *args, **options: overwrite(self, function, *args, **options)


class InPlaceMethods(TensorCore):
    """Methods whose names end in ``_``; each returns its tensor."""

    # -- one operand -------------------------------------------------------------------------------------
    abs_ = absolute_ = in_place(ew.abs)
    acos_ = arccos_ = in_place(tr.acos)
    acosh_ = arccosh_ = in_place(tr.acosh)
    asin_ = arcsin_ = in_place(tr.asin)
    asinh_ = arcsinh_ = in_place(tr.asinh)
    atan_ = arctan_ = in_place(tr.atan)
    atanh_ = arctanh_ = in_place(tr.atanh)
    ceil_ = in_place(ew.ceil)
    cos_ = in_place(ew.cos)
    cosh_ = in_place(tr.cosh)
    deg2rad_ = in_place(tr.deg2rad)
    digamma_ = in_place(sp.digamma)
    erf_ = in_place(ew.erf)
    erfc_ = in_place(sp.erfc)
    erfinv_ = in_place(sp.erfinv)
    exp_ = in_place(ew.exp)
    exp2_ = in_place(ew.exp2)
    expm1_ = in_place(ew.expm1)
    floor_ = in_place(ew.floor)
    frac_ = in_place(ar.frac)
    i0_ = in_place(sp.i0)
    lgamma_ = in_place(sp.lgamma)
    log_ = in_place(ew.log)
    log10_ = in_place(ew.log10)
    log1p_ = in_place(ew.log1p)
    log2_ = in_place(ew.log2)
    logical_not_ = in_place(ew.logical_not)
    bitwise_not_ = in_place(ew.bitwise_not)
    neg_ = negative_ = in_place(ew.neg)
    rad2deg_ = in_place(tr.rad2deg)
    reciprocal_ = in_place(ew.reciprocal)
    relu_ = in_place(act.relu)
    rsqrt_ = in_place(ew.rsqrt)
    sgn_ = sign_ = in_place(ew.sign)
    sigmoid_ = in_place(act.sigmoid)
    sin_ = in_place(ew.sin)
    sinc_ = in_place(tr.sinc)
    sinh_ = in_place(tr.sinh)
    sqrt_ = in_place(ew.sqrt)
    square_ = in_place(ew.square)
    tan_ = in_place(tr.tan)
    tanh_ = in_place(ew.tanh)
    trunc_ = fix_ = in_place(ew.trunc)

    # -- with options ------------------------------------------------------------------------------------
    logit_ = in_place(sp.logit)
    mvlgamma_ = in_place(sp.mvlgamma)
    nan_to_num_ = in_place(ew.nan_to_num)
    round_ = in_place(ar.round)
    cumsum_ = in_place(red.cumsum)
    cumprod_ = in_place(red.cumprod)

    def polygamma_(self, n: int) -> Tensor:
        """``polygamma`` in place."""
        return overwrite(self, lambda x: sp.polygamma(n, x))  # type: ignore[no-any-return]

    def clamp_(self, min: Any = None, max: Any = None) -> Tensor:
        """``clamp`` in place."""
        operation, bounds = ew.clamp_operation(self, min, max)
        return operation.into(self, self, *bounds)

    clip_ = clamp_

    def clamp_min_(self, min: Any) -> Tensor:
        """At least ``min``, in place."""
        return self.clamp_(min)

    def clamp_max_(self, max: Any) -> Tensor:
        """At most ``max``, in place."""
        return self.clamp_(None, max)

    def masked_fill_(self, mask: Any, value: Any) -> Tensor:
        """``masked_fill`` in place."""
        return ew.masked_fill_(self, mask, value)  # type: ignore[no-any-return]

    # -- two operands and more ---------------------------------------------------------------------------
    def add_(self, other: Any, *, alpha: float = 1) -> Tensor:
        """``self + alpha * other`` in place."""
        if alpha == 1:
            return ew.plus.into(self, self, other)
        return ew.scaled_sum.into(self, self, other, alpha)

    def sub_(self, other: Any, *, alpha: float = 1) -> Tensor:
        """``self - alpha * other`` in place."""
        if alpha == 1:
            return ew.minus.into(self, self, other)
        return ew.scaled_sum.into(self, self, other, -alpha)

    def mul_(self, other: Any) -> Tensor:
        """``self * other`` in place."""
        return ew.times.into(self, self, other)

    def div_(self, other: Any, *, rounding_mode: str | None = None) -> Tensor:
        """``self / other`` in place."""
        if rounding_mode is None:
            return ew.true_divide.into(self, self, other)
        return overwrite(self, ew.div, other, rounding_mode=rounding_mode)  # type: ignore[no-any-return]

    def addcmul_(self, tensor1: Any, tensor2: Any, *, value: float = 1) -> Tensor:
        """``self + value * tensor1 * tensor2`` in place."""
        return ew.multiply_add.into(self, self, tensor1, tensor2, value)

    def addcdiv_(self, tensor1: Any, tensor2: Any, *, value: float = 1) -> Tensor:
        """``self + value * tensor1 / tensor2`` in place."""
        return ew.divide_add.into(self, self, tensor1, tensor2, value)

    def lerp_(self, end: Any, weight: Any) -> Tensor:
        """``lerp`` in place."""
        return ew.lerp_(self, end, weight)  # type: ignore[no-any-return]

    def pow_(self, exponent: Any) -> Tensor:
        """``pow`` in place."""
        if isinstance(exponent, int) and exponent < 0 and not self._view.dtype.is_floating_point:
            raise RuntimeError("integers to negative integer powers are not allowed; use a float exponent")
        return ew.power.into(self, self, exponent)

    subtract_, multiply_, divide_ = sub_, mul_, div_
    true_divide_ = in_place(ew.true_divide)
    atan2_ = arctan2_ = in_place(tr.atan2)
    bitwise_and_ = in_place(ew.bitwise_and)
    bitwise_or_ = in_place(ew.bitwise_or)
    bitwise_xor_ = in_place(ew.bitwise_xor)
    bitwise_left_shift_ = in_place(ew.bitwise_left_shift)
    bitwise_right_shift_ = in_place(ew.bitwise_right_shift)
    copysign_ = in_place(ar.copysign)

    def float_power_(self, exponent: Any) -> Tensor:
        """``float_power`` in place, of a float64 tensor.

        Raises:
            RuntimeError: it is of another type.
        """
        if self._view.dtype is not float64:
            raise RuntimeError(
                f"the base given to float_power_ has dtype {self._view.dtype} but the operation's result "
                "requires dtype float64"
            )
        return overwrite(self, ar.float_power, exponent)  # type: ignore[no-any-return]

    floor_divide_ = in_place(ew.floor_divide)
    fmod_ = in_place(ar.fmod)
    gcd_, lcm_ = in_place(ar.gcd), in_place(ar.lcm)
    heaviside_ = in_place(ar.heaviside)
    hypot_ = in_place(tr.hypot)
    igamma_ = in_place(orthogonal.gammainc)
    igammac_ = in_place(orthogonal.gammaincc)
    ldexp_ = in_place(ar.ldexp)
    nextafter_ = in_place(ar.nextafter)
    remainder_ = in_place(ew.remainder)
    renorm_ = in_place(moments.renorm)
    xlogy_ = in_place(sp.xlogy)

    # -- comparison and logic: the result in the type of the tensor --------------------------------------
    eq_ = in_place(ew.eq)
    ne_ = not_equal_ = in_place(ew.ne)
    lt_ = less_ = in_place(ew.lt)
    le_ = less_equal_ = in_place(ew.le)
    gt_ = greater_ = in_place(ew.gt)
    ge_ = greater_equal_ = in_place(ew.ge)
    logical_and_ = in_place(ew.logical_and)
    logical_or_ = in_place(ew.logical_or)
    logical_xor_ = in_place(ew.logical_xor)
