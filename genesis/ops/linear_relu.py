"""A linear layer and the rectifier behind it as one operation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genesis.backend.expr import Expr, call, const
from genesis.ops._elementwise import Elementwise
from genesis.ops._op import op
from genesis.ops.activation import relu
from genesis.ops.linalg import linear, linear_gradients


def passed(g: Expr, out: Expr) -> Expr:
    """The formula of the gradient of ``relu`` from its result."""
    return call("where", call("le", out, const(0)), const(0), g)


_passed = Elementwise("linear_relu", passed, 2, "same", grad=lambda d, g, out, result: (passed(d, out), None))


@op(saves=("x", "weight", "bias", "out"), read_for={"x": ("weight",), "weight": ("x",), "bias": ()})
def linear_relu(x: Any, weight: Any, bias: Any = None) -> Any:
    """``relu(linear(x, weight, bias))``; only what the rectifier leaves is kept for the backward pass."""
    return relu(linear(x, weight, bias))


@linear_relu.backward_rule
def _linear_relu(needs: Any, grad: Any, x: Any, weight: Any, bias: Any, out: Any) -> Sequence[Any]:
    return linear_gradients(needs, _passed(grad, out), x, weight, bias)
