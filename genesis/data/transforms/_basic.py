"""Transforms without chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from genesis.data.transforms import functional
from genesis.data.transforms._image import InterpolationMode, mode_of
from genesis.data.transforms._place import check_pad, pair
from genesis.nn import Module


def listed(name: str, *items: object) -> str:
    """A container and what is in it, one a line."""
    return "\n".join([f"{name}(", *(f"    {item}" for item in items), ")"])


def shown(self: Any, **options: object) -> str:
    """A transform with its options."""
    return f"{type(self).__name__}({', '.join(f'{key}={value}' for key, value in options.items())})"


class Compose:
    """Transforms one after another."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = transforms

    def __call__(self, img: Any) -> Any:
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        return listed("Compose", *self.transforms)


class ToTensor:
    """A PIL image or array (H, W, C) as a tensor (C, H, W); bytes become numbers from 0 to 1."""

    def __call__(self, pic: Any) -> Any:
        return functional.to_tensor(pic)

    def __repr__(self) -> str:
        return "ToTensor()"


class PILToTensor:
    """A PIL image or array (H, W, C) as a tensor (C, H, W) of the same type."""

    def __call__(self, pic: Any) -> Any:
        return functional.pil_to_tensor(pic)

    def __repr__(self) -> str:
        return "PILToTensor()"


class ToPILImage:
    """A tensor (C, H, W) or array (H, W, C) as a PIL image; see ``functional.to_pil_image``."""

    def __init__(self, mode: str | None = None) -> None:
        self.mode = mode

    def __call__(self, pic: Any) -> Any:
        return functional.to_pil_image(pic, self.mode)

    def __repr__(self) -> str:
        return "ToPILImage()" if self.mode is None else shown(self, mode=self.mode)


class Lambda:
    """A function of one's own.

    Raises:
        TypeError: it cannot be called.
    """

    def __init__(self, lambd: Callable[[Any], Any]) -> None:
        if not callable(lambd):
            raise TypeError(f"Argument lambd should be callable, got {type(lambd).__name__!r}")
        self.lambd = lambd

    def __call__(self, img: Any) -> Any:
        return self.lambd(img)

    def __repr__(self) -> str:
        return "Lambda()"


class ConvertImageDtype(Module):
    """Another element type, scaled; see ``functional.convert_image_dtype``."""

    def __init__(self, dtype: Any) -> None:
        super().__init__()
        self.dtype = dtype

    def forward(self, image: Any) -> Any:
        return functional.convert_image_dtype(image, self.dtype)


class Normalize(Module):
    """``(x - mean) / std`` for each channel."""

    def __init__(self, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> None:
        super().__init__()
        self.mean, self.std, self.inplace = mean, std, inplace

    def forward(self, tensor: Any) -> Any:
        return functional.normalize(tensor, self.mean, self.std, self.inplace)

    def __repr__(self) -> str:
        return shown(self, mean=self.mean, std=self.std)


class Resize(Module):
    """Another size; see ``functional.resize``."""

    def __init__(
        self,
        size: int | Sequence[int],
        interpolation: Any = InterpolationMode.BILINEAR,
        max_size: int | None = None,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        if not isinstance(size, int | Sequence):
            raise TypeError(f"Size should be int or sequence. Got {type(size)}")
        if isinstance(size, Sequence) and len(size) not in (1, 2):
            raise ValueError(f"If size is a sequence, it should have 1 or 2 values, got {size!r}")
        self.size, self.interpolation = size, mode_of(interpolation)
        self.max_size, self.antialias = max_size, antialias

    def forward(self, img: Any) -> Any:
        return functional.resize(img, self.size, self.interpolation, self.max_size, self.antialias)

    def __repr__(self) -> str:
        return shown(
            self,
            size=self.size,
            interpolation=self.interpolation.value,
            max_size=self.max_size,
            antialias=self.antialias,
        )


class CenterCrop(Module):
    """The middle, (height, width)."""

    def __init__(self, size: int | Sequence[int]) -> None:
        super().__init__()
        self.size = pair(size)

    def forward(self, img: Any) -> Any:
        return functional.center_crop(img, self.size)

    def __repr__(self) -> str:
        return shown(self, size=self.size)


class FiveCrop(Module):
    """The corners and the middle, a tuple of five images."""

    def __init__(self, size: int | Sequence[int]) -> None:
        super().__init__()
        self.size = pair(size)

    def forward(self, img: Any) -> Any:
        return functional.five_crop(img, self.size)

    def __repr__(self) -> str:
        return shown(self, size=self.size)


class TenCrop(Module):
    """The same of the image and of its mirror image, a tuple of ten."""

    def __init__(self, size: int | Sequence[int], vertical_flip: bool = False) -> None:
        super().__init__()
        self.size, self.vertical_flip = pair(size), vertical_flip

    def forward(self, img: Any) -> Any:
        return functional.ten_crop(img, self.size, self.vertical_flip)

    def __repr__(self) -> str:
        return shown(self, size=self.size, vertical_flip=self.vertical_flip)


class Pad(Module):
    """A border; see ``functional.pad``."""

    def __init__(self, padding: int | Sequence[int], fill: Any = 0, padding_mode: str = "constant") -> None:
        super().__init__()
        check_pad(padding, fill, padding_mode)
        self.padding, self.fill, self.padding_mode = padding, fill, padding_mode

    def forward(self, img: Any) -> Any:
        return functional.pad(img, self.padding, self.fill, self.padding_mode)

    def __repr__(self) -> str:
        return shown(self, padding=self.padding, fill=self.fill, padding_mode=self.padding_mode)


class Grayscale(Module):
    """Grey, in one channel or three."""

    def __init__(self, num_output_channels: int = 1) -> None:
        super().__init__()
        self.num_output_channels = num_output_channels

    def forward(self, img: Any) -> Any:
        return functional.rgb_to_grayscale(img, self.num_output_channels)

    def __repr__(self) -> str:
        return shown(self, num_output_channels=self.num_output_channels)


class LinearTransformation(Module):
    """``(x - mean_vector) @ transformation_matrix`` of the flat image: for whitening.

    Args:
        transformation_matrix: (D, D) for images of D = C * H * W values.
        mean_vector: (D,).

    Raises:
        ValueError: the shapes or types do not fit.
    """

    def __init__(self, transformation_matrix: Any, mean_vector: Any) -> None:
        super().__init__()
        rows, columns = transformation_matrix.shape
        if rows != columns:
            raise ValueError(
                f"transformation_matrix should be square. Got {(rows, columns)} rectangular matrix."
            )
        if len(mean_vector) != rows:
            raise ValueError(
                f"mean_vector should have the same length {rows} as the matrix, got {len(mean_vector)}"
            )
        if mean_vector.dtype is not transformation_matrix.dtype:
            raise ValueError(
                "Input tensors should have the same dtype. "
                f"Got {transformation_matrix.dtype} and {mean_vector.dtype}"
            )
        self.transformation_matrix, self.mean_vector = transformation_matrix, mean_vector

    def forward(self, tensor: Any) -> Any:
        n = tensor.shape[-3] * tensor.shape[-2] * tensor.shape[-1]
        if n != len(self.mean_vector):
            raise ValueError(
                "Input tensor and transformation matrix have incompatible shape: "
                f"{list(tensor.shape[-3:])} for {len(self.mean_vector)} values"
            )
        flat = tensor.reshape(-1, n) - self.mean_vector
        return (flat @ self.transformation_matrix.to(flat.dtype)).reshape(tensor.shape)

    def __repr__(self) -> str:
        return shown(
            self,
            transformation_matrix=self.transformation_matrix.tolist(),
            mean_vector=self.mean_vector.tolist(),
        )
