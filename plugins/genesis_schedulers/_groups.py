"""Arguments that may be one number for all parameter groups, or a list with one for each."""

from __future__ import annotations

from typing import Any

from genesis_schedulers._checks import number


def one_each(name: str, value: Any, groups: int, **bounds: float) -> list[float]:
    """A number for each group, from one for all or a list.

    Raises:
        TypeError: if one is not a number.
        ValueError: if one is out of bounds, or a list has not one for each group.
    """
    if not isinstance(value, (list, tuple)):
        return [float(number(name, value, **bounds))] * groups
    if len(value) != groups:
        raise ValueError(
            f"{name} must be a number, or a list of {groups}, one for each parameter group of the optimizer; "
            f"got {len(value)}"
        )
    return [float(number(f"{name}[{index}]", each, **bounds)) for index, each in enumerate(value)]


def same_for_all(name: str, values: list[float]) -> float:
    """The number that all groups share, for one that comes later.

    Raises:
        ValueError: if they differ.
    """
    if len({*values}) > 1:
        raise ValueError(
            f"the optimizer has got a parameter group, and {name} is a number for each of those before: "
            f"{values}; make a new scheduler"
        )
    return values[0]


def check_momentum(optimizer: Any) -> bool:
    """Whether the first of the "betas" is the momentum of an optimizer.

    Raises:
        ValueError: if it has no momentum.
    """
    groups = optimizer.param_groups
    if not all("momentum" in group or "betas" in group for group in groups):
        raise ValueError(
            "optimizer must support momentum or beta1 with `cycle_momentum` option enabled: "
            f"{type(optimizer).__name__} has neither; write cycle_momentum=False"
        )
    return any("momentum" not in group for group in groups)
