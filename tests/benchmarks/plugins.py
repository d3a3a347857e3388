"""What installed plugins cost those who do not use them.

    python tests/benchmarks/plugins.py [--quick] [--plugins 50]

Packages are generated as pip leaves them on disk, one for each plugin: metadata with a long description, a
declaration, and an implementation that would be heavy if it were imported. Every figure is the median over
fresh interpreters that take turns with and without these packages on the path, so that what else the machine
does meets both. The floor is what the standard library takes to list the same entry points.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

LISTINGS = """
genesis.list_schedulers(), genesis.list_optimizers(), genesis.list_backends(), genesis.plugin.list_kernels()
"""
CREATE = """
model = genesis.nn.Linear(1, 1, device="ref")
genesis.optim.create_scheduler("StepLR", genesis.optim.SGD(model.parameters(), lr=0.1), step_size=1)
"""

# What is measured.
QUESTIONS = {
    "floor: importlib.metadata.entry_points()": "import importlib.metadata as m; m.entry_points()",
    "import genesis": "import genesis",
    "genesis.list_schedulers()": "import genesis; genesis.list_schedulers()",
    "all four listings": f"import genesis\n{LISTINGS}",
    "create_scheduler of a built-in": f"import genesis\n{CREATE}",
}

DECLARATION = """
from genesis.plugin import {spec}, hookimpl


@hookimpl
def genesis_{kind}():
    return [{spec}({arguments}, "{package}.heavy:Thing{number}", "A thing.")]
"""

KINDS = {
    "schedulers": ("SchedulerSpec", '"Schedule{number}"'),
    "optimizers": ("OptimizerSpec", '"Optimizer{number}"'),
    "backends": ("BackendSpec", '"device{number}"'),
    "kernels": ("KernelSpec", '"softmax", "device{number}"'),
}

HEAVY = "import time\ntime.sleep(1)\nraise ImportError('nobody asked for an implementation')\n"


def generate(folder: Path, number: int) -> None:
    """Write one package with its metadata. Half of all add schedules, the rest takes turns."""
    package = f"bench_{number:03}"
    kind = "schedulers" if number % 2 else ("optimizers", "backends", "kernels")[number // 2 % 3]
    spec, arguments = KINDS[kind]
    files = {
        f"{package}/__init__.py": "",
        f"{package}/plugin.py": DECLARATION.format(
            spec=spec, kind=kind, package=package, number=number, arguments=arguments.format(number=number)
        ),
        f"{package}/heavy.py": HEAVY,
        f"{package}-1.0.dist-info/METADATA": (
            f"Metadata-Version: 2.4\nName: bench-{number:03}\nVersion: 1.0\nRequires-Dist: genesis-dl\n"
            f"Description-Content-Type: text/markdown\n\n{'A line of a description of this package. ' * 120}"
        ),
        f"{package}-1.0.dist-info/entry_points.txt": f"[genesis.{kind}]\nbench{number} = {package}.plugin\n",
        f"{package}-1.0.dist-info/INSTALLER": "pip\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def ask(question: str, folder: Path) -> tuple[float, list[str]]:
    """Answer a question in a fresh interpreter: milliseconds, and the generated modules that it imported."""
    code = (
        f"import json, sys, time\nstart = time.perf_counter()\n{QUESTIONS[question]}\n"
        "milliseconds = (time.perf_counter() - start) * 1e3\n"
        "print(json.dumps([milliseconds, [m for m in sys.modules if m.startswith('bench_')]]))"
    )
    env = {key: value for key, value in os.environ.items() if not key.startswith(("GENESIS_", "PYTHON"))}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**env, "PYTHONPATH": str(folder)},
        cwd=folder.parent,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert not done.stderr, done.stderr
    milliseconds, modules = json.loads(done.stdout)
    return milliseconds, modules


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--plugins", type=int, default=50, help="how many packages to generate")
    parser.add_argument("--quick", action="store_true", help="few repetitions: shows that it runs")
    options = parser.parse_args()
    repetitions = 2 if options.quick else 15

    with tempfile.TemporaryDirectory() as temporary:
        full, empty = Path(temporary, "full"), Path(temporary, "empty")
        full.mkdir()
        empty.mkdir()
        for number in range(options.plugins):
            generate(full, number)
        compileall.compile_dir(full, quiet=1)  # as pip does

        times: dict[tuple[str, Path], list[float]] = {}
        for _ in range(repetitions):
            for question in QUESTIONS:
                for folder in (empty, full):
                    milliseconds, modules = ask(question, folder)
                    times.setdefault((question, folder), []).append(milliseconds)
                    heavy = [name for name in modules if name.endswith(".heavy")]
                    assert not heavy, f"{question} imported {heavy}"
                    if question == "all four listings" and folder is full:
                        declared = [name for name in modules if name.endswith(".plugin")]
                        assert len(declared) == options.plugins, "every plugin should have been asked"

    print(f"milliseconds in a fresh interpreter, medians of {repetitions}, {options.plugins} plugins")
    print(f"{'':42}{'without':>9}{'with':>9}{'added':>9}")
    for question in QUESTIONS:
        without, having = (statistics.median(times[question, folder]) for folder in (empty, full))
        print(f"{question:42}{without:9.1f}{having:9.1f}{having - without:9.1f}")


if __name__ == "__main__":
    main()
