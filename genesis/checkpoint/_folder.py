"""A folder of checkpoints of one training, the newest of which counts."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from genesis._errors import CheckpointError
from genesis.checkpoint import _parts
from genesis.checkpoint._format import load_checkpoint
from genesis.checkpoint._lock import FolderLock

Place = tuple[int, ...]


class CheckpointFolder:
    """The checkpoints in a folder, which belongs to this object until `close`.

    What a process that was killed left half written is removed.

    Args:
        path: the folder; it is made.
        place: from a file's name to where it stands in the order of the training; None if it is not a
            checkpoint. The clock plays no part: it may jump.
        claim: False where a larger folder is claimed already.

    Raises:
        FolderInUseError: another process has it.
        OSError: it cannot be made.
    """

    def __init__(
        self, path: str | os.PathLike[str], place: Callable[[str], Place | None], claim: bool
    ) -> None:
        self.path = Path(path)
        self._place = place
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = FolderLock(self.path) if claim else None
        for leftover in _leftovers(self.path):
            with suppress(OSError):
                leftover.unlink()

    def close(self) -> None:
        """Let go of the folder."""
        if self._lock is not None:
            self._lock.release()

    def newest_first(self) -> list[Path]:
        """The checkpoints, unread."""
        return in_order(self.path, self._place)

    def load(self, map_location: Any = None) -> tuple[Any, Path] | None:
        """Read the newest checkpoint that is good; damaged ones are put aside, with a warning.

        Returns:
            Its content and its file; None if there was never one.

        Raises:
            CheckpointError: there are some, and none is good.
        """
        found = self.newest_first()
        for path in found:
            try:
                return load_checkpoint(path, map_location), path
            except CheckpointError as error:
                aside = path.with_name(f"{path.name}.damaged")
                renamed = "It could not be renamed"
                with suppress(OSError):
                    os.replace(path, aside)
                    renamed = f"It is now called {aside.name}"
                warnings.warn(f"{error}. {renamed}; the checkpoint before it is used.", stacklevel=3)
        if found:
            raise CheckpointError(
                f"none of the {len(found)} checkpoints in {str(self.path)!r} is good; restore one from a "
                "copy, or begin anew in another folder"
            )
        return None

    def remove(self, paths: Iterable[Path]) -> None:
        """Remove checkpoints, as far as the system allows it."""
        for path in paths:
            with suppress(OSError):
                path.unlink()  # first: without it the parts are no checkpoint
                _parts.remove_others(path, [])


def in_order(folder: Path, place: Callable[[str], Place | None]) -> list[Path]:
    """The checkpoints of a folder, the newest first."""
    placed = [(place(path.name), path) for path in folder.iterdir()] if folder.is_dir() else []
    known = [(where, path) for where, path in placed if where is not None]
    return [path for _, path in sorted(known, key=lambda pair: pair[0], reverse=True)]


def _leftovers(folder: Path) -> Iterable[Path]:
    """Files that only a process that was killed while it saved can have left."""
    names = {path.name for path in folder.iterdir()}
    for name in sorted(names):
        if name.startswith(".genesis-") and name.endswith(".tmp"):
            yield folder / name
        whole = _parts.whole_of(name)
        if whole is not None and f"{whole}.damaged" not in names and not _is_listed(folder / whole, name):
            yield folder / name


def _is_listed(whole: Path, part: str) -> bool:
    with suppress(OSError):
        return part.encode() in whole.read_bytes()
    return whole.exists()  # what cannot be read now may be readable later
