"""RelaxedOneHotCategorical: a class that has a gradient."""

from __future__ import annotations

from typing import Any, ClassVar

import genesis
from genesis._tensor import Tensor
from genesis.distributions import constraints
from genesis.distributions.categorical import OverCategorical
from genesis.distributions.transformed_distribution import TransformedDistribution
from genesis.distributions.transforms import ExpTransform
from genesis.distributions.utils import broadcast_all, clamp_probs

# mypy: disable-error-code="no-any-return"


class ExpRelaxedCategorical(OverCategorical):
    """The logarithm of ``RelaxedOneHotCategorical``; arguments are the same."""

    _shared = ("temperature",)
    support: Any = constraints.real_vector  # its exponentials sum to 1, which is not checked
    has_rsample = True

    def __init__(
        self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self.temperature = temperature
        super().__init__(probs, logits, validate_args)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """``log softmax((logits + g) / t)``, g Gumbel numbers."""
        shape = self._extended_shape(sample_shape)
        noise = clamp_probs(genesis.rand(shape, dtype=self.logits.dtype, device=self.logits.device))
        scores = (self.logits - (-noise.log()).log()) / self.temperature
        return scores - scores.logsumexp(-1, keepdim=True)

    def log_prob(self, value: Tensor) -> Tensor:
        """``log (K - 1)! + (K - 1) log t + sum log softmax(logits - t value)``."""
        k = self._event_shape[0]
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        scale = genesis.full_like(self.temperature, float(k)).lgamma() + self.temperature.log() * (k - 1)
        score = logits - value * self.temperature
        return (score - score.logsumexp(-1, keepdim=True)).sum(-1) + scale


class RelaxedOneHotCategorical(TransformedDistribution):
    """K numbers that sum to 1, near to a one-hot vector at a low temperature.

    Args:
        temperature: a tensor.
        probs: (…, K), divided by their sum.
        logits: log-probabilities up to a constant, instead.
        validate_args: see ``Distribution``.

    Reference: Maddison, Mnih, Teh, arXiv 1611.00712; Jang, Gu, Poole, arXiv 1611.01144.
    """

    arg_constraints: ClassVar[Any] = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support: Any = constraints.simplex

    def __init__(
        self, temperature: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        base = ExpRelaxedCategorical(temperature, probs, logits, validate_args=validate_args)
        super().__init__(base, ExpTransform(), validate_args=validate_args)

    @property
    def temperature(self) -> Tensor:
        """How far samples are from one-hot vectors."""
        return self.base_dist.temperature

    @property
    def logits(self) -> Tensor:
        """Log-probabilities."""
        return self.base_dist.logits

    @property
    def probs(self) -> Tensor:
        """Probabilities."""
        return self.base_dist.probs
