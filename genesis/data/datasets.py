"""Image data sets in folders, with torchvision's names. Nothing is downloaded."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

import genesis
from genesis._errors import DataError
from genesis.data._dataset import Dataset
from genesis.data._files import find, read_idx

Transform = Callable[[Any], Any]
EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


def as_image(array: Any) -> Any:
    """A PIL image where Pillow is installed, else the array itself; transforms take both."""
    try:
        from PIL import Image
    except ImportError:
        return array
    return Image.fromarray(array)


class MNIST(Dataset[Any]):
    """Handwritten digits in the four IDX files of MNIST, plain or gzip; items are (image, label).

    Args:
        root: the folder; files are looked for in it, in ``root/MNIST/raw`` and in ``root/raw``.
        train: the training part, or the test part.
        transform: applied to each image: a PIL image where Pillow is installed, else a uint8 array (28, 28).
        target_transform: applied to each label.
        download: nothing is downloaded; with True the files have to be there, as without.

    Raises:
        DataError: the files are not there, or are damaged.

    Example:
        >>> MNIST("data", train=True, transform=transforms.ToTensor())
    """

    classes: ClassVar[list[str]] = [f"{i} - {w}" for i, w in enumerate(
        ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    )]  # fmt: skip

    def __init__(
        self,
        root: str | os.PathLike[str],
        train: bool = True,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
    ) -> None:
        self.root, self.train = os.fspath(root), train
        self.transform, self.target_transform = transform, target_transform
        prefix = "train" if train else "t10k"
        images, labels = (self._file(f"{prefix}-{part}-ubyte") for part in ("images-idx3", "labels-idx1"))
        data, targets = read_idx(images, (None, None, None)), read_idx(labels, (None,))
        if len(data) != len(targets):
            raise DataError(f"{str(images)!r} has {len(data)} images but {len(targets)} labels")
        self.data = genesis.tensor(data)
        self.targets = genesis.tensor(targets.astype(np.int64))
        self._images = data

    def _file(self, name: str) -> Path:
        top = Path(self.root)
        places = [top / type(self).__name__ / "raw", top / "raw", top]
        for place in places:
            path = find(place, name)
            if path is not None:
                return path
        tried = ", ".join(repr(str(place)) for place in places)
        raise DataError(
            f"{name} (plain or .gz) is not in {tried}; nothing is downloaded; "
            "genesis.data.load_fashion_mnist() has images that come with Genesis"
        )

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image, label = as_image(np.array(self._images[index])), int(self.targets[index].item())
        if self.transform is not None:
            image = self.transform(image)
        return image, label if self.target_transform is None else self.target_transform(label)

    @property
    def class_to_idx(self) -> dict[str, int]:
        """The number of each class."""
        return {name: i for i, name in enumerate(self.classes)}


class FashionMNIST(MNIST):
    """Clothes in the format of MNIST; see `MNIST`. Reference: arXiv 1708.07747."""

    classes: ClassVar[list[str]] = [
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
        "Ankle boot",
    ]  # fmt: skip


class KMNIST(MNIST):
    """Japanese characters in the format of MNIST; see `MNIST`. Reference: arXiv 1812.01718."""

    classes: ClassVar[list[str]] = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]


class ImageFolder(Dataset[Any]):
    """Images in one folder for each class, ``root/class/name.png``; items are (image, class number).

    Args:
        root: the folder.
        transform, target_transform: applied to each PIL image and each label.
        loader: makes an image of a path; by default Pillow, as RGB.
        is_valid_file: whether a path is an image; by default its extension says so.

    Raises:
        DataError: there are no classes, or a class has no images.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        loader: Callable[[str], Any] | None = None,
        is_valid_file: Callable[[str], bool] | None = None,
    ) -> None:
        self.root, self.loader = os.fspath(root), loader or _rgb
        self.transform, self.target_transform = transform, target_transform
        valid = is_valid_file or (lambda path: path.lower().endswith(EXTENSIONS))
        self.classes = sorted(entry.name for entry in os.scandir(root) if entry.is_dir())
        if not self.classes:
            raise DataError(f"{self.root!r} has no folders, one for each class")
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}
        self.samples: list[tuple[str, int]] = []
        for name, number in self.class_to_idx.items():
            found = sorted(str(p) for p in (Path(root) / name).rglob("*") if p.is_file() and valid(str(p)))
            if not found:
                raise DataError(
                    f"the class {name!r} in {self.root!r} has no images ({', '.join(EXTENSIONS)})"
                )
            self.samples += [(path, number) for path in found]
        self.imgs = self.samples
        self.targets = [number for _, number in self.samples]

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        path, label = self.samples[index]
        image = self.loader(path)
        if self.transform is not None:
            image = self.transform(image)
        return image, label if self.target_transform is None else self.target_transform(label)


def _rgb(path: str) -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("reading image files needs Pillow: pip install pillow") from error
    with Image.open(path) as image:
        return image.convert("RGB")


class FakeData(Dataset[Any]):
    """Random images with random labels, the same for each index at each time.

    Args:
        size: how many.
        image_size: (channels, height, width).
        num_classes: labels are below this.
        transform, target_transform: applied to each image and each label.
        random_offset: added to the index for the seed.
    """

    def __init__(
        self,
        size: int = 1000,
        image_size: tuple[int, int, int] = (3, 224, 224),
        num_classes: int = 10,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        random_offset: int = 0,
    ) -> None:
        self.size, self.image_size, self.num_classes = size, image_size, num_classes
        self.transform, self.target_transform, self.random_offset = transform, target_transform, random_offset

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        if not 0 <= index < self.size:
            raise IndexError(f"index {index} is out of range for {self.size} images")
        rng = np.random.default_rng(index + self.random_offset)
        channels, height, width = self.image_size
        pixels = rng.integers(0, 256, (height, width, channels), dtype=np.uint8)
        image, label = (
            as_image(pixels[..., 0] if channels == 1 else pixels),
            int(rng.integers(self.num_classes)),
        )
        if self.transform is not None:
            image = self.transform(image)
        return image, label if self.target_transform is None else self.target_transform(label)
