"""Binomial: how many of some tries succeed."""

from __future__ import annotations

from typing import Any, ClassVar

import genesis
from genesis._tensor import Tensor
from genesis.distributions import constraints
from genesis.distributions.bernoulli import Binary
from genesis.distributions.distribution import Distribution
from genesis.distributions.utils import broadcast_all

# mypy: disable-error-code="no-any-return"


class Counted(Binary):
    """A distribution with a count and one probability, given as ``probs`` or as log-odds ``logits``."""

    _parameters = ("total_count", "probs", "logits")

    def __init__(
        self, total_count: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        if (probs is None) == (logits is None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")
        count, value = broadcast_all(total_count, logits if probs is None else probs)
        self.total_count = count.to(value.dtype)
        if probs is None:
            self.logits = value
        else:
            self.probs = value
        Distribution.__init__(self, value.shape, validate_args=validate_args)


class Binomial(Counted):
    """``P(k) = n! / (k! (n - k)!) p^k (1 - p)^(n - k)``, k = 0, …, n.

    Args:
        total_count: n, a number or a tensor.
        probs: p.
        logits: log-odds, instead.
        validate_args: see ``Distribution``.
    """

    arg_constraints: ClassVar[Any] = {
        "total_count": constraints.nonnegative_integer,
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    has_enumerate_support = True

    def __init__(
        self, total_count: Any = 1, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        super().__init__(total_count, probs, logits, validate_args)

    @constraints.dependent_property(is_discrete=True)
    def support(self) -> Any:
        """The integers from 0 to n."""
        return constraints.integer_interval(0, self.total_count)

    @property
    def mean(self) -> Tensor:
        """``n p``."""
        return self.total_count * self.probs

    @property
    def mode(self) -> Tensor:
        """The whole part of ``(n + 1) p``, at most n."""
        return ((self.total_count + 1) * self.probs).floor().clamp(max=self.total_count)

    @property
    def variance(self) -> Tensor:
        """``n p (1 - p)``."""
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draw counts."""
        shape = self._extended_shape(sample_shape)
        return genesis.binomial(self.total_count.detach().expand(shape), self.probs.detach().expand(shape))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of P(value)."""
        if self._validate_args:
            self._validate_sample(value)
        n, logits = self.total_count, self.logits
        inner = n * (logits.clamp(min=0) + logits - logits.clamp(max=0)) / 2
        inner = inner + n * (-logits.abs()).exp().log1p() - (n + 1).lgamma()
        return value * logits - (value + 1).lgamma() - (n - value + 1).lgamma() - inner

    def entropy(self) -> Tensor:
        """``-sum P log P``.

        Raises:
            NotImplementedError: the places of the batch have different counts.
        """
        found = self.log_prob(self.enumerate_support(False))
        return -(found.exp() * found).sum(0)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """0 to n, (n + 1, …).

        Raises:
            NotImplementedError: the places of the batch have different counts.
        """
        count = int(self.total_count.max().item())
        if int(self.total_count.min().item()) != count:
            raise NotImplementedError("Inhomogeneous total count not supported by `enumerate_support`.")
        values = genesis.arange(1 + count, dtype=self._param.dtype, device=self._param.device)
        values = values.view((-1,) + (1,) * len(self._batch_shape))
        return values.expand((-1, *self._batch_shape)) if expand else values
