"""Modules as functions of their parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genesis.ops.joining import stack


def stack_module_state(models: Sequence[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters and the buffers of several models of the same kind, stacked along a new first axis.

    Args:
        models: in the same mode, with parameters of the same names and shapes.

    Returns:
        ``(parameters, buffers)``; the stacked parameters are leaves that require a gradient.
    """
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if len({m.training for m in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to have the same training/eval mode.")
    if len({type(m) for m in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")
    names = [dict(m.named_parameters()) for m in models]
    parameters = {
        n: stack([p[n].detach() for p in names]).requires_grad_(names[0][n].requires_grad) for n in names[0]
    }
    others = [dict(m.named_buffers()) for m in models]
    return parameters, {n: stack([b[n] for b in others]) for n in others[0]}
