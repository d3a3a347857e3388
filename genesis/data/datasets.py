"""Image data sets in files, with torchvision's names. Nothing is downloaded."""

from __future__ import annotations

from typing import Any

import numpy as np

from genesis._lazy import missing
from genesis.data._cifar import CIFAR10, CIFAR100
from genesis.data._folder import DatasetFolder, ImageFolder
from genesis.data._mnist import KMNIST, MNIST, FashionMNIST
from genesis.data._vision import Transform, VisionDataset, as_image


class FakeData(VisionDataset):
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
        super().__init__(transform=transform, target_transform=target_transform)
        self.size, self.image_size, self.num_classes = size, image_size, num_classes
        self.random_offset = random_offset

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        if not 0 <= index < self.size:
            raise IndexError(f"index {index} is out of range for {self.size} images")
        rng = np.random.default_rng(index + self.random_offset)
        channels, height, width = self.image_size
        pixels = rng.integers(0, 256, (height, width, channels), dtype=np.uint8)
        image = as_image(pixels[..., 0] if channels == 1 else pixels)
        return self._changed(image, int(rng.integers(self.num_classes)))


__all__ = [
    "CIFAR10",
    "CIFAR100",
    "KMNIST",
    "MNIST",
    "DatasetFolder",
    "FakeData",
    "FashionMNIST",
    "ImageFolder",
    "VisionDataset",
]

TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
    __path__ = []  # a package to Python: for a name that is not here it asks genesis._lazy.Finder
