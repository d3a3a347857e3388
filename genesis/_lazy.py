"""Public names that are imported when they are first used (PEP 562)."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def attach(
    module_name: str, table: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """Return `__getattr__`, `__dir__` and `__all__` for a module whose public names are lazy.

    Args:
        module_name: The module itself, that is `__name__`.
        table: Maps a public name to `"package.module:attribute"`, or to `"package.module"` for a whole
            module.

    A value is stored in the module's globals when it is first used, so only the first use costs anything.
    An unknown name raises `AttributeError`; an import error of a target is raised as it is.

    Example:
        `__getattr__, __dir__, __all__ = attach(__name__, {"Linear": "genesis.nn.layers.linear:Linear"})`
    """

    def __getattr__(name: str) -> object:
        target = table.get(name)
        if target is None:
            raise AttributeError(
                f"module {module_name!r} has no attribute {name!r}{_suggestion(name, table)}"
            )
        from importlib import import_module  # not at the top: `import genesis` should need nothing but sys

        path, _, attribute = target.partition(":")
        value: object = import_module(path)
        if attribute:
            value = getattr(value, attribute)
        setattr(sys.modules[module_name], name, value)
        return value

    def __dir__() -> list[str]:
        return sorted({*vars(sys.modules[module_name]), *table})

    return __getattr__, __dir__, sorted(table)


def _suggestion(name: str, table: Mapping[str, str]) -> str:
    if name.startswith("_"):  # Python itself probes __path__, __wrapped__ and the like, often
        return ""
    from difflib import get_close_matches

    near = get_close_matches(name, table, 1)
    return f"; did you mean {near[0]!r}?" if near else ""
