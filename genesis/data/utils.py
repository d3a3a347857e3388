"""Images side by side, and images to files, with torchvision's names (``torchvision.utils``)."""

from __future__ import annotations

import os
from typing import Any, BinaryIO

import genesis
from genesis._tensor import Tensor


def make_grid(
    tensor: Tensor | list[Tensor],
    nrow: int = 8,
    padding: int = 2,
    normalize: bool = False,
    value_range: tuple[float, float] | None = None,
    scale_each: bool = False,
    pad_value: float = 0.0,
) -> Tensor:
    """One image that shows those of a batch in rows.

    Args:
        tensor: images ``(N, C, H, W)``, or one ``(C, H, W)`` or ``(H, W)``, or a list of images of one size.
            Grey images (C = 1) get three equal channels.
        nrow: how many images there are in a row.
        padding: pixels around each image.
        normalize: scale the numbers to 0 to 1.
        value_range: the numbers that become 0 and 1; the smallest and the largest one unless given.
        scale_each: each image by its own smallest and largest number.
        pad_value: the value of the pixels between the images.

    Returns:
        ``(C, rows * (H + padding) + padding, columns * (W + padding) + padding)``; of a single image the
        image itself.

    Raises:
        TypeError: no tensors, or ``value_range`` is no tuple.
    """
    images: Any = _batch(tensor)
    if normalize:
        if value_range is not None and not isinstance(value_range, tuple):
            raise TypeError(f"value_range has to be a tuple (min, max), got {value_range!r}")
        if scale_each:
            images = genesis.stack([_scaled(image, value_range) for image in images])
        else:
            images = _scaled(images, value_range)
    if images.shape[0] == 1:
        return images.squeeze(0)  # type: ignore[no-any-return]
    n, channels, height, width = images.shape
    columns = min(nrow, n)
    rows = -(-n // columns)
    high, wide = height + padding, width + padding
    grid: Any = images.new_full((channels, rows * high + padding, columns * wide + padding), pad_value)
    for k in range(n):
        y, x = k // columns * high + padding, k % columns * wide + padding
        grid[:, y : y + height, x : x + width] = images[k]
    return grid  # type: ignore[no-any-return]


def _batch(tensor: Any) -> Any:
    if isinstance(tensor, list) and all(isinstance(t, Tensor) for t in tensor):
        tensor = genesis.stack(tensor)
    if not isinstance(tensor, Tensor):
        raise TypeError(f"tensor or list of tensors expected, got {type(tensor).__name__}")
    images: Any = tensor
    while images.dim() < 4:
        images = images.unsqueeze(0)
    if images.dim() > 4:
        raise ValueError(f"expected images (N, C, H, W), got the shape {tuple(images.shape)}")
    return genesis.cat([images] * 3, 1) if images.shape[1] == 1 else images


def _scaled(images: Any, value_range: tuple[float, float] | None) -> Any:
    low, high = value_range or (float(images.min()), float(images.max()))
    return (images.clamp(low, high) - low) / max(high - low, 1e-5)


@genesis.no_grad()
def save_image(
    tensor: Tensor | list[Tensor],
    fp: str | os.PathLike[str] | BinaryIO,
    format: str | None = None,
    **kwargs: Any,
) -> None:
    """Write images to a file, side by side if there are several; their numbers are from 0 to 1.

    Args:
        tensor: images, as for ``make_grid``.
        fp: name of the file, or a file opened for writing bytes.
        format: of the file; the ending of its name says it unless given.
        kwargs: of ``make_grid``.

    Raises:
        ImportError: Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("save_image needs Pillow: pip install pillow") from error
    grid: Any = make_grid(tensor, **kwargs)
    pixels = grid.mul(255).add(0.5).clamp(0, 255).permute(1, 2, 0).to(genesis.uint8).numpy()
    Image.fromarray(pixels).save(fp, format=format)


__all__ = ["make_grid", "save_image"]
