"""Beta: a probability."""

from __future__ import annotations

from typing import Any, ClassVar

import genesis
from genesis._tensor import Size, Tensor
from genesis.distributions import constraints
from genesis.distributions.dirichlet import Dirichlet
from genesis.distributions.distribution import Distribution, ExponentialFamily
from genesis.distributions.utils import batch_of, broadcast_all


class Beta(ExponentialFamily):
    """Density proportional to ``x^(a - 1) (1 - x)^(b - 1)`` on [0, 1].

    Args:
        concentration1: a.
        concentration0: b.
        validate_args: see ``Distribution``.
    """

    arg_constraints: ClassVar[Any] = {
        "concentration1": constraints.positive,
        "concentration0": constraints.positive,
    }
    support: Any = constraints.unit_interval
    has_rsample = True

    def __init__(self, concentration1: Any, concentration0: Any, validate_args: bool | None = None) -> None:
        both = broadcast_all(concentration1, concentration0)
        self._dirichlet = Dirichlet(genesis.stack(both, -1), validate_args=validate_args)
        super().__init__(batch_of((concentration1, concentration0), both[0]), validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distribution for a larger batch."""
        new = self._instance(_instance)
        new._dirichlet = self._dirichlet.expand(batch_shape)
        Distribution.__init__(new, Size(batch_shape), validate_args=False)
        new._validate_args = self._validate_args
        return new

    @property
    def concentration1(self) -> Tensor:
        """a."""
        return self._dirichlet.concentration[..., 0]  # type: ignore[no-any-return]

    @property
    def concentration0(self) -> Tensor:
        """b."""
        return self._dirichlet.concentration[..., 1]  # type: ignore[no-any-return]

    @property
    def mean(self) -> Tensor:
        """``a / (a + b)``."""
        return self.concentration1 / (self.concentration1 + self.concentration0)

    @property
    def mode(self) -> Tensor:
        """``(a - 1) / (a + b - 2)`` where both are above 1."""
        return self._dirichlet.mode[..., 0]

    @property
    def variance(self) -> Tensor:
        """``a b / ((a + b)² (a + b + 1))``."""
        total = self.concentration1 + self.concentration0
        return self.concentration1 * self.concentration0 / (total.pow(2) * (total + 1))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Draw with gradients."""
        return self._dirichlet.rsample(sample_shape)[..., 0]

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        if self._validate_args:
            self._validate_sample(value)
        return self._dirichlet.log_prob(genesis.stack([value, 1.0 - value], -1))

    def entropy(self) -> Tensor:
        """That of the Dirichlet distribution of both shares."""
        return self._dirichlet.entropy()
