"""`genesis.save` and `genesis.load`: other formats, opened files, and files that mean harm."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import zipfile
from collections import Counter, OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import genesis

STATE = {"weight": genesis.arange(6.0).reshape(2, 3).t(), "steps": [3, (0.5, None)], "name": "a"}


def check(loaded: Any) -> None:
    assert loaded["weight"].tolist() == STATE["weight"].tolist()
    assert {k: v for k, v in loaded.items() if k != "weight"} == {"steps": [3, (0.5, None)], "name": "a"}


@pytest.mark.parametrize("format", ["genesis", "torch"])
def test_what_is_saved_is_loaded(tmp_path: Path, format: str) -> None:
    genesis.save(STATE, tmp_path / "a.pth", format=format)
    check(genesis.load(tmp_path / "a.pth"))
    check(genesis.load(str(tmp_path / "a.pth"), map_location="cpu", weights_only=True))
    check(genesis.load(tmp_path / "a.pth", map_location=lambda storage, place: storage))
    with open(tmp_path / "a.pth", "rb") as file:
        check(genesis.load(file))
    memory = io.BytesIO()
    genesis.save(STATE, memory, format=format)
    memory.seek(0)
    check(genesis.load(memory))


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'genesis' or 'torch', got 'onnx'"):
        genesis.save(STATE, tmp_path / "a", format="onnx")


def test_what_cannot_be_saved_leaves_the_old_file(tmp_path: Path) -> None:
    genesis.save(STATE, tmp_path / "a.pth", format="torch")
    with pytest.raises(TypeError, match=r"holds tensors.* got function"):
        genesis.save({"f": check}, tmp_path / "a.pth", format="torch")
    check(genesis.load(tmp_path / "a.pth"))
    assert os.listdir(tmp_path) == ["a.pth"]


def test_safetensors_of_others_are_read(tmp_path: Path) -> None:
    arrays = {"a": np.arange(4, dtype="float16"), "b": np.array([[True, False]]), "c": np.zeros((0, 2))}
    save_file(arrays, tmp_path / "a.safetensors", metadata={"made": "elsewhere"})
    loaded = genesis.load(tmp_path / "a.safetensors")
    assert {k: v.tolist() for k, v in loaded.items()} == {k: v.tolist() for k, v in arrays.items()}
    assert loaded["a"].dtype is genesis.float16
    assert loaded["c"].dtype is genesis.float64


# -- files that mean harm ----------------------------------------------------------------------------------
class Runs:
    """What a pickle can do: call a function when it is loaded."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.call = function, args

    def __reduce__(self) -> Any:
        return self.call


def archive(path: Path, pickled: bytes, **entries: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", pickled)
        for name, data in entries.items():
            file.writestr(f"archive/data/{name}", data)
    return path


@pytest.mark.parametrize(
    "call", [Runs(os.system, "exit 3"), Runs(eval, "1 + 1"), Runs(getattr, "a", "upper")]
)
@pytest.mark.parametrize("protocol", [2, 4])
def test_no_function_of_a_file_is_called(tmp_path: Path, call: Runs, protocol: int) -> None:
    for pickled in (pickle.dumps(call, protocol), pickle.dumps({"state": [call]}, protocol)):
        path = archive(tmp_path / "a.pth", pickled)
        with pytest.raises(genesis.CheckpointError, match=r"refers to (posix|nt|builtins|__builtin__)\."):
            genesis.load(path)


def sets(made: bytes, name: str) -> bytes:
    """A pickle that sets an attribute of what the opcodes ``made`` name."""
    text = b"X" + struct.pack("<I", len(name)) + name.encode()
    return b"\x80\x02" + made + b"N}" + text + b"Ns\x86b."


@pytest.mark.parametrize(
    ("made", "name"),
    [
        (b"ccollections\nCounter\n", "most_common"),
        (b"ctorch\ndevice\nX\x03\x00\x00\x00cpu\x85R", "type"),
        (b"c_codecs\nencode\n", "__defaults__"),
        (b"ccollections\nOrderedDict\n)R", "items"),
    ],
)
def test_no_attribute_is_set_by_a_file(tmp_path: Path, made: bytes, name: str) -> None:
    with pytest.raises(genesis.CheckpointError, match="sets attributes of"):
        genesis.load(archive(tmp_path / "a.pth", sets(made, name)))
    assert genesis.device("cpu").type == "cpu"
    assert callable(Counter.most_common)


@pytest.mark.parametrize(
    "pickled",
    [
        b"\x80\x02]q\x00h\x00a.",  # a list that holds itself
        b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x03\x00\x00\x00zip\x86R.",
        b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x03\x00\x00\x00foo\x86R.",
    ],
)
def test_what_no_torch_writes_is_refused(tmp_path: Path, pickled: bytes) -> None:
    with pytest.raises(genesis.CheckpointError):
        genesis.load(archive(tmp_path / "a.pth", pickled))


@pytest.mark.parametrize("place", [(-8, -4), (0, 400), (4, 0)])
def test_a_safetensors_entry_outside_the_file_is_refused(place: tuple[int, int]) -> None:
    header = json.dumps({"a": {"dtype": "F32", "shape": [-1], "data_offsets": place}}).encode()
    with pytest.raises(genesis.CheckpointError, match="outside the file"):
        genesis.load(io.BytesIO(len(header).to_bytes(8, "little") + header + bytes(16)))


@pytest.mark.parametrize("length", [3, 1 << 62, (1 << 64) - 1])
def test_a_safetensors_header_longer_than_the_file_is_refused(length: int) -> None:
    with pytest.raises(genesis.CheckpointError, match="cut off"):
        genesis.load(io.BytesIO(length.to_bytes(8, "little") + b"{}"))


def test_a_bare_pickle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(genesis.CheckpointError, match=r"not one of torch\.save"):
        genesis.load(tmp_path / "a.pkl")


def tensor_file(path: Path, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> Path:
    """A file that torch.save could have written, of a storage of four numbers."""
    good = io.BytesIO()
    genesis.save({"x": genesis.zeros(4)}, good, format="torch")
    with zipfile.ZipFile(good) as file:
        pickled = file.read("archive/data.pkl")

    def numbers(values: tuple[int, ...]) -> bytes:
        return b"(" + b"".join(b"J" + struct.pack("<i", v) for v in values) + b"t"

    # the rest of the tensor's arguments begins behind the persistent id of its storage
    head, tail = pickled.split(b"Q", 1)
    tail = tail[tail.index(b"\x89") :]
    changed = head + b"Q" + b"J" + struct.pack("<i", offset) + numbers(size) + numbers(stride) + tail
    return archive(path, changed, **{"0": struct.pack("<4f", 1, 2, 3, 4)})


def test_the_tensor_of_a_file_is_where_it_says(tmp_path: Path) -> None:
    assert genesis.load(tensor_file(tmp_path / "a", 1, (3,), (1,)))["x"].tolist() == [2, 3, 4]


@pytest.mark.parametrize(
    ("offset", "size", "stride"),
    [
        (1, (4,), (1,)),
        (0, (2,), (4,)),
        (-1, (2,), (1,)),
        (0, (2,), (-1,)),
        (0, (2, 2), (1,)),
        (0, (1 << 30,), (1,)),
    ],
)
def test_a_tensor_outside_its_storage_is_refused(
    tmp_path: Path, offset: int, size: tuple[int, ...], stride: tuple[int, ...]
) -> None:
    with pytest.raises(genesis.CheckpointError, match=r"reaches beyond|a tensor with offset"):
        genesis.load(tensor_file(tmp_path / "a", offset, size, stride))


def test_a_cut_file_is_damaged(tmp_path: Path) -> None:
    genesis.save(OrderedDict(x=genesis.ones(100)), tmp_path / "a.pth", format="torch")
    whole = (tmp_path / "a.pth").read_bytes()
    for size in (5, 40, 200, len(whole) - 30):
        (tmp_path / "b.pth").write_bytes(whole[:size])
        with pytest.raises(genesis.CheckpointError):
            genesis.load(tmp_path / "b.pth")
    (tmp_path / "b.pth").write_bytes(b"")
    with pytest.raises(genesis.CheckpointError, match="empty"):
        genesis.load(tmp_path / "b.pth")
