"""Triangular matrices: equations by substitution, and Cholesky's factor."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from genesis.ops import _host
from genesis.ops import elementwise as ew
from genesis.ops._autocast import in_full_on_cpu
from genesis.ops._host import LinAlgError
from genesis.ops._op import op
from genesis.ops.diagonals import tril, triu
from genesis.ops.linalg import matmul
from genesis.ops.shape import clone, expand, unsqueeze
from genesis.ops.shape import matrix_transpose as _T

if TYPE_CHECKING:
    from genesis._tensor import Tensor


# -- Cholesky ----------------------------------------------------------------------------------------------
@op(saves=("out",))
def cholesky_factor(x: Any) -> Any:
    """The lower factor of positive-definite matrices; only their lower triangles are read."""
    host = _host.read(x)
    try:
        return _host.put(np.linalg.cholesky(host), x)
    except np.linalg.LinAlgError:
        order = int(_orders(host).max())
        raise LinAlgError(
            "linalg.cholesky: the factorization could not be completed because the input is not "
            f"positive-definite (the leading minor of order {order} is not positive-definite)"
        ) from None


def _orders(host: Any) -> Any:
    """Of each matrix, the order of the first leading minor that is not positive; 0 where there is none."""

    def order(m: Any) -> int:
        try:
            np.linalg.cholesky(m)
            return 0
        except np.linalg.LinAlgError:
            for k in range(1, len(m)):
                try:
                    np.linalg.cholesky(m[:k, :k])
                except np.linalg.LinAlgError:
                    return k
        return len(m)

    return _host.each(host, order, np.int32)


@cholesky_factor.backward_rule
def _cholesky(needs: Any, grad: Any, out: Any) -> Any:
    # Murray 2016, Differentiation of the Cholesky decomposition, eq. 10, symmetric
    phi = tril(matmul(_T(out), grad))
    phi = phi - diagonal_part(phi) * 0.5
    # L^-T phi L^-1
    part = solve_triangular(_T(out), phi, upper=True)
    part = solve_triangular(out, part, upper=False, left=False)
    return ((part + _T(part)) * 0.5,)


def diagonal_part(x: Any) -> Any:
    return tril(triu(x))


@in_full_on_cpu
def cholesky(A: Tensor, *, upper: bool = False) -> Tensor:
    """The factor ``L`` of ``A = L L^T`` of each symmetric positive-definite matrix.

    Args:
        A: (…, n, n); one triangle is read: the lower, or the upper one where ``upper``.
        upper: give ``L^T`` instead.

    Raises:
        RuntimeError: a matrix is not positive-definite (``LinAlgError``), or not square.
    """
    _host.square("linalg.cholesky", A)
    if upper:
        return _T(cholesky_factor(_T(A)))
    return cholesky_factor(A)  # type: ignore[no-any-return]


def old_cholesky(input: Tensor, upper: bool = False) -> Tensor:
    """``linalg.cholesky`` with ``upper`` by position."""
    return cholesky(input, upper=upper)


class CholeskyEx(NamedTuple):
    """What ``cholesky_ex`` returns."""

    L: Any
    info: Any


@in_full_on_cpu
def cholesky_ex(A: Tensor, *, upper: bool = False, check_errors: bool = False) -> CholeskyEx:
    """``cholesky`` that reports instead of raising: (L, info), where info is 0 for each that was possible.

    Where it was not, info has the order of the leading minor that is not positive, and L has nan.
    """
    _host.square("linalg.cholesky_ex", A)
    source = _T(A) if upper else A
    info = _orders(_host.read(source))
    failed = _host.put(info, A)
    if not info.any() or check_errors:
        return CholeskyEx(cholesky(A, upper=upper), failed)
    bad = unsqueeze(unsqueeze(ew.ne(failed, 0), -1), -1)
    one = expand(_host.identity(A._view.shape[-1], A), A._view.shape)
    factor = ew.where(bad, math.nan, cholesky(ew.where(bad, one, A), upper=upper))
    return CholeskyEx(factor, failed)


@in_full_on_cpu
def cholesky_solve(B: Tensor, L: Tensor, upper: bool = False) -> Tensor:
    """The ``X`` with ``A X = B``, given Cholesky's factor ``L`` of ``A``.

    Args:
        B: (…, n, k).
        L: (…, n, n), lower triangular, or upper where ``upper``.
    """
    _host.matrices("cholesky_solve", B, L)
    _host.square("cholesky_solve", L)
    if L._view.shape[-1] != B._view.shape[-2]:
        raise RuntimeError(f"cholesky_solve: shapes of B {tuple(B.shape)} and L {tuple(L.shape)} do not fit")
    b, lower = _host.common_batch(B, _T(L) if upper else L)
    return cholesky_solution(b, lower)  # type: ignore[no-any-return]


@op(saves=("lower", "out"))
def cholesky_solution(b: Any, lower: Any) -> Any:
    """``(L L^T)^-1 b``; leading axes are equal."""
    half = solve_triangles(lower, b, upper=False, unit=False)
    return solve_triangles(_T(lower), half, upper=True, unit=False)


@cholesky_solution.backward_rule
def _cholesky_solution(needs: Any, grad: Any, lower: Any, out: Any) -> Any:
    # of A = L L^T as of an equation, then of L, whose other triangle counts, as in PyTorch
    to_b = cholesky_solution(grad, lower)
    to_lower = None
    if needs[1]:
        to_a = matmul(to_b, _T(out))
        to_lower = -matmul(to_a + _T(to_a), lower)
    return to_b if needs[0] else None, to_lower


@in_full_on_cpu
def cholesky_inverse(L: Tensor, upper: bool = False) -> Tensor:
    """The inverse of ``A``, given Cholesky's factor ``L`` of it."""
    _host.square("cholesky_inverse", L)
    return cholesky_solve(expand(_host.identity(L._view.shape[-1], L), L._view.shape), L, upper)


# -- triangular --------------------------------------------------------------------------------------------
@op(saves=("a", "out"))
def solve_triangles(a: Any, b: Any, *, upper: bool, unit: bool) -> Any:
    """``a^-1 b`` where only one triangle of ``a`` is read, by substitution; leading axes are equal."""
    m, right = _host.read(a), _host.read(b)
    m = np.triu(m) if upper else np.tril(m)
    n = m.shape[-1]
    if unit:
        m[..., np.arange(n), np.arange(n)] = 1
    if not upper:  # turned by half, it is an upper triangle, where elimination has nothing to do
        m, right = m[..., ::-1, ::-1], right[..., ::-1, :]
    with np.errstate(all="ignore"):
        try:
            out = np.linalg.solve(m, right)
        except np.linalg.LinAlgError:  # a zero on the diagonal: infinities, as in BLAS
            out = right.copy()
            for i in range(n - 1, -1, -1):
                out[..., i, :] -= (m[..., i, None, i + 1 :] @ out[..., i + 1 :, :])[..., 0, :]
                out[..., i, :] /= m[..., i, i, None]
    return _host.put(out if upper else out[..., ::-1, :], a)


@solve_triangles.backward_rule
def _solve_triangles(needs: Any, grad: Any, a: Any, out: Any, *, upper: bool, unit: bool) -> Any:
    to_b = solve_triangles(_T(a), grad, upper=not upper, unit=unit)
    to_a = None
    if needs[0]:
        full = -matmul(to_b, _T(out))
        to_a = triu(full, int(unit)) if upper else tril(full, -int(unit))
    return to_a, to_b if needs[1] else None


def solve_triangular(
    A: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Tensor:
    """The ``X`` with ``A X = B`` (``X A = B`` where not ``left``) for triangular ``A``.

    Args:
        A: (…, n, n); the other triangle is not read.
        B: (…, n, k) (or (…, k, n) where not ``left``); leading axes broadcast.
        upper: which triangle.
        unitriangular: take the diagonal for ones, without reading it.
    """
    _host.matrices("linalg.solve_triangular", A, B)
    _host.square("linalg.solve_triangular", A)
    if not left:
        return _T(solve_triangular(_T(A), _T(B), upper=not upper, unitriangular=unitriangular))
    if A._view.shape[-1] != B._view.shape[-2]:
        raise RuntimeError(
            f"linalg.solve_triangular: incompatible shapes of A {tuple(A.shape)} and B {tuple(B.shape)}"
        )
    a, b = _host.common_batch(A, B)
    return solve_triangles(a, b, upper=bool(upper), unit=bool(unitriangular))  # type: ignore[no-any-return]


class TriangularSolve(NamedTuple):
    """What ``triangular_solve`` returns."""

    solution: Any
    cloned_coefficient: Any


@in_full_on_cpu
def triangular_solve(
    b: Tensor, A: Tensor, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> TriangularSolve:
    """The older form of ``linalg.solve_triangular``: (solution, a copy of ``A``)."""
    _host.matrices("triangular_solve", b, A)
    source = _T(A) if transpose else A
    side = upper != transpose
    solution = solve_triangular(source, b, upper=side, unitriangular=unitriangular)
    batch = solution._view.shape[:-2]
    return TriangularSolve(solution, clone(expand(A, (*batch, *A._view.shape[-2:]))))
