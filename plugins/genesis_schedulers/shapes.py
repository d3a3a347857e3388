"""The shapes of the built-in schedules: pure functions of the step, with nothing that follows them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from genesis.optim import Schedule


@dataclass(frozen=True, repr=False)
class FromFunction(Schedule):
    """The schedule that a function gives.

    Args:
        function: Maps a step to a number. It should depend on the step alone: it is called to preview, too.

    Example:
        >>> FromFunction(lambda step: 0.5**step)(3)
        0.125
    """

    function: Callable[..., float]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not callable(self.function):
            given = type(self.function).__name__
            raise TypeError(f"expected a function of the step, got {given}: {self.function!r}")

    def at(self, step: float) -> float:
        return self.function(step)

    def compiled(self) -> Callable[[float], float]:
        return self.function
