"""Checkpoints: everything comes back as it was, damage is noticed, a failed write costs nothing."""

from __future__ import annotations

import collections
import enum
import errno
import math
import os
import pickle
import resource
import stat
import struct
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import genesis
from genesis.checkpoint import atomic_write, load_checkpoint, save_checkpoint

NUMPY_DTYPES = [
    np.dtype(name)
    for name in "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64".split()  # noqa: SIM905
]
TENSOR_DTYPES = [
    np.dtype(name) for name in ("bool", "uint8", "int16", "int32", "int64", "float32", "float64")
]


def same(a: object, b: object) -> bool:
    """Equal in type and value, NaN equal to NaN and 0.0 different from -0.0."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return (
            list(a) == list(b)
            and all(type(x) is type(y) for x, y in zip(a, b, strict=True))
            and all(same(a[key], b[key]) for key in a)
        )
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, genesis.Tensor):
        return (
            a.dtype is b.dtype
            and a.requires_grad == b.requires_grad
            and a.device == b.device
            and same(a.detach().numpy(), b.detach().numpy())
        )
    if isinstance(a, float | np.floating):
        return struct.pack("d", a) == struct.pack("d", b) or (math.isnan(a) and math.isnan(b))
    if isinstance(a, np.ndarray | np.generic):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    return a == b


def arrays(dtypes: list[np.dtype]) -> st.SearchStrategy[np.ndarray]:
    shapes = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
    made = hnp.arrays(st.sampled_from(dtypes), shapes)
    return st.tuples(made, st.booleans()).map(lambda pair: pair[0].T if pair[1] else pair[0])


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**5000), 10**5000)
    | st.floats()
    | st.text(st.characters(codec=None))
    | arrays(NUMPY_DTYPES)
    | arrays(NUMPY_DTYPES).filter(lambda array: array.size > 0).map(lambda array: array.flat[0])
    | arrays(TENSOR_DTYPES).map(lambda array: genesis.tensor(array))
)
KEYS = (
    st.text(st.characters(codec=None), max_size=5)
    | st.integers()
    | st.sampled_from(["a.b", "a", "b", "__metadata__"])
)
NESTED = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(value=NESTED)
def test_any_nested_value_comes_back_as_it_was(tmp_path: Path, value: object) -> None:
    save_checkpoint(value, tmp_path / "any.pth")
    assert same(load_checkpoint(tmp_path / "any.pth"), value)


def training_state() -> dict[str, object]:
    return {
        "model": {
            "0.weight": genesis.tensor([[1.0, -2.5], [0.125, 3e-30]]),
            "0.bias": genesis.tensor([0.5, 0.25]),
        },
        "optimizer": {
            "state": {0: {"step": genesis.tensor(3.0), "exp_avg": genesis.tensor([1.0, 2.0])}, 1: {}},
            "param_groups": [{"lr": 1e-3, "betas": (0.9, 0.999), "params": [0, 1], "foreach": None}],
        },
        "epoch": 3,
        "best": float("inf"),
        "name": "Grüße",
    }


def test_a_training_state_comes_back_with_its_types_and_the_order_of_its_keys(tmp_path: Path) -> None:
    state = training_state()
    genesis.save_checkpoint(state, str(tmp_path / "last.pth"))
    loaded = genesis.load_checkpoint(str(tmp_path / "last.pth"))
    assert same(loaded, state)
    assert list(loaded) == ["model", "optimizer", "epoch", "best", "name"]
    assert list(loaded["optimizer"]["state"]) == [0, 1]
    assert loaded["optimizer"]["param_groups"][0]["betas"] == (0.9, 0.999)


def test_the_file_is_a_safetensors_file_with_the_tensors_under_their_paths(tmp_path: Path) -> None:
    save_checkpoint(training_state(), tmp_path / "last.pth")
    tensors = safetensors.numpy.load_file(tmp_path / "last.pth")
    assert sorted(tensors) == [
        "model.0.bias",
        "model.0.weight",
        "optimizer.state.0.exp_avg",
        "optimizer.state.0.step",
    ]
    assert tensors["model.0.weight"].tolist() == np.float32([[1.0, -2.5], [0.125, 3e-30]]).tolist()


def test_views_that_are_not_contiguous_are_saved_right(tmp_path: Path) -> None:
    array = np.arange(24.0).reshape(2, 3, 4)
    tensor = genesis.tensor(array)
    views = {
        "transposed": array.T,
        "strided": array[:, ::2, ::-1],
        "broadcast": np.broadcast_to(array[:1], (3, 3, 4)),
        "big endian": array.astype(">f8"),
        "tensor": tensor.transpose(0, 2),
        "slice": tensor[:, 1:, ::2],
    }
    save_checkpoint(views, tmp_path / "views.pth")
    loaded = load_checkpoint(tmp_path / "views.pth")
    for name, view in views.items():
        expected = view.numpy() if isinstance(view, genesis.Tensor) else view
        found = loaded[name].numpy() if isinstance(view, genesis.Tensor) else loaded[name]
        np.testing.assert_array_equal(found, expected, err_msg=name)


def test_a_tensor_that_needs_gradients_comes_back_as_one(tmp_path: Path) -> None:
    weight = genesis.tensor([1.0, 2.0], requires_grad=True)
    save_checkpoint([weight, weight * 2], tmp_path / "weights.pth")
    first, second = load_checkpoint(tmp_path / "weights.pth")
    assert first.requires_grad
    assert first.is_leaf
    assert second.is_leaf
    assert second.tolist() == [2.0, 4.0]


def test_loaded_tensors_and_arrays_can_be_changed_without_touching_the_file(tmp_path: Path) -> None:
    path = tmp_path / "last.pth"
    save_checkpoint({"t": genesis.zeros(3), "a": np.zeros(3)}, path)
    loaded = load_checkpoint(path)
    loaded["t"].add_(1)
    loaded["a"] += 1
    again = load_checkpoint(path)
    assert again["t"].tolist() == again["a"].tolist() == [0, 0, 0]


def test_subclasses_are_saved_as_the_plain_type(tmp_path: Path) -> None:
    Pair = collections.namedtuple("Pair", "x y")
    Color = enum.IntEnum("Color", "RED GREEN")
    value = {"o": collections.OrderedDict(b=1, a=2), "p": Pair(1, 2), "c": Color.GREEN, "s": np.str_("text")}
    save_checkpoint(value, tmp_path / "plain.pth")
    assert same(
        load_checkpoint(tmp_path / "plain.pth"), {"o": {"b": 1, "a": 2}, "p": (1, 2), "c": 2, "s": "text"}
    )


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"optimizer": {"state": [0, 1, 2, {1}]}}, r"checkpoint\['optimizer'\]\['state'\]\[3\] is a set"),
        ({"model": {"f": len}}, r"checkpoint\['model'\]\['f'\] is a builtin_function_or_method"),
        ({"z": 1j}, r"checkpoint\['z'\] is a complex"),
        ({"b": b"x"}, r"checkpoint\['b'\] is a bytes"),
        ({"p": Path("x")}, r"checkpoint\['p'\] is a pathlib\.[\w.]*Path"),
        ([{"a": {(1, 2): 3}}], r"checkpoint\[0\]\['a'\] has the key \(1, 2\), a tuple; keys must be str"),
        ({True: 1}, "checkpoint has the key True, a bool; keys must be str or int"),
        ({None: 1}, "checkpoint has the key None"),
        ({"a": np.array(["x"])}, r"checkpoint\['a'\] is an array of type <U1; expected bool, "),
        ({"a": np.array([object()])}, r"checkpoint\['a'\] is an array of type object"),
        ({"a": np.complex64(1)}, r"checkpoint\['a'\] is a NumPy scalar of type complex64; expected bool, "),
        (object, "checkpoint is a type"),
    ],
)  # fmt: skip
def test_what_cannot_be_saved_is_named_and_nothing_is_written(
    tmp_path: Path, value: object, message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        save_checkpoint(value, tmp_path / "bad.pth")
    assert os.listdir(tmp_path) == []


def test_a_value_that_contains_itself_is_refused(tmp_path: Path) -> None:
    loop: dict[str, object] = {"a": 1}
    loop["self"] = [loop, loop]
    with pytest.raises(
        ValueError, match=r"checkpoint\['self'\].* deeper than 100 levels; does it contain itself"
    ):
        save_checkpoint(loop, tmp_path / "loop.pth")


# What can happen to a file


def test_truncation_at_any_place_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "last.pth"
    save_checkpoint(training_state(), path)
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(
            genesis.CheckpointError, match=r"last\.pth.*(truncated|empty|has only|does not begin)"
        ):
            load_checkpoint(path)


def test_a_flipped_bit_anywhere_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "last.pth"
    save_checkpoint({"w": genesis.tensor([1.5, -2.0]), 3: (1, 2.5, "x")}, path)
    whole = path.read_bytes()
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << position % 8
        path.write_bytes(damaged)
        with pytest.raises(genesis.CheckpointError, match=r"last\.pth"):
            load_checkpoint(path)


def test_bytes_after_the_end_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "last.pth"
    save_checkpoint({"w": genesis.zeros(4)}, path)
    with path.open("ab") as file:
        file.write(b"more")
    with pytest.raises(genesis.CheckpointError, match="damaged: it has"):
        load_checkpoint(path)


def test_files_of_other_formats_are_named(tmp_path: Path) -> None:
    files = {
        "torch.pth": "ZIP archive",
        "pickle.pth": "pickle",
        "text.pth": "does not begin like",
        "own.pth": "safetensors",
    }
    with zipfile.ZipFile(tmp_path / "torch.pth", "w") as archive:
        archive.writestr("archive/data.pkl", b"")
    (tmp_path / "pickle.pth").write_bytes(pickle.dumps({"a": 1}))
    (tmp_path / "text.pth").write_text("step,loss\n1,2.5\n")
    safetensors.numpy.save_file({"w": np.zeros(2)}, tmp_path / "own.pth")
    for name, kind in files.items():
        with pytest.raises(genesis.CheckpointError, match=rf"{name}' is .*{kind}"):
            load_checkpoint(tmp_path / name)


@pytest.mark.parametrize("length", [640, 896, 1152, 1408])
def test_a_header_whose_length_looks_like_a_pickle_is_read(tmp_path: Path, length: int) -> None:
    """These lengths, low byte first, are the bytes 80 02 to 80 05, with which pickles begin."""
    path = tmp_path / "last.pth"
    for letters in range(length - 250, length):
        save_checkpoint("x" * letters, path)
        if int.from_bytes(path.read_bytes()[:8], "little") == length:
            break
    else:
        pytest.fail(f"no text gives a header of {length} bytes")
    assert load_checkpoint(path) == "x" * letters


def test_a_newer_format_is_refused_with_both_versions(tmp_path: Path) -> None:
    safetensors.numpy.save_file({}, tmp_path / "new.pth", metadata={"genesis.format": "7"})
    with pytest.raises(genesis.CheckpointError, match=r"has format '7', and this version of Genesis reads 1"):
        load_checkpoint(tmp_path / "new.pth")


def test_a_missing_file_is_a_file_not_found_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere\.pth"):
        load_checkpoint(tmp_path / "nowhere.pth")


# Where tensors go


def test_map_location_chooses_the_device(tmp_path: Path) -> None:
    path = tmp_path / "last.pth"
    save_checkpoint(
        {"w": genesis.tensor([1.0, 2.0], device="ref"), "b": genesis.zeros(1, device="cpu")}, path
    )
    assert str(load_checkpoint(path)["w"].device) == "ref"
    for location in ("cpu", genesis.device("cpu"), {"ref": "cpu"}):
        loaded = load_checkpoint(path, map_location=location)
        assert (str(loaded["w"].device), loaded["w"].tolist()) == ("cpu", [1.0, 2.0])
    swapped = load_checkpoint(path, map_location={"cpu": "ref"})
    assert (str(swapped["w"].device), str(swapped["b"].device)) == ("ref", "ref")
    with pytest.raises(TypeError, match="map_location must be a device"):
        load_checkpoint(path, map_location=0)  # type: ignore[arg-type]


def test_a_device_that_is_not_here_is_named_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "last.pth"
    save_checkpoint({"w": genesis.zeros(1)}, path)
    with pytest.raises(genesis.DeviceError, match=r"device 'abacus'.*map_location='cpu'"):
        load_checkpoint(path, map_location="abacus")


# What can happen while writing


def fail(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("step", ["os.fsync", "os.replace", "os.chmod", "os.write"])
def test_when_a_step_of_writing_fails_the_old_file_is_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "last.pth"
    save_checkpoint({"epoch": 1}, path)
    before = path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(step, fail)
        with pytest.raises(genesis.CheckpointError, match=r"cannot write the checkpoint .*No space left"):
            save_checkpoint({"epoch": 2, "w": genesis.zeros(1000)}, path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["last.pth"]


def test_an_interrupt_while_writing_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "last.pth"
    save_checkpoint({"epoch": 1}, path)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", interrupt)
        with pytest.raises(KeyboardInterrupt):
            save_checkpoint({"epoch": 2}, path)
    assert load_checkpoint(path) == {"epoch": 1}
    assert os.listdir(tmp_path) == ["last.pth"]


def test_a_disk_that_is_really_full_leaves_the_old_file(tmp_path: Path) -> None:
    """The limit of the process on the size of a file stands for the full disk: the write itself fails half
    way."""
    path = tmp_path / "last.pth"
    save_checkpoint({"epoch": 1}, path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        with pytest.raises(genesis.CheckpointError, match="cannot write the checkpoint"):
            save_checkpoint({"w": np.zeros(1_000_000)}, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert load_checkpoint(path) == {"epoch": 1}
    assert os.listdir(tmp_path) == ["last.pth"]


def test_the_file_is_flushed_before_it_is_renamed_and_the_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    fsync, replace = os.fsync, os.replace

    def note_fsync(descriptor: int) -> None:
        events.append("flush folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "flush file")
        fsync(descriptor)

    def note_replace(source: str, target: str) -> None:
        assert os.path.getsize(source) > 0
        events.append("rename")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(os, "replace", note_replace)
    save_checkpoint({"epoch": 1}, tmp_path / "last.pth")
    assert events == ["flush file", "rename", "flush folder"]


def test_a_process_killed_while_saving_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "last.pth"
    save_checkpoint({"n": -1}, path)
    program = textwrap.dedent("""
        import sys, numpy as np
        from genesis.checkpoint import save_checkpoint
        n = 0
        while True:
            save_checkpoint({"n": n, "w": np.full(500_000, n)}, sys.argv[1])
            print(n, flush=True)
            n += 1
    """)
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for _ in range(5):
            done = int(process.stdout.readline())
        process.kill()
    loaded = load_checkpoint(path)
    assert loaded["n"] >= done
    assert (loaded["w"] == loaded["n"]).all()


def test_the_folder_must_exist_and_the_name_must_be_free_of_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="create it first"):
        save_checkpoint({}, tmp_path / "runs" / "last.pth")
    with pytest.raises(IsADirectoryError, match="this is a folder"):
        save_checkpoint({}, tmp_path)


def test_permissions_follow_the_umask_and_those_of_an_existing_file_are_kept(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        save_checkpoint({}, tmp_path / "new.pth")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "new.pth").stat().st_mode) == 0o640
    (tmp_path / "new.pth").chmod(0o604)
    save_checkpoint({"a": 1}, tmp_path / "new.pth")
    assert stat.S_IMODE((tmp_path / "new.pth").stat().st_mode) == 0o604


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "link.pth").symlink_to(tmp_path / "real.pth")
    save_checkpoint({"a": 1}, tmp_path / "link.pth")
    assert (tmp_path / "link.pth").is_symlink()
    assert load_checkpoint(tmp_path / "real.pth") == {"a": 1}


def test_atomic_write_serves_any_file(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    with atomic_write(path) as temporary:
        Path(temporary).write_text("first")
    with pytest.raises(FileNotFoundError), atomic_write(path) as temporary:
        os.unlink(temporary)
    assert path.read_text() == "first"
    assert os.listdir(tmp_path) == ["notes.txt"]


def test_the_names_of_pytorch_save_and_load(tmp_path: Path) -> None:
    genesis.save({"epoch": 3}, tmp_path / "last.pth")
    assert genesis.load(tmp_path / "last.pth") == load_checkpoint(tmp_path / "last.pth") == {"epoch": 3}


@pytest.mark.parametrize("fails", [None, "setting", "writing"])
def test_large_files_past_the_cache_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str | None
) -> None:
    """Also where a file system says that it cannot, at once or when it is too late."""
    if not hasattr(os, "O_DIRECT"):
        pytest.skip("this system has no such thing")
    import fcntl

    seen, set_flags, write = [], fcntl.fcntl, os.write

    def flags(descriptor: int, command: int, value: int = 0) -> Any:
        if command == fcntl.F_SETFL and value & os.O_DIRECT and fails == "setting":
            raise OSError(errno.EINVAL, "not here")
        return set_flags(descriptor, command, value)

    def writing(descriptor: int, content: Any) -> int:
        direct = bool(set_flags(descriptor, fcntl.F_GETFL) & os.O_DIRECT)
        if direct and fails == "writing" and len(seen) == 2:
            raise OSError(errno.EINVAL, "not here")
        seen.append(direct)
        return write(descriptor, content[: 5 << 19] if len(seen) == 1 else content)

    monkeypatch.setattr(fcntl, "fcntl", flags)
    monkeypatch.setattr(os, "write", writing)
    state = {name: genesis.randn(n) for name, n in (("a", 1_500_001), ("b", 7), ("c", 300_000), ("d", 0))}
    genesis.save_checkpoint(state, tmp_path / "a.ckpt")
    assert not seen[-1]
    assert fails != "setting" or not any(seen)
    loaded = genesis.load_checkpoint(tmp_path / "a.ckpt")
    for name, value in state.items():
        assert (loaded[name] == value).all()
