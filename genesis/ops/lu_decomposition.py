"""LU factors with row exchanges: ``A = P L U``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from genesis.autograd.graph import TensorCore
from genesis.ops import _host
from genesis.ops._autocast import in_full_on_cpu
from genesis.ops._host import LinAlgError
from genesis.ops._op import op
from genesis.ops.diagonals import tril, triu
from genesis.ops.linalg import matmul
from genesis.ops.shape import matrix_transpose as _T
from genesis.ops.shape import reshape
from genesis.ops.triangles import solve_triangular

if TYPE_CHECKING:
    from genesis._tensor import Tensor


class LUFactor(NamedTuple):
    """What ``lu_factor`` returns."""

    LU: Any
    pivots: Any


class LUFactorEx(NamedTuple):
    """What ``lu_factor_ex`` returns."""

    LU: Any
    pivots: Any
    info: Any


class LU(NamedTuple):
    """What ``lu`` and ``lu_unpack`` return."""

    P: Any
    L: Any
    U: Any


# -- factorization -----------------------------------------------------------------------------------------
@op(saves=("x", "out", "pivots"), results=("out", "pivots"), public=2)
def lu_factors(x: Any) -> Any:
    """Both triangles of each matrix in one, and the 1-based row that each row was exchanged with (int32)."""
    a = np.array(_host.read(x))
    m, n = a.shape[-2:]
    flat = a.reshape(-1, m, n) if a.size else np.zeros((int(np.prod(a.shape[:-2])), m, n), a.dtype)
    k = min(m, n)
    pivots = np.zeros((len(flat), k), np.int32)
    batch = np.arange(len(flat))
    with np.errstate(all="ignore"):
        for i in range(k):  # elimination with the largest of the column on the diagonal
            row = i + np.abs(flat[:, i:, i]).argmax(1) if len(flat) else pivots[:, i]
            pivots[:, i] = row + 1
            chosen = flat[batch, row].copy()
            flat[batch, row] = flat[:, i]
            flat[:, i] = chosen
            pivot = flat[:, i, i, None]
            below = flat[:, i + 1 :, i]
            below[...] = np.where(pivot == 0, below, below / pivot)
            flat[:, i + 1 :, i + 1 :] -= below[:, :, None] * flat[:, i, None, i + 1 :]
    return _host.put(flat.reshape(a.shape), x), _host.put(pivots.reshape(*a.shape[:-2], k), x)


@lu_factors.backward_rule
def _lu_factors(needs: Any, grad: Any, x: Any, out: Any, pivots: Any) -> Any:
    # Of A = L U: dA = dL U + L dU, so L^-1 dA U^-1 = L^-1 dL + dU U^-1, whose parts are the lower and the
    # upper triangle.  Where A is not square, the other rows of L (columns of U) follow by substitution, and
    # give their share back (Walter and Lehmann 2010, Algorithmic differentiation of linear algebra).
    if pivots is None:  # a higher derivative
        pivots = lu_factors(x.detach())[1]
    m, n = out._view.shape[-2:]
    k = min(m, n)
    lower, upper = triangles(out)
    to_lower, to_upper = tril(grad[..., :, :k], -1), triu(grad[..., :k, :])
    l1, u1 = lower[..., :k, :], upper[..., :, :k]
    low = matmul(_T(l1), to_lower[..., :k, :])
    up = matmul(to_upper[..., :, :k], _T(u1))
    if n > k:
        low = low - matmul(to_upper[..., :, k:], _T(upper[..., :, k:]))
    if m > k:
        up = up - matmul(_T(lower[..., k:, :]), to_lower[..., k:, :])
    inner = solve_triangular(_T(l1), tril(low, -1) + triu(up), upper=True, unitriangular=True)
    total = solve_triangular(_T(u1), inner, upper=False, left=False)
    from genesis.ops.joining import cat

    if n > k:
        right = solve_triangular(_T(l1), to_upper[..., :, k:], upper=True, unitriangular=True)
        total = cat([total, right], -1)
    if m > k:
        rest = solve_triangular(_T(u1), to_lower[..., k:, :], upper=False, left=False)
        total = cat([total, rest], -2)
    return (matmul(permutation(pivots, m, out), total),)


def triangles(factors: Any) -> tuple[Any, Any]:
    """L, with ones on its diagonal, and U."""
    m, n = factors._view.shape[-2:]
    k = min(m, n)
    from genesis.ops.creation import eye

    one = eye(m, k, dtype=factors.dtype, device=factors.device)
    return tril(factors[..., :, :k], -1) + one, triu(factors[..., :k, :])


def permutation(pivots: Any, m: int, like: Any) -> Any:
    """The matrix P, (…, m, m), of row exchanges that were done in their order."""
    exchanges = _host.read(pivots).astype(np.int64) - 1
    flat = exchanges.reshape(int(np.prod(exchanges.shape[:-1])), exchanges.shape[-1])
    order = np.tile(np.arange(m), (len(flat), 1))
    batch = np.arange(len(flat))
    for i in range(flat.shape[-1]):
        row = flat[:, i]
        order[batch, row], order[:, i] = order[:, i].copy(), order[batch, row].copy()
    out = np.zeros((len(flat), m, m), like.dtype.name)
    out[batch[:, None], order, np.arange(m)] = 1
    return _host.put(out.reshape(*exchanges.shape[:-1], m, m), like)


def _zeros(factors: Any) -> Any:
    """Of each matrix, the 1-based place of the first zero on U's diagonal, or 0; int32."""
    diagonal = np.diagonal(_host.read(factors), axis1=-2, axis2=-1)
    if not diagonal.shape[-1]:
        return np.zeros(diagonal.shape[:-1], np.int32)
    nothing = diagonal == 0
    return np.where(nothing.any(-1), nothing.argmax(-1) + 1, 0).astype(np.int32)


def _checked(name: str, A: Any, pivot: bool) -> None:
    _host.matrices(name, A)
    if not pivot:
        raise RuntimeError(f"{name}: LU without pivoting is not implemented on the CPU")


def lu_factor_ex(A: Tensor, *, pivot: bool = True, check_errors: bool = False) -> LUFactorEx:
    """``lu_factor`` that reports instead of raising: (LU, pivots, info).

    ``info`` is 0, or the 1-based place of the first zero on the diagonal of U.
    """
    _checked("linalg.lu_factor_ex", A, pivot)
    factors, pivots = lu_factors(A)
    info = _zeros(factors)
    if check_errors:
        _refuse("linalg.lu_factor_ex", info)
    return LUFactorEx(factors, pivots, _host.put(info, A))


def _refuse(name: str, info: Any) -> None:
    if info.any():
        place = int(info[info != 0].flat[0]) if info.shape else int(info)
        raise LinAlgError(
            f"{name}: U[{place},{place}] is zero and using it on lu_solve would result in a division by zero"
        )


def lu_factor(A: Tensor, *, pivot: bool = True) -> LUFactor:
    """The LU factors of each matrix in one matrix, and the exchanges of rows: (LU, pivots).

    Args:
        A: (…, m, n).
        pivot: False is not implemented.

    Returns:
        LU, (…, m, n): U in the upper triangle, L below the diagonal (its own is of ones); pivots,
        (…, min(m, n)), int32: row i was exchanged with row ``pivots[i] - 1``.

    Raises:
        RuntimeError: a diagonal element of U is 0 (``LinAlgError``), or ``pivot`` is False.
    """
    _checked("linalg.lu_factor", A, pivot)
    factors, pivots = lu_factors(A)
    _refuse("linalg.lu_factor", _zeros(factors))
    return LUFactor(factors, pivots)


@in_full_on_cpu
def lu(A: Tensor, *, pivot: bool = True) -> LU:
    """The permutation, lower and upper triangle with ``A = P L U``.

    Args:
        A: (…, m, n).
        pivot: False is not implemented.

    Returns:
        P (…, m, m), L (…, m, min(m, n)), U (…, min(m, n), n).
    """
    _checked("linalg.lu", A, pivot)
    factors, pivots = lu_factors(A)
    return LU(permutation(pivots, A._view.shape[-2], A), *triangles(factors))


@in_full_on_cpu
def lu_solve(LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = False) -> Tensor:
    """The ``X`` with ``A X = B``, from what ``lu_factor`` found about ``A``.

    Args:
        LU, pivots: of ``lu_factor``, for (…, n, n).
        B: (…, n, k), or (…, k, n) where not ``left``; leading axes broadcast.
        left: False: ``X A = B``.
        adjoint: solve with ``A^T`` instead.
    """
    _host.matrices("linalg.lu_solve", LU, B)
    _host.square("linalg.lu_solve", LU)
    n = LU._view.shape[-1]
    if pivots.dtype.name != "int32":
        raise RuntimeError(f"linalg.lu_solve: pivots should be int32, got {pivots.dtype}")
    if pivots._view.shape != LU._view.shape[:-1]:
        raise RuntimeError(
            f"linalg.lu_solve: pivots have shape {tuple(pivots.shape)}, expected {LU._view.shape[:-1]}"
        )
    if B._view.shape[-2 if left else -1] != n:
        raise RuntimeError(
            f"linalg.lu_solve: incompatible shapes of A {tuple(LU.shape)} and B {tuple(B.shape)} for the "
            f"equation {'AX = B' if left else 'XA = B'}"
        )
    if not left:
        return _T(lu_solve(LU, pivots, _T(B), adjoint=not adjoint))
    exchange = permutation(pivots, n, LU)
    if adjoint:
        half = solve_triangular(_T(LU), B, upper=False)
        return matmul(exchange, solve_triangular(_T(LU), half, upper=True, unitriangular=True))
    half = solve_triangular(LU, matmul(_T(exchange), B), upper=False, unitriangular=True)
    return solve_triangular(LU, half, upper=True)


# -- older forms -------------------------------------------------------------------------------------------
def old_lu(A: Tensor, pivot: bool = True, get_infos: bool = False, out: Any = None) -> Any:
    """The older form of ``linalg.lu_factor_ex``: (LU, pivots), and infos where ``get_infos``."""
    found = lu_factor_ex(A, pivot=pivot)
    result = tuple(found) if get_infos else tuple(found)[:2]
    if out is None:
        return result
    from genesis._calling import write

    return write("lu", result, out)


def old_lu_solve(b: Tensor, LU_data: Tensor, LU_pivots: Tensor) -> Tensor:
    """The older form of ``linalg.lu_solve``."""
    return lu_solve(LU_data, LU_pivots, b)


def lu_unpack(LU_data: Tensor, LU_pivots: Tensor, unpack_data: bool = True, unpack_pivots: bool = True) -> LU:
    """(P, L, U) from (LU, pivots).

    Args:
        unpack_data: where False, L and U are empty.
        unpack_pivots: where False, P is empty.
    """
    if not isinstance(LU_data, TensorCore):
        raise TypeError(f"lu_unpack: expected a tensor, got {type(LU_data).__name__}")
    m = LU_data._view.shape[-2] if LU_data.dim() > 1 else 0
    if unpack_pivots and LU_pivots.dtype.name != "int32":
        raise RuntimeError("lu_unpack: LU_pivots should be int32")
    _host.matrices("lu_unpack", LU_data)
    nothing = LU_data.detach().new_zeros((0,))
    exchange = permutation(LU_pivots, m, LU_data) if unpack_pivots else nothing
    if not unpack_data:
        return LU(exchange, reshape(LU_data, -1)[:0], reshape(LU_data, -1)[:0])
    return LU(exchange, *triangles(LU_data))
