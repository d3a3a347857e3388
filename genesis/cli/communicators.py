"""`genesis communicators`: by what processes that train together can send each other arrays."""

from __future__ import annotations

from typing import Annotated

import typer

from genesis.cli._listing import PATTERN_HELP, listing, usable


def communicators(
    pattern: Annotated[str | None, typer.Argument(help=PATTERN_HELP)] = None,
    probe: Annotated[
        bool,
        typer.Option("--probe", help="Load each of them and ask whether it can be used on this machine."),
    ] = False,
) -> None:
    """List the communicators of distributed training, with who supplies them."""
    if probe:
        listing("communicators", pattern, "usable here", lambda c: usable(c.load))
    else:
        listing("communicators", pattern)
