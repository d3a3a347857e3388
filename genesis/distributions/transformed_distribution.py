"""TransformedDistribution: samples of a distribution through functions."""

from __future__ import annotations

from typing import Any, ClassVar

import genesis
from genesis._tensor import Size, Tensor
from genesis.distributions import constraints
from genesis.distributions.distribution import Distribution
from genesis.distributions.independent import Independent
from genesis.distributions.transforms import ComposeTransform, Transform
from genesis.distributions.utils import sum_rightmost


class TransformedDistribution(Distribution):
    """``y = f(x)`` for x of a base distribution; ``log p(y) = log p(x) - log |dy / dx|``.

    Args:
        base_distribution: the distribution of x.
        transforms: a transform, or several, the first one first.
        validate_args: see ``Distribution``.
    """

    arg_constraints: ClassVar[Any] = {}

    def __init__(self, base_distribution: Any, transforms: Any, validate_args: bool | None = None) -> None:
        self.transforms = [transforms] if isinstance(transforms, Transform) else list(transforms)
        if not all(isinstance(t, Transform) for t in self.transforms):
            raise ValueError(f"transforms must be a Transform or list, but was {transforms}")
        whole = ComposeTransform(self.transforms)
        own = len(base_distribution.event_shape)
        before = base_distribution.batch_shape + base_distribution.event_shape
        shape = whole.forward_shape(before)
        wide = whole.inverse_shape(shape)
        if tuple(wide) != tuple(before):  # what the transforms have makes the batch larger
            base_distribution = base_distribution.expand(wide[: len(wide) - own])
        if whole.domain.event_dim > own:
            base_distribution = Independent(base_distribution, whole.domain.event_dim - own)
        self.base_dist = base_distribution
        inner = len(base_distribution.event_shape) - whole.domain.event_dim
        cut = len(shape) - whole.codomain.event_dim - max(inner, 0)
        super().__init__(shape[:cut], shape[cut:], validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distribution for a larger batch."""
        new = self._instance(_instance)
        shape = ComposeTransform(self.transforms).inverse_shape(Size((*batch_shape, *self._event_shape)))
        new.base_dist = self.base_dist.expand(shape[: len(shape) - len(self.base_dist.event_shape)])
        new.transforms = self.transforms
        Distribution.__init__(new, Size(batch_shape), self._event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        """That of the base distribution."""
        return bool(self.base_dist.has_rsample)

    @constraints.dependent_property
    def support(self) -> Any:
        """That of the last transform."""
        if not self.transforms:
            return self.base_dist.support
        last = self.transforms[-1].codomain
        missing = len(self._event_shape) - last.event_dim
        return constraints.independent(last, missing) if missing > 0 else last

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draw x, without gradients, and transform it."""
        with genesis.no_grad():
            return self._through(self.base_dist.sample(sample_shape))  # type: ignore[no-any-return]

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Draw x with gradients and transform it."""
        return self._through(self.base_dist.rsample(sample_shape))  # type: ignore[no-any-return]

    def _through(self, x: Any) -> Any:
        for transform in self.transforms:
            x = transform(x)
        return x

    def log_prob(self, value: Tensor) -> Tensor:
        """``log p(x) - log |dy / dx|``."""
        if self._validate_args:
            self._validate_sample(value)
        total: Any = 0.0
        y, dims = value, len(self._event_shape)
        for transform in reversed(self.transforms):
            x = transform._inv_call(y)
            slope = transform.log_abs_det_jacobian(x, y)
            dims += transform.domain.event_dim - transform.codomain.event_dim
            total = total - sum_rightmost(slope, dims - transform.event_dim)
            y = x
        inner = self.base_dist.log_prob(y)
        return total + sum_rightmost(inner, dims - len(self.base_dist.event_shape))  # type: ignore[no-any-return]

    def _monotonic(self, value: Tensor) -> Any:
        sign: Any = 1
        for transform in self.transforms:
            sign = sign * transform.sign
        if isinstance(sign, int) and sign == 1:
            return value
        return sign * (value - 0.5) + 0.5

    def cdf(self, value: Tensor) -> Tensor:
        """That of the base distribution at the inverse; the other tail where the transform decreases."""
        for transform in reversed(self.transforms):
            value = transform._inv_call(value)
        if self._validate_args:
            self.base_dist._validate_sample(value)
        return self._monotonic(self.base_dist.cdf(value))  # type: ignore[no-any-return]

    def icdf(self, value: Tensor) -> Tensor:
        """The inverse of ``cdf``."""
        return self._through(self.base_dist.icdf(self._monotonic(value)))  # type: ignore[no-any-return]
