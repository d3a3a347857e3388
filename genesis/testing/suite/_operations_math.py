"""Special functions, further arithmetic, moments, order statistics and scans."""

from __future__ import annotations

import numpy as np

from genesis.testing.suite._operations import NOT_DIFFERENTIABLE, bools, case, floats, integers, positive

A, B, ROW, CUBE = floats(3, 4), floats(3, 4), floats(4), floats(2, 3, 4)
SMALL, POSITIVE = A * 0.4, positive(3, 4)

for name in ("asinh", "atan", "deg2rad", "erfc", "i0", "lgamma", "positive", "rad2deg", "sinc"):
    case(name, lambda ns, x, name=name: getattr(ns, name)(x), A)
for name in ("acos", "asin", "erfinv"):
    case(name, lambda ns, x, name=name: getattr(ns, name)(x), SMALL)
case("digamma", lambda ns, x: ns.digamma(x), A, parity=False)  # torch's gradient of it is off by 1e-9
case("acosh", lambda ns, x: ns.acosh(x), POSITIVE + 1.1)
case("frac", lambda ns, x: ns.frac(x), A)
case("frexp", lambda ns, x: ns.frexp(x).mantissa, A)
case("logit", lambda ns, x: ns.logit(x), POSITIVE / 3)
case("logit", lambda ns, x: ns.logit(x, 0.3), POSITIVE / 3, label="eps")
case("mvlgamma", lambda ns, x: ns.mvlgamma(x, 3), POSITIVE + 1)
for n in (0, 1, 3):
    case("polygamma", lambda ns, x, n=n: ns.polygamma(n, x), POSITIVE, parity=n > 1, label=f"n={n}")
case("round", lambda ns, x: ns.round(x, decimals=1), A, label="decimals")
for name in ("entr", "erfcx", "i0e", "i1", "i1e", "log_ndtr", "ndtr"):
    case(name, lambda ns, x, name=name: getattr(getattr(ns, "special", ns), name)(x), POSITIVE, parity=False)
case("ndtri", lambda ns, x: ns.ndtri(x), POSITIVE / 3, parity=False)

for name in ("atan2", "copysign", "fmax", "fmin", "fmod", "hypot", "logaddexp", "logaddexp2", "rsub"):
    case(name, lambda ns, a, b, name=name: getattr(ns, name)(a, b), A, B)
    case(name, lambda ns, a, b, name=name: getattr(ns, name)(a, b), A, ROW)
for name in ("float_power", "xlogy"):
    case(name, lambda ns, a, b, name=name: getattr(ns, name)(a, b), POSITIVE, positive(4))
case("xlog1py", lambda ns, a, b: ns.xlog1py(a, b), A, positive(4), parity=False)
case("ldexp", lambda ns, a, b: ns.ldexp(a, b), A, ROW)
case("heaviside", lambda ns, a, b: ns.heaviside(a, b), np.round(A), ROW, order=0, parity=False)

for name in ("std_mean", "var_mean", "nansum", "nanmean", "aminmax"):
    case(name, lambda ns, x, name=name: getattr(ns, name)(x, dim=1), A, label="dim=1")
    case(name, lambda ns, x, name=name: getattr(ns, name)(x), CUBE, label="all")
case("cov", lambda ns, x: ns.cov(x), A)
case(
    "cov", lambda ns, x, f, a: ns.cov(x, fweights=f, aweights=a), A, integers(3, 4) + 1, positive(4), order=0
)
case("corrcoef", lambda ns, x: ns.corrcoef(x), A)
case("dist", lambda ns, a, b: ns.dist(a, b, 3), A, B)
case("renorm", lambda ns, x: ns.renorm(x, 2, 0, 1.0), A)
for name in ("median", "nanmedian"):
    case(name, lambda ns, x, name=name: getattr(ns, name)(x), A, label="all")
    case(name, lambda ns, x, name=name: getattr(ns, name)(x, 1), A, label="dim=1")
case("mode", lambda ns, x: ns.mode(x, 1), A)
case("kthvalue", lambda ns, x: ns.kthvalue(x, 2, 0), A)
for name in ("quantile", "nanquantile"):
    case(name, lambda ns, x, name=name: getattr(ns, name)(x, 0.3, dim=1), A, label="dim=1")
    case(name, lambda ns, x, name=name: getattr(ns, name)(x, 0.7), A, label="all")
for name in ("cummax", "cummin", "logcumsumexp"):
    case(name, lambda ns, x, name=name: getattr(ns, name)(x, 1), A, label="dim=1")
    case(name, lambda ns, x, name=name: getattr(ns, name)(x, 0), CUBE, label="dim=0")
case("diff", lambda ns, x: ns.diff(x), A)
case("diff", lambda ns, x, p: ns.diff(x, 2, 0, prepend=p), A, floats(2, 4), label="twice")
for name in ("trapezoid", "cumulative_trapezoid"):
    case(name, lambda ns, y, x, name=name: getattr(ns, name)(y, x), A, ROW, label="x")
    case(name, lambda ns, y, name=name: getattr(ns, name)(y, dx=0.3, dim=0), A, label="dx")
case("prod", lambda ns, x: ns.prod(x, dim=0), np.array([[0.0, 0, 2], [3, 5, 4]]), label="zeros, twice")
case("prod", lambda ns, x: ns.prod(x), np.array([2.0, 0, 3]), label="one zero, twice")
case("where", lambda ns, c, a: ns.where(c, a, 0.5) * ns.where(c, 2, 1), bools(3, 4), A, label="two numbers")

case("gradient", lambda ns, x: ns.gradient(x), A)
case("fill", lambda ns, x: ns.fill(x, 2.0), A)
case("angle", lambda ns, x: ns.angle(x), A)
case("meshgrid", lambda ns, x, y: ns.meshgrid(x, y, indexing="xy"), ROW, floats(3))
case("cartesian_prod", lambda ns, x, y: ns.cartesian_prod(x, y), ROW, floats(3))
case("combinations", lambda ns, x: ns.combinations(x, 3), ROW)

NOT_DIFFERENTIABLE.update({
    "asarray", "bartlett_window", "binomial", "blackman_window", "empty_strided", "frombuffer",
    "hamming_window", "hann_window", "kaiser_window", "logspace", "poisson", "randint_like",
    "scalar_tensor", "tril_indices", "triu_indices", "unravel_index",
    "allclose", "bincount", "count_nonzero", "equal", "gcd", "histc", "histogram", "isclose", "isin",
    "isneginf", "isposinf", "isreal", "lcm", "nextafter", "signbit",
})  # fmt: skip
