"""torchvision's second version of its transforms, for images: whole samples, and batches that are mixed.

A transform takes one image, or a sample: several arguments, or dicts and lists of them. In a sample all PIL
images are changed, in the same way; without any, the first tensor. Labels and all else stay. There are no
types for boxes, masks and videos: tensors that mean those are left alone, or need a transform of one's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import genesis
from genesis._lazy import missing
from genesis._random import default_generator
from genesis.data import transforms as v1
from genesis.data.transforms import functional
from genesis.data.transforms._basic import listed, shown
from genesis.data.transforms._drawing import uniform
from genesis.data.transforms._image import InterpolationMode, is_pil, is_tensor
from genesis.data.transforms._mixed import CutMix, MixUp
from genesis.data.transforms._random_colour import check_shares, chosen
from genesis.data.transforms.autoaugment import AutoAugmentPolicy
from genesis.nn import Module


def _flat(value: Any) -> list[Any]:
    """What is in dicts, lists and tuples."""
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in _flat(item)]
    if isinstance(value, list | tuple):
        return [leaf for item in value for leaf in _flat(item)]
    return [value]


def _mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """The same dicts, lists and tuples with other things in them."""
    if isinstance(value, dict):
        return {key: _mapped(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        items = [_mapped(item, change) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return change(value)


def _images(leaves: list[Any]) -> list[Any]:
    pictures = [leaf for leaf in leaves if is_pil(leaf)]
    return pictures or [leaf for leaf in leaves if is_tensor(leaf)][:1]


class Transform(Module):
    """Base class: define ``transform(inpt, params)`` for an image, and ``make_params(flat_inputs)`` for all.

    Example:
        >>> class Scaled(Transform):
        ...     def make_params(self, flat_inputs):
        ...         return {"factor": genesis.rand(()).item()}
        ...     def transform(self, inpt, params):
        ...         return inpt * params["factor"]
    """

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        """Raise if the transform cannot change these."""

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """What is drawn for a sample."""
        return {}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image changed."""
        raise NotImplementedError(f"{type(self).__name__} must define transform")

    def forward(self, *inputs: Any) -> Any:
        sample = inputs if len(inputs) > 1 else inputs[0]
        leaves = _flat(sample)
        self.check_inputs(leaves)
        chosen = self._chosen(leaves)
        params = self.make_params(chosen)
        known = {id(leaf) for leaf in chosen}
        return _mapped(sample, lambda leaf: self.transform(leaf, params) if id(leaf) in known else leaf)

    def _chosen(self, leaves: list[Any]) -> list[Any]:
        return _images(leaves)


class _Whole(Module):
    """A transform of the first version, for samples: what it draws for the first image it draws for all."""

    def forward(self, *inputs: Any) -> Any:
        sample = inputs if len(inputs) > 1 else inputs[0]
        images = _images(_flat(sample))
        known = {id(image) for image in images}
        before = default_generator.get_state() if len(images) > 1 else None
        first = True

        def change(leaf: Any) -> Any:
            nonlocal first
            if id(leaf) not in known:
                return leaf
            if not first:
                default_generator.set_state(before)
            first = False
            return super(_Whole, self).forward(leaf)

        return _mapped(sample, change)


def _whole(kind: Any) -> Any:
    return type(kind.__name__, (_Whole, kind), {"__doc__": kind.__doc__, "__module__": __name__})


AugMix = _whole(v1.AugMix)
AutoAugment = _whole(v1.AutoAugment)
CenterCrop = _whole(v1.CenterCrop)
ColorJitter = _whole(v1.ColorJitter)
ConvertImageDtype = _whole(v1.ConvertImageDtype)
ElasticTransform = _whole(v1.ElasticTransform)
FiveCrop = _whole(v1.FiveCrop)
GaussianBlur = _whole(v1.GaussianBlur)
Grayscale = _whole(v1.Grayscale)
LinearTransformation = _whole(v1.LinearTransformation)
Normalize = _whole(v1.Normalize)
Pad = _whole(v1.Pad)
RandAugment = _whole(v1.RandAugment)
RandomAdjustSharpness = _whole(v1.RandomAdjustSharpness)
RandomAffine = _whole(v1.RandomAffine)
RandomAutocontrast = _whole(v1.RandomAutocontrast)
RandomCrop = _whole(v1.RandomCrop)
RandomEqualize = _whole(v1.RandomEqualize)
RandomErasing = _whole(v1.RandomErasing)
RandomGrayscale = _whole(v1.RandomGrayscale)
RandomHorizontalFlip = _whole(v1.RandomHorizontalFlip)
RandomInvert = _whole(v1.RandomInvert)
RandomPerspective = _whole(v1.RandomPerspective)
RandomPosterize = _whole(v1.RandomPosterize)
RandomResizedCrop = _whole(v1.RandomResizedCrop)
RandomRotation = _whole(v1.RandomRotation)
RandomSolarize = _whole(v1.RandomSolarize)
RandomVerticalFlip = _whole(v1.RandomVerticalFlip)
Resize = _whole(v1.Resize)
TenCrop = _whole(v1.TenCrop)
TrivialAugmentWide = _whole(v1.TrivialAugmentWide)


class Compose(Module):
    """Transforms one after another; they take and return as many things as are given."""

    def __init__(self, transforms: Sequence[Callable[..., Any]]) -> None:
        super().__init__()
        if not isinstance(transforms, Sequence):
            raise TypeError(f"Argument transforms should be a sequence of callables, got {transforms!r}")
        if not transforms:
            raise ValueError("Pass at least one transform")
        self.transforms = transforms

    def _order(self) -> Sequence[Callable[..., Any]]:
        return self.transforms

    def forward(self, *inputs: Any) -> Any:
        several, out = len(inputs) > 1, inputs if len(inputs) > 1 else inputs[0]
        for transform in self._order():
            out = transform(*out) if several else transform(out)
        return out

    def __repr__(self) -> str:
        return listed(type(self).__name__, *self.transforms)


class RandomApply(Compose):
    """All of some transforms, with probability ``p``."""

    def __init__(self, transforms: Sequence[Callable[..., Any]], p: float = 0.5) -> None:
        super().__init__(transforms)
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"`p` should be a floating point value in the interval [0.0, 1.0], got {p}")
        self.p = p

    def _order(self) -> Sequence[Callable[..., Any]]:
        return self.transforms if uniform() < self.p else []


class RandomOrder(Compose):
    """All of some transforms, in random order."""

    def _order(self) -> Sequence[Callable[..., Any]]:
        return [self.transforms[i] for i in genesis.randperm(len(self.transforms)).tolist()]


class RandomChoice(Compose):
    """One of some transforms; ``p``: how often each, in proportion."""

    def __init__(self, transforms: Sequence[Callable[..., Any]], p: Sequence[float] | None = None) -> None:
        super().__init__(transforms)
        check_shares(p, len(transforms))
        self.p = p

    def _order(self) -> Sequence[Callable[..., Any]]:
        return [self.transforms[chosen(self.p, len(self.transforms))]]


class Identity(Module):
    """Nothing changes."""

    def forward(self, *inputs: Any) -> Any:
        return inputs if len(inputs) > 1 else inputs[0]


class ToPureTensor(Identity):
    """Nothing changes: there are no other tensors."""


class Lambda(Module):
    """A function of everything in a sample that is of one of the types."""

    def __init__(self, lambd: Callable[[Any], Any], *types: type) -> None:
        super().__init__()
        self.lambd, self.types = lambd, types or (object,)

    def forward(self, *inputs: Any) -> Any:
        sample = inputs if len(inputs) > 1 else inputs[0]
        return _mapped(sample, lambda leaf: self.lambd(leaf) if isinstance(leaf, self.types) else leaf)


class _Kind(Transform):
    """A change of what an image is; it takes PIL images, arrays, and where ``tensors`` the first tensor."""

    tensors = False

    def _chosen(self, leaves: list[Any]) -> list[Any]:
        chosen = [leaf for leaf in leaves if is_pil(leaf) or isinstance(leaf, np.ndarray)]
        return chosen or ([leaf for leaf in leaves if is_tensor(leaf)][:1] if self.tensors else [])


class ToImage(_Kind):
    """A PIL image or array (H, W, C) as a tensor (C, H, W) of the same type; tensors stay."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return functional.pil_to_tensor(inpt)


class PILToTensor(ToImage):
    """The same."""


class ToTensor(_Kind):
    """A PIL image or array (H, W, C) as a tensor (C, H, W); bytes become numbers from 0 to 1."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return functional.to_tensor(inpt)


class ToPILImage(_Kind):
    """A tensor (C, H, W) or array (H, W, C) as a PIL image."""

    tensors = True

    def __init__(self, mode: str | None = None) -> None:
        super().__init__()
        self.mode = mode

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return inpt if is_pil(inpt) else functional.to_pil_image(inpt, self.mode)


class ToDtype(Transform):
    """Another element type of tensors; with ``scale`` from 0 to the largest integer, or from 0 to 1.

    Raises:
        NotImplementedError: ``dtype`` is a dict, of types that there are not here.
    """

    def __init__(self, dtype: Any, scale: bool = False) -> None:
        super().__init__()
        if isinstance(dtype, dict):
            raise NotImplementedError(
                "ToDtype: a dict of types is not implemented; give the type of the images"
            )
        if not isinstance(dtype, genesis.dtype):
            raise ValueError(f"dtype must be a dict or a dtype, got {type(dtype)} instead")
        self.dtype, self.scale = dtype, scale

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        if not is_tensor(inpt):
            return inpt
        return functional.convert_image_dtype(inpt, self.dtype) if self.scale else inpt.to(self.dtype)

    def __repr__(self) -> str:
        return shown(self, dtype=self.dtype, scale=self.scale)


class RGB(Transform):
    """Three channels: grey ones three times."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        if is_pil(inpt):
            return inpt.convert("RGB")
        return functional.rgb_to_grayscale(inpt, 3) if inpt.shape[-3] == 1 else inpt


class RandomChannelPermutation(Transform):
    """The channels of a tensor in random order."""

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        return {"order": genesis.randperm(functional.get_dimensions(flat_inputs[0])[0])}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        if is_tensor(inpt):
            return inpt.index_select(-3, params["order"])
        return functional.to_pil_image(functional.pil_to_tensor(inpt)[params["order"]], inpt.mode)


class GaussianNoise(Transform):
    """Normal random numbers added to a tensor; ``clip``: not beyond black and white."""

    def __init__(self, mean: float = 0.0, sigma: float = 0.1, clip: bool = True) -> None:
        super().__init__()
        if sigma < 0:
            raise ValueError(f"sigma shouldn't be negative. Got {sigma}")
        self.mean, self.sigma, self.clip = mean, sigma, clip

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        if is_tensor(inpt) and inpt.is_floating_point():
            out = inpt + (self.mean + genesis.randn_like(inpt) * self.sigma)
            return out.clamp(0, 1) if self.clip else out
        if is_tensor(inpt) and inpt.dtype is genesis.uint8:
            noise = self.mean * 255 + genesis.randn(inpt.shape) * (self.sigma * 255)
            out = inpt + noise.to(genesis.int16)
            return (out.clamp(0, 255) if self.clip else out).to(genesis.uint8)
        raise ValueError(f"GaussianNoise takes tensors of uint8 or float dtype, got {type(inpt).__name__}")


__all__ = [
    name
    for name, value in list(globals().items())
    if name[0] != "_" and isinstance(value, type) and value.__module__ == __name__
]
__all__ += ["AutoAugmentPolicy", "CutMix", "InterpolationMode", "MixUp", "functional"]

TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
