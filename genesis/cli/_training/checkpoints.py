"""The checkpoints of a run: one for each epoch, and the newest within one."""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genesis.checkpoint import Checkpointer
from genesis.cli._training.team import END_SIGNAL

if TYPE_CHECKING:
    from genesis.cli._training.loop import Training

_NAME = re.compile(r"epoch-(\d+)(?:-batch-(\d+))?\.ckpt")


class RunCheckpoints(Checkpointer):
    """`epoch-003.ckpt` is the state after three epochs, `epoch-003-batch-0120.ckpt` that of 120 batches more.

    Those within an epoch are removed when two newer checkpoints are there.

    Args:
        folder: The run folder, which is claimed already.
        training: What to save.
        save_every: Seconds between checkpoints within an epoch; 0 for one after each step.
    """

    _claims = False

    def __init__(self, folder: Path, training: Training, save_every: float) -> None:
        super().__init__(
            folder / "checkpoints",
            every=timedelta(seconds=save_every) if save_every else 1,
            signals=(signal.SIGINT, signal.SIGTERM, *([END_SIGNAL] if training.team.size > 1 else ())),
            **training.parts(),
        )
        self._training = training

    def save(self, metrics: Mapping[str, Any] | None = None) -> Path:
        self.global_step = self._training.step
        self.epoch = self.global_step // self._training.steps_per_epoch
        return super().save(metrics)

    def _name(self) -> str:
        batch = self.global_step % self._training.steps_per_epoch
        return f"epoch-{self.epoch:03d}{f'-batch-{batch:04d}' if batch else ''}.ckpt"

    def _place(self, name: str) -> tuple[int, ...] | None:
        match = _NAME.fullmatch(name)
        return (int(match[1]), int(match[2] or 0)) if match else None

    def _outdated(self, newest_first: list[Path], best: str) -> list[Path]:
        return [path for path in newest_first[2:] if "-batch-" in path.name]

    def _converted(self, state: dict[str, Any]) -> dict[str, Any]:
        if "training" not in state:  # runs that began before there was a Checkpointer
            own = {name: state.pop(name) for name in ("seconds", "values")}
            state["training"] = {"step": state["step"], **own}
        return state
