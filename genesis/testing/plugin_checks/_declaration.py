"""What importing and asking `plugin.py` does: it should declare, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from genesis.testing.plugin_checks._fresh import ask
from genesis.testing.plugin_checks._subject import Subject, misspelt_groups

MILLISECONDS = 20.0
_TRIES = 5

# What an import of genesis.plugin brings along.
_GENESIS = {"genesis", "pluggy", "importlib_metadata", "zipp", "typing_extensions"}


def loads(asked: Subject) -> None:
    """Every plugin of the distribution can be imported and says what it declares."""
    needed = (
        'its pyproject.toml needs a table such as [project.entry-points."genesis.optimizers"] with a line '
        'such as `acme = "acme_lion.plugin"`.'
    )
    assert asked.entries, (
        f"{asked.origin} is installed, but has no plugin: "
        f"{' '.join(misspelt_groups(asked.distribution)) or needed} Install it again after a change: entry "
        "points are read when it is installed."
    )
    answer = asked.declared
    assert not answer.end, (
        f"the interpreter that imported the declaration of {asked.origin} {answer.end}"
        + (f"; it had printed:\n{answer.printed}" if answer.printed else "")
        + "\nA plugin.py returns declarations; it does no work, and leaves no process."
    )
    broken = [
        f"plugin {entry['name']!r} of {asked.origin}, {entry['kind']}, module {entry['module']!r}, does not "
        f"declare itself: {plugin['error']}\n{plugin['traceback']}"
        for entry, plugin in zip(asked.entries, answer.found["plugins"], strict=True)
        if plugin["error"]
    ]
    assert not broken, "\n".join(broken)


def imports(asked: Subject) -> None:
    """The declaration imports no libraries."""
    found = {
        name: trail
        for name, trail in asked.declared.found["imports"].items()
        if name not in _GENESIS | asked.packages
    }
    # Most of them are there because of another one.
    direct = {name: trail for name, trail in found.items() if not _through(trail, set(found))}
    others = sorted(set(found) - set(direct))
    assert not found, (
        "; ".join(_route(name, trail, asked.packages) for name, trail in direct.items())
        + (f" (which brings {_few(others)})" if others else "")
        + ". Every listing of Genesis imports the declaration, the targets only when they are used: move "
        "the import into the module of the target, or into a function; `python -X importtime -c "
        f"'import {asked.entries[0]['module']}'` shows the way."
    )


def _through(trail: list[tuple[str, str, int]], strangers: set[str]) -> bool:
    return any(module.partition(".")[0] in strangers for module, _, _ in trail)


def _route(name: str, trail: list[tuple[str, str, int]], own: set[str]) -> str:
    steps = list(dict.fromkeys((module, line) for module, _, line in trail))
    files = {module: file for module, file, _ in trail}
    while steps and steps[0][0].partition(".")[0] not in own:
        del steps[0]
    if not steps:
        return f"the declaration imports {name}"
    (module, line), rest = steps[0], steps[1:]
    file = module.replace(".", "/") + ("/__init__.py" if files[module].endswith("__init__.py") else ".py")
    if not rest:
        return f"{file} imports {name} (line {line})"
    way = [m if m.partition(".")[0] in own else m.partition(".")[0] for m, _ in rest]
    return f"{file} imports {name} (line {line}, through {', '.join(dict.fromkeys(way))})"


def _few(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def time(asked: Subject) -> None:
    """The declaration takes little time of the processor."""
    best: dict[str, float] = {}
    slow: dict[str, float] = {}
    answer = asked.declared
    for number in range(_TRIES):  # a busy machine may be slow once, and the first time compiles
        if number:
            answer = ask("declare", asked.entries)
        for entry, plugin in zip(asked.entries, answer.found.get("plugins", ()), strict=False):
            if not plugin["error"]:
                best[entry["module"]] = min(best.get(entry["module"], 1e9), plugin["cpu"] * 1e3)
        slow = {module: spent for module, spent in best.items() if spent > MILLISECONDS}
        if not slow:
            return
    assert not slow, (
        "; ".join(f"{module} takes {spent:.0f} ms" for module, spent in slow.items())
        + f" of the processor to be imported and asked, in the best of {_TRIES} new processes; "
        f"{MILLISECONDS:.0f} ms are allowed, beyond what Genesis itself needs. Every listing waits for it. "
        f"`python -X importtime -c 'import {asked.entries[0]['module']}'` shows where they go."
    )


def quiet(asked: Subject) -> None:
    """The declaration prints nothing."""
    printed = asked.declared.printed.strip()
    assert not printed, (
        f"importing the declaration of {asked.origin} prints:\n{printed[:1000]}\n"
        "It is imported by other people's programs, whose output may be read by machines: take the print, "
        "the warning or the logging out, or move it into the module of the target."
    )


def alone(asked: Subject) -> None:
    """The declaration changes nothing that the whole process shares."""
    changed = asked.declared.found["changes"]
    assert not changed, (
        f"importing the declaration of {asked.origin} changes "
        + "; ".join(f"{thing} ({_few(names)})" for thing, names in changed.items())
        + ". These belong to the program that lists the plugins: do it when your own code is used, and only "
        "where that is what the user asked for."
    )


def lasting(asked: Subject) -> None:
    """The declaration uses nothing that will go away."""
    going = [plugin["deprecated"] for plugin in asked.declared.found["plugins"] if plugin["deprecated"]]
    assert not going, f"{asked.origin} works, but uses what will go away: {' '.join(going)}"


def something(asked: Subject) -> None:
    """Every plugin declares at least one thing."""
    empty = [
        f"{entry['module']} returns no {entry['kind']}"
        for entry, plugin in zip(asked.entries, asked.declared.found["plugins"], strict=True)
        if not plugin["specs"]
    ]
    assert not empty, (
        f"{'; '.join(empty)}. Declare what there may be, even where it cannot be used on this machine (a "
        "device says so by probe()), or take the entry point out of pyproject.toml."
    )


DECLARATION: dict[str, Callable[[Subject], None]] = {
    "declaration/imports": imports,
    "declaration/time": time,
    "declaration/quiet": quiet,
    "declaration/leaves_the_process_alone": alone,
    "declaration/not_deprecated": lasting,
    "declaration/declares_something": something,
}


def listed(problems: Iterable[str]) -> None:
    """Fail if there are problems, and say each on a line of its own."""
    found = list(problems)
    assert not found, "\n".join(found)
