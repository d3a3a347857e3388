"""`genesis optimizers`: which optimizers there are."""

from __future__ import annotations

from typing import Annotated

import typer

from genesis.cli._listing import PATTERN_HELP, listing


def optimizers(pattern: Annotated[str | None, typer.Argument(help=PATTERN_HELP)] = None) -> None:
    """List the optimizers, with who supplies them."""
    listing("optimizers", pattern)
