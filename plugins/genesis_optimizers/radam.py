"""RAdam: Adam that warms up by itself."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import genesis
from genesis.backend import call
from genesis.ops import Update
from genesis_optimizers._base import GroupOptimizer, State, column, count_up, gradient
from genesis_optimizers._options import at_least_zero, check_betas, check_common

_UPDATE = Update(
    "RAdam",
    ("p", "g", "m", "v"),
    {
        "d": gradient,
        "m": lambda m, d, new1: m + (d - m) * new1,
        "v": lambda v, d, keep2, new2: v * keep2 + d * d * new2,
        # a rectification of 0 stands for a step without division by the root
        "part": lambda v, eps, rect: call(
            "where", call("lt", 0.0, rect), rect / (call("sqrt", v) + eps), 1.0
        ),
        "p": lambda p, m, part, keep, size: p * keep - size * m * part,
    },
    each=("size", "rect"),
)


class RAdam(GroupOptimizer):
    """RAdam: Adam that warms up by itself, as far as the variance of its first steps asks for it.

    With the gradient g (plus `weight_decay * p`, unless decoupled), step t is

        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g^2
        rho_inf = 2 / (1 - beta2) - 1,  rho = rho_inf - 2 t beta2^t / (1 - beta2^t)
        r = sqrt((rho - 4) (rho - 2) rho_inf / ((rho_inf - 4) (rho_inf - 2) rho))
        p = p - lr * m / (1 - beta1^t) * r * sqrt(1 - beta2^t) / (sqrt(v) + eps)      if rho > 5
        p = p - lr * m / (1 - beta1^t)                                                otherwise

    Args:
        params: Tensors, (name, tensor) pairs, or parameter groups; see `Optimizer`.
        lr: The learning rate, a number or a tensor with one element.
        betas: How much of the averages of the gradient and of its square is kept in a step.
        eps: Added to the root, so that a division by zero cannot be.
        weight_decay: The factor of an L2 penalty, added to the gradient; or decoupled, the part of the
            parameter that a step takes off, times `lr`.
        decoupled_weight_decay: Decay as `AdamW` does: `p = p * (1 - lr * weight_decay)` before the step.
        foreach, capturable: Without effect, for programs written for PyTorch: a step is always one call,
            fused where the device can.
        maximize: Climb instead of descending.
        differentiable: Must be False.

    Raises:
        ValueError: An option is out of its range.
        NotImplementedError: `differentiable` is True.

    Example:
        >>> optimizer = genesis.optim.RAdam(model.parameters(), lr=1e-3)

    Reference: Liu et al., arXiv 1908.03265, algorithm 2; as in PyTorch, with the bound 5 and with `eps`.
    """

    AVERAGES: ClassVar[tuple[str, ...]] = ("exp_avg", "exp_avg_sq")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | genesis.Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "maximize": maximize,
                "foreach": foreach,
                "capturable": capturable,
                "decoupled_weight_decay": decoupled_weight_decay,
                "differentiable": differentiable,
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
        l2, decoupled = float(group["weight_decay"]), group["decoupled_weight_decay"]
        counts = count_up(states)
        _UPDATE(
            params, grads, column(states, "exp_avg"), column(states, "exp_avg_sq"),
            size=[lr / (1 - beta1**t) for t in counts],
            rect=[_rectification(t, beta2) * math.sqrt(1 - beta2**t) for t in counts],
            sign=self.sign(group), l2=0.0 if decoupled else l2, keep=1 - lr * l2 if decoupled else 1.0,
            new1=1 - beta1, keep2=beta2, new2=1 - beta2, eps=group["eps"],
        )  # fmt: skip


def _rectification(t: float, beta2: float) -> float:
    """r of step t, or 0 where the variance is not tractable."""
    limit = 2 / (1 - beta2) - 1
    rho = limit - 2 * t * beta2**t / (1 - beta2**t)
    if rho <= 5.0:
        return 0.0
    return math.sqrt((rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho))
