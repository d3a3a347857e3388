"""Layers whose parameters are not filled."""

from __future__ import annotations

import inspect
from typing import Any, TypeVar

from genesis.nn.module import Module

__all__ = ["skip_init"]

M = TypeVar("M", bound=Module)


def skip_init(module_cls: type[M], *args: Any, **kwargs: Any) -> M:
    """Make a layer whose parameters have no particular values, for code that loads others at once.

    Args:
        module_cls: the class of the layer; its constructor takes ``device``.
        *args, **kwargs: of its constructor.

    Raises:
        RuntimeError: it is no module, or takes no ``device``.
    """
    if not issubclass(module_cls, Module):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    device = kwargs.get("device")
    module: M = module_cls(*args, **kwargs)
    return module.to_empty(device=device)
