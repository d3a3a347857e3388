"""Sawtooth: straight falls, each from a lower peak."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from genesis.optim import Schedule, to_steps


@dataclass(frozen=True, repr=False)
class Sawtooth(Schedule):
    """Fall to 0 along a straight line, again and again, each time from a lower peak.

    The peaks lie on a straight line from 1 to 0. Between the restarts the rate gets small, so there are good
    places to stop early.

    Args:
        total_steps: The steps of the training, 1 or more; or a text such as `"90%"`.
        teeth: How many falls, from 1 to `total_steps`.

    Raises:
        ValueError: if one of them is out of its range.

    Example:
        >>> from genesis.optim import Sawtooth
        >>> [Sawtooth(4, teeth=2)(step) for step in range(5)]
        [1.0, 0.5, 0.5, 0.25, 0.0]
    """

    formula: ClassVar[str] = "(1 - tooth / teeth) * (1 - part of the tooth that has passed)"
    total_steps: int
    teeth: int = 4

    def __post_init__(self) -> None:
        object.__setattr__(self, "total_steps", to_steps(self.total_steps, name="total_steps"))
        if not 1 <= self.teeth <= self.total_steps:
            raise ValueError(f"teeth must be from 1 to total_steps={self.total_steps}, got {self.teeth!r}")
        super().__post_init__()

    @property
    def horizon(self) -> int:
        return self.total_steps

    def at(self, step: float) -> float:
        tooth, part = divmod(step * self.teeth / self.total_steps, 1)
        return (1 - tooth / self.teeth) * (1 - part)
