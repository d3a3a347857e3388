"""GeneralizedPareto: what lies beyond a threshold."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import genesis
from genesis._tensor import Tensor
from genesis.distributions import constraints
from genesis.distributions.distribution import Distribution
from genesis.distributions.utils import batch_of, broadcast_all

# mypy: disable-error-code="no-any-return"


class GeneralizedPareto(Distribution):
    """Distribution function ``1 - (1 + c z)^(-1/c)``, ``z = (x - loc) / scale``; ``1 - exp(-z)`` for c = 0.

    Args:
        loc: the threshold.
        scale: a positive scale.
        concentration: c.
        validate_args: see ``Distribution``.
    """

    arg_constraints: ClassVar[Any] = {
        "loc": constraints.real,
        "scale": constraints.positive,
        "concentration": constraints.real,
    }
    has_rsample = True
    _parameters = ("loc", "scale", "concentration")

    def __init__(self, loc: Any, scale: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale, self.concentration = broadcast_all(loc, scale, concentration)
        super().__init__(batch_of((loc, scale, concentration), self.loc), validate_args=validate_args)

    @constraints.dependent_property
    def support(self) -> Any:
        """From ``loc`` on; for a negative c up to ``loc - scale / c``."""
        end = self.loc - self.scale / self.concentration
        return constraints.interval(self.loc, genesis.where(self.concentration < 0, end, math.inf))

    def _split(self) -> tuple[Any, Any]:
        """Where c is zero, and c, or 1 there."""
        zero = genesis.isclose(self.concentration, genesis.zeros_like(self.concentration))
        return zero, genesis.where(zero, 1.0, self.concentration)

    @property
    def mean(self) -> Tensor:
        """``loc + scale / (1 - c)``; nan for c from 1 on."""
        ok = self.concentration < 1
        found = self.loc + self.scale / (1 - genesis.where(ok, self.concentration, 0.5))
        return genesis.where(ok, found, math.nan)

    @property
    def mode(self) -> Tensor:
        """``loc``."""
        return self.loc

    @property
    def variance(self) -> Tensor:
        """``scale² / ((1 - c)² (1 - 2 c))``; nan for c from 1/2 on."""
        ok = self.concentration < 0.5
        c = genesis.where(ok, self.concentration, 0.25)
        return genesis.where(ok, self.scale**2 / ((1 - c) ** 2 * (1 - 2 * c)), math.nan)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """``icdf`` of uniform numbers."""
        shape = self._extended_shape(sample_shape)
        return self.icdf(genesis.rand(shape, dtype=self.loc.dtype, device=self.loc.device))

    def log_prob(self, value: Tensor) -> Tensor:
        """``-log scale - (1/c + 1) log(1 + c z)``."""
        if self._validate_args:
            self._validate_sample(value)
        z, (zero, c) = (value - self.loc) / self.scale, self._split()
        power = 1 / c + genesis.ones_like(z)
        found = genesis.where(power == 0, power, power * (c * z).log1p())
        return -self.scale.log() - genesis.where(zero, z, found)

    def log_survival_function(self, value: Tensor) -> Tensor:
        """The logarithm of ``1 - cdf``."""
        if self._validate_args:
            self._validate_sample(value)
        z, (zero, c) = (value - self.loc) / self.scale, self._split()
        return genesis.where(zero, -z, -(c * z).log1p() / c)

    def log_cdf(self, value: Tensor) -> Tensor:
        """The logarithm of ``cdf``."""
        return (-self.log_survival_function(value).exp()).log1p()

    def cdf(self, value: Tensor) -> Tensor:
        """The distribution function."""
        return self.log_cdf(value).exp()

    def icdf(self, value: Tensor) -> Tensor:
        """``loc + scale ((1 - value)^-c - 1) / c``."""
        zero, c = self._split()
        tail = (-value).log1p()
        found = self.loc + self.scale / c * (-c * tail).expm1()
        return genesis.where(zero, self.loc - self.scale * tail, found)

    def entropy(self) -> Tensor:
        """``log scale + c + 1``."""
        return (self.scale.log() + self.concentration + 1).expand(self._batch_shape)
