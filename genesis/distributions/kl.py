"""kl_divergence: how far one distribution is from another, in closed form."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import genesis
from genesis._tensor import Tensor
from genesis.distributions.bernoulli import Bernoulli
from genesis.distributions.beta import Beta
from genesis.distributions.categorical import Categorical
from genesis.distributions.cauchy import Cauchy
from genesis.distributions.dirichlet import Dirichlet
from genesis.distributions.distribution import Distribution
from genesis.distributions.exponential import Exponential
from genesis.distributions.gamma import Gamma
from genesis.distributions.geometric import Geometric
from genesis.distributions.gumbel import Gumbel
from genesis.distributions.half_normal import HalfNormal
from genesis.distributions.independent import Independent
from genesis.distributions.laplace import Laplace
from genesis.distributions.multivariate_normal import MultivariateNormal, half_log_det, mahalanobis
from genesis.distributions.normal import Normal
from genesis.distributions.one_hot_categorical import OneHotCategorical
from genesis.distributions.poisson import Poisson
from genesis.distributions.transformed_distribution import TransformedDistribution
from genesis.distributions.uniform import Uniform
from genesis.distributions.utils import EULER, sum_rightmost

Rule = Callable[[Any, Any], Any]
_RULES: dict[tuple[type, type], Rule] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[Rule], Rule]:
    """Decorator: the function gives ``kl_divergence(p, q)`` for distributions of these classes.

    Raises:
        TypeError: a class is no distribution.
    """
    for given in (type_p, type_q):
        if not (isinstance(given, type) and issubclass(given, Distribution)):
            raise TypeError(f"Expected a Distribution subclass but got {given}")

    def keep(function: Rule) -> Rule:
        _RULES[type_p, type_q] = function
        return function

    return keep


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """``KL(p || q)``, the expectation under p of ``log p(x) - log q(x)``, for each place of the batch.

    Raises:
        NotImplementedError: no formula is known for these two classes; ``register_kl`` adds one.
    """
    found = [
        (type(p).__mro__.index(a) + type(q).__mro__.index(b), rule)
        for (a, b), rule in _RULES.items()
        if isinstance(p, a) and isinstance(q, b)
    ]
    if not found:
        raise NotImplementedError(f"No KL(p || q) is implemented for p type {type(p)} and q type {type(q)}")
    return min(found, key=lambda pair: pair[0])[1](p, q)  # type: ignore[no-any-return]


@register_kl(Bernoulli, Bernoulli)
def _bernoulli(p: Any, q: Any) -> Any:
    softplus = genesis.nn.functional.softplus
    first = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    first = genesis.where(q.probs == 0, math.inf, first).masked_fill(p.probs == 0, 0)
    second = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    second = genesis.where(q.probs == 1, math.inf, second).masked_fill(p.probs == 1, 0)
    return first + second


@register_kl(Categorical, Categorical)
def _categorical(p: Any, q: Any) -> Any:
    t = p.probs * (p.logits - q.logits)
    t = t.masked_fill((q.probs == 0).expand_as(t), math.inf)
    return t.masked_fill((p.probs == 0).expand_as(t), 0).sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _one_hot(p: Any, q: Any) -> Any:
    return _categorical(p._categorical, q._categorical)


@register_kl(Normal, Normal)
def _normal(p: Any, q: Any) -> Any:
    ratio = (p.scale / q.scale).pow(2)
    away = ((p.loc - q.loc) / q.scale).pow(2)
    return 0.5 * (ratio + away - 1 - ratio.log())


@register_kl(HalfNormal, HalfNormal)
def _half_normal(p: Any, q: Any) -> Any:
    return _normal(p.base_dist, q.base_dist)


@register_kl(MultivariateNormal, MultivariateNormal)
def _multivariate(p: Any, q: Any) -> Any:
    if p.event_shape != q.event_shape:
        raise ValueError(
            "KL-divergence between two Multivariate Normals with different event shapes cannot be computed"
        )
    of_p, of_q = p._unbroadcasted_scale_tril, q._unbroadcasted_scale_tril
    batch = genesis.broadcast_shapes(of_p.shape[:-2], of_q.shape[:-2])
    n = p.event_shape[0]
    of_p, of_q = of_p.expand((*batch, n, n)), of_q.expand((*batch, n, n))
    trace = genesis.linalg.solve_triangular(of_q, of_p, upper=False).pow(2).flatten(-2).sum(-1)
    away = mahalanobis(of_q, q.loc - p.loc)
    return half_log_det(of_q) - half_log_det(of_p) + 0.5 * (trace + away - n)


@register_kl(Independent, Independent)
def _independent(p: Any, q: Any) -> Any:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError("KL of Independent distributions with different reinterpreted_batch_ndims")
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(p: Any, q: Any) -> Any:
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError("KL of distributions with different transforms")
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(Uniform, Uniform)
def _uniform(p: Any, q: Any) -> Any:
    found = ((q.high - q.low) / (p.high - p.low)).log()
    return genesis.where((q.low > p.low) | (q.high < p.high), math.inf, found)


@register_kl(Uniform, Normal)
def _uniform_normal(p: Any, q: Any) -> Any:
    width = p.high - p.low
    first = (math.sqrt(math.pi * 2) * q.scale / width).log()
    spread, away = (width / q.scale).pow(2) / 24, ((p.high + p.low - 2 * q.loc) / q.scale).pow(2) / 8
    return first + spread + away


@register_kl(Exponential, Exponential)
def _exponential(p: Any, q: Any) -> Any:
    ratio = q.rate / p.rate
    return -ratio.log() + ratio - 1


@register_kl(Gamma, Gamma)
def _gamma(p: Any, q: Any) -> Any:
    a, b = p.concentration, q.concentration
    return (
        b * (p.rate / q.rate).log()
        + genesis.lgamma(b)
        - genesis.lgamma(a)
        + (a - b) * genesis.digamma(a)
        + (q.rate - p.rate) * (a / p.rate)
    )


@register_kl(Beta, Beta)
def _beta(p: Any, q: Any) -> Any:
    return _dirichlet(p._dirichlet, q._dirichlet)


@register_kl(Dirichlet, Dirichlet)
def _dirichlet(p: Any, q: Any) -> Any:
    a, b = p.concentration, q.concentration
    total = a.sum(-1)
    first = genesis.lgamma(total) - genesis.lgamma(b.sum(-1))
    second = (genesis.lgamma(a) - genesis.lgamma(b)).sum(-1)
    third = (a - b) * (genesis.digamma(a) - genesis.digamma(total).unsqueeze(-1))
    return first - second + third.sum(-1)


@register_kl(Geometric, Geometric)
def _geometric(p: Any, q: Any) -> Any:
    return -p.entropy() - (-q.probs).log1p() / p.probs - q.logits


@register_kl(Gumbel, Gumbel)
def _gumbel(p: Any, q: Any) -> Any:
    scale, away, at = p.scale / q.scale, q.loc / q.scale, p.loc / q.scale
    first = -scale.log() - away + at
    return first + scale * EULER + (away + (1 + scale).lgamma() - at).exp() - (1 + EULER)


@register_kl(Laplace, Laplace)
def _laplace(p: Any, q: Any) -> Any:
    away = (p.loc - q.loc).abs()
    second, third = away / q.scale, (p.scale / q.scale) * (-away / p.scale).exp()
    return -(p.scale / q.scale).log() + second + third - 1


@register_kl(Poisson, Poisson)
def _poisson(p: Any, q: Any) -> Any:
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(Cauchy, Cauchy)
def _cauchy(p: Any, q: Any) -> Any:
    first = ((p.scale + q.scale).pow(2) + (p.loc - q.loc).pow(2)).log()
    return first - (4 * p.scale * q.scale).log()


from genesis.distributions import _kl_pairs as _kl_pairs  # noqa: E402 - registers what needs register_kl
