"""The Checkpointer: a training that was interrupted goes on as if nothing had happened."""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import textwrap
import warnings
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

import genesis
from genesis import nn, optim
from genesis._line import Line
from genesis.amp import GradScaler
from genesis.checkpoint import Checkpointer, FolderInUseError, inspect, load_checkpoint, verify
from genesis.data import DataLoader, TensorDataset

EPOCHS, BATCHES = 3, 8


class Training:
    """A small training in which everything draws random numbers."""

    def __init__(self, workers: int = 0) -> None:
        genesis.manual_seed(0)
        np.random.seed(0)
        random.seed(0)
        self.model = nn.Sequential(nn.Linear(6, 8), nn.Dropout(0.2), nn.BatchNorm1d(8), nn.Linear(8, 1))
        self.optimizer = optim.AdamW(self.model.parameters(), lr=1e-2)
        self.scheduler = optim.lr_scheduler.CosineAnnealingLR(self.optimizer, EPOCHS * BATCHES)
        self.scaler = GradScaler("cpu")
        data = TensorDataset(genesis.randn(60, 6), genesis.randn(60, 1))
        self.loader = DataLoader(data, batch_size=8, shuffle=True, num_workers=workers)
        self.noise = genesis.Generator().manual_seed(7)
        self.seen = {"losses": []}

    def parts(self) -> dict[str, Any]:
        return dict(vars(self))

    def step(self, x: Any, y: Any) -> float:
        x = x + 0.1 * genesis.randn(*x.shape, generator=self.noise) * random.random() * float(
            np.random.rand()
        )
        loss = nn.functional.mse_loss(self.model(x), y)
        self.optimizer.zero_grad()
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.scheduler.step()
        self.seen["losses"].append(loss.item())
        return loss.item()

    def run(self, checkpointer: Checkpointer, stop_at: int | None = None) -> None:
        with checkpointer:
            checkpointer.resume()
            for _ in range(checkpointer.epoch, EPOCHS):
                for x, y in self.loader:
                    loss = self.step(x, y)
                    checkpointer.step({"loss": loss})
                    if checkpointer.global_step == stop_at:
                        raise Stop
                checkpointer.end_epoch({"loss": self.seen["losses"][-1]})


class Stop(Exception):
    """What ends a training in the middle."""


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Training:
    training = Training()
    training.run(Checkpointer(tmp_path_factory.mktemp("reference"), **training.parts()))
    return training


def assert_same(training: Training, reference: Training) -> None:
    assert training.seen == reference.seen
    for name, value in reference.model.state_dict().items():
        assert training.model.state_dict()[name].numpy().tobytes() == value.numpy().tobytes(), name


@pytest.mark.parametrize(
    ("options", "workers"),
    [({}, 0), ({}, 2), ({"background": False}, 0), ({"max_shard_size": 300}, 0)],
    ids=["background", "workers", "at once", "in parts"],
)
def test_a_training_stopped_often_ends_like_one_that_was_not(
    reference: Training, tmp_path: Path, options: dict[str, Any], workers: int
) -> None:
    for stop_at in (2, 5, 8, 9, 16, 21, None):
        training = Training(workers)
        checkpointer = Checkpointer(tmp_path / "run", every=1, **options, **training.parts())
        if stop_at is None:
            training.run(checkpointer)
        else:
            with pytest.raises(Stop):
                training.run(checkpointer, stop_at)
    assert_same(training, reference)


def test_a_save_is_of_the_moment_when_it_was_asked_for(tmp_path: Path) -> None:
    weight = genesis.zeros(3_000_000)
    with Checkpointer(tmp_path, weight=weight) as checkpointer:
        path = checkpointer.save()
        weight += 1  # while it is being written
        checkpointer.wait()
        assert not load_checkpoint(path)["weight"].any()
        checkpointer.global_step = 1
        checkpointer.save()
        weight += 1
    assert (load_checkpoint(tmp_path / "step-00000001.ckpt")["weight"] == 1).all()


def test_the_newest_are_kept_and_the_best(tmp_path: Path) -> None:
    with Checkpointer(tmp_path, keep=2, every=1, best="loss", seen={}) as checkpointer:
        for loss in (3.0, 1.0, float("nan"), 2.0, 4.0, 5.0):
            checkpointer.step({"loss": loss})
        checkpointer.wait()
        assert checkpointer.best() == tmp_path / "step-00000002.ckpt"
    names = sorted(path.name for path in tmp_path.glob("*.ckpt"))
    assert names == ["step-00000002.ckpt", "step-00000005.ckpt", "step-00000006.ckpt"]
    with Checkpointer(tmp_path, keep=1, best="loss", seen={}) as checkpointer:
        assert checkpointer.resume() == 6
        assert checkpointer.best() == tmp_path / "step-00000002.ckpt"
        checkpointer.step()
        checkpointer.save({"loss": 0.5})
    assert [path.name for path in tmp_path.glob("*.ckpt")] == ["step-00000007.ckpt"]


def test_the_largest_may_be_the_best(tmp_path: Path) -> None:
    with Checkpointer(tmp_path, keep=1, every=1, best="accuracy", mode="max", seen={}) as checkpointer:
        for accuracy in (0.1, 0.9, 0.5):
            checkpointer.step({"accuracy": genesis.tensor(accuracy)})
    assert load_checkpoint(tmp_path / "step-00000002.ckpt")["metrics"] == {"accuracy": pytest.approx(0.9)}


def test_the_newest_good_one_is_used_and_damaged_ones_are_put_aside(tmp_path: Path) -> None:
    seen: dict[str, int] = {}
    with Checkpointer(tmp_path, every=1, seen=seen) as checkpointer:
        for number in range(3):
            seen["number"] = number
            checkpointer.step()
    newest = tmp_path / "step-00000003.ckpt"
    newest.write_bytes(newest.read_bytes()[:-1])
    before = tmp_path / "step-00000002.ckpt"
    before.write_bytes(before.read_bytes().replace(b"numpy", b"nympy"))
    with Checkpointer(tmp_path, seen=seen) as checkpointer:
        with pytest.warns(UserWarning, match=r"damaged.*the one before|the checkpoint before it is used"):
            assert checkpointer.resume() == 1
        assert seen == {"number": 0}
    assert sorted(path.name for path in tmp_path.glob("*.damaged")) == [
        f"{before.name}.damaged",
        f"{newest.name}.damaged",
    ]
    (tmp_path / "step-00000001.ckpt").write_bytes(b"")
    with (
        Checkpointer(tmp_path, seen=seen) as checkpointer,
        pytest.raises(genesis.CheckpointError, match="none of the 1 checkpoints"),
        pytest.warns(UserWarning, match="empty"),
    ):
        checkpointer.resume()


def failing(*args: Any) -> Any:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_a_file_that_cannot_be_read_now_is_not_put_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = [1.0]
    with Checkpointer(tmp_path, values=value) as checkpointer:
        checkpointer.step()
        path = checkpointer.save()
    with monkeypatch.context() as patch, Checkpointer(tmp_path, values=[0.0]) as checkpointer:
        patch.setattr("genesis.checkpoint._safetensors.array", failing)
        with pytest.raises(OSError, match="Input/output"):
            checkpointer.resume()
    assert path.exists()
    with Checkpointer(tmp_path, values=[0.0]) as checkpointer:
        assert checkpointer.resume() == 1


@pytest.mark.parametrize("damage", ["missing", "truncated", "changed", "listed otherwise"])
def test_a_checkpoint_in_parts_is_checked_as_a_whole(tmp_path: Path, damage: str) -> None:
    state = {"a": genesis.randn(100), "b": genesis.randn(100), "c": np.arange(50), "n": 3}
    path = tmp_path / "large.ckpt"
    genesis.save_checkpoint(state, path, max_shard_size="800")
    verify(path)
    loaded = load_checkpoint(path)
    assert list(loaded) == list(state)
    assert (loaded["a"] == state["a"]).all()
    assert (loaded["c"] == state["c"]).all()
    parts = sorted(tmp_path.glob("*.safetensors"))
    assert len(parts) == 2
    assert sorted(name for part in parts for name in safetensors.numpy.load_file(part)) == ["a", "b", "c"]
    if damage == "missing":
        parts[0].unlink()
    elif damage == "truncated":
        parts[0].write_bytes(parts[0].read_bytes()[:-1])
    elif damage == "changed":
        content = bytearray(parts[1].read_bytes())
        content[-1] ^= 1
        parts[1].write_bytes(content)
    else:
        path.write_bytes(path.read_bytes().replace(b"-00001-of", b"-00002-of"))
    for read in (verify, load_checkpoint):
        with pytest.raises(genesis.CheckpointError, match=r"part|SHA-256"):
            read(path)


def test_a_smaller_checkpoint_takes_the_place_of_one_in_parts(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    for number in range(3):
        genesis.save_checkpoint({"a": genesis.full((100,), number)}, path, max_shard_size=100)
        assert len(os.listdir(tmp_path)) == 2
        assert (load_checkpoint(path)["a"] == number).all()
    genesis.save_checkpoint({"a": 3}, path, max_shard_size=100)
    assert os.listdir(tmp_path) == ["last.ckpt"]


def test_what_a_kill_left_behind_is_removed_and_nothing_else(tmp_path: Path) -> None:
    with Checkpointer(tmp_path, max_shard_size=100, weight=genesis.zeros(100)) as checkpointer:
        checkpointer.step()
    good = sorted(os.listdir(tmp_path))
    kept = "notes.safetensors"
    for name in (".genesis-0123456789ab.tmp", "step-00000007.ckpt.01234567-00001-of-00002.safetensors", kept):
        (tmp_path / name).write_bytes(b"half")
    Checkpointer(tmp_path).close()
    assert sorted(os.listdir(tmp_path)) == sorted([*good, kept])


def test_one_process_at_a_time(tmp_path: Path) -> None:
    script = f"""
        from genesis.checkpoint import Checkpointer
        Checkpointer({str(tmp_path)!r})
        print("mine", flush=True)
        input()
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "mine\n"
        with pytest.raises(FolderInUseError, match=rf"process {other.pid} on .* is using {tmp_path}"):
            Checkpointer(tmp_path)
        other.kill()
        other.wait()
    first = Checkpointer(tmp_path)  # a claim dies with its process
    with pytest.raises(FolderInUseError):
        Checkpointer(tmp_path)
    first.close()
    Checkpointer(tmp_path).close()


@pytest.fixture
def handler() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.usefixtures("handler")
def test_a_signal_saves_after_the_step_and_exits(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def train() -> None:
        seen = {"steps": 0}
        with Checkpointer(tmp_path, seen=seen) as checkpointer:
            for number in range(5):
                if number == 2:
                    os.kill(os.getpid(), signal.SIGTERM)
                seen["steps"] += 1
                checkpointer.step()

    with pytest.raises(SystemExit) as end:
        train()
    assert end.value.code == 128 + signal.SIGTERM
    assert load_checkpoint(tmp_path / "step-00000003.ckpt")["seen"] == {"steps": 3}
    assert "SIGTERM: step 3 is saved" in caplog.text


@pytest.mark.usefixtures("handler")
def test_an_error_in_a_step_saves_nothing(tmp_path: Path) -> None:
    def train() -> None:
        with Checkpointer(tmp_path, every=2, seen={}) as checkpointer:
            for number in range(4):
                assert number < 3
                checkpointer.step()

    with pytest.raises(AssertionError):
        train()
    assert [path.name for path in tmp_path.glob("*.ckpt")] == ["step-00000002.ckpt"]


@pytest.mark.parametrize("background", [True, False])
def test_a_save_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, background: bool) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    checkpointer = Checkpointer(tmp_path, background=background, seen={})
    checkpointer.step()
    checkpointer.save()
    checkpointer.wait()
    monkeypatch.setattr(os, "replace", fail)
    checkpointer.step()

    def save() -> None:
        checkpointer.save()
        checkpointer.wait()

    with pytest.raises(genesis.CheckpointError, match="No space left on device"):
        save()
    monkeypatch.undo()
    checkpointer.close()
    assert sorted(os.listdir(tmp_path)) == [".lock", "step-00000001.ckpt"]


def test_saving_by_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    with Checkpointer(tmp_path, every=timedelta(seconds=10), seen={}) as checkpointer:
        for seconds in (5.0, 4.9, 0.2, 9.0, 1.0):
            now[0] += seconds
            checkpointer.step()
        checkpointer.wait()
        names = sorted(path.name for path in tmp_path.glob("*.ckpt"))
    assert names == ["step-00000003.ckpt", "step-00000005.ckpt"]


def test_states_of_all_kinds_come_back_in_place(tmp_path: Path) -> None:
    def parts() -> dict[str, Any]:
        return {
            "both": [optim.SGD([genesis.ones(2, requires_grad=True)], lr=0.1), genesis.zeros(2)],
            "array": np.zeros(3),
            "generator": genesis.Generator().manual_seed(1),
            "values": {"best": 1.0, "names": ["a"], "model": nn.Linear(2, 1)},
            "history": [1, 2],
            "nothing": None,
        }

    first, second = parts(), parts()
    first["both"][0].param_groups[0]["lr"] = 0.5
    first["both"][1] += 1
    first["array"] += 2
    genesis.rand(5, generator=first["generator"])
    first["values"] |= {"best": 2.0, "more": (1, 2)}
    first["history"].append(3)
    with Checkpointer(tmp_path, **first) as checkpointer:
        checkpointer.step()
    objects = {name: id(part) for name, part in second.items()}
    with Checkpointer(tmp_path, **second) as checkpointer:
        assert checkpointer.resume() == 1
    assert objects == {name: id(part) for name, part in second.items()}
    assert second["both"][0].param_groups[0]["lr"] == 0.5
    assert second["both"][1].tolist() == [1, 1]
    assert second["array"].tolist() == [2, 2, 2]
    assert second["generator"].get_state().tolist() == first["generator"].get_state().tolist()
    assert second["values"]["best"] == 2.0
    assert second["values"]["more"] == (1, 2)
    assert (second["values"]["model"].weight == first["values"]["model"].weight).all()
    assert second["history"] == [1, 2, 3]


def test_other_parts_than_those_saved_are_refused(tmp_path: Path) -> None:
    with Checkpointer(tmp_path, model=nn.Linear(2, 1), seen={}) as checkpointer:
        checkpointer.step()
    for parts, said in (
        ({"model": nn.Linear(2, 1)}, "'seen' was saved in .* and is not given here"),
        ({"model": nn.Linear(2, 1), "seen": {}, "ema": {}}, "'ema' was not saved in .* and is given here"),
        ({"model": nn.Linear(2, 1), "seen": []}, "a dict as seen, which does not fit the list"),
    ):
        with Checkpointer(tmp_path, **parts) as checkpointer, pytest.raises(ValueError, match=said):
            checkpointer.resume()


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"every": 0}, ValueError, "every is a number of steps or a time"),
        ({"every": 1.5}, TypeError, "timedelta"),
        ({"keep": 0}, ValueError, "at least 1"),
        ({"mode": "least"}, ValueError, "'min' or 'max'"),
        ({"max_shard_size": "2 apples"}, ValueError, "'2GB'"),
        ({"epoch": {}}, ValueError, "'epoch' is what a checkpoint has itself"),
        ({"start": 3}, TypeError, "pass an object with state_dict"),
    ],
)
def test_what_does_not_fit_is_refused_before_the_first_step(
    tmp_path: Path, options: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        Checkpointer(tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


def test_workers_without_shuffling_draw_the_same_after_a_restart(tmp_path: Path) -> None:
    def passes(loader: Any, checkpointer: Checkpointer, count: int) -> list[Any]:
        return [[batch.tolist() for batch in loader] for _ in range(count)]

    def made() -> Any:
        genesis.manual_seed(3)
        return DataLoader(Noise(), batch_size=2, num_workers=1)

    loader = made()
    with Checkpointer(tmp_path / "a", loader=loader) as checkpointer:
        whole = passes(loader, checkpointer, 3)
    loader = made()
    with Checkpointer(tmp_path / "b", loader=loader) as checkpointer:
        assert passes(loader, checkpointer, 1) == whole[:1]
        checkpointer.step()
    loader = made()
    with Checkpointer(tmp_path / "b", loader=loader) as checkpointer:
        checkpointer.resume()
        assert passes(loader, checkpointer, 2) == whole[1:]


class Noise:
    """Samples that are drawn when they are asked for."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> Any:
        return genesis.rand(2)


def test_inspecting_tells_what_is_there(tmp_path: Path) -> None:
    model = nn.Linear(3, 2)
    with Checkpointer(
        tmp_path, max_shard_size=20, model=model, optimizer=optim.AdamW(model.parameters())
    ) as c:
        c.step()
        c.save({"loss": 0.25})
    told = inspect(tmp_path / "step-00000001.ckpt")
    assert told["format"] == "2"
    assert told["content"]["step"] == 1
    assert told["content"]["metrics"] == {"loss": 0.25}
    assert told["content"]["model"]["weight"] == "float32[2, 3] on cpu"
    weight = next(tensor for tensor in told["tensors"] if tensor["name"] == "model.weight")
    assert weight["dtype"] == "float32"
    assert weight["shape"] == [2, 3]
    assert weight["bytes"] == 24
    assert told["bytes"] == sum(path.stat().st_size for path in tmp_path.glob("step*"))
    assert told["providers"]["checkpoint['optimizer']"][0]["name"] == "AdamW"


@pytest.mark.parametrize("version", [1, 2])
def test_files_of_every_format_that_was_ever_written_can_be_read(version: int) -> None:
    path = Path(__file__).parent / "checkpoints" / f"format-{version}.ckpt"
    verify(path)
    assert inspect(path)["format"] == str(version)
    state = load_checkpoint(path)
    assert state["kinds"] == {
        "array": pytest.approx(np.arange(3)),
        "scalar": np.float32(0.25),
        "big": 2**70,
        "inf": float("inf"),
        "tuple": (1, None, True),
        3: "ü",
    }
    training = Old()
    for name, part in vars(training).items():
        part.load_state_dict(state[name])
    genesis.set_rng_state(state["random"])
    assert training.model.bias.tolist() == pytest.approx([-0.0025, -1.495])
    assert training.optimizer.state_dict()["state"][0]["step"] == 1
    assert training.scheduler.last_epoch == 1
    assert [batch[0].tolist() for batch in training.loader] == [[9, 8], [6, 1], [5, 0]]


def test_a_folder_that_the_first_checkpointer_wrote_can_be_resumed(tmp_path: Path) -> None:
    shutil.copytree(Path(__file__).parent / "checkpoints" / "run-1", tmp_path / "run")
    training = Old()
    seen = {"epochs": 0}
    with Checkpointer(tmp_path / "run", seen=seen, **vars(training)) as checkpointer:
        assert checkpointer.resume() == 2
        assert (checkpointer.epoch, checkpointer.metrics, seen) == (0, {"loss": 0.5}, {"epochs": 3})
        assert checkpointer.best() == tmp_path / "run" / "step-00000002.ckpt"
    assert [batch[0].tolist() for batch in training.loader] == [[9, 8], [6, 1], [5, 0]]
    drawn = genesis.rand(1).item(), float(np.random.rand()), random.random()
    assert drawn == (0.9345361590385437, 0.417022004702574, 0.9560342718892494)


class Old:
    """The parts of the files in the folder ``checkpoints``."""

    def __init__(self) -> None:
        self.model = nn.Linear(3, 2)
        self.optimizer = optim.AdamW(self.model.parameters(), lr=0.5)
        self.scheduler = optim.lr_scheduler.StepLR(self.optimizer, 2)
        self.loader = DataLoader(TensorDataset(genesis.arange(10)), batch_size=2, shuffle=True)


def test_after_the_end_and_in_a_child_nothing_is_saved_and_nothing_hangs(tmp_path: Path) -> None:
    checkpointer = Checkpointer(tmp_path, progress={"seen": 0})
    checkpointer.save()
    if hasattr(os, "fork"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            code = 1
            try:
                checkpointer.wait()
                with suppress(RuntimeError):
                    checkpointer.save()
                    os._exit(2)
                checkpointer.close()
                code = 0
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    checkpointer.close()
    checkpointer.close()
    checkpointer.wait()
    with pytest.raises(RuntimeError, match="is closed"):
        checkpointer.save()
    assert checkpointer.newest() is not None


def test_the_best_one_stays_when_a_better_one_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Checkpointer(tmp_path, keep=1, best="loss", progress={"seen": 0}) as checkpointer:
        checkpointer.save({"loss": 2.0})
        checkpointer.wait()
        best = checkpointer.best()

        def full(*args: object) -> None:
            raise OSError(errno.ENOSPC, "full")

        checkpointer.global_step = 1
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", full)
            checkpointer.save({"loss": 1.0})
            with pytest.raises(genesis.CheckpointError, match="full"):
                checkpointer.wait()
        checkpointer.global_step = 2
        checkpointer.save({"loss": 3.0})
        checkpointer.wait()
        assert checkpointer.best() == best
        assert best is not None
        assert best.exists()


def test_an_interrupt_while_a_save_is_handed_over_does_not_change_what_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Saved again at once, as in ``except KeyboardInterrupt:``."""
    x = genesis.zeros(200_000)
    with Checkpointer(tmp_path, x=x) as checkpointer:
        give = Line.give

        def interrupted(line: Line, job: Any) -> None:
            give(line, job)
            raise KeyboardInterrupt

        checkpointer.step()
        with monkeypatch.context() as patch:
            patch.setattr(Line, "give", interrupted)
            with pytest.raises(KeyboardInterrupt):
                checkpointer.save()
        x.fill_(2)
        checkpointer.step()
        checkpointer.save()
    for step, value in ((1, 0), (2, 2)):
        assert (load_checkpoint(tmp_path / f"step-{step:08d}.ckpt")["x"] == value).all()
