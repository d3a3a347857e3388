"""LogisticNormal: shares from normal numbers."""

from __future__ import annotations

from typing import Any, ClassVar

from genesis._tensor import Tensor
from genesis.distributions import constraints
from genesis.distributions.normal import Normal
from genesis.distributions.transformed_distribution import TransformedDistribution
from genesis.distributions.transforms import StickBreakingTransform

# mypy: disable-error-code="no-any-return"


class LogisticNormal(TransformedDistribution):
    """K shares that sum to 1, from K - 1 normal numbers by ``StickBreakingTransform``.

    Args:
        loc: means (…, K - 1).
        scale: standard deviations.
        validate_args: see ``Distribution``.
    """

    arg_constraints: ClassVar[Any] = {"loc": constraints.real, "scale": constraints.positive}
    support: Any = constraints.simplex

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        base = Normal(loc, scale, validate_args=validate_args)
        if not base.batch_shape:
            base = base.expand((1,))
        super().__init__(base, StickBreakingTransform(), validate_args=validate_args)

    @property
    def loc(self) -> Tensor:
        """The means."""
        return self.base_dist.base_dist.loc

    @property
    def scale(self) -> Tensor:
        """The standard deviations."""
        return self.base_dist.base_dist.scale
