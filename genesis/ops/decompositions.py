"""Orthogonal factors, singular values, eigenvalues of symmetric matrices, and what follows from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from genesis._dtypes import float32, int64
from genesis.ops import _host
from genesis.ops import elementwise as ew
from genesis.ops._autocast import in_full_on_cpu
from genesis.ops._op import op
from genesis.ops.diagonals import diag_embed, triu
from genesis.ops.linalg import matmul
from genesis.ops.reduction import sum
from genesis.ops.shape import matrix_transpose, reshape, unsqueeze
from genesis.ops.solving import _is_vector
from genesis.ops.triangles import diagonal_part, solve_triangular

if TYPE_CHECKING:
    from genesis._tensor import Tensor

_T = matrix_transpose


# -- QR ----------------------------------------------------------------------------------------------------
class QR(NamedTuple):
    """What ``qr`` returns."""

    Q: Any
    R: Any


def _qr_shapes(shape: Any, mode: str) -> list[Any]:
    *batch, m, n = shape
    k = min(m, n)
    return [(*batch, m, m), (*batch, m, n)] if mode == "complete" else [(*batch, m, k), (*batch, k, n)]


@op(saves=("x", "out"))
def qr_factors(x: Any, *, mode: str) -> Any:
    """Q and R of matrices in one vector."""
    return _host.pack(np.linalg.qr(_host.read(x), mode), x)  # type: ignore[call-overload]


@qr_factors.backward_rule
def _qr(needs: Any, grad: Any, x: Any, out: Any, *, mode: str) -> Any:
    m, n = x._view.shape[-2:]
    if mode == "complete" and m > n:
        raise RuntimeError(
            "linalg.qr: the derivative is not implemented when mode='complete' and nrows > ncols; "
            "use 'reduced'"
        )
    shapes = _qr_shapes(x._view.shape, mode)
    (q, r), (gq, gr) = _host.unpack(out, shapes), _host.unpack(grad, shapes)
    if m >= n:
        return (_square_qr(q, r, gq, gr),)
    # the first m columns determine Q; the others are R's by Q^T (Roberts & Roberts 2020, QR and LQ
    # decomposition matrix backpropagation algorithms, section 4)
    u, gu, gv = r[..., :m], gr[..., :m], gr[..., m:]
    rest = x[..., m:]
    first = _square_qr(q, u, gq + matmul(rest, _T(gv)), gu)
    from genesis.ops.joining import cat

    return (cat([first, matmul(q, gv)], -1),)


def _square_qr(q: Any, r: Any, gq: Any, gr: Any) -> Any:
    """The gradient of X where X = Q R and R is square: [gQ + Q sym(triu(gR R^T - Q^T gQ))] R^-T."""
    middle = triu(matmul(gr, _T(r)) - matmul(_T(q), gq))
    middle = middle + _T(middle) - diagonal_part(middle)
    return solve_triangular(_T(r), gq + matmul(q, middle), upper=False, left=False)


@in_full_on_cpu
def qr(A: Tensor, mode: str = "reduced") -> QR:
    """Orthonormal columns times an upper triangle: ``A = Q R``.

    Args:
        A: (…, m, n).
        mode: ``"reduced"``: Q is (…, m, min(m, n)); ``"complete"``: (…, m, m); ``"r"``: only R, without a
            gradient, and an empty Q.

    Raises:
        RuntimeError: the gradient of ``"complete"`` with m > n, or of ``"r"``, is asked for.
    """
    _host.matrices("linalg.qr", A)
    if mode == "r":
        from genesis.autograd.graph import tracked

        if tracked(A):
            raise RuntimeError("linalg.qr: the derivative depends on Q, which mode='r' does not compute")
        found: Any = np.linalg.qr(_host.read(A), "r")
        return QR(_host.put(np.zeros(0, found.dtype), A), _host.put(found, A))
    if mode not in ("reduced", "complete"):
        raise RuntimeError(f"qr received unrecognized mode {mode!r}; expected reduced, complete or r")
    return QR(*_host.unpack(qr_factors(A, mode=mode), _qr_shapes(A._view.shape, mode)))


def old_qr(input: Tensor, some: bool = True) -> QR:
    """``linalg.qr``; ``some=False`` is mode ``"complete"``."""
    return qr(input, "reduced" if some else "complete")


# -- singular values ---------------------------------------------------------------------------------------
class SVD(NamedTuple):
    """What ``linalg.svd`` returns."""

    U: Any
    S: Any
    Vh: Any


class OldSVD(NamedTuple):
    """What ``svd`` returns."""

    U: Any
    S: Any
    V: Any


def _svd_shapes(shape: Any, full: bool) -> list[Any]:
    *batch, m, n = shape
    k = min(m, n)
    return [(*batch, m, m if full else k), (*batch, k), (*batch, n if full else k, n)]


@op(saves=("x", "out"))
def svd_factors(x: Any, *, full: bool) -> Any:
    """U, S and V^T of matrices in one vector."""
    with _host.refusing("linalg.svd", "the algorithm failed to converge"):
        return _host.pack(np.linalg.svd(_host.read(x), full), x)


@svd_factors.backward_rule
def _svd(needs: Any, grad: Any, x: Any, out: Any, *, full: bool) -> Any:
    """As PyTorch's ``svd_backward``; Giles 2008, section 3.2, extended to the factors U and V.

    Defined where the result does not depend on the signs of the singular vectors, and the values differ.
    """
    shapes = _svd_shapes(x._view.shape, full)
    (u, s, vh), (gu, gs, gvh) = _host.unpack(out, shapes), _host.unpack(grad, shapes)
    m, n = x._view.shape[-2:]
    k = min(m, n)
    if full:  # columns beyond the k-th are any basis of the rest; they have no gradient
        u, gu, vh, gvh = u[..., :k], gu[..., :k], vh[..., :k, :], gvh[..., :k, :]
    squares = s * s
    gaps = unsqueeze(squares, -2) - unsqueeze(squares, -1)
    row, column = unsqueeze(s, -2), unsqueeze(s, -1)
    ug, vg = matmul(_T(u), gu), matmul(gvh, _T(vh))  # the latter is (V^T gV)^T
    inner = _over(ug - _T(ug), gaps) * row + column * _over(_T(vg) - vg, gaps) + diag_embed(gs)
    total = matmul(u, matmul(inner, vh))
    if m > k:
        total = total + matmul(_over(gu - matmul(u, ug), row), vh)
    if n > k:
        total = total + matmul(u, _over(gvh - matmul(vg, vh), column))
    return (total,)


def _over(a: Any, b: Any) -> Any:
    """``a / b``, and 0 where ``a`` is: what is not used has no gradient, though values may coincide."""
    nothing = ew.eq(a, 0)
    return ew.where(nothing, 0.0, a / ew.where(nothing, 1.0, b))


@in_full_on_cpu
def svd(A: Tensor, full_matrices: bool = True, *, driver: str | None = None) -> SVD:
    """Singular values and vectors: ``A = U diag(S) Vh``, with ``S`` descending.

    Args:
        A: (…, m, n).
        full_matrices: U (…, m, m) and Vh (…, n, n), or only their first min(m, n) columns and rows.
        driver: accepted; there is one algorithm.
    """
    _host.matrices("linalg.svd", A)
    full = bool(full_matrices)
    return SVD(*_host.unpack(svd_factors(A, full=full), _svd_shapes(A._view.shape, full)))


@in_full_on_cpu
def svdvals(A: Tensor, *, driver: str | None = None) -> Tensor:
    """The singular values of each matrix, descending."""
    _host.matrices("linalg.svdvals", A)
    values: Tensor = svd(A, False).S
    return values


def old_svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> OldSVD:
    """The older form of ``linalg.svd``: (U, S, V), with ``input = U diag(S) V^T``.

    Args:
        some: only the first min(m, n) columns.
        compute_uv: where False, U and V are zeros.
    """
    _host.matrices("svd", input)
    if not compute_uv:
        m, n = input._view.shape[-2:]
        batch = input._view.shape[:-2]
        zeros = [input.new_zeros((*batch, i, i)) for i in (m, n)]
        return OldSVD(zeros[0], svdvals(input), zeros[1])
    u, s, vh = svd(input, not some)
    return OldSVD(u, s, _T(vh))


# -- eigenvalues -------------------------------------------------------------------------------------------
class Eigh(NamedTuple):
    """What ``eigh`` returns."""

    eigenvalues: Any
    eigenvectors: Any


@op(saves=("x", "out"))
def eigh_factors(x: Any, *, triangle: str) -> Any:
    """Eigenvalues and eigenvectors of symmetric matrices in one vector."""
    with _host.refusing("linalg.eigh", "the algorithm failed to converge"):
        return _host.pack(np.linalg.eigh(_host.read(x), triangle), x)  # type: ignore[call-overload]


@eigh_factors.backward_rule
def _eigh(needs: Any, grad: Any, x: Any, out: Any, *, triangle: str) -> Any:
    # V (diag(gL) + V^T gV / (L_j - L_i)) V^T: Giles 2008, 3.1
    shapes = x._view.shape[:-1], x._view.shape
    (values, v), (g_values, gv) = _host.unpack(out, shapes), _host.unpack(grad, shapes)
    gaps = unsqueeze(values, -2) - unsqueeze(values, -1)
    turned = matmul(_T(v), gv)
    off = turned - diagonal_part(turned)
    return (matmul(v, matmul(_over(off, gaps) + diag_embed(g_values), _T(v))),)


@in_full_on_cpu
def eigh(A: Tensor, UPLO: str = "L") -> Eigh:
    """Eigenvalues, ascending, and orthonormal eigenvectors (columns) of symmetric matrices.

    Args:
        A: (…, n, n); one triangle is read.
        UPLO: ``"L"`` or ``"U"``, which.

    The gradient is defined where the result does not depend on the signs of the vectors, and the values
    differ.
    """
    _host.square("linalg.eigh", A)
    triangle = str(UPLO).upper()
    if triangle not in ("L", "U"):
        raise RuntimeError(f"expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    packed = eigh_factors(A, triangle=triangle)
    return Eigh(*_host.unpack(packed, (A._view.shape[:-1], A._view.shape)))


@in_full_on_cpu
def eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """The eigenvalues of symmetric matrices, ascending."""
    _host.square("linalg.eigvalsh", A)
    values: Tensor = eigh(A, UPLO).eigenvalues
    return values


def _complex(name: str) -> Any:
    raise NotImplementedError(
        f"{name}: eigenvalues of a general matrix are complex, and there are no complex tensors here; "
        "for symmetric matrices use linalg.eigh or linalg.eigvalsh"
    )


def eig(A: Tensor) -> Any:
    """Not implemented: the result is complex.

    Raises:
        NotImplementedError: always.
    """
    return _complex("linalg.eig")


def eigvals(A: Tensor) -> Any:
    """Not implemented: the result is complex.

    Raises:
        NotImplementedError: always.
    """
    return _complex("linalg.eigvals")


# -- pseudo-inverse, rank, least squares -------------------------------------------------------------------
@op(saves=("x", "out"))
def pseudo_inverse(x: Any, *, atol: float, rtol: float, symmetric: bool) -> Any:
    """The pseudo-inverse; singular values below max(atol, rtol * the largest) count as 0."""
    host = _host.read(x)
    m, n = host.shape[-2:]
    if not host.size:
        return _host.put(np.zeros((*host.shape[:-2], n, m), host.dtype), x)
    with _host.refusing("linalg.pinv", "the algorithm failed to converge"):
        if symmetric:
            values, v = np.linalg.eigh(host)
            u, s, vh = v, values, np.swapaxes(v, -1, -2)
        else:
            u, s, vh = np.linalg.svd(host, False)
    size = np.abs(s)
    keep = size > np.maximum(_per_matrix(atol), _per_matrix(rtol) * size.max(-1, keepdims=True))
    factors = np.where(keep, 1 / np.where(keep, s, 1), 0)
    out = np.swapaxes(vh, -1, -2) @ (factors[..., None] * np.swapaxes(u, -1, -2))
    return _host.put(out.astype(host.dtype), x)


@pseudo_inverse.backward_rule
def _pseudo_inverse(needs: Any, grad: Any, x: Any, out: Any, **options: Any) -> Any:
    # Golub & Pereyra 1973, The differentiation of pseudo-inverses, eq. 4.12; the smaller products first
    turned, back = _T(grad), _T(out)
    if x._view.shape[-2] <= x._view.shape[-1]:
        k = matmul(turned, out)
        wide = matmul(k, back)
        rest = matmul(matmul(back, out), turned - matmul(k, x))
        return (-_T(matmul(out, k)) + wide - matmul(matmul(x, out), wide) + rest,)
    k = matmul(out, turned)
    wide = matmul(back, k)
    rest = matmul(matmul(turned - matmul(x, k), out), back)
    return (-_T(matmul(k, out)) + rest + wide - matmul(matmul(wide, out), x),)


def _per_matrix(tolerance: Any) -> Any:
    """A number, or one for each matrix, beside a row of singular values."""
    return np.asarray(tolerance)[..., None]


def _tolerances(x: Any, atol: Any, rtol: Any) -> tuple[Any, Any]:
    """Numbers or host arrays."""
    atol, rtol = (_host.read(t) if hasattr(t, "_view") else t for t in (atol, rtol))
    if rtol is None:
        eps = 2.0**-23 if x.dtype is float32 else 2.0**-52
        rtol = eps * max(x._view.shape[-2:]) if atol is None or not np.any(atol) else 0.0
    return 0.0 if atol is None else atol, rtol


@in_full_on_cpu
def pinv(
    A: Tensor, rcond: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None
) -> Tensor:
    """The Moore-Penrose pseudo-inverse of each matrix, (…, m, n) to (…, n, m).

    Args:
        atol, rtol: singular values up to max(atol, rtol * the largest) count as 0; rtol is
            max(m, n) * eps unless one of them is given.
        rcond: another name of rtol.
        hermitian: the matrices are symmetric.
    """
    _host.matrices("linalg.pinv", A)
    if hermitian:
        _host.square("linalg.pinv", A)
    atol, rtol = _tolerances(A, atol, rcond if rtol is None else rtol)
    return pseudo_inverse(A, atol=atol, rtol=rtol, symmetric=bool(hermitian))  # type: ignore[no-any-return]


@in_full_on_cpu
def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """``linalg.pinv`` with another tolerance."""
    return pinv(input, rtol=rcond)


@in_full_on_cpu
def matrix_rank(
    A: Tensor, tol: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None
) -> Tensor:
    """The number of singular values above max(atol, rtol * the largest) of each matrix, int64.

    ``rtol`` is max(m, n) * eps unless a tolerance is given; ``tol`` is another name of ``atol``.
    """
    _host.matrices("linalg.matrix_rank", A)
    atol, rtol = _tolerances(A, tol if atol is None else atol, rtol)
    x = A.detach()
    if not min(x._view.shape[-2:]):
        return sum(svdvals(x), -1).to(int64)
    values = np.abs(_host.read(eigvalsh(x) if hermitian else svdvals(x)))
    limit = np.maximum(_per_matrix(atol), _per_matrix(rtol) * values.max(-1, keepdims=True))
    return _host.put((values > limit).sum(-1), x)  # type: ignore[no-any-return]


class Lstsq(NamedTuple):
    """What ``lstsq`` returns."""

    solution: Any
    residuals: Any
    rank: Any
    singular_values: Any


@in_full_on_cpu
def lstsq(A: Tensor, B: Tensor, rcond: Any = None, *, driver: str | None = None) -> Lstsq:
    """The ``X`` with the smallest ``|A X - B|``; of several, the one with the smallest norm.

    Args:
        A: (…, m, n).
        B: (…, m, k), or vectors (…, m).
        rcond: singular values up to rcond * the largest count as 0; max(m, n) * eps unless given.
        driver: ``"gels"``, ``"gelsy"`` (the default), ``"gelsd"`` or ``"gelss"``: says which of the further
            results are filled, as in PyTorch; there is one algorithm.

    Returns:
        (solution, residuals, rank, singular_values). The residuals are the squared lengths of the columns of
        ``A X - B``, with ``"gels"``, and with ``"gelsd"`` and ``"gelss"`` where every rank is full; empty
        otherwise and where m <= n.
    """
    _host.numbers("linalg.lstsq", A, B)
    _host.matrices("linalg.lstsq", A)
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        raise RuntimeError(
            f"linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss), got {driver}"
        )
    vector = _is_vector(A, B)
    b = unsqueeze(B, -1) if vector else B
    m, n = A._view.shape[-2:]
    if b.dim() < 2 or b._view.shape[-2] != m:
        raise RuntimeError(
            f"linalg.lstsq: input of shape {tuple(A.shape)} and other of shape {tuple(B.shape)} do not fit"
        )
    eps = 2.0**-23 if A.dtype is float32 else 2.0**-52
    rtol = eps * max(m, n) if rcond is None else float(rcond)
    solution = matmul(pinv(A, rtol=rtol), b)
    rank = matrix_rank(A, rtol=rtol)
    full = driver == "gels" or (driver in ("gelsd", "gelss") and bool(ew.eq(rank, n).all()))
    residuals = reshape(solution, -1)[:0]
    if m > n and full:
        residuals = sum(ew.square(matmul(A, solution) - b), -2)
    values = svdvals(A.detach()) if driver in ("gelsd", "gelss") else B.detach().new_zeros((0,))
    if driver == "gels":
        rank = rank.new_zeros((0,))
    return Lstsq(solution.squeeze(-1) if vector else solution, residuals, rank, values)
