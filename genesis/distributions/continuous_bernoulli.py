"""ContinuousBernoulli: a number between 0 and 1 with Bernoulli's formula as its density."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import genesis
from genesis._tensor import Tensor
from genesis.distributions import constraints
from genesis.distributions.bernoulli import Binary
from genesis.distributions.distribution import Distribution
from genesis.distributions.utils import batch_of, broadcast_all, clamp_probs, lazy_property, logits_to_probs

# mypy: disable-error-code="no-any-return"


class ContinuousBernoulli(Binary):
    """Density proportional to ``p^x (1 - p)^(1 - x)`` on [0, 1].

    Args:
        probs: p.
        logits: log-odds, instead.
        lims: between them, near 1/2, series take the place of formulas that cancel.
        validate_args: see ``Distribution``.

    Reference: Loaiza-Ganem, Cunningham, arXiv 1907.06845.
    """

    arg_constraints: ClassVar[Any] = {"probs": constraints.unit_interval, "logits": constraints.real}
    support: Any = constraints.unit_interval
    has_rsample = True

    def __init__(
        self,
        probs: Any = None,
        logits: Any = None,
        lims: tuple[float, float] = (0.499, 0.501),
        validate_args: bool | None = None,
    ) -> None:
        if (probs is None) == (logits is None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")
        (value,) = broadcast_all(logits if probs is None else probs)
        if probs is None:
            self.logits = value
        else:
            if validate_args is not None and not constraints.unit_interval.check(value).all():
                raise ValueError("The parameter probs has invalid values")
            self.probs = clamp_probs(value)
        self._lims = lims
        batch = batch_of((logits if probs is None else probs,), value)
        Distribution.__init__(self, batch, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distribution for a larger batch."""
        new = super().expand(batch_shape, self._instance(_instance))
        new._lims = self._lims
        return new

    @lazy_property
    def probs(self) -> Any:
        """p."""
        return clamp_probs(logits_to_probs(self.logits, is_binary=True))

    def _outside(self) -> Any:
        """Where p is far enough from 1/2."""
        return (self.probs <= self._lims[0]) | (self.probs > self._lims[1])

    def _cut(self) -> Any:
        """p, where it is far enough from 1/2; the lower limit elsewhere."""
        return genesis.where(self._outside(), self.probs, self._lims[0])

    def _log_norm(self) -> Any:
        """The logarithm of what the density is multiplied by."""
        p = self._cut()
        below, above = genesis.where(p <= 0.5, p, 0.0), genesis.where(p >= 0.5, p, 1.0)
        slope = genesis.where(p <= 0.5, (-2.0 * below).log1p(), (2.0 * above - 1.0).log())
        x = (self.probs - 0.5).pow(2)
        series = math.log(2.0) + (4.0 / 3.0 + 104.0 / 45.0 * x) * x
        return genesis.where(self._outside(), ((-p).log1p() - p.log()).abs().log() - slope, series)

    @property
    def mean(self) -> Tensor:
        """``p / (2 p - 1) + 1 / (log(1 - p) - log p)``."""
        p, x = self._cut(), self.probs - 0.5
        found = p / (2.0 * p - 1.0) + 1.0 / ((-p).log1p() - p.log())
        return genesis.where(self._outside(), found, 0.5 + (1.0 / 3.0 + 16.0 / 45.0 * x.pow(2)) * x)

    @property
    def variance(self) -> Tensor:
        """``p (p - 1) / (1 - 2 p)² + 1 / (log(1 - p) - log p)²``."""
        p, x = self._cut(), (self.probs - 0.5).pow(2)
        found = p * (p - 1.0) / (1.0 - 2.0 * p).pow(2) + 1.0 / ((-p).log1p() - p.log()).pow(2)
        return genesis.where(self._outside(), found, 1.0 / 12.0 - (1.0 / 15.0 - 128.0 / 945.0 * x) * x)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """``icdf`` of uniform numbers."""
        shape = self._extended_shape(sample_shape)
        return self.icdf(genesis.rand(shape, dtype=self.probs.dtype, device=self.probs.device))

    def log_prob(self, value: Tensor) -> Tensor:
        """Bernoulli's formula, and what makes it a density."""
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        loss = genesis.nn.functional.binary_cross_entropy_with_logits(logits, value, reduction="none")
        return -loss + self._log_norm()

    def cdf(self, value: Tensor) -> Tensor:
        """``(p^x (1 - p)^(1 - x) + p - 1) / (2 p - 1)``."""
        if self._validate_args:
            self._validate_sample(value)
        p = self._cut()
        found = (p.pow(value) * (1.0 - p).pow(1.0 - value) + p - 1.0) / (2.0 * p - 1.0)
        inner = genesis.where(self._outside(), found, value)
        return genesis.where(value <= 0.0, 0.0, genesis.where(value >= 1.0, 1.0, inner))

    def icdf(self, value: Tensor) -> Tensor:
        """The inverse of ``cdf``."""
        p = self._cut()
        found = ((-p + value * (2.0 * p - 1.0)).log1p() - (-p).log1p()) / (p.log() - (-p).log1p())
        return genesis.where(self._outside(), found, value)

    def entropy(self) -> Tensor:
        """The expectation of ``-log_prob``."""
        no, yes = (-self.probs).log1p(), self.probs.log()
        return self.mean * (no - yes) - self._log_norm() - no
