"""Policies of changes that were learnt, or drawn from a list, with torchvision's names."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

import numpy as np

import genesis
from genesis._lazy import missing
from genesis._random import default_generator
from genesis.data.transforms import functional
from genesis.data.transforms._basic import shown
from genesis.data.transforms._drawing import below
from genesis.data.transforms._image import InterpolationMode, is_tensor
from genesis.data.transforms._policies import POLICIES
from genesis.nn import Module

__all__ = ["AugMix", "AutoAugment", "AutoAugmentPolicy", "RandAugment", "TrivialAugmentWide"]

Fill = float | Sequence[float] | None
Space = dict[str, tuple[Any, bool]]  # of a name: its magnitudes, and whether they may be negative


class AutoAugmentPolicy(Enum):
    """The data that a policy was learnt from."""

    IMAGENET = "imagenet"
    CIFAR10 = "cifar10"
    SVHN = "svhn"


def _apply_op(img: Any, op_name: str, magnitude: float, interpolation: Any, fill: Any) -> Any:
    """A change by its name in the papers."""
    angle = math.degrees(math.atan(magnitude))
    if op_name in ("ShearX", "ShearY"):
        shear = [angle, 0.0] if op_name == "ShearX" else [0.0, angle]
        return functional.affine(img, 0.0, [0, 0], 1.0, shear, interpolation, fill, center=[0, 0])
    if op_name in ("TranslateX", "TranslateY"):
        far = int(magnitude)
        moved = [far, 0] if op_name == "TranslateX" else [0, far]
        return functional.affine(img, 0.0, moved, 1.0, [0.0, 0.0], interpolation, fill)
    if op_name == "Rotate":
        return functional.rotate(img, magnitude, interpolation, fill=fill)
    if op_name in _FACTORS:
        return _FACTORS[op_name](img, 1.0 + magnitude)
    if op_name == "Posterize":
        return functional.posterize(img, int(magnitude))
    if op_name == "Solarize":
        return functional.solarize(img, magnitude)
    if op_name in _PLAIN:
        return _PLAIN[op_name](img)
    raise ValueError(f"The provided operator {op_name} is not recognized.")


_FACTORS = {
    "Brightness": functional.adjust_brightness,
    "Color": functional.adjust_saturation,
    "Contrast": functional.adjust_contrast,
    "Sharpness": functional.adjust_sharpness,
}
_PLAIN: dict[str, Callable[[Any], Any]] = {
    "AutoContrast": functional.autocontrast,
    "Equalize": functional.equalize,
    "Invert": functional.invert,
    "Identity": lambda img: img,
}


def _space(
    bins: int,
    across: float,
    down: float,
    shear: float,
    turn: float,
    factor: float | None,
    bits: tuple[int, int],
) -> Space:
    """Magnitudes from none to the largest of each change; of Posterize, from and how many bits fewer."""
    ends = {"ShearX": shear, "ShearY": shear, "TranslateX": across, "TranslateY": down, "Rotate": turn}
    if factor is not None:
        ends |= dict.fromkeys(_FACTORS, factor)
    space = {name: (genesis.linspace(0.0, end, bins), True) for name, end in ends.items()}
    fewer = (genesis.arange(bins) / ((bins - 1) / bits[1])).round().to(genesis.int32)
    none = (genesis.tensor(0.0), False)
    return space | {
        "Posterize": (bits[0] - fewer, False),
        "Solarize": (genesis.linspace(255.0, 0.0, bins), False),
        "AutoContrast": none,
        "Equalize": none,
    }


def _drawn(space: Space, number: int | None = None, most: int | None = None) -> tuple[str, float]:
    """A change with a magnitude: that of a number, or one of the first ``most``, or of all."""
    name = list(space)[below(len(space))]
    magnitudes, signed = space[name]
    size = 0.0
    if magnitudes.ndim:
        which = below(most or len(magnitudes)) if number is None else number
        size = float(magnitudes[which].item())
    return name, -size if signed and below(2) else size


class _Policy(Module):
    interpolation: Any
    fill: Fill

    def _colours(self, img: Any) -> Any:
        if not is_tensor(img) or self.fill is None:
            return self.fill
        fill = (
            [self.fill] * functional.get_dimensions(img)[0]
            if isinstance(self.fill, int | float)
            else self.fill
        )
        return [float(value) for value in fill]


class AutoAugment(_Policy):
    """One of 25 pairs of changes that were learnt, each with a probability of its own.

    Args:
        policy: what they were learnt from.
        interpolation, fill: as for ``functional.affine``.

    Tensors have to be uint8, (…, 1 or 3, H, W).

    Reference:
        E. Cubuk et al., AutoAugment: Learning Augmentation Strategies from Data, arXiv:1805.09501.
    """

    def __init__(
        self,
        policy: AutoAugmentPolicy = AutoAugmentPolicy.IMAGENET,
        interpolation: Any = InterpolationMode.NEAREST,
        fill: Fill = None,
    ) -> None:
        super().__init__()
        self.policy, self.interpolation, self.fill = policy, interpolation, fill
        self.policies = self._get_policies(policy)

    def _get_policies(self, policy: AutoAugmentPolicy) -> list[tuple[tuple[str, float, int | None], ...]]:
        if not isinstance(policy, AutoAugmentPolicy):
            raise ValueError(f"The provided policy {policy} is not recognized.")
        pairs = []
        for text in POLICIES[policy.value].strip().splitlines():
            words = [part.split() for part in text.split(",")]
            pairs.append(tuple((w[0], float(w[1]), int(w[2]) if len(w) > 2 else None) for w in words))
        return pairs

    def _augmentation_space(self, num_bins: int, image_size: tuple[int, int]) -> Space:
        height, width = image_size
        far = 150.0 / 331.0
        space = _space(num_bins, far * width, far * height, 0.3, 30.0, 0.9, (8, 4))
        return space | {"Invert": (genesis.tensor(0.0), False)}

    @staticmethod
    def get_params(transform_num: int) -> tuple[int, Any, Any]:
        """(number of the pair, two numbers from 0 to 1, two signs as 0 or 1)."""
        return below(transform_num), genesis.rand(2), genesis.randint(0, 2, (2,))

    def forward(self, img: Any) -> Any:
        _, height, width = functional.get_dimensions(img)
        number, chances, signs = self.get_params(len(self.policies))
        space = self._augmentation_space(10, (height, width))
        fill = self._colours(img)
        for i, (name, p, place) in enumerate(self.policies[number]):
            if chances[i] <= p:
                magnitudes, signed = space[name]
                size = 0.0 if place is None else float(magnitudes[place].item())
                size = -size if signed and signs[i] == 0 else size
                img = _apply_op(img, name, size, self.interpolation, fill)
        return img

    def __repr__(self) -> str:
        return shown(self, policy=self.policy, fill=self.fill)


class RandAugment(_Policy):
    """Some changes of a list, drawn at random, with one magnitude for all.

    Args:
        num_ops: how many, one after another.
        magnitude: the number of the magnitude, below ``num_magnitude_bins``.
        num_magnitude_bins: how many magnitudes there are from none to the largest.
        interpolation, fill: as for ``functional.affine``.

    Tensors have to be uint8, (…, 1 or 3, H, W).

    Reference:
        E. Cubuk et al., RandAugment: Practical automated data augmentation, arXiv:1909.13719.
    """

    def __init__(
        self,
        num_ops: int = 2,
        magnitude: int = 9,
        num_magnitude_bins: int = 31,
        interpolation: Any = InterpolationMode.NEAREST,
        fill: Fill = None,
    ) -> None:
        super().__init__()
        self.num_ops, self.magnitude, self.num_magnitude_bins = num_ops, magnitude, num_magnitude_bins
        self.interpolation, self.fill = interpolation, fill

    def _augmentation_space(self, num_bins: int, image_size: tuple[int, int]) -> Space:
        height, width = image_size
        far = 150.0 / 331.0
        space = _space(num_bins, far * width, far * height, 0.3, 30.0, 0.9, (8, 4))
        return {"Identity": (genesis.tensor(0.0), False), **space}

    def forward(self, img: Any) -> Any:
        _, height, width = functional.get_dimensions(img)
        space = self._augmentation_space(self.num_magnitude_bins, (height, width))
        fill = self._colours(img)
        for _ in range(self.num_ops):
            name, size = _drawn(space, self.magnitude)
            img = _apply_op(img, name, size, self.interpolation, fill)
        return img

    def __repr__(self) -> str:
        return shown(
            self,
            num_ops=self.num_ops,
            magnitude=self.magnitude,
            num_magnitude_bins=self.num_magnitude_bins,
            interpolation=self.interpolation,
            fill=self.fill,
        )


class TrivialAugmentWide(_Policy):
    """One change of a list with one magnitude, both drawn at random; the magnitudes reach far.

    Args:
        num_magnitude_bins: how many magnitudes there are from none to the largest.
        interpolation, fill: as for ``functional.affine``.

    Tensors have to be uint8, (…, 1 or 3, H, W).

    Reference:
        S. Mueller, F. Hutter, TrivialAugment: Tuning-free Yet State-of-the-Art, arXiv:2103.10158.
    """

    def __init__(
        self,
        num_magnitude_bins: int = 31,
        interpolation: Any = InterpolationMode.NEAREST,
        fill: Fill = None,
    ) -> None:
        super().__init__()
        self.num_magnitude_bins, self.interpolation, self.fill = num_magnitude_bins, interpolation, fill

    def _augmentation_space(self, num_bins: int) -> Space:
        space = _space(num_bins, 32.0, 32.0, 0.99, 135.0, 0.99, (8, 6))
        return {"Identity": (genesis.tensor(0.0), False), **space}

    def forward(self, img: Any) -> Any:
        name, size = _drawn(self._augmentation_space(self.num_magnitude_bins))
        return _apply_op(img, name, size, self.interpolation, self._colours(img))

    def __repr__(self) -> str:
        return shown(
            self,
            num_magnitude_bins=self.num_magnitude_bins,
            interpolation=self.interpolation,
            fill=self.fill,
        )


class AugMix(_Policy):
    """A mixture of the image and of chains of changes of it, with weights from a Dirichlet distribution.

    Args:
        severity: how many of ten magnitudes are drawn from, the smallest first.
        mixture_width: how many chains.
        chain_depth: changes in a chain; -1 draws from 1 to 3.
        alpha: of the Dirichlet distribution.
        all_ops: also brightness, colour, contrast and sharpness.
        interpolation, fill: as for ``functional.affine``.

    Tensors have to be uint8, (…, 1 or 3, H, W).

    Raises:
        ValueError: ``severity`` is not from 1 to 10.

    Reference:
        D. Hendrycks et al., AugMix: A Simple Data Processing Method, arXiv:1912.02781, algorithm 1.
    """

    def __init__(
        self,
        severity: int = 3,
        mixture_width: int = 3,
        chain_depth: int = -1,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: Any = InterpolationMode.BILINEAR,
        fill: Fill = None,
    ) -> None:
        super().__init__()
        if not 1 <= severity <= 10:
            raise ValueError(f"The severity must be between [1, 10]. Got {severity} instead.")
        self.severity, self.mixture_width, self.chain_depth = severity, mixture_width, chain_depth
        self.alpha, self.all_ops, self.interpolation, self.fill = alpha, all_ops, interpolation, fill

    def _augmentation_space(self, num_bins: int, image_size: tuple[int, int]) -> Space:
        height, width = image_size
        factor = 0.9 if self.all_ops else None
        return _space(num_bins, width / 3.0, height / 3.0, 0.3, 30.0, factor, (4, 4))

    def _weights(self, n: int, images: int) -> Any:
        """(images, n), each row positive with sum 1."""
        seed, offset = default_generator.take(n * images)
        source = np.random.Generator(np.random.Philox(key=seed, counter=offset))
        return genesis.tensor(source.dirichlet([float(self.alpha)] * n, images), dtype=genesis.float32)

    def forward(self, orig_img: Any) -> Any:
        _, height, width = functional.get_dimensions(orig_img)
        fill = self._colours(orig_img)
        img = functional.pil_to_tensor(orig_img)
        batch = img.reshape(*[1] * max(4 - img.ndim, 0), *img.shape)
        space = self._augmentation_space(10, (height, width))
        ones = [1] * (batch.ndim - 1)
        shares = self._weights(2, len(batch))
        weights = self._weights(self.mixture_width, len(batch)) * shares[:, 1:]
        mix = shares[:, 0].reshape(-1, *ones) * batch
        for i in range(self.mixture_width):
            changed = batch
            for _ in range(self.chain_depth if self.chain_depth > 0 else 1 + below(3)):
                name, size = _drawn(space, most=self.severity)
                changed = _apply_op(changed, name, size, self.interpolation, fill)
            mix = mix + weights[:, i].reshape(-1, *ones) * changed
        out = mix.reshape(img.shape).to(img.dtype)
        if is_tensor(orig_img):
            return out
        return functional.to_pil_image(out) if hasattr(orig_img, "getbands") else out.permute(1, 2, 0).numpy()

    def __repr__(self) -> str:
        return shown(
            self,
            severity=self.severity,
            mixture_width=self.mixture_width,
            chain_depth=self.chain_depth,
            alpha=self.alpha,
            all_ops=self.all_ops,
            interpolation=self.interpolation,
            fill=self.fill,
        )


TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
