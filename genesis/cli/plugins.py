"""`genesis plugins`: which plugins are installed, and what is wrong with the broken ones."""

from __future__ import annotations

import typer

app = typer.Typer(help="List the plugins, also the broken and the disabled ones.", rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def plugins(context: typer.Context) -> None:
    """List the plugins, also the broken and the disabled ones."""
    if context.invoked_subcommand is not None:
        return
    import warnings

    from genesis._errors import PluginWarning
    from genesis.cli._console import console, table
    from genesis.plugin import list_plugins
    from genesis.plugin._report import cause

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PluginWarning)  # the table says it
        found = list_plugins()
    table(
        ("kind", "plugin", "status", "ms", "distribution", "version", "module", "adds"),
        (
            (
                plugin.kind,
                plugin.name,
                plugin.status,
                f"{plugin.milliseconds:.1f}" if plugin.milliseconds else "",
                plugin.distribution,
                plugin.version,
                plugin.module,
                ", ".join(plugin.contributions),
            )
            for plugin in found
        ),
    )
    for plugin in found:
        if plugin.status == "broken":
            console().print(
                f"\n{plugin.name} of {plugin.origin} is broken: {cause(plugin.error)}\n"
                f"  Repair or uninstall {plugin.distribution}, or set GENESIS_DISABLE_PLUGINS="
                f"{plugin.distribution}; GENESIS_STRICT_PLUGINS=1 shows the traceback.",
                markup=False,
            )


@app.command()
def stubs() -> None:
    """Write genesis/optim/*.pyi, from which editors know the names that the built-in plugins declare."""
    from genesis.plugin._stubs import write_stubs

    for path in write_stubs():
        typer.echo(f"wrote {path}")
