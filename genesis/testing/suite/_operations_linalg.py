"""Products and factorizations of matrices, for the checks of gradients.

``parity=False``: tests/parity/table has the case, with a tolerance of its own or without gradients.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from genesis.testing.suite._operations import NOT_DIFFERENTIABLE, case, floats

A, B, ROW, CUBE = floats(3, 4), floats(4, 3), floats(4), floats(2, 3, 4)
SQUARE = np.eye(3) * 2 + floats(3, 3) * 0.4
SQUARES = np.eye(3) * 2 + floats(2, 3, 3) * 0.4
WELL = floats(3, 2) + np.array([[2.0, 0], [0, 3], [0, 0]])  # singular values apart
WIDE = np.ascontiguousarray(WELL.T)


def symmetric(x: Any) -> Any:
    return x @ x.mT + x.new_tensor(np.diag([0.5, 1.0, 2.0]))


def _of(name: str) -> Any:
    """A name of ``torch.linalg`` in either namespace."""

    def found(ns: Any) -> Any:
        if getattr(ns, "__name__", "") == "genesis.ops":
            import genesis

            ns = genesis
        return getattr(ns.linalg, name)

    return found


# -- products ----------------------------------------------------------------------------------------------
case("mv", lambda ns, a, b: ns.mv(a, b), A, ROW)
case("vdot", lambda ns, a, b: ns.vdot(a, b), ROW, floats(4))
case("inner", lambda ns, a, b: ns.inner(a, b), A, CUBE)
case("ger", lambda ns, a, b: ns.ger(a, b), ROW, floats(3))
case("addmv", lambda ns, x, a, b: ns.addmv(x, a, b, beta=0.5, alpha=2), floats(3), A, ROW)
case("addr", lambda ns, x, a, b: ns.addr(x, a, b, beta=0.5, alpha=2), A, floats(3), ROW)
case("addbmm", lambda ns, x, a, b: ns.addbmm(x, a, b, beta=0.5, alpha=2), floats(2), CUBE, floats(2, 4, 2))
case("baddbmm", lambda ns, x, a, b: ns.baddbmm(x, a, b, beta=0.5), floats(3, 2), CUBE, floats(2, 4, 2))
case("kron", lambda ns, a, b: ns.kron(a, b), floats(2, 2), floats(2, 1, 3))
case("cross", lambda ns, a, b: ns.cross(a, b), A, floats(3, 4), parity=False)
case("linalg_cross", lambda ns, a, b: _of("cross")(ns)(a, b), floats(2, 3), floats(1, 3))
case("vecdot", lambda ns, a, b: _of("vecdot")(ns)(a, b), A, ROW)
case("tensordot", lambda ns, a, b: ns.tensordot(a, b, 2), CUBE, floats(3, 4, 2))
case("tensordot", lambda ns, a, b: ns.tensordot(a, b, ([1, 2], [1, 0])), CUBE, floats(4, 3), label="axes")
case("chain_matmul", lambda ns, a, b, c: ns.chain_matmul(a, b, c), A, B, floats(3, 2), parity=False)
case("multi_dot", lambda ns, a, b, c: _of("multi_dot")(ns)([a, b, c]), floats(3), A, ROW)
for n in (1, 3, -2):
    case("matrix_power", lambda ns, x, n=n: ns.matrix_power(x, n), SQUARES, label=f"to {n}")
for equation, arrays in (
    ("ij,jk->ik", (A, B)), ("ij,jk", (A, B)), ("bij,bjk->bik", (CUBE, floats(2, 4, 2))), ("ii->i", (SQUARE,)),
    ("ii", (SQUARE,)), ("...ij->...ji", (CUBE,)), ("ij->j", (A,)), ("i,j->ij", (ROW, floats(3))),
    ("ij,kj,k->i", (A, floats(2, 4), floats(2))), ("bi...,ij->b...j", (floats(2, 3, 2), floats(3, 2))),
    ("ij,ij->", (A, floats(3, 4))), ("ij,ij,jk->ik", (A, floats(3, 4), B)), ("i->", (ROW,)),
    ("...i,...i", (CUBE, floats(3, 4))), ("iij,j->i", (floats(2, 2, 3), floats(3))),
):  # fmt: skip
    case("einsum", lambda ns, *xs, e=equation: ns.einsum(e, *xs), *arrays, label=equation)
for p in (0, 1, 1.5, 2, 3, float("inf")):
    case(
        "cdist",
        lambda ns, a, b, p=p: ns.cdist(a, b, p),
        A,
        floats(2, 4),
        label=f"p={p}",
        order=1 if p == 0 else 2,
    )


# -- factorizations ----------------------------------------------------------------------------------------
for name in ("inv", "cholesky", "pinv", "svdvals"):
    of = _of(name)
    for label, x in (("one", SQUARE), ("batch", SQUARES)):
        if name == "cholesky":
            case(name, lambda ns, x, of=of: of(ns)(symmetric(x)), x, label=label)
            case(name, lambda ns, x, of=of: of(ns)(symmetric(x), upper=True), x, label=f"{label}, upper")
        else:
            case(name, lambda ns, x, of=of: of(ns)(x), x, label=label)
case("det", lambda ns, x: ns.det(x), SQUARES)
case("det", lambda ns, x: ns.det(x), np.outer([1.0, 2.0, 3.0], [2.0, 1.0, 1.0]), label="singular", order=1)
case("logdet", lambda ns, x: ns.logdet(symmetric(x)), SQUARES)
case("slogdet", lambda ns, x: ns.slogdet(x)[1], SQUARES)
case("pinverse", lambda ns, x: ns.pinverse(x), WELL)
case("pinv", lambda ns, x: _of("pinv")(ns)(x), WELL, label="tall")
case("pinv", lambda ns, x: _of("pinv")(ns)(x), WIDE, label="wide")
case("solve", lambda ns, a, b: _of("solve")(ns)(a, b), SQUARES, floats(3, 2))
case("solve", lambda ns, a, b: _of("solve")(ns)(a, b), SQUARE, floats(3), label="vector")
case("solve", lambda ns, a, b: _of("solve")(ns)(a, b, left=False), SQUARE, floats(2, 2, 3), label="right")
case("cholesky_solve", lambda ns, b, x: ns.cholesky_solve(b, ns.tril(x)), floats(3, 2), SQUARE)
case(
    "cholesky_solve",
    lambda ns, b, x: ns.cholesky_solve(b, ns.triu(x), True),
    floats(3, 2),
    SQUARE,
    label="upper",
)
case("cholesky_inverse", lambda ns, x: ns.cholesky_inverse(ns.tril(x)), SQUARE)
for upper in (True, False):
    for left in (True, False):
        for unit in (True, False):
            case(
                "solve_triangular",
                lambda ns, a, b, u=upper, le=left, un=unit: _of("solve_triangular")(ns)(
                    a, b, upper=u, left=le, unitriangular=un
                ),
                SQUARES, floats(3, 3),
                label=f"upper={upper}, left={left}, unitriangular={unit}",
            )  # fmt: skip
case("triangular_solve", lambda ns, b, a: ns.triangular_solve(b, a)[0], floats(3, 2), SQUARE, parity=False)
case(
    "triangular_solve",
    lambda ns, b, a: ns.triangular_solve(b, a, upper=False, transpose=True)[0],
    floats(3, 2), SQUARE,
    parity=False,
    label="transposed",
)  # fmt: skip
for label, x in (("tall", floats(4, 3)), ("square", SQUARES), ("wide", floats(2, 3))):
    case("qr", lambda ns, x: tuple(_of("qr")(ns)(x)), x, label=label)
case("qr", lambda ns, x: tuple(_of("qr")(ns)(x, "complete")), floats(2, 3), label="complete")
case("svd", lambda ns, x: _of("svd")(ns)(x, full_matrices=False)[1], WELL, label="values")
case("svd", lambda ns, x: _square_of_svd(_of("svd")(ns)(x, full_matrices=False)), WELL, label="tall")
case("svd", lambda ns, x: _square_of_svd(_of("svd")(ns)(x, full_matrices=True)), WELL, label="full")
case("svd", lambda ns, x: _square_of_svd(_of("svd")(ns)(x, False)), WIDE, label="wide")


def _square_of_svd(found: Any) -> Any:
    """Functions of all factors that do not depend on signs."""
    u, s, vh = found
    k = s.shape[-1]
    u, vh = u[..., :k], vh[..., :k, :]
    return u * u, s, vh.abs(), u @ vh


case("eigh", lambda ns, x: _of("eigh")(ns)(symmetric(x))[0], SQUARES, label="values")
case("eigh", lambda ns, x: (lambda e: (e[0], e[1] ** 2))(_of("eigh")(ns)(symmetric(x))), SQUARE)
case("eigh", lambda ns, x: _of("eigh")(ns)(symmetric(x), UPLO="U")[0], SQUARE, label="upper")
case("eigvalsh", lambda ns, x: _of("eigvalsh")(ns)(symmetric(x)), SQUARE)
case("lstsq", lambda ns, a, b: _of("lstsq")(ns)(a, b)[0], WELL, floats(3, 2))
case("lstsq", lambda ns, a, b: _of("lstsq")(ns)(a, b)[0], WIDE, floats(2), label="wide")
NOT_DIFFERENTIABLE.add("matrix_rank")
case("cond", lambda ns, x: _of("cond")(ns)(x), SQUARES)
case("cond", lambda ns, x: _of("cond")(ns)(x, 1), SQUARE, label="p=1", parity=False)
for order in ("fro", "nuc", 1, -1, 2, -2, float("inf"), -float("inf")):
    case("matrix_norm", lambda ns, x, o=order: _of("matrix_norm")(ns)(x, o), CUBE, label=f"{order}")
for order in (0, 0.5, 1, 2, 3.5, -1, float("inf"), -float("inf")):
    case("vector_norm", lambda ns, x, o=order: _of("vector_norm")(ns)(x, o, dim=1), A, label=f"{order}")
case("vector_norm", lambda ns, x: _of("vector_norm")(ns)(x), CUBE, label="all")
case("vander", lambda ns, x: _of("vander")(ns)(x, N=4), A)
for label, x in (("tall", floats(4, 3)), ("square", SQUARES), ("wide", floats(2, 3))):
    case("lu", lambda ns, x: tuple(_of("lu")(ns)(x))[1:], x, label=label, parity=False)
case(
    "lu_solve",
    lambda ns, x, b: _of("lu_solve")(ns)(*_of("lu_factor")(ns)(x), b, adjoint=True),
    SQUARES, floats(3, 2),
    parity=False,
)  # fmt: skip
case("matrix_exp", lambda ns, x: _of("matrix_exp")(ns)(x), SQUARES, parity=False)
case("householder_product", lambda ns, a, t: _of("householder_product")(ns)(a, t), B, floats(3), parity=False)
case("ormqr", lambda ns, a, t, x: ns.ormqr(a, t, x), B, floats(3), floats(4, 2), parity=False)
# of full rank, the singular values do not depend on the random projections
case("svd_lowrank", lambda ns, x: ns.svd_lowrank(x, 2)[1], WELL, parity=False)
case("pca_lowrank", lambda ns, x: ns.pca_lowrank(x, 2, center=False)[1], WELL, parity=False)
