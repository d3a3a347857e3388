"""MixtureSameFamily: one of several distributions of a kind."""

from __future__ import annotations

from typing import Any, ClassVar

import genesis
from genesis._tensor import Size, Tensor
from genesis.distributions import constraints
from genesis.distributions.categorical import Categorical
from genesis.distributions.distribution import Distribution


class MixtureSameFamily(Distribution):
    """A class is drawn, then a sample of that class's distribution.

    Args:
        mixture_distribution: a ``Categorical`` over K classes.
        component_distribution: K distributions along the last dimension of its batch.
        validate_args: see ``Distribution``.

    Raises:
        ValueError: the shapes of both do not fit.
    """

    arg_constraints: ClassVar[Any] = {}

    def __init__(
        self, mixture_distribution: Any, component_distribution: Any, validate_args: bool | None = None
    ) -> None:
        self._mixture_distribution, self._component_distribution = (
            mixture_distribution,
            component_distribution,
        )
        if not isinstance(mixture_distribution, Categorical):
            raise ValueError(
                " The Mixture distribution needs to be an instance of torch.distributions.Categorical"
            )
        if not isinstance(component_distribution, Distribution):
            raise ValueError(
                "The Component distribution need to be an instance of torch.distributions.Distribution"
            )
        batch = component_distribution.batch_shape[:-1]
        for have, want in zip(reversed(mixture_distribution.batch_shape), reversed(batch), strict=False):
            if have != 1 and want != 1 and have != want:
                raise ValueError(
                    f"`mixture_distribution.batch_shape` ({mixture_distribution.batch_shape}) is not "
                    f"compatible with `component_distribution.batch_shape`({batch})"
                )
        if mixture_distribution.probs.shape[-1] != component_distribution.batch_shape[-1]:
            raise ValueError(
                f"`mixture_distribution component` ({mixture_distribution.probs.shape[-1]}) does not equal "
                f"`component_distribution.batch_shape[-1]` ({component_distribution.batch_shape[-1]})"
            )
        self._event_ndims = len(component_distribution.event_shape)
        super().__init__(batch, component_distribution.event_shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distribution for a larger batch."""
        new = self._instance(_instance)
        parts = self._mixture_distribution.probs.shape[-1]
        new._mixture_distribution = self._mixture_distribution.expand(batch_shape)
        new._component_distribution = self._component_distribution.expand((*batch_shape, parts))
        new._event_ndims = self._event_ndims
        Distribution.__init__(new, Size(batch_shape), self._event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    @constraints.dependent_property
    def support(self) -> Any:
        """That of the components."""
        return self._component_distribution.support

    @property
    def mixture_distribution(self) -> Any:
        """The distribution of the class."""
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Any:
        """The distributions of the classes."""
        return self._component_distribution

    def _weights(self) -> Any:
        probs = self._mixture_distribution.probs
        return probs.reshape((*probs.shape, *(1,) * self._event_ndims))

    @property
    def mean(self) -> Tensor:
        """The weighted mean."""
        return (self._weights() * self._component_distribution.mean).sum(-1 - self._event_ndims)  # type: ignore[no-any-return]

    @property
    def variance(self) -> Tensor:
        """The mean of the variances and the variance of the means."""
        weights, at = self._weights(), -1 - self._event_ndims
        within = (weights * self._component_distribution.variance).sum(at)
        away = self._component_distribution.mean - self.mean.unsqueeze(at)
        return within + (weights * away.pow(2.0)).sum(at)  # type: ignore[no-any-return]

    def _parts(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return value.unsqueeze(-1 - self._event_ndims)

    def log_prob(self, value: Tensor) -> Tensor:
        """``log sum_k p_k p(value | k)``."""
        inner = self._component_distribution.log_prob(self._parts(value))
        weights = self._mixture_distribution.logits.log_softmax(-1)
        return genesis.logsumexp(inner + weights, dim=-1)

    def cdf(self, value: Tensor) -> Tensor:
        """The weighted sum of those of the components."""
        inner = self._component_distribution.cdf(self._parts(value))
        return (inner * self._mixture_distribution.probs).sum(-1)  # type: ignore[no-any-return]

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draw classes, and a sample of each class."""
        with genesis.no_grad():
            sample_shape = Size(sample_shape)
            at = len(sample_shape) + len(self._batch_shape)
            chosen = self._mixture_distribution.expand(self._batch_shape).sample(sample_shape)
            drawn = self._component_distribution.sample(sample_shape)
            index = chosen.reshape((*chosen.shape, *(1,) * (self._event_ndims + 1)))
            index = index.expand((*chosen.shape, 1, *self._event_shape))
            return drawn.gather(at, index).squeeze(at)  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"MixtureSameFamily(\n  {self._mixture_distribution},\n  {self._component_distribution})"
