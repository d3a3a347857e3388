"""Products of vectors and matrices."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from genesis._dtypes import bool_
from genesis._errors import DeviceError, ShapeError
from genesis.autograd.grad_mode import state
from genesis.autograd.graph import PLAIN, Node, TensorCore, new, tracked
from genesis.backend import halves
from genesis.backend.view import View, broadcast_shapes
from genesis.ops._autocast import AS_GIVEN, LOWER, WIDEST, listed, lowered
from genesis.ops._op import op, primitive
from genesis.ops._view import fill_view, zeros_view
from genesis.ops.elementwise import select_where
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


def _multiply(backend: Any, out: View, a: View, b: View) -> None:
    if a.shape[-1] == 0:
        fill_view(out, 0)
    elif 0 not in out.shape:
        if out.dtype.is_half:
            halves.matmul(backend, out, a, b)
        else:
            backend.matmul(out, a, b)


def product(a: Any, b: Any) -> Tensor:
    """(…, m, k) @ (…, k, n) with equal leading axes."""
    u, v = a._view, b._view
    if u.dtype.special:
        a, b = lowered(a, b)
        u, v = a._view, b._view
    device = u.buffer.device
    backend = device._backend  # loaded, where there are tensors
    out = backend.empty((*u.shape[:-1], v.shape[-1]), u.dtype, device)
    _multiply(backend, out, u, v)
    result = new(out)
    if state.enabled:
        # few are views, whose node may be behind their base's
        first = (a._node or a) if (a._tracked if a._base is None else tracked(a)) else None
        second = (b._node or b) if (b._tracked if b._base is None else tracked(b)) else None
        if first is not None or second is not None:
            # each is read for the gradient of the other only
            saved = (None if second is None else a, None if first is None else b)
            result._node, result._tracked = Node(_matmul, (first, second), saved), True
    return result


@primitive("mv")
def _matrix_vector(node: Node, grad: Any) -> tuple[Any, Any]:
    a, b = node.unpack()
    needs_a, needs_b = node.needs
    return (
        unsqueeze(grad, 1) * b if needs_a else None,
        _with_vector(transpose(a, 0, 1), grad) if needs_b else None,
    )


def _with_vector(a: Any, b: Any) -> Tensor:
    """(m, k) @ (k,)."""
    if a._view.dtype.special:
        a, b = lowered(a, b)
    u, v = a._view, b._view
    device = u.buffer.device
    out = device.backend.empty(u.shape[:1], u.dtype, device)
    _multiply(device.backend, out.unsqueeze(1), u, v.unsqueeze(1))
    saved = (a if tracked(b) else None, b if tracked(a) else None)
    return _matrix_vector.wrap(out, (a, b), saved)


def _pair(name: str, a: Any, b: Any) -> Any:
    """Two tensors of one type on one device; an autocast makes them so.

    Raises:
        TypeError: something is no tensor.
        RuntimeError: types or devices differ.
    """
    for x in (a, b):
        if not isinstance(x, TensorCore):
            raise TypeError(f"{name} takes tensors, got {type(x).__name__}; use genesis.tensor(...)")
    if a._view.dtype.special or b._view.dtype.special:
        a, b = lowered(a, b)
    if a._view.dtype is not b._view.dtype:
        raise RuntimeError(
            f"{name}: expected both of the same dtype, got {a._view.dtype} and {b._view.dtype}"
        )
    if a._view.buffer.device is not b._view.buffer.device:
        raise DeviceError(f"{name}: all tensors must be on one device, got {a.device} and {b.device}")
    return a, b


def matmul(input: Any, other: Any) -> Tensor:
    """Matrix product by PyTorch's rules: vectors are rows or columns, leading axes are batches and broadcast.

    Args:
        input: (…, m, k) or (k,).
        other: (…, k, n) or (k,), of the same type.

    Raises:
        RuntimeError: the inner sizes differ (the message has both shapes), or the types do.
    """
    a, b = input, other
    if type(a) in PLAIN and type(b) in PLAIN:  # what most calls are
        u, v = a._view, b._view
        if (
            len(u.shape) == 2
            and len(v.shape) == 2
            and u.shape[1] == v.shape[0]
            and u.dtype is v.dtype
            and u.buffer.device is v.buffer.device
        ):
            return product(a, b)
    a, b = _pair("matmul", a, b)
    s, t = a._view.shape, b._view.shape
    if not s or not t:
        raise RuntimeError(f"both arguments to matmul need to be at least 1D, got shapes {s} and {t}")
    inner = t[-2 if len(t) > 1 else 0]
    if s[-1] != inner:
        raise ShapeError(
            f"matmul: shapes {s} and {t} cannot be multiplied: inner sizes {s[-1]} and {inner} differ"
        )
    if len(s) == 1 and len(t) == 1:
        return reshape(product(reshape(a, (1, -1)), reshape(b, (-1, 1))), ())
    if len(s) == 2 and len(t) == 1:
        return _with_vector(a, b)
    if len(s) == 1 and len(t) == 2:
        return _with_vector(transpose(b, 0, 1), a)
    if len(s) == 1:
        return matmul(unsqueeze(a, 0), b).squeeze(-2)
    if len(t) == 1:
        return matmul(a, unsqueeze(b, 1)).squeeze(-1)
    if len(s) == 2 and len(t) == 2:
        return product(a, b)
    if len(t) == 2:  # fold the batch into the rows: one large product
        return reshape(product(reshape(a, (math.prod(s[:-1]), s[-1])), b), (*s[:-1], t[1]))
    batch = broadcast_shapes(s[:-2], t[:-2])
    return product(expand(a, (*batch, *s[-2:])), expand(b, (*batch, *t[-2:])))


def _ranks(name: str, what: str, *pairs: tuple[Any, int]) -> None:
    for x, ndim in pairs:
        if not isinstance(x, TensorCore):
            raise TypeError(f"{name} takes tensors, got {type(x).__name__}; use genesis.tensor(...)")
        if len(x._view.shape) != ndim:
            shapes = " and ".join(str(y._view.shape) for y, _ in pairs)
            raise RuntimeError(f"{name} expects {what}, got shapes {shapes}")


def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """Product of two matrices."""
    _ranks("mm", "two matrices", (input, 2), (mat2, 2))
    return matmul(input, mat2)


def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """Products of two batches of matrices, (n, m, k) and (n, k, p)."""
    _ranks("bmm", "two batches of matrices", (input, 3), (mat2, 3))
    if input.shape[0] != mat2.shape[0]:
        raise RuntimeError(
            f"bmm expects two equal batches of matrices, got {tuple(input.shape)} and {tuple(mat2.shape)}"
        )
    return matmul(input, mat2)


@listed(cpu=AS_GIVEN, cuda=LOWER)
def mv(input: Tensor, vec: Tensor) -> Tensor:
    """Product of a matrix and a vector."""
    _ranks("mv", "a matrix and a vector", (input, 2), (vec, 1))
    return matmul(input, vec)


@listed(cpu=AS_GIVEN, cuda=WIDEST)
def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """Inner product of two vectors."""
    _ranks("dot", "two vectors", (input, 1), (tensor, 1))
    return matmul(input, tensor)


@listed(cpu=AS_GIVEN, cuda=WIDEST)
def vdot(input: Tensor, other: Tensor) -> Tensor:
    """Inner product of two vectors; of real numbers, ``dot``."""
    _ranks("vdot", "two vectors", (input, 1), (other, 1))
    return matmul(input, other)


def inner(input: Tensor, other: Tensor) -> Tensor:
    """Sums of products over the last axes: ``out[…, i, …, j] = sum_k input[…, i, k] other[…, j, k]``."""
    s, t = (getattr(x, "shape", ()) for x in (input, other))
    if len(s) == len(t) == 1:
        return dot(input, other)
    input, other = _pair("inner", input, other)
    if not s or not t:
        return input * other
    if s[-1] != t[-1]:
        raise ShapeError(
            f"inner() the last dimension must match on both input tensors but got shapes {s}, {t}"
        )
    k = s[-1]
    a, b = (reshape(x, (math.prod(x._view.shape[:-1]), k)) for x in (input, other))
    return reshape(product(a, transpose(b, 0, 1)), (*s[:-1], *t[:-1]))


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """``out[i, j] = input[i] * vec2[j]``."""
    _ranks("outer", "two vectors", (input, 1), (vec2, 1))
    return reshape(input, (-1, 1)) * reshape(vec2, (1, -1))


def ger(input: Tensor, vec2: Tensor) -> Tensor:
    """``outer`` by its name in BLAS."""
    return outer(input, vec2)


# -- with something added ----------------------------------------------------------------------------------
def _added(name: str, x: Any, product: Any, beta: float, alpha: float) -> Tensor:
    """``beta * x + alpha * product``; a beta of 0 leaves ``x`` unread, as BLAS does."""
    if not isinstance(x, TensorCore):
        raise TypeError(f"{name} takes tensors, got {type(x).__name__}")
    if x._view.dtype.special or product.dtype.special:
        x, product = lowered(x, product)
    if x._view.dtype is not product.dtype:
        raise RuntimeError(f"{name}: expected all of the same dtype, got {x._view.dtype} and {product.dtype}")
    if not product.dtype.is_floating_point and not (isinstance(beta, int) and isinstance(alpha, int)):
        if name == "addr":
            raise RuntimeError(f"{name}: for integral tensors, beta and alpha must be integers")
        beta, alpha = int(beta), int(alpha)  # as PyTorch does
    if product.dtype is bool_:
        beta, alpha = bool(beta), bool(alpha)
    x = expand(x, product._view.shape)
    scaled = product if alpha == 1 else product * alpha
    if beta == 0:
        return unread(x, scaled)
    return (x if beta == 1 else x * beta) + scaled  # type: ignore[no-any-return]


def unread(x: Any, value: Any) -> Tensor:
    """``value`` as a function of ``x`` too: its elements are not read, and their gradient is zero."""
    never = new(zeros_view((), bool_, x._view.buffer.device))
    return select_where(never, x, value)


def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """``beta * input + alpha * (mat1 @ mat2)``."""
    return _added("addmm", input, mm(mat1, mat2), beta, alpha)


@listed(cpu=AS_GIVEN, cuda=LOWER)
def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """``beta * input + alpha * (mat @ vec)``."""
    return _added("addmv", input, mv(mat, vec), beta, alpha)


@listed(cpu=AS_GIVEN, cuda=LOWER)
def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """``beta * input + alpha * outer(vec1, vec2)``."""
    return _added("addr", input, outer(vec1, vec2), beta, alpha)


def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """``beta * input + alpha * (batch1 @ batch2)`` for batches of matrices."""
    return _added("baddbmm", input, bmm(batch1, batch2), beta, alpha)


def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """``beta * input + alpha * sum_i batch1[i] @ batch2[i]``: one product of wide matrices."""
    _ranks("addbmm", "two batches of matrices", (batch1, 3), (batch2, 3))
    (n, m, k), (count, inside, p) = batch1._view.shape, batch2._view.shape
    if n != count or k != inside:
        raise RuntimeError(f"addbmm: batches of shapes {(n, m, k)} and {(count, inside, p)} do not match")
    wide = reshape(transpose(batch1, 0, 1), (m, n * k))
    return _added("addbmm", input, mm(wide, reshape(batch2, (n * k, p))), beta, alpha)


@op(saves=("x", "weight", "bias"), read_for={"x": ("weight",), "weight": ("x",), "bias": ()})
def linear(x: Any, weight: Any, bias: Any = None) -> Any:
    """``x @ weight.T + bias``: (…, in) by (out, in) and (out,) to (…, out)."""
    out = matmul(x, transpose(weight, -1, -2))
    return out if bias is None else out + bias


@linear.backward_rule
def linear_gradients(needs: Any, grad: Any, x: Any, weight: Any, bias: Any) -> tuple[Any, Any, Any]:
    rows = math.prod(x._view.shape[:-1])
    flat = reshape(grad, (rows, weight._view.shape[0]))
    gx = reshape(matmul(flat, weight), x._view.shape) if needs[0] else None
    gw = matmul(transpose(flat, 0, 1), reshape(x, (rows, x._view.shape[-1]))) if needs[1] else None
    gb = sum(flat, 0) if needs[2] else None
    return gx, gw, gb
