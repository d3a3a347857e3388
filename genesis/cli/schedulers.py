"""`genesis schedulers`: which learning-rate schedules there are."""

from __future__ import annotations

from typing import Annotated

import typer

from genesis.cli._listing import PATTERN_HELP, listing


def schedulers(pattern: Annotated[str | None, typer.Argument(help=PATTERN_HELP)] = None) -> None:
    """List the learning-rate schedules, with who supplies them."""
    listing("schedulers", pattern)
