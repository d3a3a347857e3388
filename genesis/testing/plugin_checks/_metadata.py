"""What a distribution says of itself: to pip, to PyPI, and to those who read its page there."""

from __future__ import annotations

import re
from collections.abc import Callable

from genesis.plugin._discovery import CORE_DISTRIBUTION
from genesis.plugin._requirement import requirement_on_core
from genesis.testing.plugin_checks._subject import Subject, misspelt_groups

_AGAIN = "Install the package again after the change: metadata are written when it is installed."


def _field(asked: Subject, name: str) -> str:
    values = asked.distribution.metadata.get_all(name) or []
    return "\n".join(str(value) for value in values if str(value).strip() not in {"", "UNKNOWN"})


def summary(asked: Subject) -> None:
    """The distribution has a summary."""
    assert _field(asked, "Summary"), (
        f'{asked.origin} has no summary: add `description = "..."`, one line, to [project] in '
        f"pyproject.toml. PyPI and `genesis plugins show` print it. {_AGAIN}"
    )


def licence(asked: Subject) -> None:
    """The distribution has a licence."""
    classified = "License ::" in _field(asked, "Classifier")
    assert classified or any(_field(asked, n) for n in ("License-Expression", "License", "License-File")), (
        f'{asked.origin} names no licence, so nobody may use it: add `license = "MIT"`, or another one, '
        f"to [project] in pyproject.toml, and a file LICENSE beside it. {_AGAIN}"
    )


def python(asked: Subject) -> None:
    """The distribution says which versions of Python it needs."""
    assert _field(asked, "Requires-Python"), (
        f'{asked.origin} does not say which versions of Python it needs: add `requires-python = ">=3.10"` '
        f"to [project] in pyproject.toml. Without it pip installs it where it cannot run. {_AGAIN}"
    )


def genesis(asked: Subject) -> None:
    """The distribution requires Genesis, a version that this one is."""
    import genesis

    needed = requirement_on_core(asked.name)
    assert needed is not None, (
        f'{asked.origin} does not require {CORE_DISTRIBUTION}: add `dependencies = ["{CORE_DISTRIBUTION}>='
        f'{genesis.__version__}"]` to [project] in pyproject.toml. {_AGAIN}'
    )
    assert needed.met, (
        f"{asked.origin} requires {needed.text}, and this is {CORE_DISTRIBUTION} {needed.installed}: install "
        "a version that fits, or widen the requirement if the plugin works with this one."
    )


def readme(asked: Subject) -> None:
    """The README tells what there is."""
    text = str(asked.distribution.metadata.json.get("description") or "").strip()
    assert text, (
        f'{asked.origin} has no README in its metadata: add `readme = "README.md"` to [project] in '
        f"pyproject.toml. It is the page on PyPI. {_AGAIN}"
    )
    missing = [
        spec["name"]
        for spec in asked.specs
        if not re.search(rf"(?<!\w){re.escape(spec.get('op') or spec['name'])}(?!\w)", text)
    ]
    assert not missing, (
        f"the README of {asked.origin} does not mention {', '.join(missing)}: those who look for the name "
        f"find the package by it. {_AGAIN}"
    )


def groups(asked: Subject) -> None:
    """The entry points are in groups that Genesis knows."""
    wrong = misspelt_groups(asked.distribution)
    assert not wrong, f"{asked.origin}: {' '.join(wrong)} What is in it is never found. {_AGAIN}"


METADATA: dict[str, Callable[[Subject], None]] = {
    "metadata/summary": summary,
    "metadata/licence": licence,
    "metadata/python": python,
    "metadata/genesis": genesis,
    "metadata/readme": readme,
    "metadata/entry_points": groups,
}
NOT_FOR_GENESIS = {"metadata/genesis", "metadata/readme", "names/free"}
