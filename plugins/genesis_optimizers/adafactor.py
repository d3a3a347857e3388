"""Adafactor: averages of squares as a row and a column in place of a whole matrix."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, ClassVar

import genesis
from genesis.backend import call
from genesis.ops import Elementwise
from genesis_optimizers._base import GroupOptimizer, State, count_up
from genesis_optimizers._options import at_least_zero, check_common

_root = partial(call, "sqrt")
_largest = partial(call, "max")
# Sums stand for means: what they are divided by comes as a number, with the formula that reads them.
_follow = Elementwise(
    "adafactor_average", lambda v, total, part, new: v + (total * part - v) * new, 4, "same"
)
_factored = Elementwise(
    "adafactor_step",
    lambda g, rows, columns, total, part, eps1, least: (
        g / _root(_largest(rows * columns / _largest(total * part, eps1), least))
    ),
    7,
    "same",
)
_plain = Elementwise("adafactor_step", lambda g, v, least: g / _root(_largest(v, least)), 3, "same")
_move = Elementwise(
    "adafactor_move",
    lambda p, step, square, step_square, part, eps2, rate, inverse, keep: (
        p * keep
        - step
        * _largest(_root(square * part), eps2)
        * (rate / _largest(_root(step_square * part) * inverse, 1.0))
    ),
    9,
    "same",
)


class Adafactor(GroupOptimizer):
    """Adafactor: averages of squares as a row and a column in place of a whole matrix.

    With the gradient G of n rows and m columns, step t is

        b = t^beta2_decay
        R = (1 - b) R + b * mean of G^2 over each row,  C = (1 - b) C + b * mean of G^2 over each column
        V = R C / max(mean(R), eps1)
        U = G / sqrt(max(V, eps1^2))
        alpha = max(eps2, RMS(p)) * min(lr, 1 / sqrt(t))
        p = p * (1 - lr * weight_decay) - alpha * U / max(1, RMS(U) / d)

    where RMS is the root of the mean square. More than two axes are a batch of matrices; a vector or a number
    has an average V = (1 - b) V + b * G^2 of its own shape.

    Args:
        params: Tensors, (name, tensor) pairs, or parameter groups; see `Optimizer`.
        lr: The learning rate, a number or a tensor with one element; the paper has 1 / sqrt(t) alone.
        beta2_decay: The power of t with which averages grow slow.
        eps: eps1, which keeps divisions from zero (None is the precision of the parameter's type), and eps2,
            the smallest scale of a parameter.
        d: Steps are clipped where their root mean square is above it.
        weight_decay: The part of the parameter that a step takes off, times `lr`.
        foreach: Without effect, for programs written for PyTorch.
        maximize: Climb instead of descending.

    Raises:
        ValueError: An option is out of its range.

    Example:
        >>> optimizer = genesis.optim.Adafactor(model.parameters(), lr=1e-2)

    Reference: Shazeer and Stern, arXiv 1804.04235, algorithms 4 and 5, in PyTorch's form.
    """

    scales_gradients: ClassVar[bool] = False

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | genesis.Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "beta2_decay": beta2_decay,
                "eps": eps,
                "d": d,
                "weight_decay": weight_decay,
                "foreach": foreach,
                "maximize": maximize,
            },
        )

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Check the options of a group."""
        check_common(options)
        if not options["beta2_decay"] <= 0:
            raise ValueError(f"beta2_decay should be <= 0 but is: {options['beta2_decay']}")
        eps1, eps2 = options["eps"]
        if eps1 is not None:
            at_least_zero("eps[0]", eps1)
        at_least_zero("eps[1]", eps2)
        if not options["d"] >= 1:
            raise ValueError(f"Clipping threshold d should be >= 1 but is: {options['d']}")

    def begin(self, p: genesis.Tensor, group: State) -> State:
        """The state of a parameter that gets its first gradient."""
        shapes = _shapes(tuple(p.shape))
        zeros = {key: genesis.zeros(shape, dtype=p.dtype, device=p.device) for key, shape in shapes.items()}
        return {"step": 0.0, **zeros}

    def unpack_state(self, param: genesis.Tensor, state: State) -> State:
        """Check that this is the state of this parameter; take its count as a number."""
        if not state:
            return state
        wanted = {"step": (), **_shapes(tuple(param.shape))}
        found = {key: tuple(getattr(value, "shape", ())) for key, value in state.items()}
        if found != wanted:
            raise ValueError(
                f"this is not Adafactor's state of a parameter of shape {tuple(param.shape)}: it has "
                f"{found}, and expected is {wanted}"
            )
        return {**state, "step": float(state["step"])}

    def take(self, group: State, params: list[Any], grads: list[Any], states: list[State], lr: float) -> None:
        """Take the step of a group."""
        for p, g, state, t in zip(params, grads, states, count_up(states), strict=True):
            self._one(group, p, -g if group["maximize"] else g, state, t, lr)

    def _one(self, group: State, p: Any, g: Any, state: State, t: float, lr: float) -> None:
        if not p.numel():
            return
        eps1, eps2 = group["eps"]
        if eps1 is None:
            eps1 = genesis.finfo(p.dtype).eps
        new = t ** group["beta2_decay"]
        square = g * g
        if p.dim() > 1:
            n, m = p.shape[-2:]
            rows, columns = state["row_var"], state["col_var"]
            _follow.into(rows, rows, square.sum(-1, keepdim=True), 1 / m, new)
            _follow.into(columns, columns, square.sum(-2, keepdim=True), 1 / n, new)
            step = _factored(g, rows, columns, rows.sum(-2, keepdim=True), 1 / n, eps1, eps1 * eps1)
        else:
            variance = state["variance"]
            _follow.into(variance, variance, square, 1.0, new)
            step = _plain(g, variance, eps1 * eps1)
        rate, keep = min(lr, 1 / math.sqrt(t)), 1 - lr * group["weight_decay"]
        squares = (p * p).sum(), (step * step).sum()
        _move.into(p, p, step, *squares, 1 / p.numel(), eps2, rate, 1 / group["d"], keep)


def _shapes(shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """The averages of a parameter of this shape."""
    if len(shape) < 2:
        return {"variance": shape}
    *batch, n, m = shape
    return {"row_var": (*batch, n, 1), "col_var": (*batch, 1, m)}
