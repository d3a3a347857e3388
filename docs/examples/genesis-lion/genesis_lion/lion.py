"""Lion: steps along the sign of a momentum."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import genesis
from genesis.backend import call
from genesis.ops import Elementwise
from genesis.optim import Optimizer

# Each formula runs as one loop over a parameter on devices that can fuse, without arrays in between.
_move = Elementwise(
    "lion_move",
    lambda p, g, m, lr, new, kept: kept * p - lr * call("sign", m + (g - m) * new),
    arity=6,
    kind="same",
)
_follow = Elementwise("lion_follow", lambda m, g, new: m + (g - m) * new, arity=3, kind="same")


class Lion(Optimizer):
    """Lion: steps of one size, along the sign of a momentum.

    With the gradient g and the momentum m, which starts at zero, a step is

        p = p - lr * (sign(beta1 * m + (1 - beta1) * g) + weight_decay * p)
        m = beta2 * m + (1 - beta2) * g

    Every element moves by `lr`, so `lr` should be 3 to 10 times smaller than for AdamW, and `weight_decay` as
    many times larger. Parameters whose gradient is None are left alone. The state is half of Adam's: one
    tensor `"exp_avg"` a parameter.

    Args:
        params: Tensors, (name, tensor) pairs, or parameter groups; see `genesis.optim.Optimizer`.
        lr: The learning rate, a number or a tensor with one element.
        betas: How much of the momentum is in the direction of a step, and how much of it is kept.
        weight_decay: The part of a parameter that a step takes off, times `lr`.
        maximize: Climb instead of descending.

    Raises:
        ValueError: An option is out of its range.

    Example:
        >>> optimizer = genesis.optim.create_optimizer("genesis-lion:Lion", model.parameters(), lr=1e-4)

    Reference: Chen et al., arXiv 2302.06675, algorithm 2.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | genesis.Tensor = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params, {"lr": lr, "betas": betas, "weight_decay": weight_decay, "maximize": maximize}
        )

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Check the options of a group."""
        for name in ("lr", "weight_decay"):
            if not float(options[name]) >= 0:  # nan is not
                raise ValueError(f"{name} should be 0 or more, got {options[name]!r}")
        betas = options["betas"]
        if len(betas) != 2 or not all(0 <= beta < 1 for beta in betas):
            raise ValueError(f"betas should be two numbers from 0 to less than 1, got {betas!r}")

    @genesis.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step.

        Args:
            closure: Computes the loss and its gradients anew, and returns the loss.
        """
        loss = None
        if closure is not None:
            with genesis.enable_grad():
                loss = closure()
        for group in self.param_groups:
            lr, (beta1, beta2) = float(group["lr"]), group["betas"]
            kept = 1 - lr * group["weight_decay"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                g = -p.grad if group["maximize"] else p.grad
                state = self.state[p]
                if not state:
                    state["exp_avg"] = genesis.zeros_like(p)
                m = state["exp_avg"]
                _move.into(p, p, g, m, lr, 1 - beta1, kept)
                _follow.into(m, m, g, 1 - beta2)
        return loss
