"""The command `genesis`, in this process or in one of its own."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from genesis.cli import main


class Result(NamedTuple):
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def genesis_command(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """A function that runs `genesis` with these words in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # the command sets its own

    def run(*words: object) -> Result:
        with pytest.raises(SystemExit) as end:
            main([str(word) for word in words])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return Result(int(end.value.code or 0), out, err)

    return run


class Launcher:
    """`genesis` in processes of their own."""

    def start(self, *words: object, cwd: Path) -> subprocess.Popen[str]:
        """Start the command with these words."""
        return subprocess.Popen(
            [sys.executable, "-m", "genesis", *map(str, words)],
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, process: subprocess.Popen[str]) -> Result:
        """Wait for the end of a process."""
        out, err = process.communicate(timeout=120)
        assert "Traceback" not in err
        return Result(process.returncode, out, err)

    def run(self, *words: object, cwd: Path) -> Result:
        """Run the command with these words; it must succeed."""
        done = self.finish(self.start(*words, cwd=cwd))
        assert done.code == 0, done.err
        return done


@pytest.fixture(scope="session")
def launcher() -> Launcher:
    return Launcher()
