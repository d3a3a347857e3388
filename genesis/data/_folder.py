"""Files in one folder for each class."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from genesis._errors import DataError, MissingDataError
from genesis.data._vision import Transform, VisionDataset

IMG_EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


def find_classes(directory: str | os.PathLike[str]) -> tuple[list[str], dict[str, int]]:
    """The names of the folders in a folder, in alphabetical order, and their numbers.

    Raises:
        DataError: there are none.
    """
    classes = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir())
    if not classes:
        raise MissingDataError(
            f"Couldn't find any class folder in {os.fspath(directory)!r}: it has no folders"
        )
    return classes, {name: i for i, name in enumerate(classes)}


def make_dataset(
    directory: str | os.PathLike[str],
    class_to_idx: dict[str, int] | None = None,
    extensions: str | tuple[str, ...] | None = None,
    is_valid_file: Callable[[str], bool] | None = None,
    allow_empty: bool = False,
) -> list[tuple[str, int]]:
    """The paths in the folders of classes, with the numbers of the classes.

    Args:
        directory: the folder.
        class_to_idx: by default as `find_classes` finds.
        extensions: the ends of the names of files that count.
        is_valid_file: whether a path counts, instead.
        allow_empty: a class without files is no error.

    Raises:
        ValueError: both or none of ``extensions`` and ``is_valid_file`` are given.
        DataError: a class has no files.
    """
    directory = os.path.expanduser(directory)
    if class_to_idx is None:
        _, class_to_idx = find_classes(directory)
    elif not class_to_idx:
        raise ValueError("'class_to_index' must have at least one entry to collect any samples.")
    if (extensions is None) == (is_valid_file is None):
        raise ValueError("Both extensions and is_valid_file cannot be None or not None at the same time")
    valid = is_valid_file or (lambda path: path.lower().endswith(extensions))  # type: ignore[arg-type]
    samples: list[tuple[str, int]] = []
    empty = []
    for name in sorted(class_to_idx):
        before = len(samples)
        for folder, _, files in sorted(os.walk(os.path.join(directory, name), followlinks=True)):
            paths = (os.path.join(folder, file) for file in sorted(files))
            samples += [(path, class_to_idx[name]) for path in paths if valid(path)]
        if len(samples) == before:
            empty.append(name)
    if empty and not allow_empty:
        kinds = (
            ""
            if extensions is None
            else f" ({', '.join([extensions] if isinstance(extensions, str) else extensions)})"
        )
        which = ", ".join(repr(name) for name in empty)
        raise MissingDataError(
            f"Found no valid file for the classes: {which} in {directory!r} has no images{kinds}"
        )
    return samples


class DatasetFolder(VisionDataset):
    """Files in one folder for each class, ``root/class/name.ext``; items are (what is loaded, class number).

    Args:
        root: the folder.
        loader: loads a path.
        extensions: the ends of the names of files that count.
        transform, target_transform: applied to what is loaded, and to each label.
        is_valid_file: whether a path counts, instead of ``extensions``.
        allow_empty: a class without files is no error.

    Attributes:
        classes, class_to_idx: the names of the folders, in alphabetical order, and their numbers.
        samples: all (path, class number).
        targets: all class numbers.

    Raises:
        DataError: there are no classes, or a class has no files.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        loader: Callable[[str], Any],
        extensions: tuple[str, ...] | None = None,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.loader, self.extensions = loader, extensions
        self.classes, self.class_to_idx = self.find_classes(self.root)
        self.samples = self.make_dataset(
            self.root, self.class_to_idx, extensions, is_valid_file, allow_empty=allow_empty
        )
        self.targets = [number for _, number in self.samples]

    @staticmethod
    def make_dataset(
        directory: str | os.PathLike[str],
        class_to_idx: dict[str, int],
        extensions: tuple[str, ...] | None = None,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> list[tuple[str, int]]:
        """See the function of that name; a subclass may find its files in another way."""
        return make_dataset(directory, class_to_idx, extensions, is_valid_file, allow_empty)

    def find_classes(self, directory: str | os.PathLike[str]) -> tuple[list[str], dict[str, int]]:
        """See the function of that name; a subclass may have other classes."""
        return find_classes(directory)

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        path, label = self.samples[index]
        return self._changed(self.loader(path), label)


class ImageError(DataError, OSError):
    """A file is no image, or damaged; also what Pillow raises, an OSError."""


#: what Pillow decodes by itself; for others it starts programs, such as Ghostscript for a PostScript file
_DECODED = (
    "BMP", "DDS", "DIB", "GIF", "ICO", "JPEG", "JPEG2000", "MPO", "PCX", "PNG", "PPM", "SGI", "TGA", "TIFF",
    "WEBP",
)  # fmt: skip


#: pixels for each byte of a file at most: PNG's limit, an eighth of a byte each and 1032 to 1 by Deflate
_PIXELS = 8256


def default_loader(path: str | os.PathLike[str]) -> Any:
    """A PIL image in RGB.

    Raises:
        FileNotFoundError: there is no such file.
        DataError: it is damaged, or none of the common formats of pixels, whatever its name says; or it has
            more pixels than Pillow takes (``PIL.Image.MAX_IMAGE_PIXELS``).
        ImportError: Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("reading image files needs Pillow: pip install pillow") from error
    Image.init()
    known = [name for name in _DECODED if name in Image.OPEN]
    with open(path, "rb") as file:
        try:
            with Image.open(file, formats=known) as image:
                if image.width * image.height > _PIXELS * os.fstat(file.fileno()).st_size + (1 << 22):
                    raise ValueError(f"{image.width} x {image.height} pixels in so small a file")
                return image.convert("RGB")
        except Exception as error:  # Pillow's decoders raise many kinds
            raise ImageError(f"cannot read the image {os.fspath(path)!r}: {error}") from error


class ImageFolder(DatasetFolder):
    """Images in one folder for each class; see `DatasetFolder`.

    Args:
        root: the folder.
        transform, target_transform: applied to each PIL image and each label.
        loader: makes an image of a path; by default Pillow, as RGB.
        is_valid_file: whether a path is an image; by default its extension says so.
        allow_empty: a class without images is no error.

    Raises:
        DataError: there are no classes, or a class has no images.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        loader: Callable[[str], Any] = default_loader,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> None:
        extensions = IMG_EXTENSIONS if is_valid_file is None else None
        super().__init__(root, loader, extensions, transform, target_transform, is_valid_file, allow_empty)
        self.imgs = self.samples
