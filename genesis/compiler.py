"""``torch.compiler`` for scripts that speak to the compiler: there is none, all runs as it is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from genesis._lazy import missing
from genesis._settings import compile

__all__ = [
    "allow_in_graph",
    "compile",
    "cudagraph_mark_step_begin",
    "disable",
    "is_compiling",
    "is_dynamo_compiling",
    "is_exporting",
    "reset",
    "set_stance",
]


def disable(fn: Any = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """Return the function as it is; also as ``@disable`` and ``@disable(recursive=False)``."""
    return (lambda function: function) if fn is None else fn


def allow_in_graph(fn: Any) -> Any:
    """Return the function as it is."""
    return fn


def is_compiling() -> bool:
    """False."""
    return False


def is_dynamo_compiling() -> bool:
    """False."""
    return False


def is_exporting() -> bool:
    """False."""
    return False


def reset() -> None:
    """Do nothing: there is nothing compiled to forget."""


def cudagraph_mark_step_begin() -> None:
    """Do nothing."""


class set_stance:
    """Change nothing, as a call, a context or a decorator."""

    def __init__(self, stance: str = "default", **options: Any) -> None:
        self.stance = stance

    def __enter__(self) -> None:
        return None

    def __exit__(self, *error: object) -> None:
        return None

    def __call__(self, fn: Any) -> Any:
        return fn


TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__: Callable[[str], object] = missing(__name__)
    __path__: list[str] = []  # a package to Python: for a name that is not here it asks genesis._lazy.Finder
