"""What Genesis depends on."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = ROOT / "pyproject.toml"
pytestmark = pytest.mark.skipif(not PROJECT.exists(), reason="needs a checkout")


def oldest() -> dict[str, str]:
    command = [sys.executable, str(ROOT / "tests" / "supply" / "oldest.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(line.split("==") for line in done.stdout.splitlines())


def test_every_dependency_has_a_lower_bound_that_is_tested() -> None:
    tomllib = pytest.importorskip("tomllib")  # since Python 3.11
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    bounds = oldest()
    used = [Requirement(text) for text in project["dependencies"] + project["optional-dependencies"]["test"]]
    assert {r.name for r in used} == set(bounds)
    for requirement in used:
        assert [s.operator for s in requirement.specifier] == [">="], "no upper bounds without need"
        assert bounds[requirement.name] in requirement.specifier, requirement


def test_what_is_installed_is_allowed() -> None:
    for text in requires("genesis-dl") or []:
        requirement = Requirement(text)
        if requirement.marker is None:
            assert version(requirement.name) in requirement.specifier, requirement
