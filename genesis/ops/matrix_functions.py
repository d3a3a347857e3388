"""The exponential of matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from genesis.ops import _host
from genesis.ops._op import op
from genesis.ops.shape import matrix_transpose as _T

if TYPE_CHECKING:
    from genesis._tensor import Tensor

_TERMS = 18  # of the series, for norms up to 1/2: 2^-19 / 19! is below 1e-22


@op(saves=("x",))
def exponential_of_matrix(x: Any) -> Any:
    """Of square matrices, by scaling and squaring; computed in float64."""
    host = _host.read(x)
    a = host.astype("float64")
    if not a.size:
        return _host.put(host.copy(), x)
    norm = np.abs(a).sum(-2).max(-1)
    with np.errstate(all="ignore"):
        halvings = np.where(norm > 0.5, np.ceil(np.log2(2 * np.where(norm > 0.5, norm, 1))), 0)
        halvings = np.where(np.isfinite(halvings), halvings, 0).astype(int)
        a = np.ldexp(a, -halvings[..., None, None])
        one = np.eye(a.shape[-1])
        out = np.broadcast_to(one, a.shape)
        for i in range(_TERMS, 0, -1):  # Horner's scheme of sum a^i / i!
            out = one + a @ out / i
        for i in range(int(halvings.max(initial=0))):
            out = np.where((i < halvings)[..., None, None], out @ out, out)
        return _host.put(out.astype(host.dtype), x)


@exponential_of_matrix.backward_rule
def _exponential_of_matrix(needs: Any, grad: Any, x: Any) -> Any:
    # The exponential of [[A^T, G], [0, A^T]] has the derivative at A^T in the direction G in its corner
    # (Al-Mohy and Higham 2009, Computing the Frechet derivative of the matrix exponential, eq. 1.8).
    from genesis.ops.joining import cat

    n = x._view.shape[-1]
    top, bottom = cat([_T(x), grad], -1), cat([x._zeros_like(), _T(x)], -1)
    return (exponential_of_matrix(cat([top, bottom], -2))[..., :n, n:],)


def matrix_exp(input: Tensor) -> Tensor:
    r"""The exponential :math:`\sum_k A^k / k!` of each square matrix.

    Args:
        input: (…, n, n).

    Raises:
        RuntimeError: the matrices are not square, or not of floating point.
    """
    _host.square("linalg.matrix_exp", input)
    return exponential_of_matrix(input)  # type: ignore[no-any-return]
