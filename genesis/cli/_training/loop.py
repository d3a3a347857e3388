"""The training loop, and the state from which it goes on."""

from __future__ import annotations

import math
import signal
import time
from contextlib import suppress
from inspect import Parameter, signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import genesis
from genesis import nn
from genesis._errors import CheckpointError, OutOfMemoryError
from genesis.cli._errors import Interrupted, Misuse, Stopped
from genesis.cli._training.config import NO_SCHEDULER, Config
from genesis.cli._training.folder import Metrics, RunFolder
from genesis.cli._training.team import END_SIGNAL, Team
from genesis.data import DataLoader

if TYPE_CHECKING:
    from genesis.cli._training.checkpoints import RunCheckpoints
    from genesis.cli._training.progress import Progress
    from genesis.recipes.recipe import Recipe


class Training:
    """A model on its way from step 0 to `total_steps`.

    Everything that later steps depend on, but for the random numbers, is in its `parts`: parameters, the
    state of optimizer and schedule, the place in the data, and what it counts itself.

    Attributes:
        step: Steps taken.
        seconds: Time spent on them, that of earlier processes included.
        values: The evaluation after each epoch.
        team: The processes that train it, each on its part of every batch.
    """

    def __init__(self, config: Config, recipe: Recipe, team: Team | None = None) -> None:
        self.config, self.recipe = config, recipe
        self.team = team or Team()
        self.device = genesis.device(config.device)
        genesis.manual_seed(config.seed)
        self.model: nn.Module = recipe.model().to(self.device)
        self.trained = self.model  # what losses are computed with
        self.loader: DataLoader[Any] = DataLoader(recipe.data, batch_size=config.batch_size, shuffle=True)
        self.optimizer = self._made("optimizer", self.model.parameters())
        self.scheduler: Any = None
        if config.scheduler != NO_SCHEDULER:
            self.scheduler = self._made("scheduler", self.optimizer)
        # One that follows a metric takes a step after each evaluation, all others after each batch.
        self.by_metric = bool(getattr(self.scheduler, "follows_metric", False))
        self.step = 0
        self.seconds = 0.0
        self.values: list[float] = []
        if self.team.size > 1 and _needs_closure(self.optimizer):
            raise Misuse(f"{config.optimizer} looks at the loss within a step: train in one process")

    def join(self) -> None:
        """Begin, or go on, together with the other processes."""
        self.trained = self.team.wrap(self)

    def _made(self, what: str, subject: Any) -> Any:
        """Make the optimizer or the scheduler; what it says about its options is for the user."""
        name, options = getattr(self.config, what), getattr(self.config, f"{what}_options")
        create = getattr(genesis.optim, f"create_{what}")
        try:
            # so that a length may be "10%" of the training, or "3ep"
            with genesis.optim.training_length(self.total_steps, self.steps_per_epoch):
                return create(name, subject, **options)
        except (TypeError, ValueError) as error:
            hint = (
                f" (options are given by --{what}-option NAME=VALUE)" if isinstance(error, TypeError) else ""
            )
            raise Misuse(f"{what} {error if name in str(error) else f'{name}: {error}'}{hint}") from error

    @property
    def steps_per_epoch(self) -> int:
        """Batches in the data."""
        return len(self.loader)

    @property
    def total_steps(self) -> int:
        """Where the run ends."""
        return self.config.epochs * self.steps_per_epoch

    def parts(self) -> dict[str, Any]:
        """What a checkpoint of the run has."""
        return {
            "model": self.model,
            "optimizer": self.optimizer,
            "scheduler": self.scheduler,
            "loader": self.loader,
            "training": self,
        }

    def state_dict(self) -> dict[str, Any]:
        """What this object counts."""
        return {"step": self.step, "seconds": self.seconds, "values": list(self.values)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on counting where `state_dict` was called."""
        self.step, self.seconds, self.values = state["step"], state["seconds"], state["values"]

    def train_batch(self, batch: Any) -> tuple[float, float]:
        """Take a step; return the loss and the learning rate that it was taken with.

        Raises:
            Diverged: The loss is not a finite number; the parameters are as they were.
        """
        batch, weight = self.team.share(batch)
        tensors = [tensor.to(self.device) for tensor in batch]
        loss = self.recipe.loss(self.trained, tensors)
        if weight != 1.0:
            loss = loss * weight
        value = self.team.mean(loss)
        if not math.isfinite(value):
            raise Diverged(self.step + 1, f"the loss became {value}")
        lr = float(self.optimizer.param_groups[0]["lr"])
        if _needs_closure(self.optimizer):
            self.optimizer.step(lambda: self._backward(self.recipe.loss(self.model, tensors)))
        else:
            self._backward(loss)
            self.optimizer.step()
        if self.scheduler is not None and not self.by_metric:
            self.scheduler.step()
        self.step += 1
        return value, lr

    def _backward(self, loss: Any) -> Any:
        """Compute the gradients of a loss, and return it."""
        self.optimizer.zero_grad()
        loss.backward()
        if self.recipe.clip is not None:
            self.optimizer.clip_grad_norm_(self.recipe.clip)
        return loss

    def evaluate(self) -> float:
        """Return the recipe's measure of the model as it is."""
        self.model.eval()
        value = float(self.team.from_leader(lambda: self.recipe.evaluate(self.model, self.device)))
        self.model.train()
        return value

    def check_parameters(self) -> None:
        """Raise `Diverged` if a parameter is not finite: such a state is not worth saving."""
        for name, parameter in self.model.named_parameters():
            if not genesis.isfinite(parameter.detach()).all():
                raise Diverged(self.step, f"{name} became infinite or NaN")


def _needs_closure(optimizer: Any) -> bool:
    """Whether a step of the optimizer has to compute the loss by itself, as LBFGS's does."""
    closure = signature(type(optimizer).step).parameters.get("closure")
    return closure is not None and closure.default is Parameter.empty


class Diverged(Exception):
    """The training cannot go on from here."""

    def __init__(self, step: int, what: str) -> None:
        super().__init__(what)
        self.step = step


def train(training: Training, folder: RunFolder, checkpoints: RunCheckpoints, progress: Progress) -> None:
    """Train to the end, saving after each epoch and when it is due within.

    Raises:
        Stopped: The loss is not finite, or nothing can be saved. The last good checkpoint is there.
        Interrupted: A signal came. All is saved, unless it came twice.
    """
    path = folder.path / "metrics.csv"
    with Metrics(path, training.recipe.measure, training.step) as metrics:

        def newest() -> Path | None:
            with suppress(CheckpointError, OutOfMemoryError):
                checkpoints.wait()
            return checkpoints.newest()

        try:
            _Run(training, folder, checkpoints, metrics, progress).go()
        except Diverged as error:
            metrics.flush()
            epoch = (error.step - 1) // training.steps_per_epoch + 1
            raise Stopped(
                f"{error} at step {error.step} (epoch {epoch}); the training has stopped. "
                f"The last good checkpoint is {newest()}. A lower --lr may help."
            ) from None
        except (CheckpointError, OutOfMemoryError, OSError) as error:
            raise Stopped(
                f"{error}; the training has stopped. The last good checkpoint is {newest()}. When the "
                f"cause is gone, go on with: {resume_command(folder)}"
            ) from None
        except KeyboardInterrupt:
            raise Interrupted(
                f"stopped at once; the last checkpoint is {newest()}. Go on with: {resume_command(folder)}",
                signal.SIGINT,
            ) from None


def follow(training: Training) -> None:
    """Train to the end with a process that saves and reports."""
    try:
        _Run(training, None, _Silent(), _Silent(), _Silent()).go()
    except Diverged as error:
        raise Stopped(f"{error} at step {error.step}") from None


class _Silent:
    """In the place of what saves or reports."""

    due, signal = False, None

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: None


class _Run:
    """The loop over epochs and batches, with what it reports to."""

    def __init__(
        self,
        training: Training,
        folder: RunFolder | None,
        checkpoints: RunCheckpoints | _Silent,
        metrics: Metrics | _Silent,
        progress: Progress | _Silent,
    ) -> None:
        self.training, self.folder, self.checkpoints = training, folder, checkpoints
        self.metrics, self.progress = metrics, progress

    def go(self) -> None:
        training = self.training
        if training.step == 0:
            self.save()  # so that there is a good checkpoint from the beginning
        while training.step < training.total_steps:
            self.epoch()
        self.checkpoints.wait()

    def epoch(self) -> None:
        """Train through the data, or what is left of it after a restart, then evaluate."""
        training = self.training
        training.model.train()
        number, last = training.step // training.steps_per_epoch + 1, (0.0, 0.0, 0.0)
        before = time.perf_counter()
        for batch in training.team.batches(training):
            loss, lr = training.train_batch(batch)
            now = time.perf_counter()
            training.seconds += now - before
            last = (loss, lr, len(batch[0]) / (now - before))
            self.progress.step(training.step, len(batch[0]), *last)
            if training.step % training.steps_per_epoch:  # the last step gets its row after the evaluation
                self.metrics.add(training.step, number, *last, None)
                if self.checkpoints.due:
                    self.save()
            before = time.perf_counter()
        value = training.evaluate()
        training.values.append(value)
        if training.by_metric:
            training.scheduler.step(value)
        training.seconds += time.perf_counter() - before
        self.metrics.add(training.step, number, *last, value)
        self.progress.epoch(training.step, number, value)
        self.save()

    def save(self) -> None:
        """Write a checkpoint; stop if a signal asked for it."""
        training = self.training
        training.check_parameters()
        self.metrics.flush()  # first, so that every step of a checkpoint has its row
        path, asked = self.checkpoints.save(), self.checkpoints.signal
        if asked is not None and training.step < training.total_steps:
            self.checkpoints.wait()
            assert self.folder is not None
            number = signal.SIGINT if asked == END_SIGNAL else asked
            raise Interrupted(
                f"everything is saved in {path}. Go on with: {resume_command(self.folder)}", number
            )


def resume_command(folder: RunFolder) -> str:
    """What to type to go on."""
    return f"genesis train --resume {folder}"
