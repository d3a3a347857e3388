"""CIFAR-10 and CIFAR-100, in their Python and their binary version."""

from __future__ import annotations

import lzma
import os
import tarfile
import zlib
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from genesis._errors import DataError, MissingDataError
from genesis.data._pickles import read_pickle
from genesis.data._vision import Transform, VisionDataset, as_image, not_there, places


class CIFAR10(VisionDataset):
    """Photographs of 32 by 32 pixels in ten classes; items are (image, label).

    Read from the Python version (the folder ``cifar-10-batches-py``, whose pickles are read without running
    what they hold), else from the binary version (``cifar-10-batches-bin``), else from their archives
    ``cifar-10-python.tar.gz`` and ``cifar-10-binary.tar.gz``, without unpacking them to the disk.

    Args:
        root: the folder that has one of these in it, or is one of them.
        train: the training part (50000 images), or the test part (10000).
        transform: applied to each image: a PIL image where Pillow is installed, else an array (32, 32, 3).
        target_transform: applied to each label.
        download: nothing is downloaded; with True the files have to be there, as without.

    Attributes:
        data: a uint8 array of shape (N, 32, 32, 3).
        targets: a list of the labels.
        classes, class_to_idx: the names of the labels, and their numbers.

    Raises:
        DataError: the files are not there, or are damaged.

    Reference:
        A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.
    """

    base_folder: ClassVar[str] = "cifar-10-batches-py"
    url: ClassVar[str] = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
    filename: ClassVar[str] = "cifar-10-python.tar.gz"
    _binary: ClassVar[tuple[str, str]] = "cifar-10-batches-bin", "cifar-10-binary.tar.gz"
    _train: ClassVar[tuple[str, ...]] = tuple(f"data_batch_{i}" for i in range(1, 6))
    _test: ClassVar[tuple[str, ...]] = ("test_batch",)
    _names: ClassVar[tuple[str, str, str]] = "batches.meta", "label_names", "batches.meta.txt"
    _label_bytes: ClassVar[int] = 1  # in a record of the binary version; the last one is the label
    _count: ClassVar[int] = 10

    def __init__(
        self,
        root: str | os.PathLike[str],
        train: bool = True,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        parts = self._train if train else self._test
        found = self._read([*parts, self._names[0]], self.base_folder, self.filename)
        if found is not None:
            images, self.targets, self.classes = self._of_pickles(found, parts)
        else:
            names = [f"{part}.bin" for part in parts]
            found = self._read([*names, self._names[2]], *self._binary)
            if found is None:
                text = not_there(
                    f"{self.base_folder} with {', '.join(parts)}", places(self.root), download, self.url
                )
                raise MissingDataError(text)
            images, self.targets, self.classes = self._of_records(found, names)
        if any(not 0 <= label < len(self.classes) for label in self.targets):
            raise DataError(f"a label in {str(self.root)!r} is not from 0 to {len(self.classes) - 1}")
        self.data: Any = images.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}

    def _read(self, names: list[str], folder: str, archive: str) -> dict[str, bytes] | None:
        """The contents of these files; None where none of them is."""
        for place in places(self.root, folder):
            present = [(place / name).is_file() for name in names]
            if any(present[:-1]):
                if not all(present):
                    lost = ", ".join(name for name, there in zip(names, present, strict=True) if not there)
                    raise MissingDataError(f"{str(place)!r} does not have {lost}")
                return {name: (place / name).read_bytes() for name in names}
        packed = Path(self.root).expanduser() / archive
        if not packed.is_file():
            return None
        try:
            with tarfile.open(packed, "r:*", tarinfo=_Member) as tar:
                return {name: _content(tar, f"{folder}/{name}") for name in names}
        except _DAMAGED as error:
            if isinstance(error, DataError):
                raise
            raise DataError(f"{str(packed)!r} is damaged, or another archive: {error}") from error

    def _of_pickles(
        self, found: dict[str, bytes], parts: tuple[str, ...]
    ) -> tuple[Any, list[int], list[str]]:
        images, labels = [], []
        for part in parts:
            entry = _texts(read_pickle(found[part], part))
            data = entry.get("data")
            own = entry.get("labels", entry.get("fine_labels"))
            if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.shape[1:] != (3072,):
                raise DataError(f"{part!r} has no 'data' of bytes, (N, 3072)")
            own = own.tolist() if isinstance(own, np.ndarray) else own
            if not isinstance(own, list) or len(own) != len(data) or any(type(n) is not int for n in own):
                raise DataError(f"{part!r} does not have a label for each of its {len(data)} images")
            images.append(data)
            labels += own
        meta, key, _ = self._names
        names = _texts(read_pickle(found[meta], meta)).get(key)
        if not isinstance(names, list) or not all(isinstance(name, str | bytes) for name in names):
            raise DataError(f"{meta!r} has no {key!r}")
        return np.concatenate(images), labels, [_text(name) for name in names]

    def _of_records(self, found: dict[str, bytes], parts: list[str]) -> tuple[Any, list[int], list[str]]:
        size = self._label_bytes + 3072
        for part in parts:
            if len(found[part]) % size:
                raise DataError(f"{part!r} is damaged: {len(found[part])} bytes are no multiple of {size}")
        records = np.frombuffer(b"".join(found[part] for part in parts), np.uint8).reshape(-1, size)
        names = found[self._names[2]].decode("ascii", "replace").split()
        return (
            records[:, self._label_bytes :],
            records[:, self._label_bytes - 1].tolist(),
            names[: self._count],
        )

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self._changed(as_image(np.ascontiguousarray(self.data[index])), self.targets[index])

    def extra_repr(self) -> str:
        """Which part it is."""
        return f"Split: {'Train' if self.train is True else 'Test'}"


class CIFAR100(CIFAR10):
    """The same with a hundred classes; see `CIFAR10`."""

    base_folder: ClassVar[str] = "cifar-100-python"
    url: ClassVar[str] = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
    filename: ClassVar[str] = "cifar-100-python.tar.gz"
    _binary: ClassVar[tuple[str, str]] = "cifar-100-binary", "cifar-100-binary.tar.gz"
    _train: ClassVar[tuple[str, ...]] = ("train",)
    _test: ClassVar[tuple[str, ...]] = ("test",)
    _names: ClassVar[tuple[str, str, str]] = "meta", "fine_label_names", "fine_label_names.txt"
    _label_bytes: ClassVar[int] = 2
    _count: ClassVar[int] = 100


def _text(value: Any) -> str:
    return value.decode("latin1") if isinstance(value, bytes) else str(value)


def _texts(entry: Any) -> dict[str, Any]:
    """The dict with texts for keys; Python 3 with ``encoding="bytes"`` writes bytes."""
    if not isinstance(entry, dict):
        raise DataError(f"expected a dict in a file of CIFAR, got {type(entry).__name__}")
    return {_text(key): value for key, value in entry.items()}


#: what reading a damaged archive may raise
_DAMAGED = (
    LookupError, EOFError, OSError, RuntimeError, ValueError, OverflowError, MemoryError, zlib.error,
    lzma.LZMAError, tarfile.TarError,
)  # fmt: skip
_DESCRIPTIONS = (
    tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)  # fmt: skip


class _Member(tarfile.TarInfo):
    """An entry that does not lie before the one before it, which would be read again and again."""

    def _block(self, count: int) -> int:  # as advised for CVE-2025-8194
        if count < 0:
            raise tarfile.ReadError("an entry of negative size")
        return int(super()._block(count))  # type: ignore[misc]

    def _proc_member(self, tar: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in _DESCRIPTIONS and self.size > 1 << 20:  # it is read at once, whatever its size
            raise tarfile.ReadError(f"a description of {self.size} bytes")
        return super()._proc_member(tar)  # type: ignore[misc, no-any-return]


def _content(tar: tarfile.TarFile, name: str) -> bytes:
    """A file of an archive: no link, and no file with holes, which is larger than what is stored of it."""
    member = tar.getmember(name)
    if not member.isreg() or member.issparse():
        raise DataError(f"{str(tar.name)!r} is damaged, or another archive: {name!r} is no plain file")
    with tar.extractfile(member) as file:  # type: ignore[union-attr] # of a plain file it is there
        parts = []
        while part := file.read(1 << 20):
            parts.append(part)
    return b"".join(parts)
