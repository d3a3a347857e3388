"""`genesis warmup`: its options. What it does is in `_training.warmup`."""

from __future__ import annotations

from typing import Annotated

import typer

from genesis.recipes import RECIPES


def warmup(
    recipes: Annotated[
        list[str] | None,
        typer.Argument(
            help=f"Any of {', '.join(RECIPES)}.  [default: all]", show_default=False, metavar="[RECIPE]..."
        ),
    ] = None,
    optimizer: Annotated[
        str | None, typer.Option(help="One of `genesis optimizers`.  [default: AdamW]", metavar="NAME")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="One of `genesis backends`.  [default: cpu]", metavar="NAME")
    ] = None,
) -> None:
    """Compile the kernels that recipes need, so that `genesis train` begins at once.

    Takes two steps of each recipe and evaluates it; nothing of that is kept but the compiled kernels.
    """
    from genesis.cli._training.warmup import run

    run(recipes or list(RECIPES), optimizer, device)
