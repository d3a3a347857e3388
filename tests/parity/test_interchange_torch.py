"""Files and memory go from PyTorch to Genesis and back."""

from __future__ import annotations

import io
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

import genesis

pytestmark = pytest.mark.parity

DTYPES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float32", "float64")


def same(ours: Any, theirs: Any) -> None:
    """The same values, types and containers."""
    if isinstance(theirs, torch.Tensor):
        assert isinstance(ours, genesis.Tensor)
        assert str(ours.dtype).split(".")[1] == str(theirs.dtype).split(".")[1]
        assert tuple(ours.shape) == tuple(theirs.shape)
        assert ours.requires_grad == theirs.requires_grad
        np.testing.assert_array_equal(ours.detach().numpy(), theirs.detach().numpy())
    elif isinstance(theirs, dict):
        assert list(ours) == list(theirs)
        for key in theirs:
            same(ours[key], theirs[key])
    elif isinstance(theirs, list | tuple) and not isinstance(theirs, torch.Size):
        assert type(ours) is type(theirs)
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            same(a, b)
    elif isinstance(theirs, torch.dtype | torch.device):
        assert str(ours).replace("genesis.", "") == str(theirs).replace("torch.", "")
    else:
        assert ours == theirs


def example() -> dict[str, Any]:
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    return {
        **{name: torch.tensor([[0, 1], [2, 3]]).to(getattr(torch, name)) for name in DTYPES},
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(0, 3),
        "transposed": base.t(),
        "part": base[1:3, ::2],
        "row": base[2],
        "expanded": torch.tensor([1.0, 2.0]).expand(3, 2),
        "wants a gradient": torch.ones(2, requires_grad=True),
        "parameter": torch.nn.Parameter(torch.ones(2, 2)),
        "numbers": [1, -(2**70), 2.5, float("inf"), True, None, "text", b"bytes", (1, (2, 3))],
        "ordered": OrderedDict(b=1, a=torch.ones(1)),
        3: {"size": torch.Size([2, 3]), "dtype": torch.float64, "device": torch.device("cpu")},
        "set": {1, 2},
        "numpy": np.float64(1.5),
    }


@pytest.mark.parametrize("zipped", [True, False], ids=["archive", "legacy"])
def test_what_torch_saved_is_read(tmp_path: Path, zipped: bool) -> None:
    torch.save(example(), tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)
    same(genesis.load(tmp_path / "a.pth"), example())
    buffer = io.BytesIO((tmp_path / "a.pth").read_bytes())
    same(genesis.load(buffer), example())


def test_arrays_of_numpy_are_read(tmp_path: Path) -> None:
    arrays = [np.arange(6.0).reshape(2, 3), np.asfortranarray(np.arange(6).reshape(2, 3)), np.array([True])]
    torch.save(arrays, tmp_path / "a.pth")
    for ours, theirs in zip(genesis.load(tmp_path / "a.pth"), arrays, strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_stays(tmp_path: Path, dtype: torch.dtype) -> None:
    x = torch.linspace(-3, 70, 33).to(dtype)
    torch.save({"x": x}, tmp_path / "a.pth")
    safetensors.torch.save_file({"x": x}, tmp_path / "a.safetensors")
    for name in ("a.pth", "a.safetensors"):
        ours = genesis.load(tmp_path / name)["x"]
        assert str(ours.dtype).split(".")[1] == str(dtype).split(".")[1]
        np.testing.assert_array_equal(ours.float().numpy(), x.float().numpy())
    genesis.save({"x": ours}, tmp_path / "b.pth", format="torch")
    back = torch.load(tmp_path / "b.pth", weights_only=True)["x"]
    assert back.dtype is dtype
    assert torch.equal(back, x)
    genesis.save({"x": ours}, tmp_path / "c.ckpt")
    assert torch.equal(safetensors.torch.load_file(tmp_path / "c.ckpt")["x"], x)
    own = genesis.load(tmp_path / "c.ckpt")["x"]
    assert own.dtype is ours.dtype
    assert genesis.equal(own, ours)


@pytest.mark.parametrize("thing", [torch.complex(torch.ones(2), torch.ones(2)), torch.nn.Linear(2, 2)])
def test_what_is_not_read_is_named(tmp_path: Path, thing: Any) -> None:
    torch.save({"thing": thing}, tmp_path / "a.pth")
    with pytest.raises(genesis.CheckpointError, match=r"ComplexFloatStorage|Linear"):
        genesis.load(tmp_path / "a.pth")


def network(library: Any) -> Any:
    nn = library.nn
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(16, 8), nn.LayerNorm(8)
    )


def test_a_model_goes_there_and_back(tmp_path: Path) -> None:
    theirs, ours = network(torch), network(genesis)
    x = np.random.default_rng(0).normal(size=(3, 1, 4, 4)).astype("float32")
    theirs(torch.tensor(x))  # running statistics
    torch.save(theirs.state_dict(), tmp_path / "torch.pth")
    ours.load_state_dict(genesis.load(tmp_path / "torch.pth", map_location=lambda storage, place: storage))
    theirs.eval(), ours.eval()
    expected = theirs(torch.tensor(x)).detach().numpy()
    # sums of up to 16 terms in another order
    np.testing.assert_allclose(ours(genesis.tensor(x)).detach().numpy(), expected, rtol=1e-5, atol=1e-6)

    genesis.save(ours.state_dict(), tmp_path / "genesis.pth", format="torch")
    again = network(torch)
    again.load_state_dict(torch.load(tmp_path / "genesis.pth", weights_only=True))
    for key, value in theirs.state_dict().items():
        torch.testing.assert_close(again.state_dict()[key], value, rtol=0, atol=0)

    genesis.save(ours.state_dict(), tmp_path / "genesis.safetensors")
    again.load_state_dict(safetensors.torch.load_file(tmp_path / "genesis.safetensors"))
    safetensors.torch.save_file(again.state_dict(), tmp_path / "theirs.safetensors")
    loaded = genesis.load(tmp_path / "theirs.safetensors")
    same(dict(sorted(loaded.items())), dict(sorted(again.state_dict().items())))


def test_everything_goes_to_torch(tmp_path: Path) -> None:
    torch.save(example(), tmp_path / "a.pth")
    ours = genesis.load(tmp_path / "a.pth")
    ours.pop("set"), ours.pop("numpy"), ours["numbers"].pop(7)
    expected = example()
    expected.pop("set"), expected.pop("numpy"), expected["numbers"].pop(7)
    expected[3].pop("device"), ours[3].pop("device")
    ours[3]["size"] = tuple(ours[3]["size"])
    genesis.save(ours, tmp_path / "b.pth", format="torch")
    same(genesis.load(tmp_path / "b.pth"), expected)
    back = torch.load(tmp_path / "b.pth", weights_only=True)
    same(ours, back)
    assert isinstance(back["parameter"], torch.nn.Parameter)


def test_memory_that_is_shared_stays_shared(tmp_path: Path) -> None:
    x = genesis.zeros(6)
    genesis.save({"whole": x, "part": x[2:4]}, tmp_path / "a.pth", format="torch")
    back = torch.load(tmp_path / "a.pth", weights_only=True)
    back["whole"][2] = 7.0
    assert back["part"].tolist() == [7.0, 0.0]


def test_dlpack_shares_memory_both_ways() -> None:
    theirs = torch.arange(6, dtype=torch.float32).reshape(2, 3)
    ours = genesis.from_dlpack(theirs)
    ours[0, 0] = 9.0
    assert theirs[0, 0] == 9.0
    back = torch.from_dlpack(genesis.arange(4))
    assert back.tolist() == [0, 1, 2, 3]
    x = genesis.zeros(3, 2).t()
    torch.from_dlpack(x)[0, 2] = 5.0
    assert x[0, 2].item() == 5.0
    assert torch.utils.dlpack.from_dlpack(x).shape == (2, 3)


# What people call on tensors, and what NumPy gives for the same array.
FUNCTIONS = {
    "asarray": np.asarray,
    "array of a type": lambda x: np.array(x, dtype="float64"),
    "mean": np.mean,
    "sum over an axis": lambda x: np.sum(x, axis=0),
    "argmax": np.argmax,
    "argmax over an axis": lambda x: np.argmax(x, axis=1),
    "sin": np.sin,
    "exp": np.exp,
    "maximum": lambda x: np.maximum(x, 0.5),
    "concatenate": lambda x: np.concatenate([x, x]),
    "stack": lambda x: np.stack([x, x]),
    "transpose": np.transpose,
    "reshape": lambda x: np.reshape(x, (3, 2)),
    "allclose": lambda x: np.allclose(x, x),
    "isfinite": np.isfinite,
    "dot": lambda x: np.dot(x, x.T),
    "linalg.norm": np.linalg.norm,
    "shape": np.shape,
    "percentile": lambda x: np.percentile(x, 50),
    "round": lambda x: np.round(x, 1),
    "clip": lambda x: np.clip(x, 0, 1),
    "where": lambda x: np.where(x > 0, x, 0),
    "testing": lambda x: np.testing.assert_allclose(x, x),
    "unique": np.unique,
    "array first": lambda x: np.ones((2, 3), "float32") + x,
    "array second": lambda x: x * np.ones((2, 3), "float32"),
    "scalar first": lambda x: np.float32(2) * x,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_numpy_takes_tensors(name: str) -> None:
    values = np.array([[0.25, -1.5, 2.0], [0.5, 0.75, -0.125]], dtype="float32")
    found, expected = FUNCTIONS[name](genesis.tensor(values)), FUNCTIONS[name](values)
    if expected is not None:
        # numbers go through float32 sums in another order
        np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=1e-6)


@pytest.mark.filterwarnings("ignore:__array_wrap__:DeprecationWarning")  # PyTorch's, of NumPy
def test_universal_functions_give_tensors_as_with_torch() -> None:
    for library in (genesis, torch):
        assert isinstance(np.sin(library.ones(2)), library.Tensor)
        assert isinstance(np.float32(2) * library.ones(2), library.Tensor)
