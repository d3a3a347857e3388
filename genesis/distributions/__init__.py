"""Probability distributions, by the names of ``torch.distributions``: samples, log-probabilities, entropies.

Parameters are tensors or numbers; their common shape is the batch.  ``sample`` has no gradients, ``rsample``
has, where the distribution allows.  Names that PyTorch has and that are not here say what is nearest.
"""

from __future__ import annotations

from genesis._lazy import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from genesis.distributions import constraints as constraints
    from genesis.distributions import kl as kl
    from genesis.distributions import transforms as transforms
    from genesis.distributions import utils as utils
    from genesis.distributions.bernoulli import Bernoulli as Bernoulli
    from genesis.distributions.beta import Beta as Beta
    from genesis.distributions.binomial import Binomial as Binomial
    from genesis.distributions.categorical import Categorical as Categorical
    from genesis.distributions.cauchy import Cauchy as Cauchy
    from genesis.distributions.continuous_bernoulli import ContinuousBernoulli as ContinuousBernoulli
    from genesis.distributions.dirichlet import Dirichlet as Dirichlet
    from genesis.distributions.distribution import Distribution as Distribution
    from genesis.distributions.distribution import ExponentialFamily as ExponentialFamily
    from genesis.distributions.exponential import Exponential as Exponential
    from genesis.distributions.fishersnedecor import FisherSnedecor as FisherSnedecor
    from genesis.distributions.gamma import Chi2 as Chi2
    from genesis.distributions.gamma import Gamma as Gamma
    from genesis.distributions.generalized_pareto import GeneralizedPareto as GeneralizedPareto
    from genesis.distributions.geometric import Geometric as Geometric
    from genesis.distributions.gumbel import Gumbel as Gumbel
    from genesis.distributions.half_cauchy import HalfCauchy as HalfCauchy
    from genesis.distributions.half_normal import HalfNormal as HalfNormal
    from genesis.distributions.independent import Independent as Independent
    from genesis.distributions.inverse_gamma import InverseGamma as InverseGamma
    from genesis.distributions.kl import kl_divergence as kl_divergence
    from genesis.distributions.kl import register_kl as register_kl
    from genesis.distributions.kumaraswamy import Kumaraswamy as Kumaraswamy
    from genesis.distributions.laplace import Laplace as Laplace
    from genesis.distributions.log_normal import LogNormal as LogNormal
    from genesis.distributions.logistic_normal import LogisticNormal as LogisticNormal
    from genesis.distributions.mixture_same_family import MixtureSameFamily as MixtureSameFamily
    from genesis.distributions.multinomial import Multinomial as Multinomial
    from genesis.distributions.multivariate_normal import MultivariateNormal as MultivariateNormal
    from genesis.distributions.negative_binomial import NegativeBinomial as NegativeBinomial
    from genesis.distributions.normal import Normal as Normal
    from genesis.distributions.one_hot_categorical import OneHotCategorical as OneHotCategorical
    from genesis.distributions.one_hot_categorical import (
        OneHotCategoricalStraightThrough as OneHotCategoricalStraightThrough,
    )
    from genesis.distributions.pareto import Pareto as Pareto
    from genesis.distributions.poisson import Poisson as Poisson
    from genesis.distributions.relaxed_bernoulli import RelaxedBernoulli as RelaxedBernoulli
    from genesis.distributions.relaxed_categorical import RelaxedOneHotCategorical as RelaxedOneHotCategorical
    from genesis.distributions.studentT import StudentT as StudentT
    from genesis.distributions.transformed_distribution import (
        TransformedDistribution as TransformedDistribution,
    )
    from genesis.distributions.transforms import AbsTransform as AbsTransform
    from genesis.distributions.transforms import AffineTransform as AffineTransform
    from genesis.distributions.transforms import ComposeTransform as ComposeTransform
    from genesis.distributions.transforms import ExpTransform as ExpTransform
    from genesis.distributions.transforms import IndependentTransform as IndependentTransform
    from genesis.distributions.transforms import PowerTransform as PowerTransform
    from genesis.distributions.transforms import ReshapeTransform as ReshapeTransform
    from genesis.distributions.transforms import SigmoidTransform as SigmoidTransform
    from genesis.distributions.transforms import SoftmaxTransform as SoftmaxTransform
    from genesis.distributions.transforms import SoftplusTransform as SoftplusTransform
    from genesis.distributions.transforms import StickBreakingTransform as StickBreakingTransform
    from genesis.distributions.transforms import TanhTransform as TanhTransform
    from genesis.distributions.transforms import Transform as Transform
    from genesis.distributions.transforms import identity_transform as identity_transform
    from genesis.distributions.uniform import Uniform as Uniform
    from genesis.distributions.von_mises import VonMises as VonMises
    from genesis.distributions.weibull import Weibull as Weibull

_NAMES = {
    "bernoulli": ("Bernoulli",),
    "beta": ("Beta",),
    "binomial": ("Binomial",),
    "categorical": ("Categorical",),
    "cauchy": ("Cauchy",),
    "continuous_bernoulli": ("ContinuousBernoulli",),
    "dirichlet": ("Dirichlet",),
    "distribution": (
        "Distribution",
        "ExponentialFamily",
    ),
    "exponential": ("Exponential",),
    "fishersnedecor": ("FisherSnedecor",),
    "gamma": (
        "Chi2",
        "Gamma",
    ),
    "generalized_pareto": ("GeneralizedPareto",),
    "geometric": ("Geometric",),
    "gumbel": ("Gumbel",),
    "half_cauchy": ("HalfCauchy",),
    "half_normal": ("HalfNormal",),
    "independent": ("Independent",),
    "inverse_gamma": ("InverseGamma",),
    "kl": (
        "kl_divergence",
        "register_kl",
    ),
    "kumaraswamy": ("Kumaraswamy",),
    "laplace": ("Laplace",),
    "log_normal": ("LogNormal",),
    "logistic_normal": ("LogisticNormal",),
    "mixture_same_family": ("MixtureSameFamily",),
    "multinomial": ("Multinomial",),
    "multivariate_normal": ("MultivariateNormal",),
    "negative_binomial": ("NegativeBinomial",),
    "normal": ("Normal",),
    "one_hot_categorical": (
        "OneHotCategorical",
        "OneHotCategoricalStraightThrough",
    ),
    "pareto": ("Pareto",),
    "poisson": ("Poisson",),
    "relaxed_bernoulli": ("RelaxedBernoulli",),
    "relaxed_categorical": ("RelaxedOneHotCategorical",),
    "studentT": ("StudentT",),
    "transformed_distribution": ("TransformedDistribution",),
    "transforms": (
        "AbsTransform",
        "AffineTransform",
        "ComposeTransform",
        "ExpTransform",
        "IndependentTransform",
        "PowerTransform",
        "ReshapeTransform",
        "SigmoidTransform",
        "SoftmaxTransform",
        "SoftplusTransform",
        "StickBreakingTransform",
        "TanhTransform",
        "Transform",
        "identity_transform",
    ),
    "uniform": ("Uniform",),
    "von_mises": ("VonMises",),
    "weibull": ("Weibull",),
}
_MODULES = ("constraints", "kl", "transforms", "utils")

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        **{
            name: f"genesis.distributions.{module}:{name}"
            for module, names in _NAMES.items()
            for name in names
        },
        **{name: f"genesis.distributions.{name}" for name in _MODULES},
    },
)
