"""What data sets of images have in common, with torchvision's names."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from genesis.data._dataset import Dataset

Transform = Callable[[Any], Any]


def as_image(array: Any) -> Any:
    """A PIL image where Pillow is installed, else the array itself; transforms take both."""
    try:
        from PIL import Image
    except ImportError:
        return array
    return Image.fromarray(array)


class StandardTransform:
    """A transform of the image and one of the label, as one of both."""

    def __init__(self, transform: Transform | None = None, target_transform: Transform | None = None) -> None:
        self.transform, self.target_transform = transform, target_transform

    def __call__(self, input: Any, target: Any) -> tuple[Any, Any]:
        if self.transform is not None:
            input = self.transform(input)
        return input, target if self.target_transform is None else self.target_transform(target)

    def __repr__(self) -> str:
        lines = [type(self).__name__]
        for head, part in (("Transform: ", self.transform), ("Target transform: ", self.target_transform)):
            if part is not None:
                first, *rest = repr(part).splitlines()
                lines += [head + first, *(" " * len(head) + line for line in rest)]
        return "\n".join(lines)


class VisionDataset(Dataset[Any]):
    """Base class of data sets of images.

    Args:
        root: where the files are; ``~`` is the user's folder.
        transforms: of an image and its label together.
        transform, target_transform: of each of them, instead.

    Raises:
        ValueError: both kinds of transforms are given.
    """

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        transforms: Callable[[Any, Any], Any] | None = None,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
    ) -> None:
        self.root: Any = os.path.expanduser(root) if isinstance(root, str) else root
        separate = transform is not None or target_transform is not None
        if transforms is not None and separate:
            raise ValueError("Only transforms or transform/target_transform can be passed as argument")
        self.transform, self.target_transform = transform, target_transform
        self.transforms = StandardTransform(transform, target_transform) if separate else transforms

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} must define __len__")

    def extra_repr(self) -> str:
        """More lines of the text that the data set prints as."""
        return ""

    def __repr__(self) -> str:
        lines = [f"Number of datapoints: {len(self)}"]
        if self.root is not None:
            lines.append(f"Root location: {self.root}")
        lines += self.extra_repr().splitlines()
        if self.transforms is not None:
            lines.append(repr(self.transforms))
        return "\n    ".join([f"Dataset {type(self).__name__}", *lines])

    def _changed(self, image: Any, label: Any) -> tuple[Any, Any]:
        """The two after their transforms."""
        if self.transform is not None:
            image = self.transform(image)
        return image, label if self.target_transform is None else self.target_transform(label)


def places(root: str | os.PathLike[str], *folders: str) -> list[Path]:
    """Folders below ``root``, and ``root`` itself."""
    top = Path(root).expanduser()
    return [*(top / folder for folder in folders), top]


def not_there(what: str, tried: list[Path], download: bool, url: str) -> str:
    """The message for files that are missing."""
    text = f"{what} is not in {', '.join(repr(str(place)) for place in tried)}; nothing is downloaded"
    if download:
        text += ", download=True does not change that"
    return f"{text}: get it from {url} and put it there"
