"""The table of the things of one kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from genesis.cli._console import table
from genesis.cli._errors import Stopped

if TYPE_CHECKING:
    from genesis.plugin import Contribution

PATTERN_HELP = "Show only names that fit this glob, such as 'cosine*'; a part of a name will do, too."


def listing(
    kind: str, pattern: str | None, heading: str = "", cell: Callable[[Contribution], str] = lambda _: ""
) -> None:
    """Print what there is of a kind, and who supplies it.

    Args:
        kind: `"backends"`, `"communicators"`, `"optimizers"` or `"schedulers"`.
        pattern: What the user typed, or None for everything.
        heading, cell: One more column.

    Raises:
        Stopped: Nothing fits.
    """
    from genesis.plugin import registry

    part = pattern is not None and not set(pattern) & set("*?[")
    found = registry(kind).contributions(f"*{pattern}*" if part else pattern)
    if not found:
        raise Stopped(f"no {kind} fit {pattern!r}" if pattern else f"no installed plugin supplies {kind}")
    table(
        ("name", "aliases", "supplied by", "version", "status", heading, "summary"),
        (
            (
                str(c),
                ", ".join(c.aliases),
                c.distribution,
                c.version,
                "" if c.status == "ok" else c.status,
                cell(c),
                c.summary,
            )
            for c in found
        ),
    )


def usable(thing: Callable[[], Any]) -> str:
    """What a device or a communicator that `thing` loads says of this machine."""
    try:
        available = thing().probe()
    except Exception as error:  # a stranger's may fail in any way; the others are still listed
        return f"no: {type(error).__name__}: {error}"
    if not available.ok:
        return f"no: {available.reason}"
    return "yes" if available.devices == 1 else f"yes, {available.devices} of them"
