"""Images: a multilayer perceptron that tells classes apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

import genesis
from genesis import nn
from genesis.data import DataLoader, Dataset, ImageDataset, load_digits, load_fashion_mnist
from genesis.data._dataset import Columns
from genesis.recipes.recipe import Recipe


class Augmented(Dataset[Any]):
    """Images that are shifted, and mirrored, at random each time they are asked for.

    The random numbers come from the global random state, so that a restored state repeats them.

    Args:
        images: float32 of shape (N, height, width); what a shift uncovers is 0.
        shift: At most this many pixels in each direction.
        mirror: Whether to exchange left and right in half of the cases.
    """

    def __init__(self, data: ImageDataset, shift: int, mirror: bool) -> None:
        self.labels = data.labels.numpy()
        self.padded = np.pad(data.images.numpy(), ((0, 0), (shift, shift), (shift, shift)))
        self.height, self.width = data.images.shape[1:]
        self.shift, self.mirror = shift, mirror

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> Any:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> Columns:
        chosen, n = np.asarray(indices, np.int64), len(indices)
        offsets = genesis.randint(0, 2 * self.shift + 1, (2, n), device="cpu").numpy()
        rows = offsets[0][:, None] + np.arange(self.height)
        columns = offsets[1][:, None] + np.arange(self.width)
        if self.mirror:
            mirrored = genesis.rand(n, device="cpu").numpy() < 0.5
            columns[mirrored] = columns[mirrored, ::-1]
        images = self.padded[chosen[:, None, None], rows[:, :, None], columns[:, None, :]]
        return Columns(genesis.from_numpy(images), genesis.from_numpy(self.labels[chosen]))


class Standardize(nn.Module):
    """Give pixels mean 0 and standard deviation 1; as a layer, so that the model takes images as they are."""

    def __init__(self, mean: float, std: float) -> None:
        super().__init__()
        self.mean, self.std = mean, std

    def forward(self, x: genesis.Tensor) -> genesis.Tensor:
        return (x - self.mean) / self.std

    def extra_repr(self) -> str:
        return f"mean={self.mean}, std={self.std}"


class Images(Recipe):
    """Classify images with an MLP, trained on images that are moved a little."""

    measure = "test_accuracy"
    better = max

    hidden: ClassVar[Sequence[int]]
    mean: ClassVar[float]
    std: ClassVar[float]
    test: ImageDataset

    def model(self) -> nn.Module:
        height, width = self.test.images.shape[1:]
        sizes = [height * width, *self.hidden]
        layers: list[nn.Module] = [Standardize(self.mean, self.std), nn.Flatten()]
        for inputs, outputs in pairwise(sizes):
            layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        return nn.Sequential(*layers, nn.Linear(sizes[-1], len(self.test.classes)))

    def loss(self, model: nn.Module, batch: Any) -> genesis.Tensor:
        images, labels = batch
        return nn.functional.cross_entropy(model(images), labels)

    def evaluate(self, model: nn.Module, device: genesis.device) -> float:
        right = 0
        with genesis.no_grad():
            for images, labels in DataLoader(self.test, batch_size=500):
                right += int((model(images.to(device)).argmax(1) == labels.to(device)).sum().item())
        return right / len(self.test)


class FashionMnist(Images):
    """Fashion-MNIST: clothes of ten kinds."""

    epochs = 30
    batch_size = 64
    lr = 2e-3
    optimizer_options: ClassVar[Mapping[str, Any]] = {"weight_decay": 0.05}
    hidden = (256,)
    mean, std = 0.286, 0.353

    def __init__(self) -> None:
        train, self.test = load_fashion_mnist(), load_fashion_mnist(train=False)
        # Shifts by one pixel and mirror images are worth one per cent of accuracy; larger shifts cost.
        self.data = Augmented(train, shift=1, mirror=True)
        self.data_note = f"Fashion-MNIST, {len(train)} + {len(self.test)} images, {train.source}"


class Digits(Images):
    """Handwritten digits of 8 by 8 pixels."""

    epochs = 40
    batch_size = 64
    lr = 3e-3
    optimizer_options: ClassVar[Mapping[str, Any]] = {"weight_decay": 0.05}
    hidden = (256, 256)
    mean, std = 0.305, 0.376

    def __init__(self) -> None:
        train, self.test = load_digits(), load_digits(train=False)
        self.data = Augmented(train, shift=1, mirror=False)
        self.data_note = f"digits, {len(train)} + {len(self.test)} images, {train.source}"
