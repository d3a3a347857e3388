"""Exponential: waiting times."""

from __future__ import annotations

from typing import Any, ClassVar

import genesis
from genesis._tensor import Tensor
from genesis.distributions import constraints
from genesis.distributions.distribution import ExponentialFamily
from genesis.distributions.utils import batch_of, broadcast_all


class Exponential(ExponentialFamily):
    """Density ``rate exp(-rate x)`` for x >= 0."""

    arg_constraints: ClassVar[Any] = {"rate": constraints.positive}
    support: Any = constraints.nonnegative
    has_rsample = True
    _parameters = ("rate",)

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        (self.rate,) = broadcast_all(rate)
        super().__init__(batch_of((rate,), self.rate), validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """``1 / rate``."""
        return self.rate.reciprocal()

    @property
    def mode(self) -> Tensor:
        """0."""
        return genesis.zeros_like(self.rate)

    @property
    def stddev(self) -> Tensor:
        """``1 / rate``."""
        return self.rate.reciprocal()

    @property
    def variance(self) -> Tensor:
        """``1 / rate²``."""
        return self.rate.pow(-2)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """``-log(1 - u) / rate`` with u from [0, 1)."""
        shape = self._extended_shape(sample_shape)
        noise = genesis.rand(shape, dtype=self.rate.dtype, device=self.rate.device)
        return -(-noise).log1p() / self.rate

    def log_prob(self, value: Tensor) -> Tensor:
        """``log rate - rate value``."""
        if self._validate_args:
            self._validate_sample(value)
        return self.rate.log() - self.rate * value

    def cdf(self, value: Tensor) -> Tensor:
        """``1 - exp(-rate value)``."""
        if self._validate_args:
            self._validate_sample(value)
        return 1 - (-self.rate * value).exp()

    def icdf(self, value: Tensor) -> Tensor:
        """The inverse of ``cdf``."""
        return -(-value).log1p() / self.rate

    def entropy(self) -> Tensor:
        """``1 - log rate``."""
        return 1.0 - self.rate.log()
