"""Adamax: Adam with the largest gradient in place of the root of the average square."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import genesis
from genesis.backend import call
from genesis.ops import Update
from genesis_optimizers._base import GroupOptimizer, State, column, count_up, gradient
from genesis_optimizers._options import at_least_zero, check_betas, check_common

_UPDATE = Update(
    "Adamax",
    ("p", "g", "m", "u"),
    {
        "d": gradient,
        "m": lambda m, d, new: m + (d - m) * new,
        "u": lambda u, d, keep, eps: call("max", u * keep, call("abs", d) + eps),
        "p": lambda p, m, u, size: p - size * m / u,
    },
    each=("size",),
)


class Adamax(GroupOptimizer):
    """Adamax: Adam with the largest gradient in place of the root of the average square.

    With the gradient g (plus `weight_decay * p`), step t is

        m = beta1 * m + (1 - beta1) * g
        u = max(beta2 * u, |g| + eps)
        p = p - lr / (1 - beta1^t) * m / u

    Args:
        params: Tensors, (name, tensor) pairs, or parameter groups; see `Optimizer`.
        lr: The learning rate, a number or a tensor with one element.
        betas: How much of the average of the gradient and of its largest size is kept in a step.
        eps: Added to the size, so that a division by zero cannot be.
        weight_decay: The factor of an L2 penalty; it is added to the gradient.
        foreach, capturable: Without effect, for programs written for PyTorch: a step is always one call,
            fused where the device can.
        maximize: Climb instead of descending.
        differentiable: Must be False.

    Raises:
        ValueError: An option is out of its range.
        NotImplementedError: `differentiable` is True.

    Example:
        >>> optimizer = genesis.optim.Adamax(model.parameters(), lr=2e-3)

    Reference: Kingma and Ba, arXiv 1412.6980, algorithm 2; as in PyTorch, with `eps`.
    """

    AVERAGES: ClassVar[tuple[str, ...]] = ("exp_avg", "exp_inf")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | genesis.Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
                "capturable": capturable,
            },
        )

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Check the options of a group."""
        check_common(options)
        at_least_zero("epsilon value", options["eps"])
        check_betas(options["betas"])

    def take(self, group: State, params: list[Any], grads: list[Any], states: list[State], lr: float) -> None:
        """Take the step of a group."""
        beta1, beta2 = map(float, group["betas"])
        sizes = [lr / (1 - beta1**t) for t in count_up(states)]
        _UPDATE(
            params, grads, column(states, "exp_avg"), column(states, "exp_inf"), size=sizes,
            sign=self.sign(group), l2=float(group["weight_decay"]), new=1 - beta1, keep=beta2,
            eps=group["eps"],
        )  # fmt: skip
