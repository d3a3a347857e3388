"""The thread that writes checkpoints and runs collective operations."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from genesis._line import Line


def run(code: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", "import os, time\nfrom genesis._line import Line\n" + code],
        capture_output=True, text=True, timeout=300, cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


def test_jobs_are_done_in_order() -> None:
    line, done = Line(), []
    for i in range(50):
        line.give(lambda i=i: (time.sleep(0.001 * (i % 3)), done.append(i)))  # type: ignore[misc]
    line.wait()
    assert done == list(range(50))
    line.wait()  # nothing to do


def test_what_was_given_is_done_though_nobody_waits() -> None:
    done: list[int] = []
    line = Line()
    line.give(lambda: time.sleep(0.05))
    line.give(lambda: done.append(os.getpid()))
    del line
    for _ in range(500):
        if done:
            break
        time.sleep(0.01)
    assert done == [os.getpid()]


@pytest.mark.parametrize("rest", ["", "del line\n"])
def test_the_end_of_a_program_waits_for_what_was_given(tmp_path: Path, rest: str) -> None:
    code = "line = Line()\nline.give(lambda: (time.sleep(0.3), open('there', 'w').close()))\n" + rest
    run(code, tmp_path)
    assert (tmp_path / "there").exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_the_end_of_a_forked_child_does_not_wait_for_its_parents_thread(tmp_path: Path) -> None:
    code = """
line = Line()
pid = os.fork()
if pid:
    print(os.waitpid(pid, 0)[1])
"""
    assert run(code, tmp_path).strip() == "0"
