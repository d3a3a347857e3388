"""Many images as one beside torchvision.utils."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import genesis
from genesis.data import utils as ours

sys.path.insert(0, str(Path(__file__).parent))  # the files of tests are not a package
from torchvision_parts import utils as theirs

pytestmark = pytest.mark.parity

RNG = np.random.default_rng(0)
SHAPES = [(5, 3, 4, 6), (1, 3, 4, 6), (9, 1, 3, 3), (3, 4, 5), (1, 4, 5), (4, 5), (8, 3, 2, 2)]
OPTIONS: list[dict[str, Any]] = [
    {},
    {"nrow": 3},
    {"padding": 0, "nrow": 2},
    {"pad_value": 0.7, "nrow": 20},
    {"normalize": True},
    {"normalize": True, "scale_each": True},
    {"normalize": True, "value_range": (-0.5, 0.5)},
    {"normalize": True, "value_range": [0, 1]},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_grids(shape: tuple[int, ...], options: dict[str, Any]) -> None:
    images = RNG.normal(size=shape).astype(np.float32)
    if isinstance(options.get("value_range"), list):
        for library, tensor in ((theirs, torch.from_numpy), (ours, genesis.from_numpy)):
            with pytest.raises(TypeError, match="value_range has to be a tuple"):
                library.make_grid(tensor(images), **options)
        return
    expected = theirs.make_grid(torch.from_numpy(images), **options).numpy()
    given = images.copy()
    found = ours.make_grid(genesis.from_numpy(given), **options).numpy()
    # one subtraction and one division in float32
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)
    np.testing.assert_array_equal(given, images)
    listed = ours.make_grid([genesis.from_numpy(image) for image in given], **options).numpy()
    again = theirs.make_grid([torch.from_numpy(image) for image in images], **options).numpy()
    np.testing.assert_allclose(listed, again, rtol=1e-6, atol=1e-7)


def test_files() -> None:
    images = RNG.random((3, 3, 5, 6), dtype=np.float32) * 1.2 - 0.1
    pictures = []
    for library, tensor in ((theirs, torch.from_numpy), (ours, genesis.from_numpy)):
        file = io.BytesIO()
        library.save_image(tensor(images), file, format="png", nrow=2)
        pictures.append(np.asarray(Image.open(file)))
    np.testing.assert_array_equal(*pictures)
    for library in (theirs, ours):
        with pytest.raises(TypeError):
            library.make_grid("image")
