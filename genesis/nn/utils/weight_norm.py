"""Weight normalisation by a hook: ``w = g v / ‖v‖`` (Salimans and Kingma 2016, arXiv:1602.07868)."""

from __future__ import annotations

import warnings
from typing import Any, TypeVar

from genesis._tensor import Tensor
from genesis.nn.module import Module
from genesis.nn.parameter import Parameter

__all__ = ["WeightNorm", "remove_weight_norm", "weight_norm"]

M = TypeVar("M", bound=Module)


def norm_except_dim(v: Tensor, dim: int | None) -> Tensor:
    """Norms of the slices of ``v`` along ``dim``, the other dimensions 1; of all of it for None or -1."""
    if dim is None or dim == -1:
        return v.norm()
    others = tuple(i for i in range(v.dim()) if i != dim % v.dim())
    return v.norm(2, others, keepdim=True) if others else v.abs()


class WeightNorm:
    """The hook: before every call it computes the weight from ``weight_g`` and ``weight_v``."""

    name: str
    dim: int

    def __init__(self, name: str, dim: int | None) -> None:
        self.name, self.dim = name, -1 if dim is None else dim

    def compute_weight(self, module: Module) -> Tensor:
        """``g v / ‖v‖``."""
        g, v = getattr(module, f"{self.name}_g"), getattr(module, f"{self.name}_v")
        out: Tensor = v * (g / norm_except_dim(v, self.dim))
        return out

    def remove(self, module: Module) -> None:
        """Make the weight a parameter again."""
        weight = self.compute_weight(module)
        delattr(module, self.name)
        del module._parameters[f"{self.name}_g"]
        del module._parameters[f"{self.name}_v"]
        setattr(module, self.name, Parameter(weight.detach()))

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Split a weight into its length ``weight_g`` and direction ``weight_v``.

    ``nn.utils.parametrizations.weight_norm`` is the newer form.

    Args:
        module: what has the weight.
        name: its name.
        dim: a length for each slice along it; None for one length.

    Returns:
        ``module``.

    Raises:
        RuntimeError: the weight is normalised already.
    """
    warnings.warn(
        "nn.utils.weight_norm is deprecated in favor of nn.utils.parametrizations.weight_norm",
        FutureWarning,
        stacklevel=2,
    )
    for hook in module._forward_pre_hooks.values():
        if isinstance(hook, WeightNorm) and hook.name == name:
            raise RuntimeError(f"Cannot register two weight_norm hooks on the same parameter {name}")
    normalise = WeightNorm(name, dim)
    weight = getattr(module, name)
    del module._parameters[name]
    module.register_parameter(f"{name}_g", Parameter(norm_except_dim(weight.detach(), normalise.dim)))
    module.register_parameter(f"{name}_v", Parameter(weight.detach()))
    setattr(module, name, normalise.compute_weight(module))
    module.register_forward_pre_hook(normalise)
    return module


def remove_weight_norm(module: M, name: str = "weight") -> M:
    """Undo ``weight_norm``; the weight stays as it is.

    Raises:
        ValueError: there is none.
    """
    for number, hook in module._forward_pre_hooks.items():
        if isinstance(hook, WeightNorm) and hook.name == name:
            hook.remove(module)
            del module._forward_pre_hooks[number]
            return module
    raise ValueError(f"weight_norm of {name!r} not found in {module}")
