"""Gumbel: the largest of many."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import genesis
from genesis._tensor import Tensor
from genesis.distributions import constraints
from genesis.distributions.distribution import Distribution
from genesis.distributions.utils import EULER, batch_of, broadcast_all


class Gumbel(Distribution):
    """Distribution function ``exp(-exp(-(x - loc) / scale))``."""

    arg_constraints: ClassVar[Any] = {"loc": constraints.real, "scale": constraints.positive}
    support: Any = constraints.real
    has_rsample = True
    _parameters = ("loc", "scale")

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(batch_of((loc, scale), self.loc), validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """``loc + scale EULER``."""
        return self.loc + self.scale * EULER

    @property
    def mode(self) -> Tensor:
        """``loc``."""
        return self.loc

    @property
    def stddev(self) -> Tensor:
        """``scale pi / sqrt 6``."""
        return (math.pi / math.sqrt(6)) * self.scale

    @property
    def variance(self) -> Tensor:
        """``(scale pi)² / 6``."""
        return self.stddev.pow(2)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """``loc - scale log(-log u)``."""
        shape = self._extended_shape(sample_shape)
        noise = genesis.rand(shape, dtype=self.loc.dtype, device=self.loc.device)
        info = genesis.finfo(noise.dtype)
        return self.icdf(noise.clamp(info.tiny, 1 - info.eps))

    def log_prob(self, value: Tensor) -> Tensor:
        """``y - exp(y) - log scale`` with ``y = (loc - value) / scale``."""
        if self._validate_args:
            self._validate_sample(value)
        y = (self.loc - value) / self.scale
        return (y - y.exp()) - self.scale.log()

    def cdf(self, value: Tensor) -> Tensor:
        """``exp(-exp(-(value - loc) / scale))``."""
        return (-(-(value - self.loc) / self.scale).exp()).exp()

    def icdf(self, value: Tensor) -> Tensor:
        """The inverse of ``cdf``."""
        return self.loc - self.scale * (-value.log()).log()

    def entropy(self) -> Tensor:
        """``log scale + 1 + EULER``."""
        return self.scale.log() + (1 + EULER)
