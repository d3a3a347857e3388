"""What a user can do wrong with `genesis train`, and what goes wrong by itself: one clear message each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import genesis
from genesis.checkpoint import _safetensors
from genesis.optim import LRScheduler, Schedule

SHORT = ("train", "digits", "--epochs", 1, "--batch-size", 500)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train"], "name what to train: fashion-mnist, digits, shakespeare"),
        (["train", "digit"], "there is no recipe named 'digit'; did you mean 'digits'?"),
        (["train", "poetry"], "there are fashion-mnist, digits, shakespeare"),
        (["train", "digits", "--optimizer", "AdanW"], "did you mean 'AdamW'"),
        (["train", "digits", "--scheduler", "cosine_warmup"], "or 'cosine_with_warmup'"),
        (["train", "digits", "--device", "cpuu"], "did you mean 'cpu'?"),
        (["train", "digits", "--device", "cpu:first"], "invalid device 'cpu:first'"),
        (["train", "digits", "--optimizer-option", "betas"], "NAME=VALUE"),
        (["train", "digits", "--optimizer-option", "=3"], "got '=3'"),
        (["train", "digits", "--optimizer-option", "eps=1", "--optimizer-option", "eps=2"], "'eps' twice"),
        (["train", "digits", "--scheduler-option", "num_cycles={1}"], "the value is a number"),
        (["train", "digits", "--optimizer-option", "weigth_decay=1"], "weight_decay=0.01"),
        (["train", "digits", "--optimizer-option", "weight_decay=-1"], "optimizer AdamW: "),
        (["train", "digits", "--scheduler-option", "warm=1"], "it takes num_warmup_steps"),
        (["train", "digits", "--scheduler", "LambdaLR"], "missing a required argument: 'lr_lambda'"),
        (["train", "digits", "--scheduler", "none", "--scheduler-option", "a=1"], "--scheduler is none"),
        (["train", "digits", "--lr", "0.1", "--optimizer-option", "lr=0.1"], "are the same"),
        (["train", "digits", "--epochs", "0"], "--epochs"),
        (["train", "digits", "--epochs", "many"], "--epochs"),
        (["train", "digits", "--threads", "100000"], "--threads 100000: the number of threads"),
        (["train", "digits", "--device", "ref", "--threads", "1"], "'ref' has no setting for threads"),
        (["train", "digits", "--resume"], "--resume needs the folder"),
        (["train", "digits", "--resume", "nowhere"], "there is no folder nowhere"),
        (["train", "digits", "--resume", "a", "--out", "b"], "--resume a and --out b differ"),
        (["train", "digits", "--out", "/dev/null"], "/dev/null is a file"),
        (["train", "digits", "--out", "/proc/run"], "cannot make the run folder /proc/run"),
        (["trian", "digits"], "No such command 'trian'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_misuse(genesis_command: Any, tmp_path: Path, words: list[str], message: str) -> None:
    done = genesis_command(*words)
    assert done.code == 2
    assert message in done.err
    assert done.out == ""
    assert list(tmp_path.iterdir()) == [], "nothing is begun"


def test_a_folder_that_holds_a_run_is_refused(genesis_command: Any) -> None:
    assert genesis_command(*SHORT, "--out", "run").code == 0
    before = Path("run/model.ckpt").read_bytes()
    done = genesis_command(*SHORT, "--out", "run")
    assert done.code == 2
    assert "run already holds a run; go on with --resume" in done.err
    assert Path("run/model.ckpt").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fashion-mnist"], "the recipe is fashion-mnist, but the run in run began with digits"),
        (["--epochs", "2"], "--epochs is 2, but the run in run began with 1"),
        (["--lr", "1"], "--lr is 1.0, but the run in run began with 0.003"),
        (["--optimizer", "sgd"], "--optimizer is SGD, but the run in run began with AdamW"),
        (["--scheduler", "none"], "--scheduler is none, but the run in run began with cosine_with_warmup"),
        (["--device", "ref"], "--device is ref, but the run in run began with cpu"),
        (["--optimizer-option", "betas=0.5,0.9"], "--optimizer-option betas is (0.5, 0.9)"),
        (["--scheduler-option", "num_warmup_steps=1"], "--scheduler-option num_warmup_steps is 1"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_options_that_contradict_the_run_are_refused(
    genesis_command: Any, words: list[str], message: str
) -> None:
    assert genesis_command(*SHORT, "--out", "run", "--optimizer-option", "betas=0.8,0.9").code == 0
    done = genesis_command("train", *words, "--resume", "run")
    assert done.code == 2
    assert message in done.err


def test_options_that_agree_with_the_run_are_accepted(genesis_command: Any) -> None:
    words = ("--optimizer-option", "betas=0.8,0.9", "--lr", "0.01")
    assert genesis_command(*SHORT, *words, "--out", "run").code == 0
    done = genesis_command(*SHORT, *words, "--optimizer", "adam-w", "--out", "run", "--resume")
    assert done.code == 0, done.err


def test_a_configuration_that_is_none(genesis_command: Any) -> None:
    assert genesis_command(*SHORT, "--out", "run").code == 0
    Path("run/config.json").write_text('{"recipe": "digits"')
    done = genesis_command("train", "--resume", "run")
    assert done.code == 1
    assert "run/config.json is not a configuration that this Genesis can read" in done.err


@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")
def test_a_loss_that_is_not_a_number_stops_the_run(genesis_command: Any) -> None:
    done = genesis_command(
        "train", "digits", "--lr", "1e30", "--scheduler", "none", "--epochs", 2, "--out", "run"
    )
    assert done.code == 1
    assert "at step " in done.err
    assert "(epoch 1); the training has stopped" in done.err
    assert "The last good checkpoint is run/checkpoints/epoch-000" in done.err
    (kept,) = Path("run/checkpoints").iterdir()
    assert all(np.isfinite(v.numpy()).all() for v in genesis.load_checkpoint(kept)["model"].values())
    assert not Path("run/model.ckpt").exists()


class Spoiler(LRScheduler):
    """A schedule whose rate is absurd in the second epoch: the weights become infinite there."""

    def schedule_for(self, index: int, base_lr: float) -> Schedule:
        return Steps()


class Steps(Schedule):
    def at(self, step: int) -> float:
        return 1.0 if step < 4 else 1e38


def test_the_checkpoint_before_the_spoiled_step_is_kept(genesis_command: Any) -> None:
    from genesis.plugin import SchedulerSpec, hookimpl, isolated, register

    class Plugin:
        @hookimpl
        def genesis_schedulers(self) -> list[SchedulerSpec]:
            return [SchedulerSpec("Spoiler", f"{__name__}:Spoiler", "Goes wrong.")]

    with isolated():
        register(Plugin(), name="spoiler")
        done = genesis_command(
            "train", "digits", "--epochs", 3, "--batch-size", 500, "--scheduler", "spoiler", "--out", "run"
        )
    assert done.code == 1
    assert (
        "(epoch 2); the training has stopped. The last good checkpoint is run/checkpoints/epoch-001.ckpt"
        in done.err
    )
    with pytest.warns(genesis.PluginWarning, match="'Spoiler'.* of spoiler, which is not available here"):
        loaded = genesis.load_checkpoint("run/checkpoints/epoch-001.ckpt")
    assert loaded["step"] == 3


def test_a_full_disk_is_reported_and_the_run_can_be_resumed(
    genesis_command: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = _safetensors.header

    def full(arrays: Any, metadata: Any) -> Any:
        if ["step", 6] in json.loads(metadata["genesis.tree"])["dict"]:  # the end of the second epoch
            raise OSError(28, "No space left on device")
        return header(arrays, metadata)

    with monkeypatch.context() as patch:
        patch.setattr(_safetensors, "header", full)
        words = ("train", "digits", "--epochs", 3, "--batch-size", 500, "--out", "run")
        done = genesis_command(*words)
    assert done.code == 1
    assert "No space left on device" in done.err
    assert "genesis train --resume run" in done.err
    assert genesis_command("train", "--resume", "run").code == 0


def test_two_processes_do_not_share_a_folder(genesis_command: Any) -> None:
    fcntl = pytest.importorskip("fcntl", reason="locks of POSIX")
    Path("run").mkdir()
    with open("run/.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = genesis_command(*SHORT, "--out", "run")
    assert done.code == 2
    assert "another process is training in run" in done.err
