"""Rprop: steps that look at the signs of the gradient alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import genesis
from genesis.backend import call
from genesis.ops import Update
from genesis_optimizers._base import GroupOptimizer, State, column, count_up
from genesis_optimizers._options import check_common


def _factor(turn: Any, up: Any, down: Any) -> Any:
    return call("where", call("lt", 0.0, turn), up, call("where", call("lt", turn, 0.0), down, 1.0))


_UPDATE = Update(
    "Rprop",
    ("p", "g", "before", "size"),
    {
        "turn": lambda g, before, sign: sign * g * before,
        "factor": _factor,
        "d": lambda g, turn, sign: call("where", call("lt", turn, 0.0), 0.0, sign * g),
        "size": lambda size, factor, least, most: call("min", call("max", size * factor, least), most),
        "p": lambda p, d, size: p - call("sign", d) * size,
        "before": lambda d: d,
    },
)


class Rprop(GroupOptimizer):
    """Rprop: steps that look at the signs of the gradient alone, for gradients of the whole data set.

    Each element has a size of its own. Where the gradient g keeps its sign the size grows, where it turns the
    size shrinks, and this one step is left out:

        g * before > 0:  size = min(size * etas[1], step_sizes[1])
        g * before < 0:  size = max(size * etas[0], step_sizes[0]),  g = 0
        p = p - sign(g) * size
        before = g

    Args:
        params: Tensors, (name, tensor) pairs, or parameter groups; see `Optimizer`.
        lr: The first size, a number or a tensor with one element. Later changes have no effect, as in
            PyTorch, so schedules do not drive it.
        etas: The factors by which sizes shrink and grow.
        step_sizes: The smallest and the largest size.
        capturable, foreach: Without effect, for programs written for PyTorch: a step is always one call,
            fused where the device can.
        maximize: Climb instead of descending.
        differentiable: Must be False.

    Raises:
        ValueError: An option is out of its range.
        NotImplementedError: `differentiable` is True.

    Example:
        >>> optimizer = genesis.optim.Rprop(model.parameters(), lr=1e-2)

    Reference: Riedmiller and Braun, IEEE International Conference on Neural Networks, 1993; as in PyTorch,
    the variant that does not take the last step back (iRprop-; Igel and Huesken, 2000).
    """

    AVERAGES: ClassVar[tuple[str, ...]] = ("prev", "step_size")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | genesis.Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "etas": etas,
                "step_sizes": step_sizes,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
                "capturable": capturable,
            },
        )

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Check the options of a group."""
        check_common(options)
        down, up = options["etas"]
        if not 0.0 < down < 1.0 < up:
            raise ValueError(
                f"Invalid eta values: {down}, {up}; expected one between 0 and 1, and one above 1"
            )

    def begin(self, p: genesis.Tensor, group: State) -> State:
        """The state of a parameter that gets its first gradient."""
        size = genesis.full_like(p, float(group["lr"])).detach()
        return {"step": 0.0, "prev": genesis.zeros_like(p), "step_size": size}

    def take(self, group: State, params: list[Any], grads: list[Any], states: list[State], lr: float) -> None:
        """Take the step of a group."""
        (down, up), (least, most) = group["etas"], group["step_sizes"]
        count_up(states)
        _UPDATE(
            params, grads, column(states, "prev"), column(states, "step_size"), sign=self.sign(group),
            down=down, up=up, least=least, most=most,
        )  # fmt: skip
