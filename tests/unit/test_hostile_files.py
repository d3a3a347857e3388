"""Files that mean harm: short runs of tests/fuzz, and the findings that it made, once each."""

from __future__ import annotations

import io
import os
import pickle
import struct
import subprocess
import sys
import tarfile
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import genesis

ROOT = Path(__file__).parents[2]


def archive(pickled: bytes, method: int = zipfile.ZIP_STORED, **entries: bytes) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as made:
        made.writestr("archive/data.pkl", pickled)
        for name, data in entries.items():
            made.writestr(f"archive/data/{name}", data)
    file.seek(0)
    return file


def refused(file: io.BytesIO, match: str = "") -> None:
    start = time.perf_counter()
    tracemalloc.start()
    try:
        with pytest.raises(genesis.CheckpointError, match=match):
            genesis.load(file)
        assert tracemalloc.get_traced_memory()[1] < 64 * len(file.getvalue()) + (32 << 20)
    finally:
        tracemalloc.stop()
    assert time.perf_counter() - start < 60  # what these files claim would take hours


# -- time --------------------------------------------------------------------------------------------------
TUPLES = b"\x80\x02)" + b"2\x86" * 60  # each holds the one before twice


@pytest.mark.parametrize(
    ("pickled", "match"),
    [
        (b"\x80\x02}" + TUPLES[2:] + b"Ns.", "a key of a dict"),
        (b"\x80\x04\x8f(" + TUPLES[2:] + b"\x90.", "a key of a dict"),
        (b"\x80\x02ccollections\nCounter\n]" + TUPLES[2:] + b"a\x85R.", "a key of a dict"),
        (b"\x80\x02ctorch\ndevice\n" + TUPLES[2:] + b"\x85R.", "neither a text nor a number"),
        (TUPLES + b"}X\x01\x00\x00\x00aNsb.", "sets attributes of a tuple"),
        (TUPLES + b"Q.", "persistent id"),
        (b"\x80\x02cnumpy\ndtype\n" + TUPLES[2:] + b"\x85R.", "only numbers"),
    ],
)
def test_containers_that_are_endless_when_written_out_take_no_time(pickled: bytes, match: str) -> None:
    refused(archive(pickled), match)


def test_containers_that_are_shared_many_times_are_read_once() -> None:
    lists = b"\x80\x02]" + b"q\x00]h\x00ah\x00a" * 60 + b"."
    value = genesis.load(archive(lists))
    for _ in range(60):
        assert value[0] is value[1]
        value = value[0]


# -- memory ------------------------------------------------------------------------------------------------
def storage(count: int) -> bytes:
    """Opcodes of a storage of `count` float32."""
    text = b"".join(b"X" + struct.pack("<I", len(t)) + t for t in (b"0", b"cpu"))
    head = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\n"
    return head + text[:6] + text[6:] + b"J" + struct.pack("<i", count) + b"tQ"


def expanded(size: int) -> bytes:
    """A tensor of `size` elements that are all the same one."""
    return (
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(" + storage(1) + b"K\x00J" + struct.pack("<i", size)
        + b"\x85K\x00\x85\x89ccollections\nOrderedDict\n)RtR."
    )  # fmt: skip


@pytest.mark.parametrize(
    "file",
    [
        archive(expanded(1 << 30), **{"0": bytes(4)}),
        archive(b"\x80\x05\x96" + struct.pack("<Q", 1 << 33) + b"."),
        archive(b"\x80\x05\x8e" + struct.pack("<Q", 1 << 33) + b"."),
        archive(b"\x80\x04\x95" + struct.pack("<Q", 1 << 33) + b"."),
        archive(b"\x80\x02c__builtin__\nbytearray\nJ\xff\xff\xff\x7f\x85R."),
        archive(b"\x80\x02]X\x00\x00\x10\x00" + b".", zipfile.ZIP_DEFLATED, **{"0": bytes(1 << 27)}),
    ],
    ids=["expanded", "bytearray8", "binbytes8", "frame", "bytearray", "deflated"],
)
def test_a_small_file_takes_little_memory(file: io.BytesIO) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(genesis.CheckpointError):
            genesis.load(file)
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


def test_a_copy_for_each_byte_is_refused() -> None:
    """A text of 1 MB, encoded again and again by three bytes each."""
    text = b"X" + struct.pack("<I", 1 << 20) + b"a" * (1 << 20)
    call = b"c_codecs\nencode\nq\x010" + text + b"X\x06\x00\x00\x00latin1\x86q\x020"
    refused(archive(b"\x80\x02" + call + b"h\x01h\x02R0" * 500 + b"N."), "times the memory of the file")


def test_a_tensor_of_which_a_checkpoint_has_a_thousand_copies() -> None:
    import json

    from genesis.checkpoint._format import checksum

    tensor = {"tensor": "a", "device": "cpu", "requires_grad": False}
    tree, array = json.dumps([tensor] * 2), np.ones(4, "f4")
    metadata = {"genesis.format": "1", "genesis.tree": tree, "genesis.sha256": checksum(tree, {"a": array})}
    header = json.dumps(
        {"__metadata__": metadata, "a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}
    ).encode()
    refused(io.BytesIO(len(header).to_bytes(8, "little") + header + array.tobytes()), "damaged")


@pytest.mark.parametrize(
    "tree",
    ["{}", '{"tensor":[]}', '{"scalar":"V1000000000","value":9}', '{"dict":[[[],1]]}',
     "[" * 5000 + "]" * 5000, '{"tensor":"a","device":{},"requires_grad":false}',
     '{"int":"x"}', '{"tuple":5}', "{", '{"float":"x"}'],
)  # fmt: skip
def test_a_tree_that_nobody_wrote_with_the_rightchecksum(tree: str) -> None:
    import json

    from genesis.checkpoint._format import checksum

    metadata = {"genesis.format": "1", "genesis.tree": tree, "genesis.sha256": checksum(tree, {})}
    header = json.dumps({"__metadata__": metadata}).encode()
    refused(io.BytesIO(len(header).to_bytes(8, "little") + header), "damaged")


@pytest.mark.parametrize("name", ["a" * 300, "..", "a\0b", ""])
def test_a_part_with_a_name_that_no_file_has(tmp_path: Path, name: str) -> None:
    import json

    from genesis.checkpoint._format import checksum

    parts = json.dumps([{"file": name, "bytes": 1, "sha256": "", "names": []}])
    metadata = {"genesis.format": "2", "genesis.tree": "[]", "genesis.parts": parts}
    metadata["genesis.sha256"] = checksum("[]", {}, "", parts)
    header = json.dumps({"__metadata__": metadata}).encode()
    (tmp_path / "a.pth").write_bytes(len(header).to_bytes(8, "little") + header)
    for read in (genesis.load, genesis.checkpoint.verify, genesis.checkpoint.inspect):
        with pytest.raises(genesis.CheckpointError, match="a part called"):
            read(tmp_path / "a.pth")


def test_safetensors_that_overlap_or_have_a_name_twice() -> None:
    one = '"dtype":"F32","shape":[4],"data_offsets":[0,16]'
    for text, match in (
        (f'{{"a":{{{one}}},"b":{{{one}}}}}', "where another tensor is"),
        (f'{{"a":{{{one}}},"a":{{{one}}}}}', "twice"),
        (f'{{"a":{{{one.replace("[4]", "[-1]")}}}}}', "the shape"),
    ):
        header = text.encode()
        refused(io.BytesIO(len(header).to_bytes(8, "little") + header + bytes(16)), match)


def test_an_archive_with_a_name_twice() -> None:
    file = archive(b"\x80\x02N.")
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(file, "a") as made:
        made.writestr("archive/data.pkl", b"\x80\x02K\x01.")
    file.seek(0)
    refused(file, "two entries of the same name")


def test_a_legacy_file_whose_storage_is_larger_than_it() -> None:
    start = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2)
    start += pickle.dumps({"little_endian": True}, 2)
    refused(io.BytesIO(start + b"\x80\x02" + storage((1 << 31) - 1) + b"."), "in a file of")


# -- data --------------------------------------------------------------------------------------------------
def cifar(folder: Path, *members: tarfile.TarInfo, data: bytes = b"") -> None:
    with tarfile.open(folder / "cifar-10-binary.tar.gz", "w:gz") as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(data))


def test_an_archive_whose_files_are_links_or_have_holes(tmp_path: Path) -> None:
    name = "cifar-10-batches-bin/test_batch.bin"
    link = tarfile.TarInfo(name)
    link.type, link.linkname = tarfile.SYMTYPE, "../../../etc/passwd"
    folder = tarfile.TarInfo(name)
    folder.type = tarfile.DIRTYPE
    for member in (link, folder):
        cifar(tmp_path, member)
        with pytest.raises(genesis.DataError, match="no plain file"):
            genesis.data.datasets.CIFAR10(tmp_path, train=False)
    hole = tarfile.TarInfo(name)
    hole.pax_headers = {"GNU.sparse.map": "0,0", "GNU.sparse.size": str(1 << 40), "GNU.sparse.realsize": "1"}
    cifar(tmp_path, hole)
    with pytest.raises(genesis.DataError):
        genesis.data.datasets.CIFAR10(tmp_path, train=False)


def test_a_gzip_file_that_becomes_large(tmp_path: Path) -> None:
    import gzip

    from genesis.data._files import read_idx

    path = tmp_path / "images"
    path.write_bytes(gzip.compress(struct.pack(">HBBI", 0, 8, 1, 4) + bytes(1 << 26)))
    tracemalloc.start()
    try:
        with pytest.raises(genesis.DataError, match="more instead of"):
            read_idx(path, (None,))
        assert tracemalloc.get_traced_memory()[1] < 1 << 24  # of 64 MiB
    finally:
        tracemalloc.stop()


def test_an_empty_array_with_endless_axes(tmp_path: Path) -> None:
    from genesis.data._files import read_idx

    (tmp_path / "images").write_bytes(struct.pack(">HBB3I", 0, 8, 3, 0, (1 << 32) - 1, (1 << 32) - 1))
    with pytest.raises(genesis.DataError, match="damaged"):
        read_idx(tmp_path / "images", (None, None, None))


def test_an_image_is_decoded_by_pillow_alone(tmp_path: Path) -> None:
    from genesis.data._folder import default_loader

    (tmp_path / "a.png").write_bytes(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n"
    )
    (tmp_path / "b.png").write_bytes(b"P6 13000 13000 255\n" + bytes(9))
    for name in ("a.png", "b.png"):
        with pytest.raises(genesis.DataError, match="cannot read the image") as caught:
            default_loader(tmp_path / name)
        assert isinstance(caught.value, OSError)
    with pytest.raises(FileNotFoundError):
        default_loader(tmp_path / "c.png")


def test_an_image_with_a_part_of_two_gigabytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    from genesis.data._folder import default_loader

    def read(*_: Any, **__: Any) -> None:  # as Pillow does where the system gives it no such memory
        raise MemoryError

    (tmp_path / "a.png").write_bytes(b"")
    monkeypatch.setattr(Image, "open", read)
    with pytest.raises(genesis.DataError, match="cannot read the image"):
        default_loader(tmp_path / "a.png")


# -- states ------------------------------------------------------------------------------------------------
def test_a_state_of_another_form_is_an_error_of_ours_and_changes_nothing() -> None:
    model = genesis.nn.Linear(2, 2)
    optimizer = genesis.optim.AdamW(model.parameters(), lr=0.5)
    scheduler = genesis.optim.lr_scheduler.StepLR(optimizer, 2)
    loader = genesis.data.DataLoader(genesis.data.TensorDataset(genesis.ones(4)), shuffle=True)
    bad: list[tuple[Any, Any]] = [
        (optimizer, {"state": [], "param_groups": optimizer.state_dict()["param_groups"]}),
        (optimizer, {"state": {}, "param_groups": [{}]}),
        (scheduler, {**scheduler.state_dict(), "base_lrs": [10**400]}),
        (loader, {**loader.state_dict(), "sampler": {}}),
        (genesis.amp.GradScaler("cpu"), {"scale": 1.0}),
        (model, {1: genesis.ones(1)}),
    ]
    for subject, state in bad:
        with pytest.raises(genesis.GenesisError):
            subject.load_state_dict(state)
    assert optimizer.param_groups[0]["lr"] == 0.5


# -- the same by chance ------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def judges(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """The readers of tests/fuzz, without the watch over the interpreter, which cannot be taken away again."""
    sys.path.insert(0, str(ROOT / "tests" / "fuzz"))
    try:
        import loaders
    finally:
        sys.path.pop(0)
    loaders.HERE["folder"] = tmp_path_factory.mktemp("fuzz")
    made = loaders.loaders()
    return lambda name: made[name]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "name", ["checkpoint", "safetensors", "torch", "torch_legacy", "objects", "cifar", "state"]
)
def test_readers_by_chance(judges: Callable[[str], Any], name: str) -> None:
    loader = judges(name)

    @settings(max_examples=60, deadline=None, database=None)
    @given(st.integers(0, 1 << 62))
    def read(number: int) -> None:
        random = Random(number)
        data = loader.change(random, random.choice(loader.seeds))
        try:
            loader.read(data)
        except (genesis.GenesisError, *loader.errors):
            pass

    read()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts memory as Linux does")
def test_the_command() -> None:
    command = [
        sys.executable,
        str(ROOT / "tests" / "fuzz" / "run.py"),
        "--inputs",
        "400",
        "--loader",
        "torch",
    ]
    path = os.pathsep.join([str(ROOT), str(ROOT / "plugins")])
    done = subprocess.run(
        [*command, "--loader", "plugin"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| all | 400 |" in done.stdout


def test_a_header_of_gigabytes_in_a_file_with_a_hole(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", 1 << 31) + b"{")
        file.truncate(1 << 33)
    tracemalloc.start()
    try:
        with pytest.raises(genesis.CheckpointError, match="header"):
            genesis.load(path)
        with pytest.raises(genesis.CheckpointError, match="does not begin like"):
            genesis.load_checkpoint(path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 26  # of 2 GiB
    finally:
        tracemalloc.stop()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
@pytest.mark.timeout(20)
def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(genesis.CheckpointError, match="empty"):
        genesis.load_checkpoint(tmp_path / "pipe")
    with pytest.raises(genesis.CheckpointError, match="empty"):
        genesis.checkpoint.verify(tmp_path / "pipe")
