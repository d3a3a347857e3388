"""Probability distributions: properties, log-probabilities, entropies, divergences, transforms."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from table._entry import Entry, S, bools, floats, integers, positive


def _made(library: Any, path: str, *args: Any, **kwargs: Any) -> Any:
    """A distribution by name; nested ones are given as ("Normal", arguments...)."""
    module = importlib.import_module(f"{library.__name__}.distributions")

    def build(x: Any) -> Any:
        return _made(library, x[0], *x[1:]) if isinstance(x, tuple) and x and isinstance(x[0], str) else x

    return getattr(module, path)(*[build(a) for a in args], **{k: build(v) for k, v in kwargs.items()})


def _facts(*names: str) -> Any:
    """Run: the properties and shapes of a distribution, and its methods at a value."""

    def call(library: Any, function: Any, *args: Any, value: Any = None, **kwargs: Any) -> Any:
        d = _made(library, function.__name__, *args, **kwargs)
        found: list[Any] = [list(d.batch_shape), list(d.event_shape), d.has_rsample, repr(d)[:8]]
        for name in names:
            got = getattr(d, name)
            if name in ("log_prob", "cdf", "icdf"):
                got = got(value)
            elif callable(got):
                got = got()
            found.append(got)
        wide = d.expand((2, *d.batch_shape))
        fits = value is not None and value.shape == d.batch_shape + d.event_shape and "log_prob" in names
        found += [list(wide.batch_shape), wide.log_prob(value.expand((2, *value.shape))) if fits else 0]
        drawn = d.sample((3,)) if args or kwargs else 0
        found += [list(drawn.shape), drawn.dtype == d.sample().dtype, drawn.requires_grad]
        return found

    return call


def _divergence(library: Any, function: Any, p: Any, q: Any) -> Any:
    """Run: kl_divergence of two distributions."""
    return function(_made(library, *p), _made(library, *q))


def _through(library: Any, function: Any, *args: Any, x: Any, **kwargs: Any) -> Any:
    """Run: a transform, its inverse and its slope."""
    t = function(*args, **kwargs)
    y = t(x)
    return [y, t.inv(y), t.log_abs_det_jacobian(x, y), t.inv.log_abs_det_jacobian(y, x), t.bijective]


def _refused(library: Any, function: Any, *args: Any, value: Any = None, **kwargs: Any) -> Any:
    d = _made(library, function.__name__, *args, **kwargs)
    return d.log_prob(value) if value is not None else d.rsample()


_ALL = ("mean", "variance", "stddev", "log_prob", "entropy")
_probs = positive(3, 4)
_simplex = positive(5, 3) / 10
_simplex = _simplex / _simplex.sum(-1, keepdims=True)
_open = floats(3, low=0.05, high=0.95)
_factor = np.tril(floats(3, 3)) * 0.3 + np.eye(3)
_covariance = _factor @ _factor.T
_wide = {"float32": (1e-4, 1e-5), "float64": (2e-8, 1e-9)}
_why = "PyTorch's trigamma has nine digits; sums of lgamma and digamma cancel; the condition of systems"


def _E(name: str, samples: list[S], facts: tuple[str, ...] = _ALL, errors: Any = (), **more: Any) -> Entry:
    return Entry(
        f"distributions.{name}", samples, call=_facts(*facts), layouts=("plain",), errors=errors, **more
    )


ENTRIES = [
    _E(
        "Categorical",
        [
            S(_probs, value=integers(0, 4, 3)),
            S(logits=floats(3, 4), value=integers(0, 4, 3)),
            S(logits=floats(2, 3, 4), value=integers(0, 4, 5, 2, 3)),
            S(probs=positive(4), value=integers(0, 4, 6)),
            S(probs=np.array([[0.0, 0.5, 0.5], [1.0, 0.0, 0.0]]), value=integers(1, 2, 2), label="zeros"),
        ],
        ("mean", "variance", "mode", "log_prob", "entropy", "logits", "probs", "param_shape", "perplexity"),
        errors=[
            S(),
            S(_probs, floats(3, 4)),
            S(np.array(1.0)),
            S(_probs, value=integers(4, 6, 3)),
            S(_probs, value=integers(0, 4, 5)),
        ],
    ),
    _E(
        "OneHotCategorical",
        [S(_probs, value=np.eye(4)[[0, 2, 3]]), S(logits=floats(4), value=np.eye(4))],
        ("mean", "variance", "mode", "log_prob", "entropy", "enumerate_support"),
    ),
    _E(
        "Bernoulli",
        [
            S(_open, value=integers(0, 2, 3).astype(float)),
            S(logits=floats(2, 3), value=integers(0, 2, 4, 2, 3).astype(float)),
            S(np.array(0.3), value=integers(0, 2, 5).astype(float)),
            S(probs=np.array([0.0, 1.0, 0.5]), value=np.array([0.0, 1.0, 1.0]), label="ends"),
        ],
        (*_ALL, "logits", "probs", "mode", "enumerate_support"),
        errors=[S(), S(np.array([1.5])), S(_open, value=floats(3))],
    ),
    _E(
        "Geometric",
        [
            S(_open, value=integers(0, 5, 3).astype(float)),
            S(logits=floats(3), value=integers(0, 5, 3).astype(float)),
        ],
        (*_ALL, "mode"),
    ),
    _E(
        "Normal",
        [
            S(floats(3), positive(3), value=floats(3)),
            S(floats(2, 3), positive(3), value=floats(4, 2, 3)),
            S(0.5, 2.0, value=floats(4)),
            S(floats(3), 2, value=floats(3)),
            S(loc=0.0, scale=positive(2), value=floats(2)),
        ],
        (*_ALL, "mode", "cdf"),
        errors=[
            S(floats(3), floats(3) - 3, value=floats(3)),
            S(floats(3), positive(2)),
            S(floats(3), positive(3), value=floats(4)),
            S("a", 1.0),
        ],
    ),
    Entry(
        "distributions.Normal",
        [S(floats(3), positive(3), value=_open)],
        call=_facts("icdf"),
        layouts=("plain",),
    ),
    _E("LogNormal", [S(floats(3), positive(3, high=1.0), value=positive(3))], (*_ALL, "mode", "cdf")),
    _E("HalfNormal", [S(positive(3), value=positive(3))], (*_ALL, "mode", "cdf")),
    _E(
        "Uniform",
        [
            S(floats(3) - 3, positive(3), value=floats(3, low=-1.0, high=0.09)),
            S(0.0, 2.0, value=positive(4, high=1.9)),
        ],
        (*_ALL, "cdf", "mode"),
        errors=[S(1.0, 0.0), S(0.0, 1.0, value=positive(3) + 2)],
    ),
    _E("Exponential", [S(positive(3), value=positive(3)), S(2.0, value=positive(3))], (*_ALL, "mode", "cdf")),
    _E("Laplace", [S(floats(3), positive(3), value=floats(3))], (*_ALL, "mode", "cdf")),
    Entry(
        "distributions.Laplace",
        [S(floats(3), positive(3), value=_open)],
        call=_facts("icdf"),
        layouts=("plain",),
    ),
    _E(
        "Cauchy",
        [S(floats(3), positive(3), value=floats(3))],
        ("mode", "variance", "log_prob", "entropy", "cdf"),
    ),
    _E("Gumbel", [S(floats(3), positive(3), value=floats(3))], (*_ALL, "mode"), tolerance=_wide, why=_why),
    _E(
        "Poisson",
        [S(positive(3), value=integers(0, 6, 3).astype(float))],
        ("mean", "variance", "mode", "log_prob"),
    ),
    _E(
        "Gamma",
        [S(positive(3) + 1, positive(3), value=positive(3)), S(2.0, positive(3), value=positive(3))],
        (*_ALL, "mode"),
        errors=[S(floats(3) - 3, 1.0)],
        tolerance=_wide,
        why=_why,
    ),
    _E("Chi2", [S(positive(3) + 1, value=positive(3))], (*_ALL, "df"), tolerance=_wide, why=_why),
    _E(
        "Beta",
        [S(positive(3) + 1, positive(3) + 1, value=_open), S(2.0, 3.0, value=_open)],
        (*_ALL, "mode", "concentration0", "concentration1"),
        tolerance=_wide,
        why=_why,
    ),
    _E(
        "Dirichlet",
        [S(positive(3), value=_simplex), S(positive(5, 3) + 1, value=_simplex)],
        ("mean", "variance", "mode", "log_prob", "entropy"),
        errors=[S(positive(3), value=positive(3))],
        tolerance=_wide,
        why=_why,
    ),
    _E(
        "StudentT",
        [S(positive(3) + 2, floats(3), positive(3), value=floats(3)), S(3.0, value=floats(3))],
        (*_ALL, "mode"),
        tolerance=_wide,
        why=_why,
    ),
    _E(
        "MultivariateNormal",
        [
            S(floats(3), _covariance, value=floats(4, 3)),
            S(floats(2, 3), scale_tril=_factor, value=floats(2, 3)),
            S(floats(3), precision_matrix=_covariance, value=floats(3)),
        ],
        (
            "mean",
            "mode",
            "variance",
            "log_prob",
            "entropy",
            "covariance_matrix",
            "precision_matrix",
            "scale_tril",
        ),
        grad=False,
        errors=[
            S(floats(3)),
            S(floats(3), -_covariance),
            S(floats(3), scale_tril=_covariance),
            S(np.array(0.0), _covariance),
        ],
        tolerance=_wide,
        why=_why,
    ),
    Entry(
        "distributions.MultivariateNormal",
        [S(floats(3), scale_tril=np.eye(3) * positive(3), value=floats(4, 3), label="grad")],
        call=_facts("log_prob"),
        layouts=("plain",),
    ),
    _E(
        "Independent",
        [
            S(("Normal", floats(2, 3), positive(2, 3)), 1, value=floats(2, 3)),
            S(("Normal", floats(2, 3), positive(2, 3)), 2, value=floats(4, 2, 3)),
            S(("Bernoulli", floats(2, 3, low=0.1, high=0.9)), 1, value=bools(2, 3).astype(float)),
            S(("Normal", floats(2), positive(2)), 0, value=floats(2)),
        ],
        ("mean", "mode", "variance", "stddev", "log_prob", "entropy"),
        errors=[S(("Normal", floats(2), positive(2)), 2)],
    ),
    _E(
        "MixtureSameFamily",
        [
            S(("Categorical", positive(3)), ("Normal", floats(3), positive(3)), value=floats(4)),
            S(
                ("Categorical", positive(2, 3)),
                ("Independent", ("Normal", floats(2, 3, 5), positive(2, 3, 5)), 1),
                value=floats(2, 5),
            ),
        ],
        ("mean", "variance", "log_prob"),
        errors=[S(("Normal", 0.0, 1.0), ("Normal", floats(3), positive(3)))],
    ),
    Entry(
        "distributions.kl_divergence",
        [
            S(("Categorical", _probs), ("Categorical", positive(3, 4))),
            S(("OneHotCategorical", _probs), ("OneHotCategorical", positive(4))),
            S(("Bernoulli", _open), ("Bernoulli", floats(3, low=0.1, high=0.9))),
            S(("Normal", floats(3), positive(3)), ("Normal", floats(3), positive(3))),
            S(("Normal", floats(2, 3), positive(3)), ("Normal", 0.0, 1.0)),
            S(("LogNormal", floats(3), positive(3)), ("LogNormal", floats(3), positive(3))),
            S(("HalfNormal", positive(3)), ("HalfNormal", positive(3))),
            S(("Uniform", 0.0, positive(3)), ("Uniform", -1.0, positive(3) + 4)),
            S(("Uniform", 0.0, 2.0), ("Uniform", 1.0, 3.0), label="outside"),
            S(("Uniform", 0.0, positive(3)), ("Normal", floats(3), positive(3))),
            S(("Exponential", positive(3)), ("Exponential", positive(3))),
            S(("Laplace", floats(3), positive(3)), ("Laplace", floats(3), positive(3))),
            S(("Poisson", positive(3)), ("Poisson", positive(3))),
            S(("Geometric", _open), ("Geometric", floats(3, low=0.1, high=0.9))),
            S(("Cauchy", floats(3), positive(3)), ("Cauchy", floats(3), positive(3))),
            S(
                ("Independent", ("Normal", floats(2, 3), positive(2, 3)), 1),
                ("Independent", ("Normal", floats(2, 3), positive(2, 3)), 1),
            ),
        ],
        call=_divergence,
        layouts=("plain",),
        errors=[
            S(("Normal", 0.0, 1.0), ("Bernoulli", 0.5)),
            S(
                ("Independent", ("Normal", floats(2, 3), positive(2, 3)), 1),
                ("Independent", ("Normal", floats(2, 3), positive(2, 3)), 2),
            ),
        ],
    ),
    Entry(
        "distributions.kl_divergence",
        [
            S(("Gamma", positive(3), positive(3)), ("Gamma", positive(3), positive(3))),
            S(("Beta", positive(3), positive(3)), ("Beta", positive(3), positive(3))),
            S(("Dirichlet", positive(2, 3)), ("Dirichlet", positive(3))),
            S(("Gumbel", floats(3), positive(3)), ("Gumbel", floats(3), positive(3))),
        ],
        call=_divergence,
        layouts=("plain",),
        tolerance=_wide,
        why=_why,
    ),
    Entry(
        "distributions.kl_divergence",
        [
            S(
                ("MultivariateNormal", floats(3), _covariance),
                ("MultivariateNormal", floats(3), np.eye(3) + 0.1),
            ),
            S(
                ("MultivariateNormal", floats(2, 3), _covariance),
                ("MultivariateNormal", floats(3), np.eye(3) * 2.0),
            ),
        ],
        call=_divergence,
        layouts=("plain",),
        grad=False,
        tolerance=_wide,
        why=_why,
    ),
    Entry("distributions.ExpTransform", [S(x=floats(3))], call=_through, layouts=("plain",)),
    Entry("distributions.SigmoidTransform", [S(x=floats(2, 3))], call=_through, layouts=("plain",)),
    Entry(
        "distributions.TanhTransform",
        [S(x=floats(3)), S(cache_size=1, x=floats(3))],
        call=_through,
        layouts=("plain",),
    ),
    Entry("distributions.SoftplusTransform", [S(x=floats(3))], call=_through, layouts=("plain",)),
    Entry("distributions.PowerTransform", [S(2.0, x=positive(3))], call=_through, layouts=("plain",)),
    Entry(
        "distributions.AffineTransform",
        [
            S(1.0, -2.0, x=floats(3)),
            S(floats(3), positive(3), x=floats(2, 3)),
            S(floats(3), positive(3), event_dim=1, x=floats(2, 3)),
            S(1.0, 3.0, event_dim=1, x=floats(2, 3)),
        ],
        call=_through,
        layouts=("plain",),
    ),
]


def _squashed(library: Any, function: Any, loc: Any, scale: Any, value: Any, dims: int) -> Any:
    """Run: a normal distribution through tanh and a line, as in soft actor-critic."""
    D = importlib.import_module(f"{library.__name__}.distributions")
    base = D.Independent(D.Normal(loc, scale), dims) if dims else D.Normal(loc, scale)
    d = function(base, [D.TanhTransform(cache_size=1), D.AffineTransform(0.5, 2.0)])
    drawn = d.rsample((2,))
    assert library.isfinite(d.log_prob(drawn)).all()
    return [d.log_prob(value), list(drawn.shape), drawn.requires_grad, d.has_rsample, list(d.event_shape)]


ENTRIES += [
    Entry(
        "distributions.TransformedDistribution",
        [S(floats(2, 3), positive(2, 3), floats(2, 3, low=-1.4, high=2.4), dims) for dims in (0, 1, 2)],
        call=_squashed,
        layouts=("plain",),
    ),
]
