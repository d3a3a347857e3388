"""``make_grid`` and ``save_image``."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

import genesis
from genesis.data.utils import make_grid, save_image


def test_images_lie_in_rows_with_a_border() -> None:
    images = genesis.arange(5.0).reshape(5, 1, 1, 1).expand(5, 3, 2, 3)
    grid = make_grid(images, nrow=2, padding=1, pad_value=9)
    assert grid.shape == (3, 3 * 3 + 1, 2 * 4 + 1)
    assert grid[0].tolist()[1] == [9, 0, 0, 0, 9, 1, 1, 1, 9]
    assert grid[2].tolist()[8] == [9, 4, 4, 4, 9, 9, 9, 9, 9]
    assert (grid[:, 3] == 9).all()


def test_grey_images_become_coloured_and_a_single_one_has_no_border() -> None:
    assert make_grid(genesis.zeros(4, 5)).shape == (3, 4, 5)
    assert make_grid([genesis.zeros(1, 4, 5)] * 2, padding=0).shape == (3, 4, 10)
    assert make_grid(genesis.zeros(2, 4, 5)).shape == (2, 4, 5)


def test_numbers_are_scaled_together_or_each_by_itself() -> None:
    images = genesis.tensor([[0.0, 2.0], [2.0, 4.0]]).reshape(2, 1, 1, 2)
    shown = make_grid(images, normalize=True, padding=0)[0, 0].tolist()
    assert shown == [0, 0.5, 0.5, 1]
    shown = make_grid(images, normalize=True, scale_each=True, padding=0)[0, 0].tolist()
    assert shown == [0, 1, 0, 1]
    shown = make_grid(images, normalize=True, value_range=(1, 3), padding=0)[0, 0].tolist()
    assert shown == [0, 0.5, 0.5, 1]
    assert images.max() == 4


def test_wrong_things_are_refused() -> None:
    with pytest.raises(TypeError, match="tensor or list of tensors expected, got list"):
        make_grid([1, 2])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="value_range has to be a tuple"):
        make_grid(genesis.zeros(2, 3, 1, 1), normalize=True, value_range=[0, 1])  # type: ignore[arg-type]


def test_a_file_holds_what_was_saved(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    x = genesis.rand(3, 4, 5, requires_grad=True)
    save_image(x, tmp_path / "a.png")
    pixels = np.asarray(image.open(tmp_path / "a.png")).transpose(2, 0, 1)
    np.testing.assert_allclose(pixels / 255, x.detach().numpy(), atol=0.5 / 255 + 1e-6)
    file = io.BytesIO()
    save_image(genesis.zeros(2, 1, 4, 5), file, format="png", nrow=1)
    assert image.open(file).size == (9, 14)
