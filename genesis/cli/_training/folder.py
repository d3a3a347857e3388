"""The folder of a run: what is in it survives a kill at any moment."""

from __future__ import annotations

import csv
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from genesis.checkpoint import FolderInUseError, atomic_write
from genesis.checkpoint._lock import FolderLock
from genesis.cli._errors import Misuse, Stopped
from genesis.cli._training.config import Config

_RUN_FILES = ("config.json", "metrics.csv", "checkpoints")


class RunFolder:
    """The files of a run.

    Args:
        path: The folder; a `with` statement makes it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: FolderLock | None = None

    def __str__(self) -> str:
        return str(self.path)

    @property
    def holds_a_run(self) -> bool:
        """Whether there is something that a new run must not overwrite."""
        return any((self.path / name).exists() for name in _RUN_FILES)

    @property
    def has_config(self) -> bool:
        """Whether a run got so far that it can be resumed."""
        return (self.path / "config.json").exists()

    def __enter__(self) -> RunFolder:
        """Make the folder and claim it for this process.

        Raises:
            Misuse: It cannot be made, or another process is training in it.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Misuse(f"cannot make the run folder {self.path}: {error.strerror or error}") from None
        try:
            self._lock = FolderLock(self.path)
        except FolderInUseError as error:
            raise Misuse(f"another process is training in {self.path}: {error}") from None
        for leftover in self.path.glob(".genesis-*.tmp"):  # of a process that was killed while it was saving
            with suppress(OSError):
                leftover.unlink()
        return self

    def __exit__(self, *error: object) -> None:
        if self._lock is not None:
            self._lock.release()

    def write_config(self, config: Config) -> None:
        """Write `config.json`."""
        with atomic_write(self.path / "config.json") as temporary:
            Path(temporary).write_text(config.to_json(), encoding="utf-8")

    def read_config(self) -> Config:
        """Read `config.json`."""
        path = self.path / "config.json"
        return Config.from_json(path.read_text(encoding="utf-8"), str(path))


def new_folder(recipe: str) -> Path:
    """Return a name under `runs/` that is not taken."""
    base = Path("runs") / f"{recipe}-{datetime.now():%Y-%m-%d_%H-%M-%S}"
    path, number = base, 2
    while path.exists():
        path, number = base.with_name(f"{base.name}-{number}"), number + 1
    return path


class Metrics:
    """`metrics.csv`: a row for each step, in which the last of an epoch also has the evaluation.

    Args:
        path: The file.
        measure: The heading of the evaluation.
        step: Rows after this step are cut off: they belong to work that was lost and is done again.
    """

    def __init__(self, path: Path, measure: str, step: int) -> None:
        self.headings = ("step", "epoch", "loss", "lr", "samples_per_second", measure)
        kept = [self.headings, *(row for row in read_metrics(path) if int(row[0]) <= step)]
        if len(kept) - 1 < step:
            # Can only be if somebody changed the file: rows are on the disk before their checkpoint.
            raise Stopped(
                f"{path} has {len(kept) - 1} rows where the checkpoint is at step {step}; restore the file"
            )
        with atomic_write(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows(kept)
        self._file = open(path, "a", newline="", encoding="utf-8")  # noqa: SIM115 - closed by __exit__
        self._writer = csv.writer(self._file, lineterminator="\n")

    def __enter__(self) -> Metrics:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def add(self, step: int, epoch: int, loss: float, lr: float, speed: float, value: float | None) -> None:
        """Add the row of a step."""
        shown = "" if value is None else f"{value:.6g}"
        self._writer.writerow((step, epoch, f"{loss:.6g}", f"{lr:.6g}", f"{speed:.1f}", shown))

    def flush(self) -> None:
        """See that all rows are on the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())


def read_metrics(path: Path) -> list[list[str]]:
    """Return the complete rows of `metrics.csv`, without the headings."""
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]  # the last line may have been cut off by a kill
    return [row for row in csv.reader(whole.splitlines()) if len(row) == 6 and row[0].isdigit()]
