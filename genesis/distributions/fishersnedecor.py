"""FisherSnedecor: the ratio of two variances."""

from __future__ import annotations

from math import nan
from typing import Any, ClassVar

import genesis
from genesis._tensor import Tensor
from genesis.distributions import constraints
from genesis.distributions.distribution import Distribution
from genesis.distributions.gamma import Gamma
from genesis.distributions.utils import batch_of, broadcast_all

# mypy: disable-error-code="no-any-return"


class FisherSnedecor(Distribution):
    """``(x1 / df1) / (x2 / df2)``, both x of ``Chi2`` with ``df1`` and ``df2`` degrees of freedom."""

    arg_constraints: ClassVar[Any] = {"df1": constraints.positive, "df2": constraints.positive}
    support: Any = constraints.positive
    has_rsample = True
    _parameters = ("df1", "df2")

    def __init__(self, df1: Any, df2: Any, validate_args: bool | None = None) -> None:
        self.df1, self.df2 = broadcast_all(df1, df2)
        super().__init__(batch_of((df1, df2), self.df1), validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """``df2 / (df2 - 2)``; nan for df2 up to 2."""
        n = self.df2.masked_fill(self.df2 <= 2, nan)
        return n / (n - 2)

    @property
    def mode(self) -> Tensor:
        """``(df1 - 2) / df1 df2 / (df2 + 2)``; nan for df1 up to 2."""
        found = (self.df1 - 2) / self.df1 * self.df2 / (self.df2 + 2)
        return found.masked_fill(self.df1 <= 2, nan)

    @property
    def variance(self) -> Tensor:
        """``2 df2² (df1 + df2 - 2) / (df1 (df2 - 2)² (df2 - 4))``; nan for df2 up to 4."""
        n = self.df2.masked_fill(self.df2 <= 4, nan)
        return 2 * n.pow(2) * (self.df1 + n - 2) / (self.df1 * (n - 2).pow(2) * (n - 4))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """The ratio of two gamma numbers."""
        first = Gamma(self.df1 * 0.5, self.df1).rsample(sample_shape)
        second = Gamma(self.df2 * 0.5, self.df2).rsample(sample_shape)
        tiny = genesis.finfo(first.dtype).tiny
        return (first / second.clamp(min=tiny)).clamp(min=tiny)

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        if self._validate_args:
            self._validate_sample(value)
        a, b, ratio = self.df1 * 0.5, self.df2 * 0.5, self.df1 / self.df2
        first = (a + b).lgamma() - a.lgamma() - b.lgamma()
        return first + a * ratio.log() + (a - 1) * value.log() - (a + b) * (ratio * value).log1p()
