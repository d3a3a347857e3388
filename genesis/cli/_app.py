"""The commands, put together. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

from typing import Annotated

import typer

from genesis.cli.backends import backends
from genesis.cli.checkpoint import app as checkpoint
from genesis.cli.communicators import communicators
from genesis.cli.kernels import kernels
from genesis.cli.optimizers import optimizers
from genesis.cli.plugins import app as plugins
from genesis.cli.port import port
from genesis.cli.schedulers import app as schedulers
from genesis.cli.train import train
from genesis.cli.warmup import warmup

EXIT_CODES = """
Exit codes: 0 all went well; 1 it failed (the loss became NaN, a file could not be written, a plugin is
broken, a listing found nothing); 2 it was asked for something that does not exist or does not fit; 130
interrupted by Ctrl-C (143 by SIGTERM): the run was saved and can be resumed.
"""

app = typer.Typer(
    help="Train networks with Genesis, and see which devices, optimizers and schedules are there.",
    epilog=" ".join(EXIT_CODES.split()),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
app.command()(train)
app.command()(warmup)
app.add_typer(checkpoint, name="checkpoint")
app.add_typer(plugins, name="plugins")
app.add_typer(plugins, name="plugin", hidden=True)  # `genesis plugin new` reads better
app.add_typer(schedulers, name="schedulers")
app.command()(optimizers)
app.command()(backends)
app.command()(communicators)
app.command()(kernels)
app.command()(port)


def _version(wanted: bool) -> None:
    if wanted:
        import genesis

        typer.echo(f"genesis {genesis.__version__}")
        raise typer.Exit


@app.callback()
def genesis_command(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Take the options that stand before a command."""
