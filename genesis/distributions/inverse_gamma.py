"""InverseGamma: one over gamma numbers."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import genesis
from genesis._tensor import Tensor
from genesis.distributions import constraints
from genesis.distributions.gamma import Gamma
from genesis.distributions.transformed_distribution import TransformedDistribution
from genesis.distributions.transforms import PowerTransform

# mypy: disable-error-code="no-any-return"


class InverseGamma(TransformedDistribution):
    """``1 / x``, x of ``Gamma(concentration, rate)``."""

    arg_constraints: ClassVar[Any] = {"concentration": constraints.positive, "rate": constraints.positive}
    support: Any = constraints.positive

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        base = Gamma(concentration, rate, validate_args=validate_args)
        power = PowerTransform(-genesis.ones((), dtype=base.rate.dtype, device=base.rate.device))
        super().__init__(base, power, validate_args=validate_args)

    @property
    def concentration(self) -> Tensor:
        """The shape a of x."""
        return self.base_dist.concentration

    @property
    def rate(self) -> Tensor:
        """The rate of x."""
        return self.base_dist.rate

    @property
    def mean(self) -> Tensor:
        """``rate / (a - 1)``; inf for a up to 1."""
        a = self.concentration
        return genesis.where(a > 1, self.rate / (a - 1), math.inf)

    @property
    def mode(self) -> Tensor:
        """``rate / (a + 1)``."""
        return self.rate / (self.concentration + 1)

    @property
    def variance(self) -> Tensor:
        """``rate² / ((a - 1)² (a - 2))``; inf for a up to 2."""
        a = self.concentration
        return genesis.where(a > 2, self.rate.square() / ((a - 1).square() * (a - 2)), math.inf)

    def entropy(self) -> Tensor:
        """``a + log rate + log Γ(a) - (1 + a) ψ(a)``."""
        a = self.concentration
        return a + self.rate.log() + a.lgamma() - (1 + a) * a.digamma()
