"""`pytest --genesis-device` in somebody else's folder: a device of their own, and one that does not exist."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = """
from genesis.plugin import BackendSpec, hookimpl, register


class Plugin:
    @hookimpl
    def genesis_backends(self):
        return [
            BackendSpec("acme", "acme_device:Acme", "A device."),
            BackendSpec("absent", "acme_device:Absent", "A device that is not there."),
        ]


register(Plugin(), name="acme-tests")
"""
DEVICE = """
from genesis.backend import Availability
from genesis.testing.reference import RefBackend


class Acme(RefBackend):
    name = "acme"


class Absent(RefBackend):
    name = "absent"

    def probe(self):
        return Availability(False, 0, "no driver")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "acme_device.py").write_text(DEVICE)
    return tmp_path


def suite(folder: Path, device: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "genesis.testing.pytest_plugin",
         f"--genesis-device={device}", *arguments],
        cwd=folder, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def test_the_suite_runs_on_a_device_of_the_folder(folder: Path) -> None:
    done = suite(folder, "acme", "--pyargs", "genesis.testing.suite.test_tensor_views")
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def test_a_device_that_does_not_exist_is_refused_at_once(folder: Path) -> None:
    done = suite(folder, "acne", "--pyargs", "genesis.testing.suite")
    assert done.returncode == 4
    assert "--genesis-device=acne" in done.stderr
    assert "did you mean 'acme'?" in done.stderr


def test_a_device_that_cannot_be_used_says_why(folder: Path) -> None:
    done = suite(folder, "absent", "--pyargs", "genesis.testing.suite")
    assert done.returncode == 4
    assert "'absent' cannot be used here: no driver" in done.stderr
