"""The folder of a run: what is in it survives a kill at any moment."""

from __future__ import annotations

import csv
import os
import re
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from genesis._errors import CheckpointError
from genesis.checkpoint import atomic_write, load_checkpoint, save_checkpoint
from genesis.cli._console import warn
from genesis.cli._errors import Misuse, Stopped
from genesis.cli._training.config import Config

_CHECKPOINT = re.compile(r"epoch-(\d+)(?:-batch-(\d+))?\.ckpt")
_RUN_FILES = ("config.json", "metrics.csv", "checkpoints")


class RunFolder:
    """The files of a run.

    Args:
        path: The folder; a `with` statement makes it.

    `checkpoints/epoch-003.ckpt` is the state after three epochs, `epoch-003-batch-0120.ckpt` that after 120
    more batches. Those within an epoch are removed when two newer checkpoints are there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoints = path / "checkpoints"
        self._lock: IO[str] | None = None

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
            self.checkpoints.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Misuse(f"cannot make the run folder {self.path}: {error.strerror or error}") from None
        self._claim()
        for folder in (self.path, self.checkpoints):
            for leftover in folder.glob(".genesis-*.tmp"):  # of a process that was killed while it was saving
                with suppress(OSError):
                    leftover.unlink()
        return self

    def __exit__(self, *error: object) -> None:
        if self._lock is not None:
            self._lock.close()

    def _claim(self) -> None:
        try:
            import fcntl
        except ImportError:  # not on this system
            return
        lock = open(self.path / ".lock", "w")  # noqa: SIM115 - closed by __exit__
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the system lets go of it after a kill
            self._lock = lock
        except BlockingIOError:
            lock.close()
            raise Misuse(f"another process is training in {self.path}") from None

    def write_config(self, config: Config) -> None:
        """Write `config.json`."""
        with atomic_write(self.path / "config.json") as temporary:
            Path(temporary).write_text(config.to_json(), encoding="utf-8")

    def read_config(self) -> Config:
        """Read `config.json`."""
        path = self.path / "config.json"
        return Config.from_json(path.read_text(encoding="utf-8"), str(path))

    def save(self, state: dict[str, Any], epoch: int, batch: int) -> Path:
        """Write a checkpoint and remove those within an epoch that are no longer needed."""
        within = f"-batch-{batch:04d}" if batch else ""
        path = self.checkpoints / f"epoch-{epoch:03d}{within}.ckpt"
        save_checkpoint(state, path)
        for number, old in enumerate(self._newest_first()):
            if number >= 2 and _place(old)[1]:
                with suppress(OSError):
                    old.unlink()
        return path

    def load(self) -> tuple[dict[str, Any], Path] | None:
        """Read the newest checkpoint that is whole; put damaged ones aside and say so."""
        for path in self._newest_first():
            try:
                state: dict[str, Any] = load_checkpoint(path)
            except CheckpointError as error:
                aside = path.with_name(f"{path.name}.damaged")
                os.replace(path, aside)
                warn(f"{error}. It is now called {aside.name}; the checkpoint before it is used.")
            else:
                return state, path
        return None

    def newest(self) -> Path | None:
        """The newest checkpoint, unread."""
        return next(iter(self._newest_first()), None)

    def _newest_first(self) -> list[Path]:
        if not self.checkpoints.is_dir():
            return []
        found = (path for path in self.checkpoints.iterdir() if _CHECKPOINT.fullmatch(path.name))
        return sorted(found, key=_place, reverse=True)


def _place(path: Path) -> tuple[int, int]:
    match = _CHECKPOINT.fullmatch(path.name)
    assert match
    return int(match[1]), int(match[2] or 0)


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
