"""SGD: stochastic gradient descent, with momentum if wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import genesis
from genesis.ops import sgd_step
from genesis.optim import Optimizer
from genesis_optimizers._options import at_least_zero, check_common


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if wanted.

    With the gradient g (plus `weight_decay * p`), a step is

        b = momentum * b + (1 - dampening) * g      (b = g in the first step)
        p = p - lr * b                              (p - lr * (g + momentum * b) with `nesterov`)

    and without momentum just `p = p - lr * g`. Parameters whose gradient is None are left alone.

    Args:
        params: Tensors, (name, tensor) pairs, or parameter groups; see `Optimizer`.
        lr: The learning rate, a number or a tensor with one element.
        momentum: How much of the last direction is kept, usually 0.9.
        dampening: The part of the gradient that is left out of the momentum.
        weight_decay: The factor of an L2 penalty; it is added to the gradient.
        nesterov: Nesterov's momentum, which looks one step ahead.
        maximize: Climb instead of descending.
        foreach, fused: Without effect, for programs written for PyTorch: a step is always one call.
        differentiable: Must be False.

    Raises:
        ValueError: An option is out of its range, or `nesterov` is given without momentum or with dampening.
        NotImplementedError: `differentiable` is True.

    Example:
        >>> optimizer = genesis.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

    Reference: Sutskever, Martens, Dahl and Hinton, ICML 2013, section 2; as in PyTorch, the rate multiplies
    the buffer and is not inside it.
    """

    scales_gradients: ClassVar[bool] = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | genesis.Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
                "maximize": maximize,
                "foreach": foreach,
                "differentiable": differentiable,
                "fused": fused,
            },
        )

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Check the options of a group."""
        check_common(options)
        at_least_zero("momentum value", options["momentum"])
        if options["nesterov"] and (options["momentum"] <= 0 or options["dampening"] != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")

    def unpack_state(self, param: genesis.Tensor, state: dict[str, Any]) -> dict[str, Any]:
        """Check that this is a momentum buffer of this parameter."""
        buffer = state.get("momentum_buffer")
        if set(state) - {"momentum_buffer"} or (buffer is not None and buffer.shape != param.shape):
            shapes = {key: tuple(getattr(value, "shape", ())) for key, value in state.items()}
            raise ValueError(
                f"this is not SGD's state of a parameter of shape {tuple(param.shape)}: it has {shapes}, and "
                "SGD's has a 'momentum_buffer' of that shape, or nothing"
            )
        return {} if buffer is None else state

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step.

        Args:
            closure: Computes the loss and its gradients anew, and returns the loss.
        """
        loss = None
        if closure is not None:
            with genesis.enable_grad():
                loss = closure()
        grad_scale = self.take_grad_scale()
        for group in self.param_groups:
            params = [p for p in group["params"] if p.grad is not None]
            momentum = group["momentum"]
            buffers, first = [], []
            for p in params if momentum else ():
                state = self.state[p]
                first.append("momentum_buffer" not in state)
                if first[-1]:
                    state["momentum_buffer"] = genesis.zeros_like(p)
                buffers.append(state["momentum_buffer"])
            sgd_step(
                params,
                [p.grad for p in params],
                buffers,
                lr=float(group["lr"]),
                momentum=momentum,
                dampening=group["dampening"],
                weight_decay=float(group["weight_decay"]),
                nesterov=group["nesterov"],
                maximize=group["maximize"],
                first=first,
                grad_scale=grad_scale,
            )
        return loss
