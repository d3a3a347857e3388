"""`genesis plugins`, which is `genesis plugin` too: see, examine, check and start plugins."""

from __future__ import annotations

from typing import Annotated

import typer

from genesis.cli._errors import FAILED

app = typer.Typer(
    help="List the plugins, also the broken and the disabled ones; look at one, examine all, check one, or "
    "start a new one. `genesis plugin` is the same.",
    rich_markup_mode=None,
)

_INSTALLED = "The name of an installed distribution, or of one of its plugins."


@app.callback(invoke_without_command=True)
def plugins(
    context: typer.Context,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose",
            "-v",
            help="Show targets, files and times, copies that are not used, and what the broken ones raised.",
        ),
    ] = False,
) -> None:
    """List the plugins, also the broken and the disabled ones."""
    if context.invoked_subcommand is None:
        from genesis.cli._plugins.listing import show_all

        show_all(verbose)


@app.command()
def show(
    name: Annotated[
        str, typer.Argument(help="A plugin, a distribution, or a name that one adds, such as acme-lion:Lion.")
    ],
) -> None:
    """Tell all about a plugin, a distribution, or something that one adds."""
    from genesis.cli._plugins.show import show_one

    show_one(name)


@app.command()
def doctor() -> None:
    """Look for trouble with the installed plugins and with the settings for them, and say what to do.

    The exit code is 1 if something is wrong. Declarations are imported in processes of their own, so that
    what they print and how long they take is seen.
    """
    from genesis.cli._plugins.doctor import examine

    if not examine():
        raise typer.Exit(FAILED)


@app.command()
def check(
    name: Annotated[str, typer.Argument(help=_INSTALLED)],
    deep: Annotated[
        bool,
        typer.Option(
            "--deep",
            help="Run the kits for what it adds, too: devices, kernels, optimizers with default options, "
            "schedules with example options.",
        ),
    ] = False,
) -> None:
    """Run the kit of genesis.testing on an installed plugin. The exit code is 1 if a check fails."""
    from genesis.cli._plugins.check import check_one

    if not check_one(name, deep):
        raise typer.Exit(FAILED)


@app.command()
def new(
    package: Annotated[
        str, typer.Argument(help="What to call the distribution, such as acme-lion; it is the folder, too.")
    ],
    backend: Annotated[bool, typer.Option("--backend", help="It adds a device.")] = False,
    kernel: Annotated[
        bool, typer.Option("--kernel", help="It adds a kernel for an operation of a device.")
    ] = False,
    optimizer: Annotated[bool, typer.Option("--optimizer", help="It adds an optimizer.")] = False,
    scheduler: Annotated[bool, typer.Option("--scheduler", help="It adds a learning-rate schedule.")] = False,
    name: Annotated[
        str | None,
        typer.Option(
            help="What the optimizer or schedule is called, the name of a class; or the device.  [default: "
            "from the package: acme-lion gives AcmeLion, genesis-lion gives Lion]",
        ),
    ] = None,
    into: Annotated[
        str, typer.Option(help="Where to make the folder.", metavar="FOLDER", show_default="here")
    ] = ".",
    author: Annotated[
        str | None, typer.Option(help="Who is named in the licence.  [default: git config user.name]")
    ] = None,
) -> None:
    """Write a package with a new plugin: metadata, declaration, code that works, and tests on the kit."""
    from genesis.cli._errors import Misuse
    from genesis.cli._plugins.new import create

    given = {"backend": backend, "kernel": kernel, "optimizer": optimizer, "scheduler": scheduler}
    sorts = [sort for sort, wanted in given.items() if wanted]
    if len(sorts) != 1:
        raise Misuse("say what it adds, only one of --backend, --kernel, --optimizer and --scheduler")
    create(sorts[0], package, name, into, author)


@app.command()
def stubs() -> None:
    """Write genesis/optim/*.pyi, from which editors know the names that the built-in plugins declare."""
    from genesis.plugin._stubs import write_stubs

    for path in write_stubs():
        typer.echo(f"wrote {path}")
