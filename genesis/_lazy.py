"""Public names that are imported when they are first used (PEP 562)."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


def attach(
    module_name: str, table: Mapping[str, str], through: Callable[[str, str, object], object] | None = None
) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """Return `__getattr__`, `__dir__` and `__all__` for a module whose public names are lazy.

    Args:
        module_name: The module itself, that is `__name__`.
        table: Maps a public name to `"package.module:attribute"`, or to `"package.module"` for a whole
            module.
        through: Given a name, its module and its value, returns what people get under this name.

    A value is stored in the module's globals when it is first used, so only the first use costs anything.
    An unknown name raises `AttributeError` with a hint; an import error of a target is raised as it is.

    Example:
        `__getattr__, __dir__, __all__ = attach(__name__, {"Linear": "genesis.nn.layers.linear:Linear"})`
    """

    def __getattr__(name: str) -> object:
        target = table.get(name)
        if target is None:
            raise no_attribute(module_name, name, table)
        from importlib import import_module  # not at the top: `import genesis` should need nothing but sys

        path, _, attribute = target.partition(":")
        value: object = import_module(path)
        if attribute:
            value = getattr(value, attribute)
        if through is not None:
            value = through(name, path, value)
        setattr(sys.modules[module_name], name, value)
        return value

    def __dir__() -> list[str]:
        return sorted({*vars(sys.modules[module_name]), *table})

    return __getattr__, __dir__, sorted(table)


def missing(module_name: str) -> Callable[[str], object]:
    """Return a `__getattr__` for a module that is not lazy: it raises `AttributeError` with a hint.

    Example:
        `if not TYPE_CHECKING: __getattr__ = missing(__name__)`, for a type checker would believe anything
    """

    def __getattr__(name: str) -> object:
        raise no_attribute(module_name, name, vars(sys.modules[module_name]))

    return __getattr__


def no_attribute(module_name: str, name: str, known: Iterable[str]) -> AttributeError:
    """Return the error for a name that a module does not have."""
    from genesis._missing import explain

    return AttributeError(explain(module_name, name, known))


class Finder:
    """The last in `sys.meta_path`: says about `import genesis.fft` what `genesis.fft` would say."""

    @staticmethod
    def find_spec(fullname: str, path: object = None, target: object = None) -> None:
        """Raise with a hint for a name of ours that is imported; find nothing.

        Raises:
            ModuleNotFoundError: Genesis has no such module or name.
        """
        parent, _, name = fullname.rpartition(".")
        if not fullname.startswith("genesis.") or name.startswith("_"):
            return
        if sys._getframe(2).f_code.co_name != "_find_and_load_unlocked":
            return  # somebody asks whether there is such a module, and imports nothing
        try:
            getattr(sys.modules[parent], name)
        except AttributeError as error:
            # The name is the parent's: with its own, Python would take it for a submodule that need not be
            # there, and say less.
            raise ModuleNotFoundError(str(error), name=parent) from None
