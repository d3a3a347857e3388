"""What is fuzzed: every reader of files and of states, with good files to begin with."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import pickle
import shutil
import struct
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from mutate import (
    changed,
    entries,
    header_of,
    noise,
    other_header,
    other_pickle,
    other_zip,
    text_of,
    with_header,
)

import genesis
from genesis import nn, optim
from genesis.cli._errors import Stopped

SEEDS = Path(__file__).parent / "seeds"
HERE: dict[str, Path] = {}  # "folder": of temporary files, on a disk in memory where there is one


@dataclass
class Loader:
    """A reader.

    Attributes:
        seeds: good inputs.
        change: makes another input of one of them.
        read: reads an input; it may raise `genesis.GenesisError` and what is in ``errors``, which is documented.
        events: audit events that belong to it.
    """

    seeds: list[Any]
    change: Callable[[Random, Any], Any]
    read: Callable[[Any], object]
    errors: tuple[type[BaseException], ...] = ()
    events: tuple[str, ...] = ()


def folder() -> Path:
    return HERE["folder"]


def saved(obj: object, **options: Any) -> bytes:
    file = io.BytesIO()
    genesis.save(obj, file, **options)
    return file.getvalue()


def either(*changes: Callable[[Random, Any], Any]) -> Callable[[Random, Any], Any]:
    return lambda random, data: random.choice(changes)(random, data)


# -- checkpoints -------------------------------------------------------------------------------------------
def state() -> dict[str, Any]:
    model = nn.Linear(3, 2)
    optimizer = optim.AdamW(model.parameters())
    scheduler = optim.lr_scheduler.StepLR(optimizer, 3)
    model(genesis.ones(1, 3)).sum().backward()
    optimizer.step()
    scheduler.step()
    return {
        "model": model.state_dict(), "optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict(),
        "big": 1 << 80, "nan": float("nan"), "array": np.arange(3), "scalar": np.float32(2), "t": (1, "a", None, True),
    }  # fmt: skip


def load(data: bytes) -> object:
    return genesis.load(io.BytesIO(data))


def load_path(data: bytes) -> object:
    path = folder() / "file.pth"
    path.write_bytes(data)
    for look in (genesis.checkpoint.providers, genesis.checkpoint.verify, genesis.checkpoint.inspect):
        with contextlib.suppress(genesis.GenesisError):
            look(path)
    return genesis.load_checkpoint(path)


def in_parts() -> bytes:
    """A checkpoint in several files; the others stay in the folder."""
    genesis.save_checkpoint(state(), folder() / "file.pth", max_shard_size=16)
    return (folder() / "file.pth").read_bytes()


def with_checksum(random: Random, data: bytes) -> bytes:
    """A checkpoint whose tree or providers say something else, with the right checksum."""
    from genesis.checkpoint._format import checksum

    text, rest = header_of(data)
    header = json.loads(text)
    metadata = header["__metadata__"]
    which = random.choice(("genesis.tree", "genesis.tree", "genesis.providers", "genesis.parts"))
    if which == "genesis.parts" and which not in metadata:
        which = "genesis.tree"
    metadata[which] = text_of(random, changed(random, json.loads(metadata.get(which, "{}"))))
    arrays = {
        name: np.frombuffer(rest[slice(*each["data_offsets"])], _DTYPES[each["dtype"]]).reshape(each["shape"])
        for name, each in header.items()
        if name != "__metadata__"
    }
    texts = metadata["genesis.tree"], metadata.get("genesis.providers", ""), metadata.get("genesis.parts", "")
    with contextlib.suppress(UnicodeEncodeError):
        metadata["genesis.sha256"] = checksum(texts[0], arrays, *texts[1:])
    return with_header(json.dumps(header), rest)


_DTYPES = {"F32": "f4", "I64": "i8", "F64": "f8", "BOOL": "?"}


def safetensors() -> list[bytes]:
    from safetensors.numpy import save

    arrays = {
        "a": np.arange(4, dtype="float16"),
        "b": np.array([[True, False]]),
        "c": np.zeros((0, 2)),
        "d": np.ones(3),
    }
    return [save(arrays), save({"x": np.ones((2, 2), "int64")}, {"made": "elsewhere"})]


MAGIC = b"genesis pickle 1\n"


def whole_objects() -> list[bytes]:
    kept = {"set": {1, 2}, "f": frozenset({3}), "c": 1j, "r": range(3), "t": genesis.ones(2), "s": genesis.Size((1, 2)),
            "p": nn.Parameter(genesis.zeros(1)), "g": genesis.Generator(), "d": genesis.float32, "a": np.arange(3),
            "x": np.float64(1), "b": bytearray(b"abc")}  # fmt: skip
    return [saved(kept), saved([{4}, (5, genesis.device("cpu"))]), saved(kept, pickle_protocol=5)]


def behind_magic(random: Random, data: bytes) -> bytes:
    return MAGIC + other_pickle(random, data[len(MAGIC) :])


# -- data --------------------------------------------------------------------------------------------------
def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.astype("u1").tobytes()


def read_idx(data: bytes) -> object:
    from genesis.data._files import read_idx

    path = folder() / "images"
    path.write_bytes(data)
    return read_idx(path, (None, None, None) if b"\x03" in data[:4] or data[:1] == b"\x1f" else (None,))


def inside_gzip(random: Random, data: bytes) -> bytes:
    if data[:2] != b"\x1f\x8b":
        return noise(random, data)
    return gzip.compress(noise(random, gzip.decompress(data)) + bytes(random.choice((0, 0, 1 << 20))), 1)


def cifar() -> list[tuple[bytes, bytes]]:
    rows = np.zeros((2, 3072), "uint8")
    names = [f"c{i}" for i in range(10)]
    seeds = []
    for protocol in (2, 4, 5):
        for text in (str, str.encode):
            batch = {text("data"): rows, text("labels"): [1, 2], text("batch_label"): text("x")}
            meta = {text("label_names"): [text(name) for name in names]}
            seeds.append((pickle.dumps(batch, protocol), pickle.dumps(meta, protocol)))
    return seeds


def read_cifar(parts: tuple[bytes, bytes]) -> object:
    (folder() / "test_batch").write_bytes(parts[0])
    (folder() / "batches.meta").write_bytes(parts[1])
    return genesis.data.datasets.CIFAR10(folder(), train=False)


def other_parts(random: Random, parts: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    change = random.choice((noise, other_pickle, other_pickle))
    return (
        (change(random, parts[0]), parts[1])
        if random.random() < 0.6
        else (parts[0], change(random, parts[1]))
    )


def tars() -> list[bytes]:
    seeds = []
    for kind in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w", format=kind) as tar:
            for name, data in (("test_batch.bin", bytes(3073)), ("batches.meta.txt", b"a\nb\n")):
                member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
                member.size = len(data)
                if kind == tarfile.PAX_FORMAT:
                    member.pax_headers = {"comment": "é" * 9, "GNU.sparse.x": "1"}
                tar.addfile(member, io.BytesIO(data))
        seeds.append(file.getvalue())
    return seeds


def other_tar(random: Random, data: bytes) -> bytes:
    """Headers with other fields, their checksums put right, as a link, a sparse file, or with holes."""
    out = bytearray(data)
    for at in range(0, len(out) - 511, 512):
        if out[at + 257 : at + 262] != b"ustar" or random.random() < 0.4:
            continue
        match random.randrange(5):
            case 0:
                out[at + 156] = random.choice(b"0123456789SxgLKV\x00")
            case 1:
                out[at + 124 : at + 136] = random.choice(
                    (
                        b"77777777777\0",
                        b"-0000000001\0",
                        b"\xff" * 12,
                        b"\x80" + bytes(7) + b"\x7f" + bytes(3),
                    )
                )
            case 2:
                out[at + 157 : at + 163] = random.choice((b"cifar-", b"../../", bytes(out[at : at + 6])))
            case 3:
                out[at + 386 : at + 495] = random.randbytes(109)
            case _:
                spot = at + random.randrange(512)
                out[spot] = random.randrange(256)
        out[at + 148 : at + 156] = b" " * 8
        out[at + 148 : at + 156] = b"%06o\0 " % sum(out[at : at + 512])
    return bytes(out)


def read_tar(data: bytes) -> object:
    root = folder() / "tar"
    root.mkdir(exist_ok=True)
    (root / "cifar-10-binary.tar.gz").write_bytes(data)
    return genesis.data.datasets.CIFAR10(root, train=False)


def images() -> list[bytes]:
    from PIL import Image

    seeds = [b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n%%EOF\n"]
    for name in ("PNG", "JPEG", "GIF", "BMP", "PPM", "TIFF", "TGA", "WEBP", "ICO"):
        file = io.BytesIO()
        Image.fromarray(np.arange(192, dtype="uint8").reshape(8, 8, 3)).save(file, name)
        seeds.append(file.getvalue())
    return seeds


def read_image(data: bytes) -> object:
    from genesis.data._folder import default_loader

    path = folder() / "image.png"
    path.write_bytes(data)
    return default_loader(path)


def read_text(data: bytes) -> object:
    text = data.decode("utf-8", "surrogatepass" if len(data) % 2 else "replace")
    made = genesis.data.CharDataset(
        text[2:], block_size=max(1, len(text) % 5), vocabulary=text[:40] if len(text) % 3 else None
    )
    return made[len(made) - 1], made.decode(made.encode(text[2:4]))


# -- settings and plugins ----------------------------------------------------------------------------------
CONFIG = {
    "recipe": "mnist", "device": "cpu", "threads": 2, "optimizer": "AdamW", "optimizer_options": {"lr": 0.1, "betas": [0.9, 0.99]},
    "scheduler": "none", "scheduler_options": {}, "epochs": 1, "batch_size": 8, "seed": 0, "supplied_by": {"cpu": "x"}, "genesis": "0",
}  # fmt: skip


def read_config(text: str) -> object:
    from genesis.cli._training.config import Config

    return Config.from_json(text, "config.json")


def read_options(text: str) -> object:
    from genesis.cli._training.config import parse_options

    return parse_options(text.split("\n"), "--option")


def other_text(random: Random, text: str) -> str:
    return noise(random, text.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")


def read_schedule(text: str) -> object:
    return optim.Schedule.from_config(json.loads(text))


def schedules() -> list[str]:
    made = [optim.Cosine(10), optim.MultiStep([2, 5]), optim.WSD(10, 3), optim.Linear(5).then(optim.Cosine(9), 5),
            optim.Exponential(0.9).clip(0.1, 1.0), optim.FromFunction(nn.functional.relu)]  # fmt: skip
    return [json.dumps(each.to_config()) for each in made]


PLUGIN = ("[genesis.schedulers]\nacme = acme.plugin\n[genesis.optimizers]\nother = acme.optim\n",
          "Metadata-Version: 2.1\nName: acme-schedules\nVersion: 1.0\nRequires-Dist: genesis-dl>=0.1\n\nText\n")  # fmt: skip


def read_plugin(parts: tuple[bytes, bytes]) -> object:
    """The metadata of an installed distribution: not even an error of ours, or others would be lost with it."""
    from importlib_metadata import PathDistribution

    from genesis.plugin._discovery import Plugin
    from genesis.plugin._installed import _entries

    place = folder() / "acme_schedules-1.0.dist-info"
    place.mkdir(exist_ok=True)
    (place / "entry_points.txt").write_bytes(parts[0])
    (place / "METADATA").write_bytes(parts[1])
    found = _entries(PathDistribution(place))
    for entry in found:
        plugin = Plugin("schedulers", entry.name, entry.value, entry.distribution, entry.version)
        plugin._unreadable = entry.error
        repr(plugin)
        if not (plugin.module.isidentifier() or "." in plugin.module):
            with contextlib.suppress(genesis.PluginError):
                plugin.declare()
    return found


# -- states ------------------------------------------------------------------------------------------------
def subjects() -> dict[str, Any]:
    """Everything with a load_state_dict, made anew; on the device that compiles nothing."""
    with genesis.device("ref"):
        return _subjects()


def _subjects() -> dict[str, Any]:
    lr = optim.lr_scheduler
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    optimizer = optim.AdamW(model.parameters())
    other = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    model(genesis.ones(2, 2)).sum().backward()
    optimizer.step()
    return {
        "model": model, "AdamW": optimizer, "SGD": other, "StepLR": lr.StepLR(optimizer, 2),
        "Sequential": lr.SequentialLR(other, [lr.ConstantLR(other), lr.ExponentialLR(other, 0.9)], [2]),
        "Plateau": lr.ReduceLROnPlateau(optim.SGD(model.parameters(), lr=0.1)),
        "OneCycle": lr.OneCycleLR(optim.SGD(model.parameters(), lr=0.1), 1.0, 10),
        "Lambda": lr.LambdaLR(optim.SGD(model.parameters(), lr=0.1), lambda step: 1.0),
        "scaler": genesis.amp.GradScaler("cpu"),
        "loader": genesis.data.DataLoader(genesis.data.TensorDataset(genesis.ones(4)), shuffle=True),
    }  # fmt: skip


def states() -> list[tuple[str, Any]]:
    return [(name, subject.state_dict()) for name, subject in subjects().items()]


_SUBJECTS: dict[str, Any] = {}


def load_state(part: tuple[str, Any]) -> object:
    """A state; afterwards the object still has its own methods."""
    name, value = part
    if not _SUBJECTS or load_state_count[0] % 50 == 0:
        _SUBJECTS.update(subjects())
    load_state_count[0] += 1
    subject = _SUBJECTS[name]
    kind = type(subject)
    try:
        return subject.load_state_dict(value)
    finally:
        assert type(subject) is kind
        own = [k for k in subject.__dict__ if callable(getattr(kind, k, None)) and k not in ("step",)]
        assert not own, f"the state has taken the place of {own}"


load_state_count = [0]


def other_state(random: Random, part: tuple[str, Any]) -> tuple[str, Any]:
    return part[0], changed(random, part[1])


def read_script(text: str) -> object:
    from genesis.cli._porting import lacking, swap_imports

    return lacking(swap_imports(text))


SCRIPT = "import torch\nimport torch.nn as nn\nfrom torch.utils.data import DataLoader\nclass M(nn.Module):\n    def f(self, x):\n        return torch.foo(x)\ntry:\n    import torchvision\nexcept ImportError:\n    pass\n"


def loaders() -> dict[str, Loader]:
    own = [saved(state()), saved({"a": genesis.ones(2)})]
    torch = [(SEEDS / name).read_bytes() for name in ("torch.pth", "torch_small.pth")]
    legacy = [(SEEDS / name).read_bytes() for name in ("torch_legacy.pth", "torch_small_legacy.pth")]
    array = np.arange(24).reshape(2, 3, 4)
    plain, packed = idx(array), gzip.compress(idx(array))
    for data in torch:
        entries(data)
    return {
        "checkpoint": Loader([*own, in_parts()], either(noise, other_header, with_checksum, with_checksum), load_path),
        "safetensors": Loader(safetensors(), either(noise, other_header), load),
        "torch": Loader([*torch, saved(state()["model"], format="torch")], either(noise, other_zip, other_zip), load),
        "torch_legacy": Loader(legacy, either(noise, other_pickle, other_pickle), load),
        "objects": Loader(whole_objects(), either(noise, behind_magic, behind_magic), load),
        "idx": Loader([plain, packed, idx(np.arange(5))], either(noise, inside_gzip), read_idx),
        "cifar": Loader(cifar(), other_parts, read_cifar),
        "tar": Loader([*tars(), *map(gzip.compress, tars())], either(noise, other_tar), read_tar),
        "image": Loader(images(), noise, read_image),
        "text": Loader([b"to be or not to be", "äöü€😀 abc".encode()], noise, read_text, (ValueError,)),
        "config": Loader([json.dumps(CONFIG)], _other_config, read_config, (Stopped,)),
        "options": Loader(["num_cycles=0.5\nbetas=0.9,0.99\nname=[1,(2,3),{'a':None}]"], other_text, read_options, (Stopped,), ("compile",)),
        "schedule": Loader(schedules(), _other_schedule, read_schedule, (ValueError, TypeError)),
        "plugin": Loader([tuple(part.encode() for part in PLUGIN)], _other_metadata, read_plugin),
        "state": Loader(states(), other_state, load_state, (ValueError, RuntimeError)),
        "script": Loader([SCRIPT], other_text, read_script, (SyntaxError, ValueError), ("compile",)),
    }  # fmt: skip


def _other_config(random: Random, text: str) -> str:
    return (
        text_of(random, changed(random, json.loads(text)))
        if random.random() < 0.7
        else other_text(random, text)
    )


def _other_schedule(random: Random, text: str) -> str:
    try:
        return json.dumps(changed(random, json.loads(text)))
    except (ValueError, RecursionError):
        return text


def _other_metadata(random: Random, parts: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    at = random.randrange(2)
    return (noise(random, parts[0]), parts[1]) if at else (parts[0], noise(random, parts[1]))


def clean() -> None:
    shutil.rmtree(folder(), ignore_errors=True)
