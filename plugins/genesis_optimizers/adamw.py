"""AdamW: Adam whose weight decay does not pass through the averages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import genesis
from genesis_optimizers.adam import Adam


class AdamW(Adam):
    """AdamW: Adam whose weight decay does not pass through the averages.

    A step takes `lr * weight_decay * p` off the parameter, then does what Adam does without weight decay:

        p = p * (1 - lr * weight_decay)
        p = p - lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)

    Args:
        params: Tensors, (name, tensor) pairs, or parameter groups; see `Optimizer`. Biases and the weights
            of normalizations are often put into a group with `"weight_decay": 0`.
        lr: The learning rate, a number or a tensor with one element.
        betas: How much of the averages of the gradient and of its square is kept in a step.
        eps: Added to the root, so that a division by zero cannot be.
        weight_decay: The part of a parameter that a step takes off, times `lr`.
        amsgrad: Divide by the root of the largest v so far.
        maximize: Climb instead of descending.
        foreach, capturable, fused: Without effect, for programs written for PyTorch: a step is always one
            call, fused where the device can.
        differentiable: Must be False.

    Raises:
        ValueError: An option is out of its range.
        NotImplementedError: `differentiable` is True.

    Example:
        >>> optimizer = genesis.optim.AdamW(model.parameters(), lr=3e-4, weight_decay=0.1)

    Reference: Loshchilov and Hutter, arXiv 1711.05101, algorithm 2; as in PyTorch, the decay is times `lr`.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | genesis.Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over attributes; a state that `Adam` saved does not change the kind of decay."""
        super().__setstate__(state)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True
