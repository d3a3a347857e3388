"""Products of Householder's reflections, as LAPACK stores them: ``H_i = I - tau_i v_i v_i^T``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from genesis.ops import _host
from genesis.ops._autocast import in_full_on_cpu
from genesis.ops.diagonals import tril
from genesis.ops.linalg import matmul
from genesis.ops.reduction import named_result
from genesis.ops.shape import expand, matrix_transpose, unsqueeze

if TYPE_CHECKING:
    from genesis._tensor import Tensor

_GeQRF = named_result("geqrf", "a", "tau")


@in_full_on_cpu
def geqrf(input: Tensor) -> Any:
    """(a, tau): R in the upper triangle of ``a``, the reflections of ``Q`` below it; without a gradient.

    Args:
        input: (…, m, n).
    """
    _host.matrices("geqrf", input)
    x = _host.read(input)
    m, n = x.shape[-2:]
    a, tau = np.empty_like(x), np.empty((*x.shape[:-2], min(m, n)), x.dtype)
    for i in np.ndindex(x.shape[:-2]):
        raw, tau[i] = np.linalg.qr(x[i], "raw")
        a[i] = raw.T
    return _GeQRF(_host.put(a, input), _host.put(tau, input))


def _reflected(a: Any, tau: Any, x: Any, transposed: bool) -> Any:
    """``H_1 … H_k x``, or ``H_k … H_1 x``."""
    below = tril(a, -1)
    unit = _host.identity(a._view.shape[-2], a)
    k = tau._view.shape[-1]
    for i in range(k) if transposed else range(k - 1, -1, -1):
        v = unsqueeze(below[..., i] + unit[i], -1)
        x = x - unsqueeze(unsqueeze(tau[..., i], -1), -1) * matmul(v, matmul(matrix_transpose(v), x))
    return x


@in_full_on_cpu
def householder_product(A: Tensor, tau: Tensor) -> Tensor:
    """The first n columns of ``H_1 H_2 … H_k``.

    Args:
        A: (…, m, n) with m >= n; ``v_i`` is 0 above row i, 1 there, and below it what column i of ``A`` has.
        tau: (…, k), k <= n.

    Raises:
        RuntimeError: the shapes do not fit.
    """
    name = "linalg.householder_product"
    _host.matrices(name, A)
    _host.numbers(name, A, tau)
    *batch, m, n = A._view.shape
    if m < n:
        raise RuntimeError(f"{name}: input.shape[-2] must be greater than or equal to input.shape[-1]")
    _check(name, A, tau)
    start = expand(_host.identity(m, A)[:, :n], (*batch, m, n))
    return _reflected(A, tau, start, False)  # type: ignore[no-any-return]


@in_full_on_cpu
def ormqr(input: Tensor, tau: Tensor, other: Tensor, left: bool = True, transpose: bool = False) -> Tensor:
    """``Q @ other`` with ``Q = H_1 H_2 … H_k`` (m, m); the transpose of Q, or from the right, if asked for.

    Args:
        input: (…, m, k) as ``geqrf`` gives it.
        tau: (…, k).
        other: (…, m, n), or (…, n, m) for ``left=False``.
    """
    for x in (input, other):
        _host.matrices("ormqr", x)
    _host.numbers("ormqr", input, tau, other)
    _check("ormqr", input, tau)
    m, have = input._view.shape[-2], other._view.shape[-2 if left else -1]
    if m != have:
        raise RuntimeError(f"ormqr: other.shape[{-2 if left else -1}] must be {m}, got {have}")
    if tau._view.shape[-1] != min(m, input._view.shape[-1]):
        raise RuntimeError(f"ormqr: tau.shape[-1] must be {min(m, input._view.shape[-1])}")
    if left:
        return _reflected(input, tau, other, transpose)  # type: ignore[no-any-return]
    turned = _reflected(input, tau, matrix_transpose(other), not transpose)
    return matrix_transpose(turned)


def _check(name: str, a: Any, tau: Any) -> None:
    s, t = a._view.shape, tau._view.shape
    if not t or t[:-1] != s[:-2] or t[-1] > s[-1]:
        raise RuntimeError(f"{name}: tau of shape {t} does not fit reflections of shape {s}")
