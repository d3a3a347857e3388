"""The rarer distributions, transforms that change shapes, and divergences between unlike distributions."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from table._entry import Entry, S, floats, integers, positive
from table.distributions import _ALL, _E, _divergence, _made, _open, _probs, _simplex, _why, _wide

_counts = integers(0, 5, 3).astype(float)


def _more(library: Any, function: Any, *args: Any, value: Any = None, **kwargs: Any) -> Any:
    """Run: cdf and icdf, and that samples lie where they can."""
    d = _made(library, function.__name__, *args, **kwargs)
    drawn = d.sample((50,))
    assert d.support.check(drawn).all()
    assert library.isfinite(d.log_prob(drawn)).all()
    return [d.cdf(value), list(drawn.shape)]


def _inverted(library: Any, function: Any, *args: Any, value: Any = None, **kwargs: Any) -> Any:
    return _made(library, function.__name__, *args, **kwargs).icdf(value)


def _reparameterized(library: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
    """Run: samples with a gradient, and where they can lie."""
    d = _made(library, function.__name__, *args, **kwargs)
    drawn = d.rsample((4,))
    assert d.support.check(drawn).all()
    return [list(drawn.shape), drawn.requires_grad, d.has_rsample, list(d.batch_shape), list(d.event_shape)]


def _through(library: Any, function: Any, *args: Any, x: Any, **kwargs: Any) -> Any:
    """Run: a transform that changes shapes."""
    t = function(*args, **kwargs)
    y = t(x)
    shapes = [list(t.forward_shape(x.shape)), list(t.inverse_shape(y.shape))]
    found = [y, t.inv(y), *shapes, t.bijective, t.domain.event_dim, t.codomain.event_dim]
    return [*found, t.log_abs_det_jacobian(x, y)] if t.bijective else found


def _chained(library: Any, function: Any, loc: Any, scale: Any, value: Any, kind: str) -> Any:
    """Run: distributions through several transforms."""
    D = importlib.import_module(f"{library.__name__}.distributions")
    parts = {
        "shares": [D.AffineTransform(loc, scale), D.StickBreakingTransform()],
        "wider": [D.AffineTransform(loc, scale), D.ExpTransform()],
        "reshaped": [D.ReshapeTransform((6,), (2, 3)), D.ExpTransform()],
        "independent": [D.IndependentTransform(D.ExpTransform(), 1)],
    }[kind]
    base = D.Normal(loc, scale) if kind in ("reshaped", "independent") else D.Normal(0.0, 1.0)
    if kind == "shares":
        base = base.expand((2,))
    d = D.TransformedDistribution(base, parts)
    return [d.log_prob(value), list(d.batch_shape), list(d.event_shape), list(d.rsample((3,)).shape)]


_two_counts = np.array([[2.0, 1.0, 0.0, 1.0], [0.0, 4.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0]])

ENTRIES = [
    _E(
        "Binomial",
        [
            S(4, _open, value=integers(0, 5, 3).astype(float)),
            S(positive(3).round() + 3, logits=floats(2, 3), value=integers(0, 3, 2, 3).astype(float)),
            S(probs=np.array([0.0, 1.0, 0.5]), value=np.array([0.0, 1.0, 1.0]), label="ends"),
        ],
        ("mean", "variance", "stddev", "mode", "log_prob", "logits", "probs", "param_shape"),
        errors=[
            S(),
            S(3, _open, floats(3)),
            S(3, np.array([1.5])),
            S(-1, _open),
            S(2, _open, value=np.array([3.0, 0.0, 0.0])),
        ],
    ),
    _E("Binomial", [S(4, _open), S(3, logits=floats(2, 3))], ("entropy", "enumerate_support")),
    _E(
        "NegativeBinomial",
        [
            S(4, _open, value=_counts),
            S(positive(3), logits=floats(2, 3), value=integers(0, 3, 2, 3).astype(float)),
        ],
        ("mean", "variance", "stddev", "mode", "log_prob", "logits", "probs"),
        errors=[S(3), S(3, np.array([1.0])), S(-1, _open), S(3, _open, value=floats(3))],
        tolerance=_wide,
        why=_why,
    ),
    _E(
        "Multinomial",
        [
            S(4, _probs, value=_two_counts),
            S(4, logits=floats(4), value=_two_counts),
            S(2, np.array([0.5, 0.5, 0.0]), value=np.array([1.0, 1.0, 0.0]), label="zeros"),
        ],
        ("mean", "variance", "log_prob", "entropy", "logits", "probs", "param_shape"),
        errors=[S(4), S(2.5, _probs), S(2, _probs, value=_two_counts)],
    ),
    _E(
        "HalfCauchy",
        [S(positive(3), value=positive(3)), S(2.0, value=positive(3))],
        ("mean", "variance", "mode", "log_prob", "entropy", "cdf"),
    ),
    _E(
        "InverseGamma",
        [S(positive(3) + 2, positive(3), value=positive(3))],
        (*_ALL, "mode"),
        tolerance=_wide,
        why=_why,
    ),
    _E(
        "Pareto",
        [
            S(positive(3), positive(3) + 2, value=positive(3) + 3),
            S(1.0, 0.5, value=positive(3) + 3),
            S(positive(2, 1), 3.0, value=positive(2, 3) + 3),
        ],
        (*_ALL, "mode", "cdf"),
        errors=[S(2.0, 1.0, value=positive(3) - 2), S(-1.0, 1.0)],
    ),
    _E(
        "Weibull",
        [S(positive(3), positive(3) + 1, value=positive(3)), S(1.0, 1.5, value=positive(3))],
        (*_ALL, "mode", "cdf"),
        tolerance=_wide,
        why=_why,
    ),
    _E(
        "Kumaraswamy",
        [S(positive(3) + 1, positive(3) + 1, value=_open), S(positive(2, 1), 2.0, value=_open)],
        ("mean", "variance", "log_prob", "entropy", "cdf"),
        tolerance=_wide,
        why=_why,
    ),
    _E(
        "InverseGamma", [S(1.5, 2.0, value=positive(3))], _ALL, dtypes=("float32",), tolerance=_wide, why=_why
    ),
    _E("ContinuousBernoulli", [S(0.3, value=_open)], _ALL, dtypes=("float32",), tolerance=_wide, why=_why),
    _E("Kumaraswamy", [S(positive(3) + 1, positive(3) - 0.5, label="mode")], ("mode",), grad=False),
    _E(
        "FisherSnedecor",
        [S(positive(3), positive(3) * 3, value=positive(3)), S(3.0, 5.0, value=positive(3))],
        ("mean", "variance", "mode", "log_prob"),
        tolerance=_wide,
        why=_why,
    ),
    _E(
        "VonMises",
        [
            S(floats(3), positive(3), value=floats(3)),
            S(floats(2, 3), positive(3, high=40), value=floats(2, 3)),
        ],
        ("mean", "mode", "variance", "log_prob"),
        errors=[S(floats(3), floats(3) - 3)],
        tolerance={"float32": (1e-4, 2e-6), "float64": (1e-4, 2e-6)},
        why="PyTorch's Bessel functions are polynomials with seven digits, and so with fewer in the slope",
    ),
    _E(
        "RelaxedBernoulli",
        [S(np.array(0.7), _open, value=_open), S(positive(3), logits=floats(3), value=_open)],
        ("log_prob", "logits", "probs", "temperature"),
        errors=[S(np.array(0.7)), S(np.array(0.7), np.array([2.0]))],
    ),
    _E(
        "RelaxedOneHotCategorical",
        [
            S(np.array(0.7), positive(3), value=_simplex),
            S(np.array([0.7]), logits=floats(5, 3), value=_simplex),
        ],
        ("log_prob", "logits", "probs", "temperature"),
        errors=[S(np.array(0.7))],
        tolerance=_wide,
        why=_why,
    ),
    _E(
        "ContinuousBernoulli",
        [
            S(_open, value=_open),
            S(logits=floats(2, 3), value=floats(2, 3, low=0.1, high=0.9)),
            S(np.array([0.5, 0.4995, 0.6]), value=_open, label="series"),
        ],
        (*_ALL, "logits", "probs", "cdf", "param_shape"),
        errors=[S(), S(np.array([1.5])), S(_open, value=floats(3) + 2)],
        tolerance={"float32": (1e-3, 1e-4), "float64": (1e-9, 1e-10)},
        why="its formulas cancel near one half",
    ),
    _E(
        "GeneralizedPareto",
        [
            S(floats(3), positive(3), positive(3, high=0.45), value=positive(3) + 2),
            S(floats(3), positive(3), np.array([0.0, -0.1, 0.7]), value=floats(3, low=2.0, high=2.4)),
            S(0.0, 1.0, 0.2, value=positive(3)),
        ],
        (*_ALL, "mode", "cdf"),
        errors=[S(0.0, -1.0, 0.2), S(0.0, 1.0, 0.2, value=positive(3) - 4)],
        dtypes=("float32",),  # in float64 PyTorch compares with a zero of float32, which raises
    ),
    _E(
        "LogisticNormal",
        [S(floats(2), positive(2), value=_simplex), S(floats(5, 2), positive(2), value=_simplex)],
        ("log_prob", "loc", "scale"),
        tolerance=_wide,
        why=_why,
    ),
]

_CLOSED: dict[str, list[Any]] = {
    "HalfCauchy": [positive(3)],
    "Pareto": [positive(3, high=1.0), positive(3) + 2],
    "Weibull": [positive(3), positive(3) + 1],
    "Kumaraswamy": [positive(3) + 1, positive(3) + 1],
    "ContinuousBernoulli": [_open],
    "GeneralizedPareto": [floats(3) - 3, positive(3), positive(3, high=0.45)],
}
ENTRIES += [
    Entry(
        f"distributions.{name}",
        [S(*args, value=value)],
        call=call,
        layouts=("plain",),
        dtypes=("float32",) if name == "GeneralizedPareto" else ("float32", "float64"),
        tolerance={"float32": (2e-4, 2e-5), "float64": (1e-10, 1e-11)},
        why="several powers one after another",
    )
    for name, args in _CLOSED.items()
    for call, value in ((_more, _open + (1 if name == "Pareto" else 0)), (_inverted, _open))
]
ENTRIES += [
    Entry(f"distributions.{name}", [S(*args)], call=_reparameterized, layouts=("plain",))
    for name, args in {
        **_CLOSED,
        "InverseGamma": [positive(3), positive(3)],
        "FisherSnedecor": [positive(3) + 1, positive(3) + 1],
        "RelaxedBernoulli": [np.array(0.7), _open],
        "RelaxedOneHotCategorical": [np.array(0.7), positive(2, 3)],
        "LogisticNormal": [floats(2, 3), positive(3)],
    }.items()
]

_KINDS: dict[str, list[tuple[Any, ...]]] = {
    "Beta": [(positive(3), positive(3))],
    "ContinuousBernoulli": [(_open,)],
    "Exponential": [(positive(3),)],
    "Gamma": [(positive(3), positive(3))],
    "Gumbel": [(floats(3), positive(3))],
    "Laplace": [(floats(3), positive(3))],
    "Normal": [(floats(3), positive(3))],
    "Pareto": [(positive(3), positive(3) + 2), (2.0, 0.5)],
    "Uniform": [(positive(3, high=0.4), positive(3, low=0.5, high=0.9)), (-5.0, positive(3) + 2)],
}
_PAIRS = {
    "Beta": "ContinuousBernoulli Pareto Exponential Gamma Normal Uniform",
    "ContinuousBernoulli": "ContinuousBernoulli Pareto Exponential Normal Uniform",
    "Exponential": "Beta ContinuousBernoulli Pareto Uniform Gamma Gumbel Normal",
    "Gamma": "Beta ContinuousBernoulli Pareto Uniform Exponential Gumbel Normal",
    "Gumbel": "Beta ContinuousBernoulli Exponential Gamma Pareto Uniform Normal",
    "Laplace": "Beta ContinuousBernoulli Exponential Gamma Pareto Uniform Normal",
    "Normal": "Beta ContinuousBernoulli Exponential Gamma Pareto Uniform Gumbel Laplace",
    "Pareto": "Beta ContinuousBernoulli Uniform Pareto Exponential Gamma Normal",
    "Uniform": "Beta ContinuousBernoulli Exponential Gamma Gumbel",
}
ENTRIES += [
    Entry(
        "distributions.kl_divergence",
        [
            S((p, *given), (q, *of), label=f"{p} {q} {i}{j}")
            for p, others in _PAIRS.items()
            for q in others.split()
            for i, given in enumerate(_KINDS[p])
            for j, of in enumerate(_KINDS[q])
        ],
        call=_divergence,
        grad=False,
        layouts=("plain",),
        tolerance={"float32": (1e-3, 1e-4), "float64": (1e-7, 1e-8)},
        why="entropies of another form, which cancel",
    ),
    Entry(
        "distributions.kl_divergence",
        [
            S(("Binomial", 4, _open), ("Binomial", 4, floats(3, low=0.1, high=0.9))),
            S(("Binomial", 4, _open), ("Binomial", 3, floats(3, low=0.1, high=0.9))),
            S(("Poisson", positive(3)), ("Bernoulli", _open)),
            S(("Poisson", positive(3)), ("Binomial", 4, _open)),
            S(("HalfCauchy", positive(3)), ("HalfCauchy", positive(3))),
        ],
        call=_divergence,
        layouts=("plain",),
        errors=[
            S(("Binomial", 4, _open), ("Binomial", 5, _open)),
            S(("VonMises", floats(3), positive(3)), ("VonMises", floats(3), positive(3))),
        ],
    ),
    Entry("distributions.SoftmaxTransform", [S(x=floats(2, 3))], call=_through, layouts=("plain",)),
    Entry(
        "distributions.StickBreakingTransform",
        [S(x=floats(2, 3)), S(x=floats(1))],
        call=_through,
        layouts=("plain",),
        tolerance=_wide,
        why="what is left of one cancels",
    ),
    Entry(
        "distributions.ReshapeTransform",
        [S((6,), (2, 3), x=floats(4, 6)), S((2, 3), (6,), x=floats(2, 3)), S((), (1,), x=floats(3))],
        call=_through,
        layouts=("plain",),
        errors=[S((6,), (4,), x=floats(6)), S((6,), (2, 3), x=floats(4))],
    ),
    Entry(
        "distributions.TransformedDistribution",
        [
            S(floats(2), positive(2), _simplex, "shares"),
            S(floats(2, 3), positive(3), positive(2, 3), "wider"),
            S(floats(6), positive(6), positive(2, 3), "reshaped"),
            S(floats(4, 6), positive(6), positive(4, 2, 3), "reshaped"),
            S(floats(4, 3), positive(3), positive(4, 3), "independent"),
        ],
        call=_chained,
        layouts=("plain",),
        tolerance=_wide,
        why="what is left of one cancels",
    ),
]
