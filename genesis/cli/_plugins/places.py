"""Where plugins are: their distributions, the copies that are not used, and their files."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import importlib_metadata

from genesis._errors import PluginWarning
from genesis.plugin import Contribution, Plugin, list_plugins
from genesis.plugin._contribution import fold
from genesis.plugin._requirement import Requirement, requirement_on_core
from genesis.plugin.specs import KINDS

GROUPS = {kind.group for kind in KINDS.values()}


def all_plugins() -> list[Plugin]:
    """Every plugin, without the warnings, since the command itself says what is wrong."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PluginWarning)
        return list_plugins()


def all_contributions() -> list[Contribution]:
    """All that the plugins add, of every kind."""
    return [c for plugin in all_plugins() for c in plugin.contributions]


def copies() -> dict[str, list[Any]]:
    """The installed distributions that have plugins, by folded name, each with the one in use first."""
    from genesis.testing.plugin_checks._subject import entry_points, name_of

    found: dict[str, list[Any]] = {}
    for distribution in importlib_metadata.distributions():
        name = name_of(distribution)
        if name and any(entry.group in GROUPS for entry in entry_points(distribution)):
            same = found.setdefault(fold(name), [])
            if folder(distribution) not in map(folder, same):  # a folder may be on the path twice
                same.append(distribution)
    return found


def needs(distribution: str) -> Requirement | None:
    """What a distribution requires of Genesis; None if its metadata do not say it, or are damaged."""
    try:
        return requirement_on_core(distribution)
    except Exception:  # whatever somebody's files hold, the rest is still shown
        return None


def folder(distribution: Any) -> Path:
    """The folder that a distribution is installed in."""
    return Path(str(distribution.locate_file(""))).absolute()


def sources(distribution: Any) -> Path | None:
    """Where the files of an editable installation are, or None."""
    text = distribution.read_text("direct_url.json")
    record = json.loads(text) if text else {}
    if not record.get("dir_info", {}).get("editable"):
        return None
    return Path(unquote(urlparse(str(record["url"])).path))


def place(distribution: Any) -> str:
    """Where a distribution is, in words."""
    origin = sources(distribution)
    return f"{folder(distribution)}" + (f" (editable, from {origin})" if origin else "")


def unused_copies(installed: dict[str, list[Any]]) -> Iterator[str]:
    """Say which copies of distributions are on the path and not used, because another comes first."""
    for used, *others in installed.values():
        for other in others:
            yield (
                f"{other.metadata['Name']} {other.version} in {place(other)} is not used: {used.version} in "
                f"{place(used)} comes first on the path."
            )


def file_of(module: str) -> str:
    """The file of a module, which is not imported; or why there is none."""
    from genesis.testing.plugin_checks._subject import located

    spec, missing = located(module)
    return missing if spec is None else str(spec.origin or "no file")
