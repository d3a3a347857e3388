"""Products of vectors and matrices."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from genesis._errors import DeviceError, ShapeError
from genesis.autograd.graph import Node, TensorCore, tracked
from genesis.backend.view import broadcast_shapes
from genesis.ops._op import op, primitive
from genesis.ops.reduction import sum
from genesis.ops.shape import expand, reshape, transpose, unsqueeze

if TYPE_CHECKING:
    from genesis._tensor import Tensor


@primitive("matmul")
def _matmul(node: Node, grad: Any) -> tuple[Any, Any]:
    a, b = node.unpack()
    needs_a, needs_b = node.needs
    # batch axes were equal when the product was taken, so nothing has to be summed here
    return (
        product(grad, transpose(b, -1, -2)) if needs_a else None,
        product(transpose(a, -1, -2), grad) if needs_b else None,
    )


def product(a: Any, b: Any) -> Tensor:
    """(…, m, k) @ (…, k, n) with equal leading axes."""
    u, v = a._view, b._view
    device = u.buffer.device
    out = device.backend.empty((*u.shape[:-1], v.shape[-1]), u.dtype, device)
    if u.shape[-1] == 0:
        from genesis.ops.shape import fill_view

        fill_view(out, 0)
    elif out.size:
        device.backend.matmul(out, u, v)
    # each is read for the gradient of the other only
    return _matmul.wrap(out, (a, b), (a if tracked(b) else None, b if tracked(a) else None))


def matmul(a: Any, b: Any) -> Tensor:
    """Matrix product by PyTorch's rules: vectors are rows or columns, leading axes are batches and broadcast.

    Args:
        a: (…, m, k) or (k,).
        b: (…, k, n) or (k,), of the same type.

    Raises:
        RuntimeError: the inner sizes differ (the message has both shapes), or the types do.
    """
    for x in (a, b):
        if not isinstance(x, TensorCore):
            raise TypeError(f"matmul takes tensors, got {type(x).__name__}; use genesis.tensor(...)")
    s, t = a._view.shape, b._view.shape
    if not s or not t:
        raise RuntimeError(f"both arguments to matmul need to be at least 1D, got shapes {s} and {t}")
    if a._view.dtype is not b._view.dtype:
        raise RuntimeError(
            f"matmul: expected both of the same dtype, got {a._view.dtype} and {b._view.dtype}"
        )
    if a._view.buffer.device is not b._view.buffer.device:
        raise DeviceError(f"matmul: all tensors must be on one device, got {a.device} and {b.device}")
    inner = t[-2 if len(t) > 1 else 0]
    if s[-1] != inner:
        raise ShapeError(
            f"matmul: shapes {s} and {t} cannot be multiplied: inner sizes {s[-1]} and {inner} differ"
        )
    if len(s) == 1 and len(t) == 1:
        return reshape(product(reshape(a, (1, -1)), reshape(b, (-1, 1))), ())
    if len(s) == 1:
        return matmul(unsqueeze(a, 0), b).squeeze(-2)
    if len(t) == 1:
        return matmul(a, unsqueeze(b, 1)).squeeze(-1)
    if len(s) == 2 and len(t) == 2:
        return product(a, b)
    if len(t) == 2:  # fold the batch into the rows: one large product
        return reshape(product(reshape(a, (-1, s[-1])), b), (*s[:-1], t[1]))
    batch = broadcast_shapes(s[:-2], t[:-2])
    return product(expand(a, (*batch, *s[-2:])), expand(b, (*batch, *t[-2:])))


def mm(a: Tensor, b: Tensor) -> Tensor:
    """Product of two matrices."""
    if a.dim() != 2 or b.dim() != 2:
        raise RuntimeError(f"mm expects two matrices, got shapes {tuple(a.shape)} and {tuple(b.shape)}")
    return matmul(a, b)


def bmm(a: Tensor, b: Tensor) -> Tensor:
    """Products of two batches of matrices, (n, m, k) and (n, k, p)."""
    if a.dim() != 3 or b.dim() != 3 or a.shape[0] != b.shape[0]:
        raise RuntimeError(
            f"bmm expects two equal batches of matrices, got {tuple(a.shape)} and {tuple(b.shape)}"
        )
    return matmul(a, b)


def dot(a: Tensor, b: Tensor) -> Tensor:
    """Inner product of two vectors."""
    if a.dim() != 1 or b.dim() != 1:
        raise RuntimeError(f"dot expects two vectors, got shapes {tuple(a.shape)} and {tuple(b.shape)}")
    return matmul(a, b)


def addmm(x: Tensor, a: Tensor, b: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """``beta * x + alpha * (a @ b)``."""
    out = mm(a, b)
    return (x if beta == 1 else x * beta) + (out if alpha == 1 else out * alpha)


def outer(a: Tensor, b: Tensor) -> Tensor:
    """``out[i, j] = a[i] * b[j]``."""
    return reshape(a, (-1, 1)) * reshape(b, (1, -1))


@op(saves=("x", "weight", "bias"), read_for={"x": ("weight",), "weight": ("x",), "bias": ()})
def linear(x: Any, weight: Any, bias: Any = None) -> Any:
    """``x @ weight.T + bias``: (…, in) by (out, in) and (out,) to (…, out)."""
    out = matmul(x, transpose(weight, -1, -2))
    return out if bias is None else out + bias


@linear.backward_rule
def _linear(needs: Any, grad: Any, x: Any, weight: Any, bias: Any) -> tuple[Any, Any, Any]:
    rows = math.prod(x._view.shape[:-1])
    flat = reshape(grad, (rows, weight._view.shape[0]))
    gx = reshape(matmul(flat, weight), x._view.shape) if needs[0] else None
    gw = matmul(transpose(flat, 0, 1), reshape(x, (rows, x._view.shape[-1]))) if needs[1] else None
    gb = sum(flat, 0) if needs[2] else None
    return gx, gw, gb
