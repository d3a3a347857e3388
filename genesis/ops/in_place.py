"""Methods in place as functions, for ``genesis.exp_(x)``."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    from genesis._tensor import Tensor

    if name.endswith("_") and not name.startswith("_"):
        return getattr(Tensor, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
