"""Distributions as pip leaves them on disk, and a registry that forgets them afterwards."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import numpy as np  # noqa: F401 (a test that forgets modules must not be the first to load it)
import pytest

import genesis.plugin
from genesis.plugin import _state

Install = Callable[..., None]

_VARIABLES = ("GENESIS_DISABLE_PLUGINS", "GENESIS_PREFER", "GENESIS_STRICT_PLUGINS")


@pytest.fixture(autouse=True)
def registry_as_new(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Start each test as a new process would, and leave nothing behind.

    `isolated()` does the same for users, but it hides installed plugins, which these tests are about.
    """
    for variable in _VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(_state, "_current", _state.State())
    modules = set(sys.modules)
    yield
    for name in set(sys.modules) - modules:
        if not name.startswith("genesis"):
            del sys.modules[name]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Return a function that puts a distribution with a plugin on the path."""

    def install(
        distribution: str,
        plugin: str,
        *,
        version: str = "1.0",
        groups: tuple[str, ...] = ("schedulers",),
        modules: tuple[str, ...] = ("plugin",),
        files: dict[str, str] | None = None,
    ) -> None:
        package = distribution.replace("-", "_")
        root = tmp_path / distribution
        entry_points = "".join(
            f"[genesis.{group}]\n"
            + "".join(f"{package}_{module} = {package}.{module}\n" for module in modules)
            for group in groups
        )
        info = f"{package}-{version}.dist-info"
        contents = {
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n",
            f"{info}/entry_points.txt": entry_points,
            f"{package}/__init__.py": "",
            **{f"{package}/{module}.py": plugin for module in modules},
            **{f"{package}/{name}": text for name, text in (files or {}).items()},
        }
        for name, text in contents.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text))
        if str(root) not in sys.path:
            monkeypatch.syspath_prepend(str(root))
        genesis.plugin.refresh()

    return install


def schedule(name: str, target: str, aliases: tuple[str, ...] = ()) -> str:
    """Return the text of a plugin that declares one schedule."""
    return f"""
from genesis.plugin import SchedulerSpec, hookimpl

@hookimpl
def genesis_schedulers():
    return [SchedulerSpec({name!r}, {target!r}, "A schedule.", {aliases!r})]
"""


@pytest.fixture
def declare() -> Callable[..., str]:
    """Return a function that writes a plugin which declares one schedule."""
    return schedule
