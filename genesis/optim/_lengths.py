"""Lengths of schedules in other units than steps: a percentage of the training, or epochs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from numbers import Integral, Real

# One way to read each text, so that a long wrong one is refused as fast as a short one.
_LENGTH = re.compile(r"\s*((?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:e-?[0-9]+)?)\s*(%|ep|epochs?|steps?)\s*")

_MOST = 2.0**53  # beyond it steps are not exact as floats
_MOST_EPOCHS = 1e9

# What schedules call the length of the training, and that of the warmup.
TRAINING_NAMES = ("num_training_steps", "total_steps", "T_max")
WARMUP_NAMES = ("num_warmup_steps", "warmup_steps")

_known: ContextVar[tuple[int | None, int | None]] = ContextVar("training_length", default=(None, None))


@contextmanager
def training_length(total_steps: int | None = None, steps_per_epoch: int | None = None) -> Iterator[None]:
    """Say how long the training is, for the schedules that are made inside the block.

    There, every length that a schedule takes may be a text: `"10%"` of the training, `"3ep"` for epochs, or
    `"500 steps"`. It is resolved once, when the schedule is made.

    Args:
        total_steps: All steps of the training, counted as `scheduler.step()` is called.
        steps_per_epoch: The steps of one epoch.

    Example:
        >>> from genesis.optim import WSD, training_length
        >>> with training_length(total_steps=1000, steps_per_epoch=50):
        ...     schedule = WSD("100%", decay_steps="10%", warmup_steps="2ep")
    """
    for name, value in (("total_steps", total_steps), ("steps_per_epoch", steps_per_epoch)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, Integral) or value < 1):
            raise ValueError(f"{name} must be an int of 1 or more, got {value!r}")
    outer_total, outer_epoch = _known.get()
    token = _known.set((total_steps or outer_total, steps_per_epoch or outer_epoch))
    try:
        yield
    finally:
        _known.reset(token)


def to_steps(
    length: str | float,
    total_steps: int | float | None = None,
    steps_per_epoch: int | None = None,
    name: str = "length",
) -> float:
    """A length as a number of steps.

    Args:
        length: A number of steps, or a text: `"10%"`, `"3ep"` (also `"3 epochs"`), `"500 steps"`. Fractions
            are rounded to the nearest step.
        total_steps: What a percentage is of; by default what `training_length` says.
        steps_per_epoch: The steps of an epoch; by default what `training_length` says.
        name: What to call the length in an error.

    Raises:
        TypeError: if it is neither a number nor a text.
        ValueError: if the text is no length, what it refers to is not known, or the number is negative.

    Example:
        >>> to_steps("10%", total_steps=2000), to_steps("2.5ep", steps_per_epoch=100), to_steps("7 steps")
        (200, 250, 7)
    """
    if not isinstance(length, str):
        if isinstance(length, bool) or not isinstance(length, Real):
            raise TypeError(
                f"{name} must be a number of steps or a text, got {type(length).__name__}: {length!r}"
            )
        if not 0 <= length <= _MOST:
            raise ValueError(f"{name} must be a number of steps, 0 or more; got {length!r}")
        return round(length)
    match = _LENGTH.fullmatch(length)
    if match is None:
        raise ValueError(
            f"{name}={length!r} is no length; write a number of steps, '10%', '3ep' or '500 steps'"
        )
    amount, unit = float(match[1]), match[2]
    if amount > _MOST or (unit.startswith("ep") and amount >= _MOST_EPOCHS):
        raise ValueError(f"{name}={length!r} is longer than any training")
    known_total, known_epoch = _known.get()
    if unit == "%":
        total = known_total if total_steps is None else total_steps
        if total is None:
            raise ValueError(
                f"{name}={length!r}: of how many steps? Make the schedule inside "
                "`with genesis.optim.training_length(total_steps=…):`"
            )
        if amount > 100:
            raise ValueError(f"{name}={length!r} is more than all of the training")
        return round(total * amount / 100)
    if unit.startswith("ep"):
        epoch = known_epoch if steps_per_epoch is None else steps_per_epoch
        if epoch is None:
            raise ValueError(
                f"{name}={length!r}: how many steps has an epoch? Make the schedule inside "
                "`with genesis.optim.training_length(steps_per_epoch=…):`"
            )
        return round(amount * epoch)
    return round(amount)
