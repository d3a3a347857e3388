"""Which name means what: one index for each kind, built at the first question and replaced as a whole."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from genesis._errors import AmbiguousNameError, PluginError, UnknownNameError
from genesis.plugin import _report, _state
from genesis.plugin._contribution import Contribution, fold
from genesis.plugin._discovery import Plugin, discover, hooks_of, refuse_while_declaring
from genesis.plugin._index import Index, index_of
from genesis.plugin._mistakes import misspelt
from genesis.plugin.specs import KINDS, Kind

# Milliseconds. A declaration takes 1 to 5 of them; even on a busy machine this many mean heavy imports.
_SLOW = 500.0


class Registry:
    """The names of one kind. All registries share what the user has registered, disabled and preferred."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind

    def contributions(self, pattern: str | None = None) -> list[Contribution]:
        """Return what there is, sorted by name, without importing any of it.

        Args:
            pattern: Keep only those with a name or an alias that fits this glob, case aside, such as
                `"cosine*"`.
        """
        found = self._index(f"the {self.kind.plural}").contributions
        return [c for c in found if pattern is None or _fits(c, pattern)]

    def plugins(self) -> list[Plugin]:
        """Return the plugins of this kind, also the broken and the disabled ones."""
        return list(self._index(f"the {self.kind.plural}").plugins)

    def find(self, name: str) -> Contribution:
        """Return the contribution that a name means, without importing it.

        Args:
            name: A name or an alias, in any case and with or without `-` and `_`, or `"distribution:Name"`.

        Raises:
            UnknownNameError: Nothing has this name, or the distribution that the user prefers does not
                supply it.
            AmbiguousNameError: Several distributions supply it and the user has not chosen.
        """
        if not isinstance(name, str):
            raise TypeError(f"the name of a {self.kind.noun} should be a string, got {type(name).__name__}")
        index = self._index(repr(str(name)))
        key = fold(name)
        meanings = index.meanings.get(key, ())
        if key in index.unmet:
            raise UnknownNameError(_report.unmet_preference(self.kind, str(name), index.unmet[key], meanings))
        if len(meanings) > 1:
            raise AmbiguousNameError(_report.ambiguous(self.kind, str(name), meanings))
        if not meanings:
            raise UnknownNameError(_report.unknown(self.kind, str(name), index.contributions, index.plugins))
        return meanings[0]

    def resolve(self, name: str) -> Any:
        """Import what a name means and return it.

        Raises:
            UnknownNameError, AmbiguousNameError: See `find`.
            PluginError: It is declared, but cannot be imported.
        """
        return self.find(name).load()

    def _index(self, request: str) -> Index:
        refuse_while_declaring(request)
        state = _state.current()
        indexes = state.indexes  # a change of the state puts another dict in its place
        index = indexes.get(self.kind.plural)
        if index is None:
            # No lock is held while plugins run: one of them may wait for a thread that waits for us. Threads
            # that come at the same time build an index each, and the first complete one is everybody's.
            built = _build(self.kind, state)
            index = indexes.setdefault(self.kind.plural, built)
            if index is built:
                self._report(index, state)
        return index

    def _report(self, index: Index, state: _state.State) -> None:
        """Say what the user should know, once. Where warnings are errors, the index is there already."""
        for plugin in index.plugins:
            if plugin.status == "disabled":
                continue
            if plugin.status == "broken":
                text = _report.broken(plugin)
            elif plugin.deprecated:
                text = _report.deprecated(plugin)
            elif plugin.milliseconds > _SLOW:
                text = _report.slow(plugin)
            else:
                continue
            if state.is_news(plugin):
                _report.warn(text)
        for mistake, text in misspelt(self.kind, index, state):
            if mistake not in state.warned:
                state.warned.add(mistake)
                _report.warn(text)


def _fits(contribution: Contribution, pattern: str) -> bool:
    names = (str(contribution), contribution.name, *contribution.aliases)
    return any(fnmatchcase(name.casefold(), pattern.casefold()) for name in names)


def _build(kind: Kind, state: _state.State) -> Index:
    off = state.all_disabled()
    preferred = state.all_preferred()
    plugins = [plugin for plugin in discover(kind, state.indexes) if plugin.builtin or not state.isolated]
    for plugin in plugins:
        if plugin.is_any_of(off):
            plugin.status = "disabled"  # decided before anything of it is imported
        else:
            _declare(plugin)
    for plugin in state.registered_plugins(kind):
        plugin.status = "disabled" if plugin.is_any_of(off) else "ok"
        plugin.deprecated = hooks_of(state.registered[plugin.name].plugin).deprecated
        plugins.append(plugin)
    return index_of(plugins, preferred)


def _declare(plugin: Plugin) -> None:
    try:
        plugin.declare()
        plugin.status = "ok"
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a module may call sys.exit(); an extension in Rust may panic
        plugin.status, plugin.error = "broken", error
        if _report.strict_mode():
            raise PluginError(_report.broken(plugin)) from error


_registries = {plural: Registry(kind) for plural, kind in KINDS.items()}


def registry(kind: str) -> Registry:
    """Return the registry of a kind, such as `"backends"` or `"schedulers"`."""
    try:
        return _registries[kind]
    except KeyError:
        raise UnknownNameError(
            f"there is no registry {kind!r}; the kinds are {', '.join(_registries)}"
        ) from None


def list_backends(pattern: str | None = None) -> list[Contribution]:
    """Return the devices that are declared, sorted by name, without importing any.

    Args:
        pattern: Keep only those with a name or an alias that fits this glob, case aside.

    Example:
        `"cpu" in genesis.list_backends()`
    """
    return registry("backends").contributions(pattern)


def list_communicators(pattern: str | None = None) -> list[Contribution]:
    """Return the communicators that are declared, sorted by name, without importing any.

    Args:
        pattern: Keep only those with a name or an alias that fits this glob, case aside.

    Example:
        `"mpi" in genesis.list_communicators()`
    """
    return registry("communicators").contributions(pattern)


def list_kernels(pattern: str | None = None) -> list[Contribution]:
    """Return the kernels that plugins offer for devices, such as `"cpu:softmax"`, without importing any.

    Args:
        pattern: Keep only those with a name that fits this glob, case aside, such as `"cpu:*"`.

    Example:
        `[k.distribution for k in genesis.plugin.list_kernels("cpu:*")]`
    """
    return registry("kernels").contributions(pattern)


def list_optimizers(pattern: str | None = None) -> list[Contribution]:
    """Return the optimizers that are declared, sorted by name, without importing any.

    Args:
        pattern: Keep only those with a name or an alias that fits this glob, case aside.

    Example:
        `genesis.list_optimizers("adam*")`
    """
    return registry("optimizers").contributions(pattern)


def list_schedulers(pattern: str | None = None) -> list[Contribution]:
    """Return the learning-rate schedules that are declared, sorted by name, without importing any.

    Args:
        pattern: Keep only those with a name or an alias that fits this glob, case aside.

    Example:
        `for s in genesis.list_schedulers("*cosine*"): print(s, s.distribution, s.summary)`
    """
    return registry("schedulers").contributions(pattern)


def list_plugins() -> list[Plugin]:
    """Return every plugin once for each kind it serves, also the broken and the disabled ones."""
    return [plugin for each in _registries.values() for plugin in each.plugins()]
