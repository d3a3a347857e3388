"""Data sets of images in files beside torchvision's."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from genesis.data import datasets as ours
from genesis.data import transforms

sys.path.insert(0, str(Path(__file__).parent))  # the files of tests are not a package
from torchvision_parts import datasets as theirs
from torchvision_parts import transforms as their_transforms

pytestmark = pytest.mark.parity

RNG = np.random.default_rng(0)


def negative(label: int) -> int:
    """A transform of labels that prints the same for both."""
    return -label


def compare(make: Callable[[Any, Any], Any], count: int | None = None) -> None:
    """Items, attributes and text of a data set are the same, or the kinds of errors."""
    results: list[Any] = []
    for library, changes in ((theirs, their_transforms), (ours, transforms)):
        try:
            data = make(library, changes)
        except Exception as error:
            results.append(error)
            continue
        items = [data[i] for i in range(len(data) if count is None else count)]
        known = [
            getattr(data, name, None)
            for name in ("classes", "class_to_idx", "samples", "imgs", "extensions", "train", "root")
        ]
        pixels = [np.asarray(image).tolist() for image, _ in items]
        kinds = [image.mode if isinstance(image, Image.Image) else None for image, _ in items]
        targets = [int(label) for label in getattr(data, "targets", [])]
        results.append((pixels, kinds, [label for _, label in items], known, targets, repr(data)))
    expected, found = results
    if isinstance(expected, Exception):
        assert isinstance(found, type(expected)), (expected, found)
        return
    if isinstance(found, Exception):
        raise found
    assert found == expected


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for i, name in enumerate(
        ["b/2.png", "b/1.JPG", "a/x/3.png", "a/x.png", "a/y/1.bmp", "c/note.txt", "c/1.ppm"]
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("txt"):
            path.write_text("no image")
        else:
            pixels = RNG.integers(0, 256, (4, 3 + i, 3) if i else (4, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(path, format="png" if i % 2 else None)
    return tmp_path


def test_folders(pictures: Path) -> None:
    compare(lambda d, t: d.ImageFolder(str(pictures)))
    compare(lambda d, t: d.ImageFolder(pictures, t.CenterCrop(2), negative))
    compare(lambda d, t: d.ImageFolder(str(pictures), is_valid_file=lambda path: path.endswith("png")))
    compare(
        lambda d, t: d.ImageFolder(str(pictures), is_valid_file=lambda p: p.endswith("png"), allow_empty=True)
    )
    compare(lambda d, t: d.ImageFolder(str(pictures / "b")))
    compare(lambda d, t: d.ImageFolder(str(pictures / "none")))
    compare(lambda d, t: d.DatasetFolder(str(pictures), len, (".txt",), allow_empty=True))
    compare(lambda d, t: d.DatasetFolder(str(pictures), len))
    compare(lambda d, t: d.DatasetFolder(str(pictures), len, (".txt",)))
    compare(lambda d, t: d.DatasetFolder(str(pictures), len, (".txt",), is_valid_file=len))


@pytest.mark.parametrize("name", ["MNIST", "FashionMNIST", "KMNIST"])
def test_mnist(name: str, tmp_path: Path) -> None:
    raw = tmp_path / name / "raw"
    raw.mkdir(parents=True)
    for part in ("train", "t10k"):
        for kind, array in (
            ("images-idx3", RNG.integers(0, 256, (3, 28, 28), dtype=np.uint8)),
            ("labels-idx1", np.uint8([3, 1, 2])),
        ):
            head = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
            (raw / f"{part}-{kind}-ubyte").write_bytes(head + array.tobytes())
    for train in (True, False):
        compare(lambda d, t, train=train: getattr(d, name)(str(tmp_path), train))
        compare(
            lambda d, t, train=train: getattr(d, name)(
                str(tmp_path), train, t.Compose([t.ToTensor(), t.Normalize((0.5,), (0.5,))]), negative
            )
        )
    compare(lambda d, t: getattr(d, name)(str(tmp_path / "none")))


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("name", ["CIFAR10", "CIFAR100"])
def test_cifar(name: str, protocol: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torchvision.datasets.cifar.check_integrity", lambda *args: True)  # of the real files
    library = getattr(theirs, name)
    folder = tmp_path / library.base_folder
    folder.mkdir()
    for part, _ in library.train_list + library.test_list:
        labels = [1, 4, 9]
        entry = {"data": RNG.integers(0, 256, (3, 3072), dtype=np.uint8), "filenames": ["a", "b", "c"]}
        entry["labels" if name == "CIFAR10" else "fine_labels"] = labels
        (folder / part).write_bytes(pickle.dumps(entry, protocol=protocol))
    names = {library.meta["key"]: [f"name{i}" for i in range(10)]}
    (folder / library.meta["filename"]).write_bytes(pickle.dumps(names, protocol=protocol))
    for train in (True, False):
        compare(lambda d, t, train=train: getattr(d, name)(str(tmp_path), train, t.RandomCrop(32)))
    monkeypatch.undo()
    compare(lambda d, t: getattr(d, name)(str(tmp_path / "none")))


def test_random_images() -> None:
    for library, changes in ((theirs, their_transforms), (ours, transforms)):
        data = library.FakeData(5, (3, 4, 6), 7, changes.ToTensor())
        image, label = data[2]
        assert (tuple(image.shape), type(label), len(data), 0 <= label < 7) == ((3, 4, 6), int, 5, True)
        np.testing.assert_array_equal(data[2][0].numpy(), image.numpy())
        with pytest.raises(IndexError):
            data[5]
    assert repr(theirs.FakeData(5)) == repr(ours.FakeData(5))


class Pairs:
    """The base class of a library with two items."""

    def __new__(cls, library: Any, *args: Any, **kwargs: Any) -> Any:
        own = type(
            "Pairs", (library.VisionDataset,), {"__len__": lambda s: 2, "__getitem__": lambda s, i: ([i], i)}
        )
        return own(*args, **kwargs)


def test_the_base_class() -> None:
    compare(lambda d, t: Pairs(d, "~/data"))
    compare(lambda d, t: Pairs(d, "data", transform=t.ToTensor(), target_transform=t.Grayscale()))
    compare(lambda d, t: Pairs(d, "data", t.PILToTensor()))
    compare(lambda d, t: Pairs(d, "data", t.PILToTensor(), t.ToTensor()))
    compare(lambda d, t: Pairs(d, target_transform=t.Compose([t.ToTensor(), t.CenterCrop(3)])))
    compare(lambda d, t: len(d.VisionDataset("data")))
