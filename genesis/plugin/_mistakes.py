"""Names that the user gave to `disable` and `prefer`, and that look misspelt.

Neither has to know its names: settings are shared by machines on which not everything is installed. But a
name that is nearly one of those that are there is more likely a mistake, and would pass in silence.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from difflib import get_close_matches

from genesis.plugin import _report
from genesis.plugin._contribution import fold
from genesis.plugin._index import Index
from genesis.plugin._installed import installed
from genesis.plugin._state import State
from genesis.plugin.specs import Kind

# Of difflib's ratio: one wrong letter in six, or two in twelve.
_ALIKE = 0.8


def misspelt(kind: Kind, index: Index, state: State) -> Iterator[tuple[tuple[str, str, str], str]]:
    """Find names that nothing has and that look like others: a key for each mistake, and what to say."""
    if state.isolated:  # then most of what is installed is hidden
        return
    entries = installed(state.indexes)
    there = {
        fold(name): name
        for name in (*(n for e in entries for n in (e.name, e.distribution)), *state.registered)
    }
    written = {
        fold(item.strip()): item.strip() for item in os.environ.get("GENESIS_DISABLE_PLUGINS", "").split(",")
    }
    for name in sorted(state.all_disabled() - there.keys() - {"*"}):
        near = [there[key] for key in get_close_matches(name, there, 3, _ALIKE)]
        if near:
            spelling = written.get(name, name)
            yield ("disable", name, ""), _report.not_disabled(spelling, near)

    if kind.plural == "kernels":  # the names of these are made of others, and so all look alike
        return
    for name, distribution in state.all_preferred().items():
        own = {
            fold(n): n
            for c in index.contributions
            if fold(c.distribution) == fold(distribution)
            for n in (c.name, *c.aliases)
        }
        if name not in index.meanings and name not in own:
            near = [own[key] for key in get_close_matches(name, own, 3, _ALIKE)]
            if near:
                yield ("prefer", name, distribution), _report.not_preferred(kind, name, distribution, near)
