"""Checks of options that several optimizers share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import genesis


def check_common(options: Mapping[str, Any]) -> None:
    """Check `lr`, `weight_decay` and `differentiable`.

    Raises:
        ValueError: A rate or decay is negative or not a number.
        NotImplementedError: `differentiable` is True.
    """
    lr = options["lr"]
    if isinstance(lr, genesis.Tensor) and lr.numel() != 1:
        raise ValueError(f"Tensor lr must be 1-element, but it has the shape {tuple(lr.shape)}")
    at_least_zero("learning rate", lr)
    at_least_zero("weight_decay value", options["weight_decay"])
    if options["differentiable"]:
        raise NotImplementedError(
            "differentiable=True is not implemented: steps are taken in place and leave no graph. To "
            "differentiate through one, write it with operations on tensors and backward(create_graph=True)"
        )


def at_least_zero(what: str, value: Any) -> None:
    """Raise ValueError unless it is a number from 0 up (nan is none)."""
    try:
        good = float(value) >= 0.0 and not isinstance(value, str)
    except (TypeError, ValueError):
        good = False
    if not good:
        raise ValueError(f"Invalid {what}: {value!r}; expected a number, 0 or more")
