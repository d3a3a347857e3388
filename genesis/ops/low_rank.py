"""Singular values of large matrices that a few directions describe, from random projections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genesis.ops import _host
from genesis.ops.decompositions import qr, svd
from genesis.ops.linalg import matmul
from genesis.ops.random import randn
from genesis.ops.reduction import mean
from genesis.ops.shape import expand, matrix_transpose

if TYPE_CHECKING:
    from genesis._tensor import Tensor

_T = matrix_transpose


def svd_lowrank(
    A: Tensor, q: int | None = 6, niter: int | None = 2, M: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """(U, S, V) with ``A - M`` about ``U diag(S) V^T``, of ``q`` singular values.

    Halko, Martinsson and Tropp 2009 (arXiv:0909.4061), algorithms 4.4 and 5.1.

    Args:
        A: (…, m, n).
        q: how many; somewhat more than the rank gives the best result.
        niter: rounds of subspace iteration.
        M: what is taken from A, of a shape that broadcasts to it.
    """
    _host.matrices("svd_lowrank", A)
    if M is not None:
        A = A - expand(M, A._view.shape)
    wide = A._view.shape[-2] < A._view.shape[-1]
    tall = _T(A) if wide else A
    noise = randn((tall._view.shape[-1], 6 if q is None else q), dtype=A.dtype, device=A.device)
    basis: Any = qr(matmul(tall, noise)).Q
    for _ in range(2 if niter is None else niter):
        basis = qr(matmul(_T(tall), basis)).Q
        basis = qr(matmul(tall, basis)).Q
    u, s, vh = svd(matmul(_T(basis), tall), full_matrices=False)
    u, v = matmul(basis, u), _T(vh)
    return (v, s, u) if wide else (u, s, v)


def pca_lowrank(
    A: Tensor, q: int | None = None, center: bool = True, niter: int = 2
) -> tuple[Tensor, Tensor, Tensor]:
    """(U, S, V) of ``svd_lowrank``; the columns of V are the principal directions of the rows of ``A``.

    Args:
        A: (…, m, n), m samples of n features.
        q: how many, at most min(m, n); min(6, m, n) unless given.
        center: take the mean of the samples away first.
        niter: rounds of subspace iteration.

    Raises:
        ValueError: ``q`` or ``niter`` is out of range.
    """
    _host.matrices("pca_lowrank", A)
    least = min(A._view.shape[-2:])
    if q is None:
        q = min(6, least)
    elif not 0 <= q <= least:
        raise ValueError(f"q(={q}) must be a non-negative integer and not greater than min(m, n)={least}")
    if niter < 0:
        raise ValueError(f"niter(={niter}) must be a non-negative integer")
    return svd_lowrank(A - mean(A, -2, keepdim=True) if center else A, q, niter)
