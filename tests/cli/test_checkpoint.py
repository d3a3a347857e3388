"""`genesis checkpoint verify` and `inspect`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import genesis
from genesis import nn
from genesis.checkpoint import Checkpointer


def save_some(folder: Path, count: int) -> Any:
    model = nn.Linear(3, 2)
    optimizer = genesis.optim.AdamW(model.parameters())
    with Checkpointer(folder, every=1, model=model, optimizer=optimizer) as checkpointer:
        for _ in range(count):
            checkpointer.step({"loss": 0.5})
    return model


def test_good_checkpoints_are_good(genesis_command: Any, tmp_path: Path) -> None:
    save_some(tmp_path / "run", 2)
    done = genesis_command("checkpoint", "verify", "run")
    assert done.code == 0
    assert done.out.count("good") == 2
    assert genesis_command("checkpoint", "verify", "run/step-00000002.ckpt").code == 0


def test_a_damaged_one_is_named(genesis_command: Any, tmp_path: Path) -> None:
    save_some(tmp_path / "run" / "checkpoints", 3)
    damaged = tmp_path / "run" / "checkpoints" / "step-00000002.ckpt"
    damaged.write_bytes(damaged.read_bytes()[:-3])
    done = genesis_command("checkpoint", "verify", "run")
    assert done.code == 1
    assert "truncated" in next(line for line in done.out.splitlines() if "DAMAGED" in line)
    done = genesis_command("checkpoint", "verify", "run", "--json")
    assert done.code == 1
    assert [entry["good"] for entry in json.loads(done.out)] == [True, False, True]


def test_nothing_there(genesis_command: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for word in ("verify", "inspect"):
        done = genesis_command("checkpoint", word, "empty")
        assert (done.code, done.err) == (1, "error: there is no checkpoint in empty\n")
        assert genesis_command("checkpoint", word, "nowhere").code == 2
    (tmp_path / "other.ckpt").write_text("something else")
    done = genesis_command("checkpoint", "inspect", "other.ckpt")
    assert done.code == 1
    assert "not a Genesis checkpoint" in done.err


def test_inspecting(genesis_command: Any, tmp_path: Path) -> None:
    save_some(tmp_path / "run", 2)
    lines = genesis_command("checkpoint", "inspect", "run", "--tensors").out.splitlines()
    text = "\n".join(" ".join(line.split()) for line in lines)
    assert "checkpoint run/step-00000002.ckpt" in text
    assert "model 2 entries, 2 tensors 32 bytes" in text
    assert "metrics {'loss': 0.5}" in text
    assert "supplied: checkpoint['optimizer'] AdamW of genesis-dl" in text
    assert "model.weight float32[2, 3] 24 bytes" in text
    told = json.loads(genesis_command("checkpoint", "inspect", "run", "--json").out)
    assert told["content"]["step"] == 2
    assert told["content"]["model"]["bias"] == "float32[2] on cpu"
