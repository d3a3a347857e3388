"""`genesis kernels`: which faster kernels plugins offer for which devices."""

from __future__ import annotations

from typing import Annotated

import typer

from genesis.cli._listing import PATTERN_HELP, listing


def kernels(pattern: Annotated[str | None, typer.Argument(help=PATTERN_HELP)] = None) -> None:
    """List the kernels that plugins offer for operations of devices, with who supplies them."""
    from genesis.plugin import list_kernels

    if pattern is None and not list_kernels():
        typer.echo("No plugin offers kernels: every device uses its own.")
    else:
        listing("kernels", pattern)
