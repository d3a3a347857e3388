"""MNIST and data sets in its format."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

import genesis
from genesis._errors import DataError, MissingDataError
from genesis.data._files import find, read_idx
from genesis.data._vision import Transform, VisionDataset, as_image, not_there, places


class MNIST(VisionDataset):
    """Handwritten digits in the four IDX files of MNIST, plain or gzip; items are (image, label).

    Args:
        root: the folder; files are looked for in ``root/MNIST/raw``, in ``root/raw`` and in it.
        train: the training part, or the test part.
        transform: applied to each image: a PIL image where Pillow is installed, else a uint8 array (28, 28).
        target_transform: applied to each label.
        download: nothing is downloaded; with True the files have to be there, as without.

    Attributes:
        data: uint8 of shape (N, 28, 28).
        targets: int64 of shape (N,).

    Raises:
        DataError: the files are not there, or are damaged.

    Example:
        >>> MNIST("data", train=True, transform=transforms.ToTensor())
    """

    classes: ClassVar[list[str]] = [f"{i} - {w}" for i, w in enumerate(
        ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    )]  # fmt: skip
    _url: ClassVar[str] = "https://ossci-datasets.s3.amazonaws.com/mnist/"

    def __init__(
        self,
        root: str | os.PathLike[str],
        train: bool = True,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        prefix = "train" if train else "t10k"
        images, labels = (
            self._file(f"{prefix}-{part}-ubyte", download) for part in ("images-idx3", "labels-idx1")
        )
        data, targets = read_idx(images, (None, None, None)), read_idx(labels, (None,))
        if len(data) != len(targets):
            raise DataError(f"{str(images)!r} has {len(data)} images but {len(targets)} labels")
        self.data = genesis.tensor(data)
        self.targets = genesis.tensor(targets.astype(np.int64))

    def _file(self, name: str, download: bool) -> Path:
        tried = places(self.root, f"{type(self).__name__}/raw", "raw")
        for place in tried:
            path = find(place, name)
            if path is not None:
                return path
        text = not_there(f"{name} (plain or .gz)", tried, download, self._url)
        raise MissingDataError(f"{text}; genesis.data.load_fashion_mnist() has images that come with Genesis")

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self._changed(as_image(np.array(self.data[index].numpy())), int(self.targets[index]))

    @property
    def raw_folder(self) -> str:
        """Where torchvision has the files."""
        return os.path.join(self.root, type(self).__name__, "raw")

    @property
    def class_to_idx(self) -> dict[str, int]:
        """The number of each class."""
        return {name: i for i, name in enumerate(self.classes)}

    def extra_repr(self) -> str:
        """Which part it is."""
        return f"Split: {'Train' if self.train is True else 'Test'}"


class FashionMNIST(MNIST):
    """Clothes in the format of MNIST; see `MNIST`. Reference: arXiv 1708.07747."""

    classes: ClassVar[list[str]] = [
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
        "Ankle boot",
    ]  # fmt: skip
    _url: ClassVar[str] = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"


class KMNIST(MNIST):
    """Japanese characters in the format of MNIST; see `MNIST`. Reference: arXiv 1812.01718."""

    classes: ClassVar[list[str]] = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]
    _url: ClassVar[str] = "http://codh.rois.ac.jp/kmnist/dataset/kmnist/"
