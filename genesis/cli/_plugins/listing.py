"""`genesis plugins`: the table, and with `--verbose` all that is known."""

from __future__ import annotations

import traceback
from typing import Any

from genesis.cli._console import console, table
from genesis.cli._plugins.places import all_plugins, copies, file_of, place, unused_copies
from genesis.plugin import Plugin
from genesis.plugin._contribution import fold
from genesis.plugin._report import cause


def show_all(verbose: bool) -> None:
    """Print the plugins, also those that are broken and disabled."""
    found = all_plugins()
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
    if verbose:
        installed = copies()
        for plugin in found:
            say("\n" + _details(plugin, installed.get(fold(plugin.distribution), [])))
        for line in unused_copies(installed):
            say("\n" + line)
    for plugin in found:
        if plugin.status == "broken":
            say("\n" + trouble(plugin, verbose))


def say(text: str) -> None:
    """Print a text as it is."""
    console().print(text, markup=False, soft_wrap=True)


def _details(plugin: Plugin, installed: list[Any]) -> str:
    """All about one plugin, as indented lines."""
    lines = [
        f"{plugin.name} of {plugin.origin}, {plugin.kind}: {plugin.status}",
        f"  module     {plugin.module} ({file_of(plugin.module)})",
    ]
    if installed:
        lines.append(f"  installed  {place(installed[0])}")
    if plugin.milliseconds:
        lines.append(f"  declared   in {plugin.milliseconds:.1f} ms")
    for number, c in enumerate(plugin.contributions):
        status = "" if c.status == "ok" else f", {c.status}"
        lines.append(f"  {'' if number else 'adds':10} {c.name}: {c.target}{status}")
    return "\n".join(lines)


def trouble(plugin: Plugin, verbose: bool) -> str:
    """Why a plugin is broken and what to do, with or without the traceback."""
    text = (
        f"{plugin.name} of {plugin.origin} is broken: {cause(plugin.error)}\n"
        f"  Repair or uninstall {plugin.distribution}, or set GENESIS_DISABLE_PLUGINS={plugin.distribution}; "
        f"`genesis plugins --verbose` shows the traceback."
    )
    if verbose and plugin.error is not None:
        text = text.replace("`genesis plugins --verbose` shows the traceback", "this is the traceback")
        text += "\n\n" + "".join(traceback.format_exception(plugin.error)).rstrip()
    return text
