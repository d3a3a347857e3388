"""Linear algebra, by the names of ``torch.linalg``.

Factorizations run through NumPy's LAPACK on the host, for every device, and have gradients.  Not here: what
needs complex numbers (``eig`` and ``eigvals`` say so), and LDL factors.
"""

from __future__ import annotations

from genesis._lazy import attach

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same names once more, for editors and type checkers
    from genesis.ops._host import LinAlgError as LinAlgError
    from genesis.ops.decompositions import eig as eig
    from genesis.ops.decompositions import eigh as eigh
    from genesis.ops.decompositions import eigvals as eigvals
    from genesis.ops.decompositions import eigvalsh as eigvalsh
    from genesis.ops.decompositions import lstsq as lstsq
    from genesis.ops.decompositions import matrix_rank as matrix_rank
    from genesis.ops.decompositions import pinv as pinv
    from genesis.ops.decompositions import qr as qr
    from genesis.ops.decompositions import svd as svd
    from genesis.ops.decompositions import svdvals as svdvals
    from genesis.ops.householder import householder_product as householder_product
    from genesis.ops.linalg import matmul as matmul
    from genesis.ops.lu_decomposition import lu as lu
    from genesis.ops.lu_decomposition import lu_factor as lu_factor
    from genesis.ops.lu_decomposition import lu_factor_ex as lu_factor_ex
    from genesis.ops.lu_decomposition import lu_solve as lu_solve
    from genesis.ops.matrix_functions import matrix_exp as matrix_exp
    from genesis.ops.norms import cond as cond
    from genesis.ops.norms import matrix_norm as matrix_norm
    from genesis.ops.norms import norm as norm
    from genesis.ops.norms import vander as vander
    from genesis.ops.norms import vector_norm as vector_norm
    from genesis.ops.products import matrix_power as matrix_power
    from genesis.ops.products import multi_dot as multi_dot
    from genesis.ops.products import vecdot as vecdot
    from genesis.ops.solving import det as det
    from genesis.ops.solving import inv as inv
    from genesis.ops.solving import inv_ex as inv_ex
    from genesis.ops.solving import slogdet as slogdet
    from genesis.ops.solving import solve as solve
    from genesis.ops.solving import solve_ex as solve_ex
    from genesis.ops.solving import tensorinv as tensorinv
    from genesis.ops.solving import tensorsolve as tensorsolve
    from genesis.ops.triangles import cholesky as cholesky
    from genesis.ops.triangles import cholesky_ex as cholesky_ex
    from genesis.ops.triangles import solve_triangular as solve_triangular

_NAMES = {
    "decompositions": "eig eigh eigvals eigvalsh lstsq matrix_rank pinv qr svd svdvals",
    "householder": "householder_product",
    "linalg": "matmul",
    "lu_decomposition": "lu lu_factor lu_factor_ex lu_solve",
    "matrix_functions": "matrix_exp",
    "norms": "cond matrix_norm norm vander vector_norm",
    "products": "matrix_power multi_dot vecdot",
    "solving": "det inv inv_ex slogdet solve solve_ex tensorinv tensorsolve",
    "triangles": "cholesky cholesky_ex solve_triangular",
}


def _called(name: str, path: str, value: object) -> object:
    from genesis._calling import public

    return public(name, value)


__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        **{name: f"genesis.ops.{file}:{name}" for file, names in _NAMES.items() for name in names.split()},
        "LinAlgError": "genesis.ops._host:LinAlgError",
        "cross": "genesis.ops.products:linalg_cross",
        "diagonal": "genesis.ops.norms:matrix_diagonal",
    },
    _called,
)
