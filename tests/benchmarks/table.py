"""The benchmark: training steps beside torch's and jax's, their floors, memory, start and configurations.

    python tests/benchmarks/table.py                    # all of it, about 20 minutes
    python tests/benchmarks/table.py --write            # the same, into docs/benchmarks.md
    python tests/benchmarks/table.py --parts steps --only GPT
    python tests/benchmarks/table.py --quick            # small, once: only that it runs

torch and jax are measured where they are installed. How it is measured: see docs/benchmarks.md, which this
writes, and the modules beside this one.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib import import_module
from itertools import groupby
from typing import Any

import configurations
import floors
import memory
import report
import startup
from processes import Others, Worker, cores, environment, seconds_of, serve
from report import duration, median, ratios, spread, table
from workloads import OPTIMIZED, QUICK, TINY, WORKLOADS, Workload, make

PARTS = ("steps", "memory", "startup", "configurations")
FRAMEWORKS = [f for f in ("genesis", "torch", "jax") if importlib.util.find_spec(f)]
ALL = [*WORKLOADS, *QUICK]
#: how often each has its turn in a round, so that what else the machine does meets all of them
TURNS = 3
OPTIONS = {"torch fused": {"fused": True}}


def variants(workload: Workload) -> list[str]:
    """What can be measured here: frameworks, and torch's fused AdamW."""
    compiled = {"mlp"} if workload in QUICK else {*TINY, "adamw"}  # jax takes its time to compile
    names = [f for f in FRAMEWORKS if f != "jax" or workload.kind in compiled]
    if "torch" in names and workload.kind in OPTIMIZED:
        names.append("torch fused")
    return names


class Measure:
    """What a worker answers."""

    def __init__(self, framework: str) -> None:
        self.framework = framework
        self.made: dict[tuple[int, str], Any] = {}

    def __call__(self, what: str, *arguments: Any) -> Any:
        return getattr(self, what)(*arguments)

    def step(self, index: int, variant: str, seconds: float) -> float:
        """The median time of a step of ``ALL[index]``."""
        if (index, variant) not in self.made:
            step = self.made[index, variant] = make(self.framework, ALL[index], OPTIONS.get(variant, {}))
            for _ in range(3):
                out = step()
            value = float(out.sum().item())
            if not math.isfinite(value):
                raise SystemExit(f"{variant}, {ALL[index].name}: the result is {value}")
        return seconds_of(self.made[index, variant], seconds, least=2)

    def products(self, products: list[list[Any]], seconds: float) -> list[float]:
        known = [(str(p[0]), *map(int, p[1:])) for p in products]
        return floors.product_seconds(self.framework, known, seconds)  # type: ignore[arg-type]

    def copy(self, size: int, seconds: float) -> float:
        return floors.copy_seconds(self.framework, size, seconds)

    def peak(self, index: int, variant: str) -> Any:
        return memory.peak(self.framework, ALL[index], OPTIONS.get(variant, {}))

    def threads(self) -> int:
        return int(import_module(self.framework).get_num_threads())


@dataclass
class Found:
    """What was measured of a workload, round by round, in seconds."""

    steps: dict[str, list[float]] = field(default_factory=dict)
    products: list[float] = field(default_factory=list)
    moving: list[float] = field(default_factory=list)

    @property
    def torch(self) -> list[float] | None:
        """The better one of torch's."""
        of_torch = [times for name, times in self.steps.items() if name.startswith("torch")]
        return min(of_torch, key=median) if of_torch else None

    @property
    def floor(self) -> list[float]:
        return [p + m for p, m in zip(self.products, self.moving, strict=True)]


class Bench:
    """The measurements, as the options want them."""

    def __init__(self, options: argparse.Namespace, cache: str) -> None:
        self.quick = options.quick
        self.rounds: int = 1 if self.quick else options.rounds
        self.seconds: float = 0.05 if self.quick else options.seconds
        self.threads = {"OMP_NUM_THREADS": options.threads}  # and what the frameworks say that they use
        self.env = {
            **environment(options.threads),
            "JAX_COMPILATION_CACHE_DIR": cache,
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        }
        self.workloads = [w for w in (QUICK if self.quick else WORKLOADS) if options.only in w.name]

    def worker(self, framework: str) -> Worker:
        return Worker(__file__, framework, self.env)

    # -- steps and floors ----------------------------------------------------------------------------------
    def steps(self) -> dict[str, Found]:
        found = {w.name: Found() for w in self.workloads}
        for _, group in groupby(self.workloads, lambda w: w.group or w.name):
            workloads = list(group)
            for i in range(self.rounds):
                self._round(workloads, found, i)
        return found

    def _round(self, workloads: Sequence[Workload], found: dict[str, Found], number: int) -> None:
        with ExitStack() as stack:
            wanted = {v.split()[0] for w in workloads for v in variants(w)} | {"numpy"}
            workers = {f: stack.enter_context(self.worker(f)) for f in sorted(wanted)}
            self.threads |= {f: workers[f].ask("threads") for f in ("genesis", "torch") if f in workers}
            for w in workloads:
                turn = variants(w)
                first = number % len(turn)  # so that nobody is always the first or the last
                taken: dict[str, list[float]] = {v: [] for v in turn[first:] + turn[:first]}
                for _ in range(TURNS):
                    for variant, times in taken.items():
                        worker, seconds = workers[variant.split()[0]], self.seconds / TURNS
                        times.append(worker.ask("step", ALL.index(w), variant, seconds))
                for variant, times in taken.items():
                    found[w.name].steps.setdefault(variant, []).append(median(times))
                if w.kind in floors.KINDS:
                    self._floor(w, workers, found[w.name])
                said = {v: duration(t[-1]) for v, t in found[w.name].steps.items()}
                print(f"round {number + 1}, {w.name}: {said}", file=sys.stderr, flush=True)

    def _floor(self, w: Workload, workers: dict[str, Worker], found: Found) -> None:
        cost, seconds = floors.KINDS[w.kind](**w.sizes), self.seconds / 10
        known = [workers[f] for f in ("genesis", "numpy", "torch") if f in workers]
        taken = [x.ask("products", list(cost.products), seconds) for x in known]
        best = map(min, *taken)
        copy = min(x.ask("copy", cost.held_bytes, seconds) for x in known)
        found.products.append(sum(n * t for n, t in zip(cost.products.values(), best, strict=True)))
        # a copy reads one half of the bytes and writes the other
        found.moving.append(cost.moved_bytes / cost.held_bytes * copy)

    # -- memory --------------------------------------------------------------------------------------------
    def memory(self) -> str:
        rows = []
        for w in self.workloads:
            if w.kind not in TINY:
                continue
            peaks = {}
            for variant in [v for v in variants(w) if v in ("genesis", "torch fused")]:
                found = []
                for _ in range(min(3, self.rounds)):
                    with self.worker(variant.split()[0]) as worker:
                        found.append(worker.ask("peak", ALL.index(w), variant))
                if all(found):
                    peaks[variant] = [median(each) / 2**20 for each in zip(*found, strict=True)]
            mine, theirs = (peaks.get(v, (None, None)) for v in ("genesis", "torch fused"))
            ratio = mine[0] / theirs[0] if mine[0] and theirs[0] else None
            figures = [
                None if x is None else f"{x:.0f}" for pair in zip(mine, theirs, strict=True) for x in pair
            ]
            rows.append([w.name, *figures[:2], ratio, 1.0, ratio and ratio <= 1.0, *figures[2:]])
            if self.quick:
                break
        headers = [
            "MB",
            "genesis",
            "torch",
            "ratio",
            "at most",
            "holds",
            "genesis, process",
            "torch, process",
        ]
        return table(headers, rows)

    # -- start ---------------------------------------------------------------------------------------------
    def startup(self) -> str:
        pair = [f for f in FRAMEWORKS if f != "jax"]
        names = ["import"] if self.quick else list(startup.PROGRAMS)
        rows: list[list[Any]] = []
        for name, times in startup.imports(names, pair, self.env, self.rounds).items():
            each = ratios(times["genesis"], times["torch"]) if "torch" in times else []
            ratio, limit = median(each) if each else None, startup.AT_MOST.get(name)
            holds = ratio <= limit if ratio and limit else None
            figures = [duration(median(times[f])) if f in times else None for f in ("genesis", "torch")]
            rows.append([name, *figures, ratio, spread(each) if each else None, limit, holds])
        for name, taken in startup.first_step(self.env, min(3, self.rounds), cold=not self.quick).items():
            if taken:
                limit = startup.FIRST_STEP[name]
                first = f"the recipe's first step, {name}"
                rows.append(
                    [
                        first,
                        duration(median(taken)),
                        None,
                        None,
                        None,
                        f"{limit:.0f} s",
                        median(taken) <= limit,
                    ]
                )
        return table(
            ["from start to end of", "genesis", "torch", "ratio", "spread", "at most", "holds"], rows
        )


def steps_table(workloads: Sequence[Workload], found: dict[str, Found]) -> str:
    rows = []
    for w in workloads:
        times = found[w.name].steps
        mine, theirs, jax = times["genesis"], found[w.name].torch, times.get("jax")
        each = ratios(mine, theirs) if theirs else []
        ratio = median(each) if each else None
        rows.append(
            [
                w.name,
                *(
                    duration(median(times[v])) if v in times else None
                    for v in ("genesis", "torch", "torch fused")
                ),
                ratio,
                spread(each) if each else None,
                w.at_most,
                ratio <= w.at_most if ratio and w.at_most else None,
                w.reach,
                duration(median(jax)) if jax else None,
                median(ratios(mine, jax)) if jax else None,
            ]
        )
    headers = ["one step", "genesis", "torch", "torch fused", "genesis / torch", "spread", "at most", "holds"]
    return table([*headers, "reach for", "jax", "genesis / jax"], rows)


def floors_table(workloads: Sequence[Workload], found: dict[str, Found]) -> str:
    rows = []
    for w in workloads:
        this = found[w.name]
        if not this.products:
            continue
        cost = floors.KINDS[w.kind](**w.sizes)
        speed = f"{cost.moved_bytes / median(this.moving) / 1e9:.0f} GB/s"
        each = ratios(this.steps["genesis"], this.floor)
        rows.append(
            [
                w.name,
                duration(median(this.products)) if cost.products else None,
                f"{cost.moved_bytes / 1e6:.3g} MB",
                speed,
                duration(median(this.moving)),
                duration(median(this.floor)),
                median(each),
                spread(each),
                median(ratios(this.torch, this.floor)) if this.torch else None,
            ]
        )
    headers = [
        "floor of one step",
        "products",
        "bytes",
        "copy",
        "moving",
        "floor",
        "genesis / floor",
        "spread",
    ]
    return table([*headers, "torch / floor"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="small workloads, one short round")
    parser.add_argument("--only", default="", help="workloads whose name contains this text")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="of what is measured")
    parser.add_argument("--rounds", type=int, default=5, help="each with new processes")
    parser.add_argument("--seconds", type=float, default=1.5, help="how long to time each process in a round")
    parser.add_argument("--threads", type=int, default=cores(), help="of every framework")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md; needs all parts")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        serve(Measure(options.worker))
        return
    if options.write and (options.quick or options.only or set(options.parts) != set(PARTS)):
        parser.error("--write needs all workloads and parts")
    if options.threads < cores() and hasattr(os, "sched_setaffinity"):  # jax takes all cores that there are
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    with tempfile.TemporaryDirectory() as cache:
        bench, others = Bench(options, cache), Others()
        sections, good = measure(bench, options)
    about = report.machine(bench.threads, others.share())
    for title, (_, text) in sections.items():
        print(f"\n{title}\n\n{text}")
    print(f"\n{about}")
    if options.write:
        command = " ".join(["python", "tests/benchmarks/table.py", *sys.argv[1:]])
        report.PAGE.write_text(report.page(command, about, sections), encoding="utf-8")
    if not good and not options.quick:
        raise SystemExit("a configuration is an order of magnitude slower than plain")


def measure(bench: Bench, options: argparse.Namespace) -> tuple[dict[str, Any], bool]:
    """The sections of the report, and whether no configuration is a trap."""
    sections: dict[str, Any] = {}
    good = True
    if "steps" in options.parts:
        found = bench.steps()
        sections["Training steps"] = report.ABOUT_STEPS, steps_table(bench.workloads, found)
        sections["Floors"] = report.ABOUT_FLOORS, floors_table(bench.workloads, found)
    if "memory" in options.parts:
        sections["Memory"] = report.ABOUT_MEMORY, bench.memory()
    if "startup" in options.parts:
        sections["Start"] = report.ABOUT_STARTUP, bench.startup()
    if "configurations" in options.parts:
        text, good = configurations.report(quick=options.quick, rounds=min(3, bench.rounds))
        sections["Configurations"] = report.ABOUT_CONFIGURATIONS, text
    return sections, good


if __name__ == "__main__":
    main()
