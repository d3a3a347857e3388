"""Which name means what: one index for each kind, built at the first question and replaced as a whole."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any

from genesis._errors import AmbiguousNameError, PluginError, UnknownNameError
from genesis.plugin import _report
from genesis.plugin._contribution import Contribution, fold
from genesis.plugin._discovery import CORE_DISTRIBUTION, Plugin, declarations, discover, kinds_of
from genesis.plugin._index import Index, index_of
from genesis.plugin.specs import KINDS, Kind, Spec


class _State:
    """What the user has said, and the indexes that follow from it."""

    def __init__(self, isolated: bool = False) -> None:
        self.isolated = isolated
        self.registered: dict[str, tuple[object, tuple[Plugin, ...]]] = {}
        self.disabled: set[str] = set()
        self.preferred: dict[str, str] = {}
        self.indexes: dict[str, Index] = {}
        self.warned: set[tuple[str, str, str]] = set()


# One lock for all kinds: a plugin that is asked about one kind could otherwise wait for another thread that
# is asking about another kind and waits for it.
_lock = threading.RLock()
_state = _State()
_declaring: list[str] = []  # what the plugin that is declaring itself has asked for; only used under the lock
_building = False


def _refuse_while_declaring(request: str) -> None:
    if _building:  # we hold the lock, so this is the thread that builds
        _declaring.append(request)
        raise PluginError(
            f"a plugin may not ask for {request} while it declares itself; "
            "import it inside the function that needs it"
        )


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
        index = _state.indexes.get(self.kind.plural)
        if index is not None and not _building:
            return index
        with _lock:
            _refuse_while_declaring(request)
            state = _state
            index = state.indexes.get(self.kind.plural)
            news: list[Plugin] = []
            if index is None:
                index = _build(self.kind, state)
                state.indexes[self.kind.plural] = index  # only now can other threads see it, complete
                news = [p for p in index.plugins if p.status == "broken" and _is_news(p, state)]
        for plugin in news:  # after all else: a filter may turn a warning into an exception
            _report.warn(_report.broken(plugin))
        return index


def _is_news(plugin: Plugin, state: _State) -> bool:
    """Whether nothing was said yet of this module, which may serve several kinds."""
    key = (plugin.distribution, plugin.version, plugin.module)
    new = key not in state.warned
    state.warned.add(key)
    return new


def _fits(contribution: Contribution, pattern: str) -> bool:
    names = (str(contribution), contribution.name, *contribution.aliases)
    return any(fnmatchcase(name.casefold(), pattern.casefold()) for name in names)


def _build(kind: Kind, state: _State) -> Index:
    off = state.disabled | {fold(name) for name in _listed("GENESIS_DISABLE_PLUGINS")}
    plugins = [p for p in discover(kind) if p.builtin or not state.isolated]
    for plugin in plugins:
        if _is_off(plugin, off):
            plugin.status = "disabled"  # decided before anything of it is imported
        else:
            _declare(plugin)
    for _, registered in state.registered.values():
        for original in registered:
            if original.kind == kind.plural:
                plugin = _registered_plugin(
                    kind, original.name, original.module, original.version, original.specs
                )
                plugin.status = "disabled" if _is_off(plugin, off) else "ok"
                plugins.append(plugin)
    return index_of(plugins, state.preferred if state.isolated else {**_preferences(), **state.preferred})


def _listed(variable: str) -> list[str]:
    return [item.strip() for item in os.environ.get(variable, "").split(",") if item.strip()]


def _preferences() -> dict[str, str]:
    chosen = {}
    for item in _listed("GENESIS_PREFER"):
        name, equals, distribution = (part.strip() for part in item.partition("="))
        if not (name and equals and distribution):
            raise ValueError(
                f"GENESIS_PREFER should read NAME=DISTRIBUTION, separated by commas; got {item!r}"
            )
        chosen[fold(name)] = distribution
    return chosen


def _is_off(plugin: Plugin, off: set[str]) -> bool:
    return bool({fold(plugin.distribution), fold(plugin.name)} & off) or ("*" in off and not plugin.builtin)


def _declare(plugin: Plugin) -> None:
    global _building
    _building = True
    _declaring.clear()
    try:
        plugin.declare()
        if _declaring:  # it was refused, and has swallowed the refusal
            raise PluginError(f"it asked for {_declaring[0]} while it declared itself")
        plugin.status = "ok"
    except (Exception, SystemExit) as error:  # a module may call sys.exit() when it is imported
        plugin.status, plugin.error, plugin.specs = "broken", error, ()
        if _declaring and not isinstance(error, PluginError):
            # `from genesis.optim import LambdaLR` reports "cannot import name" and loses our reason.
            plugin.error = PluginError(
                f"it asked for {_declaring[0]} while it declared itself; "
                "import it inside the function that needs it"
            )
            plugin.error.__cause__ = error
        if _report.strict_mode():
            raise PluginError(_report.broken(plugin)) from error
    finally:
        _building = False


def _registered_plugin(
    kind: Kind, name: str, module: str, version: str, declared: tuple[Spec, ...]
) -> Plugin:
    plugin = Plugin(kind.plural, name, module, distribution=name, version=version)
    plugin.specs = declared
    return plugin


_registries = {plural: Registry(kind) for plural, kind in KINDS.items()}


def registry(kind: str) -> Registry:
    """Return the registry of `"backends"`, `"optimizers"` or `"schedulers"`."""
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


def register(plugin: object, name: str | None = None) -> str:
    """Add a plugin that is not installed: a module or any object with functions marked `@hookimpl`.

    Args:
        plugin: The object; its hooks are asked at once.
        name: What it is called in listings and in qualified names; by default the name of the module or of
            the class.

    Returns:
        The name. Registering the same object again asks it again.

    Raises:
        PluginError: It has no hook, or declares something wrong.
        ValueError: The name is taken by another object.

    Example:
        `genesis.plugin.register(my_module); genesis.optim.create_scheduler("MySchedule", optimizer)`
    """
    global _building
    chosen = name or getattr(plugin, "__name__", None) or type(plugin).__name__
    if fold(chosen) == fold(CORE_DISTRIBUTION) or not set(chosen).isdisjoint(":,= "):
        raise ValueError(
            f"a plugin cannot be called {chosen!r}; choose a name without ':', ',', '=' and spaces"
        )
    with _lock:
        _refuse_while_declaring("registration")
        if chosen in _state.registered and _state.registered[chosen][0] is not plugin:
            raise ValueError(
                f"a plugin named {chosen!r} is registered already; "
                f"call genesis.plugin.unregister({chosen!r}) first, or give this one another name"
            )
        _building = True
        _declaring.clear()
        try:
            kinds = kinds_of(plugin)
            if not kinds:
                hooks = ", ".join(kind.hook for kind in KINDS.values())
                raise PluginError(f"{plugin!r} has no function marked @hookimpl; the hooks are {hooks}")
            version = str(getattr(plugin, "__version__", ""))
            plugins = tuple(
                _registered_plugin(kind, chosen, repr(plugin), version, declarations(plugin, kind))
                for kind in kinds
            )
        finally:
            _building = False
        _state.registered[chosen] = (plugin, plugins)
        _state.indexes = {}
    return chosen


def unregister(plugin: object) -> None:
    """Remove a plugin that was added by `register`.

    Args:
        plugin: The object, or the name that `register` returned.

    Raises:
        UnknownNameError: It is not registered.
    """
    with _lock:
        _refuse_while_declaring("a change of the plugins")
        names = [name for name, (known, _) in _state.registered.items() if known is plugin or name == plugin]
        if not names:
            known_names = ", ".join(_state.registered) or "none"
            raise UnknownNameError(f"no plugin {plugin!r} is registered; those registered are: {known_names}")
        for name in names:
            del _state.registered[name]
        _state.indexes = {}


def disable(*names: str) -> None:
    """Leave plugins out, for the rest of the process or of an `isolated` block. They are never imported.

    Args:
        *names: Names of distributions or of plugins; `"*"` is everything but what is built in. One that is
            not installed is no error.

    The environment variable GENESIS_DISABLE_PLUGINS, a list separated by commas, does the same from outside.
    """
    _change_state(disabled=names)


def prefer(name: str, distribution: str) -> None:
    """Choose who supplies a name, for the rest of the process or of an `isolated` block.

    Args:
        name: The bare name of a device, an optimizer or a schedule.
        distribution: Who should supply it. This is the only way in which a built-in can be replaced.

    The environment variable GENESIS_PREFER, such as "WSD=acme-schedules,AdamW=fast-adam", does the same from
    outside.

    Example:
        `genesis.plugin.prefer("AdamW", "fast-adam")`
    """
    _change_state(preferred={fold(name): distribution})


def _change_state(disabled: Iterable[str] = (), preferred: Mapping[str, str] = MappingProxyType({})) -> None:
    with _lock:
        _refuse_while_declaring("a change of the plugins")
        _state.disabled |= {fold(name) for name in disabled}
        _state.preferred |= preferred
        _state.indexes = {}


def refresh() -> None:
    """Look for plugins again at the next question, after one was installed, repaired or removed."""
    import importlib

    with _lock:
        _refuse_while_declaring("a refresh")
        importlib.invalidate_caches()
        _state.indexes = {}
        _state.warned = set()


@contextmanager
def isolated() -> Iterator[None]:
    """Know nothing but what is built in and what is registered inside; restore everything on leaving.

    For tests. It holds for all threads, as the registry does. GENESIS_DISABLE_PLUGINS is still heard,
    GENESIS_PREFER and earlier calls of `register`, `disable` and `prefer` are not.

    Example:
        `with genesis.plugin.isolated(): genesis.plugin.register(my_module); ...`
    """
    global _state
    with _lock:
        _refuse_while_declaring("isolation")
        outer, _state = _state, _State(isolated=True)
    try:
        yield
    finally:
        with _lock:
            _state = outer
