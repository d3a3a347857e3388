"""Transforms: invertible functions with the logarithm of their slope."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import genesis
from genesis._lazy import missing
from genesis._tensor import Size, Tensor
from genesis.distributions import constraints
from genesis.distributions.utils import sum_rightmost

TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
    __path__ = []  # a package to Python: for a name that is not here it asks genesis._lazy.Finder


class Transform:
    """``y = f(x)``; ``t.inv`` is the inverse, ``t.log_abs_det_jacobian(x, y)`` is ``log |dy / dx|``.

    Args:
        cache_size: 1 keeps the last pair, so that ``t.inv(t(x))`` is x itself.
    """

    bijective = False
    domain: Any = constraints.real
    codomain: Any = constraints.real
    #: 1 for an increasing, -1 for a decreasing function
    sign: Any = 1

    def __init__(self, cache_size: int = 0) -> None:
        if cache_size not in (0, 1):
            raise ValueError("cache_size must be 0 or 1")
        self._cache_size = cache_size
        self._cached: tuple[Any, Any] = (None, None)

    @property
    def event_dim(self) -> int:
        """How many dimensions on the right are transformed together."""
        return int(self.domain.event_dim)

    @property
    def inv(self) -> Any:
        """The inverse transform."""
        return _Inverse(self)

    def with_cache(self, cache_size: int = 1) -> Any:
        """This transform with a cache."""
        import copy

        new = copy.copy(self)
        new._cache_size, new._cached = cache_size, (None, None)
        return new

    def __call__(self, x: Tensor) -> Tensor:
        """``f(x)``."""
        if self._cache_size and x is self._cached[0]:
            return self._cached[1]  # type: ignore[no-any-return]
        y = self._call(x)
        if self._cache_size:
            self._cached = x, y
        return y

    def _inv_call(self, y: Tensor) -> Tensor:
        if self._cache_size and y is self._cached[1]:
            return self._cached[0]  # type: ignore[no-any-return]
        x = self._inverse(y)
        if self._cache_size:
            self._cached = x, y
        return x

    def _call(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def _inverse(self, y: Tensor) -> Tensor:
        raise NotImplementedError

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """``log |dy / dx|``."""
        raise NotImplementedError

    def forward_shape(self, shape: Any) -> Any:
        """The shape of ``f(x)``."""
        return shape

    inverse_shape = forward_shape

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return self.__class__.__name__ + "()"


class _Inverse(Transform):
    """The inverse of a transform."""

    def __init__(self, of: Transform) -> None:
        super().__init__(of._cache_size)
        self._of = of
        self.forward_shape, self.inverse_shape = of.inverse_shape, of.forward_shape  # type: ignore[method-assign]
        self.bijective, self.sign = of.bijective, of.sign
        self.domain, self.codomain = of.codomain, of.domain

    @property
    def inv(self) -> Transform:
        """The transform itself."""
        return self._of

    def __call__(self, x: Tensor) -> Tensor:
        return self._of._inv_call(x)

    def _inv_call(self, y: Tensor) -> Tensor:
        return self._of(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -self._of.log_abs_det_jacobian(y, x)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Inverse) and self._of == other._of

    __hash__ = Transform.__hash__

    def __repr__(self) -> str:
        return f"_InverseTransform({self._of!r})"


class ComposeTransform(Transform):
    """Several transforms, the first one first."""

    def __init__(self, parts: Sequence[Transform], cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.parts = [p.with_cache(cache_size) for p in parts] if cache_size else list(parts)
        self.bijective = all(p.bijective for p in self.parts)
        if self.parts:
            first, last = self.parts[0].domain, self.parts[-1].codomain
            dims = last.event_dim
            for part in reversed(self.parts):  # what comes later may take more dimensions together
                dims = max(dims + part.domain.event_dim - part.codomain.event_dim, part.domain.event_dim)
            self.domain = (
                constraints.independent(first, dims - first.event_dim) if dims > first.event_dim else first
            )
            dims = first.event_dim
            for part in self.parts:
                dims = max(dims + part.codomain.event_dim - part.domain.event_dim, part.codomain.event_dim)
            self.codomain = (
                constraints.independent(last, dims - last.event_dim) if dims > last.event_dim else last
            )

    @property
    def sign(self) -> Any:
        """The product of the signs."""
        return math.prod((p.sign for p in self.parts), start=1)

    def forward_shape(self, shape: Any) -> Any:
        """The shape of ``f(x)``."""
        for part in self.parts:
            shape = part.forward_shape(shape)
        return shape

    def inverse_shape(self, shape: Any) -> Any:
        """The shape of x."""
        for part in reversed(self.parts):
            shape = part.inverse_shape(shape)
        return shape

    def _call(self, x: Tensor) -> Tensor:
        for part in self.parts:
            x = part(x)
        return x

    def _inverse(self, y: Tensor) -> Tensor:
        for part in reversed(self.parts):
            y = part._inv_call(y)
        return y

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """The sum of those of the parts."""
        total: Any = genesis.zeros_like(x) if not self.parts else 0
        dims = self.event_dim
        for i, part in enumerate(self.parts):
            after = y if i == len(self.parts) - 1 else part(x)
            total = total + sum_rightmost(part.log_abs_det_jacobian(x, after), dims - part.event_dim)
            dims += part.codomain.event_dim - part.domain.event_dim
            x = after
        return total  # type: ignore[no-any-return]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ComposeTransform) and self.parts == other.parts

    __hash__ = Transform.__hash__

    def __repr__(self) -> str:
        inner = ",\n    ".join(repr(p) for p in self.parts)
        return f"ComposeTransform(\n    {inner}\n)"


class AffineTransform(Transform):
    """``y = loc + scale x``."""

    bijective = True

    def __init__(self, loc: Any, scale: Any, event_dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.loc, self.scale, self._event_dim = loc, scale, event_dim
        if event_dim:
            self.domain = self.codomain = constraints.independent(constraints.real, event_dim)

    @property
    def sign(self) -> Any:
        """The sign of ``scale``."""
        if isinstance(self.scale, Tensor):
            return self.scale.sign()
        return 1 if self.scale > 0 else -1 if self.scale < 0 else 0

    def forward_shape(self, shape: Any) -> Any:
        """That of x, ``loc`` and ``scale`` together."""
        given = [getattr(v, "shape", ()) for v in (self.loc, self.scale)]
        return Size(genesis.broadcast_shapes(shape, *given))

    inverse_shape = forward_shape

    def _call(self, x: Tensor) -> Tensor:
        return self.loc + self.scale * x  # type: ignore[no-any-return]

    def _inverse(self, y: Tensor) -> Tensor:
        return (y - self.loc) / self.scale  # type: ignore[no-any-return]

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """``log |scale|``."""
        if isinstance(self.scale, Tensor):
            result = self.scale.abs().log()
        else:
            result = genesis.full_like(x, math.log(abs(self.scale)))
        if self._event_dim:
            kept = tuple(result.shape[: result.dim() - self._event_dim])
            result = result.reshape((*kept, -1)).sum(-1)
            return result.expand(x.shape[: x.dim() - self._event_dim])
        return result.expand(x.shape)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AffineTransform):
            return False
        pairs = ((self.loc, other.loc), (self.scale, other.scale))
        return all(a is b or bool(genesis.as_tensor(a == b).all()) for a, b in pairs)

    __hash__ = Transform.__hash__


class _Function(Transform):
    """A transform without parameters; two of one class are equal."""

    bijective = True

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    __hash__ = Transform.__hash__


class ExpTransform(_Function):
    """``y = exp(x)``."""

    codomain = constraints.positive

    def _call(self, x: Tensor) -> Tensor:
        return x.exp()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """``x``."""
        return x


class SigmoidTransform(_Function):
    """``y = 1 / (1 + exp(-x))``."""

    codomain = constraints.unit_interval

    def _call(self, x: Tensor) -> Tensor:
        info = genesis.finfo(x.dtype)
        return x.sigmoid().clamp(min=info.tiny, max=1.0 - info.eps)

    def _inverse(self, y: Tensor) -> Tensor:
        info = genesis.finfo(y.dtype)
        y = y.clamp(min=info.tiny, max=1.0 - info.eps)
        return y.log() - (-y).log1p()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """``-softplus(-x) - softplus(x)``."""
        softplus = genesis.nn.functional.softplus
        return -softplus(-x) - softplus(x)


class TanhTransform(_Function):
    """``y = tanh(x)``; the inverse is infinite at 1, so use ``cache_size=1`` for what was just sampled."""

    codomain = constraints.interval(-1.0, 1.0)

    def _call(self, x: Tensor) -> Tensor:
        return x.tanh()

    def _inverse(self, y: Tensor) -> Tensor:
        return genesis.atanh(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """``2 (log 2 - x - softplus(-2 x))``, which is ``log(1 - tanh(x)²)`` without its cancellation."""
        return 2.0 * (math.log(2.0) - x - genesis.nn.functional.softplus(-2.0 * x))


class SoftplusTransform(_Function):
    """``y = log(1 + exp(x))``."""

    codomain = constraints.positive

    def _call(self, x: Tensor) -> Tensor:
        return genesis.nn.functional.softplus(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return (-y).expm1().neg().log() + y

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """``-softplus(-x)``."""
        return -genesis.nn.functional.softplus(-x)


class AbsTransform(_Function):
    """``y = |x|``; its inverse gives the positive side."""

    bijective = False
    codomain = constraints.positive

    def _call(self, x: Tensor) -> Tensor:
        return x.abs()

    def _inverse(self, y: Tensor) -> Tensor:
        return y


class PowerTransform(Transform):
    """``y = x^exponent`` of positive numbers."""

    bijective = True
    domain = codomain = constraints.positive

    def __init__(self, exponent: Any, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.exponent = exponent if isinstance(exponent, Tensor) else genesis.tensor(float(exponent))

    @property
    def sign(self) -> Any:
        """The sign of the exponent."""
        return self.exponent.sign()

    def forward_shape(self, shape: Any) -> Any:
        """That of x and the exponent together."""
        return Size(genesis.broadcast_shapes(shape, self.exponent.shape))

    inverse_shape = forward_shape

    def _call(self, x: Tensor) -> Tensor:
        return x.pow(self.exponent)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.pow(1 / self.exponent)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """``log |exponent y / x|``."""
        return (self.exponent * y / x).abs().log()


class SoftmaxTransform(_Function):
    """``y = softmax(x)`` along the last dimension; the inverse is ``log(y)``."""

    bijective = False
    domain: Any = constraints.real_vector
    codomain: Any = constraints.simplex

    def _call(self, x: Tensor) -> Tensor:
        return x.softmax(-1)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()


class StickBreakingTransform(_Function):
    """K - 1 numbers -> K shares that sum to 1: each is a share of what the ones before have left."""

    domain: Any = constraints.real_vector
    codomain: Any = constraints.simplex

    @staticmethod
    def _offset(n: int, like: Tensor) -> Any:
        return genesis.arange(n, 0, -1, dtype=like.dtype, device=like.device).log()

    def _call(self, x: Tensor) -> Tensor:
        info = genesis.finfo(x.dtype)
        z = (x - self._offset(x.shape[-1], x)).sigmoid().clamp(min=info.tiny, max=1.0 - info.eps)
        pad = genesis.nn.functional.pad
        return pad(z, (0, 1), value=1) * pad((1 - z).cumprod(-1), (1, 0), value=1)

    def _inverse(self, y: Tensor) -> Tensor:
        share = y[..., :-1]
        left = (1 - share.cumsum(-1)).clamp(min=genesis.finfo(y.dtype).tiny)
        return share.log() - left.log() + self._offset(share.shape[-1], y)  # type: ignore[no-any-return]

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """``sum (log sigmoid(u) - u + log y)`` with ``u = x - log offset``, over the first K - 1."""
        u = x - self._offset(x.shape[-1], x)
        return (-u + genesis.nn.functional.logsigmoid(u) + y[..., :-1].log()).sum(-1)  # type: ignore[no-any-return]

    def forward_shape(self, shape: Any) -> Any:
        """One more in the last dimension."""
        return Size((*shape[:-1], shape[-1] + 1))

    def inverse_shape(self, shape: Any) -> Any:
        """One less in the last dimension."""
        return Size((*shape[:-1], shape[-1] - 1))


class ReshapeTransform(Transform):
    """The last dimensions reshaped from ``in_shape`` to ``out_shape``.

    Raises:
        ValueError: they have different numbers of elements.
    """

    bijective = True

    def __init__(self, in_shape: Any, out_shape: Any, cache_size: int = 0) -> None:
        self.in_shape, self.out_shape = Size(in_shape), Size(out_shape)
        if math.prod(self.in_shape) != math.prod(self.out_shape):
            raise ValueError("in_shape, out_shape have different numbers of elements")
        super().__init__(cache_size)
        self.domain = constraints.independent(constraints.real, len(self.in_shape))
        self.codomain = constraints.independent(constraints.real, len(self.out_shape))

    @staticmethod
    def _replaced(shape: Any, old: Any, new: Any) -> Size:
        cut = len(shape) - len(old)
        if cut < 0 or tuple(shape[cut:]) != tuple(old):
            raise ValueError(f"Shape mismatch: expected {tuple(old)} at the end, but got {tuple(shape)}")
        return Size((*shape[:cut], *new))

    def forward_shape(self, shape: Any) -> Any:
        """With ``out_shape`` at the end."""
        return self._replaced(shape, self.in_shape, self.out_shape)

    def inverse_shape(self, shape: Any) -> Any:
        """With ``in_shape`` at the end."""
        return self._replaced(shape, self.out_shape, self.in_shape)

    def _call(self, x: Tensor) -> Tensor:
        return x.reshape((*x.shape[: x.dim() - len(self.in_shape)], *self.out_shape))

    def _inverse(self, y: Tensor) -> Tensor:
        return y.reshape((*y.shape[: y.dim() - len(self.out_shape)], *self.in_shape))

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """0."""
        return genesis.zeros(x.shape[: x.dim() - len(self.in_shape)], dtype=x.dtype, device=x.device)


class IndependentTransform(Transform):
    """A transform whose last ``reinterpreted_batch_ndims`` dimensions make one event."""

    def __init__(
        self, base_transform: Transform, reinterpreted_batch_ndims: int, cache_size: int = 0
    ) -> None:
        super().__init__(cache_size)
        self.base_transform, self.reinterpreted_batch_ndims = base_transform, reinterpreted_batch_ndims
        self.domain = constraints.independent(base_transform.domain, reinterpreted_batch_ndims)
        self.codomain = constraints.independent(base_transform.codomain, reinterpreted_batch_ndims)
        self.bijective = base_transform.bijective
        self.forward_shape = base_transform.forward_shape  # type: ignore[method-assign]
        self.inverse_shape = base_transform.inverse_shape  # type: ignore[method-assign]

    @property
    def sign(self) -> Any:
        """That of the transform."""
        return self.base_transform.sign

    def _call(self, x: Tensor) -> Tensor:
        return self.base_transform(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return self.base_transform._inv_call(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """That of the transform, summed over the event."""
        found = self.base_transform.log_abs_det_jacobian(x, y)
        return sum_rightmost(found, self.reinterpreted_batch_ndims)  # type: ignore[no-any-return]


identity_transform = ComposeTransform([])
