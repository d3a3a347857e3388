"""OneHotCategorical: one of several classes, as a vector with a single 1."""

from __future__ import annotations

from typing import Any

import genesis
from genesis._tensor import Tensor
from genesis.distributions import constraints
from genesis.distributions.categorical import OverCategorical


class OneHotCategorical(OverCategorical):
    """One of K classes as a vector of K numbers; arguments as those of ``Categorical``."""

    support = constraints.one_hot
    has_enumerate_support = True

    @property
    def mean(self) -> Tensor:
        """The probabilities."""
        return self.probs

    @property
    def mode(self) -> Tensor:
        """The most likely class, as a vector."""
        classes = genesis.nn.functional.one_hot(self.probs.argmax(-1), self.probs.shape[-1])
        return classes.to(self.probs.dtype)

    @property
    def variance(self) -> Tensor:
        """``p (1 - p)`` of each class."""
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draw vectors with a single 1."""
        drawn = self._categorical.sample(sample_shape)
        return genesis.nn.functional.one_hot(drawn, self.probs.shape[-1]).to(self.probs.dtype)

    def log_prob(self, value: Tensor) -> Tensor:
        """The log-probability of the class where each vector has its 1."""
        if self._validate_args:
            self._validate_sample(value)
        return self._categorical.log_prob(value.max(-1)[1])

    def entropy(self) -> Tensor:
        """``-sum p log p``."""
        return self._categorical.entropy()

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All vectors, (K, …, K)."""
        n = self._event_shape[0]
        values = genesis.eye(n, dtype=self.probs.dtype, device=self.probs.device)
        values = values.view((n, *(1,) * len(self._batch_shape), n))
        return values.expand((n, *self._batch_shape, n)) if expand else values


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """``OneHotCategorical`` whose samples pass the gradient on to the probabilities (Bengio et al., 2013)."""

    has_rsample = True

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Samples whose gradient is that of the probabilities."""
        return self.sample(sample_shape) + (self.probs - self.probs.detach())
