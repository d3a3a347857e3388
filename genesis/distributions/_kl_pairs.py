"""Divergences of the other pairs of distributions that PyTorch knows: each is an expectation under p
of ``log p - log q``, in which the entropy of p is the first part."""

from __future__ import annotations

import math
from typing import Any

import genesis
from genesis.distributions.bernoulli import Bernoulli
from genesis.distributions.beta import Beta
from genesis.distributions.binomial import Binomial
from genesis.distributions.continuous_bernoulli import ContinuousBernoulli
from genesis.distributions.exponential import Exponential
from genesis.distributions.gamma import Gamma
from genesis.distributions.gumbel import Gumbel
from genesis.distributions.kl import register_kl
from genesis.distributions.laplace import Laplace
from genesis.distributions.normal import Normal
from genesis.distributions.pareto import Pareto
from genesis.distributions.poisson import Poisson
from genesis.distributions.uniform import Uniform
from genesis.distributions.utils import EULER

_HALF_LINE = (Exponential, Gamma)

#: p reaches where q does not
_NEVER: dict[Any, tuple[Any, ...]] = {
    Beta: (Pareto,),
    ContinuousBernoulli: (Pareto,),
    Exponential: (Beta, ContinuousBernoulli, Pareto, Uniform),
    Gamma: (Beta, ContinuousBernoulli, Pareto, Uniform),
    Gumbel: (Beta, ContinuousBernoulli, *_HALF_LINE, Pareto, Uniform),
    Laplace: (Beta, ContinuousBernoulli, *_HALF_LINE, Pareto, Uniform),
    Normal: (Beta, ContinuousBernoulli, *_HALF_LINE, Pareto, Uniform),
    Pareto: (Beta, ContinuousBernoulli, Uniform),
    Poisson: (Bernoulli, Binomial),
}


def _infinite(p: Any, q: Any) -> Any:
    like = getattr(p, next(iter(p.arg_constraints)))
    return genesis.full_like(like.detach(), math.inf)


for _p, _others in _NEVER.items():
    for _q in _others:
        register_kl(_p, _q)(_infinite)


def _against_normal(p: Any, q: Any) -> Any:
    """p of any kind with an entropy, a mean and a variance."""
    square = p.variance + (p.mean - q.loc).pow(2)
    return -p.entropy() + 0.5 * math.log(2 * math.pi) + q.scale.log() + square / (2 * q.scale.pow(2))


for _p in (Beta, ContinuousBernoulli, Exponential, Gamma, Gumbel, Laplace):
    register_kl(_p, Normal)(_against_normal)


@register_kl(Pareto, Normal)
def _pareto_normal(p: Any, q: Any) -> Any:
    return _against_normal(p, q).masked_fill(p.alpha <= 2, math.inf)


def _against_exponential(p: Any, q: Any) -> Any:
    return -p.entropy() - q.rate.log() + q.rate * p.mean


for _p in (Beta, ContinuousBernoulli, Gamma):
    register_kl(_p, Exponential)(_against_exponential)


@register_kl(Pareto, Exponential)
def _pareto_exponential(p: Any, q: Any) -> Any:
    return _against_exponential(p, q).masked_fill(p.alpha <= 1, math.inf)


@register_kl(Uniform, Exponential)
def _uniform_exponential(p: Any, q: Any) -> Any:
    return _against_exponential(p, q).masked_fill(p.low < 0, math.inf)


def _against_gamma(p: Any, q: Any, log_mean: Any) -> Any:
    """``log_mean`` is the expectation of ``log x``."""
    a = q.concentration
    return -p.entropy() + a.lgamma() - a * q.rate.log() - (a - 1) * log_mean + q.rate * p.mean


@register_kl(Beta, Gamma)
def _beta_gamma(p: Any, q: Any) -> Any:
    total = p.concentration1 + p.concentration0
    return _against_gamma(p, q, p.concentration1.digamma() - total.digamma())


@register_kl(Exponential, Gamma)
def _exponential_gamma(p: Any, q: Any) -> Any:
    return _against_gamma(p, q, -EULER - p.rate.log())


@register_kl(Pareto, Gamma)
def _pareto_gamma(p: Any, q: Any) -> Any:
    found = _against_gamma(p, q, p.scale.log() + p.alpha.reciprocal())
    return found.masked_fill(p.alpha <= 1, math.inf)


def _mean_log(low: Any, high: Any) -> Any:
    """The mean of ``log x`` between two numbers."""
    return (genesis.xlogy(high, high) - genesis.xlogy(low, low)) / (high - low) - 1


@register_kl(Uniform, Gamma)
def _uniform_gamma(p: Any, q: Any) -> Any:
    return _against_gamma(p, q, _mean_log(p.low, p.high)).masked_fill(p.low < 0, math.inf)


@register_kl(Uniform, Beta)
def _uniform_beta(p: Any, q: Any) -> Any:
    a, b = q.concentration1, q.concentration0
    logs = (a - 1) * _mean_log(p.low, p.high) + (b - 1) * _mean_log(1 - p.high, 1 - p.low)
    found = -p.entropy() - logs + a.lgamma() + b.lgamma() - (a + b).lgamma()
    return found.masked_fill((p.high > 1) | (p.low < 0), math.inf)


@register_kl(Beta, Uniform)
def _beta_uniform(p: Any, q: Any) -> Any:
    return (-p.entropy() + (q.high - q.low).log()).masked_fill((q.low > 0) | (q.high < 1), math.inf)


@register_kl(ContinuousBernoulli, Uniform)
def _continuous_uniform(p: Any, q: Any) -> Any:  # as PyTorch: infinite at the very ends, too
    return (-p.entropy() + (q.high - q.low).log()).masked_fill((q.low >= 0) | (q.high <= 1), math.inf)


def _against_continuous(p: Any, q: Any) -> Any:
    return -p.entropy() - p.mean * q.logits - (-q.probs).log1p() - q._log_norm()


register_kl(Beta, ContinuousBernoulli)(_against_continuous)
register_kl(ContinuousBernoulli, ContinuousBernoulli)(_against_continuous)


@register_kl(Uniform, ContinuousBernoulli)
def _uniform_continuous(p: Any, q: Any) -> Any:
    return _against_continuous(p, q).masked_fill((p.high >= 1) | (p.low <= 0), math.inf)


def _against_gumbel(p: Any, q: Any, tail: Any) -> Any:
    """``tail`` is the expectation of ``exp(-x / scale)``."""
    away = q.loc / q.scale
    return -p.entropy() + q.scale.log() + p.mean / q.scale - away + away.exp() * tail


@register_kl(Exponential, Gumbel)
def _exponential_gumbel(p: Any, q: Any) -> Any:
    product = p.rate * q.scale
    return _against_gumbel(p, q, product / (product + 1))


@register_kl(Gamma, Gumbel)
def _gamma_gumbel(p: Any, q: Any) -> Any:
    return _against_gumbel(p, q, (1 + (p.rate * q.scale).reciprocal()).pow(-p.concentration))


@register_kl(Normal, Gumbel)
def _normal_gumbel(p: Any, q: Any) -> Any:
    return _against_gumbel(p, q, (-p.loc / q.scale + 0.5 * (p.scale / q.scale).pow(2)).exp())


@register_kl(Uniform, Gumbel)
def _uniform_gumbel(p: Any, q: Any) -> Any:
    tails = (-p.low / q.scale).exp() - (-p.high / q.scale).exp()
    return _against_gumbel(p, q, tails * q.scale / (p.high - p.low))


@register_kl(Normal, Laplace)
def _normal_laplace(p: Any, q: Any) -> Any:
    d = p.loc - q.loc
    z = d / p.scale
    away = math.sqrt(2 / math.pi) * p.scale * (-0.5 * z.pow(2)).exp() + d * genesis.erf(math.sqrt(0.5) * z)
    return -p.entropy() + (2 * q.scale).log() + away / q.scale


@register_kl(Pareto, Pareto)
def _pareto(p: Any, q: Any) -> Any:
    ratio = q.alpha / p.alpha
    found = q.alpha * (p.scale / q.scale).log() - ratio.log() + ratio - 1
    return found.masked_fill(p.scale < q.scale, math.inf)


@register_kl(Binomial, Binomial)
def _binomial(p: Any, q: Any) -> Any:
    if (p.total_count < q.total_count).any():
        raise NotImplementedError(
            "KL between Binomials where q.total_count > p.total_count is not implemented"
        )
    one = p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p()
    return (p.total_count * one).masked_fill(p.total_count > q.total_count, math.inf)
