"""VonMises: angles around a direction."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

import genesis
from genesis._tensor import Tensor
from genesis.distributions import constraints
from genesis.distributions.distribution import Distribution
from genesis.distributions.utils import broadcast_all
from genesis.ops.random import _host_source

# mypy: disable-error-code="no-any-return"


class VonMises(Distribution):
    """Density ``exp(k cos(x - loc)) / (2 pi I0(k))`` of angles, k the concentration."""

    arg_constraints: ClassVar[Any] = {"loc": constraints.real, "concentration": constraints.positive}
    support: Any = constraints.real
    _parameters = ("loc", "concentration")

    def __init__(self, loc: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """``loc``, the circular mean."""
        return self.loc

    mode = mean

    @property
    def variance(self) -> Tensor:
        """``1 - I1(k) / I0(k)``, the circular variance."""
        k = self.concentration
        return 1 - genesis.special.i1e(k) / genesis.special.i0e(k)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draw angles between -pi and pi."""
        shape = self._extended_shape(sample_shape)
        loc, k = (t.detach().cpu().double()._host() for t in (self.loc, self.concentration))
        turned = (loc + math.pi) % (2 * math.pi) - math.pi
        drawn = np.asarray(_host_source(None, math.prod(shape)).vonmises(turned, k, tuple(shape)))
        return genesis.tensor(drawn, dtype=self.loc.dtype, device=self.loc.device)

    def log_prob(self, value: Tensor) -> Tensor:
        """``k cos(value - loc) - log(2 pi) - log I0(k)``."""
        if self._validate_args:
            self._validate_sample(value)
        k = self.concentration
        scale = genesis.special.i0e(k).log() + k
        return k * (value - self.loc).cos() - math.log(2 * math.pi) - scale
