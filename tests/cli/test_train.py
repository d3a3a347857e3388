"""`genesis train`: what it prints, and what is in the run folder afterwards."""

from __future__ import annotations

import csv
import json
import struct
from pathlib import Path
from typing import Any

import pytest

import genesis
from genesis.recipes import RECIPES, find, load
from genesis.recipes.gpt import GPT
from genesis.recipes.images import Augmented

QUICK = ("train", "digits", "--epochs", 2, "--batch-size", 100)


def rows(folder: Path | str) -> list[dict[str, str]]:
    with open(Path(folder) / "metrics.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_the_run_folder(genesis_command: Any) -> None:
    done = genesis_command(*QUICK, "--out", "run")
    assert done.code == 0, done.err
    assert sorted(path.name for path in Path("run").iterdir() if path.name[0] != ".") == [
        "checkpoints", "config.json", "curves.png", "metrics.csv", "model.ckpt"
    ]  # fmt: skip
    names = sorted(path.name for path in Path("run/checkpoints").iterdir())
    assert names == ["epoch-000.ckpt", "epoch-001.ckpt", "epoch-002.ckpt"]
    metrics = rows("run")
    assert list(metrics[0]) == ["step", "epoch", "loss", "lr", "samples_per_second", "test_accuracy"]
    assert [int(row["step"]) for row in metrics] == list(range(1, 31))
    assert [row["step"] for row in metrics if row["test_accuracy"]] == ["15", "30"]
    assert float(metrics[-1]["loss"]) < 0.7 * float(metrics[0]["loss"])
    config = json.loads(Path("run/config.json").read_text())
    assert config["supplied_by"] == dict.fromkeys(
        ("device", "optimizer", "scheduler"),
        f"genesis-dl {genesis.plugin.registry('backends').find('cpu').version}",
    )
    assert config["scheduler_options"] == {"num_training_steps": 30, "num_warmup_steps": 2}
    width, height = struct.unpack(">II", Path("run/curves.png").read_bytes()[16:24])
    assert width > 800
    assert height > 500


def test_what_it_prints(genesis_command: Any) -> None:
    done = genesis_command(*QUICK, "--out", "run")
    accuracy = float(rows("run")[-1]["test_accuracy"])
    assert f"test accuracy {accuracy:.2%}" in " ".join(done.out.split())
    assert "epoch 2/2  step 30/30" in done.out
    assert "samples/s" in done.out
    for what in (
        "cpu, supplied by genesis-dl",
        "AdamW, supplied by",
        "cosine_with_warmup, supplied by",
        "run folder",
    ):
        assert what in done.out
    assert "\033" not in done.out, "no colours in a pipe"


def test_the_default_folder_has_the_recipe_and_the_time_in_its_name(genesis_command: Any) -> None:
    assert genesis_command(*QUICK, "--epochs", 1).code == 0
    (folder,) = Path("runs").iterdir()
    assert folder.name.startswith("digits-20")
    assert genesis_command(*QUICK, "--epochs", 1).code == 0
    assert len(list(Path("runs").iterdir())) == 2


def test_the_same_seed_gives_the_same_weights_and_another_one_others(genesis_command: Any) -> None:
    for folder, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert genesis_command(*QUICK, "--seed", seed, "--out", folder).code == 0
    a, b, c = (genesis.load_checkpoint(f"{folder}/model.ckpt") for folder in "abc")
    assert all((a[name] == b[name]).all() for name in a)
    assert not any((a[name] == c[name]).all() for name in a if name.endswith("weight"))


def test_options_reach_optimizer_and_schedule(genesis_command: Any) -> None:
    done = genesis_command(
        *QUICK, "--optimizer", "sgd", "--lr", 0.5, "--optimizer-option", "momentum=0.5",
        "--optimizer-option", "nesterov=true", "--scheduler-option", "num_warmup_steps=10", "--out", "run",
    )  # fmt: skip
    assert done.code == 0, done.err
    state = genesis.load_checkpoint("run/checkpoints/epoch-002.ckpt")
    (group,) = state["optimizer"]["param_groups"]
    assert (group["momentum"], group["nesterov"], group["initial_lr"]) == (0.5, True, 0.5)
    rates = [float(row["lr"]) for row in rows("run")]
    assert rates[:3] == [0.0, 0.05, 0.1]
    assert max(rates) == rates[10] == 0.5


def test_another_optimizer_starts_from_its_own_defaults(genesis_command: Any) -> None:
    assert genesis_command(*QUICK, "--optimizer", "Adam", "--scheduler", "none", "--out", "run").code == 0
    config = json.loads(Path("run/config.json").read_text())
    assert (config["optimizer"], config["optimizer_options"], config["scheduler"]) == ("Adam", {}, "none")
    assert {row["lr"] for row in rows("run")} == {"0.001"}


def test_the_reference_device_trains_to_nearly_the_same_loss(genesis_command: Any) -> None:
    for device in ("cpu", "ref"):
        assert genesis_command(*QUICK, "--device", device, "--out", device).code == 0
    losses = [[float(row["loss"]) for row in rows(device)] for device in ("cpu", "ref")]
    # float32 sums in another order, and thirty steps in which the differences grow
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_the_digits_recipe_learns(genesis_command: Any) -> None:
    assert genesis_command("train", "digits", "--epochs", 15, "--out", "run").code == 0
    assert float(rows("run")[-1]["test_accuracy"]) > 0.9  # 94 % after all 40 epochs


def test_the_gpt_learns_and_writes_a_sample(genesis_command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = load("shakespeare")
    monkeypatch.setattr(
        "genesis.data.load_shakespeare", lambda: "To be, or not to be: that is the question.\n" * 150
    )
    monkeypatch.setattr("genesis.recipes.shakespeare.load_shakespeare", genesis.data.load_shakespeare)
    for name, value in {"width": 32, "layers": 1, "heads": 2}.items():
        monkeypatch.setattr(recipe, name, value)
    done = genesis_command(
        "train", "shakespeare", "--epochs", 12, "--batch-size", 8, "--lr", 0.01, "--out", "run"
    )
    assert done.code == 0, done.err
    metrics = rows("run")
    assert float(metrics[-1]["validation_loss"]) < 0.3 * float(metrics[0]["loss"])
    assert "not to be: that is" in done.out, "what it has read again and again it can say"


def test_a_gpt_does_not_see_the_future() -> None:
    genesis.manual_seed(0)
    model = GPT(vocabulary=11, length=8, width=16, layers=2, heads=2)
    tokens = genesis.randint(0, 11, (1, 8))
    changed = tokens.clone()
    changed[0, 5] = (tokens[0, 5] + 1) % 11
    before, after = model(tokens).detach().numpy(), model(changed).detach().numpy()
    assert (before[:, :5] == after[:, :5]).all()
    assert (before[:, 5:] != after[:, 5:]).any(axis=(0, 2)).all()


def test_augmented_images_are_shifted_and_mirrored_originals() -> None:
    genesis.manual_seed(0)
    data = genesis.data.load_digits()
    images, labels = Augmented(data, shift=1, mirror=True).__getitems__([7] * 200).tensors
    assert set(labels.tolist()) == {data.labels[7].item()}
    padded = genesis.data.load_digits().images[7].numpy()
    expected = set()
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            moved = shifted(padded, down, right)
            expected |= {moved.tobytes(), moved[:, ::-1].tobytes()}
    assert {image.tobytes() for image in images.numpy()} == expected


def shifted(image: Any, down: int, right: int) -> Any:
    """An image moved by whole pixels, with 0 where nothing was."""
    moved = 0 * image
    n = len(image)
    moved[max(0, down) : n + min(0, down), max(0, right) : n + min(0, right)] = image[
        max(0, -down) : n - max(0, down), max(0, -right) : n - max(0, right)
    ]
    return moved


def test_recipes_are_found_by_name() -> None:
    assert [find(name.upper().replace("-", "_")) for name in RECIPES] == list(RECIPES)


@pytest.mark.parametrize("name", ["RMSprop", "LBFGS"])
def test_an_optimizer_by_name(genesis_command: Any, name: str) -> None:
    options = ("--optimizer-option", "max_iter=2") if name == "LBFGS" else ()
    done = genesis_command(
        "train", "digits", "--epochs", 1, "--batch-size", 300, "--optimizer", name, "--lr", 1e-3, *options,
        "--out", "run",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert f"{name}, supplied by genesis-dl" in " ".join(done.out.split())
    metrics = rows("run")
    assert float(metrics[-1]["loss"]) < float(metrics[0]["loss"])


def test_an_optimizer_that_does_not_fit(genesis_command: Any) -> None:
    done = genesis_command("train", "digits", "--optimizer", "Muon", "--out", "run")
    assert done.code != 0
    assert "Muon only supports 2D parameters" in " ".join(done.err.split())
