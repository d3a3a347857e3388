"""Adagrad: steps of the gradient over the root of the sum of its squares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import genesis
from genesis.backend import call
from genesis.ops import Update
from genesis_optimizers._base import GroupOptimizer, State, column, count_up, gradient
from genesis_optimizers._options import at_least_zero, check_common

_UPDATE = Update(
    "Adagrad",
    ("p", "g", "s"),
    {
        "d": gradient,
        "s": lambda s, d: s + d * d,
        "p": lambda p, d, s, size, eps: p - size * d / (call("sqrt", s) + eps),
    },
    each=("size",),
)


class Adagrad(GroupOptimizer):
    """Adagrad: steps of the gradient over the root of the sum of its squares.

    With the gradient g (plus `weight_decay * p`), step t is

        s = s + g^2                            (s begins with `initial_accumulator_value`)
        p = p - lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps)

    As in PyTorch, all parameters have their state from the start.

    Args:
        params: Tensors, (name, tensor) pairs, or parameter groups; see `Optimizer`.
        lr: The learning rate, a number or a tensor with one element.
        lr_decay: How fast the rate falls.
        weight_decay: The factor of an L2 penalty; it is added to the gradient.
        initial_accumulator_value: What the sums begin with. A group may have its own, which PyTorch ignores.
        eps: Added to the root, so that a division by zero cannot be.
        foreach, fused: Without effect, for programs written for PyTorch: a step is always one call, fused
            where the device can.
        maximize: Climb instead of descending.
        differentiable: Must be False.

    Raises:
        ValueError: An option is out of its range.
        RuntimeError: `fused` and `foreach` are True.
        NotImplementedError: `differentiable` is True.

    Example:
        >>> optimizer = genesis.optim.Adagrad(model.parameters(), lr=0.1)

    Reference: Duchi, Hazan and Singer, JMLR 12, 2011, section 1.1 (diagonal matrices).
    """

    AVERAGES: ClassVar[tuple[str, ...]] = ("sum",)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | genesis.Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "lr_decay": lr_decay,
                "eps": eps,
                "weight_decay": weight_decay,
                "initial_accumulator_value": initial_accumulator_value,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
                "fused": fused,
            },
        )
        for group in self.param_groups:
            for p in group["params"]:
                self._first(p, group)

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Check the options of a group."""
        check_common(options)
        at_least_zero("lr_decay value", options["lr_decay"])
        at_least_zero("initial_accumulator_value value", options["initial_accumulator_value"])
        at_least_zero("epsilon value", options["eps"])

    def begin(self, p: genesis.Tensor, group: State) -> State:
        """The state of a parameter."""
        return {"step": 0.0, "sum": genesis.full_like(p, group["initial_accumulator_value"]).detach()}

    def take(self, group: State, params: list[Any], grads: list[Any], states: list[State], lr: float) -> None:
        """Take the step of a group."""
        sizes = [lr / (1 + (t - 1) * group["lr_decay"]) for t in count_up(states)]
        _UPDATE(
            params, grads, column(states, "sum"), size=sizes, sign=self.sign(group),
            l2=float(group["weight_decay"]), eps=group["eps"],
        )  # fmt: skip
