"""StudentT: normal numbers with heavy tails."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import genesis
from genesis._tensor import Tensor
from genesis.distributions import constraints
from genesis.distributions.distribution import Distribution
from genesis.distributions.gamma import StandardGamma
from genesis.distributions.utils import batch_of, broadcast_all


class StudentT(Distribution):
    """``loc + scale X sqrt(df / Y)``, X normal, Y the sum of ``df`` squares of normal numbers."""

    arg_constraints: ClassVar[Any] = {
        "df": constraints.positive,
        "loc": constraints.real,
        "scale": constraints.positive,
    }
    support: Any = constraints.real
    has_rsample = True
    _parameters = ("df", "loc", "scale")

    def __init__(self, df: Any, loc: Any = 0.0, scale: Any = 1.0, validate_args: bool | None = None) -> None:
        self.df, self.loc, self.scale = broadcast_all(df, loc, scale)
        super().__init__(batch_of((df,), self.df), validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """``loc`` where df > 1, else nan."""
        return self.loc.masked_fill(self.df <= 1, math.nan)

    @property
    def mode(self) -> Tensor:
        """``loc``."""
        return self.loc

    @property
    def variance(self) -> Tensor:
        """``scale² df / (df - 2)`` where df > 2; inf where df > 1; else nan."""
        found = self.scale.pow(2) * self.df / (self.df - 2)
        found = found.masked_fill(self.df <= 2, math.inf)
        return found.masked_fill(self.df <= 1, math.nan)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Draw with gradients to all parameters."""
        shape = self._extended_shape(sample_shape)
        x = genesis.randn(shape, dtype=self.df.dtype, device=self.df.device)
        half: Tensor = StandardGamma.apply((self.df * 0.5).expand(shape))
        return self.loc + self.scale * (x * genesis.rsqrt(2 * half / self.df))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        if self._validate_args:
            self._validate_sample(value)
        y = (value - self.loc) / self.scale
        z = (
            self.scale.log()
            + 0.5 * self.df.log()
            + 0.5 * math.log(math.pi)
            + genesis.lgamma(0.5 * self.df)
            - genesis.lgamma(0.5 * (self.df + 1.0))
        )
        return -0.5 * (self.df + 1.0) * genesis.log1p(y**2.0 / self.df) - z

    def entropy(self) -> Tensor:
        """The expectation of ``-log_prob``."""
        half, more = 0.5 * self.df, 0.5 * (self.df + 1)
        beta = genesis.lgamma(half) + math.lgamma(0.5) - genesis.lgamma(more)
        digammas = genesis.digamma(more) - genesis.digamma(half)
        return self.scale.log() + more * digammas + 0.5 * self.df.log() + beta
