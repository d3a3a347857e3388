"""Muon: momentum whose matrices are made orthogonal."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import genesis
from genesis.ops import Elementwise
from genesis_optimizers._base import GroupOptimizer, State
from genesis_optimizers._options import at_least_zero, check_common

_FUNCTIONS = (None, "original", "match_rms_adamw")


def _upper(x: Any) -> Any:
    spread = x * 65537.0  # 2^16 + 1: what is above the lower 16 of 24 bits (Dekker's splitting)
    return spread - (spread - x)


_bfloat16 = Elementwise("to_bfloat16", _upper, 1, "same")


class Muon(GroupOptimizer):
    """Muon: momentum whose matrices are made orthogonal, for the hidden layers of a network.

    With the gradient G of a matrix, a step is

        B = momentum * B + (1 - momentum) * G
        U = (1 - momentum) * G + momentum * B          (`nesterov`; otherwise U = B)
        X = U / max(|U|, eps), transposed if it is higher than wide; `ns_steps` times
            A = X X',  X = a X + (b A + c A A) X
        p = p * (1 - lr * weight_decay) - lr * scale * X

    with the `ns_coefficients` (a, b, c), which bring all singular values of X close to 1. The scale is
    sqrt(max(1, rows / columns)), or 0.2 sqrt(max(rows, columns)) with "match_rms_adamw", so that a rate for
    AdamW fits. As in PyTorch, X is rounded to bfloat16 (8 bits) after each product; here in float32 tensors,
    so some elements differ from PyTorch's in the last of these bits.

    All parameters have to be matrices. Biases, embeddings and the last layer go to another optimizer.

    Args:
        params: Tensors, (name, tensor) pairs, or parameter groups; see `Optimizer`.
        lr: The learning rate, a number or a tensor with one element.
        weight_decay: The part of the parameter that a step takes off, times `lr`.
        momentum: How much of the last direction is kept.
        nesterov: Nesterov's momentum, which looks one step ahead.
        ns_coefficients: Those of the polynomial.
        eps: The least norm to divide by.
        ns_steps: How often the polynomial is applied, less than 100.
        adjust_lr_fn: The scale: "original" (which None is too), or "match_rms_adamw".

    Raises:
        ValueError: An option is out of its range, or a parameter is no matrix.

    Example:
        >>> matrices = [p for p in model.parameters() if p.dim() == 2]
        >>> optimizer = genesis.optim.Muon(matrices, lr=1e-3)

    References: Jordan et al., https://kellerjordan.github.io/posts/muon/, 2024; "match_rms_adamw": Liu et
    al., arXiv 2502.16982, section 2.2.
    """

    AVERAGES: ClassVar[tuple[str, ...]] = ("momentum_buffer",)
    COUNTS: ClassVar[Mapping[str, float]] = {}
    scales_gradients: ClassVar[bool] = False

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | genesis.Tensor = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "weight_decay": weight_decay,
                "momentum": momentum,
                "nesterov": nesterov,
                "ns_coefficients": ns_coefficients,
                "eps": eps,
                "ns_steps": ns_steps,
                "adjust_lr_fn": adjust_lr_fn,
            },
        )

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters with options of their own; see `Optimizer`.

        Raises:
            ValueError: A parameter is no matrix.
        """
        super().add_param_group(param_group)
        for p in self.param_groups[-1]["params"]:
            if p.dim() != 2:
                self.param_groups.pop()
                raise ValueError(
                    f"Muon only supports 2D parameters whereas we found a parameter with size: {p.size()}; "
                    "give the others to another optimizer, such as AdamW"
                )

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Check the options of a group."""
        check_common(options)
        at_least_zero("momentum value", options["momentum"])
        if options["adjust_lr_fn"] not in _FUNCTIONS:
            raise ValueError(
                f"Adjust learning rate function {options['adjust_lr_fn']} is not supported; expected "
                "'original', 'match_rms_adamw' or None"
            )
        if len(options["ns_coefficients"]) != 3:
            raise ValueError("Coefficients must be a tuple of exactly 3 values")
        if options["ns_steps"] >= 100:
            raise ValueError("Number of steps must be less than 100 for computational efficiency")

    def take(self, group: State, params: list[Any], grads: list[Any], states: list[State], lr: float) -> None:
        """Take the step of a group."""
        momentum = group["momentum"]
        for p, g, state in zip(params, grads, states, strict=True):
            buffer = state["momentum_buffer"].lerp_(g, 1 - momentum)
            update = g.lerp(buffer, momentum) if group["nesterov"] else buffer
            update = orthogonal(update, group["ns_coefficients"], group["ns_steps"], group["eps"])
            p.mul_(1 - lr * group["weight_decay"])
            p.sub_(update.to(p.dtype), alpha=lr * _scale(group["adjust_lr_fn"], *p.shape))


def orthogonal(
    matrix: genesis.Tensor, coefficients: tuple[float, float, float], steps: int, eps: float
) -> genesis.Tensor:
    """A matrix with the same singular vectors, and singular values close to 1; in float32.

    Args:
        matrix: Of any shape (n, m).
        coefficients: a, b, c of the polynomial a x + b x^3 + c x^5.
        steps: How often it is applied.
        eps: The least norm to divide by.
    """
    a, b, c = coefficients
    x = _bfloat16(matrix.to(genesis.float32))
    if high := x.shape[0] > x.shape[1]:
        x = x.t()
    x = _bfloat16(x / _bfloat16((x * x).sum().sqrt()).clamp(min=eps))
    for _ in range(steps):
        gram = _bfloat16(x @ x.t())
        x = _bfloat16(a * x + _bfloat16(b * gram + c * (gram @ gram)) @ x)
    return x.t() if high else x


def _scale(function: str | None, rows: int, columns: int) -> float:
    """What a learning rate is multiplied with."""
    if function == "match_rms_adamw":
        return 0.2 * math.sqrt(max(rows, columns))
    return math.sqrt(max(1.0, rows / columns)) if columns else 1.0
