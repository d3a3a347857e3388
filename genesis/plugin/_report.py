"""The words of warnings and errors about plugins and names."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from genesis._errors import PluginWarning
from genesis.plugin._contribution import Contribution, fold
from genesis.plugin._discovery import CORE_DISTRIBUTION, Plugin, core_is_installed
from genesis.plugin._requirement import requirement_on_core
from genesis.plugin.specs import Kind

NOT_INSTALLED = (
    "Genesis runs from a folder without being installed, so no plugin is known, not even the built-in ones: "
    "run `python -m pip install -e .` in that folder."
)


def warn(message: str) -> None:
    """Warn at the first line outside Genesis, the one that asked for a name."""
    # stacklevel cannot say this: how deep we are depends on the door through which the user came in.
    frame = sys._getframe(1)
    while frame.f_back is not None and _is_ours(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
    scope = frame.f_globals
    warnings.warn_explicit(
        message,
        PluginWarning,
        filename=frame.f_code.co_filename,
        lineno=frame.f_lineno,
        module=scope.get("__name__", "<unknown>"),
        registry=scope.setdefault("__warningregistry__", {}),
    )


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] in {"genesis", "contextlib", "importlib"}


def broken(plugin: Plugin) -> str:
    """Say which plugin is broken, how, and what to do."""
    try:
        requirement = requirement_on_core(plugin.distribution)
    except Exception:  # of damaged metadata, too: an explanation must not hide what it explains
        requirement = None
    other = ""
    if requirement and not requirement.met:
        other = f"It was made for {requirement.text}, and this is {requirement.installed}. "
    elif isinstance(plugin.error, ImportError) and (plugin.error.name or "").partition(".")[0] == "genesis":
        other = (
            "It uses a name that this Genesis does not have: it was written for another version, "
            "or the name is misspelt. "
        )
    return (
        f"plugin {plugin.name!r} of {plugin.origin} was skipped: {cause(plugin.error)}. {other}"
        f"Repair or uninstall {plugin.distribution}, or set GENESIS_DISABLE_PLUGINS={plugin.distribution}; "
        f"GENESIS_STRICT_PLUGINS=1 shows the traceback."
    )


def cause(error: BaseException | None) -> str:
    """Return an exception as one line."""
    try:
        text = " ".join(str(error).split())
    except Exception:  # a stranger's exception, whose own text is broken
        text = "(its message cannot be shown)"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def unknown(kind: Kind, name: str, contributions: Sequence[Contribution], plugins: Sequence[Plugin]) -> str:
    """Say that a name is unknown, what is close to it, and which plugins could not be asked."""
    text = f"there is no {kind.noun} named {name!r}"
    near = near_misses(name, [known for c in contributions for known in (str(c), *c.aliases)])
    if near:
        text += f"; did you mean {' or '.join(map(repr, near))}?"
    elif contributions:
        text += f"; the {kind.plural} are {', '.join(contributions)}."
    else:
        text += f"; no installed plugin supplies any {kind.noun}."
    return text + _excuses(plugins)


def missing_attribute(name: str, known: Sequence[str], plugins: Sequence[Plugin]) -> str:
    """Say what is close to the name of an attribute, and which plugins could not be asked."""
    near = near_misses(name, known)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "no plugin declares it."
    return hint + _excuses(plugins)


def _excuses(plugins: Sequence[Plugin]) -> str:
    """Say why a name might be missing: plugins that are broken, disabled, or not there at all."""
    sentences = []
    if not any(plugin.builtin for plugin in plugins):
        if core_is_installed():
            sentences.append(
                f"This installation of {CORE_DISTRIBUTION} comes without built-in plugins for it."
            )
        else:
            sentences.append(NOT_INSTALLED)
    failed = [f"{p.name!r} of {p.origin} ({cause(p.error)})" for p in plugins if p.status == "broken"]
    if failed:
        sentences.append(f"These plugins failed to load: {'; '.join(failed)}.")
    off = [f"{p.name!r} of {p.origin}" for p in plugins if p.status == "disabled"]
    if off:
        sentences.append(f"These plugins are disabled: {', '.join(off)}.")
    return "".join(f" {sentence}" for sentence in sentences)


def near_misses(name: str, known: Iterable[str]) -> list[str]:
    """Return at most three known names that look like `name`, those that contain it first."""
    folded: dict[str, str] = {}
    for candidate in known:
        folded.setdefault(fold(candidate), candidate)
    wanted = fold(name)
    inside = [key for key in folded if len(wanted) > 2 and wanted in key]
    return [folded[key] for key in dict.fromkeys([*inside, *get_close_matches(wanted, folded, 3, 0.6)])][:3]


def ambiguous(kind: Kind, name: str, candidates: Sequence[Contribution]) -> str:
    """Say who claims a name and how to choose."""
    first = candidates[0]
    owners = " and ".join(dict.fromkeys(c.origin for c in candidates))
    if len({c.distribution for c in candidates}) == 1:
        plugins = ", ".join(repr(c.plugin) for c in candidates)
        return (
            f"{owners} declares the {kind.noun} {name!r} in several plugins ({plugins}); disable all but one."
        )
    choices = " or ".join(dict.fromkeys(repr(c.qualified) for c in candidates))
    return (
        f"the {kind.noun} {name!r} is supplied by {owners}. Write {choices}, or choose once with "
        f"genesis.plugin.prefer({name!r}, {first.distribution!r}) "
        f"or GENESIS_PREFER={name}={first.distribution}."
    )


def rival_kernels(name: str, offers: Sequence[Contribution]) -> str:
    """Say that several distributions offer a kernel for the same operation, and how to choose."""
    owners = " and ".join(dict.fromkeys(c.origin for c in offers))
    first = offers[0].distribution
    return (
        f"the kernel {name!r} is offered by {owners}; none of them is used. Choose once with "
        f"genesis.plugin.prefer({name!r}, {first!r}) or GENESIS_PREFER={name}={first}."
    )


def kernel_failed(offer: Contribution, error: BaseException) -> str:
    """Say that a kernel cannot be used, and what happens instead."""
    return (
        f"{cause(error)}. {offer.device} does {offer.op} without it. Repair or uninstall "
        f"{offer.distribution}, or set GENESIS_DISABLE_PLUGINS={offer.distribution}."
    )


def slow(plugin: Plugin) -> str:
    """Say that a plugin delays everything, and what to do."""
    return (
        f"plugin {plugin.name!r} of {plugin.origin} took {plugin.milliseconds / 1e3:.1f} s to declare "
        f"itself. Ask its authors to import less in {plugin.module}, or set "
        f"GENESIS_DISABLE_PLUGINS={plugin.distribution}."
    )


def deprecated(plugin: Plugin) -> str:
    """Say that a plugin works, but will not always."""
    return (
        f"plugin {plugin.name!r} of {plugin.origin} works, but uses what will go away: {plugin.deprecated} "
        f"Install a newer {plugin.distribution}, or tell its authors."
    )


def not_disabled(name: str, near: Sequence[str]) -> str:
    """Say that a name among those to disable looks misspelt."""
    return (
        f"{name!r} should be disabled, as genesis.plugin.disable or GENESIS_DISABLE_PLUGINS says, but "
        f"nothing that is installed has this name; did you mean {' or '.join(map(repr, near))}?"
    )


def not_preferred(kind: Kind, name: str, distribution: str, near: Sequence[str]) -> str:
    """Say that a name among the preferences looks misspelt."""
    return (
        f"{name!r} should come from {distribution!r}, as genesis.plugin.prefer or GENESIS_PREFER says, but "
        f"it supplies no {kind.noun} of this name; did you mean {' or '.join(map(repr, near))}?"
    )


def unmet_preference(kind: Kind, name: str, wanted: str, candidates: Sequence[Contribution]) -> str:
    """Say that the user prefers a distribution which does not supply the name."""
    owners = " and ".join(dict.fromkeys(c.origin for c in candidates))
    return (
        f"the {kind.noun} {name!r} should come from {wanted!r}, as genesis.plugin.prefer "
        f"or GENESIS_PREFER says, but it is supplied by {owners} only. "
        f"Install {wanted}, or remove the preference."
    )


def strict_mode() -> bool:
    """Whether a broken plugin is an error."""
    return os.environ.get("GENESIS_STRICT_PLUGINS", "").strip().lower() not in {"", "0", "false", "no"}
