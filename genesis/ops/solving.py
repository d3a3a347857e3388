"""Equations, inverses, determinants."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from genesis._dtypes import int32
from genesis.autograd.grad_mode import state
from genesis.ops import _host
from genesis.ops import elementwise as ew
from genesis.ops._autocast import in_full_on_cpu
from genesis.ops._op import op
from genesis.ops._view import zeros_of
from genesis.ops.linalg import matmul
from genesis.ops.shape import expand, matrix_transpose, permute, reshape, unsqueeze

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


@in_full_on_cpu
def inv(A: Tensor) -> Tensor:
    """The inverse of each square matrix.

    Args:
        A: (…, n, n).

    Raises:
        RuntimeError: a matrix is singular (``LinAlgError``), or not square.
    """
    _host.square("linalg.inv", A)
    return matrix_inverse(A)  # type: ignore[no-any-return]


@in_full_on_cpu
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


def _is_vector(a: Any, b: Any) -> bool:
    """Whether ``b`` is a batch of vectors: one axis, or exactly the shape of ``a`` without its last."""
    return bool(b.dim() == 1 or (a.dim() - 1 == b.dim() and b._view.shape == a._view.shape[:-1]))


@in_full_on_cpu
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
    a, b = _host.common_batch(a, b)
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


# -- reports instead of errors -----------------------------------------------------------------------------
class InvEx(NamedTuple):
    """What ``inv_ex`` returns."""

    inverse: Any
    info: Any


@in_full_on_cpu
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
    return bad, ew.where(bad, expand(_host.identity(A._view.shape[-1], A), A._view.shape), A), found


# -- tensors as matrices -----------------------------------------------------------------------------------
@in_full_on_cpu
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


@in_full_on_cpu
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
