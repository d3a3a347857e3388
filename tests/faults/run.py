"""Hurt trainings on purpose and count what is lost: `python tests/faults/run.py --help`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import platform
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import damage
import kills
import others
import subject
import writes
from report import Row

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- written by tests/faults/run.py -->", "<!-- until here -->"
HEADINGS = ("fault", "where and when", "injected", "survived", "lost", "")


def faults(quick: bool, seed: int) -> dict[str, Callable[[], Iterable[Row]]]:
    """All kinds by name, in a short form or completely."""

    def n(complete: int, short: int) -> int:
        return short if quick else complete

    return {
        "kills": lambda: kills.random_kills(n(500, 12), seed),
        "kills-with-workers": lambda: kills.kills_in_workers_runs(n(50, 2), seed),
        "kills-at-calls": lambda: kills.kills_at_calls(seed, n(1, 29)),
        "sigterm": lambda: kills.terminations(n(100, 4), seed),
        "failing-calls": lambda: writes.failing_calls(seed, n(1, 97)),
        "full-disks": lambda: writes.full_disks(n(10, 150)),
        "size-limits": lambda: writes.size_limits(n(1000, 20_000)),
        "truncation": lambda: damage.truncations(n(4096, 65536)),
        "bit-flips": lambda: damage.flips(n(2000, 60), seed),
        "blocks": lambda: damage.blocks(n(400, 20), seed),
        "fallback": lambda: damage.fallbacks(n(50, 2), seed),
        "second-process": lambda: others.two_processes(n(60, 3), seed),
        "clock": lambda: others.clock_jumps(n(100, 4), seed),
        "dead-worker": lambda: others.dead_workers(n(20, 1), seed),
        "schedule": lambda: others.schedules(n(1, 20)),
        "memory": lambda: others.memory(n(40, 3)),
    }


def main() -> int:
    known = list(faults(True, 0))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"which faults: {', '.join(known)}; default all"
    )
    parser.add_argument("--quick", action="store_true", help="a few of each, in seconds")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments and places")
    parser.add_argument(
        "--results", type=Path, help="a JSON file in which results of several calls are gathered"
    )
    parser.add_argument("--write", action="store_true", help="put the table into docs/reliability.md")
    given = parser.parse_args()
    if unknown := set(given.names) - set(known):
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    subject.warm_up()
    gathered: dict[str, list[Row]] = {}
    if given.results and given.results.exists():
        gathered = {
            k: [Row(**row) for row in rows] for k, rows in json.loads(given.results.read_text()).items()
        }
    began = time.monotonic()
    lost = 0
    for name in given.names or known:
        gathered[name] = list(faults(given.quick, given.seed)[name]())
        for row in gathered[name]:
            lost += row.lost
            print(
                f"{name:20} {row.injected:5} injected {row.lost:3} lost  {row.seconds:6.1f} s  {row.how}",
                flush=True,
            )
            for failure in row.failures[:5]:
                print(f"    {failure}", flush=True)
        if given.results:
            content = {key: [dataclasses.asdict(row) for row in rows] for key, rows in gathered.items()}
            given.results.write_text(json.dumps(content, indent=1))
    print(f"{lost} lost, {time.monotonic() - began:.0f} s")
    if given.write:
        write([row for name in known for row in gathered.get(name, [])])
    return 1 if lost else 0


def write(rows: list[Row]) -> None:
    """Replace the table in the page."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    lines = ["| " + " | ".join(cells) + " |" for cells in (HEADINGS, ("---",) * len(HEADINGS))]
    lines += ["| " + " | ".join(row.cells()) + " |" for row in rows]
    total = sum(row.injected for row in rows), sum(row.lost for row in rows)
    lines += [
        "",
        f"{total[0]} faults in all, {total[1]} lost; Python {platform.python_version()}.",
    ]
    PAGE.write_text("\n".join([before + BEGIN, *lines, END]) + after, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
