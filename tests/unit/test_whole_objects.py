"""``genesis.save`` of whole models and other objects, and who may read them."""

from __future__ import annotations

import io
import os
import pickle
from collections import deque
from pathlib import Path

import numpy as np
import pytest

import genesis
from genesis import nn

RUN: list[str] = []


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Linear(3, 3)
        self.b = nn.Linear(3, 3)
        self.b.weight = self.a.weight
        self.norm = nn.BatchNorm1d(3)
        self.plain = {"seen": {1, 2}}

    def forward(self, x: genesis.Tensor) -> genesis.Tensor:
        return self.norm(self.b(self.a(x)))


class Harm:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return RUN.append, ("ran",)


def test_a_whole_model_comes_back_with_its_ties_and_its_mode(tmp_path: Path) -> None:
    model = Net().eval()
    genesis.save(model, tmp_path / "model.pt")
    back = genesis.load(tmp_path / "model.pt", weights_only=False, map_location="cpu")
    x = genesis.randn(4, 3)
    assert (back(x) == model(x)).all()
    assert back.b.weight is back.a.weight
    assert type(back.a.weight) is nn.Parameter
    assert back.a.weight.requires_grad
    assert not back.training
    assert back.plain == model.plain


def test_an_optimizer_beside_its_model_goes_on(tmp_path: Path) -> None:
    model = Net()
    optimizer = genesis.optim.Adam(model.parameters())
    model(genesis.randn(4, 3)).sum().backward()
    optimizer.step()
    file = io.BytesIO()
    genesis.save({"model": model, "optimizer": optimizer, "epoch": 3}, file)
    file.seek(0)
    back = genesis.load(file, weights_only=False)
    assert back["epoch"] == 3
    assert back["optimizer"].param_groups[0]["params"][0] is back["model"].a.weight
    before = back["model"].a.weight.clone()
    back["model"](genesis.randn(4, 3)).sum().backward()
    back["optimizer"].step()
    assert (back["model"].a.weight != before).any()


def test_objects_are_read_only_by_those_who_trust_them(tmp_path: Path) -> None:
    for thing in (Net(), Harm()):
        genesis.save({"thing": thing}, tmp_path / "a.pt")
        with pytest.raises(genesis.CheckpointError, match=r"a\.pt' holds a .*weights_only=False"):
            genesis.load(tmp_path / "a.pt")
    assert RUN == []


def test_harmless_kinds_need_no_trust(tmp_path: Path) -> None:
    state = {
        "set": {1, 2},
        ("a", 1): genesis.float64,
        "shape": genesis.Size([2, 3]),
        "device": genesis.device("cpu"),
        "parameter": nn.Parameter(genesis.ones(2)),
        "complex": 2j,
    }
    genesis.save(state, tmp_path / "a.pt")
    back = genesis.load(tmp_path / "a.pt")
    assert {k: v for k, v in back.items() if k != "parameter"} == {
        k: v for k, v in state.items() if k != "parameter"
    }
    assert back["parameter"].tolist() == [1, 1]


def test_what_cannot_be_pickled_leaves_the_old_file(tmp_path: Path) -> None:
    genesis.save(Net(), tmp_path / "a.pt")
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        genesis.save({"f": lambda: 0}, tmp_path / "a.pt")
    assert isinstance(genesis.load(tmp_path / "a.pt", weights_only=False), Net)
    assert os.listdir(tmp_path) == ["a.pt"]


def test_a_damaged_file_says_so(tmp_path: Path) -> None:
    genesis.save(Net(), tmp_path / "a.pt")
    whole = (tmp_path / "a.pt").read_bytes()
    (tmp_path / "a.pt").write_bytes(whole[:200])
    with pytest.raises(genesis.CheckpointError, match=r"a\.pt' is damaged or truncated"):
        genesis.load(tmp_path / "a.pt", weights_only=False)


@pytest.mark.parametrize("protocol", [4, 5])
def test_plain_objects_need_no_trust(protocol: int) -> None:
    saved = {
        "seen": {1, 2},
        "last": deque([1, genesis.ones(2)], maxlen=4),
        "random": genesis.Generator().manual_seed(3),
        "weight": nn.Parameter(genesis.ones(2)),
        "array": np.arange(3.0),
        "type": genesis.float32,
    }
    file = io.BytesIO()
    genesis.save(saved, file, pickle_protocol=protocol)
    file.seek(0)
    back = genesis.load(file)
    assert back["seen"] == {1, 2}
    assert back["last"].maxlen == 4
    assert back["last"][1].tolist() == [1, 1]
    assert back["random"].initial_seed() == 3
    assert type(back["weight"]) is nn.Parameter
    assert back["array"].tolist() == [0, 1, 2]
    assert back["type"] is genesis.float32


@pytest.mark.parametrize(
    "made",
    [
        b"cgenesis._tensor\nTensor\n",
        b"cgenesis._random\nGenerator\n",
        b"cgenesis._device\ndevice\nX\x03\x00\x00\x00cpu\x85R",
        b"ccollections\nCounter\n",
    ],
)
def test_a_file_without_trust_sets_no_attributes(made: bytes) -> None:
    pickled = b"\x80\x02" + made + b"N}X\x04\x00\x00\x00typeNs\x86b."
    with pytest.raises(genesis.CheckpointError, match="sets attributes of"):
        genesis.load(io.BytesIO(b"genesis pickle 1\n" + pickled))
    assert genesis.device("cpu").type == "cpu"
    assert not hasattr(genesis.Generator, "type")
