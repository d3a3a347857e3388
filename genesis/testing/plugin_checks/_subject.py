"""The distribution that is checked: its plugins, its metadata, and what a fresh interpreter says of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cached_property
from importlib.machinery import ModuleSpec
from pkgutil import iter_modules
from typing import Any, cast

import importlib_metadata

from genesis._errors import UnknownNameError
from genesis.plugin._contribution import fold
from genesis.plugin._discovery import CORE_DISTRIBUTION
from genesis.plugin._requirement import requirement_on_core
from genesis.plugin.specs import KINDS
from genesis.testing.plugin_checks._fresh import Answer, Fields, ask

GROUPS = {kind.group: kind.plural for kind in KINDS.values()}


class Subject:
    """An installed distribution, all its plugins or one of them.

    Attributes:
        name, version: Those of the distribution.
        entries: Its plugins: kind, name and module of each.
    """

    def __init__(self, distribution: importlib_metadata.Distribution, plugin: str | None = None) -> None:
        self.distribution = distribution
        self.name, self.version = distribution.metadata["Name"], distribution.version
        self.entries: list[Fields] = [
            {"kind": GROUPS[entry.group], "name": entry.name, "module": entry.value}
            for entry in entry_points(distribution)
            if entry.group in GROUPS and plugin in (None, entry.name)
        ]

    @property
    def origin(self) -> str:
        """The distribution and its version."""
        return f"{self.name} {self.version}"

    @property
    def core(self) -> bool:
        """Whether this is Genesis itself."""
        return fold(self.name) == fold(CORE_DISTRIBUTION)

    @cached_property
    def declared(self) -> Answer:
        """What happens when the plugins declare themselves."""
        return ask("declare", self.entries)

    @cached_property
    def loaded(self) -> Answer:
        """What the targets are, and what all plugins declare."""
        return ask("load", self.specs)

    @cached_property
    def specs(self) -> list[Fields]:
        """What the plugins declare; of two declarations of the same thing the first."""
        found: dict[tuple[str, str], Fields] = {}
        for entry, plugin in zip(self.entries, self.declared.found.get("plugins", ()), strict=False):
            for spec in plugin["specs"]:
                found.setdefault((entry["kind"], spec["name"]), {"kind": entry["kind"], **spec})
        return list(found.values())

    @cached_property
    def packages(self) -> set[str]:
        """The top-level modules that are the distribution's own."""
        names = {entry["module"] for entry in self.entries} | {spec["target"] for spec in self.specs}
        names |= {str(file) for file in self.distribution.files or () if str(file).endswith(".py")}
        return {
            name.partition(":")[0].partition("/")[0].removesuffix(".py").partition(".")[0] for name in names
        }


def subject(name: str) -> Subject:
    """Find a distribution by its name, or by the name of one of its plugins.

    Raises:
        UnknownNameError: Nothing of this name is installed.
    """
    if not isinstance(name, str):
        raise TypeError(
            f"expected the name of an installed distribution or plugin, got {type(name).__name__}; "
            "a package must be installed to be checked, `pip install -e .` does"
        )
    installed = list(distributions())
    for distribution in installed:
        if fold(name_of(distribution)) == fold(name):
            return Subject(distribution)
    known: list[str] = []
    for distribution in installed:
        for entry in entry_points(distribution):
            if entry.group in GROUPS:
                known += (name_of(distribution), entry.name)
                if fold(entry.name) == fold(name):
                    return Subject(distribution, entry.name)
    known = list(dict.fromkeys(known))
    near = get_close_matches(name, known, 3, 0.5)
    hint = (
        f"did you mean {' or '.join(map(repr, near))}?"
        if near
        else f"those installed are {', '.join(known)}."
    )
    raise UnknownNameError(
        f"no distribution and no plugin named {name!r} is installed; {hint} To check a package that you are "
        "writing, install it first: `pip install -e .`"
    )


def distributions() -> Iterator[importlib_metadata.Distribution]:
    """The installed distributions; of several of one name the first on the path, which is the one in use."""
    seen = set()
    for distribution in importlib_metadata.distributions():
        name = name_of(distribution)
        if name and fold(name) not in seen:
            seen.add(fold(name))
            yield cast(Any, distribution)  # its type has changed its name between versions of the library


def name_of(distribution: Any) -> str:
    """The name of a distribution; nothing for what is left of one, or is damaged."""
    try:
        return str(distribution.metadata["Name"] or "")
    except Exception:  # files that are no text, or not there
        return ""


def entry_points(distribution: Any) -> list[importlib_metadata.EntryPoint]:
    """The entry points of a distribution; none if they cannot be read."""
    try:
        return list(distribution.entry_points)
    except Exception:  # a line without "=" is a TypeError
        return []


def misspelt_groups(distribution: importlib_metadata.Distribution) -> list[str]:
    """Say which of its entry points are in a group that Genesis does not look at, and which was meant."""
    found = []
    for group in sorted({entry.group for entry in entry_points(distribution)} - set(GROUPS)):
        near = get_close_matches(group, GROUPS, 1, 0.75)
        # Another project of this name may have groups of its own.
        ours = group.startswith("genesis.") and requirement_on_core(name_of(distribution))
        if near or ours:
            hint = f"did you mean {near[0]!r}?" if near else f"the groups are {', '.join(GROUPS)}."
            found.append(f"the entry-point group {group!r} is unknown to Genesis; {hint}")
    return found


def missing_module(name: str) -> str:
    """Say why a module cannot be found, or nothing if it can; neither it nor a package is imported."""
    return located(name)[1]


def located(name: str) -> tuple[ModuleSpec | None, str]:
    """Find a module without importing anything: what Python knows of it, or None and why it is not there."""
    parts = name.split(".")
    path: list[str] | None = None
    spec: ModuleSpec | None = None
    for depth in range(1, len(parts) + 1):
        part = ".".join(parts[:depth])
        spec = _find(part, path)
        if spec is None:
            near = get_close_matches(parts[depth - 1], [m.name for m in iter_modules(path)], 1, 0.6)
            meant = ".".join([*parts[: depth - 1], *near])
            return None, f"there is no module {part!r}" + (f"; did you mean {meant!r}?" if near else "")
        if depth < len(parts):
            if spec.submodule_search_locations is None:
                return None, f"{part!r} is a module and no package, so there is no {name!r}"
            path = list(spec.submodule_search_locations)
    return spec, ""


def _find(name: str, path: list[str] | None) -> ModuleSpec | None:
    for finder in sys.meta_path:
        find = getattr(finder, "find_spec", None)  # strangers put anything there
        spec: ModuleSpec | None = find(name, path) if find else None
        if spec is not None:
            return spec
    return None
