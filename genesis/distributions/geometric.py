"""Geometric: failures before the first success."""

from __future__ import annotations

from typing import Any

import genesis
from genesis._tensor import Tensor
from genesis.distributions import constraints
from genesis.distributions.bernoulli import Binary
from genesis.distributions.utils import broadcast_all


class Geometric(Binary):
    """The number of failures before the first success: ``P(k) = (1 - p)^k p``, k = 0, 1, …."""

    support = constraints.nonnegative_integer

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        super().__init__(probs, logits, validate_args)
        if self._validate_args and probs is not None and not (self.probs > 0).all():
            raise ValueError(
                f"Expected parameter probs of distribution {self!r} to be positive, found:\n{self.probs}"
            )

    @property
    def mean(self) -> Tensor:
        """``1 / p - 1``."""
        return 1.0 / self.probs - 1.0  # type: ignore[no-any-return]

    @property
    def mode(self) -> Tensor:
        """0."""
        return genesis.zeros_like(self.probs)

    @property
    def variance(self) -> Tensor:
        """``(1 / p - 1) / p``."""
        return (1.0 / self.probs - 1.0) / self.probs  # type: ignore[no-any-return]

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draw counts by inverting the distribution function."""
        probs = self.probs.detach().expand(self._extended_shape(sample_shape))
        noise = genesis.rand(probs.shape, dtype=probs.dtype, device=probs.device)
        return ((-noise).log1p() / (-probs).log1p()).floor()  # type: ignore[no-any-return]

    def log_prob(self, value: Tensor) -> Tensor:
        """``value log(1 - p) + log p``."""
        if self._validate_args:
            self._validate_sample(value)
        value, probs = broadcast_all(value, self.probs)
        fails = probs.masked_fill((probs == 1) & (value == 0), 0)
        return value * (-fails).log1p() + self.probs.log()  # type: ignore[no-any-return]

    def entropy(self) -> Tensor:
        """The entropy of one try, divided by p."""
        one = genesis.nn.functional.binary_cross_entropy_with_logits(
            self.logits, self.probs, reduction="none"
        )
        return one / self.probs  # type: ignore[no-any-return]
