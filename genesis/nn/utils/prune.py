"""Pruning: weights that are held at zero by a mask.

A pruned parameter ``weight`` becomes ``weight_orig`` (trained) and the buffer ``weight_mask``; a hook
computes ``weight`` from them before every call.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from genesis import cat, ones_like
from genesis._tensor import Tensor
from genesis.nn.module import Module
from genesis.nn.utils._pruning import (
    BasePruningMethod,
    CustomFromMask,
    Identity,
    L1Unstructured,
    LnStructured,
    PruningContainer,
    RandomStructured,
    RandomUnstructured,
    pruning_hooks,
)

__all__ = [
    "BasePruningMethod",
    "CustomFromMask",
    "Identity",
    "L1Unstructured",
    "LnStructured",
    "PruningContainer",
    "RandomStructured",
    "RandomUnstructured",
    "custom_from_mask",
    "global_unstructured",
    "identity",
    "is_pruned",
    "l1_unstructured",
    "ln_structured",
    "random_structured",
    "random_unstructured",
    "remove",
]


# -- as functions ------------------------------------------------------------------------------------------
def identity(module: Module, name: str) -> Module:
    """Give ``module.<name>`` a mask of ones; returns the module, as the functions below do."""
    Identity.apply(module, name)
    return module


def random_unstructured(module: Module, name: str, amount: float) -> Module:
    """Prune ``amount`` (a number or a share) of the elements, drawn at random."""
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(
    module: Module, name: str, amount: float, importance_scores: Tensor | None = None
) -> Module:
    """Prune ``amount`` of the elements, those of the smallest absolute values (or scores)."""
    L1Unstructured.apply(module, name, amount, importance_scores=importance_scores)
    return module


def random_structured(module: Module, name: str, amount: float, dim: int) -> Module:
    """Prune ``amount`` of the slices along ``dim``, drawn at random."""
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(
    module: Module, name: str, amount: float, n: Any, dim: int, importance_scores: Tensor | None = None
) -> Module:
    """Prune ``amount`` of the slices along ``dim``, those of the smallest ``n``-norms."""
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: Module, name: str, mask: Tensor) -> Module:
    """Prune where ``mask`` is 0."""
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(
    parameters: Iterable[tuple[Module, str]],
    pruning_method: type[BasePruningMethod],
    importance_scores: Mapping[tuple[Module, str], Tensor] | None = None,
    **kwargs: Any,
) -> None:
    """Prune several tensors as if they were one.

    Args:
        parameters: pairs (module, name).
        pruning_method: an unstructured method.
        importance_scores: scores in place of some of the tensors.
        **kwargs: of the method: ``amount``.
    """
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured(): parameters is not an Iterable")
    pairs = list(parameters)
    scores = {} if importance_scores is None else importance_scores
    if not isinstance(scores, Mapping):
        raise TypeError("global_unstructured(): importance_scores must be of type dict")
    method = pruning_method(**kwargs)
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method '
            f"{pruning_method} of type {method.PRUNING_TYPE}"
        )
    tensors = [getattr(module, name) for module, name in pairs]
    flat, masks = [], []
    for pair, tensor in zip(pairs, tensors, strict=True):
        module, name = pair
        flat.append(scores.get(pair, tensor).detach().reshape(-1))
        masks.append(getattr(module, f"{name}_mask", ones_like(tensor.detach())).reshape(-1))
    container = PruningContainer()
    container._tensor_name = method._tensor_name = "temp"
    container.add_pruning_method(method)
    final = container.compute_mask(cat(flat), cat(masks))
    start = 0
    for (module, name), tensor in zip(pairs, tensors, strict=True):
        end = start + tensor.numel()
        custom_from_mask(module, name, final[start:end].reshape(tensor.shape))
        start = end


def remove(module: Module, name: str) -> Module:
    """Make a pruned tensor an ordinary parameter; what was pruned is zero, but may be trained again.

    Raises:
        ValueError: it is not pruned.
    """
    found = pruning_hooks(module, name)
    if not found:
        raise ValueError(
            f"Parameter {name!r} of module {module} has to be pruned before pruning can be removed"
        )
    number, hook = found[0]
    hook.remove(module)
    del module._forward_pre_hooks[number]
    return module


def is_pruned(module: Module) -> bool:
    """True when a tensor of the module, or of one below it, is pruned."""
    return any(
        isinstance(hook, BasePruningMethod)
        for each in module.modules()
        for hook in each._forward_pre_hooks.values()
    )
