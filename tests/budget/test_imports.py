"""What is imported, and when: nothing before it is used."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {"numpy", "numba", "pluggy", "importlib_metadata", "rich", "typer", "matplotlib", "safetensors"}
SLOW_STANDARD_MODULES = {"importlib.metadata", "dataclasses", "inspect", "logging", "typing", "asyncio"}


def imported_by(code: str) -> set[str]:
    """Run code in a new process; return the modules that it imports, and that Python alone had not."""
    script = (
        f"import sys\nbefore = set(sys.modules)\n{code}\n"
        "after = set(sys.modules)\nimport json\nprint(json.dumps(sorted(after - before)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def packages(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def test_importing_genesis_imports_next_to_nothing() -> None:
    modules = imported_by("import genesis")
    assert not modules & SLOW_STANDARD_MODULES
    assert "genesis.plugin" not in modules
    strangers = packages(modules) - {"genesis"} - set(sys.stdlib_module_names)
    assert not strangers, "neither libraries nor plugins"


def test_importtime_agrees() -> None:
    # The list that a user sees with this option also has what was imported and thrown away again.
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import genesis"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    names = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if "|" in line}
    assert "genesis" in names
    assert not packages(names) & HEAVY
    assert not any(name.startswith("genesis_") for name in names)


@pytest.mark.parametrize(
    "code",
    [
        "import genesis; dir(genesis); genesis.__version__; genesis.GenesisError",
        "import genesis.plugin",
        "import genesis; genesis.list_schedulers(); genesis.list_optimizers(); genesis.list_backends()",
        "import genesis; dir(genesis.optim)",
    ],
)
def test_names_cost_no_numerical_library(code: str) -> None:
    modules = imported_by(code)
    assert not packages(modules) & {"numpy", "numba", "scipy_openblas32", "matplotlib"}
    targets = {"genesis_cpu.backend", "genesis_optimizers.adamw", "genesis_schedulers.lambda_lr"}
    assert not modules & targets


def test_a_schedule_needs_no_numerical_library() -> None:
    modules = imported_by("import genesis; genesis.optim.LambdaLR")
    assert "genesis_schedulers.lambda_lr" in modules
    assert not packages(modules) & {"numpy", "numba", "genesis_cpu"}
