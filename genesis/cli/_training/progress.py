"""What a person sees while a model is trained: a bar on a terminal, lines in a pipe."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genesis.cli._console import console

if TYPE_CHECKING:
    from genesis.cli._training.folder import RunFolder
    from genesis.cli._training.loop import Training


def format_measure(name: str, value: float) -> str:
    """Write an accuracy as a percentage and everything else as a number."""
    return f"{value:.2%}" if name.endswith("accuracy") else f"{value:.4f}"


class Progress:
    """Plain lines: one for each epoch, and one now and then within a long one."""

    def __init__(self, training: Training) -> None:
        self.training = training
        self.shown = time.perf_counter()
        self._begin()

    def _begin(self) -> None:
        """Forget the steps of the epoch that is over."""
        self.samples, self.loss, self.seconds = 0, 0.0, 0.0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def step(self, step: int, samples: int, loss: float, lr: float, speed: float) -> None:
        """Tell of a step."""
        self.samples += samples
        self.loss += loss * samples
        self.seconds += samples / speed
        self.lr = lr
        now = time.perf_counter()
        if now - self.shown >= self.interval:
            self.shown = now
            self.show_step(step)

    def epoch(self, step: int, epoch: int, value: float) -> None:
        """Tell of the evaluation at the end of an epoch, with the means of its steps."""
        self.shown = time.perf_counter()
        epochs, steps = str(self.training.config.epochs), str(self.training.total_steps)
        measure = self.training.recipe.measure
        self.show_epoch(
            step,
            f"epoch {epoch:>{len(epochs)}}/{epochs}  step {step:>{len(steps)}}/{steps}  {self.numbers()}  "
            f"{measure.replace('_', ' ')} {format_measure(measure, value)}",
        )
        self._begin()

    def numbers(self) -> str:
        """Loss, rate and speed of the epoch so far."""
        speed = self.samples / self.seconds if self.seconds else 0.0
        return f"loss {self.loss / self.samples:.4f}  rate {self.lr:.2e}  {speed:>8,.0f} samples/s"

    interval = 10.0  # seconds

    def show_step(self, step: int) -> None:
        """Show a step that is not the last of an epoch."""
        print(f"step {step}/{self.training.total_steps}  {self.numbers()}", flush=True)

    def show_epoch(self, step: int, line: str) -> None:
        """Show the end of an epoch."""
        print(line, flush=True)


class Bar(Progress):
    """A bar with the latest numbers, above it a line for each epoch."""

    interval = 0.1

    def __init__(self, training: Training) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        super().__init__(training)
        self.bar = RichProgress(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[numbers]}"),
            TimeRemainingColumn(compact=True),
            console=console(),
            expand=True,
        )
        self.task = self.bar.add_task(
            training.config.recipe,
            total=training.total_steps,
            completed=training.step,
            numbers="the first step compiles kernels",
        )

    def __enter__(self) -> Progress:
        self.bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.bar.stop()

    def show_step(self, step: int) -> None:
        self.bar.update(self.task, completed=step, numbers=self.numbers())

    def show_epoch(self, step: int, line: str) -> None:
        self.bar.console.print(line)
        self.show_step(step)


def progress_on(training: Training, folder: RunFolder, resumed: Path | None) -> Progress:
    """Say what is about to be trained and return what reports on it."""
    config = training.config
    count = sum(parameter.numel() for parameter in training.model.parameters())
    threads = "" if config.threads is None else f", {config.threads} thread{'s' * (config.threads != 1)}"
    by: dict[str, Any] = config.supplied_by
    threads += f", {training.team.size} processes" if training.team.size > 1 else ""
    schedule = f"{config.scheduler} ({by['scheduler']})" if "scheduler" in by else "constant rate"
    print(f"{training.recipe.data_note}; {type(training.model).__name__} of {count:,} parameters")
    print(
        f"{config.device} ({by['device']}{threads}), {config.optimizer} ({by['optimizer']}), {schedule}; "
        f"run folder {folder}"
    )
    if resumed is not None:
        print(f"resumed from {resumed} at step {training.step} of {training.total_steps}")
    sys.stdout.flush()
    return Bar(training) if sys.stdout.isatty() else Progress(training)
