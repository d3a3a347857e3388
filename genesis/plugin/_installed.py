"""What is installed: the entry points of all distributions, read once for all kinds of plugins.

Nothing here may raise because of what one distribution has on disk: all others would be lost with it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import NamedTuple

from importlib_metadata import Distribution

from genesis._errors import PluginError
from genesis.plugin.specs import KINDS

# Why importlib_metadata and not the standard library's module: it behaves alike on every Python that we
# support. It is no slower: import and look-up together took 48 ms, and 53 ms with the module of Python 3.11.

_SEPARATORS = re.compile("[-_.]+")
_HEADER = re.compile(r"^(Name|Version):[ \t]*(\S+)", re.MULTILINE)


class Installed(NamedTuple):
    """One entry point of one of our groups.

    Attributes:
        group, name, value: As the distribution declares them.
        distribution, version: Whose it is.
        error: Why the distribution's entry points cannot be read; name and value are invented then.
    """

    group: str
    name: str
    value: str
    distribution: str
    version: str
    error: PluginError | None = None


_last: tuple[object, tuple[Installed, ...]] = (None, ())


def installed(generation: object) -> tuple[Installed, ...]:
    """Return the entry points of our groups, in the order of the path.

    Args:
        generation: They are read again when this is another object than the last time.
    """
    global _last
    known, found = _last  # one object, so that threads see a pair that belongs together
    if known is not generation:
        found = tuple(entry for each in _distributions() for entry in _entries(each))
        _last = (generation, found)
    return found


def _distributions() -> Iterable[Distribution]:
    """Every distribution once: of several versions on the path the first, which is the one in use."""
    found: dict[str, list[Distribution]] = {}
    for each in Distribution.discover():
        name = _stem(each)[0] or _identity(each)[0]
        if not name.startswith("~"):  # what pip leaves of a package that it could not remove
            found.setdefault(_SEPARATORS.sub("-", name).lower(), []).append(each)
    for same in found.values():
        # An empty folder, left by a removed version, should not hide one that is there.
        yield same[0] if len(same) == 1 else next((d for d in same if _metadata(d)), same[0])


def _entries(distribution: Distribution) -> list[Installed]:
    groups = [kind.group for kind in KINDS.values()]
    text = ""
    try:
        text = distribution.read_text("entry_points.txt") or ""
        if not any(group in text for group in groups):
            return []
        name, version = _identity(distribution)
        return [
            Installed(entry.group, entry.name, entry.value, name, version)
            for entry in distribution.entry_points
            if entry.group in groups
        ]
    except Exception as error:  # a line without "=" is a TypeError, and others may raise what they like
        if isinstance(error, UnicodeDecodeError):
            text = error.object.decode(errors="replace")
        name, version = _identity(distribution)
        reason = PluginError(f"its entry_points.txt cannot be read ({type(error).__name__}: {error})")
        reason.__cause__ = error
        return [Installed(g, name, "entry_points.txt", name, version, reason) for g in groups if g in text]


def _identity(distribution: Distribution) -> tuple[str, str]:
    """The name and the version of a distribution; from the name of its folder where the metadata are damaged.

    `distribution.name` and `.version` parse all of the metadata, the description too, and each does it anew.
    """
    fields: dict[str, str] = {}
    for field, value in _HEADER.findall(_metadata(distribution).partition("\n\n")[0]):
        fields.setdefault(field, value)
    name, version = _stem(distribution)
    return fields.get("Name", name.replace("_", "-") or "unknown"), fields.get("Version", version)


def _metadata(distribution: Distribution) -> str:
    try:
        return distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    except (OSError, ValueError):  # of bytes that are no text
        return ""


def _stem(distribution: Distribution) -> tuple[str, str]:
    """The name and the version as a folder `acme_schedules-1.0.dist-info` tells them."""
    # There is no public way to the folder, and distributions need not lie in one.
    stem, extension = os.path.splitext(os.path.basename(str(getattr(distribution, "_path", ""))))
    if extension not in {".dist-info", ".egg-info"}:
        return "", ""
    name, _, rest = stem.partition("-")
    return name, rest.partition("-")[0]
