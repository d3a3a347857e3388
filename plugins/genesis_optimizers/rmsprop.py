"""RMSprop: steps of the gradient over the root of a running average of its square."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, ClassVar

import genesis
from genesis.backend import call
from genesis.ops import Update
from genesis_optimizers._base import GroupOptimizer, State, column, count_up, ensure, gradient
from genesis_optimizers._options import at_least_zero, check_common


@cache
def _update(centered: bool, momentum: bool) -> Update:
    tensors = ["p", "g", "v"]
    rules: dict[str, Any] = {"d": gradient, "v": lambda v, d, keep, new: v * keep + d * d * new}
    if centered:
        tensors.append("a")
        rules["a"] = lambda a, d, new: a + (d - a) * new
        rules["root"] = lambda v, a, eps: call("sqrt", v - a * a) + eps
    else:
        rules["root"] = lambda v, eps: call("sqrt", v) + eps
    if momentum:
        tensors.append("b")
        rules["b"] = lambda b, d, root, momentum: b * momentum + d / root
        rules["p"] = lambda p, b, lr: p - lr * b
    else:
        rules["p"] = lambda p, d, root, lr: p - lr * d / root
    return Update("RMSprop", tensors, rules)


class RMSprop(GroupOptimizer):
    """RMSprop: steps of the gradient over the root of a running average of its square.

    With the gradient g (plus `weight_decay * p`), a step is

        v = alpha * v + (1 - alpha) * g^2
        a = alpha * a + (1 - alpha) * g,  u = v - a^2      (`centered`; otherwise u = v)
        b = momentum * b + g / (sqrt(u) + eps)             (b = g / (sqrt(u) + eps) without momentum)
        p = p - lr * b

    Args:
        params: Tensors, (name, tensor) pairs, or parameter groups; see `Optimizer`.
        lr: The learning rate, a number or a tensor with one element.
        alpha: How much of the average of the square is kept in a step.
        eps: Added to the root, so that a division by zero cannot be.
        weight_decay: The factor of an L2 penalty; it is added to the gradient.
        momentum: How much of the last direction is kept.
        centered: Divide by an estimate of the gradient's deviation from its mean.
        capturable, foreach: Without effect, for programs written for PyTorch: a step is always one call,
            fused where the device can.
        maximize: Climb instead of descending.
        differentiable: Must be False.

    Raises:
        ValueError: An option is out of its range.
        NotImplementedError: `differentiable` is True.

    Example:
        >>> optimizer = genesis.optim.RMSprop(model.parameters(), lr=1e-3, momentum=0.9)

    References: Tieleman and Hinton, Coursera lecture 6.5, 2012; centered: Graves, arXiv 1308.0850, equations
    38 to 45. As in PyTorch, `eps` is added after the root.
    """

    AVERAGES: ClassVar[tuple[str, ...]] = ("square_avg", "momentum_buffer", "grad_avg")
    OPTIONAL: ClassVar[tuple[str, ...]] = ("momentum_buffer", "grad_avg")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | genesis.Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "alpha": alpha,
                "eps": eps,
                "centered": centered,
                "weight_decay": weight_decay,
                "capturable": capturable,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
            },
        )

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Check the options of a group."""
        check_common(options)
        at_least_zero("epsilon value", options["eps"])
        at_least_zero("momentum value", options["momentum"])
        at_least_zero("alpha value", options["alpha"])

    def needed(self, group: State) -> tuple[str, ...]:
        """The average of the square, and what the options of a group want."""
        buffer = ("momentum_buffer",) if group["momentum"] > 0 else ()
        return ("square_avg", *buffer, *(("grad_avg",) if group["centered"] else ()))

    def take(self, group: State, params: list[Any], grads: list[Any], states: list[State], lr: float) -> None:
        """Take the step of a group."""
        centered, momentum = bool(group["centered"]), float(group["momentum"])
        lists = [column(states, "square_avg")]
        if centered:
            lists.append(ensure(states, params, "grad_avg"))
        if momentum > 0:
            lists.append(ensure(states, params, "momentum_buffer"))
        count_up(states)
        _update(centered, momentum > 0)(
            params, grads, *lists, sign=self.sign(group), l2=float(group["weight_decay"]),
            keep=group["alpha"], new=1 - group["alpha"], eps=group["eps"], lr=lr,
            **({"momentum": momentum} if momentum > 0 else {}),
        )  # fmt: skip
