"""Weibull: powers of exponential numbers."""

from __future__ import annotations

from typing import Any, ClassVar

import genesis
from genesis._tensor import Size, Tensor
from genesis.distributions import constraints
from genesis.distributions.exponential import Exponential
from genesis.distributions.transformed_distribution import TransformedDistribution
from genesis.distributions.transforms import AffineTransform, PowerTransform
from genesis.distributions.utils import EULER, broadcast_all

# mypy: disable-error-code="no-any-return"


class Weibull(TransformedDistribution):
    """``scale x^(1 / k)``, x exponential with rate 1, k the concentration."""

    arg_constraints: ClassVar[Any] = {"scale": constraints.positive, "concentration": constraints.positive}
    support: Any = constraints.positive

    def __init__(self, scale: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.scale, self.concentration = broadcast_all(scale, concentration)
        self.concentration_reciprocal = self.concentration.reciprocal()
        base = Exponential(genesis.ones_like(self.scale), validate_args=validate_args)
        super().__init__(base, self._maps(), validate_args=validate_args)

    def _maps(self) -> list[Any]:
        return [PowerTransform(self.concentration_reciprocal), AffineTransform(0, self.scale)]

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distribution for a larger batch."""
        new = super().expand(Size(batch_shape), self._instance(_instance))
        new.scale, new.concentration = self.scale.expand(batch_shape), self.concentration.expand(batch_shape)
        new.concentration_reciprocal = new.concentration.reciprocal()
        new.transforms = new._maps()
        return new

    @property
    def mean(self) -> Tensor:
        """``scale Γ(1 + 1/k)``."""
        return self.scale * (1 + self.concentration_reciprocal).lgamma().exp()

    @property
    def mode(self) -> Tensor:
        """``scale ((k - 1) / k)^(1/k)``."""
        k = self.concentration
        return self.scale * ((k - 1) / k) ** k.reciprocal()

    @property
    def variance(self) -> Tensor:
        """``scale² (Γ(1 + 2/k) - Γ(1 + 1/k)²)``."""
        one = self.concentration_reciprocal
        return self.scale.pow(2) * ((1 + 2 * one).lgamma().exp() - (2 * (1 + one).lgamma()).exp())

    def entropy(self) -> Tensor:
        """``EULER (1 - 1/k) + log(scale / k) + 1``."""
        one = self.concentration_reciprocal
        return EULER * (1 - one) + (self.scale * one).log() + 1
