"""Multinomial: how often each class is drawn."""

from __future__ import annotations

from math import inf
from typing import Any

import genesis
from genesis._tensor import Tensor
from genesis.distributions import constraints
from genesis.distributions.binomial import Binomial
from genesis.distributions.categorical import OverCategorical
from genesis.distributions.utils import broadcast_all

# mypy: disable-error-code="no-any-return"


class Multinomial(OverCategorical):
    """Counts of K classes in ``total_count`` draws.

    Args:
        total_count: the number of draws, one for the whole batch.
        probs: (…, K), divided by their sum.
        logits: log-probabilities up to a constant, instead.
        validate_args: see ``Distribution``.

    Raises:
        NotImplementedError: ``total_count`` is no integer.
    """

    _shared = ("total_count",)

    def __init__(
        self, total_count: int = 1, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        if not isinstance(total_count, int):
            raise NotImplementedError("inhomogeneous total_count is not supported")
        self.total_count = total_count
        super().__init__(probs, logits, validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self) -> Any:
        """Counts whose sum is at most ``total_count``."""
        return constraints.multinomial(self.total_count)

    @property
    def mean(self) -> Tensor:
        """``n p``."""
        return self.probs * self.total_count

    @property
    def variance(self) -> Tensor:
        """``n p (1 - p)`` of each class."""
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draw classes and count them."""
        drawn = self._categorical.sample((self.total_count, *sample_shape)).movedim(0, -1)
        counts = genesis.zeros(self._extended_shape(sample_shape), dtype=drawn.dtype, device=drawn.device)
        return counts.scatter_add(-1, drawn, genesis.ones_like(drawn)).to(self.probs.dtype)

    def log_prob(self, value: Tensor) -> Tensor:
        """``log n! - sum log k! + sum k log p``."""
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        logits = logits.masked_fill((value == 0) & (logits == -inf), 0)
        ways = (value.sum(-1) + 1).lgamma() - (value + 1).lgamma().sum(-1)
        return ways + (logits * value).sum(-1)

    def entropy(self) -> Tensor:
        """``n H(p) - log n!``, and the expectation of ``sum log k!``."""
        one = Binomial(self.total_count, self.probs)
        counts = one.enumerate_support(expand=False)[1:]
        weights = one.log_prob(counts).exp() * (counts + 1).lgamma()
        first = self.total_count * self._categorical.entropy()
        return first - genesis.tensor(self.total_count + 1.0).lgamma() + weights.sum((0, -1))
