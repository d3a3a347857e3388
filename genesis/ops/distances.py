"""Distances of all pairs of rows of two sets."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from genesis.backend.expr import call, const
from genesis.backend.view import broadcast_shapes
from genesis.ops import elementwise as ew
from genesis.ops._autocast import in_full
from genesis.ops._elementwise import Elementwise
from genesis.ops._op import op
from genesis.ops.linalg import matmul
from genesis.ops.norms import vector_norm
from genesis.ops.reduction import amax, sum
from genesis.ops.shape import expand, matrix_transpose, unsqueeze

if TYPE_CHECKING:
    from genesis._tensor import Tensor

# of what rounding may have made negative; the gradient of 0 is 0
_root = Elementwise(
    "sqrt",
    lambda x: call("sqrt", call("max", x, const(0))),
    1,
    grad=lambda g, x, out: (call("where", call("eq", out, 0), const(0), g * 0.5 / out),),
)
_MODES = {
    "use_mm_for_euclid_dist_if_necessary": 0,
    "use_mm_for_euclid_dist": 1,
    "donot_use_mm_for_euclid_dist": 2,
}


@in_full
def cdist(
    x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str = "use_mm_for_euclid_dist_if_necessary"
) -> Tensor:
    """The p-norm distance of each row of ``x1`` from each row of ``x2``.

    Args:
        x1: (…, P, M).
        x2: (…, R, M); leading axes broadcast.
        p: the norm, from 0 to inf.
        compute_mode: whether Euclidean distances come from a matrix product, ``|a|^2 + |b|^2 - 2 a b``:
            faster, but less exact for near points. By default for more than 25 rows, as in PyTorch.

    Returns:
        (…, P, R).

    Raises:
        RuntimeError: the shapes do not fit, or ``p`` is negative.
    """
    if x1.dim() < 2 or x2.dim() < 2:
        raise RuntimeError(f"cdist only supports at least 2D tensors, got {x1.dim()}D and {x2.dim()}D")
    if x1._view.shape[-1] != x2._view.shape[-1]:
        raise RuntimeError(
            f"cdist: X1 and X2 must have the same number of columns, got {x1.shape}, {x2.shape}"
        )
    if not p >= 0:
        raise RuntimeError(f"cdist only supports non-negative p values, got {p}")
    if compute_mode not in _MODES:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    if not (x1.dtype.is_floating_point and x2.dtype.is_floating_point):
        raise RuntimeError(f"cdist only supports floating-point dtypes, got {x1.dtype} and {x2.dtype}")
    batch = broadcast_shapes(x1._view.shape[:-2], x2._view.shape[:-2])
    a, b = (expand(x, (*batch, *x._view.shape[-2:])) for x in (x1, x2))
    mode, many = _MODES[compute_mode], max(a._view.shape[-2], b._view.shape[-2]) > 25
    if p == 2 and (mode == 1 or (mode == 0 and many)):
        lengths = sum(a * a, -1, keepdim=True) + matrix_transpose(sum(b * b, -1, keepdim=True))
        squares: Any = lengths - 2 * matmul(a, matrix_transpose(b))
        return _root(squares)
    return length_of(unsqueeze(a, -2) - unsqueeze(b, -3), p)


def length_of(difference: Any, p: float) -> Tensor:
    """The p-norm along the last axis, 0 where that is empty."""
    if not difference._view.shape[-1]:
        return sum(difference, -1)
    if p == math.inf:
        return largest(difference)  # type: ignore[no-any-return]
    return vector_norm(difference, p, -1)


@op(saves=("x", "out"))
def largest(x: Any) -> Any:
    """The largest absolute value along the last axis; equal ones all get its gradient, as in PyTorch."""
    return amax(ew.abs(x), -1)


@largest.backward_rule
def _largest(needs: Any, grad: Any, x: Any, out: Any) -> Any:
    chosen = ew.eq(ew.abs(x), unsqueeze(out, -1))
    return (ew.where(chosen, ew.sign(x) * unsqueeze(grad, -1), 0.0),)
