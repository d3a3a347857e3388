"""Whether what a plugin declares is there, and is what it should be."""

from __future__ import annotations

from collections.abc import Callable

from genesis.testing.plugin_checks._declaration import listed
from genesis.testing.plugin_checks._fresh import Fields
from genesis.testing.plugin_checks._subject import Subject, missing_module


def answers(asked: Subject) -> list[Fields]:
    """What loading the targets gave, in an interpreter of its own; nothing if that did not get to its end."""
    found: list[Fields] = asked.loaded.found.get("targets", [])
    return found


def load(asked: Subject) -> None:
    """The targets can be imported."""
    answer = asked.loaded
    assert not answer.end, (
        f"the interpreter that imported the targets of {asked.origin} {answer.end}"
        + (f"; it had printed:\n{answer.printed[-2000:]}" if answer.printed else "")
        + f"\nThe targets are {', '.join(spec['target'] for spec in asked.specs)}."
    )
    listed(
        f"{a['name']!r} cannot be imported from {a['target']!r}: {a['error']}"
        + (
            f". If a library is missing, add it to the dependencies in the pyproject.toml of {asked.name}."
            if a["import_error"]
            else f". Write the target as 'package.module:attribute', and try `python -c 'import "
            f"{a['target'].partition(':')[0]}'`."
        )
        for a in answers(asked)
        if a["error"] and not missing_module(a["target"].partition(":")[0])
    )


def exist(asked: Subject) -> None:
    """The modules of the targets are installed."""
    modules = [(spec, spec["target"].partition(":")[0]) for spec in asked.specs]
    modules += [(spec, spec["namespace"]) for spec in asked.specs if spec.get("namespace")]
    problems = [(spec, module, missing_module(module)) for spec, module in modules]
    listed(
        f"{spec['name']!r} is declared to be in {module!r}, but {problem}. If the file is there, the wheel "
        "does not contain it: look at [tool.hatch.build.targets.wheel] in pyproject.toml, or at what your "
        "build tool calls the list of packages."
        for spec, module, problem in problems
        if problem
    )


def fit(asked: Subject) -> None:
    """The targets are what things of their kinds are."""
    listed(
        f"the target of {a['name']!r}, {a['target']!r}, does not fit: {a['unfit']}."
        for a in answers(asked)
        if a["unfit"]
    )


def probes(asked: Subject) -> None:
    """A device says whether it can be used, and never raises."""
    listed(f"{a['name']!r}: {a['probe']}." for a in answers(asked) if a["probe"])


TARGETS: dict[str, Callable[[Subject], None]] = {
    "targets/exist": exist,
    "targets/load": load,
    "targets/fit": fit,
}
PROBES: dict[str, Callable[[Subject], None]] = {"targets/probe": probes}
