"""Adam: steps from running averages of the gradient and of its square."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import genesis
from genesis.ops import adam_step
from genesis.optim import Optimizer
from genesis_optimizers._options import at_least_zero, check_betas, check_common

_AVERAGES = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")


class Adam(Optimizer):
    """Adam: steps from running averages of the gradient and of its square.

    With the gradient g (plus `weight_decay * p`, unless decoupled), step t is

        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g^2
        p = p - lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)

    Parameters whose gradient is None are left alone, and their t is not counted. In `optimizer.state` t is a
    Python float, which costs nothing; `state_dict()` has it as PyTorch does, a float32 tensor of no axes on
    the CPU.

    Args:
        params: Tensors, (name, tensor) pairs, or parameter groups; see `Optimizer`.
        lr: The learning rate, a number or a tensor with one element.
        betas: How much of the averages of the gradient and of its square is kept in a step.
        eps: Added to the root, so that a division by zero cannot be.
        weight_decay: The factor of an L2 penalty, added to the gradient; or decoupled, the part of the
            parameter that a step takes off, times `lr`.
        amsgrad: Divide by the root of the largest v so far.
        foreach, capturable, fused: Without effect, for programs written for PyTorch: a step is always one
            call, fused where the device can.
        maximize: Climb instead of descending.
        differentiable: Must be False.
        decoupled_weight_decay: Decay as `AdamW` does: `p = p * (1 - lr * weight_decay)` before the step.

    Raises:
        ValueError: An option is out of its range, or `lr` is a tensor with `foreach` and not `capturable`.
        RuntimeError: `fused` and `foreach` are True.
        NotImplementedError: `differentiable` is True.

    Example:
        >>> optimizer = genesis.optim.Adam(model.parameters(), lr=1e-3)

    References: Kingma and Ba, arXiv 1412.6980, algorithm 1; Reddi, Kale, Kumar, arXiv 1904.09237 (amsgrad).
    """

    scales_gradients: ClassVar[bool] = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | genesis.Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        if foreach and not capturable and any(isinstance(b, genesis.Tensor) for b in betas):
            raise ValueError("betas as Tensors are not supported for capturable=False and foreach=True")
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": _numbers(betas),
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "maximize": maximize,
                "foreach": foreach,
                "capturable": capturable,
                "differentiable": differentiable,
                "fused": fused,
                "decoupled_weight_decay": decoupled_weight_decay,
            },
        )

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Check the options of a group."""
        check_common(options)
        if isinstance(options["lr"], genesis.Tensor) and options["foreach"] and not options["capturable"]:
            raise ValueError("lr as a Tensor is not supported for capturable=False and foreach=True")
        at_least_zero("epsilon value", options["eps"])
        check_betas(options["betas"])

    def pack_state(self, state: dict[str, Any]) -> dict[str, Any]:
        """The state with its count of steps as a tensor."""
        if "step" not in state:
            return state
        return {**state, "step": genesis.tensor(state["step"], dtype=genesis.float32, device="cpu")}

    def unpack_state(self, param: genesis.Tensor, state: dict[str, Any]) -> dict[str, Any]:
        """Check that this is Adam's state of this parameter; take its count of steps as a number."""
        if not state:
            return state
        averages = {key: value for key, value in state.items() if key != "step"}
        wrong = set(averages) - set(_AVERAGES) or {"step", *_AVERAGES[:2]} - set(state)
        if wrong or any(average.shape != param.shape for average in averages.values()):
            shapes = {key: tuple(getattr(value, "shape", ())) for key, value in averages.items()}
            raise ValueError(
                f"this is not Adam's state of a parameter of shape {tuple(param.shape)}: it has {shapes}, "
                "and Adam's has 'step', and of that shape 'exp_avg', 'exp_avg_sq' and, with amsgrad, "
                "'max_exp_avg_sq'"
            )
        return {"step": float(state["step"]), **averages}

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
            params = group["params"]
            grads = [p.grad for p in params]
            if any([g is None for g in grads]):
                params = [p for p, g in zip(params, grads, strict=True) if g is not None]
                grads = [g for g in grads if g is not None]
            states = [self.state[p] or self._start(p) for p in params]
            steps = [state["step"] + 1.0 for state in states]
            largest = [_largest(state) for state in states] if group["amsgrad"] else []
            beta1, beta2 = map(float, group["betas"])
            adam_step(
                params,
                grads,
                [state["exp_avg"] for state in states],
                [state["exp_avg_sq"] for state in states],
                largest,
                steps=steps,
                lr=float(group["lr"]),
                beta1=beta1,
                beta2=beta2,
                eps=group["eps"],
                weight_decay=float(group["weight_decay"]),
                decoupled=group["decoupled_weight_decay"],
                maximize=group["maximize"],
                grad_scale=grad_scale,
            )
            for state, count in zip(states, steps, strict=True):
                state["step"] = count
        return loss

    def _start(self, p: genesis.Tensor) -> dict[str, Any]:
        state = self.state[p]
        state.update(step=0.0, exp_avg=genesis.zeros_like(p), exp_avg_sq=genesis.zeros_like(p))
        return state  # whole or empty, whenever an interrupt comes


def _numbers(betas: Any) -> Any:
    """Betas that are tensors as numbers, as PyTorch takes them."""
    if isinstance(betas, tuple | list) and any(isinstance(beta, genesis.Tensor) for beta in betas):
        if not all(isinstance(beta, genesis.Tensor) for beta in betas):
            raise ValueError("betas must be either both floats or both Tensors")
        return tuple(float(beta) for beta in betas)
    return betas


def _largest(state: dict[str, Any]) -> genesis.Tensor:
    """The largest average of squares so far; amsgrad may be switched on in mid-run."""
    if "max_exp_avg_sq" not in state:
        state["max_exp_avg_sq"] = genesis.zeros_like(state["exp_avg_sq"])
    largest: genesis.Tensor = state["max_exp_avg_sq"]
    return largest
