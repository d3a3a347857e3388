"""Modules whose attributes are what plugins declare."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from genesis._errors import GenesisError, UnknownNameError
from genesis._lazy import attach

if TYPE_CHECKING:
    from genesis.plugin import Contribution


class Namespace:
    """The attributes of a module: some names of its own, and all that plugins declare of some kinds.

    Args:
        module: The module's `__name__`.
        own: Its own names, as `genesis._lazy.attach` takes them.
        kinds: The registries to ask for all other names.

    A name of a plugin has to be written as it is declared: looser spellings are for the functions that take
    a name as a string. Nothing is stored in the module, because the user may change who supplies a name.
    """

    def __init__(self, module: str, own: Mapping[str, str], kinds: tuple[str, ...]) -> None:
        self.module = module
        self.own = own
        self.kinds = kinds
        self._own_attribute = attach(module, own)[0]

    def getattr(self, name: str) -> Any:
        """Return an attribute: the module's `__getattr__`.

        Raises:
            AttributeError: Always this, also when a plugin fails: `hasattr`, `inspect` and `pickle` rely on
                it.
        """
        if name in self.own:
            return self._own_attribute(name)
        if name == "__all__":
            return self.names()
        if name.startswith("_"):  # Python asks modules for __path__ and the like
            raise AttributeError(f"module {self.module!r} has no attribute {name!r}")
        try:
            return self._declared(name)
        except (GenesisError, Warning) as error:  # a Warning where a filter turns warnings into exceptions
            from genesis._missing import hint

            plain = f"module {self.module!r} has no attribute {name!r}"
            known = hint(self.module.partition(".")[2], name) if isinstance(error, UnknownNameError) else ""
            raise AttributeError(f"{known or plain}: {error}") from error

    def dir(self) -> list[str]:
        """Return the names of the attributes, importing none of them: the module's `__dir__`."""
        private = (name for name in vars(sys.modules[self.module]) if name.startswith("_"))
        return sorted({*private, *self.names()})

    def names(self) -> list[str]:
        """Return the public names: the module's `__all__`."""
        from genesis.plugin import registry

        declared = (c for kind in self.kinds for c in registry(kind).contributions() if c.status == "ok")
        return sorted({*self.own, *(name for c in declared for name in c.identifiers)})

    def _declared(self, name: str) -> Any:
        from genesis.plugin import AmbiguousNameError, PluginError, UnknownNameError, _report, registry

        registries = [registry(kind) for kind in self.kinds]
        found: list[Contribution] = []
        for each in registries:
            with suppress(UnknownNameError):
                found.append(each.find(name))
        found = [c for c in found if name in c.identifiers]
        if len(found) > 1:
            owners = " and ".join(f"the {registry(c.kind).kind.noun} of {c.origin}" for c in found)
            raise AmbiguousNameError(f"it may be {owners}; create it by name")
        if not found:
            plugins = [plugin for each in registries for plugin in each.plugins()]
            raise UnknownNameError(_report.missing_attribute(name, self.names(), plugins))
        try:
            return found[0].load()
        except PluginError as error:
            # `from genesis.optim import WSD` would say "cannot import name 'WSD'" and nothing of the reason.
            _report.warn(str(error))
            raise
