"""Factorizations, equations, norms."""

from __future__ import annotations

from typing import Any

import numpy as np

from table._entry import FLOATS, Entry, S, floats, positive

# fmt: off
# ruff: noqa: E501 - a table

# sums of rows and columns must differ by more than rounding: which is the largest decides where gradients go
UNEVEN = np.outer([1.0, 1.31, 1.73], [1.0, 1.07, 1.19, 1.37])
A, TALL, WIDE, CUBE, ROW = floats(3, 4) * UNEVEN, floats(4, 3) + np.eye(4, 3) * 2, floats(2, 4) + np.eye(2, 4) * 2, floats(2, 3, 4) * UNEVEN * np.array([1.0, 1.13])[:, None, None], floats(4)
SQUARE, SQUARES = np.eye(3) * 2 + floats(3, 3) * 0.4, np.eye(3) * 2 + floats(2, 3, 3) * 0.4
SYMMETRIC = SQUARES @ np.swapaxes(SQUARES, -1, -2) + np.diag([0.5, 1.5, 3.0])
ONE = SYMMETRIC[0]
SINGULAR = np.outer([1.0, 2.0, 3.0], [2.0, 1.0, 1.0])
#: singular, and every step of its elimination is exact: the rest of a rounding would be the next pivot
EXACT = np.array([[1.0, 0.5, 1.0], [4.0, 2.0, 8.0], [2.0, 1.0, 4.0]])
INF = float("inf")
LOOSE: dict[str, Any] = {"tolerance": {"float32": (2e-4, 2e-5), "float64": (1e-9, 1e-11)}, "why": "the condition of the matrix multiplies the errors of rounding"}


def method(name: str, samples: list[S], errors: Any = (), **options: Any) -> list[Entry]:
    return [Entry(name, samples, errors=errors, **{**LOOSE, **options}), Entry(f"Tensor.{name}", samples, errors=errors, **{**LOOSE, "layouts": ("plain",), **options})]


def linalg(name: str, samples: list[S], errors: Any = (), **options: Any) -> Entry:
    return Entry(f"linalg.{name}", samples, errors=errors, **{**LOOSE, **options})


def product(library: Any, function: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """What does not depend on the signs of the columns."""
    q, r = function(x, *args, **kwargs)
    return q @ r, q * q, r.abs(), q.shape, r.shape


def rebuilt(library: Any, function: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """The shapes, and what a full rank gives whatever the random projections are."""
    u, s, v = function(x, *args, **kwargs)
    full = s.shape[-1] == min(x.shape[-2:])
    return u.shape, s.shape, v.shape, *([s, u @ library.diag_embed(s) @ v.mT] if full else [])


def singular(library: Any, function: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    u, s, v = found = function(x, *args, **kwargs)
    k = s.shape[-1]
    vh = v if hasattr(found, "Vh") else v.mT
    first, last = u[..., :k], vh[..., :k, :]
    return s, first * first, last.abs(), (first * s.unsqueeze(-2)) @ last, u.shape, v.shape


def shapes(library: Any, function: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    u, s, v = function(x, *args, **kwargs)
    return s, u.shape, v.shape, u.mT @ u if u.shape[-1] else u


def eigen(library: Any, function: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    found = function((x + x.mT) / 2, *args, **kwargs)
    return found.eigenvalues, found.eigenvectors**2


def factored(library: Any, function: Any, x: Any, b: Any, **kwargs: Any) -> Any:
    return function(*library.linalg.lu_factor_ex(x)[:2], b, **kwargs)


def unpacked(library: Any, function: Any, x: Any, **kwargs: Any) -> Any:
    return list(function(*library.linalg.lu_factor(x), **kwargs))


def symmetric(library: Any, function: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    return function((x + x.mT) / 2, *args, **kwargs)


def fields(*names: str) -> Any:
    def call(library: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
        found = function(*args, **kwargs)
        return [getattr(found, n) for n in names]

    return call


SOLVE = [S(SQUARE, floats(3, 2)), S(SQUARE, floats(3)), S(SQUARES, floats(2, 3)), S(SQUARES, floats(2, 3, 1)), S(SQUARES, floats(3, 2)), S(SQUARE, floats(2, 3, 2)), S(SQUARE, floats(2, 3), left=False), S(SQUARES[:, None], floats(1, 4, 3, 2)), S(floats(0, 0), floats(0, 2)), S(floats(0, 3, 3), floats(0, 3, 1))]
SQUARE_ERRORS = [S(A), S(ROW), S(np.array([[1, 2], [3, 4]]))]

ENTRIES = [
    linalg("inv", [S(SQUARE), S(SQUARES), S(floats(0, 0)), S(floats(0, 3, 3)), S(positive(1, 1))], [*SQUARE_ERRORS, S(SINGULAR * 0), S(np.stack([SQUARE, SINGULAR * 0]))]),
    *method("inverse", [S(SQUARE), S(SQUARES)], SQUARE_ERRORS),
    linalg("inv_ex", [S(SQUARE), S(SQUARES)], call=fields("inverse", "info")),
    linalg("solve", SOLVE, [S(SQUARE, floats(2)), S(A, floats(3)), S(SINGULAR * 0, floats(3)), S(SQUARE, floats(2, 2)), S(ROW, ROW)]),
    linalg("solve_ex", [S(SQUARE, floats(3, 2)), S(SQUARE, floats(3))], call=fields("result", "info")),
    linalg("tensorinv", [S(floats(4, 6, 8, 3)), S(floats(6, 2, 3), ind=1), S(SQUARE, 1)], [S(A, 1), S(SQUARE, 0)], tolerance={"float32": (1e-2, 1e-3), "float64": (1e-8, 1e-9)}),
    linalg("tensorsolve", [S(floats(2, 3, 6), floats(2, 3)), S(floats(6, 2, 3), floats(6))], [S(A, floats(2))], tolerance={"float32": (1e-2, 1e-3), "float64": (1e-8, 1e-9)}),
    linalg("det", [S(SQUARE), S(SQUARES), S(floats(0, 0)), S(SINGULAR), S(positive(1, 1)), S(np.diag([0.0, 0.0, 2.0]))], SQUARE_ERRORS),
    *method("det", [S(SQUARE), S(SQUARES)], SQUARE_ERRORS),
    linalg("slogdet", [S(SQUARE), S(SQUARES), S(-SQUARE)], SQUARE_ERRORS),
    *method("slogdet", [S(SQUARE)], SQUARE_ERRORS, call=fields("sign", "logabsdet")),
    *method("logdet", [S(SQUARE), S(SYMMETRIC), S(floats(0, 0))], SQUARE_ERRORS),
    linalg("cholesky", [S(SYMMETRIC), S(ONE), S(ONE, upper=True), S(floats(0, 0)), S(positive(1, 1))], [*SQUARE_ERRORS, S(-ONE), S(np.stack([ONE, -ONE]))]),
    *method("cholesky", [S(SYMMETRIC), S(ONE, True), S(ONE, upper=True)], [*SQUARE_ERRORS, S(-ONE)]),
    linalg("cholesky_ex", [S(SYMMETRIC), S(ONE, upper=True)], call=fields("L", "info")),
    *method("cholesky_solve", [S(floats(3, 2), np.tril(ONE)), S(floats(3, 2), np.triu(ONE), True), S(floats(2, 3, 2), np.tril(SYMMETRIC)), S(floats(3, 1), np.tril(SYMMETRIC))], [S(floats(2, 2), np.tril(ONE)), S(floats(3), ONE)]),
    *method("cholesky_inverse", [S(np.tril(ONE)), S(np.triu(ONE), True), S(np.tril(SYMMETRIC))], SQUARE_ERRORS),
    *[
        linalg("solve_triangular", [S(SQUARE, floats(3, 3), upper=upper, left=left, unitriangular=unit, label=f"{upper} {left} {unit}"), S(SQUARES, floats(3, 3), upper=upper, left=left, unitriangular=unit, label=f"{upper} {left} {unit} batch")])
        for upper in (True, False) for left in (True, False) for unit in (True, False)
    ],
    linalg("solve_triangular", [S(np.triu(SQUARE) * [1, 1, 0], positive(3, 1), upper=True, label="singular")], [S(SQUARE, floats(2, 2), upper=True), S(A, floats(3, 1), upper=True), S(SQUARE, floats(3, 1)), S(SQUARE, floats(3), upper=True)], grad=False),
    *method("triangular_solve", [S(floats(3, 2), SQUARE), S(floats(3, 2), SQUARE, False), S(floats(3, 2), SQUARE, upper=True, transpose=True), S(floats(3, 2), SQUARE, unitriangular=True), S(floats(2, 3, 2), SQUARE)], [S(floats(3), SQUARE)], call=fields("solution")),
    linalg("qr", [S(TALL), S(WIDE), S(SQUARES), S(WIDE, "complete"), S(TALL, mode="reduced")], [S(ROW), S(TALL, "full")], call=product),
    linalg("qr", [S(TALL, "complete"), S(CUBE, "complete")], call=product, grad=False),
    *method("qr", [S(TALL), S(WIDE)], call=product),
    linalg("svd", [S(TALL), S(WIDE), S(TALL, False), S(WIDE, full_matrices=False), S(SQUARES)], [S(ROW)], call=singular),
    linalg("svd", [S(TALL), S(floats(0, 3)), S(floats(3, 0), full_matrices=False), S(CUBE)], call=shapes, grad=False),
    *method("svd", [S(TALL), S(WIDE)], call=singular),
    Entry("svd", [S(TALL, some=False), S(TALL, True, False), S(TALL, compute_uv=False)], call=lambda library, function, *a, **k: [t.shape for t in function(*a, **k)] + [function(*a, **k).S], **LOOSE),
    linalg("svdvals", [S(TALL), S(WIDE), S(CUBE), S(np.eye(3)), S(floats(0, 2))], [S(ROW)]),
    linalg("eigh", [S(ONE), S(SYMMETRIC), S(ONE, "U"), S(ONE, UPLO="L")], [*SQUARE_ERRORS[:2], S(ONE, "X")], call=eigen),
    linalg("eigvalsh", [S(ONE), S(SYMMETRIC), S(ONE, "U"), S(floats(0, 0))], SQUARE_ERRORS[:2], call=symmetric),
    linalg("eigvalsh", [S(SQUARE), S(SQUARE, UPLO="U")], grad=False),
    linalg("pinv", [S(TALL), S(WIDE), S(CUBE), S(SINGULAR), S(TALL, rtol=0.5), S(TALL, atol=1.0), S(ONE, hermitian=True), S(floats(0, 3)), S(TALL, 0.5)], [S(ROW)]),
    linalg("pinv", [S(TALL, rtol=np.array(0.5), label="tensor"), S(CUBE, atol=np.array([0.5, 1.0]), label="tensors")], grad=False),
    *method("pinverse", [S(TALL), S(WIDE), S(TALL, 0.5), S(TALL, rcond=0.1)]),
    linalg("matrix_rank", [S(TALL), S(SINGULAR), S(CUBE), S(np.zeros((2, 3))), S(TALL, atol=2.5), S(TALL, rtol=0.9), S(ONE, hermitian=True), S(TALL, 2.5), S(floats(0, 3))], [S(ROW)], grad=False),
    *[
        linalg("lstsq", [S(TALL, floats(4, 2), driver=driver, label=f"{driver}, tall"), S(WIDE, floats(2, 1), driver=driver, label=f"{driver}, wide"), S(CUBE, floats(2, 3, 2), driver=driver, label=f"{driver}, batch"), S(SQUARE, floats(3, 1), None, driver=driver, label=f"{driver}, square")],
               call=fields("solution", "residuals", "rank", "singular_values"))
        for driver in (None, "gels", "gelsd", "gelss", "gelsy")
    ],
    linalg("lstsq", [], [S(TALL, floats(3, 2)), S(ROW, ROW), S(TALL, floats(4, 2), driver="x")]),
    *[linalg("matrix_norm", [S(A, o, label=f"{o}"), S(CUBE, ord=o, dim=(0, 2), keepdim=True, label=f"{o}, axes"), S(CUBE, o, (-1, -2), label=f"{o}, turned")]) for o in ("fro", "nuc", 1, -1, 2, -2, INF, -INF)],
    linalg("matrix_norm", [S(A), S(CUBE)], [S(A, 3), S(A, "x"), S(ROW), S(A, "fro", (0, 0)), S(A, "fro", (0,))]),
    *[linalg("vector_norm", [S(A, o, label=f"{o}"), S(CUBE, ord=o, dim=(0, 2), keepdim=True, label=f"{o}, axes"), S(A, o, 1, label=f"{o}, rows"), S(np.zeros((2, 2)), o, dim=0, label=f"{o}, zeros") if o in (2, 3, 1) else S(ROW, o, label=f"{o}, row")]) for o in (0, 0.5, 1, 2, 3, -1, -2, INF, -INF)],
    linalg("vector_norm", [S(A), S(np.array(-2.0)), S(floats(0)), S(floats(0, 3), dim=1), S(A, dim=[0]), S(A, axis=0, label="axis")], [S(floats(0), INF), S(A, dim=2), S(A, "fro")]),
    *[linalg("norm", [S(A, o, label=f"{o}")]) for o in ("fro", "nuc", 1, -1, 2, -2, INF, -INF, None)],
    linalg("norm", [S(ROW, 3), S(ROW, INF), S(CUBE), S(CUBE, 2, (1, 2)), S(CUBE, "nuc", (0, 1), True), S(CUBE, 1, dim=1), S(CUBE, dim=(0, 1)), S(A, keepdim=True), S(A, 2, -1, keepdim=True)], [S(CUBE, 2), S(ROW, "fro"), S(A, 3)]),
    linalg("cond", [S(SQUARE), S(TALL), S(SQUARE, -2), S(SQUARE, p=2)], [S(A, 1), S(ROW)], tolerance={"float32": (1e-3, 1e-3), "float64": (1e-8, 1e-9)}),
    linalg("cond", [S(SQUARES, 1), S(SQUARE, INF), S(SQUARE, "fro"), S(SQUARE, "nuc"), S(SQUARE, -1), S(np.zeros((2, 2)), 1)], tolerance={"float32": (1e-3, 1e-3), "float64": (1e-8, 1e-9)}, grad=False),
    linalg("vander", [S(ROW), S(ROW, N=3), S(A), S(A, N=2)], [S(ROW, N=1)]),
    linalg("diagonal", [S(A), S(CUBE, offset=1), S(CUBE, dim1=0, dim2=1)]),
    linalg("eig", [], [S(A)]),
    linalg("lu", [S(SQUARES), S(TALL), S(WIDE), S(CUBE), S(EXACT), S(floats(0, 3, 3)), S(floats(3, 0)), S(floats(1, 1))], [S(ROW), S(SQUARE, pivot=False), S(np.eye(2, dtype=np.int64))]),
    linalg("lu_factor", [S(SQUARES), S(TALL), S(WIDE)], [S(SINGULAR * 0), S(ROW)], call=fields("LU", "pivots")),
    linalg("lu_factor_ex", [S(SQUARES), S(np.diag([1.0, 0.0, 2.0]))], call=fields("LU", "pivots", "info"), grad=False),
    linalg("lu_solve", [S(SQUARE, floats(3, 2)), S(SQUARES, floats(3, 1)), S(SQUARE, floats(2, 3), left=False), S(SQUARES, floats(3, 2), adjoint=True), S(SQUARES, floats(2, 3), left=False, adjoint=True), S(floats(0, 0), floats(0, 2))], [S(SQUARE, floats(2, 2)), S(A, floats(3, 2))], call=factored),
    Entry("lu", [S(SQUARES), S(TALL, get_infos=True)], [*FLOATS], **LOOSE),
    Entry("Tensor.lu", [S(SQUARES)], layouts=("plain",), **LOOSE),
    Entry("lu_solve", [S(SQUARES, floats(3, 2))], call=lambda library, f, x, b: f(b, *library.linalg.lu_factor(x)), layouts=("plain",), **LOOSE),
    Entry("Tensor.lu_solve", [S(SQUARES, floats(3, 2))], call=lambda library, f, x, b: f(b, *library.linalg.lu_factor(x)), layouts=("plain",), **LOOSE),
    Entry("lu_unpack", [S(SQUARES), S(TALL), S(WIDE), S(SQUARE, unpack_pivots=False)], call=unpacked, layouts=("plain",), **LOOSE),
    Entry("lu_unpack", [S(SQUARE, unpack_data=False)], call=unpacked, layouts=("plain",), grad=False),
    linalg("matrix_exp", [S(SQUARES), S(floats(3, 3) * 5), S(floats(1, 1)), S(np.zeros((2, 2))), S(floats(0, 0)), S(floats(0, 2, 2)), S(SQUARES * 0.01)], [S(A), S(ROW), S(np.eye(2, dtype=np.int64))]),
    *method("matrix_exp", [S(SQUARES)], [S(A)]),
    # -- reflections, random projections ---------------------------------------------------------------------
    linalg("householder_product", [S(A.T, floats(3)), S(SQUARES, floats(2, 2)), S(TALL, floats(3))], errors=[S(WIDE, floats(2)), S(TALL, floats(4)), S(ROW, ROW)]),
    *method("orgqr", [S(TALL, floats(2))]),
    *method("geqrf", [S(A), S(CUBE), S(TALL)], grad=False),
    *method("ormqr", [S(TALL, floats(3), floats(4, 2)), S(TALL[:, :2], floats(2), floats(4, 2), True, True), S(TALL, floats(3), floats(2, 4), False)], errors=[S(TALL, floats(3), floats(3, 2)), S(TALL, floats(2), floats(4, 2))]),
    Entry("svd_lowrank", [S(A, 3), S(CUBE, 2), S(TALL, 3, 1, floats(1, 3))], call=rebuilt, dtypes=("float64",), **LOOSE),
    Entry("pca_lowrank", [S(A), S(TALL, 3), S(CUBE, 2, center=False)], errors=[S(A, 4), S(A, -1), S(A, 2, niter=-1)], call=rebuilt, dtypes=("float64",), **LOOSE),
    # -- norms of nothing ------------------------------------------------------------------------------------
    linalg("norm", [S(np.zeros((0, 3)), p) for p in (1, 2, INF, "nuc", "fro")] + [S(np.zeros((2, 0, 3)), 2, (1, 2))], grad=False, errors=[S(np.zeros((0, 3)), -2), S(np.zeros((3, 0)), -1)]),
    linalg("matrix_norm", [S(np.zeros((2, 0, 3)), p) for p in (1, 2, INF)], grad=False),
    linalg("cond", [S(np.zeros((0, 0))), S(np.zeros((2, 0, 0)), 1), S(np.zeros((0, 3)))], grad=False),
]
