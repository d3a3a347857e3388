"""`genesis plugins check NAME`: the kits, run on something that is installed."""

from __future__ import annotations

import logging
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from genesis.cli._console import table
from genesis.cli._errors import Misuse
from genesis.cli._plugins.listing import say
from genesis.cli._plugins.places import all_plugins
from genesis.plugin import Contribution
from genesis.plugin._contribution import fold

if TYPE_CHECKING:
    from genesis.testing import Check

_SHOWN = 10  # failures of one kit; more of them mostly have one reason


class Outcome:
    """What the checks of one kit have found.

    Attributes:
        title: What was checked.
        failures: From the name of a check to what it says.
        passed: The names of those that passed.
        skipped: Why the kit was not run, or an empty string.
    """

    def __init__(self, title: str, checks: Sequence[Check], skipped: str = "") -> None:
        self.title, self.skipped = title, skipped
        self.failures: dict[str, str] = {}
        self.passed: list[str] = []
        with _silence():
            for check in checks:
                self._ask(check)

    def _ask(self, check: Check) -> None:
        try:
            check()
        except AssertionError as error:
            self.failures[check.name] = str(error)
        except Exception:
            self.failures[check.name] = traceback.format_exc().rstrip()
        else:
            self.passed.append(check.name)

    def rows(self, each: bool) -> Iterator[tuple[str, str, str]]:
        """Rows of a table: one for each check, or one for each group of them."""
        if self.skipped:
            yield self.title, "", f"not asked: {self.skipped}"
        names = [*self.passed, *self.failures]
        groups = dict.fromkeys(name if each else name.partition("/")[0] for name in names)
        for group in groups:
            of_it = [name for name in names if name == group or name.startswith(f"{group}/")]
            failed = sum(name in self.failures for name in of_it)
            passed = len(of_it) - failed
            if len(of_it) == 1:
                yield self.title, group, "failed" if failed else "passed"
            else:
                yield self.title, group, f"{passed} passed" + (f", {failed} failed" if failed else "")


@contextmanager
def _silence() -> Iterator[None]:
    """Checks provoke warnings, and look whether they come; nobody else wants to see them."""
    before = logging.root.manager.disable
    logging.disable()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def check_one(name: str, deep: bool) -> bool:
    """Run the kits on a distribution or plugin, print what they found, and return whether all passed."""
    from genesis.testing import check_plugin

    outcomes = [Outcome(name, check_plugin(name))]
    if deep and "loads" not in outcomes[0].failures:
        outcomes += (_deep(c) for c in _added_by(name))
    table(
        ("subject", "question", "answer"),
        (row for number, outcome in enumerate(outcomes) for row in outcome.rows(each=number == 0)),
    )
    for outcome in outcomes:
        shown = list(outcome.failures.items())[:_SHOWN]
        for question, text in shown:
            said = "\n".join(f"  {line}" for line in text.splitlines())
            say(f"\n{outcome.title}, {question}:\n{said}")
        if len(outcome.failures) > len(shown):
            say(f"\n… and {len(outcome.failures) - len(shown)} more failures of {outcome.title}.")
    failed = sum(len(outcome.failures) for outcome in outcomes)
    passed = sum(len(outcome.passed) for outcome in outcomes)
    say(f"\n{passed} checks passed, {failed} failed.")
    return not failed


def _added_by(name: str) -> list[Contribution]:
    plugins = [p for p in all_plugins() if fold(name) in (fold(p.distribution), fold(p.name))]
    if plugins and all(p.status == "disabled" for p in plugins):
        raise Misuse(f"{name} is disabled; take it out of GENESIS_DISABLE_PLUGINS to check what it adds")
    return [c for p in plugins for c in p.contributions]


def _deep(c: Contribution) -> Outcome:
    title = f"{c.name} ({c.kind.removesuffix('s')})"
    try:
        return Outcome(title, _KITS[c.kind](c))
    except _Skipped as reason:
        return Outcome(title, [], str(reason))


class _Skipped(Exception):
    """A kit cannot be run here; the text says why."""


def _backend(c: Contribution) -> Sequence[Check]:
    from genesis.testing import check_backend

    available = c.load()().probe()
    if not available.ok:
        raise _Skipped(f"it cannot be used here, {available.reason}")
    return check_backend(str(c))


def _kernel(c: Contribution) -> Sequence[Check]:
    from genesis.plugin import registry
    from genesis.testing import check_kernel

    devices = {fold(n): d for d in registry("backends").contributions() for n in (d.name, *d.aliases)}
    device = devices.get(fold(c.device))
    if device is None:
        raise _Skipped(f"no plugin supplies the device {c.device!r}")
    available = device.load()().probe()
    if not available.ok:
        raise _Skipped(f"{c.device} cannot be used here, {available.reason}")
    return check_kernel(c.qualified)


def _optimizer(c: Contribution) -> Sequence[Check]:
    from inspect import Parameter

    from genesis.testing import check_optimizer

    needed = [
        name
        for name, p in list(c.signature().parameters.items())[1:]
        if p.default is Parameter.empty and p.kind not in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    ]
    if set(needed) - {"lr"}:
        raise _Skipped(f"it needs {', '.join(needed)}; check it in tests of its own")
    checks: Sequence[Check] = check_optimizer(str(c), {"lr": 1e-2} if needed else None)
    return checks


def _scheduler(c: Contribution) -> Sequence[Check]:
    from genesis.cli._curves.examples import ExampleOptimizer, example_options
    from genesis.optim import Schedule
    from genesis.testing import check_scheduler

    length = 12  # the kit takes 16 steps, and goes past the end
    try:
        example_options(c, {}, length, ExampleOptimizer(1.0))
    except Misuse as error:
        raise _Skipped(str(error)) from None
    target = c.load()
    if isinstance(target, type) and issubclass(target, Schedule):
        return check_scheduler(str(c), example_options(c, {}, length, None)[0])
    return check_scheduler(str(c), lambda optimizer: example_options(c, {}, length, optimizer)[0])


def _communicator(c: Contribution) -> Sequence[Check]:
    from genesis.testing import check_communicator

    available = c.load().probe()
    if not available.ok:
        raise _Skipped(f"it cannot be used here, {available.reason}")
    return check_communicator(str(c))


_KITS: dict[str, Callable[[Contribution], Sequence[Any]]] = {
    "backends": _backend,
    "communicators": _communicator,
    "kernels": _kernel,
    "optimizers": _optimizer,
    "schedulers": _scheduler,
}
