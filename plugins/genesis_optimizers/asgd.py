"""ASGD: gradient descent that also keeps the average of its way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import genesis
from genesis.backend import call
from genesis.ops import Update
from genesis_optimizers._base import GroupOptimizer, State, column, count_up, gradient, single
from genesis_optimizers._options import check_common

_UPDATE = Update(
    "ASGD",
    ("p", "g", "ax"),
    {
        "d": gradient,
        "p": lambda p, d, keep, eta: p * keep - eta * d,
        "ax": lambda ax, p, mu: call("where", call("eq", mu, 1.0), p, ax + (p - ax) * mu),
    },
    each=("keep", "eta", "mu"),
)


class ASGD(GroupOptimizer):
    """ASGD: gradient descent with a rate that falls, which also keeps the average of its way.

    With the gradient g (plus `weight_decay * p`), step t is

        p = p * (1 - lambd * eta) - eta * g
        ax = ax + (p - ax) * mu
        eta = lr / (1 + lambd * lr * t)^alpha,  mu = 1 / max(1, t - t0)      (for the next step)

    with eta = lr and mu = 1 in the first step. The average ax is in the state; copy it into the parameters at
    the end. eta and mu are kept to the digits of their tensors in a saved state, float32, as in PyTorch, and
    a rate that changes counts from the next step but one.

    Args:
        params: Tensors, (name, tensor) pairs, or parameter groups; see `Optimizer`.
        lr: The learning rate, a number or a tensor with one element.
        lambd: How much each step decays the parameter, and how fast the rate falls.
        alpha: The power with which the rate falls.
        t0: The step after which the average begins; until then it is the parameter itself.
        weight_decay: The factor of an L2 penalty; it is added to the gradient.
        foreach, capturable: Without effect, for programs written for PyTorch: a step is always one call,
            fused where the device can.
        maximize: Climb instead of descending.
        differentiable: Must be False.

    Raises:
        ValueError: An option is out of its range.
        NotImplementedError: `differentiable` is True.

    Example:
        >>> optimizer = genesis.optim.ASGD(model.parameters(), lr=0.1, t0=1000)

    References: Polyak and Juditsky, SIAM J. Control Optim. 30, 1992; the rates are those of Xu,
    arXiv 1107.2490, section 4.
    """

    AVERAGES: ClassVar[tuple[str, ...]] = ("ax",)
    COUNTS: ClassVar[Mapping[str, float]] = {"step": 0.0, "eta": 0.0, "mu": 1.0}

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | genesis.Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "lambd": lambd,
                "alpha": alpha,
                "t0": t0,
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

    def begin(self, p: genesis.Tensor, group: State) -> State:
        """The state of a parameter that gets its first gradient."""
        return {**super().begin(p, group), "eta": single(float(group["lr"]))}

    def take(self, group: State, params: list[Any], grads: list[Any], states: list[State], lr: float) -> None:
        """Take the step of a group."""
        lambd, alpha, t0 = group["lambd"], group["alpha"], group["t0"]
        etas = column(states, "eta")
        _UPDATE(
            params, grads, column(states, "ax"), eta=etas, keep=[1 - lambd * eta for eta in etas],
            mu=column(states, "mu"), sign=self.sign(group), l2=float(group["weight_decay"]),
        )  # fmt: skip
        for state, t in zip(states, count_up(states), strict=True):
            state["eta"] = single(lr / (1 + lambd * lr * t) ** alpha)
            state["mu"] = single(1 / max(1.0, t - t0))
