"""Poisson: counts of events."""

from __future__ import annotations

from typing import Any, ClassVar

import genesis
from genesis._tensor import Tensor
from genesis.distributions import constraints
from genesis.distributions.distribution import ExponentialFamily
from genesis.distributions.utils import batch_of, broadcast_all


class Poisson(ExponentialFamily):
    """``P(k) = rate^k exp(-rate) / k!``, k = 0, 1, …."""

    arg_constraints: ClassVar[Any] = {"rate": constraints.nonnegative}
    support: Any = constraints.nonnegative_integer
    _parameters = ("rate",)

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        (self.rate,) = broadcast_all(rate)
        super().__init__(batch_of((rate,), self.rate), validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """``rate``."""
        return self.rate

    variance = mean

    @property
    def mode(self) -> Tensor:
        """The whole part of ``rate``."""
        return self.rate.floor()

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draw counts."""
        return genesis.poisson(self.rate.detach().expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        """``value log rate - rate - log(value!)``."""
        if self._validate_args:
            self._validate_sample(value)
        rate, value = broadcast_all(self.rate, value)
        return genesis.xlogy(value, rate) - rate - (value + 1).lgamma()
