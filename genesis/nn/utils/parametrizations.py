"""Ready parametrizations: weight and spectral normalisation, and orthogonal weights."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

import genesis
from genesis import no_grad
from genesis._tensor import Tensor
from genesis.nn import functional as F
from genesis.nn.module import Module
from genesis.nn.utils import parametrize
from genesis.nn.utils.spectral_norm import as_matrix, default_dim
from genesis.nn.utils.weight_norm import norm_except_dim

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]

M = TypeVar("M", bound=Module)


class _WeightNorm(Module):
    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return weight_v * (weight_g / norm_except_dim(weight_v, self.dim))

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return norm_except_dim(weight, self.dim), weight


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """``w = g v / ‖v‖``: length and direction of a weight as parameters of their own (arXiv:1602.07868).

    Args:
        module: what has the weight.
        name: its name.
        dim: a length for each slice along it; None for one length.

    Returns:
        ``module``, with ``parametrizations.<name>.original0`` (g) and ``original1`` (v).  States that
        ``nn.utils.weight_norm`` wrote can be loaded.
    """
    parametrize.register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def rename(state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        g, v = f"{prefix}{name}_g", f"{prefix}{name}_v"
        if g in state_dict and v in state_dict:
            state_dict[f"{prefix}parametrizations.{name}.original0"] = state_dict.pop(g)
            state_dict[f"{prefix}parametrizations.{name}.original1"] = state_dict.pop(v)

    module._register_load_state_dict_pre_hook(rename)
    return module


def _iterated(matrix: Tensor, u: Tensor, v: Tensor, steps: int, eps: float) -> tuple[Tensor, Tensor]:
    """Better estimates of the first singular vectors; unlike the hook, it begins with ``u``."""
    with no_grad():
        for _ in range(steps):
            u = F.normalize(matrix.mv(v), dim=0, eps=eps)
            v = F.normalize(matrix.t().mv(u), dim=0, eps=eps)
    return u, v


class _SpectralNorm(Module):
    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        if not -weight.dim() <= dim < weight.dim():
            raise IndexError(f"dimension {dim} is out of range for a weight of {weight.dim()} dimensions")
        if n_power_iterations <= 0:
            raise ValueError(
                f"expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.dim = dim % weight.dim()
        self.eps = eps
        if weight.dim() > 1:
            self.n_power_iterations = n_power_iterations
            with no_grad():
                matrix = as_matrix(weight.detach(), self.dim)
                u, v = (
                    F.normalize(matrix.new_empty(size).normal_(0, 1), dim=0, eps=eps) for size in matrix.shape
                )
                u, v = _iterated(matrix, u, v, 15, eps)
            self.register_buffer("_u", u)
            self.register_buffer("_v", v)

    def forward(self, weight: Tensor) -> Tensor:
        if weight.dim() == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = as_matrix(weight, self.dim)
        if self.training:
            u, v = _iterated(matrix.detach(), self._u, self._v, self.n_power_iterations, self.eps)
            with no_grad():
                self._u.copy_(u)
                self._v.copy_(v)
        return weight / self._u.clone().dot(matrix.mv(self._v.clone()))

    def right_inverse(self, value: Tensor) -> Tensor:
        return value


def spectral_norm(
    module: M, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> M:
    """Divide a weight by its largest singular value, estimated by power iteration (arXiv:1802.05957).

    Args:
        module: what has the weight.
        name: its name.
        n_power_iterations: steps each time the weight is used in training.
        eps: smallest length that is divided by.
        dim: dimension of the outputs; 1 for transposed convolutions and else 0 unless given.

    Returns:
        ``module``.
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"module {module!r} has no parameter or buffer with name {name!r}")
    made = _SpectralNorm(weight, n_power_iterations, default_dim(module) if dim is None else dim, eps)
    parametrize.register_parametrization(module, name, made)
    return module


# -- orthogonal weights ------------------------------------------------------------------------------------
def _matrix_exp(a: Tensor) -> Tensor:
    """``exp(A)`` by scaling, a Taylor polynomial of degree 12 and squaring."""
    size = float(a.detach().abs().sum(-1).amax()) if a.numel() else 0.0
    squarings = max(0, int(np.ceil(np.log2(max(size, 1e-30)))) + 2)
    a = a / 2**squarings
    identity = genesis.eye(a.shape[-1], dtype=a.dtype, device=a.device)
    out = identity + a / 12
    for k in range(11, 0, -1):  # Horner's scheme
        out = identity + (a @ out) / k
    for _ in range(squarings):
        out = out @ out
    return out


def _reflected(a: Tensor, tau: Tensor) -> Tensor:
    """The first columns of the product of the reflections ``I - tau_i v_i v_iᵀ``; v_i has 1 at place i."""
    n, k = a.shape[-2:]
    eye = genesis.eye(n, dtype=a.dtype, device=a.device)
    out = eye[:, :k].expand(*a.shape[:-2], n, k)
    for i in reversed(range(k)):
        v = (a[..., i] + eye[i]).unsqueeze(-1)
        out = out - tau[..., i, None, None] * (v @ (v.mT @ out))
    return out


def _decomposed(q: Tensor) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """LAPACK's QR of matrices on the host: the reflections (columns), and their factors."""
    host = q.detach()._host()
    flat = host.reshape(-1, *host.shape[-2:])
    parts = [np.linalg.qr(m, mode="raw") for m in flat]
    a = np.stack([h.T for h, _ in parts]).reshape(host.shape)
    return a, np.stack([t for _, t in parts]).reshape(*host.shape[:-2], -1)


def _nearest(q: Tensor) -> Tensor:
    """An orthogonal matrix with the same first columns, by QR with a positive diagonal of R."""
    host = q.detach()._host()
    flat = host.reshape(-1, *host.shape[-2:])
    out = []
    for m in flat:
        base, r = np.linalg.qr(m)
        out.append(base * np.sign(np.diag(r)))
    return genesis.tensor(np.stack(out).reshape(host.shape), dtype=q.dtype, device=q.device)


class _Orthogonal(Module):
    base: Tensor | None

    def __init__(self, weight: Tensor, orthogonal_map: str, *, use_trivialization: bool = True) -> None:
        super().__init__()
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, x: Tensor) -> Tensor:
        n, k = x.shape[-2:]
        transposed = n < k
        if transposed:
            x, n, k = x.mT, k, n
        if self.orthogonal_map == "householder":
            a = x.tril(-1)
            tau = 2.0 / (1.0 + (a * a).sum(-2))
            signs = x.detach() * genesis.eye(n, dtype=x.dtype, device=x.device)[:, :k]
            q = _reflected(a, tau) * signs.sum(-2).trunc().unsqueeze(-2)
        else:
            x = x.tril()
            if n != k:
                x = genesis.cat([x, x.new_zeros(*x.shape[:-1], n - k)], -1)
            a = x - x.mT
            if self.orthogonal_map == "matrix_exp":
                q = _matrix_exp(a)
            else:
                identity = genesis.eye(n, dtype=x.dtype, device=x.device)
                q = genesis.linalg.solve(identity - 0.5 * a, identity + 0.5 * a)
            q = q[..., :k]
        if "base" in self._buffers and self.base is not None:
            q = self.base @ q
        return q.mT if transposed else q

    @no_grad()
    def right_inverse(self, q: Tensor) -> Tensor:
        if q.shape != self.shape:
            raise ValueError(
                f"expected a matrix or batch of matrices of shape {tuple(self.shape)}, got {tuple(q.shape)}"
            )
        like = q
        n, k = q.shape[-2:]
        transposed = n < k
        if transposed:
            q, n, k = q.mT, k, n
        if "base" not in self._buffers:
            if self.orthogonal_map != "householder":
                raise NotImplementedError(
                    "it is not possible to assign to the matrix exponential or the Cayley parametrizations "
                    "when use_trivialization=False"
                )
            a, tau = _decomposed(q)
            diagonal = np.sign(np.diagonal(a, axis1=-2, axis2=-1))
            diagonal = np.where(tau == 0, -diagonal, diagonal)
            i = np.arange(k)
            a[..., i, i] = diagonal
            out = genesis.tensor(a, dtype=q.dtype, device=q.device)
            return out.mT.contiguous() if transposed else out
        if n == k:
            error = (q.mT @ q - genesis.eye(k, dtype=q.dtype, device=q.device)).abs().amax()
            limit = 10 * n * float(np.finfo(q.dtype.name).eps)
            self.base = q.clone() if float(error) <= limit else _nearest(q)
        else:
            self.base = _nearest(genesis.cat([q, q.new_empty(*q.shape[:-1], n - k).normal_(0, 1)], -1))
        # minus the identity: of it, Householder's map makes the identity as the others do of its triangle
        rows, columns = like.shape[-2:]
        eye = -genesis.eye(rows, columns, dtype=like.dtype, device=like.device)
        return eye.expand(*like.shape).clone()


def orthogonal(
    module: M, name: str = "weight", orthogonal_map: str | None = None, *, use_trivialization: bool = True
) -> M:
    """Keep a weight orthogonal: ``Qᵀ Q = I``, or ``Q Qᵀ = I`` if it is wide (Lezcano-Casado 2019).

    Args:
        module: what has the weight, of at least two dimensions (batches of matrices).
        name: its name.
        orthogonal_map: ``"matrix_exp"``, ``"cayley"`` or ``"householder"``; the first for square weights and
            the last for others unless given.
        use_trivialization: multiply by a fixed orthogonal matrix, which makes the weight at the start the
            nearest one to what it was (arXiv:1909.09501).

    Returns:
        ``module``.

    Raises:
        ValueError: there is no such weight, it is a vector, or the map is unknown.
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"module {module!r} has no parameter or buffer with name {name!r}")
    if weight.dim() < 2:
        raise ValueError(f"expected a matrix or batch of matrices, got a tensor of {weight.dim()} dimensions")
    if orthogonal_map is None:
        orthogonal_map = "matrix_exp" if weight.shape[-2] == weight.shape[-1] else "householder"
    if orthogonal_map not in ("matrix_exp", "cayley", "householder"):
        raise ValueError(
            f"orthogonal_map has to be one of 'matrix_exp', 'cayley', 'householder', got {orthogonal_map!r}"
        )
    made = _Orthogonal(weight, orthogonal_map, use_trivialization=use_trivialization)
    parametrize.register_parametrization(module, name, made, unsafe=True)
    return module
