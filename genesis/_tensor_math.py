"""Mathematics on single elements as methods of tensors, one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genesis.autograd.graph import TensorCore
from genesis.ops import arithmetic as ar
from genesis.ops import comparison as cmp
from genesis.ops import elementwise as ew
from genesis.ops import orthogonal as og
from genesis.ops import special as sp
from genesis.ops import trigonometry as tr

if TYPE_CHECKING:
    from genesis._tensor import Tensor

# fmt: off
# mypy: disable-error-code="arg-type, no-any-return, return-value"


class MathMethods(TensorCore):
    """Functions of single elements and comparisons; see the function of the same name in ``genesis``."""

    # -- trigonometry --------------------------------------------------------------------------------
    def acos(self) -> Tensor: return tr.acos(self)
    def acosh(self) -> Tensor: return tr.acosh(self)
    def asin(self) -> Tensor: return tr.asin(self)
    def asinh(self) -> Tensor: return tr.asinh(self)
    def atan(self) -> Tensor: return tr.atan(self)
    def atan2(self, other: Any) -> Tensor: return tr.atan2(self, other)
    def atanh(self) -> Tensor: return tr.atanh(self)
    def cosh(self) -> Tensor: return tr.cosh(self)
    def deg2rad(self) -> Tensor: return tr.deg2rad(self)
    def hypot(self, other: Any) -> Tensor: return tr.hypot(self, other)
    def rad2deg(self) -> Tensor: return tr.rad2deg(self)
    def sinc(self) -> Tensor: return tr.sinc(self)
    def sinh(self) -> Tensor: return tr.sinh(self)
    def tan(self) -> Tensor: return tr.tan(self)
    arccos, arccosh, arcsin, arcsinh = acos, acosh, asin, asinh
    arctan, arctan2, arctanh = atan, atan2, atanh

    # -- special functions ---------------------------------------------------------------------------
    def digamma(self) -> Tensor: return sp.digamma(self)
    def erfc(self) -> Tensor: return sp.erfc(self)
    def erfinv(self) -> Tensor: return sp.erfinv(self)
    def i0(self) -> Tensor: return sp.i0(self)
    def lgamma(self) -> Tensor: return sp.lgamma(self)
    def logaddexp(self, other: Any) -> Tensor: return sp.logaddexp(self, other)
    def logaddexp2(self, other: Any) -> Tensor: return sp.logaddexp2(self, other)
    def logit(self, eps: float | None = None) -> Tensor: return sp.logit(self, eps)
    def mvlgamma(self, p: int) -> Tensor: return sp.mvlgamma(self, p)
    def igamma(self, other: Any) -> Tensor: return og.gammainc(self, other)
    def igammac(self, other: Any) -> Tensor: return og.gammaincc(self, other)
    def polygamma(self, n: int) -> Tensor: return sp.polygamma(n, self)
    def xlogy(self, other: Any) -> Tensor: return sp.xlogy(self, other)

    # -- arithmetic ----------------------------------------------------------------------------------
    def angle(self) -> Tensor: return ar.angle(self)
    def copysign(self, other: Any) -> Tensor: return ar.copysign(self, other)
    def fix(self) -> Tensor: return ew.trunc(self)
    def float_power(self, exponent: Any) -> Tensor: return ar.float_power(self, exponent)
    def fmax(self, other: Any) -> Tensor: return ar.fmax(self, other)
    def fmin(self, other: Any) -> Tensor: return ar.fmin(self, other)
    def fmod(self, other: Any) -> Tensor: return ar.fmod(self, other)
    def frac(self) -> Tensor: return ar.frac(self)
    def frexp(self) -> Any: return ar.frexp(self)
    def gcd(self, other: Any) -> Tensor: return ar.gcd(self, other)
    def heaviside(self, values: Any) -> Tensor: return ar.heaviside(self, values)
    def lcm(self, other: Any) -> Tensor: return ar.lcm(self, other)
    def ldexp(self, other: Any) -> Tensor: return ar.ldexp(self, other)
    def nextafter(self, other: Any) -> Tensor: return ar.nextafter(self, other)
    def positive(self) -> Tensor: return ar.positive(self)
    def round(self, *, decimals: int = 0) -> Tensor: return ar.round(self, decimals=decimals)
    def sgn(self) -> Tensor: return ew.sign(self)
    def signbit(self) -> Tensor: return ar.signbit(self)
    def clamp_min(self, min: Any) -> Tensor: return ew.clamp(self, min)
    def clamp_max(self, max: Any) -> Tensor: return ew.clamp(self, None, max)

    # -- bits ----------------------------------------------------------------------------------------
    def bitwise_and(self, other: Any) -> Tensor: return ew.bitwise_and(self, other)
    def bitwise_or(self, other: Any) -> Tensor: return ew.bitwise_or(self, other)
    def bitwise_xor(self, other: Any) -> Tensor: return ew.bitwise_xor(self, other)
    def bitwise_not(self) -> Tensor: return ew.bitwise_not(self)
    def bitwise_left_shift(self, other: Any) -> Tensor: return ew.bitwise_left_shift(self, other)
    def bitwise_right_shift(self, other: Any) -> Tensor: return ew.bitwise_right_shift(self, other)

    # -- comparison ----------------------------------------------------------------------------------
    def greater(self, other: Any) -> Tensor: return ew.gt(self, other)
    def greater_equal(self, other: Any) -> Tensor: return ew.ge(self, other)
    def less(self, other: Any) -> Tensor: return ew.lt(self, other)
    def less_equal(self, other: Any) -> Tensor: return ew.le(self, other)
    def not_equal(self, other: Any) -> Tensor: return ew.ne(self, other)
    def equal(self, other: Any) -> bool: return cmp.equal(self, other)
    def isposinf(self) -> Tensor: return cmp.isposinf(self)
    def isneginf(self) -> Tensor: return cmp.isneginf(self)
    def isreal(self) -> Tensor: return cmp.isreal(self)
    def isclose(self, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
        return cmp.isclose(self, other, rtol, atol, equal_nan)
    def allclose(self, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
        return cmp.allclose(self, other, rtol, atol, equal_nan)
