"""Formulas of the special functions: of the normal distribution, of gamma and of Bessel."""

from __future__ import annotations

import math

from genesis.backend.expr import Expr, call
from genesis.ops._formulas import INF, NAN, absolute, both, either, eq, le, lt, polynomial, where

_ROOT_2 = math.sqrt(2)

# -- the error function's relatives ------------------------------------------------------------------------
#: (1 + 2x) exp(x**2) erfc(x) as a polynomial of (x - 3.75) / (x + 3.75), after Shepherd and Laframboise,
#: Math. Comp. 36 (1981); the coefficients are a Chebyshev fit of ours, error 1e-18
_ERFCX = (
    1.23751263083782758, -0.140240598585547019, 0.00358541548546369155, 0.0822767384901510997,
    -0.108803930141707539, 0.0923043211601956042, -0.0586933985905457856, 0.0283622774215614493,
    -0.00974657954764048825, 0.00175562583198795926, 0.000293713594947091908, -0.000290153976730584004,
    0.0000516494071604372995, 0.000022383902048661506, -0.0000114450473330618699, -9.72822916393680277e-7,
    1.7534398485215216e-6, -5.83122731960016225e-8, -2.61142125608957682e-7, 2.43534593276694762e-8,
    4.09666953275749081e-8, -4.44514242002157259e-9, -6.54286030397295308e-9, 5.77533489722156019e-10,
    9.0127746614932609e-10, -4.81450971822688447e-11, -7.32510433596012622e-11, 1.57340546976627653e-12,
)  # fmt: skip


def scaled_erfc(a: Expr) -> Expr:
    """exp(a**2) erfc(a) for a >= 0."""
    y = 1 - 7.5 / (a + 3.75)
    return polynomial(y, *_ERFCX) / (1 + 2 * a)


def erfc(x: Expr) -> Expr:
    far = call("exp", -(x * x)) * scaled_erfc(absolute(x))
    return where(lt(x, 0.5), 1 - call("erf", x), where(lt(30, x), 0.0, far))


def erfcx(x: Expr) -> Expr:
    size = scaled_erfc(absolute(x))
    return where(lt(x, 0), 2 * call("exp", x * x) - size, where(eq(x, INF), 0.0, size))


def ndtr(x: Expr) -> Expr:
    return 0.5 * erfc(x * -(1 / _ROOT_2))


def log_ndtr(x: Expr) -> Expr:
    t = x * (1 / _ROOT_2)
    low = call("log", scaled_erfc(absolute(t)) * 0.5) - t * t
    return where(lt(x, -1), low, call("log1p", erfc(t) * -0.5))


def gauss(x: Expr) -> Expr:
    """The density of the normal distribution."""
    return call("exp", x * x * -0.5) * (1 / math.sqrt(2 * math.pi))


#: numerators and denominators of algorithm AS 241 (Wichura, Applied Statistics 37, 1988)
_MIDDLE = (
    (3.3871328727963666080, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
     4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3),
    (1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3, 2.1213794301586595867e4,
     3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3),
)  # fmt: skip
_TAIL = (
    (1.42343711074968357734, 4.63033784615654529590, 5.76949722146069140550, 3.64784832476320460504,
     1.27045825245236838258, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4),
    (1.0, 2.05319162663775882187, 1.67638483018380384940, 6.89767334985100004550e-1,
     1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
     1.05075007164441684324e-9),
)  # fmt: skip
_FAR_TAIL = (
    (6.65790464350110377720, 5.46378491116411436990, 1.78482653991729133580, 2.96560571828504891230e-1,
     2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5,
     2.01033439929228813265e-7),
    (1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
     7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
     2.04426310338993978564e-15),
)  # fmt: skip


def _quantile(q: Expr, tail: Expr) -> Expr:
    """The normal quantile of 0.5 + q, whose distance to the nearer end is ``tail``."""

    def ratio(table: tuple[tuple[float, ...], ...], x: Expr) -> Expr:
        return polynomial(x, *table[0]) / polynomial(x, *table[1])

    r = call("sqrt", -call("log", tail))
    size = where(le(r, 5), ratio(_TAIL, r - 1.6), ratio(_FAR_TAIL, r - 5))
    size = where(eq(tail, 0), INF, size)
    outer = where(lt(q, 0), -size, size)
    return where(le(absolute(q), 0.425), q * ratio(_MIDDLE, 0.180625 - q * q), outer)


def erfinv(x: Expr) -> Expr:
    return _quantile(x * 0.5, (1 - absolute(x)) * 0.5) * (1 / _ROOT_2)


def ndtri(p: Expr) -> Expr:
    return _quantile(p - 0.5, call("min", p, 1 - p))


# -- gamma -------------------------------------------------------------------------------------------------
def lgamma(x: Expr) -> Expr:
    """Stirling's series above 8, the recurrence below, reflection below 0 (Abramowitz and Stegun, 6.1)."""
    reflected = lt(x, 0.5)
    z = where(reflected, 1 - x, x)
    small = lt(z, 8)
    product = z
    for k in range(1, 8):
        product = product * (z + k)
    y = where(small, z + 8, z)
    w = 1 / y
    series = w * polynomial(
        w * w, 1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400
    )
    big = (y - 0.5) * (call("log", y) - 1) + (0.5 * math.log(2 * math.pi) - 0.5) + series
    out = where(small, big - call("log", product), big)
    fraction = x - call("floor", x)
    mirror = call("log", math.pi / absolute(call("sin", fraction * math.pi))) - out
    out = where(reflected, mirror, out)
    out = where(either(eq(x, 1), eq(x, 2)), 0.0, out)
    poles = both(le(x, 0), eq(x, call("floor", x)))
    return where(either(poles, eq(absolute(x), INF)), INF, out)


def digamma(x: Expr) -> Expr:
    """The asymptotic series above 10, the recurrence below, reflection below 0."""
    reflected = lt(x, 0)
    z = where(reflected, 1 - x, x)
    below = 1 / z
    for k in range(1, 10):
        below = below + 1 / (z + k)
    small = lt(z, 10)
    y = where(small, z + 10, z)
    w = 1 / (y * y)
    series = polynomial(w, 1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12, -3617 / 8160)
    out = call("log", y) - 0.5 / y - w * series
    out = where(small, out - below, out)
    fraction = (x - call("floor", x)) * math.pi
    out = where(reflected, out - math.pi * call("cos", fraction) / call("sin", fraction), out)
    out = where(both(reflected, eq(x, call("floor", x))), NAN, out)
    return where(eq(x, 0), -1 / x, out)


#: Bernoulli numbers B2, B4, ...
_BERNOULLI = (
    1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330,
)  # fmt: skip


def hurwitz(s: int, q: Expr, terms: int = 12) -> Expr:
    """Hurwitz' zeta, sum of (q + k)**-s over k >= 0, by Euler and Maclaurin, for whole s > 1, q > -terms."""

    def power(x: Expr, n: int) -> Expr:
        out = x
        for _ in range(n - 1):
            out = out * x
        return out

    out = 1 / power(q, s)
    for k in range(1, terms):
        out = out + 1 / power(q + k, s)
    y = q + terms
    w = 1 / y
    head = power(w, s)
    tail = head * (y * (1 / (s - 1)) + 0.5)
    factor, inverse = head * w * (s / 2), w * w
    for j, b in enumerate(_BERNOULLI):
        tail = tail + factor * b
        step = (s + 2 * j + 1) * (s + 2 * j + 2) / ((2 * j + 3) * (2 * j + 4))
        factor = factor * inverse * step
    return out + tail


def polygamma(n: int, x: Expr) -> Expr:
    """(-1)**(n + 1) n! zeta(n + 1, x); for n = 1 by reflection below 0, where the series is not defined."""
    sign = 1.0 if n % 2 else -1.0
    if n == 1:
        reflected = lt(x, 0)
        inner = hurwitz(2, where(reflected, 1 - x, x))
        sine = call("sin", (x - call("floor", x)) * math.pi)
        out = where(reflected, math.pi**2 / (sine * sine) - inner, inner)
    else:
        out = hurwitz(n + 1, x) * (sign * math.factorial(n))
        out = where(lt(x, -10), NAN, out)
    poles = both(le(x, 0), eq(x, call("floor", x)))
    return where(poles, INF if sign > 0 or n == 1 else -INF, out)


# -- Bessel functions I0 and I1 ----------------------------------------------------------------------------
#: sqrt(x) exp(-x) I(x) as a polynomial of 1 / x, for x >= 8; Chebyshev fits of ours, error 1e-17
_I0 = (
    0.398942280401432676, 0.0498677850501936339, 0.0280506290664131068, 0.0292194215276249843,
    0.0447364447903280518, 0.0918677137467148586, 0.04193776836476339, 20.2637418734349673,
    -1519.8572820845555, 90219.1508834709212, -4157518.9419704621, 151236161.841856771, -4387130563.37730571,
    102169667838.071476, -1916959839257.91097, 28993991116111.0425, -352671248031610.322, 3430367478580172.19,
    -26426297861387501.7, 158840243266489622.0, -728099609365982711.0, 2.45576230119243317e18,
    -5.74097510454992482e18, 8.30572833330347521e18, -5.60059009217720231e18,
)  # fmt: skip
_I1 = (
    0.39894228040143268, -0.149603355150553094, -0.0467510484580885359, -0.0409071850604068057,
    -0.0575194413891349028, -0.112107425127549553, -0.0682921509507557407, -21.9142590212382947,
    1635.61263837412216, -96849.3263476897375, 4451269.53834875264, -161492162.184248953, 4672302634.65158392,
    -108529776005.313254, 2031180785286.08074, -30647277696933.1285, 371918104475601.74, -3609605983869897.85,
    27749036576268379.0, -166462317081112907.0, 761625052827442363.0, -2.56437794622853444e18,
    5.98515322540641613e18, -8.64585091875906855e18, 5.82167939327339977e18,
)  # fmt: skip


def _bessel(x: Expr, order: int, scaled: bool) -> Expr:
    """The power series up to 8, an asymptotic polynomial above."""
    a = absolute(x)
    z = x * x * 0.25
    series = polynomial(z, *[1 / (math.factorial(k) * math.factorial(k + order)) for k in range(24)])
    near = series * a * 0.5 if order else series
    far = polynomial(1 / a, *(_I1 if order else _I0)) / call("sqrt", a)
    half = call("exp", (-a if scaled else a) * 0.5)
    grown = near * half * half if scaled else near
    size = where(le(a, 8), grown, far if scaled else far * half * half)
    return where(lt(x, 0), -size, size) if order else size


def i0(x: Expr) -> Expr:
    return _bessel(x, 0, False)


def i0e(x: Expr) -> Expr:
    return _bessel(x, 0, True)


def i1(x: Expr) -> Expr:
    return _bessel(x, 1, False)


def i1e(x: Expr) -> Expr:
    return _bessel(x, 1, True)
