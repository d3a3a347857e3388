"""`genesis train`: its options. What it does is in `_training`."""

from __future__ import annotations

from typing import Annotated

import typer

from genesis.recipes import RECIPES

_RECIPES = ", ".join(RECIPES)


def train(
    recipe: Annotated[
        str | None,
        typer.Argument(help=f"One of {_RECIPES}; may be left out with --resume.", show_default=False),
    ] = None,
    optimizer: Annotated[
        str | None, typer.Option(help="One of `genesis optimizers`.  [default: AdamW]", metavar="NAME")
    ] = None,
    optimizer_option: Annotated[
        list[str] | None,
        typer.Option(help="An option of the optimizer, such as betas=0.9,0.99; repeatable.", metavar="K=V"),
    ] = None,
    lr: Annotated[
        float | None,
        typer.Option(
            help="The learning rate before the schedule is applied.  [default: the recipe's, or that of "
            "another optimizer]"
        ),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="One of `genesis schedulers`, or none for a constant rate. It takes a step after each "
            "batch; one that follows a metric, after each evaluation.  [default: cosine_with_warmup]",
            metavar="NAME",
        ),
    ] = None,
    scheduler_option: Annotated[
        list[str] | None,
        typer.Option(
            help="An option of the schedule, such as num_warmup_steps=100, or 10% or 3ep; repeatable. The "
            "number of steps, and a warmup of a part of them, are filled in where a schedule asks for them.",
            metavar="K=V",
        ),
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="One of `genesis backends`.  [default: cpu]", metavar="NAME")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Passes through the data.  [default: the recipe's]")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Samples in a batch.  [default: the recipe's]")
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0, help="Where all random numbers start: the same seed, the same weights.  [default: 0]"
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(min=1, help="Threads of the device.  [default: as many as it uses by itself]"),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(help="The run folder.  [default: runs/RECIPE-DATE_TIME]", metavar="FOLDER"),
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(
            help="Go on with the run in this folder, exactly where it stopped; without a FOLDER, the one of "
            "--out. Other options may be left out; they must not differ from those that the run began with.",
            metavar="[FOLDER]",
            show_default=False,
        ),
    ] = None,
    save_every: Annotated[
        float,
        typer.Option(
            min=0, help="Seconds between checkpoints within an epoch; there is one at the end of each, too."
        ),
    ] = 10.0,
    launch: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Processes on this machine that train together, each on its part of every batch; needs MPI. "
            "On several machines: mpiexec ... python -m mpi4py -m genesis train ...",
            metavar="N",
        ),
    ] = None,
) -> None:
    """Train a recipe and keep everything about it in a run folder.

    The folder gets config.json, metrics.csv, checkpoints/, curves.png and, at the end, model.ckpt with the
    weights alone. A run that was killed at any moment goes on with --resume and ends with the same weights,
    bit for bit.
    """
    if launch is not None and launch > 1:
        from genesis.cli._training.team import launch as start

        start(launch)
    from genesis.cli._training.command import Request, run

    run(
        Request(
            recipe=recipe,
            optimizer=optimizer,
            optimizer_options=optimizer_option or [],
            lr=lr,
            scheduler=scheduler,
            scheduler_options=scheduler_option or [],
            device=device,
            epochs=epochs,
            batch_size=batch_size,
            seed=seed,
            threads=threads,
            out=out,
            resume=resume,
            save_every=save_every,
        )
    )
