"""OneHotCategorical: one of several classes, as a vector with a single 1."""

from __future__ import annotations

from typing import Any, ClassVar

import genesis
from genesis._tensor import Size, Tensor
from genesis.distributions import constraints
from genesis.distributions.categorical import Categorical
from genesis.distributions.distribution import Distribution


class OneHotCategorical(Distribution):
    """One of K classes as a vector of K numbers; arguments as those of ``Categorical``."""

    arg_constraints: ClassVar[Any] = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support = constraints.one_hot
    has_enumerate_support = True

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        self._categorical = Categorical(probs, logits)
        super().__init__(
            self._categorical.batch_shape, self._categorical.param_shape[-1:], validate_args=validate_args
        )

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distribution for a larger batch."""
        new = self._instance(_instance)
        new._categorical = self._categorical.expand(batch_shape)
        Distribution.__init__(new, Size(batch_shape), self._event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    @property
    def logits(self) -> Tensor:
        """Log-probabilities."""
        return self._categorical.logits  # type: ignore[no-any-return]

    @property
    def probs(self) -> Tensor:
        """Probabilities."""
        return self._categorical.probs  # type: ignore[no-any-return]

    @property
    def param_shape(self) -> Size:
        """The shape of ``probs``."""
        return self._categorical.param_shape

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
