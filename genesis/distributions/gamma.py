"""Gamma, and numbers drawn from it with gradients."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

import genesis
from genesis._tensor import Tensor
from genesis.autograd import Function
from genesis.distributions import constraints
from genesis.distributions.distribution import ExponentialFamily
from genesis.distributions.utils import batch_of, broadcast_all
from genesis.ops.random import _host_source


class StandardGamma(Function):
    """Gamma numbers of rate 1; gradients follow from the distribution function F, held fixed:
    ``dz/da = -(∂F/∂a) / (∂F/∂z)`` (implicit reparameterization: Figurnov, Mohamed, Mnih, 2018, eq. 6)."""

    @staticmethod
    def forward(ctx: Any, concentration: Tensor) -> Tensor:
        """Draw one number for each element."""
        alpha = concentration.detach().cpu()._host().astype(np.float64)
        drawn = np.asarray(_host_source(None, alpha.size).standard_gamma(alpha))
        z = genesis.tensor(drawn, dtype=concentration.dtype, device=concentration.device)
        z = z.clamp(min=genesis.finfo(z.dtype).tiny)
        ctx.save_for_backward(concentration, z)
        return z

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        """``grad dz/da``; there is no second derivative."""
        alpha, z = ctx.saved_tensors
        a, value = (t.detach().cpu()._host().astype(np.float64) for t in (alpha, z))
        slope = gamma_slope(a, value, genesis.digamma(alpha.detach().double() + 1).cpu().numpy())
        return grad * genesis.tensor(slope, dtype=z.dtype, device=z.device)


def gamma_slope(alpha: Any, z: Any, psi: Any) -> Any:
    """``dz/da`` of gamma numbers, from ψ(a + 1).

    With ``F = sum_n t_n``, ``t_n = z^(a+n) e^-z / Γ(a + n + 1)`` (DLMF 8.7.1 and 8.2.6), the derivative of a
    term is ``t_n (log z - ψ(a + n + 1))``; both are divided by the density ``t_0 a / z``.
    """
    log_z, ratio, total = np.log(z), np.ones_like(z), np.zeros_like(z)
    psi = np.array(psi)
    largest = float(z.max()) if z.size else 0.0
    for n in range(int(largest + 12 * largest**0.5 + 60)):
        total += ratio * (log_z - psi)
        psi = psi + 1 / (alpha + n + 1)
        ratio = ratio * z / (alpha + n + 1)
    return -total * z / alpha


class Gamma(ExponentialFamily):
    """Density ``rate^a x^(a-1) exp(-rate x) / Γ(a)``, a the concentration.

    Args:
        concentration: the shape a.
        rate: one over the scale.
        validate_args: see ``Distribution``.
    """

    arg_constraints: ClassVar[Any] = {"concentration": constraints.positive, "rate": constraints.positive}
    support: Any = constraints.nonnegative
    has_rsample = True
    _parameters = ("concentration", "rate")

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        self.concentration, self.rate = broadcast_all(concentration, rate)
        super().__init__(batch_of((concentration, rate), self.concentration), validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """``a / rate``."""
        return self.concentration / self.rate

    @property
    def mode(self) -> Tensor:
        """``(a - 1) / rate``, at least 0."""
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self) -> Tensor:
        """``a / rate²``."""
        return self.concentration / self.rate.pow(2)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Draw with gradients to both parameters."""
        shape = self._extended_shape(sample_shape)
        value: Tensor = StandardGamma.apply(self.concentration.expand(shape)) / self.rate.expand(shape)
        return value

    def log_prob(self, value: Tensor) -> Tensor:
        """``a log rate + (a - 1) log value - rate value - log Γ(a)``."""
        value = genesis.as_tensor(value, dtype=self.rate.dtype, device=self.rate.device)
        if self._validate_args:
            self._validate_sample(value)
        a = self.concentration
        return (
            genesis.xlogy(a, self.rate) + genesis.xlogy(a - 1, value) - self.rate * value - genesis.lgamma(a)
        )

    def entropy(self) -> Tensor:
        """``a - log rate + log Γ(a) + (1 - a) ψ(a)``."""
        a = self.concentration
        return a - genesis.log(self.rate) + genesis.lgamma(a) + (1.0 - a) * genesis.digamma(a)


class Chi2(Gamma):
    """The sum of ``df`` squares of standard normal numbers: Gamma(df / 2, 1 / 2)."""

    arg_constraints: ClassVar[Any] = {"df": constraints.positive}

    def __init__(self, df: Any, validate_args: bool | None = None) -> None:
        super().__init__(0.5 * df, 0.5, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distribution for a larger batch."""
        return super().expand(batch_shape, type(self).__new__(type(self)) if _instance is None else _instance)

    @property
    def df(self) -> Tensor:
        """Degrees of freedom."""
        return self.concentration * 2
