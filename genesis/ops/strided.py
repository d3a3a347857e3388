"""Views with any shape and strides over the memory of a tensor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genesis.autograd.graph import Node, new
from genesis.backend.view import repeats_itself, span
from genesis.ops._op import primitive
from genesis.ops._view import positions, size_of, take, zeros_of, zeros_view
from genesis.ops.indexing import scatter_add
from genesis.ops.shape import clone, reshape

if TYPE_CHECKING:
    from genesis._tensor import Tensor


# -- any walk ----------------------------------------------------------------------------------------------
@primitive("as_strided")
def _as_strided(node: Node, grad: Any) -> tuple[Any]:
    """As PyTorch's ``as_strided_backward``: gradients meet in an image of the memory.

    That image spans what both walks touch.  Where the input itself repeats elements, each of these gets an
    equal share of what its element in memory got.
    """
    shape, strides, size, walk, shift, start, length, repeats = node.options
    image = positions((length,), grad.device)

    def place(shape: Any, strides: Any, shift: int) -> Tensor:
        return reshape(clone(new(image.like(shape, strides, shift - start))), -1)

    memory = zeros_of((length,), grad)
    if grad._view.size:
        memory = scatter_add(memory, 0, place(size, walk, shift), reshape(grad, -1))
    if repeats:
        where = place(shape, strides, 0)
        ones = new(zeros_view(where._view.shape, grad._view.dtype, grad.device)).fill_(1)
        count = scatter_add(memory._zeros_like(), 0, where, ones)
        memory = memory / count.clamp_min(1)
    return (as_strided(memory, shape, strides, -start),)


def as_strided(input: Tensor, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
    """A view with any shape and strides over the memory of ``input``.

    Args:
        size, stride: of the view; strides in elements.
        storage_offset: of its first element in the memory; that of ``input`` unless given.

    Raises:
        RuntimeError: the walk leaves the memory, or sizes and strides differ in number.
    """
    x = input._view
    shape, strides = size_of((size,)), size_of((stride,))
    if len(shape) != len(strides):
        raise RuntimeError(f"as_strided: mismatch in length of strides and shape: {shape} and {strides}")
    if any(s < 0 for s in (*shape, *strides)) or (storage_offset or 0) < 0:
        raise RuntimeError(f"as_strided: sizes, strides and offset must be >= 0, got {shape}, {strides}")
    offset = x.offset if storage_offset is None else int(storage_offset)
    view = x.like(shape, strides, offset)
    if view.size:
        lo, hi = span(view)
        if hi * x.dtype.itemsize > x.buffer.nbytes:
            raise RuntimeError(
                f"as_strided: shape {shape} with strides {strides} from {offset} needs {hi} elements, the "
                f"memory has {x.buffer.nbytes // x.dtype.itemsize}"
            )
    else:
        lo, hi = offset, offset + 1
    low, high = span(x) if x.size else (x.offset, x.offset + 1)
    # in elements behind the first of `input`, so that the gradient does not depend on where that lies
    shift, start = offset - x.offset, min(lo, low) - x.offset
    length = max(hi, high) - x.offset - start
    options = x.shape, x.strides, shape, strides, shift, start, length, repeats_itself(x)
    step = ("as_strided", (shape, strides, shift, x.strides))
    return take(_as_strided, input, (step,), options, view)


def as_strided_scatter(
    input: Tensor, src: Tensor, size: Any, stride: Any, storage_offset: int | None = None
) -> Tensor:
    """A copy of ``input`` with ``src`` in place of ``as_strided(size, stride, storage_offset)`` of it."""
    out = clone(input)
    place = as_strided(out, size, stride, storage_offset)
    if place._view.shape != src._view.shape:
        raise RuntimeError(
            f"as_strided_scatter: expected src to have shape {place._view.shape}, got {src._view.shape}"
        )
    place.copy_(src)
    return out
