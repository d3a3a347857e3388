"""Special functions under the names that PyTorch has in ``torch.special``."""

from __future__ import annotations

from genesis._lazy import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from genesis.ops.arithmetic import round as round
    from genesis.ops.elementwise import erf as erf
    from genesis.ops.elementwise import exp2 as exp2
    from genesis.ops.elementwise import expm1 as expm1
    from genesis.ops.elementwise import log1p as log1p
    from genesis.ops.normalization import log_softmax as log_softmax
    from genesis.ops.normalization import logsumexp as logsumexp
    from genesis.ops.normalization import softmax as softmax
    from genesis.ops.orthogonal import chebyshev_polynomial_t as chebyshev_polynomial_t
    from genesis.ops.orthogonal import chebyshev_polynomial_u as chebyshev_polynomial_u
    from genesis.ops.orthogonal import chebyshev_polynomial_v as chebyshev_polynomial_v
    from genesis.ops.orthogonal import chebyshev_polynomial_w as chebyshev_polynomial_w
    from genesis.ops.orthogonal import gammainc as gammainc
    from genesis.ops.orthogonal import gammaincc as gammaincc
    from genesis.ops.orthogonal import hermite_polynomial_h as hermite_polynomial_h
    from genesis.ops.orthogonal import hermite_polynomial_he as hermite_polynomial_he
    from genesis.ops.orthogonal import laguerre_polynomial_l as laguerre_polynomial_l
    from genesis.ops.orthogonal import legendre_polynomial_p as legendre_polynomial_p
    from genesis.ops.orthogonal import modified_bessel_k0 as modified_bessel_k0
    from genesis.ops.orthogonal import modified_bessel_k1 as modified_bessel_k1
    from genesis.ops.orthogonal import scaled_modified_bessel_k0 as scaled_modified_bessel_k0
    from genesis.ops.orthogonal import scaled_modified_bessel_k1 as scaled_modified_bessel_k1
    from genesis.ops.orthogonal import shifted_chebyshev_polynomial_t as shifted_chebyshev_polynomial_t
    from genesis.ops.orthogonal import shifted_chebyshev_polynomial_u as shifted_chebyshev_polynomial_u
    from genesis.ops.orthogonal import shifted_chebyshev_polynomial_v as shifted_chebyshev_polynomial_v
    from genesis.ops.orthogonal import shifted_chebyshev_polynomial_w as shifted_chebyshev_polynomial_w
    from genesis.ops.orthogonal import spherical_bessel_j0 as spherical_bessel_j0
    from genesis.ops.orthogonal import zeta as zeta
    from genesis.ops.special import digamma as digamma
    from genesis.ops.special import entr as entr
    from genesis.ops.special import erfc as erfc
    from genesis.ops.special import erfcx as erfcx
    from genesis.ops.special import erfinv as erfinv
    from genesis.ops.special import i0 as i0
    from genesis.ops.special import i0e as i0e
    from genesis.ops.special import i1 as i1
    from genesis.ops.special import i1e as i1e
    from genesis.ops.special import log_ndtr as log_ndtr
    from genesis.ops.special import logit as logit
    from genesis.ops.special import ndtr as ndtr
    from genesis.ops.special import ndtri as ndtri
    from genesis.ops.special import polygamma as polygamma
    from genesis.ops.special import xlog1py as xlog1py
    from genesis.ops.special import xlogy as xlogy
    from genesis.ops.trigonometry import sinc as sinc

_SPECIAL = (
    "digamma", "entr", "erfc", "erfcx", "erfinv", "i0", "i0e", "i1", "i1e", "log_ndtr", "logit", "ndtr",
    "ndtri", "polygamma", "xlog1py", "xlogy",
)  # fmt: skip


_ON_THE_HOST = (
    "chebyshev_polynomial_t",
    "chebyshev_polynomial_u",
    "chebyshev_polynomial_v",
    "chebyshev_polynomial_w",
    "gammainc",
    "gammaincc",
    "hermite_polynomial_h",
    "hermite_polynomial_he",
    "laguerre_polynomial_l",
    "legendre_polynomial_p",
    "modified_bessel_k0",
    "modified_bessel_k1",
    "scaled_modified_bessel_k0",
    "scaled_modified_bessel_k1",
    "shifted_chebyshev_polynomial_t",
    "shifted_chebyshev_polynomial_u",
    "shifted_chebyshev_polynomial_v",
    "shifted_chebyshev_polynomial_w",
    "spherical_bessel_j0",
    "zeta",
)


def _called(name: str, path: str, value: object) -> object:
    from genesis._calling import public

    return public(name, value)


__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        **{name: f"genesis.ops.special:{name}" for name in _SPECIAL},
        **{name: f"genesis.ops.orthogonal:{name}" for name in _ON_THE_HOST},
        **{name: f"genesis.ops.elementwise:{name}" for name in ("erf", "exp2", "expm1", "log1p")},
        **{name: f"genesis.ops.normalization:{name}" for name in ("log_softmax", "softmax")},
        "expit": "genesis.ops.activation:sigmoid",
        "gammaln": "genesis.ops.special:lgamma",
        "logsumexp": "genesis.ops.normalization:logsumexp",
        "modified_bessel_i0": "genesis.ops.special:i0",
        "modified_bessel_i1": "genesis.ops.special:i1",
        "multigammaln": "genesis.ops.special:mvlgamma",
        "psi": "genesis.ops.special:digamma",
        "round": "genesis.ops.arithmetic:round",
        "sinc": "genesis.ops.trigonometry:sinc",
    },
    _called,
)
