"""Learning rates as groups hold them: plain floats, or tensors that are changed in place."""

from __future__ import annotations

from typing import Any, NamedTuple

from genesis.optim._schedule import Explanation


class LastLR(list[Any]):
    """The learning rates of all parameter groups: a list that formats like a number.

    With one group `float(rates)` is its rate. A format specification applies to each rate, and with one group
    the brackets are left out.

    Example:
        >>> f"{LastLR([0.1]):.3f}", f"{LastLR([0.1, 0.01]):.3f}", LastLR([0.1]) == [0.1]
        ('0.100', '[0.100, 0.010]', True)
    """

    def __float__(self) -> float:
        if len(self) != 1:
            raise TypeError(f"there are {len(self)} learning rates, one for each group; take one by index")
        return float(self[0])

    def __format__(self, spec: str) -> str:
        if not spec:
            return str(self)
        rates = [format(float(rate), spec) for rate in self]
        return rates[0] if len(rates) == 1 else f"[{', '.join(rates)}]"


class Explanations(list[Explanation]):
    """An explanation for each parameter group; printed, one below the other."""

    def __str__(self) -> str:
        return "\n".join(f"group {number}: {each}" for number, each in enumerate(self))

    __repr__ = __str__


class RateChange(NamedTuple):
    """A change of a learning rate, or of whatever a scheduler drives.

    Attributes:
        step: The step that it is for.
        group: The number of the parameter group.
        name: The entry of the group, such as `"lr"`.
        old, new: The values before and after.
    """

    step: float
    group: int
    name: str
    old: float
    new: float


class MomentumView:
    """A parameter group whose `"momentum"` is the first of its `"betas"`, as in Adam."""

    def __init__(self, group: dict[str, Any]) -> None:
        self.group = group

    def __contains__(self, key: object) -> bool:
        return key == "momentum" or key in self.group

    def __getitem__(self, key: str) -> Any:
        return self.group["betas"][0] if key == "momentum" else self.group[key]

    def __setitem__(self, key: str, value: Any) -> None:
        if key == "momentum":
            self.group["betas"] = (value, *self.group["betas"][1:])
        else:
            self.group[key] = value

    def get(self, key: str, default: Any = None) -> Any:
        return self.group["betas"][0] if key == "momentum" else self.group.get(key, default)

    def setdefault(self, key: str, default: Any) -> Any:
        return self.group.setdefault(key, default)


def groups_of(optimizer: Any, scheduler: str, name: str = "lr") -> list[dict[str, Any]]:
    """The parameter groups of an optimizer, or an error that says what was given instead."""
    groups = getattr(optimizer, "param_groups", None)
    if not isinstance(groups, list) or not all(isinstance(group, dict) and "lr" in group for group in groups):
        raise TypeError(
            f"{type(optimizer).__name__} is not an Optimizer: {scheduler} expects an object with "
            f"`param_groups`, a list of dicts that each hold a learning rate 'lr'; got {optimizer!r}"
        )
    for number, group in enumerate(groups):
        if name not in group and not (name == "momentum" and "betas" in group):
            raise ValueError(
                f"param_groups[{number}] of {type(optimizer).__name__} has no {name!r}; it has "
                f"{sorted(set(group) - {'params'})}"
            )
    return groups


def view_of(groups: list[dict[str, Any]], name: str) -> Any:
    """The groups as a scheduler of `name` sees them."""
    if name != "momentum":
        return groups
    return [group if "momentum" in group else MomentumView(group) for group in groups]


def put(group: Any, name: str, value: Any) -> Any:
    """Write a value into a group, in place where it holds a tensor; return a copy of what it holds now."""
    present = group[name]
    if type(present) is not float and hasattr(present, "fill_"):
        present.fill_(float(value))
        return present.clone()
    group[name] = value
    return value


def copy_of(rate: Any) -> Any:
    """A rate that shares nothing with this one: a clone of a tensor, or else a plain float."""
    return rate.clone() if hasattr(rate, "fill_") else float(rate)


def like(rate: Any, value: Any) -> Any:
    """A new rate with this value, of the type that `rate` has."""
    if not hasattr(rate, "fill_"):
        return float(value)
    new = rate.clone()
    new.fill_(float(value))
    return new


def as_metric(metric: Any) -> float:
    """A metric as a float.

    Raises:
        TypeError: if it is neither a number nor a tensor with one element.
    """
    if is_number(metric) and not isinstance(metric, (str, bytes)):
        return float(metric)
    raise TypeError(
        f"a metric is a number, or a tensor with one element; got {type(metric).__name__}: {metric!r}"
    )


def is_number(value: Any) -> bool:
    """Whether it has a value as a float; a tensor with one element has."""
    try:
        float(value)
    except (TypeError, ValueError, RuntimeError):
        return False
    return True


def carried_on(present: Any, expected: Any, new: Any, anchor: float) -> Any:
    """The next rate where the present one is not, or need not be, the one that the schedule expects.

    What somebody else made of the rate stays: its distance from `anchor` changes by the factor by which that
    of the schedule's own rate does. Where nobody has touched it, the next rate is exactly the schedule's.
    """
    if type(present) is not float:
        there = float(like(present, expected))
        present, expected = float(present), float(expected)
        if present == there:
            return new
        new = float(new)
    elif present == expected:
        return new
    if expected == anchor:
        return present + (new - expected)
    return anchor + (present - anchor) * ((new - anchor) / (expected - anchor))
