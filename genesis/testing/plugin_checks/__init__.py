"""The checks of an installed plugin: what it declares, what its declaration costs, and its metadata."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from genesis.testing._check import Check, Question, named
from genesis.testing.plugin_checks._declaration import DECLARATION, loads
from genesis.testing.plugin_checks._metadata import METADATA, NOT_FOR_GENESIS
from genesis.testing.plugin_checks._names import NAMES
from genesis.testing.plugin_checks._subject import Subject, subject
from genesis.testing.plugin_checks._targets import PROBES, TARGETS

__all__ = ["check_plugin"]


def check_plugin(distribution: str, expected_failures: Mapping[str, str] | None = None) -> list[Check]:
    """Return the checks of an installed plugin, of all the kinds of things that it adds.

    They ask whether the declaration is light, quiet and leaves the process alone; whether the names are
    free and the summaries fit into a listing; whether the targets exist and are what they should be; and
    whether the metadata tell users what they need. What a device, an optimizer or a schedule computes is
    asked by the kits for these.

    The declaration and the targets are imported in interpreters of their own, once for all checks: one when
    the checks are made, another when the first check of a target is called.

    Args:
        distribution: The name of an installed distribution, or of one of its plugins, as
            GENESIS_DISABLE_PLUGINS takes it. An editable installation will do.
        expected_failures: From the name of a check, or a glob such as `"metadata/*"`, to the reason why it
            fails.

    Returns:
        The checks; if the plugin cannot be imported, or does not declare itself, only `"loads"`, which says
        why.

    Raises:
        UnknownNameError: Nothing of this name is installed.

    Example:
        >>> @parametrize(check_plugin("acme-lion"))
        ... def test_plugin(check):
        ...     check()
    """
    asked = subject(distribution)
    checks = named(_questions(asked), expected_failures)
    try:
        loads(asked)
    except AssertionError:
        return checks[:1]
    return checks


def _questions(asked: Subject) -> list[Question]:
    tables = {"loads": loads, **DECLARATION, **NAMES, **TARGETS, **METADATA}
    if asked.core:  # it has names of its own, and its schedules are too many for a README
        tables = {name: function for name, function in tables.items() if name not in NOT_FOR_GENESIS}
    if any(entry["kind"] == "backends" for entry in asked.entries):
        tables |= PROBES
    return [(name, partial(function, asked)) for name, function in tables.items()]
