"""A schedule with noise: the same at every run, since the step is its seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from genesis.optim import Schedule
from genesis_schedulers._checks import choice, number, steps
from genesis_schedulers._fields import part_of, put

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, repr=False)
class Noise(Schedule):
    """A schedule whose values are multiplied by 1 plus a random number, another one at each step.

    The numbers depend on the seed and the step alone: they are those that `torch.Generator` gives when it is
    seeded with seed + step, so a resumed training meets the same ones. Between whole steps the number stays.

    Args:
        part: The schedule. Its end stays without noise, since it may be held for long.
        first: The first step with noise, 0 or more.
        last: The first step without again, above `first`; None for the end of `part`.
        distribution: `"normal"`, drawn again until it is below the limit, or `"uniform"`.
        limit: The largest size of a number, above 0.
        std: The standard deviation of normal numbers, from 0 to 100 times the limit.
        seed: A whole number, 0 or more.

    The values are factors or rates as those of `part` are.

    Raises:
        TypeError: if `part` is not a schedule, or a number is not a number.
        ValueError: if a number is not finite or out of its range, or `distribution` is neither of the two.

    Example:
        >>> from genesis.optim import Linear
        >>> from genesis.optim import Noise
        >>> shape = Noise(Linear(4), first=2, std=0.1)
        >>> [round(shape(step), 3) for step in range(5)]
        [1.0, 0.75, 0.503, 0.222, 0.0]

    Reference: https://huggingface.co/docs/timm/reference/schedulers
    """

    formula: ClassVar[str] = "part(t) * (1 + a random number seeded with seed + t)"
    part: Schedule
    first: float = 0
    last: float | None = None
    distribution: Literal["normal", "uniform"] = "normal"
    limit: float = 0.67
    std: float = 1.0
    seed: int = 42

    def __post_init__(self) -> None:
        part, first = part_of("Noise", self.part), steps("first", self.first)
        last = None if self.last is None else number("last", steps("last", self.last), above=first)
        limit, seed = number("limit", self.limit, above=0), number("seed", self.seed, low=0)
        if seed != int(seed):
            raise ValueError(f"seed must be a whole number, got {self.seed!r}")
        put(
            self,
            first=first,
            last=last,
            distribution=choice("distribution", self.distribution, ("normal", "uniform")),
            limit=limit,
            # A normal number is drawn until it is below the limit: 125 times on average at 100 times.
            std=number("std", self.std, low=0, high=100 * limit),
            seed=int(seed),
            kind=part.kind,
        )
        super().__post_init__()

    @property
    def horizon(self) -> int | None:
        return self.part.ending

    @property
    def length(self) -> int | None:
        return self.part.length

    def stretched(self, at: int, total: int) -> Schedule:
        """The part stretched; the noise of a step stays what it is."""
        return self.map_parts(lambda part: part.stretched(at, total))

    def _last(self) -> float:
        """The first step without noise again."""
        return min((end for end in (self.last, self.horizon) if end is not None), default=math.inf)

    def _noisy(self, step: float) -> bool:
        return self.first <= step < self._last()

    def value(self, step: float) -> float:
        # The part goes by its own end policies, and by those of its parts.
        return self.at(step) if self.end == "hold" else super().value(step)

    def values(self, steps: NDArray[Any]) -> NDArray[np.float64]:
        return self.at_array(steps) if self.end == "hold" else super().values(steps)

    def compiled(self) -> Callable[[float], float]:
        if self.end != "hold":
            return super().compiled()
        part, first, last, drawn = self.part.compiled(), self.first, self._last(), self._number

        def value(step: float) -> float:
            value = part(step)
            return value + value * drawn(math.floor(step)) if first <= step < last else value

        return value

    def at(self, step: float) -> float:
        value = self.part.value(step)
        return value + value * self._number(math.floor(step)) if self._noisy(step) else value

    def at_array(self, steps: NDArray[Any]) -> NDArray[np.float64]:
        import numpy as np

        values = self.part.values(steps)
        noisy = (steps >= self.first) & (steps < self._last())
        numbers = [self._number(step) for step in np.floor(steps[noisy]).astype(np.int64).tolist()]
        result = np.array(values, dtype=np.float64)
        result[noisy] += result[noisy] * numbers
        return result

    def _number(self, step: int) -> float:
        """The random number of a step, as torch draws it: Mersenne twister, method of Box and Muller."""
        import numpy as np

        twister = np.random.RandomState((self.seed + step) % 2**32)

        def bits(count: int) -> list[int]:
            words: list[Any] = twister.randint(0, 2**32, size=count, dtype=np.uint32).tolist()
            return words

        if self.distribution == "uniform":  # 24 bits, as many as a float32 holds
            return 2.0 * ((bits(1)[0] % 2**24) * 2.0**-24 - 0.5) * self.limit
        while True:
            a, b, c, d = bits(4)
            angle, size = ((x * 2**32 + y) % 2**53 * 2.0**-53 for x, y in ((a, b), (c, d)))
            radius = math.sqrt(-2.0 * math.log1p(-size))
            for direction in (math.cos, math.sin):
                drawn = float(np.float32(radius * direction(2.0 * math.pi * angle))) * self.std
                if abs(drawn) < self.limit:
                    return drawn

    def phase(self, step: float) -> str:
        """It is "noise" where there is some."""
        return "noise" if self._noisy(step) else ""

    def parts_at(self, step: float) -> Iterator[tuple[str, Schedule, float]]:
        yield "part", self.part, step
