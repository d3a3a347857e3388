"""Processes that answer the questions of a kit, started again after each answer that is wrong."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_SCRIPT = "from genesis.testing.communicator_checks._process import main; main()"
#: what a launcher must not inherit from another one
_LAUNCHED = ("PMI_", "PMIX_", "OMPI_COMM", "HYDRA_", "MPI_LOCAL", "RANK", "WORLD_SIZE", "LOCAL_")
#: Open MPI refuses these by default; others do not read them
_ALLOWED = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
}


class Runs:
    """The answers about one communicator, of so many processes.

    Args:
        target: what they import.
        names: the questions.
        number: how many there are.
        launch, environment, timeout: as for ``check_communicator``.
    """

    def __init__(
        self,
        target: str,
        names: Sequence[str],
        number: int,
        launch: Sequence[str] | None,
        environment: dict[str, str],
        timeout: float,
    ) -> None:
        self._target, self._number, self._launch = target, number, launch
        self._names = [name for name in names if name != "abort"]
        self._environment, self._timeout = environment, timeout
        self._answers: dict[str, str] | None = None  # what is wrong, or nothing

    def ask(self, name: str) -> None:
        """Raise what is wrong."""
        if name == "abort":
            self._ask_abort()
            return
        if self._answers is None:
            self._answers = self._all()
        if self._answers[name]:
            raise AssertionError(self._answers[name])

    def _all(self) -> dict[str, str]:
        left, answers = list(self._names), dict[str, str]()
        while left:
            with tempfile.TemporaryDirectory() as folder:
                started = self._start(folder, left)
                said = self._watch(started, Path(folder), left)
                for name in list(left):
                    wrong = self._wrong(Path(folder), name, said)
                    answers[name] = wrong
                    left.remove(name)
                    if wrong:
                        break
            if answers.get("loads"):  # nothing else can be asked
                answers.update(dict.fromkeys(left, "it was not asked, as it does not load"))
                break
        return answers

    def _ask_abort(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            begin = time.monotonic()
            started = self._start(folder, ["abort"])
            said = self._watch(started, Path(folder), ["abort"])
            took = time.monotonic() - begin
            back = [r for r in range(self._number) if (Path(folder) / f"{r}.back").exists()]
        assert not back, f"abort(7) of the last process returned, or the others were not ended: {back}"
        assert started[0].returncode != 0, f"the exit code after abort(7) is {started[0].returncode}"
        assert took < self._timeout, f"the others were not ended within {self._timeout:g} s; {said}"

    # -- processes -----------------------------------------------------------------------------------------
    def _start(self, folder: str, names: list[str]) -> list[subprocess.Popen[bytes]]:
        base = {k: v for k, v in os.environ.items() if not k.startswith(_LAUNCHED)}
        base |= {"NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", **_ALLOWED, **self._environment}
        words = [sys.executable, "-c", _SCRIPT, self._target, folder, str(self._timeout), *names]
        with open(Path(folder) / "said", "wb") as out:
            if self._launch is None or len(self._launch):
                words = [*self._launcher(), *words]
                return [subprocess.Popen(words, env=base, stdout=out, stderr=out, start_new_session=True)]
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = str(free.getsockname()[1])
            size = str(self._number)
            base |= {"WORLD_SIZE": size, "LOCAL_WORLD_SIZE": size, "MASTER_PORT": port}
            base["MASTER_ADDR"] = "127.0.0.1"
            return [
                subprocess.Popen(
                    words, env=base | {"RANK": str(r), "LOCAL_RANK": str(r)},
                    stdout=out, stderr=out, start_new_session=True,
                )
                for r in range(self._number)
            ]  # fmt: skip

    def _launcher(self) -> list[str]:
        words = list(self._launch or ("mpiexec", "-n", "{n}"))
        beside = Path(sys.executable).with_name(words[0])
        found = str(beside) if beside.exists() else shutil.which(words[0])
        assert found, (
            f"{words[0]} starts the processes, and there is none; `pip install mpich` brings mpiexec"
        )
        return [found, *(w.replace("{n}", str(self._number)) for w in words[1:])]

    def _watch(self, started: list[subprocess.Popen[bytes]], folder: Path, names: list[str]) -> str:
        """Wait for the end, or until one question takes too long; return what the processes printed."""
        before, since = -1, time.monotonic()
        while any(p.poll() is None for p in started):
            now = sum(f.stat().st_size for f in folder.glob("*.json"))
            if now != before:
                before, since = now, time.monotonic()
            failed = any(p.poll() not in (None, 0) for p in started) or any(folder.glob("*.wrong"))
            # after a wrong answer a launcher has a moment to end the others
            if time.monotonic() - since > (3.0 if failed else self._timeout + 10):
                break
            time.sleep(0.02)
        for p in started:
            if p.poll() is None:
                os.killpg(p.pid, 9)
            p.wait()
        _end(folder)
        return (folder / "said").read_text(errors="replace")[-2000:]

    def _wrong(self, folder: Path, name: str, said: str) -> str:
        """What the processes say of a question, or that one of them is missing."""
        found: list[str] = []
        for rank in range(self._number):
            answer = _lines(folder / f"{rank}.json").get(name)
            if answer is None:
                found.append(f"rank {rank} did not come back within {self._timeout:g} s, or ended")
            elif answer:
                found.append(f"rank {rank}: {answer}")
        told = [f for f in found if "did not come back" not in f] or found
        if told and told[0] == found[0] and "did not come back" in told[0]:
            told.append(f"they printed: {said.strip() or 'nothing'}")
        return "\n".join(told)


def _lines(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text()
    except OSError:
        return {}
    return dict(json.loads(line) for line in text.splitlines() if line.endswith("]"))


def _end(folder: Path) -> None:
    """End what a killed launcher has left behind."""
    for path in folder.glob("*.pid"):
        try:
            os.kill(int(path.read_text()), 9)
        except (OSError, ValueError):
            continue
