"""Time of one training step beside torch's: alternating processes, medians, ratios.

    python tests/benchmarks/steps.py            # all workloads, three rounds each
    python tests/benchmarks/steps.py --quick    # small ones, once: only that it runs

Absolute times depend on the machine and on what else it does; the ratio of one run is what counts.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from workloads import QUICK, WORKLOADS


def measure(framework: str, workload: str, seconds: float) -> None:
    """Print the median time of a step in milliseconds, after a warm-up."""
    fw = import_module(framework)
    step = {**WORKLOADS, **QUICK}[workload](fw)
    for _ in range(3):
        loss = step()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 5:
        start = time.perf_counter()
        loss = step()
        times.append(time.perf_counter() - start)
    value = float(loss.item())
    if not value < 100:
        raise SystemExit(f"{framework}, {workload}: the loss is {value}")
    print(f"{statistics.median(times) * 1e3:.6f}")


def run(framework: str, workload: str, seconds: float) -> float:
    command = [sys.executable, __file__, "--worker", framework, workload, "--seconds", str(seconds)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small workloads, one short round")
    parser.add_argument("--only", default="", help="workloads whose name contains this text")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="how long to time each process")
    parser.add_argument("--worker", nargs=2, metavar=("FRAMEWORK", "WORKLOAD"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        measure(*options.worker, options.seconds)
        return
    rounds, seconds = (1, 0.2) if options.quick else (options.rounds, options.seconds)
    frameworks = ["genesis"] + (["torch"] if importlib.util.find_spec("torch") else [])
    print(f"{'one training step, median ms':34}" + "".join(f"{f:>10}" for f in frameworks) + f"{'ratio':>8}")
    for workload in [w for w in (QUICK if options.quick else WORKLOADS) if options.only in w]:
        times: dict[str, list[float]] = {f: [] for f in frameworks}
        for _ in range(rounds):
            for f in frameworks:
                times[f].append(run(f, workload, seconds))
        medians = [statistics.median(times[f]) for f in frameworks]
        ratio = f"{medians[0] / medians[1]:8.2f}" if len(medians) > 1 else ""
        print(f"{workload:34}" + "".join(f"{m:10.3f}" for m in medians) + ratio, flush=True)


if __name__ == "__main__":
    main()
