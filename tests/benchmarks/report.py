"""Tables as Markdown, the machine they were made on, and the page docs/benchmarks.md."""

from __future__ import annotations

import datetime
import os
import platform
import statistics
import subprocess
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from processes import cores

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "benchmarks.md"
PACKAGES = (
    "genesis-dl", "numpy", "numba", "llvmlite", "scipy-openblas32", "torch", "jax", "jaxlib"
)  # fmt: skip

#: the part of the cores' time that others may have
QUIET = 0.05

HOW_TO_READ = """\
Absolute times depend on the machine and on what else it does. What counts is a **ratio**: time of Genesis
divided by that of the other, so less than 1 is faster. Frameworks never work at the same time: each has a
process, and one waits while another works. A round starts new processes and measures all in turn, three times
over; a time is the median of the rounds' medians, a ratio is the median of the rounds' ratios, and the spread
beside it is the smallest and the largest of them. Where the spread is wide, the machine was busy, and another
run may say something else. On a busy machine torch loses most: its threads wait for each other by spinning,
so one that has no core holds up all. A dash is where there is nothing to measure or no target.

The extra `parity` installs torch and JAX: `pip install -e ".[parity]"`.
"""

ABOUT_STEPS = """\
One step is forward pass, loss, backward pass, AdamW and the schedule, in eager mode and from the same source
for Genesis and torch ([workloads.py](../tests/benchmarks/workloads.py)). torch is the better of its default
AdamW and its fused one. jax is one jitted function for the whole step, AdamW written in `jax.numpy`. A line
holds if the ratio is at most the target; "reach for" is where we want to be.
"""

ABOUT_FLOORS = """\
The floor of a step is the time of its matrix products, each alone, through the fastest of NumPy's OpenBLAS,
torch's MKL and Genesis's own, and the bytes that it must move at the bandwidth of a copy, all measured in the
same run. [floors.py](../tests/benchmarks/floors.py) says what is counted. A step of 1 would do nothing but
that; exp and tanh take time, too, and so does Python, so we aim at 1.25, and what is above shows where there
is room. It can be below 1 where a kernel does without what the floor counts: a convolution need not be a
product of columns, and an optimizer in memory writes what it has just read, while a copy also fetches what it
overwrites.
"""

ABOUT_MEMORY = """\
The most memory that five steps need above what the process held after a small model of the same kind was
trained, and the most that the whole process ever held (libraries, compiled kernels and the compiler
included).
"""

ABOUT_STARTUP = """\
Seconds of a fresh interpreter, from its start to its end. The recipe is `genesis train fashion-mnist` up to
the end of its first step; an empty kernel cache is a first run on a machine, when kernels are compiled.
"""

ABOUT_CONFIGURATIONS = """\
The same step of Genesis in configurations that people fall into, as a ratio to a plain process measured in
turn. None may be an order of magnitude slower: two pools of threads that fight for the cores would be.
`python tests/benchmarks/configurations.py` makes this table alone.
"""


def table(headers: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A Markdown table with aligned columns; numbers become short texts, None a dash."""
    texts = [list(headers), *([cell(value) for value in row] for row in rows)]
    widths = [max(len(row[i]) for row in texts) for i in range(len(headers))]

    def line(row: Sequence[str]) -> str:
        cells = [
            t.ljust(w) if i == 0 else t.rjust(w) for i, (t, w) in enumerate(zip(row, widths, strict=True))
        ]
        return f"| {' | '.join(cells)} |"

    rule = ["-" * widths[0], *("-" * (w - 1) + ":" for w in widths[1:])]
    return "\n".join([line(texts[0]), line(rule), *map(line, texts[1:])])


def cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def duration(seconds: float | None) -> str | None:
    """A time with three digits and a unit."""
    if seconds is None:
        return None
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * factor >= 1 or unit == "µs":
            value = seconds * factor
            return f"{value:.{max(0, 2 - len(str(int(value))) + 1)}f} {unit}"
    return None


def spread(ratios: Sequence[float]) -> str:
    return f"{min(ratios):.2f}-{max(ratios):.2f}"


def ratios(mine: Sequence[float], theirs: Sequence[float]) -> list[float]:
    return [a / b for a, b in zip(mine, theirs, strict=True)]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def machine(threads: dict[str, int], others: float | None) -> str:
    """What the figures depend on, as a Markdown list."""
    versions = []
    for package in PACKAGES:
        try:
            versions.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            versions.append(f"no {package}")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    busy = "not known" if others is None else f"{others:.0%} of the cores' time"
    if others is not None and others > QUIET:
        busy += " (**too much: take all that follows as provisional**, most of all what is slow for torch)"
    used = ", ".join(f"{name} {n}" for name, n in threads.items())
    return "\n".join(
        [
            f"- Processor: {_processor()}, {cores()} cores; memory: {memory:.0f} GB",
            f"- System: {platform.system()} {platform.release()}, Python {platform.python_version()}",
            f"- Versions: {', '.join(versions)}; commit {_commit()}",
            f"- Threads: {used}",
            f"- Date: {datetime.date.today()}; other programs had meanwhile: {busy}",
        ]
    )


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"


def page(command: str, about: str, sections: dict[str, tuple[str, str]]) -> str:
    """The text of docs/benchmarks.md; ``sections`` are titles with an explanation and tables."""
    parts = [
        "# Benchmarks",
        f"Written by `{command}`; do not edit it by hand. `--help` tells of its options.",
        about,
        "## How to read this",
        HOW_TO_READ.strip(),
    ]
    for title, (explanation, tables) in sections.items():
        parts += [f"## {title}", explanation.strip(), tables]
    return "\n\n".join(parts) + "\n"
