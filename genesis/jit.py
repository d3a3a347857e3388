"""``torch.jit`` for scripts that compile parts of themselves: everything runs as it is written.

Decorators return what they decorate, ``script`` and ``trace`` what they are given.  Files of compiled models
are neither written nor read.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any, Final, TypeVar

from genesis._lazy import missing
from genesis.nn.module import Module

__all__ = [
    "Final",
    "ScriptModule",
    "annotate",
    "export",
    "freeze",
    "ignore",
    "interface",
    "is_scripting",
    "is_tracing",
    "isinstance",
    "optimize_for_inference",
    "script",
    "script_if_tracing",
    "script_method",
    "trace",
    "trace_module",
    "unused",
]

T = TypeVar("T")


class ScriptModule(Module):
    """A base class for modules written for the compiler; no other module is an instance of it."""


def script(obj: T, *options: Any, **named: Any) -> T:
    """Return the module, function or class as it is."""
    return obj


def trace(func: T, example_inputs: Any = None, *options: Any, **named: Any) -> T:
    """Return the module or function as it is; it is not called."""
    return func


def trace_module(mod: T, inputs: Any, *options: Any, **named: Any) -> T:
    """Return the module as it is; its methods are not called."""
    return mod


def ignore(drop: Any = False, **options: Any) -> Any:
    """Decorate a function, as ``@ignore`` or ``@ignore(drop=True)``: it stays as it is."""
    return drop if callable(drop) else unused


def unused(fn: T) -> T:
    """Return the function as it is."""
    return fn


def export(fn: T) -> T:
    """Return the function as it is."""
    return fn


def interface(obj: T) -> T:
    """Return the class as it is."""
    return obj


def script_method(fn: T) -> T:
    """Return the method as it is."""
    return fn


def script_if_tracing(fn: T) -> T:
    """Return the function as it is: nothing is traced."""
    return fn


def freeze(mod: T, *options: Any, **named: Any) -> T:
    """Return the module as it is."""
    return mod


def optimize_for_inference(mod: T, *options: Any, **named: Any) -> T:
    """Return the module as it is."""
    return mod


def annotate(the_type: Any, the_value: T) -> T:
    """Return the value."""
    return the_value


def isinstance(obj: Any, target_type: Any) -> bool:
    """Python's, also for types with parameters, whose parameters are not looked at."""
    kinds = target_type if builtins.isinstance(target_type, tuple) else (target_type,)
    plain: tuple[Any, ...] = tuple(getattr(kind, "__origin__", kind) for kind in kinds)
    return builtins.isinstance(obj, plain)


def is_scripting() -> bool:
    """False."""
    return False


def is_tracing() -> bool:
    """False."""
    return False


TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__: Callable[[str], object] = missing(__name__)
    __path__: list[str] = []  # a package to Python: for a name that is not here it asks genesis._lazy.Finder
