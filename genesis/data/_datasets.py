"""Two real image data sets: digits and Fashion-MNIST."""

from __future__ import annotations

import gzip
import io
import logging
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import genesis
from genesis._errors import DataError
from genesis.data._dataset import TensorDataset
from genesis.data._files import find, packaged, read_idx

_log = logging.getLogger(__name__)
_SYSTEM_FOLDER = Path("/usr/share/datasets/fashion-mnist")  # of Debian's package dataset-fashion-mnist
_DIGITS_TRAIN = 1437  # of 1797: four fifths


class ImageDataset(TensorDataset):
    """Images and their labels.

    Attributes:
        images: float32 of shape (N, height, width), values from 0 to 1.
        labels: int64 of shape (N,).
        classes: the names of the labels 0, 1, 2, ...
        source: where the data was read: a folder, or the name of a packaged file.
    """

    def __init__(
        self, images: genesis.Tensor, labels: genesis.Tensor, classes: tuple[str, ...], source: str
    ) -> None:
        super().__init__(images, labels)
        self.images, self.labels, self.classes, self.source = images, labels, classes, source

    def __repr__(self) -> str:
        n, height, width = self.images.shape
        return f"ImageDataset({n} images, {height} x {width}, {len(self.classes)} classes, {self.source!r})"


def load_digits(train: bool = True) -> ImageDataset:
    """Handwritten digits of 8 by 8 pixels: 1437 to train with, 360 to test with; packaged with Genesis.

    Args:
        train: the training part, or the test part.

    Returns:
        A data set of float32 images of shape (8, 8) with values from 0 to 1 (in the file: 0 to 16), and
        int64 labels.

    Example:
        >>> image, label = load_digits()[0]

    Reference:
        E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, 1998, doi:10.24432/C50P49.
    """
    _check_train(train)
    table = np.loadtxt(io.BytesIO(gzip.decompress(packaged("digits.csv.gz"))), delimiter=",", dtype=np.uint8)
    part = table[:_DIGITS_TRAIN] if train else table[_DIGITS_TRAIN:]
    classes = tuple(str(digit) for digit in range(10))
    return _images(part[:, :-1].reshape(-1, 8, 8), part[:, -1], 16, classes, "packaged digits.csv.gz")


FASHION_CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


def load_fashion_mnist(
    train: bool = True, folder: str | os.PathLike[str] | None = None, *, full: bool | None = None
) -> ImageDataset:
    """Fashion-MNIST, grey images of clothes in ten classes, 28 by 28 pixels.

    The full data (60000 and 10000 images) is read where its four IDX files are: in ``folder``, in
    ``$GENESIS_DATA/fashion-mnist``, or in ``/usr/share/datasets/fashion-mnist``, gzip or plain. Otherwise
    the subset that is packaged with Genesis is used (5000 and 1000, in equal classes). Nothing is
    downloaded. Which one it was is in ``source`` and in the log.

    Args:
        train: the training part, or the test part.
        folder: where the IDX files are; it is an error if they are not there.
        full: True insists on the full data, False on the packaged subset; None takes the best that is there.

    Returns:
        A data set of float32 images of shape (28, 28) with values from 0 to 1 (in the files: 0 to 255), and
        int64 labels.

    Raises:
        DataError: a file is missing, truncated, or something else; or ``full`` was wanted and is not there.

    Example:
        >>> train, test = load_fashion_mnist(), load_fashion_mnist(train=False)

    Reference:
        H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST, 2017, arXiv:1708.07747.
    """
    _check_train(train)
    if full is False and folder is not None:
        raise ValueError(
            "full=False means the packaged subset, which is in no folder; leave one of the two out"
        )
    source = "packaged fashion_mnist_subset.npz"
    found = None if full is False else _find_fashion_mnist(folder, train)
    if found is not None:
        images, labels = read_idx(found[0], (None, 28, 28)), read_idx(found[1], (None,))
        source = str(found[0].parent)
        if len(images) != len(labels):
            raise DataError(f"{source!r} has {len(images)} images but {len(labels)} labels")
        if labels.size and labels.max() >= len(FASHION_CLASSES):
            raise DataError(
                f"{str(found[1])!r} has the label {labels.max()}; labels go up to {len(FASHION_CLASSES) - 1}"
            )
    elif full:
        places = ", ".join(repr(str(place)) for place in _folders())
        raise DataError(f"the full Fashion-MNIST is not in {places}; name its folder, or leave full=True out")
    else:
        split = "train" if train else "test"
        with np.load(io.BytesIO(packaged("fashion_mnist_subset.npz"))) as archive:
            images, labels = archive[f"{split}_images"], archive[f"{split}_labels"]
    _log.info("Fashion-MNIST: %d images from %s", len(images), source)
    return _images(images, labels, 255, FASHION_CLASSES, source)


def _folders() -> list[Path]:
    own = os.environ.get("GENESIS_DATA")
    return ([Path(own) / "fashion-mnist"] if own else []) + [_SYSTEM_FOLDER]


def _find_fashion_mnist(folder: str | os.PathLike[str] | None, train: bool) -> tuple[Path, Path] | None:
    prefix = "train" if train else "t10k"
    names = f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte"
    for place in _folders() if folder is None else [Path(folder)]:
        paths = [find(place, name) for name in names]
        if paths[0] is not None and paths[1] is not None:
            return paths[0], paths[1]
        if folder is not None or any(paths):  # half of the data: better said than passed over
            missing = " and ".join(name for name, path in zip(names, paths, strict=True) if path is None)
            raise DataError(f"{str(place)!r} does not have {missing} (plain or .gz)")
    return None


def _images(
    images: NDArray[np.uint8], labels: NDArray[np.uint8], top: int, classes: tuple[str, ...], source: str
) -> ImageDataset:
    return ImageDataset(
        genesis.from_numpy(np.divide(images, np.float32(top), dtype=np.float32)),
        genesis.from_numpy(labels.astype(np.int64)),
        classes,
        source,
    )


def _check_train(train: object) -> None:
    if not isinstance(train, bool):
        raise TypeError(f"train should be True (training part) or False (test part), got {train!r}")
