"""Checks of parameters: each returns a plain Python value, or raises an error that says what was expected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Integral, Real
from operator import ge, gt, le, lt
from typing import Any


def number(
    name: str,
    value: Any,
    *,
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
    below: float | None = None,
) -> float:
    """A finite number as a plain int or float.

    Args:
        name: What to call it in an error.
        value: What was given: an int, a float, a number of numpy or a tensor with one element.
        low, high: The bounds, if any; both are allowed values.
        above, below: Bounds that are not allowed values.

    Raises:
        TypeError: if it is not a number.
        ValueError: if it is not finite, or out of bounds.
    """
    plain: Any = value
    if hasattr(value, "item") and not isinstance(value, (int, float)) and getattr(value, "ndim", 1) == 0:
        plain = value.item()
    if isinstance(plain, bool) or not isinstance(plain, Real):
        raise TypeError(f"{name} must be a number, got {type(value).__name__}: {value!r}")
    result = int(plain) if isinstance(plain, Integral) else float(plain)
    if not -1e300 < result < 1e300:  # nan, the infinities, and ints that no float can hold
        raise ValueError(f"{name} must be a finite number, got {value!r}")
    bounds = ((low, ge, "at least"), (high, le, "at most"), (above, gt, "above"), (below, lt, "below"))
    for bound, holds, text in bounds:
        if bound is not None and not holds(result, bound):
            raise ValueError(f"{name} must be {text} {bound}, got {value!r}")
    return result


def whole(name: str, value: Any) -> int:
    """An int of 1 or more.

    Raises:
        ValueError: if it is anything else.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"Expected an integer of 1 or more for {name}, got {value!r}")
    return value


def choice(name: str, value: Any, options: Sequence[str]) -> str:
    """One of several words.

    Raises:
        ValueError: if it is none of them.
    """
    if not isinstance(value, str) or value not in options:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, options))}; got {value!r}")
    return value


def function(name: str, value: Any) -> Callable[..., Any]:
    """Something that can be called.

    Raises:
        TypeError: if it cannot.
    """
    if not callable(value):
        raise TypeError(f"{name} must be a function, got {type(value).__name__}: {value!r}")
    result: Callable[..., Any] = value
    return result


def steps(name: str, value: Any, low: float = 0, total: float | None = None) -> float:
    """A number of steps: a number, or a length such as `"10%"` or `"3ep"`.

    Args:
        name: What to call it in an error.
        value: What was given. A text is resolved by `genesis.optim.to_steps`.
        low: The least that is allowed.
        total: What a percentage is of, where the caller knows it.

    Raises:
        TypeError: if it is neither a number nor a text.
        ValueError: if it is out of bounds, or a text that cannot be resolved.
    """
    if isinstance(value, str):
        from genesis.optim import to_steps

        value = to_steps(value, total_steps=total, name=name)
    return number(name, value, low=low)
