"""Dirichlet: probabilities of classes."""

from __future__ import annotations

from typing import Any, ClassVar

import genesis
from genesis._tensor import Tensor
from genesis.distributions import constraints
from genesis.distributions.distribution import ExponentialFamily
from genesis.distributions.gamma import StandardGamma


class Dirichlet(ExponentialFamily):
    """Density proportional to ``prod x_i^(a_i - 1)`` where the x sum to 1.

    Args:
        concentration: a, (…, K).
        validate_args: see ``Distribution``.
    """

    arg_constraints: ClassVar[Any] = {"concentration": constraints.independent(constraints.positive, 1)}
    support: Any = constraints.simplex
    has_rsample = True
    _parameters = ("concentration",)

    def __init__(self, concentration: Any, validate_args: bool | None = None) -> None:
        if concentration.dim() < 1:
            raise ValueError("`concentration` parameter must be at least one-dimensional.")
        self.concentration = concentration
        super().__init__(concentration.shape[:-1], concentration.shape[-1:], validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """``a / sum a``."""
        return self.concentration / self.concentration.sum(-1, True)  # type: ignore[no-any-return]

    @property
    def mode(self) -> Tensor:
        """``(a - 1) / sum(a - 1)``; where all a are below 1, the corner of the largest."""
        above = (self.concentration - 1).clamp(min=0.0)
        mode = above / above.sum(-1, True)
        flat = (self.concentration < 1).all(-1)
        corner = genesis.nn.functional.one_hot(self.concentration.argmax(-1), self._event_shape[0])
        return genesis.where(flat.unsqueeze(-1), corner.to(mode), mode)  # type: ignore[no-any-return]

    @property
    def variance(self) -> Tensor:
        """Of each class."""
        total = self.concentration.sum(-1, True)
        return self.concentration * (total - self.concentration) / (total.pow(2) * (total + 1))  # type: ignore[no-any-return]

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Gamma numbers divided by their sum."""
        parts = StandardGamma.apply(self.concentration.expand(self._extended_shape(sample_shape)))
        share: Tensor = parts / parts.sum(-1, True)
        return share

    def log_prob(self, value: Tensor) -> Tensor:
        """``sum (a - 1) log value + log Γ(sum a) - sum log Γ(a)``."""
        if self._validate_args:
            self._validate_sample(value)
        a = self.concentration
        return genesis.xlogy(a - 1.0, value).sum(-1) + genesis.lgamma(a.sum(-1)) - genesis.lgamma(a).sum(-1)

    def entropy(self) -> Tensor:
        """``log B(a) + (sum a - K) ψ(sum a) - sum (a - 1) ψ(a)``."""
        a = self.concentration
        total = a.sum(-1)
        return (  # type: ignore[no-any-return]
            genesis.lgamma(a).sum(-1)
            - genesis.lgamma(total)
            - (a.shape[-1] - total) * genesis.digamma(total)
            - ((a - 1.0) * genesis.digamma(a)).sum(-1)
        )
