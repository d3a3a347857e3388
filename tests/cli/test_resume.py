"""A run that was killed, interrupted or damaged goes on and ends as if nothing had happened."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import genesis

EPOCHS, BATCHES = 4, 45
RUN = ("digits", "--epochs", EPOCHS, "--batch-size", 32, "--seed", 5)


class Reference:
    """A run that nothing happened to."""

    def __init__(self, launcher: Any, folder: Path, threads: int) -> None:
        self.folder, self.threads = folder, threads
        launcher.run("train", *RUN, "--threads", threads, "--out", folder, cwd=folder.parent)
        self.weights = genesis.load_checkpoint(folder / "model.ckpt")

    def assert_equals(self, folder: Path) -> None:
        """The weights are the same bit for bit, and the metrics tell the same story."""
        weights = genesis.load_checkpoint(folder / "model.ckpt")
        assert list(weights) == list(self.weights)
        for name, value in self.weights.items():
            assert weights[name].numpy().tobytes() == value.numpy().tobytes(), name
        assert metrics(folder) == metrics(self.folder)
        assert len(metrics(folder)) == 1 + EPOCHS * BATCHES


def metrics(folder: Path) -> list[list[str]]:
    """The rows of metrics.csv without the speed, which no two runs share."""
    rows = [line.split(",") for line in (folder / "metrics.csv").read_text().splitlines()]
    return [row[:4] + row[5:] for row in rows]


@pytest.fixture(scope="module")
def references(launcher: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Reference]:
    """The reference for a number of threads, made once."""
    return cache(lambda threads: Reference(launcher, tmp_path_factory.mktemp("reference") / "run", threads))


@pytest.fixture
def reference(request: pytest.FixtureRequest, references: Callable[[int], Reference]) -> Reference:
    threads = getattr(request, "param", 1)
    if threads > (os.cpu_count() or 1):
        pytest.skip(f"this machine has fewer than {threads} threads")
    return references(threads)


def wait_for(path: Path, process: subprocess.Popen[Any]) -> None:
    """Wait until a file is there, or the process is over."""
    while not path.exists() and process.poll() is None:
        time.sleep(0.01)


def wait_for_another_checkpoint(folder: Path, process: subprocess.Popen[Any]) -> None:
    """Wait until there is a checkpoint within an epoch that was not there before."""
    before = set(folder.glob("*-batch-*.ckpt"))
    while not set(folder.glob("*-batch-*.ckpt")) - before and process.poll() is None:
        time.sleep(0.01)


@pytest.mark.parametrize(
    "reference",
    [
        pytest.param(
            1,
            id="one thread",
            marks=pytest.mark.skipif(
                os.environ.get("GENESIS_TEST_ALL") != "1", reason="needs GENESIS_TEST_ALL=1"
            ),
        ),
        pytest.param(2, id="two threads"),
    ],
    indirect=True,
)
def test_kill_at_random_moments(reference: Reference, launcher: Any, tmp_path: Path) -> None:
    chance, folder = random.Random(reference.threads), tmp_path / "run"
    within: list[str] = []
    # Saving after every step, so that many of the kills come while a checkpoint is being written.
    first = ("train", *RUN, "--threads", reference.threads, "--out", folder, "--save-every", 0)
    again = ("train", "--resume", folder, "--save-every", 0)
    process = launcher.start(*first, cwd=tmp_path)
    for number in range(4):
        if number % 2 == 0:  # while it trains and saves
            wait_for_another_checkpoint(folder / "checkpoints", process)
            time.sleep(chance.uniform(0, 0.1))
        else:  # at any moment, most often while it starts
            time.sleep(chance.uniform(0, 0.7))
        process.kill()
        done = launcher.finish(process)
        assert done.code == -signal.SIGKILL
        within += [path.name for path in (folder / "checkpoints").glob("epoch-*-batch-*.ckpt")]
        process = launcher.start(*again, cwd=tmp_path)
    done = launcher.finish(process)
    assert done.code == 0, done.err
    assert "resumed from" in done.out
    assert within, "a kill came within an epoch"
    reference.assert_equals(folder)
    assert [path.name for path in folder.rglob(".genesis-*")] == [], "what half-written files are left"


def test_kill_before_anything_is_saved(reference: Reference, launcher: Any, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    words = ("train", *RUN, "--threads", reference.threads)
    process = launcher.start(*words, "--out", folder, cwd=tmp_path)
    wait_for(folder, process)
    process.kill()
    launcher.finish(process)
    launcher.run(*words, "--out", folder, "--resume", cwd=tmp_path)
    reference.assert_equals(folder)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_says_how_to_go_on(
    reference: Reference, launcher: Any, tmp_path: Path, number: signal.Signals
) -> None:
    folder = tmp_path / "run"
    words = ("train", *RUN, "--threads", reference.threads, "--out", folder)
    # Saving often makes the run slow enough to be caught within.
    process = launcher.start(*words, "--save-every", 0, cwd=tmp_path)
    wait_for(folder / "checkpoints" / "epoch-001.ckpt", process)
    process.send_signal(number)
    done = launcher.finish(process)
    assert done.code == 128 + number
    assert f"genesis train --resume {folder}" in done.err
    assert "Traceback" not in done.err
    assert (folder / "curves.png").exists()

    done = launcher.run("train", "--resume", folder, cwd=tmp_path)
    reference.assert_equals(folder)


def test_a_damaged_checkpoint_is_put_aside_and_the_one_before_is_used(
    reference: Reference, launcher: Any, tmp_path: Path
) -> None:
    folder = copy_at(reference.folder, tmp_path / "run", epochs=3)
    newest = folder / "checkpoints" / "epoch-003.ckpt"
    content = newest.read_bytes()
    newest.write_bytes(content[: len(content) // 2])
    done = launcher.run("train", "--resume", folder, cwd=tmp_path)
    assert "truncated" in done.err
    assert "epoch-003.ckpt.damaged" in done.err
    assert f"epoch-002.ckpt at step {2 * BATCHES} of {EPOCHS * BATCHES}" in done.out
    reference.assert_equals(folder)


def test_rows_of_work_that_was_lost_are_cut_off(reference: Reference, launcher: Any, tmp_path: Path) -> None:
    folder = copy_at(reference.folder, tmp_path / "run", epochs=2)
    assert len(metrics(folder)) == 1 + EPOCHS * BATCHES, "more rows than the checkpoint knows of"
    with open(folder / "metrics.csv", "a") as file:
        file.write("181,5,0.1")  # cut off by a kill
    launcher.run("train", "--out", folder, "--resume", cwd=tmp_path)
    reference.assert_equals(folder)


def test_a_run_that_is_over_only_shows_its_results(
    reference: Reference, launcher: Any, tmp_path: Path
) -> None:
    folder = copy_at(reference.folder, tmp_path / "run", epochs=EPOCHS)
    done = launcher.run("train", "digits", "--resume", folder, cwd=tmp_path)
    assert "test accuracy" in done.out
    reference.assert_equals(folder)


def copy_at(source: Path, target: Path, epochs: int) -> Path:
    """Copy a run folder as it would be if the process had been killed after some epochs."""
    (target / "checkpoints").mkdir(parents=True)
    for name in ("config.json", "metrics.csv"):
        (target / name).write_bytes((source / name).read_bytes())
    for number in range(epochs + 1):
        name = f"checkpoints/epoch-{number:03d}.ckpt"
        (target / name).write_bytes((source / name).read_bytes())
    return target


def test_a_run_that_began_with_an_older_genesis_goes_on(
    reference: Reference, launcher: Any, tmp_path: Path
) -> None:
    folder = copy_at(reference.folder, tmp_path / "run", epochs=2)
    path = folder / "checkpoints" / "epoch-002.ckpt"
    new = genesis.load_checkpoint(path)
    old = {"step": new["step"], "seconds": 1.0, "values": new["training"]["values"]}
    old |= {name: new[name] for name in ("model", "optimizer", "scheduler", "loader")}
    genesis.save_checkpoint({**old, "random": new["random"]["genesis"]}, path)
    launcher.run("train", "--resume", folder, cwd=tmp_path)
    reference.assert_equals(folder)
