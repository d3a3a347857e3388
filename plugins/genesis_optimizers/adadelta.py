"""Adadelta: steps whose size comes from averages of squares, of the gradient and of the steps themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import genesis
from genesis.backend import call
from genesis.ops import Update
from genesis_optimizers._base import GroupOptimizer, State, column, count_up, gradient
from genesis_optimizers._options import at_least_zero, check_common

_UPDATE = Update(
    "Adadelta",
    ("p", "g", "v", "u"),
    {
        "d": gradient,
        "v": lambda v, d, keep, new: v * keep + d * d * new,
        "delta": lambda v, u, d, eps: call("sqrt", u + eps) / call("sqrt", v + eps) * d,
        "p": lambda p, delta, lr: p - lr * delta,
        "u": lambda u, delta, keep, new: u * keep + delta * delta * new,
    },
)


class Adadelta(GroupOptimizer):
    """Adadelta: steps whose size comes from averages of squares, of the gradient and of the steps themselves.

    With the gradient g (plus `weight_decay * p`), a step is

        v = rho * v + (1 - rho) * g^2
        delta = sqrt(u + eps) / sqrt(v + eps) * g
        u = rho * u + (1 - rho) * delta^2
        p = p - lr * delta

    Args:
        params: Tensors, (name, tensor) pairs, or parameter groups; see `Optimizer`.
        lr: A factor of the step, a number or a tensor with one element; the paper has none.
        rho: How much of the averages is kept in a step.
        eps: Added under the roots; it starts the motion, as u begins with 0.
        weight_decay: The factor of an L2 penalty; it is added to the gradient.
        foreach, capturable: Without effect, for programs written for PyTorch: a step is always one call,
            fused where the device can.
        maximize: Climb instead of descending.
        differentiable: Must be False.

    Raises:
        ValueError: An option is out of its range.
        NotImplementedError: `differentiable` is True.

    Example:
        >>> optimizer = genesis.optim.Adadelta(model.parameters())

    Reference: Zeiler, arXiv 1212.5701, algorithm 1.
    """

    AVERAGES: ClassVar[tuple[str, ...]] = ("square_avg", "acc_delta")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | genesis.Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "rho": rho,
                "eps": eps,
                "weight_decay": weight_decay,
                "maximize": maximize,
                "capturable": capturable,
                "foreach": foreach,
                "differentiable": differentiable,
            },
        )

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Check the options of a group."""
        check_common(options)
        if not 0.0 <= options["rho"] <= 1.0:
            raise ValueError(f"Invalid rho value: {options['rho']}; expected a number from 0 to 1")
        at_least_zero("epsilon value", options["eps"])

    def take(self, group: State, params: list[Any], grads: list[Any], states: list[State], lr: float) -> None:
        """Take the step of a group."""
        count_up(states)
        _UPDATE(
            params, grads, column(states, "square_avg"), column(states, "acc_delta"), sign=self.sign(group),
            l2=float(group["weight_decay"]), keep=group["rho"], new=1 - group["rho"], eps=group["eps"], lr=lr,
        )  # fmt: skip
