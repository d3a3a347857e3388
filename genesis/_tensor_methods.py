"""The operations of ``genesis.ops`` as methods of tensors, one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genesis._tensor_inplace import InPlaceMethods
from genesis._tensor_math import MathMethods
from genesis._tensor_random import RandomMethods
from genesis._tensor_reductions import ReductionMethods
from genesis._tensor_shapes import ShapeMethods
from genesis.autograd.graph import TensorCore
from genesis.ops import activation as act
from genesis.ops import arithmetic as ar
from genesis.ops import elementwise as ew
from genesis.ops import normalization as norm_ops
from genesis.ops import piecewise as pw

if TYPE_CHECKING:
    from genesis._tensor import Tensor

# fmt: off
# ruff: noqa: E501 - one line each
# mypy: disable-error-code="arg-type, no-any-return, return-value"
# (the only subclass is Tensor, so `self` is one; operations without a gradient of their own are typed Any)


class TensorMethods(InPlaceMethods, MathMethods, RandomMethods, ReductionMethods, ShapeMethods):
    """Arithmetic, mathematics, reductions and changes of shape; see the function of the same name in ``genesis``."""

    # -- operators -----------------------------------------------------------------------------------
    def __add__(self, other: Any) -> Tensor: return ew.plus(self, other)
    def __radd__(self, other: Any) -> Tensor: return ew.plus(self, other)
    def __sub__(self, other: Any) -> Tensor: return ew.minus(self, other)
    def __rsub__(self, other: Any) -> Tensor: return ew.minus(other, self)
    def __mul__(self, other: Any) -> Tensor: return ew.times(self, other)
    def __rmul__(self, other: Any) -> Tensor: return ew.times(self, other)
    def __truediv__(self, other: Any) -> Tensor: return ew.true_divide(self, other)
    def __rtruediv__(self, other: Any) -> Tensor: return ew.true_divide(other, self)
    def __floordiv__(self, other: Any) -> Tensor: return ew.floor_divide(self, other)
    def __rfloordiv__(self, other: Any) -> Tensor: return ew.floor_divide(other, self)
    def __mod__(self, other: Any) -> Tensor: return ew.remainder(self, other)
    def __rmod__(self, other: Any) -> Tensor: return ew.remainder(other, self)
    def __pow__(self, other: Any) -> Tensor: return ew.pow(self, other)
    def __rpow__(self, other: Any) -> Tensor: return ew.power(other, self)
    def __neg__(self) -> Tensor: return ew.neg(self)
    def __pos__(self) -> Tensor: return ar.positive(self)
    def __abs__(self) -> Tensor: return ew.abs(self)
    def __invert__(self) -> Tensor: return ew.bitwise_not(self)
    def __and__(self, other: Any) -> Tensor: return ew.bitwise_and(self, other)
    def __rand__(self, other: Any) -> Tensor: return ew.bitwise_and(self, other)
    def __or__(self, other: Any) -> Tensor: return ew.bitwise_or(self, other)
    def __ror__(self, other: Any) -> Tensor: return ew.bitwise_or(self, other)
    def __xor__(self, other: Any) -> Tensor: return ew.bitwise_xor(self, other)
    def __rxor__(self, other: Any) -> Tensor: return ew.bitwise_xor(self, other)
    def __lshift__(self, other: Any) -> Tensor: return ew.bitwise_left_shift(self, other)
    def __rlshift__(self, other: Any) -> Tensor: return ew.bitwise_left_shift(other, self)
    def __rshift__(self, other: Any) -> Tensor: return ew.bitwise_right_shift(self, other)
    def __rrshift__(self, other: Any) -> Tensor: return ew.bitwise_right_shift(other, self)
    def __lt__(self, other: Any) -> Tensor: return ew.lt(self, other)
    def __le__(self, other: Any) -> Tensor: return ew.le(self, other)
    def __gt__(self, other: Any) -> Tensor: return ew.gt(self, other)
    def __ge__(self, other: Any) -> Tensor: return ew.ge(self, other)
    def __eq__(self, other: object) -> Any: return NotImplemented if _foreign(other) else ew.eq(self, other)
    def __ne__(self, other: object) -> Any: return NotImplemented if _foreign(other) else ew.ne(self, other)
    __hash__ = object.__hash__

    def __iadd__(self, other: Any) -> Tensor: return ew.plus.into(self, self, other)
    def __isub__(self, other: Any) -> Tensor: return ew.minus.into(self, self, other)
    def __imul__(self, other: Any) -> Tensor: return ew.times.into(self, self, other)
    def __itruediv__(self, other: Any) -> Tensor: return ew.true_divide.into(self, self, other)
    def __ifloordiv__(self, other: Any) -> Tensor: return ew.floor_divide.into(self, self, other)
    def __imod__(self, other: Any) -> Tensor: return ew.remainder.into(self, self, other)
    def __ipow__(self, other: Any) -> Tensor: return self.pow_(other)
    def __iand__(self, other: Any) -> Tensor: return ew.bitwise_and.into(self, self, other)
    def __ior__(self, other: Any) -> Tensor: return ew.bitwise_or.into(self, self, other)
    def __ilshift__(self, other: Any) -> Tensor: return ew.bitwise_left_shift.into(self, self, other)
    def __irshift__(self, other: Any) -> Tensor: return ew.bitwise_right_shift.into(self, self, other)
    def __ixor__(self, other: Any) -> Tensor: return ew.bitwise_xor.into(self, self, other)


    # -- arithmetic ----------------------------------------------------------------------------------
    def add(self, other: Any, *, alpha: float = 1) -> Tensor: return ew.add(self, other, alpha=alpha)
    def sub(self, other: Any, *, alpha: float = 1) -> Tensor: return ew.sub(self, other, alpha=alpha)
    def mul(self, other: Any) -> Tensor: return ew.times(self, other)
    def div(self, other: Any, *, rounding_mode: str | None = None) -> Tensor: return ew.div(self, other, rounding_mode=rounding_mode)
    def true_divide(self, other: Any) -> Tensor: return ew.true_divide(self, other)
    def floor_divide(self, other: Any) -> Tensor: return ew.floor_divide(self, other)
    def remainder(self, other: Any) -> Tensor: return ew.remainder(self, other)
    def pow(self, exponent: Any) -> Tensor: return ew.pow(self, exponent)
    def neg(self) -> Tensor: return ew.neg(self)
    def abs(self) -> Tensor: return ew.abs(self)
    def sign(self) -> Tensor: return ew.sign(self)
    def square(self) -> Tensor: return ew.square(self)
    def reciprocal(self) -> Tensor: return ew.reciprocal(self)
    def floor(self) -> Tensor: return ew.floor(self)
    def ceil(self) -> Tensor: return ew.ceil(self)
    def trunc(self) -> Tensor: return ew.trunc(self)
    def maximum(self, other: Any) -> Tensor: return ew.maximum(self, other)
    def minimum(self, other: Any) -> Tensor: return ew.minimum(self, other)
    def lerp(self, end: Any, weight: Any) -> Tensor: return ew.lerp(self, end, weight)
    def addcmul(self, tensor1: Any, tensor2: Any, *, value: float = 1) -> Tensor: return ew.addcmul(self, tensor1, tensor2, value=value)
    def addcdiv(self, tensor1: Any, tensor2: Any, *, value: float = 1) -> Tensor: return ew.addcdiv(self, tensor1, tensor2, value=value)
    subtract, multiply, divide, negative, absolute = sub, mul, div, neg, abs

    # -- mathematics ---------------------------------------------------------------------------------
    def exp(self) -> Tensor: return ew.exp(self)
    def exp2(self) -> Tensor: return ew.exp2(self)
    def expm1(self) -> Tensor: return ew.expm1(self)
    def log(self) -> Tensor: return ew.log(self)
    def log1p(self) -> Tensor: return ew.log1p(self)
    def log2(self) -> Tensor: return ew.log2(self)
    def log10(self) -> Tensor: return ew.log10(self)
    def sqrt(self) -> Tensor: return ew.sqrt(self)
    def rsqrt(self) -> Tensor: return ew.rsqrt(self)
    def sin(self) -> Tensor: return ew.sin(self)
    def cos(self) -> Tensor: return ew.cos(self)
    def tanh(self) -> Tensor: return ew.tanh(self)
    def erf(self) -> Tensor: return ew.erf(self)
    def sigmoid(self) -> Tensor: return act.sigmoid(self)
    def relu(self) -> Tensor: return act.relu(self)
    def hardshrink(self, lambd: float = 0.5) -> Tensor: return pw.hardshrink(self, lambd)
    def prelu(self, weight: Any) -> Tensor: return pw.prelu(self, weight)
    def softmax(self, dim: int | None = None, dtype: Any = None) -> Tensor: return norm_ops.softmax(self, dim, dtype)
    def log_softmax(self, dim: int | None = None, dtype: Any = None) -> Tensor: return norm_ops.log_softmax(self, dim, dtype)

    # -- comparison, logic, selection ----------------------------------------------------------------
    def eq(self, other: Any) -> Tensor: return ew.eq(self, other)
    def ne(self, other: Any) -> Tensor: return ew.ne(self, other)
    def lt(self, other: Any) -> Tensor: return ew.lt(self, other)
    def le(self, other: Any) -> Tensor: return ew.le(self, other)
    def gt(self, other: Any) -> Tensor: return ew.gt(self, other)
    def ge(self, other: Any) -> Tensor: return ew.ge(self, other)
    def logical_and(self, other: Any) -> Tensor: return ew.logical_and(self, other)
    def logical_or(self, other: Any) -> Tensor: return ew.logical_or(self, other)
    def logical_xor(self, other: Any) -> Tensor: return ew.logical_xor(self, other)
    def logical_not(self) -> Tensor: return ew.logical_not(self)
    def isnan(self) -> Tensor: return ew.isnan(self)
    def isinf(self) -> Tensor: return ew.isinf(self)
    def isfinite(self) -> Tensor: return ew.isfinite(self)
    def where(self, condition: Any, other: Any) -> Tensor: return ew.where(condition, self, other)
    def masked_fill(self, mask: Any, value: Any) -> Tensor: return ew.masked_fill(self, mask, value)
    def clamp(self, min: Any = None, max: Any = None) -> Tensor: return ew.clamp(self, min, max)
    clip = clamp
    def nan_to_num(self, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Tensor: return ew.nan_to_num(self, nan, posinf, neginf)

    # -- in place (the others are in _tensor_inplace) -------------------------------------------------

    # -- random --------------------------------------------------------------------------------------


def _foreign(x: object) -> bool:
    """True for what a tensor cannot be compared with element by element (None, strings, …)."""
    return not isinstance(x, TensorCore | int | float) and not hasattr(x, "item")
