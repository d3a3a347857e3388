"""The same training step in configurations that users fall into: none may be an order of magnitude slower.

    python tests/benchmarks/configurations.py             # all, a table
    python tests/benchmarks/configurations.py --only fork # those whose name contains this text
    python tests/benchmarks/configurations.py --quick     # a few, once: only that it runs

Each configuration has a process of its own beside a plain one, which take turns; a ratio is the median of the
rounds' ratios of the time of a step. The command fails if one is ten times slower than plain.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from processes import Worker, cores, environment, seconds_of, serve
from report import table
from workloads import QUICK, WORKLOADS, make

LIMIT = 10.0
STEPS = {"MLP": WORKLOADS[0], "GPT": WORKLOADS[2], "quick": QUICK[0]}


@dataclass(frozen=True)
class Configuration:
    """What is different from plain.

    Attributes:
        env: Environment variables; "{more}" stands for four times the number of cores.
        needs: A module without which there is nothing to measure.
        before: Makes what is called before genesis is imported, and again before each measured step.
        between: Whether to call it before each step, too.
        run: How the measurement is made: "", "forked", "in a thread", or "more threads".
    """

    env: dict[str, str] = field(default_factory=dict)
    needs: str = "genesis"
    before: Callable[[], Callable[[], Any]] | None = None
    between: bool = False
    run: str = ""


def _numpy() -> Callable[[], Any]:
    import numpy

    a = numpy.ones((256, 256), "float32")
    return lambda: a @ a


def _torch() -> Callable[[], Any]:
    torch = import_module("torch")
    a = torch.ones(256, 256)
    return lambda: (a @ a).exp().sum().item()


def _numba() -> Callable[[], Any]:
    import numpy
    from numba import njit, prange

    @njit(parallel=True)
    def double(x: Any) -> None:
        for i in prange(len(x)):
            x[i] *= 2.0

    a = numpy.zeros(1_000_000, "float32")
    return lambda: double(a)


CONFIGURATIONS = {
    "plain": Configuration(),
    "NumPy imported and used first": Configuration(before=_numpy),
    "a NumPy product before each step": Configuration(before=_numpy, between=True),
    "torch imported and used first": Configuration(needs="torch", before=_torch),
    "a torch product before each step": Configuration(needs="torch", before=_torch, between=True),
    "a parallel Numba kernel before each step": Configuration(before=_numba, between=True),
    "a parallel Numba kernel before each step, workqueue": Configuration(
        {"NUMBA_THREADING_LAYER": "workqueue"}, before=_numba, between=True
    ),
    "OMP_NUM_THREADS=1": Configuration({"OMP_NUM_THREADS": "1"}),
    "OMP_NUM_THREADS=2": Configuration({"OMP_NUM_THREADS": "2"}),
    "OMP_NUM_THREADS=4": Configuration({"OMP_NUM_THREADS": "4"}),
    "NUMBA_NUM_THREADS=1": Configuration({"NUMBA_NUM_THREADS": "1"}),
    "NUMBA_NUM_THREADS, four times the cores": Configuration({"NUMBA_NUM_THREADS": "{more}"}),
    "NUMBA_THREADING_LAYER=omp": Configuration({"NUMBA_THREADING_LAYER": "omp"}),
    "NUMBA_THREADING_LAYER=workqueue": Configuration({"NUMBA_THREADING_LAYER": "workqueue"}),
    "NUMBA_THREADING_LAYER=tbb": Configuration({"NUMBA_THREADING_LAYER": "tbb"}),
    "OPENBLAS_NUM_THREADS=1": Configuration({"OPENBLAS_NUM_THREADS": "1"}),
    "OMP_WAIT_POLICY=active, torch used first": Configuration(
        {"OMP_WAIT_POLICY": "active"}, needs="torch", before=_torch
    ),
    "set_num_threads, four times the cores": Configuration(run="more threads"),
    "a forked worker": Configuration(run="forked"),
    "a Python thread": Configuration(run="in a thread"),
    "a Python thread, NumPy used first": Configuration(before=_numpy, run="in a thread"),
    "a forked worker, torch used first": Configuration(needs="torch", before=_torch, run="forked"),
}
FEW = ["NumPy imported and used first", "a forked worker"]


class Side:
    """A process in one configuration."""

    def __init__(self, name: str) -> None:
        self.configuration = CONFIGURATIONS[name]
        self.other = self.configuration.before() if self.configuration.before else None
        if self.other is not None:
            self.other()
        self.steps: dict[str, Callable[[], Any]] = {}

    def __call__(self, workload: str, seconds: float) -> float:
        """The median time of a step."""
        fw = import_module("genesis")
        run = self.configuration.run
        if run == "more threads":
            fw.set_num_threads(4 * cores())
        if workload not in self.steps:
            self.steps[workload] = make("genesis", STEPS[workload], {})
            for _ in range(5):
                self.steps[workload]()
        if run == "forked":
            return self._forked(workload, seconds)
        if run == "in a thread":
            found: list[float] = []
            thread = threading.Thread(target=lambda: found.append(self._seconds(workload, seconds)))
            thread.start()
            thread.join()
            return found[0]
        return self._seconds(workload, seconds)

    def _seconds(self, workload: str, seconds: float) -> float:
        between = self.other if self.configuration.between else None
        return seconds_of(self.steps[workload], seconds, between=between)

    def _forked(self, workload: str, seconds: float) -> float:
        """Measured in a child of this process, which has taken steps and has threads."""
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.write(writing, f"{self._seconds(workload, seconds)}".encode())
                code = 0
            finally:
                os._exit(code)
        os.close(writing)
        text = os.read(reading, 100)
        os.close(reading)
        os.waitpid(child, 0)
        return float(text)


def _environment(name: str) -> dict[str, str]:
    env = {key: value.format(more=4 * cores()) for key, value in CONFIGURATIONS[name].env.items()}
    return {**environment(cores()), **env}


def walk(
    names: list[str], workloads: list[str], rounds: int, seconds: float
) -> dict[str, dict[str, list[float]]]:
    """The ratios to plain of each configuration and workload, round by round."""
    ratios: dict[str, dict[str, list[float]]] = {}
    for name in names:
        ratios[name] = {w: [] for w in workloads}
        with ExitStack() as stack:
            plain, other = (
                stack.enter_context(Worker(__file__, n, _environment(n))) for n in ("plain", name)
            )
            for _ in range(rounds):
                for workload in workloads:
                    base = plain.ask(workload, seconds)
                    ratios[name][workload].append(other.ask(workload, seconds) / base)
        medians = {w: statistics.median(r) for w, r in ratios[name].items()}
        print(name, {w: round(r, 2) for w, r in medians.items()}, file=sys.stderr, flush=True)
    return ratios


def chosen(only: str = "", quick: bool = False) -> list[str]:
    """The names of configurations that can be measured here."""
    return [
        name
        for name in (FEW if quick else CONFIGURATIONS)
        if only in name and importlib.util.find_spec(CONFIGURATIONS[name].needs)
    ]


def report(only: str = "", quick: bool = False, rounds: int = 3, seconds: float = 0.7) -> tuple[str, bool]:
    """The table, and whether none is an order of magnitude slower."""
    workloads = ["quick"] if quick else ["MLP", "GPT"]
    rounds, seconds = (1, 0.05) if quick else (rounds, seconds)
    ratios = walk(chosen(only, quick), workloads, rounds, seconds)
    rows = [[name, *(statistics.median(r[w]) for w in workloads)] for name, r in ratios.items()]
    worst = max(statistics.median(r[w]) for r in ratios.values() for w in workloads)
    headers = ["configuration", *(f"{STEPS[w].name}, time / plain" for w in workloads)]
    return table(headers, rows), worst < LIMIT


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few, once; never fails for slowness")
    parser.add_argument("--only", default="", help="configurations whose name contains this text")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.7, help="how long to time each process in a round")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        serve(Side(options.worker))
        return
    text, good = report(options.only, options.quick, options.rounds, options.seconds)
    print(text)
    if not good and not options.quick:
        raise SystemExit(f"a configuration is more than {LIMIT:.0f} times slower than plain")


if __name__ == "__main__":
    main()
