"""NAdam: Adam with Nesterov's momentum."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import genesis
from genesis.backend import call
from genesis.ops import Update
from genesis_optimizers._base import GroupOptimizer, State, column, count_up, gradient, single
from genesis_optimizers._options import at_least_zero, check_betas, check_common

_UPDATE = Update(
    "NAdam",
    ("p", "g", "m", "v"),
    {
        "d": gradient,
        "m": lambda m, d, new1: m + (d - m) * new1,
        "v": lambda v, d, keep2, new2: v * keep2 + d * d * new2,
        "root": lambda v, correction, eps: call("sqrt", v / correction) + eps,
        "p": lambda p, d, m, root, keep, now, ahead: p * keep - now * d / root - ahead * m / root,
    },
    each=("correction", "now", "ahead"),
)


class NAdam(GroupOptimizer):
    """NAdam: Adam with Nesterov's momentum, which looks one step ahead.

    With the gradient g (plus `weight_decay * p`, unless decoupled), step t is

        mu_t = beta1 * (1 - 0.5 * 0.96^(t * momentum_decay)),  c_t = mu_1 * ... * mu_t
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g^2
        h = (1 - mu_t) / (1 - c_t) * g + mu_(t+1) / (1 - c_t * mu_(t+1)) * m
        p = p - lr * h / (sqrt(v / (1 - beta2^t)) + eps)

    The product c is kept to the digits of its tensor in a saved state, float32, as in PyTorch.

    Args:
        params: Tensors, (name, tensor) pairs, or parameter groups; see `Optimizer`.
        lr: The learning rate, a number or a tensor with one element.
        betas: How much of the averages of the gradient and of its square is kept in a step.
        eps: Added to the root, so that a division by zero cannot be.
        weight_decay: The factor of an L2 penalty, added to the gradient; or decoupled, the part of the
            parameter that a step takes off, times `lr`.
        momentum_decay: How fast the momentum grows to `beta1`.
        decoupled_weight_decay: Decay as `AdamW` does: `p = p * (1 - lr * weight_decay)` before the step.
        foreach, capturable: Without effect, for programs written for PyTorch: a step is always one call,
            fused where the device can.
        maximize: Climb instead of descending.
        differentiable: Must be False.

    Raises:
        ValueError: An option is out of its range.
        NotImplementedError: `differentiable` is True.

    Example:
        >>> optimizer = genesis.optim.NAdam(model.parameters(), lr=2e-3)

    Reference: Dozat, "Incorporating Nesterov Momentum into Adam", ICLR 2016 workshop, algorithm 2.
    """

    AVERAGES: ClassVar[tuple[str, ...]] = ("exp_avg", "exp_avg_sq")
    COUNTS: ClassVar[Mapping[str, float]] = {"step": 0.0, "mu_product": 1.0}

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | genesis.Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
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
                "momentum_decay": momentum_decay,
                "decoupled_weight_decay": decoupled_weight_decay,
                "maximize": maximize,
                "foreach": foreach,
                "capturable": capturable,
                "differentiable": differentiable,
            },
        )

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Check the options of a group."""
        check_common(options)
        at_least_zero("epsilon value", options["eps"])
        check_betas(options["betas"])
        at_least_zero("momentum_decay value", options["momentum_decay"])

    def take(self, group: State, params: list[Any], grads: list[Any], states: list[State], lr: float) -> None:
        """Take the step of a group."""
        beta1, beta2 = map(float, group["betas"])
        decay, l2 = group["momentum_decay"], float(group["weight_decay"])
        corrections, now, ahead = [], [], []
        for state, t in zip(states, count_up(states), strict=True):
            mu = beta1 * (1 - 0.5 * 0.96 ** (t * decay))
            following = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * decay))
            product = state["mu_product"] = single(state["mu_product"] * single(mu))
            corrections.append(1 - beta2**t)
            now.append(lr * (1 - mu) / (1 - product))
            ahead.append(lr * following / (1 - product * following))
        decoupled = group["decoupled_weight_decay"]
        _UPDATE(
            params, grads, column(states, "exp_avg"), column(states, "exp_avg_sq"), correction=corrections,
            now=now, ahead=ahead, sign=self.sign(group), l2=0.0 if decoupled else l2,
            keep=1 - lr * l2 if decoupled else 1.0, new1=1 - beta1, keep2=beta2, new2=1 - beta2,
            eps=group["eps"],
        )  # fmt: skip
