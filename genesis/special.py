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
    from genesis.ops.normalization import softmax as softmax
    from genesis.ops.reduction import logsumexp as logsumexp
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


def _called(name: str, path: str, value: object) -> object:
    from genesis._calling import public

    return public(name, value)


__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        **{name: f"genesis.ops.special:{name}" for name in _SPECIAL},
        **{name: f"genesis.ops.elementwise:{name}" for name in ("erf", "exp2", "expm1", "log1p")},
        **{name: f"genesis.ops.normalization:{name}" for name in ("log_softmax", "softmax")},
        "expit": "genesis.ops.activation:sigmoid",
        "gammaln": "genesis.ops.special:lgamma",
        "logsumexp": "genesis.ops.reduction:logsumexp",
        "multigammaln": "genesis.ops.special:mvlgamma",
        "psi": "genesis.ops.special:digamma",
        "round": "genesis.ops.arithmetic:round",
        "sinc": "genesis.ops.trigonometry:sinc",
    },
    _called,
)
