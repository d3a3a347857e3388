"""`genesis train --launch`: one run, by several processes."""

from __future__ import annotations

import csv
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from genesis.distributed import is_mpi_available

pytestmark = [
    pytest.mark.skipif(os.environ.get("GENESIS_TEST_ALL") != "1", reason="needs GENESIS_TEST_ALL=1"),
    pytest.mark.skipif(not is_mpi_available(), reason="needs the extra `mpi`"),
]
LAUNCHED = re.compile(r"^(PMI_|PMIX_|OMPI_|HYDRA_|MPI_LOCAL|RANK$|WORLD_SIZE$|LOCAL_RANK$|LOCAL_WORLD_SIZE$)")
ENVIRONMENT = {k: v for k, v in os.environ.items() if not LAUNCHED.match(k)} | {
    "NUMBA_NUM_THREADS": "1",
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
}


def train(folder: Path, *words: object, code: int = 0) -> str:
    command = [sys.executable, "-m", "genesis", "train", *map(str, words)]
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=300)
    assert done.returncode == code, done.stdout[-1500:] + done.stderr[-3000:]
    return done.stdout + done.stderr


def rows(run: Path) -> list[list[str]]:
    with open(run / "metrics.csv", newline="") as file:
        return list(csv.reader(file))[1:]


def test_one_folder_one_report_and_the_first_loss_of_the_whole_batch(tmp_path: Path) -> None:
    train(tmp_path, "digits", "--epochs", 1, "--out", "one")
    said = train(tmp_path, "digits", "--epochs", 1, "--out", "two", "--launch", 2)
    assert "1 thread, 2 processes" in said
    assert said.count("run folder") == 2, "the heading and the table, of one process"
    one, two = rows(tmp_path / "one"), rows(tmp_path / "two")
    assert [r[:2] for r in one] == [r[:2] for r in two]
    assert [r[3] for r in one] == [r[3] for r in two], "the rate follows the updates"
    assert float(one[0][2]) == pytest.approx(float(two[0][2]), rel=1e-5), "later, dropout differs"
    assert sorted(p.name for p in (tmp_path / "two" / "checkpoints").glob("*.ckpt")) == [
        "epoch-000.ckpt",
        "epoch-001.ckpt",
    ]


def test_a_mistake_is_told_once(tmp_path: Path) -> None:
    said = train(tmp_path, "digits", "--launch", 2, "--optimizer", "Adamm", code=2)
    assert said.count("Adamm") == 1


def test_a_run_of_two_that_was_killed_goes_on_with_one_and_with_two(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "genesis", "train", "digits", "--launch", "2", "--out", "run"]
    started = subprocess.Popen(
        [*command, "--epochs", "3", "--save-every", "0"],
        cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    checkpoints, until = tmp_path / "run" / "checkpoints", time.monotonic() + 120
    while not list(checkpoints.glob("*batch-0003*.ckpt")) and time.monotonic() < until:
        time.sleep(0.01)
    ranks = [
        int(p)
        for p in os.listdir("/proc")
        if p.isdigit() and b"mpi4py\0-m\0genesis\0train" in _command_line(p) and str(tmp_path) in _folder(p)
    ]
    assert len(ranks) >= 2
    os.kill(max(ranks), signal.SIGKILL)
    started.communicate(timeout=300)
    assert started.returncode != 0
    assert 0 < len(rows(tmp_path / "run")) < 69
    train(tmp_path, "--resume", "run", "--launch", 2)
    assert [int(r[0]) for r in rows(tmp_path / "run")] == list(range(1, 70))

    for extra in (tmp_path / "run" / "checkpoints").glob("epoch-003*"):
        extra.unlink()
    said = train(tmp_path, "--resume", "run")
    assert "resumed from" in said
    assert [int(r[0]) for r in rows(tmp_path / "run")] == list(range(1, 70))


def _command_line(process: str) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def _folder(process: str) -> str:
    try:
        return os.readlink(f"/proc/{process}/cwd")
    except OSError:
        return ""


def started(folder: Path, command: list[str]) -> subprocess.Popen[str]:
    """A run that has taken some steps."""
    run = subprocess.Popen(
        [*command, "digits", "--out", "run", "--epochs", "3", "--save-every", "0"],
        cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    until = time.monotonic() + 120
    while not list((folder / "run" / "checkpoints").glob("*batch-0003*.ckpt")):
        assert time.monotonic() < until
        assert run.poll() is None, run.communicate()[0]
        time.sleep(0.01)
    return run


MPIEXEC = [str(Path(sys.executable).with_name("mpiexec")), "-n", "2"]
IS_MPICH = bool(shutil.which("mpichversion", path=str(Path(sys.executable).parent)))
only_mpich = pytest.mark.skipif(not IS_MPICH, reason="Open MPI's mpiexec kills at once; SIGUSR1 saves")


@pytest.mark.parametrize(
    ("command", "whom", "number", "code"),
    [
        pytest.param("launch", "all", signal.SIGINT, 130, id="launch, Ctrl-C"),
        pytest.param("launch", "one", signal.SIGTERM, 143, id="launch, SIGTERM"),
        pytest.param("mpiexec", "all", signal.SIGINT, 130, id="mpiexec, Ctrl-C", marks=only_mpich),
        pytest.param("mpiexec", "one", signal.SIGTERM, 143, id="mpiexec, SIGTERM", marks=only_mpich),
        pytest.param("mpiexec", "one", signal.SIGUSR1, 130, id="mpiexec, SIGUSR1"),
    ],
)
def test_a_signal_saves_and_ends_all(tmp_path: Path, command: str, whom: str, number: int, code: int) -> None:
    genesis = [sys.executable, "-m", "genesis", "train"]
    run = started(
        tmp_path,
        [*MPIEXEC, sys.executable, "-m", "mpi4py", *genesis[1:]]
        if command == "mpiexec"
        else [*genesis, "--launch", "2"],
    )
    begin = time.monotonic()
    (os.killpg if whom == "all" else os.kill)(run.pid, number)
    said = run.communicate(timeout=300)[0]
    assert run.returncode == code, said[-2000:]
    assert said.count("everything is saved in") == 1
    assert said.count("Traceback") == 0, said
    while left := [
        _command_line(p) for p in os.listdir("/proc") if p.isdigit() and str(tmp_path) in _folder(p)
    ]:
        assert time.monotonic() - begin < 60, left
        time.sleep(0.05)
    saved = re.search(r"epoch-\d+(-batch-\d+)?\.ckpt", said)
    assert saved is not None
    newest = max((tmp_path / "run" / "checkpoints").glob("*.ckpt"), key=lambda p: p.stat().st_mtime)
    assert newest.name == saved[0], "what was saved is where it stopped"
    if command == "launch" and whom == "all":
        assert f"resumed from run/checkpoints/{newest.name}" in train(tmp_path, "--resume", "run")
        assert [int(r[0]) for r in rows(tmp_path / "run")] == list(range(1, 70))
