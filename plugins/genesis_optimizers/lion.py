"""Lion: steps of one size, along the sign of a momentum."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import genesis
from genesis.backend import call
from genesis.ops import Update
from genesis_optimizers._base import GroupOptimizer, State, column
from genesis_optimizers._options import check_betas, check_common

_UPDATE = Update(
    "Lion",
    ("p", "g", "m"),
    {
        "d": lambda g, sign: sign * g,
        "p": lambda p, d, m, new1, keep, lr: p * keep - lr * call("sign", m + (d - m) * new1),
        "m": lambda m, d, new2: m + (d - m) * new2,
    },
)


class Lion(GroupOptimizer):
    """Lion: steps of one size, along the sign of a momentum.

    With the gradient g and the momentum m, which begins with zeros, a step is

        p = p - lr * (sign(beta1 * m + (1 - beta1) * g) + weight_decay * p)
        m = beta2 * m + (1 - beta2) * g

    Every element moves by `lr`, so `lr` should be 3 to 10 times smaller than for AdamW, and `weight_decay` as
    many times larger. The state is half of Adam's.

    Args:
        params: Tensors, (name, tensor) pairs, or parameter groups; see `Optimizer`.
        lr: The learning rate, a number or a tensor with one element.
        betas: How much of the momentum is in the direction of a step, and how much of it is kept.
        weight_decay: The part of a parameter that a step takes off, times `lr`.
        maximize: Climb instead of descending.
        foreach, capturable: Without effect: a step is always one call, fused where the device can.
        differentiable: Must be False.

    Raises:
        ValueError: An option is out of its range.
        NotImplementedError: `differentiable` is True.

    Example:
        >>> optimizer = genesis.optim.Lion(model.parameters(), lr=1e-4, weight_decay=0.1)

    Reference: Chen et al., arXiv 2302.06675, algorithm 2.
    """

    AVERAGES: ClassVar[tuple[str, ...]] = ("exp_avg",)
    COUNTS: ClassVar[Mapping[str, float]] = {}

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | genesis.Tensor = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "weight_decay": weight_decay,
                "maximize": maximize,
                "foreach": foreach,
                "capturable": capturable,
                "differentiable": differentiable,
            },
        )

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Check the options of a group."""
        check_common(options)
        check_betas(options["betas"])

    def take(self, group: State, params: list[Any], grads: list[Any], states: list[State], lr: float) -> None:
        """Take the step of a group."""
        beta1, beta2 = map(float, group["betas"])
        _UPDATE(
            params, grads, column(states, "exp_avg"), sign=self.sign(group), new1=1 - beta1, new2=1 - beta2,
            keep=1 - lr * float(group["weight_decay"]), lr=lr,
        )  # fmt: skip
