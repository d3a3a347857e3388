"""A few of the faults that `python tests/faults/run.py` injects by the thousand: nothing may be lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ALWAYS = ("kills",)
SLOW = (
    "truncation", "sigterm", "failing-calls", "size-limits", "bit-flips", "second-process", "clock",
    "kills-with-workers", "kills-at-calls", "full-disks", "blocks", "fallback", "dead-worker", "schedule",
    "memory",
)  # fmt: skip


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the processes are forked")
@pytest.mark.parametrize(
    "names",
    [
        pytest.param(ALWAYS, id="quick"),
        pytest.param(
            SLOW,
            id="slow",
            marks=pytest.mark.skipif("GENESIS_TEST_ALL" not in os.environ, reason="set GENESIS_TEST_ALL=1"),
        ),
    ],
)
def test_nothing_is_lost(names: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("run.py"), "--quick", *names],
        capture_output=True, text=True, timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert done.stdout.count("  0 lost") >= len(names)
