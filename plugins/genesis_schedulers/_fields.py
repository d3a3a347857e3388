"""How a shape checks its parameters: plain values are written back into the frozen dataclass."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from genesis.optim import Schedule
from genesis_schedulers._checks import number, steps


def put(shape: Any, **values: Any) -> None:
    """Write checked parameters into a frozen dataclass, for its `__post_init__` only."""
    for name, value in values.items():
        object.__setattr__(shape, name, value)


def flag(name: str, value: Any) -> bool:
    """True or False.

    Raises:
        TypeError: if it is neither; 1 and "yes" are more likely a mistake than a wish.
    """
    if type(value) is not bool:
        raise TypeError(f"{name} must be True or False, got {type(value).__name__}: {value!r}")
    return value


def numbers(name: str, values: Any) -> tuple[float, ...]:
    """Finite numbers, as a tuple of plain ints and floats.

    Raises:
        TypeError: if it is no list, or one of it is no number.
        ValueError: if one is not finite.
    """
    return tuple(number(f"{name}[{index}]", value) for index, value in enumerate(_listed(name, values)))


def places(name: str, values: Any, strictly: bool = False) -> tuple[float, ...]:
    """Steps in ascending order, each 0 or more, or a text such as `"50%"`.

    Args:
        name: What to call them in an error.
        values: What was given.
        strictly: Refuse 0, and a step that comes twice.

    Raises:
        TypeError: if it is no list, or one of it is no step.
        ValueError: if one is out of bounds or out of order.
    """
    result = tuple(
        number(f"{name}[{index}]", steps(f"{name}[{index}]", value), above=0 if strictly else None)
        for index, value in enumerate(_listed(name, values))
    )
    for before, after in pairwise(result):
        if after < before or (strictly and after == before):
            wanted = "strictly ascending" if strictly else "ascending"
            raise ValueError(f"{name} must be {wanted}, got {after} after {before} in {list(result)}")
    return result


def _listed(name: str, values: Any) -> list[Any]:
    if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
        raise TypeError(f"{name} must be a list of numbers, got {type(values).__name__}: {values!r}")
    return list(values)


def last_step(length: float) -> int:
    """The first whole step at which a curve of this length has ended."""
    return math.ceil(length)


def part_of(owner: str, value: Any) -> Schedule:
    """A schedule that another one is made of.

    Raises:
        TypeError: if it is none.
    """
    if not isinstance(value, Schedule):
        raise TypeError(f"{owner} is made of a Schedule, got {type(value).__name__}: {value!r}")
    return value
