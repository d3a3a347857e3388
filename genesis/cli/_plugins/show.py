"""`genesis plugins show NAME`: all about a plugin, a distribution, or something that one adds."""

from __future__ import annotations

from typing import Any

from genesis.cli._errors import Misuse
from genesis.cli._plugins.listing import say, trouble
from genesis.cli._plugins.places import all_plugins, copies, file_of, needs, place, unused_copies
from genesis.plugin import API_VERSION, Contribution, Plugin
from genesis.plugin._contribution import fold
from genesis.plugin._report import near_misses
from genesis.plugin.specs import KINDS


def show_one(name: str) -> None:
    """Print all about everything that has this name.

    Raises:
        Misuse: Nothing has it.
    """
    plugins = all_plugins()
    owners = [p for p in plugins if fold(name) in (fold(p.name), fold(p.distribution))]
    things = [c for p in plugins for c in p.contributions if _means(name, c)]
    if not owners and not things:
        known = {n for p in plugins for n in (p.name, p.distribution)}
        known |= {n for p in plugins for c in p.contributions for n in (str(c), *c.aliases)}
        near = near_misses(name, sorted(known))
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "`genesis plugins` lists them."
        raise Misuse(f"no plugin, no distribution and nothing that a plugin adds is called {name!r}; {hint}")
    by_distribution: dict[str, list[Plugin]] = {}
    for plugin in owners:
        by_distribution.setdefault(fold(plugin.distribution), []).append(plugin)
    parts = [_thing(c) for c in things]
    installed = copies()
    parts += [_distribution(of_it, installed.get(key, [])) for key, of_it in by_distribution.items()]
    say("\n\n".join(parts))


def _means(name: str, c: Contribution) -> bool:
    distribution, colon, bare = name.partition(":")
    if fold(name) in {fold(n) for n in (c.name, *c.aliases)}:  # a kernel is called device:op
        return True
    if not colon or fold(distribution) != fold(c.distribution):
        return False
    return fold(bare) in {fold(n) for n in (c.name, *c.aliases)}


def _lines(rows: list[tuple[str, str]]) -> str:
    return "\n".join(f"  {title:12} {text}".rstrip() for title, text in rows if text)


def _thing(c: Contribution) -> str:
    noun = KINDS[c.kind].noun
    status = {
        "ok": "ok",
        "shadowed": f"shadowed: the bare name is another's; write {c.qualified!r}",
        "ambiguous": f"ambiguous: several supply it; write {c.qualified!r}, or choose with GENESIS_PREFER",
    }[c.status]
    rows = [
        ("summary", c.summary),
        ("status", status),
        ("aliases", ", ".join(c.aliases)),
        ("supplied by", f"{c.origin} (plugin {c.plugin!r})"),
        ("target", c.target),
        ("file", file_of(c.target.partition(":")[0])),
        ("namespace", c.namespace),
    ]
    return f"{c.name}, a {noun}\n{_lines(rows)}"


def _distribution(plugins: list[Plugin], installed: list[Any]) -> str:
    first = plugins[0]
    metadata: Any = installed[0].metadata if installed else {}
    rows = [
        ("installed in", place(installed[0]) if installed else "registered at run time"),
        ("licence", _first(metadata, "License-Expression", "License")),
        ("requires", _requirement(first.distribution)),
        ("contract", f"{API_VERSION}, that of this Genesis"),
    ]
    parts = [f"{first.origin}: {_first(metadata, 'Summary') or 'no summary'}\n{_lines(rows)}"]
    for plugin in plugins:
        rows = [
            ("adds", f"{plugin.kind}: {', '.join(plugin.contributions) or 'nothing'}"),
            ("module", f"{plugin.module} ({file_of(plugin.module)})"),
            ("status", plugin.status),
            ("declared", f"in {plugin.milliseconds:.1f} ms" if plugin.milliseconds else ""),
        ]
        parts.append(f"  plugin {plugin.name!r}\n" + "\n".join(f"  {x}" for x in _lines(rows).splitlines()))
        if plugin.status == "broken":
            parts.append(trouble(plugin, verbose=True))
    parts += unused_copies({"": installed} if installed else {})
    return "\n".join(parts)


def _first(metadata: Any, *fields: str) -> str:
    values = (metadata.get(field) for field in fields)
    return next((" ".join(str(value).split()) for value in values if value and value != "UNKNOWN"), "")


def _requirement(distribution: str) -> str:
    needed = needs(distribution)
    if needed is None:
        return ""
    return f"{needed.text}; this is {needed.installed}" + (
        "" if needed.met else ", which it was not made for"
    )
