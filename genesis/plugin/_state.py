"""What the user has said about plugins, by calls and by environment variables."""

from __future__ import annotations

import importlib
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from genesis._errors import GenesisError, PluginError, UnknownNameError
from genesis.plugin._contribution import fold
from genesis.plugin._discovery import (
    CORE_DISTRIBUTION,
    Plugin,
    asking,
    declarations,
    kinds_of,
    refuse_while_declaring,
)
from genesis.plugin._index import Index
from genesis.plugin.specs import KINDS, Kind, Spec


class Registered(NamedTuple):
    """A plugin that was registered at run time, and what it has declared of each kind."""

    plugin: object
    version: str
    declared: Mapping[str, tuple[Spec, ...]]


class State:
    """What the user has said, and the indexes that follow from it.

    A change puts a new container in the place of the old one, and new indexes last: who reads at the same
    time sees the state before or after, or builds an index that nobody else will see.
    """

    def __init__(self, isolated: bool = False) -> None:
        self.isolated = isolated
        self.registered: Mapping[str, Registered] = {}
        self.disabled: frozenset[str] = frozenset()
        self.preferred: Mapping[str, str] = {}
        self.indexes: dict[str, Index] = {}
        self.warned: set[tuple[str, str, str]] = set()

    def all_disabled(self) -> frozenset[str]:
        """Return the folded names of what is disabled, here or by GENESIS_DISABLE_PLUGINS."""
        return self.disabled | {fold(name) for name in _listed("GENESIS_DISABLE_PLUGINS")}

    def all_preferred(self) -> Mapping[str, str]:
        """Return who should supply which folded name, as said here or by GENESIS_PREFER."""
        if self.isolated:
            return self.preferred
        chosen = {}
        for item in _listed("GENESIS_PREFER"):
            name, equals, distribution = (part.strip() for part in item.partition("="))
            if not (name and equals and distribution):
                raise GenesisError(
                    f"GENESIS_PREFER should read NAME=DISTRIBUTION, separated by commas; got {item!r}"
                )
            chosen[fold(name)] = distribution
        return {**chosen, **self.preferred}

    def registered_plugins(self, kind: Kind) -> Iterator[Plugin]:
        """Make a record of every registered plugin that adds something of this kind."""
        for name, entry in self.registered.items():
            if kind.plural in entry.declared:
                plugin = Plugin(
                    kind.plural, name, repr(entry.plugin), distribution=name, version=entry.version
                )
                plugin.specs = entry.declared[kind.plural]
                yield plugin

    def is_news(self, plugin: Plugin) -> bool:
        """Whether nothing was said yet of this plugin's module, which may serve several kinds."""
        key = (plugin.distribution, plugin.version, plugin.module)
        with _lock:
            new = key not in self.warned
            self.warned.add(key)
        return new


def _listed(variable: str) -> list[str]:
    return [item.strip() for item in os.environ.get(variable, "").split(",") if item.strip()]


_lock = threading.Lock()  # for changes; never held while a plugin runs
_listeners: list[Callable[[], None]] = []
_current = State()


def current() -> State:
    """Return the state that holds now."""
    return _current


def when_changed(listener: Callable[[], None]) -> None:
    """Call a function after every change, for what was derived from the registry and kept."""
    _listeners.append(listener)


def _tell() -> None:
    for listener in _listeners:
        listener()


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
    chosen = name or getattr(plugin, "__name__", None) or type(plugin).__name__
    if fold(chosen) == fold(CORE_DISTRIBUTION) or not set(chosen).isdisjoint(":,= "):
        raise ValueError(
            f"a plugin cannot be called {chosen!r}; choose a name without ':', ',', '=' and spaces"
        )
    refuse_while_declaring("registration")
    with asking():
        kinds = kinds_of(plugin)
        declared = {kind.plural: declarations(plugin, kind) for kind in kinds}
    if not kinds:
        hooks = ", ".join(kind.hook for kind in KINDS.values())
        raise PluginError(f"{plugin!r} has no function marked @hookimpl; the hooks are {hooks}")
    version = str(getattr(plugin, "__version__", ""))
    with _lock:
        if chosen in _current.registered and _current.registered[chosen].plugin is not plugin:
            raise ValueError(
                f"a plugin named {chosen!r} is registered already; "
                f"call genesis.plugin.unregister({chosen!r}) first, or give this one another name"
            )
        _current.registered = {**_current.registered, chosen: Registered(plugin, version, declared)}
        _current.indexes = {}
    _tell()
    return chosen


def unregister(plugin: object) -> None:
    """Remove a plugin that was added by `register`.

    Args:
        plugin: The object, or the name that `register` returned.

    Raises:
        UnknownNameError: It is not registered.
    """
    refuse_while_declaring("a change of the plugins")
    with _lock:
        registered = _current.registered
        names = [name for name, entry in registered.items() if entry.plugin is plugin or name == plugin]
        if not names:
            known = ", ".join(registered) or "none"
            raise UnknownNameError(f"no plugin {plugin!r} is registered; those registered are: {known}")
        _current.registered = {name: entry for name, entry in registered.items() if name not in names}
        _current.indexes = {}
    _tell()


def disable(*names: str) -> None:
    """Leave plugins out, for the rest of the process or of an `isolated` block. They are never imported.

    Args:
        *names: Names of distributions or of plugins; `"*"` is everything but what is built in. One that is
            not installed is no error; one that is nearly the name of something installed costs a warning.

    The environment variable GENESIS_DISABLE_PLUGINS, a list separated by commas, does the same from outside.
    """
    refuse_while_declaring("a change of the plugins")
    with _lock:
        _current.disabled = _current.disabled | {fold(name) for name in names}
        _current.indexes = {}
    _tell()


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
    refuse_while_declaring("a change of the plugins")
    with _lock:
        _current.preferred = {**_current.preferred, fold(name): distribution}
        _current.indexes = {}
    _tell()


def refresh() -> None:
    """Look for plugins again at the next question, after one was installed, repaired or removed.

    The modules of broken plugins are imported anew; what works is not.
    """
    refuse_while_declaring("a refresh")
    importlib.invalidate_caches()
    with _lock:
        for index in _current.indexes.values():
            for plugin in index.plugins:
                if plugin.status == "broken":
                    sys.modules.pop(plugin.module, None)
        _current.warned = set()
        _current.indexes = {}
    _tell()


@contextmanager
def isolated() -> Iterator[None]:
    """Know nothing but what is built in and what is registered inside; restore everything on leaving.

    For tests. It holds for all threads, as the registry does. GENESIS_DISABLE_PLUGINS is still heard,
    GENESIS_PREFER and earlier calls of `register`, `disable` and `prefer` are not.

    Example:
        `with genesis.plugin.isolated(): genesis.plugin.register(my_module); ...`
    """
    global _current
    refuse_while_declaring("isolation")
    with _lock:
        outer, _current = _current, State(isolated=True)
    _tell()
    try:
        yield
    finally:
        with _lock:
            _current = outer
        _tell()
