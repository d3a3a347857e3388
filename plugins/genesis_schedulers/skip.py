"""A schedule that starts in the middle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from genesis.optim import Schedule
from genesis_schedulers._checks import steps
from genesis_schedulers._fields import last_step, part_of, put

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, repr=False)
class Skip(Schedule):
    """A schedule without its first steps.

    After a warmup of W steps that should not delay the rest, write
    `Linear(W, start_factor=0.0, end_factor=1.0).then(Skip(schedule, W))`.

    Args:
        part: The schedule.
        steps: How many steps are left out, from 0 to the end of `part`.

    The values are factors or rates as those of `part` are.

    Raises:
        TypeError: if `part` is not a schedule, or `steps` not a number.
        ValueError: if `steps` is not finite, negative, or past the end of `part`.

    Example:
        >>> from genesis.optim import Linear
        >>> from genesis.optim import Skip
        >>> [Skip(Linear(4), 2)(step) for step in range(4)]
        [0.5, 0.25, 0.0, 0.0]
    """

    formula: ClassVar[str] = "part(t + steps)"
    part: Schedule
    steps: float

    def __post_init__(self) -> None:
        part, count = part_of("Skip", self.part), steps("steps", self.steps)
        last = part.ending
        if last is not None and count > last:
            raise ValueError(f"steps must be at most {last}, the end of {part!r}; got {count}")
        put(self, steps=count, kind=part.kind)
        super().__post_init__()

    @property
    def horizon(self) -> int | None:
        last = self.part.ending
        return None if last is None else last_step(last - self.steps)

    @property
    def length(self) -> int | None:
        length = self.part.length
        return None if length is None else last_step(max(0, length - self.steps))

    def stretched(self, at: int, total: int) -> Schedule:
        if self.steps % 1:
            return super().stretched(at, total)
        skipped = int(self.steps)
        return self.map_parts(lambda part: part.stretched(at + skipped, total + skipped))

    def value(self, step: float) -> float:
        # The part goes by its own end policies, and by those of its parts.
        return self.at(step) if self.end == "hold" else super().value(step)

    def values(self, steps: NDArray[Any]) -> NDArray[np.float64]:
        return self.at_array(steps) if self.end == "hold" else super().values(steps)

    def compiled(self) -> Callable[[float], float]:
        if self.end != "hold":
            return super().compiled()
        part, skipped = self.part.compiled(), self.steps
        return lambda step: part(step + skipped)

    def at(self, step: float) -> float:
        return self.part.value(step + self.steps)

    def at_array(self, steps: NDArray[Any]) -> NDArray[np.float64]:
        return self.part.values(steps + self.steps)

    def phase(self, step: float) -> str:
        """That of the part."""
        return self.part.phase(step + self.steps)

    def parts_at(self, step: float) -> Iterator[tuple[str, Schedule, float]]:
        yield "part", self.part, step + self.steps
