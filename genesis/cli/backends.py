"""`genesis backends`: which devices there are, and whether they can be used here."""

from __future__ import annotations

from typing import Annotated

import typer

from genesis.cli._listing import PATTERN_HELP, listing, usable


def backends(
    pattern: Annotated[str | None, typer.Argument(help=PATTERN_HELP)] = None,
    probe: Annotated[
        bool,
        typer.Option("--probe", help="Load each of them and ask whether it can be used on this machine."),
    ] = False,
) -> None:
    """List the devices, with who supplies them."""
    if probe:
        listing("backends", pattern, "usable here", lambda c: usable(lambda: c.load()()))
    else:
        listing("backends", pattern)
