"""What a plugin calls the things that it adds, and what it says of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from genesis.plugin._contribution import fold
from genesis.plugin._discovery import CORE_DISTRIBUTION
from genesis.testing.plugin_checks._declaration import listed
from genesis.testing.plugin_checks._fresh import Fields
from genesis.testing.plugin_checks._subject import Subject
from genesis.testing.plugin_checks._targets import answers

SUMMARY = 88  # characters; in a listing it stands behind name, aliases, distribution and version


def summaries(asked: Subject) -> None:
    """A summary is one sentence that fits into a listing."""
    listed(_bad_summaries(asked))


def _bad_summaries(asked: Subject) -> Iterator[str]:
    for spec in asked.specs:
        text: str = spec["summary"]
        said = f"the summary of {spec['name']!r}, {text!r},"
        if not text.endswith("."):
            yield f"{said} does not end with a full stop: write one whole sentence."
        elif re.search(r"[.!?]\s+[A-Z]", text.replace("e.g. ", "").replace("i.e. ", "")):
            yield f"{said} is more than one sentence; the rest belongs into the docstring."
        if text != text.strip() or "  " in text:
            yield f"{said} has spaces at an end, or two of them together."
        if len(text) > SUMMARY:
            yield f"{said} has {len(text)} characters; {SUMMARY} fit into a listing."


def classes(asked: Subject) -> None:
    """A class is declared under its own name."""
    listed(
        f"{a['target']} is the class {a['class_name']}, and it is declared as {a['name']!r}: a "
        f"traceback, a repr and a saved configuration say {a['class_name']}. Declare it as "
        f"{a['class_name']!r}, with {a['name']!r} among the aliases."
        for a in answers(asked)
        if a["class_name"] and a["class_name"] != a["name"] and a["kind"] in ("optimizers", "schedulers")
    )


def free(asked: Subject) -> None:
    """Nothing else that is installed has these names."""
    listed(_clashes(asked))


def _clashes(asked: Subject) -> Iterator[str]:
    others: list[Fields] = [
        other
        for other in asked.loaded.found.get("names", ())
        if fold(other["distribution"]) != fold(asked.name)
    ]
    for spec in asked.specs:
        for name in dict.fromkeys((spec["name"], *spec["aliases"])):
            for other in others:
                same_thing = (fold(spec["name"]), spec["target"]) == (fold(other["name"]), other["target"])
                claimed = {fold(n) for n in (other["name"], *other["aliases"])}
                if other["kind"] == spec["kind"] and fold(name) in claimed and not same_thing:
                    yield _clash(asked, name, other)


def _clash(asked: Subject, name: str, other: Fields) -> str:
    if fold(other["distribution"]) == fold(CORE_DISTRIBUTION):
        return (
            f"{name!r} is the name of one of the built-in {other['kind']}: yours is listed as shadowed, and "
            f"found as '{asked.name}:{name}' only, unless the user prefers it. Choose another name."
        )
    return (
        f"{name!r} is claimed by {other['distribution']} {other['version']} too, which is installed here: "
        f"who has both must write '{asked.name}:{name}' or choose with genesis.plugin.prefer. Choose a name "
        f"that says whose it is, or uninstall {other['distribution']} if this is an earlier name of yours."
    )


NAMES: dict[str, Callable[[Subject], None]] = {
    "names/summaries": summaries,
    "names/classes": classes,
    "names/free": free,
}
