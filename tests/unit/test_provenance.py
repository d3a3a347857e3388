"""A checkpoint names who supplied its parts, and says which distribution is missing when it is read."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import genesis
from genesis import nn, optim
from genesis.plugin import (
    BackendSpec,
    OptimizerSpec,
    PluginWarning,
    SchedulerSpec,
    hookimpl,
    isolated,
    register,
    unregister,
)
from genesis.testing.reference import RefBackend


class Descent(optim.Optimizer):
    """Gradient descent, by somebody else."""

    def __init__(self, params: Any, lr: float = 0.1) -> None:
        super().__init__(params, {"lr": lr})

    @genesis.no_grad()
    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.sub_(group["lr"] * p.grad)

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "more": 1}  # a new dict: what the base class returned is lost


class Fall(optim.Schedule):
    """A schedule of somebody else."""

    def at(self, step: float) -> float:
        return 1 / (1 + step)


def halving(optimizer: Any, last_epoch: int = -1) -> optim.LRScheduler:
    return optim.LambdaLR(optimizer, lambda step: 0.5**step, last_epoch)


class Device(RefBackend):
    name = "elsewhere"


class Plugin:
    __version__ = "1.2"

    @hookimpl
    def genesis_backends(self) -> list[BackendSpec]:
        return [BackendSpec("elsewhere", f"{__name__}:Device", "Elsewhere.")]

    @hookimpl
    def genesis_optimizers(self) -> list[OptimizerSpec]:
        return [OptimizerSpec("Descent", f"{__name__}:Descent", "Descent.")]

    @hookimpl
    def genesis_schedulers(self) -> list[SchedulerSpec]:
        return [
            SchedulerSpec("Fall", f"{__name__}:Fall", "Fall."),
            SchedulerSpec("halving", f"{__name__}:halving", "Half again and again."),
        ]


@pytest.fixture(autouse=True)
def installed() -> Iterator[None]:
    with isolated():
        register(Plugin(), "acme-parts")
        yield


def names(path: Path) -> dict[str, list[str]]:
    found = genesis.checkpoint.providers(path)
    return {place: [f"{p.distribution}:{p.name}" for p in made] for place, made in found.items()}


def test_each_part_is_named_with_its_provider(tmp_path: Path) -> None:
    model = nn.Linear(2, 1, device="elsewhere")
    optimizer = optim.create_optimizer("descent", model.parameters())
    by_name = optim.create_scheduler("halving", optimizer)
    by_class = optim.ParamScheduler(optimizer, (Fall() * optim.Cosine(5)).with_warmup(3))
    built_in = optim.SequentialLR(
        optimizer, [optim.StepLR(optimizer, 3), optim.ExponentialLR(optimizer, 0.9)], milestones=[3]
    )
    state = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "schedulers": [by_name.state_dict(), by_class.state_dict(), built_in.state_dict()],
    }
    path = tmp_path / "all.ckpt"
    genesis.save_checkpoint(state, path)
    assert names(path) == {
        "checkpoint['optimizer']": ["acme-parts:Descent"],
        "checkpoint['schedulers'][0]": ["genesis-dl:LambdaLR", "acme-parts:halving"],
        "checkpoint['schedulers'][1]": ["genesis-dl:Cosine", "acme-parts:Fall"],
        "checkpoint['schedulers'][2]": ["genesis-dl:SequentialLR"],
        "checkpoint['schedulers'][2]['_schedulers'][0]": ["genesis-dl:StepLR"],
        "checkpoint['schedulers'][2]['_schedulers'][1]": ["genesis-dl:ExponentialLR"],
        "tensors": ["acme-parts:elsewhere"],
    }
    (provider,) = genesis.checkpoint.providers(path)["checkpoint['optimizer']"]
    assert (provider.kind, provider.version) == ("optimizers", "1.2")
    assert provider.target == f"{__name__}:Descent"
    genesis.load_checkpoint(path)  # all is there: no warning, which would be an error here


def test_what_is_missing_is_named_once_and_the_values_are_read(tmp_path: Path) -> None:
    optimizer = Descent(nn.Linear(2, 1).parameters(), lr=0.25)
    scheduler = optim.ParamScheduler(optimizer, Fall())
    path = tmp_path / "a.ckpt"
    genesis.save_checkpoint({"o": optimizer.state_dict(), "s": scheduler.state_dict()}, path)
    unregister("acme-parts")
    with pytest.warns(PluginWarning) as caught:
        loaded = genesis.load_checkpoint(path)
    (warning,) = caught
    text = str(warning.message)
    assert "the optimizer 'Descent' (checkpoint['o'])" in text
    assert "the scheduler 'Fall' (checkpoint['s'])" in text
    assert "pip install acme-parts==1.2" in text
    assert warning.filename == __file__
    assert loaded["o"]["param_groups"][0]["lr"] == 0.25


def test_a_device_that_is_missing_is_named_too(tmp_path: Path) -> None:
    path = tmp_path / "a.ckpt"
    genesis.save_checkpoint(genesis.ones(2, device="elsewhere"), path)
    unregister("acme-parts")
    with pytest.warns(PluginWarning, match="the backend 'elsewhere' .* of acme-parts 1.2"):
        assert genesis.load_checkpoint(path, map_location="cpu").tolist() == [1, 1]


def test_a_state_is_a_dict_like_any_other(tmp_path: Path) -> None:
    state = optim.SGD(nn.Linear(2, 1).parameters(), lr=1.0).state_dict()
    assert type(pickle.loads(pickle.dumps(state))) is OrderedDict  # which any library can read
    assert state == {**state}
    genesis.save_checkpoint({"copy": copy.deepcopy(state), "shallow": copy.copy(state)}, tmp_path / "a.ckpt")
    assert names(tmp_path / "a.ckpt") == {
        "checkpoint['copy']": ["genesis-dl:SGD"],
        "checkpoint['shallow']": ["genesis-dl:SGD"],
    }


def test_providers_that_were_tampered_with_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.ckpt"
    genesis.save_checkpoint(optim.SGD(nn.Linear(2, 1).parameters()).state_dict(), path)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"genesis-dl", b"genesis-xx"))
    with pytest.raises(genesis.CheckpointError, match="damaged"):
        genesis.load_checkpoint(path)


def test_plain_values_need_no_provider(tmp_path: Path) -> None:
    genesis.save_checkpoint({"epoch": 3}, tmp_path / "a.ckpt")
    assert genesis.checkpoint.providers(tmp_path / "a.ckpt") == {}
