"""Batches of images and labels that are mixed with themselves."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import genesis
from genesis._random import default_generator
from genesis.data.transforms._basic import shown
from genesis.data.transforms._drawing import below
from genesis.data.transforms._image import is_tensor
from genesis.nn import Module
from genesis.nn import functional as F


class _Mixed(Module):
    """A batch of images and labels mixed with the same batch, moved by one."""

    def __init__(
        self,
        *,
        alpha: float = 1.0,
        num_classes: int | None = None,
        labels_getter: Callable[[Any], Any] | str | None = "default",
    ) -> None:
        super().__init__()
        if labels_getter != "default":
            raise NotImplementedError(
                f"{type(self).__name__}: labels_getter is not implemented; call it with images and labels"
            )
        self.alpha, self.num_classes = float(alpha), num_classes

    def _share(self) -> float:
        seed, offset = default_generator.take(1)
        return float(
            np.random.Generator(np.random.Philox(key=seed, counter=offset)).beta(self.alpha, self.alpha)
        )

    def _mix(self, images: Any) -> tuple[Any, float]:
        """The images, and the share of each in its own place."""
        raise NotImplementedError

    def forward(self, *inputs: Any) -> Any:
        pair = inputs if len(inputs) > 1 else inputs[0]
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise ValueError(f"{type(self).__name__} takes a batch of images and their labels")
        images, labels = pair
        if not is_tensor(labels):
            raise ValueError(f"The labels must be a tensor, but got {type(labels)} instead.")
        if labels.ndim not in (1, 2):
            raise ValueError(
                "labels should be index based with shape (batch_size,) or probability based with shape "
                f"(batch_size, num_classes), but got a tensor of shape {tuple(labels.shape)} instead."
            )
        if labels.ndim == 2 and self.num_classes not in (None, labels.shape[-1]):
            raise ValueError(
                "When passing 2D labels, the number of elements in last dimension must match num_classes: "
                f"{labels.shape[-1]} != {self.num_classes}. You can Leave num_classes to None."
            )
        if labels.ndim == 1 and self.num_classes is None:
            raise ValueError("num_classes must be passed if the labels are index-based (1D)")
        if not is_tensor(images) or images.ndim != 4 or len(images) != len(labels):
            raise ValueError(
                f"Expected a batched input (N, C, H, W) for {len(labels)} labels, got "
                f"{tuple(images.shape) if is_tensor(images) else type(images).__name__}"
            )
        mixed, share = self._mix(images)
        if labels.ndim == 1:
            labels = F.one_hot(labels, self.num_classes or -1)
        labels = labels if labels.is_floating_point() else labels.to(genesis.float32)
        both = mixed, labels.roll(1, 0) * (1.0 - share) + labels * share
        return list(both) if isinstance(pair, list) else both

    def __repr__(self) -> str:
        return shown(self, alpha=self.alpha, num_classes=self.num_classes)


class MixUp(_Mixed):
    """Each image and label of a batch mixed with the one before: ``share * x + (1 - share) * before``.

    Args:
        alpha: ``share`` is drawn from Beta(alpha, alpha).
        num_classes: labels (N,) become (N, num_classes).

    Raises:
        ValueError: the labels are not (N,) or (N, num_classes), or the images not (N, C, H, W).

    Reference:
        H. Zhang et al., mixup: Beyond Empirical Risk Minimization, arXiv:1710.09412.
    """

    def _mix(self, images: Any) -> tuple[Any, float]:
        share = self._share()
        return images.roll(1, 0) * (1.0 - share) + images * share, share


class CutMix(_Mixed):
    """A rectangle of each image of a batch taken from the one before, and the labels mixed by its area.

    Args:
        alpha: the area is that of ``1 - share``, drawn from Beta(alpha, alpha), less what is outside.
        num_classes: labels (N,) become (N, num_classes).

    Raises:
        ValueError: the labels are not (N,) or (N, num_classes), or the images not (N, C, H, W).

    Reference:
        S. Yun et al., CutMix: Regularization Strategy to Train Strong Classifiers, arXiv:1905.04899.
    """

    def _mix(self, images: Any) -> tuple[Any, float]:
        half = 0.5 * math.sqrt(1.0 - self._share())
        height, width = images.shape[-2:]
        x, y = below(width), below(height)
        left, right = max(x - int(half * width), 0), min(x + int(half * width), width)
        top, bottom = max(y - int(half * height), 0), min(y + int(half * height), height)
        out = images.clone()
        out[..., top:bottom, left:right] = images.roll(1, 0)[..., top:bottom, left:right]
        return out, 1.0 - (right - left) * (bottom - top) / (width * height)
