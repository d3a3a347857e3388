"""What `genesis train` needs to know of a recipe."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import genesis
from genesis import nn
from genesis.data import Dataset


class Recipe(ABC):
    """A data set, a model, and settings that work.

    Attributes:
        epochs, batch_size: How long and in what portions to train, unless the user says otherwise.
        optimizer: The optimizer that `lr` and `optimizer_options` were tried with; another one starts from
            its own defaults.
        scheduler: The learning-rate schedule; it takes a step after each batch.
        warmup: The part of all steps that a schedule with a warmup spends on it.
        clip: The largest norm of all gradients together, or None to leave them as they are.
        measure: What `evaluate` returns: a heading of `metrics.csv`.
        better: `max` or `min`, which picks the best of several evaluations.
        data: The training data.
        data_note: One line that says what it is.
    """

    epochs: ClassVar[int]
    batch_size: ClassVar[int]
    optimizer: ClassVar[str] = "AdamW"
    lr: ClassVar[float]
    optimizer_options: ClassVar[Mapping[str, Any]] = {}
    scheduler: ClassVar[str] = "cosine_with_warmup"
    warmup: ClassVar[float] = 0.05
    clip: ClassVar[float | None] = None
    measure: ClassVar[str]
    better: ClassVar[Any]

    data: Dataset[Any]
    data_note: str

    @abstractmethod
    def model(self) -> nn.Module:
        """Return a new model, its parameters drawn from the global random state."""

    @abstractmethod
    def loss(self, model: nn.Module, batch: Any) -> genesis.Tensor:
        """Return the loss of a batch of `data`, a scalar; the batch is on the device of the model."""

    @abstractmethod
    def evaluate(self, model: nn.Module, device: genesis.device) -> float:
        """Return `measure` on data that was not trained on, without drawing random numbers."""

    def show(self, model: nn.Module, device: genesis.device, seed: int) -> str:
        """Return something to look at when the training is over, or an empty string."""
        return ""
