"""Who gets a name when several plugins claim it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from genesis.plugin._contribution import Contribution, fold
from genesis.plugin._discovery import Plugin
from genesis.plugin.specs import Spec


class Index(NamedTuple):
    """All that is known of one kind. Never changed after it is published.

    Attributes:
        plugins: Every plugin, the broken and the disabled ones too.
        contributions: What there is, sorted.
        meanings: From a folded name to those who may be meant: one, unless the name is ambiguous.
        unmet: From a folded name to the distribution that the user prefers and that does not supply it.
    """

    plugins: tuple[Plugin, ...]
    contributions: tuple[Contribution, ...]
    meanings: Mapping[str, tuple[Contribution, ...]]
    unmet: Mapping[str, str]


def index_of(plugins: list[Plugin], preferred: Mapping[str, str]) -> Index:
    """Decide what every name means.

    Args:
        plugins: In order of precedence for equal targets; their `status` and `contributions` are set.
        preferred: The user's choices, from a folded name to a distribution.
    """
    # 1. Each pair of a name and a target counts once: metadata may lie on the path twice, and a built-in
    #    plugin may be installed by itself beside the whole of Genesis.
    taken: set[tuple[str, str]] = set()
    kept: list[tuple[Plugin, Spec]] = []
    for plugin in plugins:
        fresh = [spec for spec in plugin.specs if (fold(spec.name), spec.target) not in taken]
        if plugin.status == "ok":
            taken.update((fold(spec.name), spec.target) for spec in fresh)
            kept += ((plugin, spec) for spec in fresh)
            if plugin.specs and not fresh:
                plugin.status = "duplicate"

    # 2. Who claims each name?
    claims: dict[str, list[int]] = {}
    for number, (plugin, spec) in enumerate(kept):
        for name in dict.fromkeys(fold(name) for name in (spec.name, *spec.aliases)):
            claims.setdefault(name, []).append(number)
            claims.setdefault(f"{fold(plugin.distribution)}:{name}", []).append(number)

    # 3. Who gets it? The user's choice, else the built-in, else nobody unless there is only one.
    unmet: dict[str, str] = {}
    winners: dict[str, list[int]] = {}
    for name, numbers in claims.items():
        wanted = preferred.get(name)
        chosen = [n for n in numbers if wanted is not None and fold(kept[n][0].distribution) == fold(wanted)]
        if wanted is not None and not chosen:
            unmet[name] = wanted
        winners[name] = chosen or [n for n in numbers if kept[n][0].builtin] or numbers

    made = [_contribution(plugin, spec, n, winners) for n, (plugin, spec) in enumerate(kept)]
    for plugin in plugins:
        plugin.contributions = tuple(c for c, (owner, _) in zip(made, kept, strict=True) if owner is plugin)
    return Index(
        plugins=tuple(plugins),
        contributions=tuple(sorted(made)),
        meanings=MappingProxyType(
            {name: tuple(made[n] for n in numbers) for name, numbers in winners.items()}
        ),
        unmet=MappingProxyType(unmet),
    )


def _contribution(plugin: Plugin, spec: Spec, number: int, winners: Mapping[str, list[int]]) -> Contribution:
    winning = winners[fold(spec.name)]
    status = "shadowed" if number not in winning else "ok" if len(winning) == 1 else "ambiguous"
    return Contribution(
        spec.name if status == "ok" else f"{plugin.distribution}:{spec.name}",
        kind=plugin.kind,
        name=spec.name,
        summary=spec.summary,
        aliases=spec.aliases,
        target=spec.target,
        namespace=getattr(spec, "namespace", ""),
        op=getattr(spec, "op", ""),
        device=getattr(spec, "device", ""),
        plugin=plugin.name,
        distribution=plugin.distribution,
        version=plugin.version,
        status=status,
    )
