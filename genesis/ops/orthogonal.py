"""Orthogonal polynomials, Bessel functions, incomplete gamma and zeta, computed on the host in float64.

As in PyTorch, most have no derivative: the gradient raises NotImplementedError.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from genesis._dtypes import default_dtype, result_type
from genesis.autograd.graph import Node, TensorCore
from genesis.ops import elementwise as ew
from genesis.ops._op import op, primitive
from genesis.ops.special import lgamma

if TYPE_CHECKING:
    from genesis._tensor import Tensor

Array = np.ndarray[Any, Any]


@primitive("special function")
def _without_derivative(node: Node, grad: Any) -> Any:
    raise NotImplementedError(
        f"the derivative of {node.options} is not implemented; use detach() on its inputs"
    )


def _host(name: str, function: Callable[..., Array], *operands: Any) -> Any:
    """``function`` of NumPy arrays of float64, in the type that the operands have together."""
    from genesis.ops.creation import from_host

    tensors = [a for a in operands if isinstance(a, TensorCore)]
    if not tensors:
        raise TypeError(f"{name} takes a tensor, got {', '.join(type(a).__name__ for a in operands)}")
    device = tensors[0]._view.buffer.device
    want = result_type(
        [(t._view.dtype, len(t._view.shape)) for t in tensors],
        [a for a in operands if not isinstance(a, TensorCore)],
    )
    if not want.is_floating_point:
        want = default_dtype()
    arrays = [
        a._view.buffer.device.backend.read(a._view) if isinstance(a, TensorCore) else np.asarray(a)
        for a in operands
    ]
    with np.errstate(all="ignore"):
        found = function(*[np.asarray(a, np.float64) for a in arrays])
    return from_host(np.asarray(found, want.name, order="C"), device), tensors


def _made(name: str, function: Callable[..., Array]) -> Callable[..., Any]:
    def wrapped(*operands: Any) -> Any:
        out, tensors = _host(name, function, *operands)
        return _without_derivative.wrap(out._view, tensors, options=name)

    return wrapped


# -- polynomials -------------------------------------------------------------------------------------------
def _recurrence(
    first: Callable[[Array], Array], following: Callable[..., Array], x: Array, n: Array
) -> Array:
    """p_0 = 1, p_1 = ``first(x)``, p_(k+1) = ``following(k, x, p_k, p_(k-1))``; 0 for negative n."""
    x, n = np.broadcast_arrays(x, _degrees(n))
    before, now = np.ones_like(x), first(x)
    out = np.where(n < 0, 0.0, np.where(n == 0, before, now))
    out = np.where(np.isnan(x) & (n > 0), np.nan, out)
    for k in range(1, int(n.max(initial=0))):
        before, now = now, following(k, x, now, before)
        out = np.where(n == k + 1, now, out)
        lost = np.isnan(now)  # and so would all that follow be
        out = np.where(lost & (n > k), np.nan, out)
        if not (~lost & (n > k + 1)).any():
            break
    return out


def _degrees(n: Array) -> Array:
    """Whole degrees; one that is no number counts as negative, as in PyTorch."""
    return np.where(np.isfinite(n), np.trunc(n), -1.0)


def _chebyshev(kind: str, shifted: bool) -> Callable[[Array, Array], Array]:
    def values(x: Array, n: Array) -> Array:
        x, n = np.broadcast_arrays(2 * x - 1 if shifted else x, _degrees(n))
        inside = np.abs(x) <= 1
        # sums of angles inside, which are quick for any degree; the recurrence elsewhere
        outside = np.where(inside, 2.0, x), np.where(inside, 0.0, n)
        out = _recurrence(_FIRST[kind], lambda k, x, p, q: 2 * x * p - q, *outside)
        angle = np.arccos(np.where(inside, x, 0.0))
        sign = np.where((n % 2 == 0) | (x > 0), 1.0, -1.0)
        if kind == "t":
            found = np.cos(n * angle)
        elif kind == "u":
            found = np.where(np.abs(x) == 1, sign * (n + 1), np.sin((n + 1) * angle) / np.sin(angle))
        elif kind == "v":
            found = np.where(x == -1, sign * (2 * n + 1), np.cos((n + 0.5) * angle) / np.cos(angle / 2))
        else:
            found = np.where(x == 1, 2 * n + 1, np.sin((n + 0.5) * angle) / np.sin(angle / 2))
        return np.where(n < 0, 0.0, np.where(inside, found, out))

    return values


_FIRST: dict[str, Callable[[Array], Array]] = {
    "t": lambda x: x,
    "u": lambda x: 2 * x,
    "v": lambda x: 2 * x - 1,
    "w": lambda x: 2 * x + 1,
}
_POLYNOMIALS: dict[str, Callable[..., Array]] = {
    **{f"chebyshev_polynomial_{kind}": _chebyshev(kind, False) for kind in _FIRST},
    **{f"shifted_chebyshev_polynomial_{kind}": _chebyshev(kind, True) for kind in _FIRST},
    "hermite_polynomial_h": lambda x, n: _recurrence(
        lambda x: 2 * x, lambda k, x, p, q: 2 * x * p - 2 * k * q, x, n
    ),
    "hermite_polynomial_he": lambda x, n: _recurrence(lambda x: x, lambda k, x, p, q: x * p - k * q, x, n),
    "laguerre_polynomial_l": lambda x, n: _recurrence(
        lambda x: 1 - x, lambda k, x, p, q: ((2 * k + 1 - x) * p - k * q) / (k + 1), x, n
    ),
    "legendre_polynomial_p": lambda x, n: _recurrence(
        lambda x: x, lambda k, x, p, q: ((2 * k + 1) * x * p - k * q) / (k + 1), x, n
    ),
}


def _polynomial(name: str) -> Callable[[Any, Any], Any]:
    made = _made(f"special.{name}", _POLYNOMIALS[name])

    def polynomial(input: Any, n: Any) -> Any:
        return made(input, n)

    polynomial.__name__ = name
    polynomial.__doc__ = f"The polynomial {name.replace('_', ' ')} of degree ``n``, by its recurrence."
    return polynomial


chebyshev_polynomial_t = _polynomial("chebyshev_polynomial_t")
chebyshev_polynomial_u = _polynomial("chebyshev_polynomial_u")
chebyshev_polynomial_v = _polynomial("chebyshev_polynomial_v")
chebyshev_polynomial_w = _polynomial("chebyshev_polynomial_w")
shifted_chebyshev_polynomial_t = _polynomial("shifted_chebyshev_polynomial_t")
shifted_chebyshev_polynomial_u = _polynomial("shifted_chebyshev_polynomial_u")
shifted_chebyshev_polynomial_v = _polynomial("shifted_chebyshev_polynomial_v")
shifted_chebyshev_polynomial_w = _polynomial("shifted_chebyshev_polynomial_w")
hermite_polynomial_h = _polynomial("hermite_polynomial_h")
hermite_polynomial_he = _polynomial("hermite_polynomial_he")
laguerre_polynomial_l = _polynomial("laguerre_polynomial_l")
legendre_polynomial_p = _polynomial("legendre_polynomial_p")


# -- Bessel ------------------------------------------------------------------------------------------------
def _bessel_k(order: int, scaled: bool) -> Callable[[Array], Array]:
    """``K_n(x) = integral of exp(-x cosh t) cosh(n t)``, t > 0 (DLMF 10.32.9), by the trapezoidal rule."""

    def values(x: Array) -> Array:
        t = np.linspace(0, 1, 513)  # up to where exp(-x cosh t) is below 1e-330
        reach = np.arccosh(1 + 760 / np.where(x > 0, x, 1.0))[..., None]
        t, step = t * reach, reach[..., 0] / 512
        size = np.exp(-x[..., None] * (np.cosh(t) - 1)) * np.cosh(order * t)
        size[..., 0] /= 2
        out = size.sum(-1) * step * (1.0 if scaled else np.exp(-x))
        out = np.where(np.isinf(x), 0.0, out)
        return np.where(x > 0, out, np.where(x == 0, np.inf, np.nan))

    return values


_k = {(n, s): _made("special.modified_bessel_k", _bessel_k(n, s)) for n in (0, 1) for s in (False, True)}


def modified_bessel_k0(input: Tensor) -> Tensor:
    """The modified Bessel function of the second kind of order 0."""
    return _k[0, False](input)  # type: ignore[no-any-return]


def modified_bessel_k1(input: Tensor) -> Tensor:
    """The modified Bessel function of the second kind of order 1."""
    return _k[1, False](input)  # type: ignore[no-any-return]


def scaled_modified_bessel_k0(input: Tensor) -> Tensor:
    """``exp(x) K_0(x)``."""
    return _k[0, True](input)  # type: ignore[no-any-return]


def scaled_modified_bessel_k1(input: Tensor) -> Tensor:
    """``exp(x) K_1(x)``."""
    return _k[1, True](input)  # type: ignore[no-any-return]


_j = _made("special.spherical_bessel_j0", lambda x: np.where(np.isinf(x), 0.0, np.sinc(x / np.pi)))


def spherical_bessel_j0(input: Tensor) -> Tensor:
    """``sin(x) / x``."""
    return _j(input)  # type: ignore[no-any-return]


# -- incomplete gamma --------------------------------------------------------------------------------------
_log_gamma = np.vectorize(math.lgamma, otypes=[np.float64])


def _gamma_parts(a: Array, x: Array, upper: bool) -> Array:
    """P(a, x) by its series below x = a + 1, Q(a, x) by its continued fraction above (DLMF 8.11.4, 8.9.2)."""
    a, x = np.broadcast_arrays(a, x)
    good = (a > 0) & (x > 0) & np.isfinite(a) & np.isfinite(x)
    b, y = np.where(good, a, 1.0), np.where(good, x, 1.0)
    scale = np.exp(b * np.log(y) - y - _log_gamma(b))
    low = y < b + 1
    term = 1 / b
    series, fraction = term.copy(), np.ones_like(y)
    for k in range(1, 100_000):
        term = np.where(low, term * y / (b + k), 0.0)
        series = series + term
        if not (term > series * 1e-17).any():
            break
    c = np.where(low, 1.0, y + 1 - b)
    d = 1 / np.where(c == 0, 1e-300, c)
    fraction, c = d, np.full_like(y, 1e300)
    at = np.where(low, 1.0, y + 1 - b)
    for k in range(1, 100_000):
        top = -k * (k - b)
        at = at + 2
        d = 1 / (top * d + at)
        c = at + top / c
        change = np.where(low, 1.0, c * d)
        fraction = fraction * change
        if not (np.abs(change - 1) > 4e-16).any():
            break
    lower = np.where(low, scale * series, 1 - scale * fraction)
    out = np.where(low, 1 - scale * series, scale * fraction) if upper else lower
    known = np.where(x == 0, 0.0, np.where(a == 0, 1.0, np.where(np.isinf(x), 1.0, 0.0)))  # of P
    bad = np.isnan(a) | np.isnan(x) | (a < 0) | (x < 0) | ((a == 0) & (x == 0)) | (np.isinf(a) & np.isinf(x))
    return np.where(bad, np.nan, np.where(good, out, 1 - known if upper else known))


@op(saves=("a", "x"))
def incomplete_gamma(a: Any, x: Any, *, upper: bool) -> Any:
    """P(a, x), or Q(a, x) = 1 - P(a, x)."""
    return _host("special.gammainc", lambda a, x: _gamma_parts(a, x, upper), a, x)[0]


@incomplete_gamma.backward_rule
def _incomplete_gamma(needs: Any, grad: Any, a: Any, x: Any, *, upper: bool) -> Any:
    if needs[0]:
        raise NotImplementedError(
            "the derivative of gammainc by its first argument is not implemented; use detach() on it"
        )
    from genesis.ops.reduction import sum_to_shape

    slope = ew.exp((a - 1) * ew.log(x) - x - lgamma(a))
    return None, sum_to_shape(grad * (-slope if upper else slope), x._view.shape).to(x.dtype)


def gammainc(input: Tensor, other: Tensor) -> Tensor:
    """The lower incomplete gamma function, the integral of ``t^(a-1) exp(-t)`` over [0, x] by Gamma(a)."""
    _pair("gammainc", input, other)
    return incomplete_gamma(input, other, upper=False)  # type: ignore[no-any-return]


def gammaincc(input: Tensor, other: Tensor) -> Tensor:
    """The upper incomplete gamma function, ``1 - gammainc``, precise where it is small."""
    _pair("gammaincc", input, other)
    return incomplete_gamma(input, other, upper=True)  # type: ignore[no-any-return]


def _pair(name: str, *tensors: Any) -> None:
    for t in tensors:
        if not isinstance(t, TensorCore):
            raise TypeError(f"{name} takes tensors, got {type(t).__name__}")
    for t in tensors:
        if not t._view.dtype.is_floating_point:
            raise NotImplementedError(f"{name} is not implemented for {t._view.dtype}; convert with .float()")


# -- zeta --------------------------------------------------------------------------------------------------
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)


def _zeta(s: Array, q: Array) -> Array:
    """``sum of (k + q)^-s`` by Euler and Maclaurin after ten terms (DLMF 25.11.5)."""
    s, q = np.broadcast_arrays(s, q)
    good = (s > 1) & ~((q <= 0) & (q == np.floor(q))) & ~((q < 0) & (s != np.floor(s)))
    t, start = np.where(good, s, 2.0), np.where(good, q, 1.0)
    shift = np.ceil(np.maximum(0, -start))  # negative q: this many terms more
    total = np.zeros_like(t)
    for k in range(int(shift.max(initial=0)) + 10):
        total = total + np.where(k < shift + 10, (start + k) ** -t, 0.0)
    end = start + shift + 10
    total = total + end ** (1 - t) / (t - 1) + 0.5 * end**-t
    factor = t * end ** (-t - 1)
    for i, b in enumerate(_BERNOULLI, 1):
        total = total + b / math.factorial(2 * i) * factor
        factor = factor * (t + 2 * i - 1) * (t + 2 * i) / end**2
    pole = (s == 1) | ((q <= 0) & (q == np.floor(q)) & (s > 1))
    return np.where(good, total, np.where(pole, np.inf, np.nan))


_made_zeta = _made("special.zeta", _zeta)


def zeta(input: Any, other: Any) -> Any:
    """Hurwitz's zeta function, ``sum of (k + other)^-input`` over k = 0, 1, …, for ``input`` > 1."""
    return _made_zeta(input, other)
