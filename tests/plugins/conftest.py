"""Real distributions, built with hatchling and installed with pip into fresh environments."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# Each of these builds and installs many packages, and some ask all of the kit: minutes that .ci/run takes.
# `GENESIS_TEST_ALL=1 pytest tests/plugins` takes them too.
MANY = [
    "test_built_in_plugins.py",
    "test_examples.py",
    "test_isolation.py",
    "test_new.py",
    "test_versions.py",
]
collect_ignore = [] if os.environ.get("GENESIS_TEST_ALL") == "1" else MANY

ROOT = Path(__file__).parents[2]
DISTS = Path(__file__).parent / "dists"
OPTIONS = ("--quiet", "--disable-pip-version-check", "--no-index", "--no-deps")


def run(*command: object, cwd: object = sys.prefix, **environment: str) -> str:
    """Run a command outside the checkout, with nothing of the tests' settings, and return what it printed."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("GENESIS_", "PYTHON"))}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=str(cwd),  # `python -c` puts it on the path
        env={**env, **environment},
        capture_output=True,
        text=True,
        timeout=800,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


class Environment:
    """A fresh virtual environment without Genesis."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, with_pip=False, symlinks=os.name != "nt")
        self.python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        # What Genesis depends on comes from the environment that runs the tests: a .pth file puts its
        # packages behind those that we install, so no test needs a network. That environment knows Genesis
        # too, but the first on the path wins, and every test installs its own `genesis-dl`. What is there in
        # editable mode is not seen, because .pth files count in an environment's own folder only.
        paths = {"base": str(folder), "platbase": str(folder)}
        packages = Path(sysconfig.get_path("purelib", "venv", paths))
        lent = dict.fromkeys(sysconfig.get_path(key) for key in ("purelib", "platlib"))
        (packages / "lent.pth").write_text("".join(f"{path}\n" for path in lent))
        self.packages = packages

    def install(self, *wheels: Path) -> None:
        """Install wheels with pip, the one of the environment that runs the tests."""
        run(sys.executable, "-m", "pip", "--python", self.python, "install", *OPTIONS, *wheels)

    def fetch(self, *requirements: str) -> None:
        """Install what the environment that runs the tests cannot lend, from the registry."""
        words = ("--quiet", "--disable-pip-version-check", *requirements)
        run(sys.executable, "-m", "pip", "--python", self.python, "install", *words)

    def uninstall(self, *distributions: str) -> None:
        """Take distributions away again."""
        run(
            sys.executable,
            "-m",
            "pip",
            "--python",
            self.python,
            "uninstall",
            "--quiet",
            "--yes",
            *distributions,
        )

    def test(self, source: Path, part: str = "") -> int:
        """Run the tests of a project on what is installed here, not on its source; return how many passed.

        Args:
            source: The folder of the project.
            part: Which tests, as `pytest -k` takes it; all of them if empty.
        """
        folder = Path(tempfile.mkdtemp(dir=self.packages.parent))
        shutil.copytree(source / "tests", folder / "tests", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(source / "pyproject.toml", folder)
        said = run(self.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", part, cwd=folder)
        passed = re.search(r"(\d+) passed", said)
        assert passed, said
        return int(passed[1])

    def ask(self, code: str, **environment: str) -> Any:
        """Run code that fills `answer`, and return that."""
        script = f"import json\nanswer = {{}}\n{code}\nprint(json.dumps(answer))"
        return json.loads(run(self.python, "-c", script, **environment).splitlines()[-1])


def build(folder: Path, *sources: Path) -> dict[str, Path]:
    """Build wheels; return them by the name of the distribution."""
    # Without isolation, because an isolated build would fetch hatchling from the network.
    run(
        sys.executable,
        "-m",
        "pip",
        "wheel",
        *OPTIONS,
        "--no-build-isolation",
        "--wheel-dir",
        folder,
        *sources,
    )
    return {path.name.split("-")[0].replace("_", "-"): path for path in folder.glob("*.whl")}


@pytest.fixture(scope="session")
def build_wheels() -> Callable[..., dict[str, Path]]:
    """The function that builds wheels of sources into a folder."""
    return build


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every test distribution, the whole of Genesis, Genesis without plugins, and one plugin by itself."""
    folder = tmp_path_factory.mktemp("wheels")
    built = build(folder / "all", ROOT, *sorted(path for path in DISTS.iterdir() if path.is_dir()))
    built["genesis-schedulers"] = build(folder / "alone", standalone(folder / "schedulers"))[
        "genesis-schedulers"
    ]
    built["core"] = build(folder / "bare", core_only(folder / "core"))["genesis-dl"]
    return built


def core_only(folder: Path) -> Path:
    """Write a project that is Genesis without the built-in plugins."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "genesis", folder / "genesis", ignore=ignore)
    for name in ("README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    text = re.sub(r'^ *"plugins/\w+",\n', "", text, flags=re.MULTILINE)
    text = re.sub(r'^\w+ = "genesis_\w+\.plugin"\n', "", text, flags=re.MULTILINE)
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    return folder


def standalone(folder: Path) -> Path:
    """Write a project that is one built-in plugin, its folder unchanged."""
    shutil.copytree(
        ROOT / "plugins" / "genesis_schedulers",
        folder / "genesis_schedulers",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    lines = (
        "[build-system]",
        'requires = ["hatchling"]',
        'build-backend = "hatchling.build"',
        "[project]",
        'name = "genesis-schedulers"',
        'version = "9.9"',
        'dependencies = ["genesis-dl"]',
        '[project.entry-points."genesis.schedulers"]',
        'schedulers = "genesis_schedulers.plugin"',
    )
    (folder / "pyproject.toml").write_text("\n".join(lines), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def environment(
    tmp_path_factory: pytest.TempPathFactory, wheels: dict[str, Path]
) -> Callable[..., Environment]:
    """A function that makes a fresh environment and installs distributions into it."""

    def make(*distributions: str) -> Environment:
        made = Environment(tmp_path_factory.mktemp("environment"))
        made.install(*(wheels[name] for name in distributions))
        return made

    return make
