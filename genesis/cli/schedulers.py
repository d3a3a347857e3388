"""`genesis schedulers`: which learning-rate schedules there are, and what they look like."""

from __future__ import annotations

from typing import Annotated

import typer
from typer.core import TyperGroup

from genesis.cli._listing import PATTERN_HELP, listing


class _ListingFirst(TyperGroup):
    """A group of commands in which a word that is no command is the pattern of a listing."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        if not args or args[0] not in {*self.commands, *ctx.help_option_names}:
            args = ["list", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_ListingFirst,
    help="List the learning-rate schedules, show one, or draw several. `genesis schedulers PATTERN` lists "
    "those that fit.",
    rich_markup_mode=None,
    subcommand_metavar="[PATTERN | COMMAND [ARGS]...]",
)

_OPTION_HELP = (
    "An option of the schedule, such as gamma=0.5; repeatable. Examples are filled in for what it needs "
    "besides."
)
_STEPS_HELP = (
    "How many steps to draw, and the length of the training in the examples that are filled in.  "
    "[default: 100; with options, to the end of the schedule]"
)
_LR_HELP = "The learning rate before the schedule is applied."


@app.command("list")
def listed(pattern: Annotated[str | None, typer.Argument(help=PATTERN_HELP)] = None) -> None:
    """List the learning-rate schedules, with who supplies them."""
    listing("schedulers", pattern)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="One of `genesis schedulers`.")],
    option: Annotated[list[str] | None, typer.Option("--option", help=_OPTION_HELP, metavar="K=V")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help=_STEPS_HELP, show_default=False)] = None,
    lr: Annotated[float, typer.Option(help=_LR_HELP)] = 1.0,
) -> None:
    """Tell all about a schedule: signature, formula, arguments, reference, and a picture in the terminal."""
    from genesis.cli._curves.command import show_one

    show_one(name, option or [], steps, lr)


@app.command()
def plot(
    names: Annotated[list[str], typer.Argument(help="Some of `genesis schedulers`.", metavar="NAME...")],
    option: Annotated[
        list[str] | None,
        typer.Option(
            "--option",
            help=f"{_OPTION_HELP} It is for all that take it; NAME:K=V is for one.",
            metavar="[NAME:]K=V",
        ),
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help=_STEPS_HELP, show_default=False)] = None,
    lr: Annotated[float, typer.Option(help=_LR_HELP)] = 1.0,
    out: Annotated[
        str, typer.Option("--out", "-o", help="The picture: a .png, .svg or .pdf.", metavar="FILE")
    ] = "schedulers.png",
) -> None:
    """Draw schedules into one picture."""
    from genesis.cli._curves.command import plot_all

    plot_all(names, option or [], steps, lr, out)
