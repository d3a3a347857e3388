"""What all compositions of schedules have in common, and the checks of what they are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

from genesis.optim._schedule import Schedule

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Numbers = NDArray[Any]

Function = Callable[[float], float]

# Beyond it neither floats nor arrays of steps are exact.
_MOST_STEPS = 2**53


@dataclass(frozen=True, repr=False)
class Composition(Schedule):
    """Base class of the compositions.

    The end policies are those of the parts, unless the composition itself has another than `"hold"`. Its kind
    follows from the parts; what is given for it is ignored.
    """

    # Whether the text needs brackets where it is a part of another.
    brackets: ClassVar[bool] = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", self._kind())
        super().__post_init__()

    @property
    def needs_base(self) -> bool:
        """Whether the values are known only for a given base rate: after `for_base`."""
        return any(isinstance(part, Composition) and part.needs_base for part in self._parts())

    def _kind(self) -> str:
        return self._parts()[0].kind

    def _parts(self) -> tuple[Schedule, ...]:
        """All parts."""
        raise NotImplementedError

    def _raw(self) -> Function:
        """The value at a step as a plain function, without the composition's own end policy."""
        raise NotImplementedError

    def _text(self) -> str:
        """The expression that makes the composition, without its own end policy."""
        raise NotImplementedError

    def at(self, step: float) -> float:
        self._check_base()
        return self._raw()(step)

    def value(self, step: float) -> float:
        return self.at(step) if self.end == "hold" else super().value(step)

    def values(self, steps: Numbers) -> Floats:
        self._check_base()
        return self.at_array(steps) if self.end == "hold" else super().values(steps)

    def compiled(self) -> Function:
        self._check_base()
        compiled = self._raw()
        horizon = self.horizon
        if self.end == "hold" or horizon is None:
            return compiled
        fold = self._fold
        return lambda step: compiled(step if step < horizon else fold(step, horizon))

    def to_config(self) -> dict[str, Any]:
        config = super().to_config()
        del config["kind"]  # it follows from the parts
        return config

    def _check_base(self) -> None:
        if self.needs_base:
            raise ValueError(
                f"the values of {self!r} depend on the base rate of the group; ask .for_base(rate), or the "
                "value_at of a scheduler that follows it"
            )

    def __repr__(self) -> str:
        """The expression that makes the composition."""
        text = self._text()
        return text if self.end == "hold" else f"replace({text}, end={self.end!r})"


def check_stretch(schedule: Schedule, at: int, total: int) -> None:
    """Refuse a new end that makes no sense, before parts do that count steps of their own."""
    length = schedule.length
    if length is None:
        raise ValueError(f"{schedule!r} has no end that could be moved to step {total}")
    if at >= length:
        raise ValueError(f"{schedule!r} ended at step {length}; at step {at} it cannot be extended")
    if total <= at:
        raise ValueError(f"the new end must lie after the present step {at}, got total_steps={total}")


def text_of(part: Schedule) -> str:
    """A part's text as something that a method can be called of."""
    brackets = isinstance(part, Composition) and part.brackets and part.end == "hold"
    return f"({part!r})" if brackets else repr(part)


def schedules(given: Any) -> tuple[Schedule, ...]:
    """The parts of a composition."""
    parts: tuple[Schedule, ...] = items("the parts of a composition", given)
    for part in parts:
        if not isinstance(part, Schedule):
            raise TypeError(f"schedules compose with schedules; got {type(part).__name__}: {part!r}")
    if not parts:
        raise ValueError("a composition needs at least one schedule")
    return parts


def items(name: str, given: Any) -> tuple[Any, ...]:
    """A list as a tuple."""
    if isinstance(given, str) or not hasattr(given, "__iter__"):
        raise TypeError(f"{name} must be a list, got {type(given).__name__}: {given!r}")
    return tuple(given)


def flag(name: str, value: Any) -> bool:
    """True or False."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, got {type(value).__name__}: {value!r}")
    return value


def number(name: str, value: Any) -> float:
    """A finite number as a float."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a finite number, got {type(value).__name__}: {value!r}")
    try:
        result = float(value)
    except OverflowError:
        raise ValueError(f"{name} must be a finite number, got one too large for a float") from None
    if not isfinite(result):
        raise ValueError(f"{name} must be a finite number, got {value!r}")
    return result


def step_count(name: str, value: Any) -> int:
    """A number of steps; texts such as "10%" are resolved."""
    if isinstance(value, str):
        from genesis.optim._lengths import to_steps

        value = to_steps(value, name=name)
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be an int, got {type(value).__name__}: {value!r}")
    count = int(value)
    if count < 0:
        raise ValueError(f"{name} must be 0 or more, got {value}")
    if count > _MOST_STEPS:
        raise ValueError(f"{name} must be at most 2**53, got a number with {count.bit_length()} bits")
    return count
