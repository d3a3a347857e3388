"""The operations of ``genesis.ops`` as methods of tensors, one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genesis._tensor_inplace import InPlaceMethods
from genesis._tensor_math import MathMethods
from genesis._tensor_reductions import ReductionMethods
from genesis.autograd.graph import TensorCore
from genesis.ops import activation as act
from genesis.ops import arithmetic as ar
from genesis.ops import creation as new
from genesis.ops import elementwise as ew
from genesis.ops import indexing as ix
from genesis.ops import linalg as la
from genesis.ops import normalization as norm_ops
from genesis.ops import piecewise as pw
from genesis.ops import random, subscript
from genesis.ops import shape as sh

if TYPE_CHECKING:
    from genesis._tensor import Tensor

# fmt: off
# ruff: noqa: E501 - one line each
# mypy: disable-error-code="arg-type, no-any-return, return-value"
# (the only subclass is Tensor, so `self` is one; operations without a gradient of their own are typed Any)


class TensorMethods(InPlaceMethods, MathMethods, ReductionMethods):
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
    def __matmul__(self, other: Any) -> Tensor: return la.matmul(self, other)
    def __rmatmul__(self, other: Any) -> Tensor: return la.matmul(new.as_tensor(other), self)
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
    def __ipow__(self, other: Any) -> Tensor: return ew.power.into(self, self, other)
    def __iand__(self, other: Any) -> Tensor: return ew.bitwise_and.into(self, self, other)
    def __ior__(self, other: Any) -> Tensor: return ew.bitwise_or.into(self, self, other)
    def __ilshift__(self, other: Any) -> Tensor: return ew.bitwise_left_shift.into(self, self, other)
    def __irshift__(self, other: Any) -> Tensor: return ew.bitwise_right_shift.into(self, self, other)
    def __ixor__(self, other: Any) -> Tensor: return ew.bitwise_xor.into(self, self, other)

    def __getitem__(self, key: Any) -> Tensor: return subscript.getitem(self, key)
    def __setitem__(self, key: Any, value: Any) -> None: subscript.setitem(self, key, value)

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
    def scatter_(self, dim: int, index: Any, src: Any) -> Tensor: return ix.scatter_(self, dim, index, src)
    def scatter_add_(self, dim: int, index: Any, src: Any) -> Tensor: return ix.scatter_add_(self, dim, index, src)
    def uniform_(self, a: float = 0.0, b: float = 1.0, *, generator: Any = None) -> Tensor: return random.uniform_(self, a, b, generator)
    def normal_(self, mean: float = 0.0, std: float = 1.0, *, generator: Any = None) -> Tensor: return random.normal_(self, mean, std, generator)

    # -- shape ---------------------------------------------------------------------------------------
    def view(self, *shape: Any) -> Tensor: return sh.view(self, *shape)
    def view_as(self, other: Any) -> Tensor: return sh.view(self, other.shape)
    def reshape(self, *shape: Any) -> Tensor: return sh.reshape(self, *shape)
    def reshape_as(self, other: Any) -> Tensor: return sh.reshape(self, other.shape)
    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Tensor: return sh.flatten(self, start_dim, end_dim)
    def ravel(self) -> Tensor: return sh.reshape(self, -1)
    def unflatten(self, dim: int, sizes: Any) -> Tensor: return sh.unflatten(self, dim, sizes)
    def squeeze(self, dim: Any = None) -> Tensor: return sh.squeeze(self, dim)
    def unsqueeze(self, dim: int) -> Tensor: return sh.unsqueeze(self, dim)
    def permute(self, *dims: Any) -> Tensor: return sh.permute(self, *dims)
    def transpose(self, dim0: int, dim1: int) -> Tensor: return sh.transpose(self, dim0, dim1)
    def movedim(self, source: Any, destination: Any) -> Tensor: return sh.movedim(self, source, destination)
    def t(self) -> Tensor: return sh.t(self)
    @property
    def T(self) -> Tensor: return sh.permute(self, *range(len(self._view.shape) - 1, -1, -1))
    @property
    def mT(self) -> Tensor: return sh.transpose(self, -1, -2)
    def expand(self, *shape: Any) -> Tensor: return sh.expand(self, *shape)
    def expand_as(self, other: Any) -> Tensor: return sh.expand(self, other.shape)
    def broadcast_to(self, shape: Any) -> Tensor: return sh.expand(self, shape)
    def repeat(self, *sizes: Any) -> Tensor: return sh.repeat(self, *sizes)
    def repeat_interleave(self, repeats: int, dim: int | None = None) -> Tensor: return sh.repeat_interleave(self, repeats, dim)
    def roll(self, shifts: Any, dims: Any = None) -> Tensor: return sh.roll(self, shifts, dims)
    def flip(self, *dims: Any) -> Tensor: return sh.flip(self, *dims)
    def narrow(self, dim: int, start: int, length: int) -> Tensor: return sh.narrow(self, dim, start, length)
    def select(self, dim: int, index: int) -> Tensor: return sh.select(self, dim, index)
    def unbind(self, dim: int = 0) -> tuple[Tensor, ...]: return sh.unbind(self, dim)
    def split(self, split_size: Any, dim: int = 0) -> tuple[Tensor, ...]: return sh.split(self, split_size, dim)
    def chunk(self, chunks: int, dim: int = 0) -> tuple[Tensor, ...]: return sh.chunk(self, chunks, dim)
    def clone(self) -> Tensor: return sh.clone(self)
    def contiguous(self) -> Tensor: return sh.contiguous(self)
    def tril(self, diagonal: int = 0) -> Tensor: return new.tril(self, diagonal)
    def triu(self, diagonal: int = 0) -> Tensor: return new.triu(self, diagonal)

    # -- indexing and products -----------------------------------------------------------------------
    def gather(self, dim: int, index: Any) -> Tensor: return ix.gather(self, dim, index)
    def scatter(self, dim: int, index: Any, src: Any) -> Tensor: return ix.scatter(self, dim, index, src)
    def scatter_add(self, dim: int, index: Any, src: Any) -> Tensor: return ix.scatter_add(self, dim, index, src)
    def index_select(self, dim: int, index: Any) -> Tensor: return ix.index_select(self, dim, index)
    def index_add(self, dim: int, index: Any, source: Any, *, alpha: float = 1) -> Tensor: return ix.index_add(self, dim, index, source, alpha=alpha)
    def masked_select(self, mask: Any) -> Tensor: return ix.masked_select(self, mask)
    def nonzero(self, *, as_tuple: bool = False) -> Any: return ix.nonzero(self, as_tuple=as_tuple)
    def sort(self, dim: int = -1, descending: bool = False) -> Any: return ix.sort(self, dim, descending)
    def argsort(self, dim: int = -1, descending: bool = False) -> Tensor: return ix.argsort(self, dim, descending)
    def topk(self, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any: return ix.topk(self, k, dim, largest, sorted)
    def matmul(self, other: Any) -> Tensor: return la.matmul(self, other)
    def mm(self, other: Any) -> Tensor: return la.mm(self, other)
    def bmm(self, other: Any) -> Tensor: return la.bmm(self, other)
    def dot(self, other: Any) -> Tensor: return la.dot(self, other)
    def outer(self, other: Any) -> Tensor: return la.outer(self, other)
    def addmm(self, a: Any, b: Any, *, beta: float = 1, alpha: float = 1) -> Tensor: return la.addmm(self, a, b, beta=beta, alpha=alpha)
    def multinomial(self, num_samples: int, replacement: bool = False, *, generator: Any = None) -> Tensor: return random.multinomial(self, num_samples, replacement, generator=generator)
    def bernoulli(self, *, generator: Any = None) -> Tensor: return random.bernoulli(self, generator=generator)


def _foreign(x: object) -> bool:
    """True for what a tensor cannot be compared with element by element (None, strings, …)."""
    return not isinstance(x, TensorCore | int | float) and not hasattr(x, "item")
