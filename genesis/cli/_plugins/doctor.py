"""`genesis plugins doctor`: look for trouble, and say how each is cured."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from genesis._errors import AmbiguousNameError, GenesisError, PluginWarning, UnknownNameError
from genesis.cli._plugins.listing import say
from genesis.cli._plugins.places import all_contributions, all_plugins, copies, needs, unused_copies
from genesis.plugin import Contribution, Plugin, refresh, registry
from genesis.plugin._contribution import fold
from genesis.plugin._discovery import core_is_installed
from genesis.plugin._report import NOT_INSTALLED, cause, near_misses, strict_mode
from genesis.plugin.specs import KINDS


class Finding(NamedTuple):
    """Something to know, or to do something about.

    Attributes:
        what: What is found, a sentence.
        cure: What to do.
        wrong: Whether it is wrong, and not only good to know.
    """

    what: str
    cure: str
    wrong: bool = True


def examine() -> bool:
    """Print what is found; return whether nothing is wrong."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PluginWarning)  # the findings say it
        found = list(dict.fromkeys(_findings()))
    for one in found:
        say(f"{'wrong' if one.wrong else 'note'}: {one.what}\n  {one.cure}")
    wrong = sum(one.wrong for one in found)
    if wrong:
        say(f"\n{wrong} {'thing is' if wrong == 1 else 'things are'} wrong.")
    else:
        plugins = all_plugins()
        owners = len({fold(plugin.distribution) for plugin in plugins})
        of = "one distribution" if owners == 1 else f"{owners} distributions"
        names = sum(len(plugin.contributions) for plugin in plugins)
        say(f"Nothing is wrong with {len(plugins)} plugins of {of}, which add {names} names.")
    return not wrong


def _findings() -> Iterator[Finding]:
    if not core_is_installed():
        yield Finding(NOT_INSTALLED, "Until then there is nothing to look at.")
    yield from _settings()
    plugins = all_plugins()
    yield from _states(plugins)
    yield from _disabled_names(plugins)
    yield from _names()
    yield from _preferences()
    yield from _distributions()
    yield from _targets(plugins)
    yield from _declarations(plugins)


def _settings() -> Iterator[Finding]:
    """Variables that would keep this command from looking at all plugins are left out for the rest of it."""
    if strict_mode():
        del os.environ["GENESIS_STRICT_PLUGINS"]
        yield Finding(
            "GENESIS_STRICT_PLUGINS is set: the first broken plugin stops every program.",
            "That is what it is for, in tests; elsewhere remove it.",
            wrong=False,
        )
    try:
        registry("schedulers").contributions()
    except GenesisError as error:  # GENESIS_PREFER cannot be read
        del os.environ["GENESIS_PREFER"]
        yield Finding(f"{error}.", "Correct it, or remove it: no name can be found until then.")
    refresh()


def _states(plugins: list[Plugin]) -> Iterator[Finding]:
    for p in plugins:
        said = f"plugin {p.name!r} of {p.origin} ({p.kind})"
        if p.status == "broken":
            yield Finding(
                f"{said} is broken: {cause(p.error)}.",
                f"Repair or uninstall {p.distribution}, or set GENESIS_DISABLE_PLUGINS={p.distribution}; "
                "`genesis plugins --verbose` shows the traceback.",
            )
        elif p.status == "disabled":
            yield Finding(
                f"{said} is disabled.",
                f"Take {p.distribution} or {p.name} out of GENESIS_DISABLE_PLUGINS to use it.",
                wrong=False,
            )
        elif p.deprecated:
            yield Finding(
                f"{said} works, but uses what will go away: {p.deprecated}",
                f"Install a newer {p.distribution}, or tell its authors.",
                wrong=False,
            )
        elif p.status == "duplicate":
            yield Finding(
                f"{said} adds nothing that another distribution does not supply with the same target.",
                f"Uninstall {p.distribution} if you do not need it for something else.",
                wrong=False,
            )


def _disabled_names(plugins: list[Plugin]) -> Iterator[Finding]:
    known = {fold(name): name for p in plugins for name in (p.distribution, p.name)}
    for name in _listed("GENESIS_DISABLE_PLUGINS"):
        if name != "*" and fold(name) not in known:
            yield Finding(
                f"GENESIS_DISABLE_PLUGINS names {name!r}, and no installed distribution or plugin is called "
                f"so.{_meant(name, list(known.values()))}",
                "Correct the name, or take it out.",
            )


def _names() -> Iterator[Finding]:
    """Names that lead to something else than what was declared, or nowhere."""
    for c in all_contributions():
        for name in dict.fromkeys((c.name, *c.aliases)):
            if c.kind == "kernels":
                yield from _kernel(c)
                continue
            try:
                meant = registry(c.kind).find(name)
            except AmbiguousNameError as error:
                yield Finding(
                    f"ambiguous: {error}", "Until then the bare name is an error; the others are not hurt."
                )
                continue
            except UnknownNameError as error:
                yield Finding(str(error), "Until then the name is an error.")
                continue
            if (fold(meant.distribution), meant.name) != (fold(c.distribution), c.name):
                chosen = fold(name) in {fold(key) for key, _ in _preferred()}
                yield Finding(
                    f"the {KINDS[c.kind].noun} {name!r} of {c.origin} is shadowed by that of {meant.origin}"
                    + (", as GENESIS_PREFER says." if chosen else "."),
                    f"Write {f'{c.distribution}:{name}'!r}, or set GENESIS_PREFER={name}={c.distribution} to "
                    "use it under its bare name.",
                    wrong=not chosen,
                )


def _kernel(c: Contribution) -> Iterator[Finding]:
    devices = {fold(n) for d in registry("backends").contributions() for n in (d.name, *d.aliases)}
    if fold(c.device) not in devices:
        yield Finding(
            f"{c.origin} offers a kernel for {c.op} of the device {c.device!r}, which no plugin supplies.",
            "Install the device, or nothing: the kernel is never used.",
            wrong=False,
        )
    elif c.status == "ambiguous":
        yield Finding(
            f"the kernel {c.name!r} is offered by {c.origin} and by another distribution; none is used.",
            f"Set GENESIS_PREFER={c.name}={c.distribution} to use this one.",
        )


def _preferences() -> Iterator[Finding]:
    contributions = all_contributions()
    known = {fold(name): name for c in contributions for name in (c.name, *c.aliases)}
    owners = {fold(c.distribution): c.distribution for c in contributions}
    for name, distribution in _preferred():
        if fold(name) not in known:
            yield Finding(
                f"GENESIS_PREFER names {name!r}, and no plugin supplies it."
                + _meant(name, list(known.values())),
                "Correct the name, or take it out.",
            )
        elif fold(distribution) not in owners:
            yield Finding(
                f"GENESIS_PREFER wants {name!r} from {distribution!r}, which is not installed or adds "
                "nothing." + _meant(distribution, list(owners.values())),
                f"Install {distribution}, or take the preference out: {name!r} is an error until then.",
            )


def _distributions() -> Iterator[Finding]:
    """What the metadata of distributions say."""
    from genesis.testing.plugin_checks._subject import distributions, misspelt_groups

    installed = copies()
    for line in unused_copies(installed):
        yield Finding(line, "Uninstall one of them; `python -m pip uninstall` removes the first.")
    for distribution in distributions():
        name = distribution.metadata["Name"]
        for text in misspelt_groups(distribution):
            yield Finding(
                f"{name} {distribution.version}: {text}",
                f"What is in it is not found. Correct the pyproject.toml of {name}, and install it again.",
            )
        needed = needs(name) if fold(name) in installed else None
        if needed is not None and not needed.met:
            yield Finding(
                f"{name} {distribution.version} was made for {needed.text}, and this is {needed.installed}.",
                f"Install versions that fit: `python -m pip install --upgrade genesis-dl {name}`.",
            )


def _targets(plugins: list[Plugin]) -> Iterator[Finding]:
    from genesis.testing.plugin_checks._subject import missing_module

    for p in plugins:
        for c in p.contributions:
            missing = missing_module(c.target.partition(":")[0])
            if missing:
                yield Finding(
                    f"{c.name!r} of {c.origin} is declared to be in {c.target!r}, but {missing}.",
                    f"Install {c.distribution} again; if that does not help, tell its authors.",
                )


def _declarations(plugins: list[Plugin]) -> Iterator[Finding]:
    """What declarations cost, each distribution in a process of its own."""
    sound = {
        p.distribution: p for p in plugins if p.status in ("ok", "duplicate") and not p.builtin and p.module
    }
    with ThreadPoolExecutor(4) as pool:  # they wait for processes
        for findings in pool.map(_declaration, [name for name in sound if fold(name) in copies()]):
            yield from findings


def _declaration(name: str) -> list[Finding]:
    from genesis.testing.plugin_checks._declaration import DECLARATION
    from genesis.testing.plugin_checks._subject import subject

    found = []
    asked = subject(name)
    for question, function in DECLARATION.items():
        if question in _SAID_BEFORE or asked.declared.end:
            continue
        try:
            function(asked)
        except AssertionError as error:
            found.append(
                Finding(
                    f"{asked.origin}: {error}",
                    f"Tell its authors, or set GENESIS_DISABLE_PLUGINS={name}.",
                )
            )
    return found


# What the states of the plugins tell.
_SAID_BEFORE = ("declaration/not_deprecated", "declaration/declares_something")


def _listed(variable: str) -> list[str]:
    return [item.strip() for item in os.environ.get(variable, "").split(",") if item.strip()]


def _preferred() -> list[tuple[str, str]]:
    parts = [item.partition("=") for item in _listed("GENESIS_PREFER")]
    return [(name.strip(), distribution.strip()) for name, _, distribution in parts]


def _meant(name: str, known: list[str]) -> str:
    near = near_misses(name, known)
    return f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
