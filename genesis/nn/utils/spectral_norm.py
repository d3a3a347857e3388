"""Spectral normalisation by a hook: a weight over its largest singular value (Miyato et al. 2018).

The algorithm is number 1 of arXiv:1802.05957.
"""

from __future__ import annotations

from typing import Any, TypeVar

from genesis import no_grad
from genesis._tensor import Tensor
from genesis.nn import functional as F
from genesis.nn.module import Module
from genesis.nn.parameter import Parameter

__all__ = ["SpectralNorm", "remove_spectral_norm", "spectral_norm"]

M = TypeVar("M", bound=Module)


def as_matrix(weight: Tensor, dim: int) -> Tensor:
    """``(shape[dim], rest)``."""
    if dim:
        weight = weight.movedim(dim, 0)
    return weight.reshape(weight.shape[0], -1)


def default_dim(module: Module) -> int:
    """The dimension of the outputs of a layer's weight: 1 for transposed convolutions, else 0."""
    return 1 if "ConvTranspose" in type(module).__name__ else 0


def power_iteration(matrix: Tensor, u: Tensor, v: Tensor, steps: int, eps: float) -> tuple[Tensor, Tensor]:
    """Better estimates of the first singular vectors."""
    with no_grad():
        for _ in range(steps):
            v = F.normalize(matrix.t().mv(u), dim=0, eps=eps)
            u = F.normalize(matrix.mv(v), dim=0, eps=eps)
    return u, v


class SpectralNorm:
    """The hook: before every call it computes the weight from ``weight_orig``."""

    def __init__(self, name: str, n_power_iterations: int, dim: int, eps: float) -> None:
        if n_power_iterations <= 0:
            raise ValueError(
                f"expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.name, self.n_power_iterations, self.dim, self.eps = name, n_power_iterations, dim, eps

    def compute_weight(self, module: Module, do_power_iteration: bool) -> Tensor:
        """``W / (uᵀ W v)``; the vectors are improved first, if asked for."""
        weight = getattr(module, f"{self.name}_orig")
        u, v = getattr(module, f"{self.name}_u"), getattr(module, f"{self.name}_v")
        matrix = as_matrix(weight, self.dim)
        if do_power_iteration:
            with no_grad():
                new = power_iteration(matrix.detach(), u, v, self.n_power_iterations, self.eps)
                u.copy_(new[0])
                v.copy_(new[1])
            u, v = u.clone(), v.clone()  # what the backward pass reads; the buffers change again
        out: Tensor = weight / u.dot(matrix.mv(v))
        return out

    def remove(self, module: Module) -> None:
        """Make the weight a parameter again."""
        with no_grad():
            weight = self.compute_weight(module, False)
        delattr(module, self.name)
        for end in ("_u", "_v", "_orig"):
            delattr(module, self.name + end)
        module.register_parameter(self.name, Parameter(weight.detach()))

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module, module.training))


def spectral_norm(
    module: M, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> M:
    """Divide a weight by its largest singular value, estimated by power iteration in every training call.

    ``nn.utils.parametrizations.spectral_norm`` is the newer form.

    Args:
        module: what has the weight.
        name: its name.
        n_power_iterations: steps in each call.
        eps: smallest length that is divided by.
        dim: dimension of the outputs; 1 for transposed convolutions and else 0 unless given.

    Returns:
        ``module``.
    """
    for hook in module._forward_pre_hooks.values():
        if isinstance(hook, SpectralNorm) and hook.name == name:
            raise RuntimeError(f"Cannot register two spectral_norm hooks on the same parameter {name}")
    normalise = SpectralNorm(name, n_power_iterations, default_dim(module) if dim is None else dim, eps)
    weight = module._parameters[name]
    if weight is None:
        raise ValueError(f"`SpectralNorm` cannot be applied as parameter `{name}` is None")
    with no_grad():
        matrix = as_matrix(weight.detach(), normalise.dim)
        vectors = [F.normalize(weight.new_empty(size).normal_(0, 1), dim=0, eps=eps) for size in matrix.shape]
    del module._parameters[name]
    module.register_parameter(f"{name}_orig", weight)
    # a plain attribute until the first call
    setattr(module, name, weight.detach())
    module.register_buffer(f"{name}_u", vectors[0])
    module.register_buffer(f"{name}_v", vectors[1])
    module.register_forward_pre_hook(normalise)
    return module


def remove_spectral_norm(module: M, name: str = "weight") -> M:
    """Undo ``spectral_norm``; the weight stays as it is.

    Raises:
        ValueError: there is none.
    """
    for number, hook in module._forward_pre_hooks.items():
        if isinstance(hook, SpectralNorm) and hook.name == name:
            hook.remove(module)
            del module._forward_pre_hooks[number]
            return module
    raise ValueError(f"spectral_norm of {name!r} not found in {module}")
