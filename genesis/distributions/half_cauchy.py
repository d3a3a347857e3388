"""HalfCauchy: absolute values of Cauchy numbers."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import genesis
from genesis._tensor import Tensor
from genesis.distributions import constraints
from genesis.distributions.cauchy import Cauchy
from genesis.distributions.transformed_distribution import TransformedDistribution
from genesis.distributions.transforms import AbsTransform

# mypy: disable-error-code="no-any-return"


class HalfCauchy(TransformedDistribution):
    """``|x|``, x of the Cauchy distribution around 0 with this ``scale``."""

    arg_constraints: ClassVar[Any] = {"scale": constraints.positive}
    support: Any = constraints.nonnegative

    def __init__(self, scale: Any, validate_args: bool | None = None) -> None:
        super().__init__(Cauchy(0, scale, validate_args=False), AbsTransform(), validate_args=validate_args)

    @property
    def scale(self) -> Tensor:
        """That of x."""
        return self.base_dist.scale

    @property
    def mean(self) -> Tensor:
        """inf."""
        return genesis.full_like(self.scale.detach(), math.inf)

    @property
    def mode(self) -> Tensor:
        """0."""
        return genesis.zeros_like(self.scale)

    @property
    def variance(self) -> Tensor:
        """inf."""
        return self.base_dist.variance

    def log_prob(self, value: Tensor) -> Tensor:
        """That of x, plus log 2; -inf below 0."""
        if self._validate_args:
            self._validate_sample(value)
        value = genesis.as_tensor(value, dtype=self.scale.dtype, device=self.scale.device)
        found = self.base_dist.log_prob(value) + math.log(2)
        return genesis.where(value >= 0, found, -math.inf)

    def cdf(self, value: Tensor) -> Tensor:
        """``2 cdf(x) - 1``."""
        if self._validate_args:
            self._validate_sample(value)
        return 2 * self.base_dist.cdf(value) - 1

    def icdf(self, value: Tensor) -> Tensor:
        """The inverse of ``cdf``."""
        return self.base_dist.icdf((value + 1) / 2)

    def entropy(self) -> Tensor:
        """That of x, minus log 2."""
        return self.base_dist.entropy() - math.log(2)
