"""The second version of the transforms beside torchvision's."""

from __future__ import annotations

import sys
from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import genesis
from genesis.data.transforms import v2 as ours

sys.path.insert(0, str(Path(__file__).parent))  # the files of tests are not a package
import torchvision_parts  # noqa: F401 # torchvision, before a part of it
from torchvision.transforms import v2 as theirs

pytestmark = pytest.mark.parity

RNG = np.random.default_rng(0)
BYTES = RNG.integers(0, 256, (3, 9, 10), dtype=np.uint8)
PICTURE = Image.fromarray(BYTES.transpose(1, 2, 0))
Named = namedtuple("Named", "image label")


def plain(value: Any, near: bool) -> Any:
    if isinstance(value, dict):
        return {key: plain(item, near) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value).__name__, [plain(item, near) for item in value]
    if isinstance(value, Image.Image):
        return "picture", np.asarray(value).tolist()
    if hasattr(value, "numpy"):
        array = value.numpy()
        # values around 1: a few ulps of float32
        values = array.ravel().tolist()
        return "tensor", str(array.dtype), array.shape, pytest.approx(values, abs=1e-5) if near else values
    return value


def agree(case: Any) -> None:
    results: list[Any] = []
    for library, module, tensor in ((theirs, torch, torch.from_numpy), (ours, genesis, genesis.from_numpy)):
        try:
            results.append(plain(case(library, module, tensor(BYTES.copy())), library is theirs))
        except Exception as error:
            results.append(error)
    if isinstance(results[0], Exception):
        assert isinstance(results[1], type(results[0])), results
        return
    if isinstance(results[1], Exception):
        raise results[1]
    assert results[0] == results[1]


CASES = {
    "usual": lambda v, m, x: v.Compose(
        [v.ToImage(), v.ToDtype(m.float32, scale=True), v.Resize((4, 5)), v.Normalize([0.5] * 3, [0.25] * 3)]
    )(PICTURE),
    "label": lambda v, m, x: v.Compose([v.CenterCrop(4), v.RandomHorizontalFlip(p=1.0)])(x, 3),
    "label tensor": lambda v, m, x: v.RandomVerticalFlip(p=1.0)(x, m.tensor([1, 2])),
    "dict": lambda v, m, x: v.RandomVerticalFlip(p=1.0)({"a": [x, "b"], "c": m.zeros(2, 2)}),
    "named": lambda v, m, x: v.Pad(1)(Named(x, 3)),
    "pictures": lambda v, m, x: v.RandomCrop(9)([PICTURE.crop((0, 0, 9, 9)), x, PICTURE.crop((1, 0, 10, 9))]),
    "dtype": lambda v, m, x: v.ToDtype(m.float32)(x),
    "dtype of a label": lambda v, m, x: v.ToDtype(m.float32)(x, m.tensor(1)),
    "dtype wrong": lambda v, m, x: v.ToDtype("float32"),
    "image": lambda v, m, x: v.ToImage()(BYTES.transpose(1, 2, 0)),
    "image tensor": lambda v, m, x: v.ToImage()(x),
    "picture": lambda v, m, x: v.ToPILImage()(x, 1),
    "lambda": lambda v, m, x: v.Lambda(lambda y: y + 1, int)([1, 2.5, {"a": 3}]),
    "lambda all": lambda v, m, x: v.Lambda(lambda y: y * 2)(1.5),
    "rgb": lambda v, m, x: v.RGB()(x[:1]),
    "rgb picture": lambda v, m, x: v.RGB()(PICTURE.convert("L")),
    "identity": lambda v, m, x: v.Identity()(x, 1),
    "apply": lambda v, m, x: v.RandomApply([v.CenterCrop(3)], p=1.0)(x, 2),
    "apply never": lambda v, m, x: v.RandomApply([v.CenterCrop(3)], p=0.0)(x, 2),
    "choice": lambda v, m, x: v.RandomChoice([v.CenterCrop(3)])(x, 2),
    "order": lambda v, m, x: v.RandomOrder([v.CenterCrop(3)])(x, 2),
    "compose none": lambda v, m, x: v.Compose([]),
    "compose one": lambda v, m, x: v.Compose(v.RGB()),
    "noise none": lambda v, m, x: v.GaussianNoise(0.1, 0.0)(x),
    "noise float": lambda v, m, x: v.GaussianNoise(0.1, 0.0)(x / 255),
    "noise ints": lambda v, m, x: v.GaussianNoise()(x.to(m.int32)),
    "mix no classes": lambda v, m, x: v.MixUp()(x[None] / 255, m.tensor([0])),
    "mix labels": lambda v, m, x: v.MixUp(num_classes=3)(x[None] / 255, m.zeros(1, 2)),
    "mix 3d": lambda v, m, x: v.CutMix(num_classes=3)(x / 255, m.tensor([0, 1, 2])),
    "mix lengths": lambda v, m, x: v.CutMix(num_classes=3)(x[None] / 255, m.tensor([0, 1])),
    "mix one": lambda v, m, x: v.CutMix(num_classes=3)(x[None] / 255, m.tensor([2])),
    "mix list": lambda v, m, x: v.MixUp(num_classes=3)([m.stack([x, x]) / 255, m.tensor([2, 2])]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_v2(name: str) -> None:
    agree(CASES[name])


@pytest.mark.parametrize("library", [theirs, ours], ids=["torchvision", "genesis"])
@pytest.mark.parametrize("name", ["MixUp", "CutMix"])
def test_mixtures(name: str, library: Any) -> None:
    module = torch if library is theirs else genesis
    module.manual_seed(0)
    images = module.stack([module.full((1, 8, 8), float(i)) for i in range(4)])
    means, shares = [], []
    for _ in range(300):
        x, y = getattr(library, name)(num_classes=4)(images, module.arange(4))
        share = y.numpy()[np.arange(4), np.arange(4)]
        np.testing.assert_allclose(y.numpy().sum(1), 1, rtol=1e-6)
        np.testing.assert_allclose(y.numpy()[np.arange(4), np.arange(4) - 1], 1 - share, atol=1e-6)
        # the labels say how much of each image is there
        expected = share * np.arange(4) + (1 - share) * ((np.arange(4) - 1) % 4)
        np.testing.assert_allclose(x.numpy().mean((1, 2, 3)), expected, rtol=1e-5, atol=1e-6)
        shares.append(share[0])
        means.append(x.numpy().mean())
    # Beta(1, 1) has the mean 1/2; a rectangle loses what is outside of the image
    middle = {"MixUp": 0.5, "CutMix": 0.77}[name]
    assert abs(np.mean(shares) - middle) < 0.06


def test_images_of_a_sample_are_changed_alike() -> None:
    change = ours.Compose([ours.RandomCrop(5), ours.RandomRotation(40), ours.ColorJitter(0.5, 0.5)])
    for seed in range(5):
        genesis.manual_seed(seed)
        a, b, label = change(PICTURE, PICTURE.copy(), 7)
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))
        assert label == 7
