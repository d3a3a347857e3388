"""How long until something happens: an import, the first tensor, the first step of a recipe.

Every figure is the time of a fresh interpreter from its start to its end (or to the end of the first step),
as a user would wait for it; the frameworks take turns. The files that Python compiles are there.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence

#: what the table says -> a program, {fw} being the framework
PROGRAMS = {
    "an empty program": "",
    "import": "import {fw}",
    "import, with nn and optim": "import {fw}, {fw}.nn, {fw}.optim",
    "import NumPy, then this": "import numpy, {fw}",
    "import, the first tensors": "import {fw} as fw; print(fw.ones(3) + fw.ones(3))",
    "import, the first training step": """
import {fw} as fw
model = fw.nn.Sequential(fw.nn.Linear(784, 256), fw.nn.ReLU(), fw.nn.Linear(256, 10))
optimizer = fw.optim.AdamW(model.parameters())
loss = fw.nn.functional.cross_entropy(model(fw.randn(64, 784)), fw.randint(0, 10, (64,)))
loss.backward()
optimizer.step()
print(loss.item())
""",
}
AT_MOST = {"import": 0.25}

# The command itself, in an interpreter of its own; it ends itself after the first step.
_RECIPE = """
import os, sys
from genesis.cli import main
from genesis.cli._training import loop
take = loop.Training.train_batch
def first(self, batch):
    take(self, batch)
    os._exit(17)
loop.Training.train_batch = first
sys.argv = ["genesis", "train", "fashion-mnist", "--out", sys.argv[1]]
main()
"""


def _run(program: str, env: Mapping[str, str], *arguments: str, code: int = 0) -> float:
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], env=env, capture_output=True, text=True, check=False
    )
    taken = time.perf_counter() - start
    if done.returncode != code:
        raise SystemExit(f"{program}\nended with {done.returncode}: {done.stdout}{done.stderr}")
    return taken


def imports(
    names: Sequence[str], frameworks: Sequence[str], env: Mapping[str, str], rounds: int
) -> dict[str, dict[str, list[float]]]:
    """Seconds of each program named with each framework, round by round."""
    times: dict[str, dict[str, list[float]]] = {name: {f: [] for f in frameworks} for name in names}
    for i in range(-1 if rounds > 1 else 0, rounds):  # the first does not count: files come from the disk
        for name in names:
            for f in frameworks:
                taken = _run(PROGRAMS[name].format(fw=f), env)
                if i >= 0:
                    times[name][f].append(taken)
    return times


def first_step(env: Mapping[str, str], rounds: int, cold: bool = True) -> dict[str, list[float]]:
    """Seconds from the command `genesis train fashion-mnist` to the end of its first step."""
    times: dict[str, list[float]] = {"empty kernel cache": [], "warm kernel cache": []}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            own = {**env, "GENESIS_CACHE_DIR": os.path.join(folder, "kernels")} if cold else env
            for i, kind in enumerate(times):
                if cold or kind == "warm kernel cache":
                    times[kind].append(_run(_RECIPE, own, os.path.join(folder, f"run{i}"), code=17))
    return times


FIRST_STEP = {"empty kernel cache": 10.0, "warm kernel cache": 2.0}
