"""`genesis backends`: which devices there are, and whether they can be used here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from genesis.cli._listing import PATTERN_HELP, listing

if TYPE_CHECKING:
    from genesis.plugin import Contribution


def backends(
    pattern: Annotated[str | None, typer.Argument(help=PATTERN_HELP)] = None,
    probe: Annotated[
        bool,
        typer.Option("--probe", help="Load each of them and ask whether it can be used on this machine."),
    ] = False,
) -> None:
    """List the devices, with who supplies them."""
    if probe:
        listing("backends", pattern, "usable here", _answer)
    else:
        listing("backends", pattern)


def _answer(contribution: Contribution) -> str:
    try:
        available = contribution.load()().probe()
    except Exception as error:  # a stranger's device may fail in any way; the others are still listed
        return f"no: {type(error).__name__}: {error}"
    if not available.ok:
        return f"no: {available.reason}"
    return "yes" if available.devices == 1 else f"yes, {available.devices} of them"
