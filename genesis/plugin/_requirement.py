"""Whether a distribution was made for this version of Genesis."""

from __future__ import annotations

from typing import NamedTuple

from genesis.plugin._contribution import fold
from genesis.plugin._discovery import CORE_DISTRIBUTION


class Requirement(NamedTuple):
    """What a distribution requires of Genesis.

    Attributes:
        text: Such as `"genesis-dl>=2"`.
        installed: The version of Genesis that is there.
        met: Whether it is one of those that are asked for.
    """

    text: str
    installed: str
    met: bool


def requirement_on_core(distribution: str) -> Requirement | None:
    """Return what an installed distribution requires of Genesis; None if it says nothing, or is not there."""
    from importlib_metadata import PackageNotFoundError, requires, version
    from packaging.requirements import InvalidRequirement
    from packaging.requirements import Requirement as Parsed

    try:
        installed = version(CORE_DISTRIBUTION)
        texts = requires(distribution) or []
    except (PackageNotFoundError, FileNotFoundError, ValueError):  # also where METADATA is gone
        return None
    for text in texts:
        try:
            parsed = Parsed(text)
        except InvalidRequirement:
            continue
        if fold(parsed.name) == fold(CORE_DISTRIBUTION) and (
            parsed.marker is None or parsed.marker.evaluate({"extra": ""})
        ):
            met = parsed.specifier.contains(installed, prereleases=True)
            return Requirement(f"{CORE_DISTRIBUTION}{parsed.specifier}", installed, met)
    return None
