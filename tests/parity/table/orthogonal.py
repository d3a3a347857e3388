"""Polynomials, Bessel functions, incomplete gamma and zeta."""

from __future__ import annotations

from typing import Any

import numpy as np

from table._entry import Entry, S, floats, integers, positive

# fmt: off
# ruff: noqa: E501 - a table

INF = float("inf")
WORSE: dict[str, Any] = {"tolerance": {"float32": (5e-5, 1e-6), "float64": (5e-9, 1e-12)}, "why": "PyTorch's incomplete gamma is off by 1e-9 in float64, its recurrences in float32 add up rounding"}

ENTRIES = [
    *[Entry(f"special.{family}", [S(floats(7, 1), np.arange(-1.0, 6)), S(floats(4, low=-1.0, high=1.0), 3), S(2.0, np.arange(0.0, 4)), S(np.array([-1.0, 1.0, 0.3, 1.0, 3.0, 2.0]), np.array([3.0, 4.0, 20.0, INF, 2000.0, -INF])), S(np.array([1.0, -1.0, 0.0]), np.array([2, 3, 4]))], grad=False, **WORSE)
      for family in ("chebyshev_polynomial_t", "chebyshev_polynomial_u", "chebyshev_polynomial_v", "chebyshev_polynomial_w", "shifted_chebyshev_polynomial_t", "shifted_chebyshev_polynomial_u", "shifted_chebyshev_polynomial_v", "shifted_chebyshev_polynomial_w", "hermite_polynomial_h", "hermite_polynomial_he", "laguerre_polynomial_l", "legendre_polynomial_p")],
    *[Entry(f"special.{family}", [S(positive(3, 4)), S(positive(5, low=1e-3, high=40.0)), S(np.array([0.0, INF, 1.0]))], grad=False, **WORSE) for family in ("modified_bessel_k0", "modified_bessel_k1", "scaled_modified_bessel_k0", "scaled_modified_bessel_k1")],
    *[Entry(f"special.{family}", [S(floats(3, 4)), S(np.array([0.0, 1e-3]))], grad=False, **WORSE) for family in ("modified_bessel_i0", "modified_bessel_i1", "spherical_bessel_j0")],
    *[Entry(name, [S(positive(3, 4, high=6.0), positive(4, high=9.0)), S(np.array([0.0, 1.0, 2.0, 0.0, 50.0, 200.0]), np.array([1.0, 0.0, INF, 0.0, 45.0, 220.0])), S(positive(3), np.array([30.0, 1e-4, 1.0]))], grad=False, errors=[S(integers(1, 4, 3), integers(1, 4, 3))], **WORSE) for name in ("special.gammainc", "special.gammaincc", "igamma", "igammac", "Tensor.igamma", "Tensor.igammac", "Tensor.igamma_")],
    Entry("igamma", [S(np.array([2, 3, 4], "int64") * 1.0, positive(3))], call=lambda library, function, a, x: function(a.detach(), x), **WORSE),
    Entry("special.zeta", [S(positive(3, 4, low=1.1, high=6.0), positive(4)), S(2.0, positive(3)), S(np.array([1.0, 0.5, 3.0, 2.0, 2.5]), np.array([2.0, 2.0, -1.0, -0.5, -0.5]))], grad=False, **WORSE),
]
