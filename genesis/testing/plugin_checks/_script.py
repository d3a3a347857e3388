"""What runs in an interpreter of its own: `python _script.py REQUEST ANSWER`, two JSON files.

It declares the plugins of a distribution and watches what that does to the process, or it loads what they
have declared and says what that is. This file is run by its path, so it imports nothing but the standard
library before it takes over the path of the process that asks.
"""

from __future__ import annotations

import json
import locale
import os
import random
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

Fields = dict[str, Any]


class Trail:
    """A finder that finds nothing, and remembers from where each top-level module was asked for first."""

    def __init__(self) -> None:
        self.steps: dict[str, list[tuple[str, str, int]]] = {}

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if "." in name or name in self.steps or name in sys.stdlib_module_names:
            return
        steps = []
        frame = sys._getframe(1)
        while frame.f_back is not None and frame.f_globals is not globals():
            module = str(frame.f_globals.get("__name__", ""))
            if module.partition(".")[0] not in {
                "importlib",
                "_frozen_importlib",
                "_frozen_importlib_external",
            }:
                steps.append((module, frame.f_code.co_filename, frame.f_lineno))
            frame = frame.f_back
        self.steps[name] = steps[::-1]


def process_state() -> dict[str, dict[str, str]]:
    """What everybody in a process shares: the names of things, and what each of them is like."""
    handlers = {
        signal.Signals(s).name: repr(signal.getsignal(s)) for s in signal.valid_signals() if _named(s)
    }
    return {
        "the filters of warnings": {repr(item): "" for item in warnings.filters},
        "functions of sys and warnings": {
            "warnings.showwarning": repr(warnings.showwarning),
            "sys.excepthook": repr(sys.excepthook),
            "sys.stdout": repr(sys.stdout),
            "sys.stderr": repr(sys.stderr),
            "sys.setrecursionlimit": repr(sys.getrecursionlimit()),
            "sys.settrace": repr(sys.gettrace()),
        },
        "the handlers of signals": handlers,
        "environment variables": dict(os.environ),
        "the state of random": {"random.getstate()": repr(hash(random.getstate()))},
        "sys.path": {item: str(number) for number, item in enumerate(sys.path)},
        "sys.meta_path": {repr(item): "" for item in sys.meta_path},
        "the working directory": {os.getcwd(): ""},
        "the locale": {locale.setlocale(locale.LC_ALL): ""},
        "threads": {thread.name: "" for thread in threading.enumerate()},
    }


def _named(number: int) -> bool:
    return number in signal.Signals._value2member_map_  # real-time signals have numbers only


def changes(before: dict[str, dict[str, str]], after: dict[str, dict[str, str]]) -> dict[str, list[str]]:
    """Which of the shared things are not as they were."""
    found = {}
    for thing, old in before.items():
        new = after[thing]
        changed = [f"{name} is new" for name in new if name not in old]
        changed += [f"{name} is gone" for name in old if name not in new]
        changed += [f"{name} has changed" for name in new if name in old and new[name] != old[name]]
        if changed:
            found[thing] = changed
    return found


def declare(entries: list[Fields]) -> Fields:
    """Ask each plugin what it declares."""
    from genesis.plugin import Plugin

    trail = Trail()
    sys.meta_path.insert(0, trail)
    known, before = set(sys.modules), process_state()
    answers = [_declare(Plugin(e["kind"], e["name"], e["module"], "", "")) for e in entries]
    sys.stdout.flush()
    after = process_state()
    new = {name.partition(".")[0] for name in set(sys.modules) - known} - {n.partition(".")[0] for n in known}
    return {
        "plugins": answers,
        "changes": changes(before, after),
        "imports": {
            name: trail.steps.get(name, []) for name in sorted(new) if name not in sys.stdlib_module_names
        },
    }


def _declare(plugin: Any) -> Fields:
    start = time.process_time()  # not the time on the wall, in which other programs have their share
    try:
        plugin.declare()
    except BaseException as error:
        return {
            "error": describe(error),
            "traceback": traceback.format_exc(),
            "deprecated": "",
            "specs": [],
            "cpu": 0.0,
        }
    return {
        "error": "",
        "deprecated": plugin.deprecated,
        "traceback": "",
        "specs": [
            {"name": spec.name, "aliases": list(spec.aliases), **_plain(spec._asdict())}
            for spec in plugin.specs
        ],
        "cpu": time.process_time() - start,
    }


def _plain(fields: Fields) -> Fields:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}


def describe(error: BaseException) -> str:
    """An exception as one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def load(entries: list[Fields]) -> Fields:
    """Load each target and say what it is; and list what all installed plugins declare."""
    from genesis.plugin.specs import KINDS

    warnings.simplefilter("ignore")  # of other plugins that are broken, and of what the targets import
    return {
        "names": [_named_thing(c) for kind in KINDS for c in _registry(kind).contributions()],
        "targets": [_load(entry) for entry in entries],
    }


def _registry(kind: str) -> Any:
    from genesis.plugin import registry

    return registry(kind)


def _named_thing(c: Any) -> Fields:
    return {
        "kind": c.kind,
        "name": c.name,
        "aliases": list(c.aliases),
        "target": c.target,
        "distribution": c.distribution,
        "version": c.version,
    }


def _load(entry: Fields) -> Fields:
    from genesis.plugin import Contribution

    answer = {"kind": entry["kind"], "name": entry["name"], "target": entry["target"]}
    answer.update(error="", unfit="", class_name="", probe="", import_error=False)
    try:
        thing = Contribution(
            entry["name"], name=entry["name"], target=entry["target"], distribution="", version=""
        ).load()
    except BaseException as error:
        first = error.__cause__ or error
        answer.update(error=describe(first), import_error=isinstance(first, ImportError))
        return answer
    if isinstance(thing, type):
        answer["class_name"] = thing.__name__
    try:
        answer["unfit"] = FITS.get(entry["kind"], _callable)(thing, entry)
        if entry["kind"] == "backends" and not answer["unfit"]:
            answer["probe"] = _probe(thing)
    except BaseException as error:
        answer["unfit"] = f"looking at it raises {describe(error)}"
    return answer


def _callable(thing: Any, entry: Fields) -> str:
    return "" if callable(thing) else f"it is {_said(thing)}, which cannot be called"


def _said(thing: Any) -> str:
    """What a thing is, in words."""
    if isinstance(thing, type):
        return f"the class {thing.__name__} of {', '.join(base.__name__ for base in thing.__bases__)}"
    if callable(thing):
        return "a function" if hasattr(thing, "__code__") else f"a callable {type(thing).__name__}"
    return f"a {type(thing).__name__}"


def _takes_first(thing: Any, name: str) -> str:
    from inspect import Parameter, signature

    if not callable(thing):
        return f"it is {_said(thing)}; expected a class or a function that is called with ({name}, ...)"
    try:
        parameters = list(signature(thing).parameters.values())
    except (TypeError, ValueError):  # a compiled function need not have one
        return ""
    positional = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD, Parameter.VAR_POSITIONAL)
    if not parameters or parameters[0].kind not in positional:
        shown = ", ".join(str(parameter) for parameter in parameters)
        return f"it takes ({shown}); it is called with {name} first, by position"
    return ""


def _backend(thing: Any, entry: Fields) -> str:
    from genesis.backend import Backend

    if not (isinstance(thing, type) and issubclass(thing, Backend)):
        return f"it is {_said(thing)}; expected a subclass of genesis.backend.Backend"
    missing = sorted(thing.__abstractmethods__)
    if missing:
        return f"{thing.__name__} lacks {', '.join(missing)}; a device must have all eight required methods"
    name = getattr(thing, "name", None)
    if name != entry["name"]:
        return (
            f"the class attribute `name` of {thing.__name__} is {name!r}, and the device is declared as "
            f"{entry['name']!r}: write `name = {entry['name']!r}`"
        )
    if entry.get("namespace"):
        from importlib import import_module

        try:
            import_module(entry["namespace"])
        except Exception as error:
            return f"its namespace {entry['namespace']!r} cannot be imported: {describe(error)}"
    return ""


def _optimizer(thing: Any, entry: Fields) -> str:
    from genesis.optim import Optimizer

    if isinstance(thing, type) and not issubclass(thing, Optimizer):
        return f"it is {_said(thing)}; expected a subclass of genesis.optim.Optimizer, or a function"
    return _takes_first(thing, "params")


def _scheduler(thing: Any, entry: Fields) -> str:
    from genesis.optim import LRScheduler, Schedule

    if isinstance(thing, Schedule):
        return f"it is an object, {thing!r}; declare its class, or a function that takes the optimizer"
    if isinstance(thing, type) and issubclass(thing, Schedule):
        missing = sorted(getattr(thing, "__abstractmethods__", ()))
        return f"{thing.__name__} lacks {', '.join(missing)}" if missing else ""
    if isinstance(thing, type) and not issubclass(thing, LRScheduler):
        return (
            f"it is {_said(thing)}; expected a subclass of genesis.optim.Schedule or "
            "genesis.optim.LRScheduler, or a function"
        )
    return _takes_first(thing, "optimizer")


def _kernel(thing: Any, entry: Fields) -> str:
    from genesis.ops import OVERRIDABLE
    from genesis.ops._op import BY_NAME, ON_LISTS

    op = entry["op"].removesuffix(".backward")
    if op not in OVERRIDABLE and op not in (*ON_LISTS, *BY_NAME) and not op.endswith("_step"):
        from difflib import get_close_matches

        near = get_close_matches(op, OVERRIDABLE, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"they are {', '.join(sorted(OVERRIDABLE))}"
        return f"there is no operation {op!r} that a device may have a kernel for; {hint}"
    return _takes_first(thing, "backend")


def _communicator(thing: Any, entry: Fields) -> str:
    from genesis.distributed import Communicator

    if not (isinstance(thing, type) and issubclass(thing, Communicator)):
        return f"it is {_said(thing)}; expected a subclass of genesis.distributed.Communicator"
    missing = sorted(thing.__abstractmethods__)
    return f"{thing.__name__} lacks {', '.join(missing)}" if missing else ""


FITS: dict[str, Callable[[Any, Fields], str]] = {
    "backends": _backend,
    "communicators": _communicator,
    "kernels": _kernel,
    "optimizers": _optimizer,
    "schedulers": _scheduler,
}


def _probe(backend: Any) -> str:
    from genesis.backend import Availability

    try:
        device = backend()
    except BaseException as error:
        return (
            f"{backend.__name__}() raises {describe(error)}; it is made before anybody knows whether the "
            "device can be used: look for drivers in probe(), open them at the first allocate()"
        )
    try:
        answer = device.probe()
    except BaseException as error:
        return (
            f"{backend.__name__}().probe() raises {describe(error)}; return "
            f"Availability(False, 0, {describe(error)!r}) instead, so that a listing can show the reason"
        )
    if not isinstance(answer, Availability):
        return f"{backend.__name__}().probe() returns {answer!r}; expected a genesis.backend.Availability"
    if not answer.ok and not answer.reason:
        return (
            f"{backend.__name__}().probe() says no without a reason; give one, such as "
            "Availability(False, 0, 'no driver: libacme.so was not found')"
        )
    return ""


def main() -> None:
    request = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    sys.path[:] = request["path"]
    answer = {"declare": declare, "load": load}[request["question"]](request["entries"])
    Path(sys.argv[2]).write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main()
