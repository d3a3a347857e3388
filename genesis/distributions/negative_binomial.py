"""NegativeBinomial: successes before some failures."""

from __future__ import annotations

from typing import Any, ClassVar

import genesis
from genesis._tensor import Tensor
from genesis.distributions import constraints
from genesis.distributions.binomial import Counted
from genesis.distributions.gamma import Gamma

# mypy: disable-error-code="no-any-return"


class NegativeBinomial(Counted):
    """How many tries succeed, each with probability p, until n have failed.

    Args:
        total_count: n; it need not be whole.
        probs: p, the probability of a success.
        logits: log-odds, instead.
        validate_args: see ``Distribution``.
    """

    arg_constraints: ClassVar[Any] = {
        "total_count": constraints.greater_than_eq(0),
        "probs": constraints.half_open_interval(0.0, 1.0),
        "logits": constraints.real,
    }
    support: Any = constraints.nonnegative_integer

    @property
    def mean(self) -> Tensor:
        """``n p / (1 - p)``."""
        return self.total_count * self.logits.exp()

    @property
    def mode(self) -> Tensor:
        """The whole part of ``(n - 1) p / (1 - p)``, at least 0."""
        return ((self.total_count - 1) * self.logits.exp()).floor().clamp(min=0.0)

    @property
    def variance(self) -> Tensor:
        """``n p / (1 - p)²``."""
        return self.mean / (-self.logits).sigmoid()

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draw counts: Poisson numbers of a Gamma rate."""
        rates = Gamma(self.total_count, (-self.logits).exp(), validate_args=False)
        return genesis.poisson(rates.sample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        """``n log(1 - p) + k log p + log Γ(n + k) - log k! - log Γ(n)``."""
        if self._validate_args:
            self._validate_sample(value)
        n, logsigmoid = self.total_count, genesis.nn.functional.logsigmoid
        found = n * logsigmoid(-self.logits) + value * logsigmoid(self.logits)
        ways = -(n + value).lgamma() + (1.0 + value).lgamma() + n.lgamma()
        return found - ways.masked_fill(n + value == 0.0, 0.0)
