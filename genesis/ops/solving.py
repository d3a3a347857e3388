"""Equations and what belongs to them: inverse, determinant, Cholesky's factor, triangular matrices."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from genesis._dtypes import int32
from genesis.autograd.grad_mode import state
from genesis.backend.view import broadcast_shapes
from genesis.ops import _host
from genesis.ops import elementwise as ew
from genesis.ops._host import LinAlgError
from genesis.ops._op import op
from genesis.ops._view import zeros_of
from genesis.ops.diagonals import tril, triu
from genesis.ops.linalg import matmul
from genesis.ops.shape import clone, expand, matrix_transpose, permute, reshape, unsqueeze

if TYPE_CHECKING:
    from genesis._tensor import Tensor


def _T(x: Any) -> Any:
    return matrix_transpose(x)


# -- inverse -----------------------------------------------------------------------------------------------
@op(saves=("out",))
def matrix_inverse(x: Any) -> Any:
    """Inverses of square matrices (…, n, n); their shapes are checked."""
    with _host.refusing(
        "linalg.inv", "the inversion could not be completed because the input matrix is singular"
    ):
        return _host.put(np.linalg.inv(_host.read(x)), x)


@matrix_inverse.backward_rule
def _inverse(needs: Any, grad: Any, out: Any) -> Any:
    # d(X^-1) = -X^-1 dX X^-1 (Giles 2008, An extended collection of matrix derivative results, 2.2.3)
    return (-matmul(_T(out), matmul(grad, _T(out))),)


def inv(A: Tensor) -> Tensor:
    """The inverse of each square matrix.

    Args:
        A: (…, n, n).

    Raises:
        RuntimeError: a matrix is singular (``LinAlgError``), or not square.
    """
    _host.square("linalg.inv", A)
    return matrix_inverse(A)  # type: ignore[no-any-return]


def inverse(input: Tensor) -> Tensor:
    """``linalg.inv``."""
    return inv(input)


# -- equations ---------------------------------------------------------------------------------------------
@op(saves=("a", "out"))
def solve_matrices(a: Any, b: Any) -> Any:
    """``a^-1 b`` for (…, n, n) and (…, n, k) with equal leading axes."""
    with _host.refusing("linalg.solve", "the solver failed because the input matrix is singular"):
        return _host.put(np.linalg.solve(_host.read(a), _host.read(b)), a)


@solve_matrices.backward_rule
def _solve(needs: Any, grad: Any, a: Any, out: Any) -> Any:
    # Giles 2008, 2.3.1
    to_b = solve_matrices(_T(a), grad)
    return -matmul(to_b, _T(out)) if needs[0] else None, to_b if needs[1] else None


def _common_batch(a: Any, b: Any) -> tuple[Any, Any]:
    batch = broadcast_shapes(a._view.shape[:-2], b._view.shape[:-2])
    return expand(a, (*batch, *a._view.shape[-2:])), expand(b, (*batch, *b._view.shape[-2:]))


def _is_vector(a: Any, b: Any) -> bool:
    """Whether ``b`` is a batch of vectors: one axis, or exactly the shape of ``a`` without its last."""
    return bool(b.dim() == 1 or (a.dim() - 1 == b.dim() and b._view.shape == a._view.shape[:-1]))


def solve(A: Tensor, B: Tensor, *, left: bool = True) -> Tensor:
    """The ``X`` with ``A X = B`` (``X A = B`` where not ``left``).

    Args:
        A: (…, n, n).
        B: (…, n, k), (n,) or a batch of vectors (…, n) with the leading axes of ``A``; leading axes
            broadcast.

    Raises:
        RuntimeError: a matrix is singular (``LinAlgError``), or shapes do not fit.
    """
    _host.numbers("linalg.solve", A, B)
    _host.square("linalg.solve", A)
    a, b = A, B
    vector = _is_vector(a, b)
    if vector:
        if not left:
            raise RuntimeError("linalg.solve: left=False is not possible with vectors B")
        b = unsqueeze(b, -1)
    if not left:
        return _T(solve(_T(a), _T(b)))  # type: ignore[no-any-return]
    if b.dim() < 2 or a._view.shape[-1] != b._view.shape[-2]:
        raise RuntimeError(
            f"linalg.solve: incompatible shapes of A {tuple(A.shape)} and B {tuple(B.shape)} for AX = B"
        )
    a, b = _common_batch(a, b)
    out: Tensor = solve_matrices(a, b)
    return out.squeeze(-1) if vector else out


# -- determinants ------------------------------------------------------------------------------------------
@op(saves=("x", "out"))
def determinant(x: Any) -> Any:
    """Determinants of square matrices (…, n, n)."""
    with np.errstate(all="ignore"):
        return _host.put(np.linalg.det(_host.read(x)), x)


@determinant.backward_rule
def _determinant(needs: Any, grad: Any, x: Any, out: Any) -> Any:
    grad, out = (unsqueeze(unsqueeze(v, -1), -1) for v in (grad, out))
    if state.enabled:  # needs an inverse that can be differentiated again
        return (grad * out * _T(matrix_inverse(x)),)
    # the matrix of cofactors, which exists for singular matrices too (Giles 2008, 2.2.4):
    # det(U) det(V) U diag(prod of the other singular values) V^T
    u, s, vh = np.linalg.svd(_host.read(x))
    others = np.ones_like(s)
    for i in range(s.shape[-1]):
        others[..., i] = np.delete(s, i, -1).prod(-1)
    sign = np.sign(np.linalg.det(u) * np.linalg.det(vh))
    cofactors = (u * (others * sign[..., None])[..., None, :]) @ vh
    return (grad * _host.put(cofactors.astype(x.dtype.name), x),)


def det(A: Tensor) -> Tensor:
    """The determinant of each square matrix, (…, n, n) to (…); singular ones have a gradient too."""
    _host.square("linalg.det", A)
    return determinant(A)  # type: ignore[no-any-return]


@op(saves=("x",))
def log_determinant(x: Any) -> Any:
    """The signs and the logarithms of the absolute determinants of square matrices, in one vector."""
    with np.errstate(all="ignore"):
        return _host.pack(np.linalg.slogdet(_host.read(x)), x)


@log_determinant.backward_rule
def _log_determinant(needs: Any, grad: Any, x: Any) -> Any:
    batch = x._view.shape[:-2]
    grad = _host.unpack(grad, (batch, batch))[1]
    return (unsqueeze(unsqueeze(grad, -1), -1) * _T(matrix_inverse(x)),)


class Slogdet(NamedTuple):
    """What ``slogdet`` returns."""

    sign: Any
    logabsdet: Any


def slogdet(A: Tensor) -> Slogdet:
    """The sign and the logarithm of the absolute value of each determinant: (sign, logabsdet)."""
    _host.square("linalg.slogdet", A)
    batch = A._view.shape[:-2]
    return Slogdet(*_host.unpack(log_determinant(A), (batch, batch)))


def logdet(input: Tensor) -> Tensor:
    """The logarithm of each determinant; nan where that is negative, -inf where it is 0."""
    _host.square("logdet", input)
    sign, log = slogdet(input)
    return ew.where(ew.lt(sign, 0), math.nan, log)  # type: ignore[no-any-return]


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
    phi = phi - _diagonal_part(phi) * 0.5
    # L^-T phi L^-1
    part = solve_triangular(_T(out), phi, upper=True)
    part = solve_triangular(out, part, upper=False, left=False)
    return ((part + _T(part)) * 0.5,)


def _diagonal_part(x: Any) -> Any:
    return tril(triu(x))


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
        return _T(cholesky_factor(_T(A)))  # type: ignore[no-any-return]
    return cholesky_factor(A)  # type: ignore[no-any-return]


def old_cholesky(input: Tensor, upper: bool = False) -> Tensor:
    """``linalg.cholesky`` with ``upper`` by position."""
    return cholesky(input, upper=upper)


class CholeskyEx(NamedTuple):
    """What ``cholesky_ex`` returns."""

    L: Any
    info: Any


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
    one = expand(_eye(A._view.shape[-1], A), A._view.shape)
    factor = ew.where(bad, math.nan, cholesky(ew.where(bad, one, A), upper=upper))
    return CholeskyEx(factor, failed)


def _eye(n: int, like: Any) -> Any:
    from genesis.ops.creation import eye

    return eye(n, dtype=like.dtype, device=like.device)


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
    b, lower = _common_batch(B, _T(L) if upper else L)
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


def cholesky_inverse(L: Tensor, upper: bool = False) -> Tensor:
    """The inverse of ``A``, given Cholesky's factor ``L`` of it."""
    _host.square("cholesky_inverse", L)
    return cholesky_solve(expand(_eye(L._view.shape[-1], L), L._view.shape), L, upper)


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
        return _T(  # type: ignore[no-any-return]
            solve_triangular(_T(A), _T(B), upper=not upper, unitriangular=unitriangular)
        )
    if A._view.shape[-1] != B._view.shape[-2]:
        raise RuntimeError(
            f"linalg.solve_triangular: incompatible shapes of A {tuple(A.shape)} and B {tuple(B.shape)}"
        )
    a, b = _common_batch(A, B)
    return solve_triangles(a, b, upper=bool(upper), unit=bool(unitriangular))  # type: ignore[no-any-return]


class TriangularSolve(NamedTuple):
    """What ``triangular_solve`` returns."""

    solution: Any
    cloned_coefficient: Any


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


# -- reports instead of errors -----------------------------------------------------------------------------
class InvEx(NamedTuple):
    """What ``inv_ex`` returns."""

    inverse: Any
    info: Any


def inv_ex(A: Tensor, *, check_errors: bool = False) -> InvEx:
    """``inv`` that reports instead of raising: (inverse, info); info is 0 where the inverse exists.

    Where it does not, info is 1 and the inverse has infinities.
    """
    _host.square("linalg.inv_ex", A)
    if check_errors:
        return InvEx(inv(A), _zero_info(A))
    bad, filled, info = _singular(A)
    out = inv(filled)
    return InvEx(out if bad is None else ew.where(bad, math.inf, out), info)


class SolveEx(NamedTuple):
    """What ``solve_ex`` returns."""

    result: Any
    info: Any


def solve_ex(A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False) -> SolveEx:
    """``solve`` that reports instead of raising: (result, info); see ``inv_ex``."""
    _host.square("linalg.solve_ex", A)
    if check_errors:
        return SolveEx(solve(A, B, left=left), _zero_info(A))
    bad, filled, info = _singular(A)
    out = solve(filled, B, left=left)
    if bad is not None:
        if _is_vector(A, B):
            bad = bad.squeeze(-1)
        out = ew.where(bad, math.inf, out)
    return SolveEx(out, info)


def _zero_info(A: Any) -> Any:
    return zeros_of(A._view.shape[:-2], A).to(int32)


def _singular(A: Any) -> tuple[Any, Any, Any]:
    """Which matrices are singular (None: none is), the others with the identity in their place, and info."""

    def one(m: Any) -> int:
        try:
            np.linalg.inv(m)
            return 0
        except np.linalg.LinAlgError:
            return 1

    info = _host.each(_host.read(A), one, np.int32)
    if not info.any():
        return None, A, _host.put(info, A)
    found = _host.put(info, A)
    bad = unsqueeze(unsqueeze(ew.ne(found, 0), -1), -1)
    return bad, ew.where(bad, expand(_eye(A._view.shape[-1], A), A._view.shape), A), found


# -- tensors as matrices -----------------------------------------------------------------------------------
def tensorinv(A: Tensor, ind: int = 2) -> Tensor:
    """The inverse for ``tensordot``: the first ``ind`` axes of ``A`` are rows, the others columns.

    Raises:
        RuntimeError: rows and columns are not equally many, or the matrix is singular.
    """
    if ind <= 0:
        raise RuntimeError(f"linalg.tensorinv: expected a strictly positive integer for 'ind', got {ind}")
    rows, columns = A._view.shape[:ind], A._view.shape[ind:]
    if math.prod(rows) != math.prod(columns):
        raise RuntimeError(f"linalg.tensorinv: the products of {rows} and {columns} must be equal")
    n = math.prod(rows)
    return reshape(inv(reshape(A, (n, n))), (*columns, *rows))


def tensorsolve(A: Tensor, B: Tensor, dims: Any = None) -> Tensor:
    """The ``X`` with ``tensordot(A, X, X.ndim) = B``.

    Args:
        A: the axes of ``B`` and then those of ``X``, after ``dims`` were moved to the end.
    """
    if dims is not None:
        last = [d % A.dim() for d in dims]
        A = permute(A, [i for i in range(A.dim()) if i not in last] + last)
    shape = A._view.shape[B.dim() :]
    n = math.prod(shape)
    if n != B._view.size:
        raise RuntimeError(
            f"linalg.tensorsolve: expected the product of {shape} to be the number of elements of B, "
            f"{B._view.size}"
        )
    return reshape(solve(reshape(A, (n, n)), reshape(B, -1)), shape)
