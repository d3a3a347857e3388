"""Checks of options that several optimizers share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import genesis


def check_common(options: Mapping[str, Any]) -> None:
    """Check `lr`, and where there are such options `weight_decay`, `fused` and `differentiable`.

    Raises:
        ValueError: A rate or decay is negative or not a number.
        RuntimeError: `fused` and `foreach` are True.
        NotImplementedError: `differentiable` is True.
    """
    lr = options["lr"]
    if isinstance(lr, genesis.Tensor) and lr.numel() != 1:
        raise ValueError(f"Tensor lr must be 1-element, but it has the shape {tuple(lr.shape)}")
    at_least_zero("learning rate", lr)
    at_least_zero("weight_decay value", options.get("weight_decay", 0))
    if options.get("fused") and options.get("foreach"):
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
    if options.get("differentiable"):
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


def check_betas(betas: Any) -> None:
    """Raise ValueError unless it is a pair of numbers from 0 to less than 1."""
    if not isinstance(betas, tuple | list) or len(betas) != 2:
        raise ValueError(f"betas must be a pair of numbers, got {betas!r}")
    for index, beta in enumerate(betas):
        if not 0.0 <= beta < 1.0:
            raise ValueError(
                f"Invalid beta parameter at index {index}: {beta}; expected at least 0, less than 1"
            )
