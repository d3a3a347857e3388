"""Warm up, stay, decay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from genesis.optim import LRScheduler, Schedule


@dataclass(frozen=True, repr=False)
class WarmupStableDecay(Schedule):
    """Rise from 1 / warmup to 1, stay there, fall to 0 in the last `decay` of `total` steps."""

    warmup: int
    decay: int
    total: int

    @property
    def horizon(self) -> int:
        return self.total

    def at(self, step: int) -> float:
        return min((step + 1) / self.warmup, (self.total - step) / self.decay, 1.0)


class Trapeze(LRScheduler):
    """Multiply the initial rates by a `WarmupStableDecay`."""

    def __init__(self, optimizer: Any, warmup: int, decay: int, total: int, last_epoch: int = -1) -> None:
        self.warmup, self.decay, self.total = warmup, decay, total
        super().__init__(optimizer, last_epoch)

    def schedule_for(self, index: int, base_lr: float) -> Schedule:
        return WarmupStableDecay(self.warmup, self.decay, self.total)
