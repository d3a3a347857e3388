"""Normal: the Gaussian distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import genesis
from genesis._tensor import Tensor
from genesis.distributions import constraints
from genesis.distributions.distribution import ExponentialFamily
from genesis.distributions.utils import batch_of, broadcast_all


class Normal(ExponentialFamily):
    """Density ``exp(-(x - loc)² / (2 scale²)) / (scale sqrt(2 pi))``.

    Args:
        loc: the mean, a tensor or a number.
        scale: the standard deviation.
        validate_args: see ``Distribution``.

    Example:
        >>> import genesis
        >>> from genesis.distributions import Normal
        >>> Normal(genesis.zeros(3), 1.0).log_prob(genesis.zeros(3)).shape
        (3,)
    """

    arg_constraints: ClassVar[Any] = {"loc": constraints.real, "scale": constraints.positive}
    support: Any = constraints.real
    has_rsample = True
    _parameters = ("loc", "scale")

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(batch_of((loc, scale), self.loc), validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """``loc``."""
        return self.loc

    mode = mean

    @property
    def stddev(self) -> Tensor:
        """``scale``."""
        return self.scale

    @property
    def variance(self) -> Tensor:
        """``scale²``."""
        return self.stddev.pow(2)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """``loc + scale ε`` with ε from N(0, 1)."""
        noise = genesis.randn(
            self._extended_shape(sample_shape), dtype=self.loc.dtype, device=self.loc.device
        )
        return self.loc + noise * self.scale

    def log_prob(self, value: Tensor) -> Tensor:
        """``-(value - loc)² / (2 scale²) - log scale - log(2 pi) / 2``."""
        if self._validate_args:
            self._validate_sample(value)
        return (
            -((value - self.loc) ** 2) / (2 * self.scale**2)
            - self.scale.log()
            - math.log(math.sqrt(2 * math.pi))
        )

    def cdf(self, value: Tensor) -> Tensor:
        """``(1 + erf((value - loc) / (scale sqrt 2))) / 2``."""
        if self._validate_args:
            self._validate_sample(value)
        return 0.5 * (1 + genesis.erf((value - self.loc) * self.scale.reciprocal() / math.sqrt(2)))

    def icdf(self, value: Tensor) -> Tensor:
        """The inverse of ``cdf``."""
        return self.loc + self.scale * genesis.erfinv(2 * value - 1) * math.sqrt(2)

    def entropy(self) -> Tensor:
        """``1/2 + log(2 pi) / 2 + log scale``."""
        return 0.5 + 0.5 * math.log(2 * math.pi) + self.scale.log()
