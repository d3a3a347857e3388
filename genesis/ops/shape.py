"""Changes of shape: the same elements under other axes.  Nearly all are views."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from genesis._dtypes import as_dtype, dtype
from genesis._errors import ShapeError
from genesis.autograd.grad_mode import state
from genesis.autograd.graph import Node, TensorCore, new
from genesis.backend.expr import INPUT
from genesis.backend.view import broadcast_shapes as common_shape
from genesis.backend.view import contiguous_strides, resolve_shape
from genesis.ops._op import primitive
from genesis.ops._view import (
    Steps,
    clear_view,
    embed_view,
    fill_view,
    size_of,
    sizes_given,
    some_axes,
    take,
    take_part,
    take_view,
    zeros_view,
)
from genesis.ops.reduction import axis_of, sum, sum_to_shape

if TYPE_CHECKING:
    from genesis._tensor import Tensor

# what other modules take from here, besides what it defines
__all__ = [
    "Steps",
    "clear_view",
    "embed_view",
    "fill_view",
    "size_of",
    "take_part",
    "take_view",
    "zeros_view",
]


# -- reshape -----------------------------------------------------------------------------------------------
@primitive("reshape")
def _reshape(node: Node, grad: Any) -> tuple[Any]:
    if not state.enabled:
        view = grad._view.reshape(node.options)
        if view is not None:
            return (new(view),)
    return (reshape(grad, node.options),)


def view(input: Tensor, *shape: Any) -> Tensor:
    """The same elements under another shape, without a copy; one size may be -1. Or the same bytes as a type.

    Args:
        shape: sizes, or one element type.  Another type has no gradient; of another size than the present
            one, the last axis becomes longer or shorter.

    Raises:
        RuntimeError: the elements do not lie so that this is possible (use ``reshape``), or the sizes do not
            fit.
    """
    if len(shape) == 1 and isinstance(shape[0], dtype):
        return view_as_dtype(input, shape[0])
    want = resolve_shape(size_of(shape), input._view.size)
    view = input._view.reshape(want)
    if view is None:
        raise ShapeError(
            f"view of shape {want} is not possible without a copy: the tensor has shape "
            f"{input._view.shape} and strides {input._view.strides}; use .reshape(...)"
        )
    return take(_reshape, input, (("reshape", (want,)),), input._view.shape, view)


def view_as_dtype(x: Any, to: Any) -> Tensor:
    """The bytes of ``x`` as elements of another type: a view without a gradient.

    Raises:
        RuntimeError: the sizes of the types differ, and the last axis cannot be divided or is not dense.
    """
    to = as_dtype(to)
    if to is x.dtype:
        return take(_reshape, x, (), x._view.shape, x._view)
    view = x._view.as_dtype(to) if x.dim() or to.itemsize == x.dtype.itemsize else None
    if view is None:
        raise ShapeError(
            f"a tensor of shape {tuple(x.shape)}, strides {x._view.strides} and type {x.dtype} cannot be "
            f"viewed as {to}: the last axis must be dense, and its bytes be whole elements of the new type"
        )
    return new(view)


def reshape(input: Tensor, *args: Any, shape: Any = None) -> Tensor:
    """The same elements under another shape: a view where possible, else a copy; one size may be -1.

    The sizes are given one by one, as a sequence, or as ``shape``.
    """
    want = resolve_shape(sizes_given(args, shape), input._view.size)
    view = input._view.reshape(want)
    if view is None:
        input = contiguous(input)
    return take(_reshape, input, (("reshape", (want,)),), input._view.shape, view)


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Merge the axes start_dim … end_dim into one."""
    first, last = axis_of(start_dim, input.dim()), axis_of(end_dim, input.dim())
    if first > last:
        raise RuntimeError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
    shape = input._view.shape
    if not shape:
        return reshape(input, (1,))
    if first == last:
        return input
    return reshape(input, (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :]))


def ravel(input: Tensor) -> Tensor:
    """All elements in one axis: a view where possible."""
    return reshape(contiguous(input), -1)


def unflatten(input: Tensor, dim: int, sizes: Any) -> Tensor:
    """Split axis ``dim`` into ``sizes`` (one may be -1)."""
    axis = axis_of(dim, input.dim())
    shape, parts = input._view.shape, size_of((sizes,))
    if not parts:
        raise RuntimeError("unflatten: sizes must be non-empty")
    if not shape:
        raise IndexError("unflatten: a 0-d tensor has no dimension to split")
    return view(input, (*shape[:axis], *resolve_shape(parts, shape[axis]), *shape[axis + 1 :]))


def squeeze(input: Tensor, dim: Any = None) -> Tensor:
    """Drop axes of length 1: all, or those of ``dim`` (an axis or several) that have it."""
    shape = input._view.shape
    axes = [i for i in (range(len(shape)) if dim is None else some_axes(dim, len(shape))) if i < len(shape)]
    axes = [i for i in axes if shape[i] == 1]
    return take(_reshape, input, (("squeeze", (tuple(axes),)),), shape)


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """A new axis of length 1 at position ``dim``."""
    axis = axis_of(dim, input.dim() + 1)
    return take(_reshape, input, (("unsqueeze", (axis,)),), input._view.shape)


# -- order of axes -----------------------------------------------------------------------------------------
@primitive("permute")
def _permute(node: Node, grad: Any) -> tuple[Any]:
    order = _inverse(node.options)
    return (_in_order(grad, order) if state.enabled else new(grad._view.permute(order)),)


@lru_cache(1024)
def _inverse(order: tuple[int, ...]) -> tuple[int, ...]:
    return tuple([order.index(i) for i in range(len(order))])


def _in_order(x: Tensor, order: tuple[int, ...]) -> Tensor:
    return take(_permute, x, (("permute", (order,)),), order, x._view.permute(order))


def permute(input: Tensor, *args: Any, dims: Any = None) -> Tensor:
    """Axes in another order, given one by one, as a sequence, or as ``dims``."""
    given = sizes_given(args, dims)
    if len(given) != input.dim():
        raise RuntimeError(f"permute needs each of the {input.dim()} axes once, got {given}")
    order = tuple([axis_of(d, input.dim()) for d in given])
    if sorted(order) != list(range(input.dim())):
        raise RuntimeError(f"permute needs each of the {input.dim()} axes once, got {given}")
    return _in_order(input, order)


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Swap two axes."""
    return _in_order(input, _swapped(len(input._view.shape), dim0, dim1))


@lru_cache(1024, typed=True)
def _swapped(ndim: int, dim0: int, dim1: int) -> tuple[int, ...]:
    """The order of axes after two of them were swapped."""
    a, b = axis_of(dim0, ndim), axis_of(dim1, ndim)
    order = list(range(ndim))
    if order:
        order[a], order[b] = order[b], order[a]
    return tuple(order)


def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """``transpose`` by NumPy's name."""
    return transpose(input, axis0, axis1)


def swapdims(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """``transpose`` by another name."""
    return transpose(input, dim0, dim1)


def t(input: Tensor) -> Tensor:
    """Transpose of a matrix; tensors of fewer axes stay."""
    if input.dim() > 2:
        raise RuntimeError(
            f"t() expects a tensor with at most 2 dimensions, got {input.dim()}; use .mT or transpose"
        )
    return (
        transpose(input, 0, 1) if input.dim() == 2 else take(_permute, input, (), tuple(range(input.dim())))
    )


def matrix_transpose(x: Tensor, name: str = "mT") -> Tensor:
    """The last two axes swapped: ``x.mT``, ``x.mH`` and ``adjoint``.

    Raises:
        RuntimeError: ``x`` has fewer than two axes.
    """
    if x.dim() < 2:
        raise RuntimeError(f"{name} is only supported on matrices or batches of matrices, got {x.dim()}-D")
    return transpose(x, -2, -1)


def hermitian(x: Tensor) -> Tensor:
    """The (conjugate) transpose of a matrix: ``x.H``."""
    if x.dim() not in (0, 2):
        raise RuntimeError(f"tensor.H is only supported on matrices (2-D tensors), got {x.dim()}-D")
    return permute(x, *range(x.dim() - 1, -1, -1))


def adjoint(input: Tensor) -> Tensor:
    """The conjugate transpose of the last two axes; of real numbers, their transpose."""
    return matrix_transpose(input, "adjoint()")


def movedim(input: Tensor, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """Move axes to other positions; the rest keep their order."""
    src = [axis_of(d, input.dim()) for d in ([source] if isinstance(source, int) else source)]
    dst = [axis_of(d, input.dim()) for d in ([destination] if isinstance(destination, int) else destination)]
    if len(src) != len(dst):
        raise RuntimeError(
            f"movedim: source and destination must have as many dimensions as each other, got {source} and "
            f"{destination}"
        )
    for name, axes in (("source", src), ("destination", dst)):
        if len(set(axes)) != len(axes):
            raise RuntimeError(f"movedim: repeated dim in {name} {axes}")
    if not input.dim():
        return permute(input, ())
    rest = iter([i for i in range(input.dim()) if i not in src])
    return permute(input, [src[dst.index(i)] if i in dst else next(rest) for i in range(input.dim())])


moveaxis = movedim


# -- broadcasting ------------------------------------------------------------------------------------------
@primitive("expand")
def _expand(node: Node, grad: Any) -> tuple[Any]:
    return (sum_to_shape(grad, node.options),)


def expand(input: Tensor, *shape: Any) -> Tensor:
    """Repeat axes of length 1 without a copy; -1 keeps a size."""
    want = size_of(shape)
    lead = len(want) - input.dim()
    want = tuple([input._view.shape[i - lead] if s == -1 and i >= lead else s for i, s in enumerate(want)])
    if min(want, default=0) < 0:
        raise ShapeError(
            f"expand: sizes {size_of(shape)} for shape {input._view.shape}: only an existing axis can be -1"
        )
    return take(_expand, input, (("expand", (want,)),), input._view.shape)


def broadcast_to(input: Tensor, size: Any) -> Tensor:
    """``expand`` to a shape."""
    return expand(input, size)


def broadcast_shapes(*shapes: Any) -> Any:
    """The shape that tensors of these shapes broadcast to; an int stands for a shape of one axis.

    Raises:
        RuntimeError: they do not fit together.
    """
    from genesis._tensor import Size

    sizes = [size_of((s,)) for s in shapes]
    if any(n < 0 for s in sizes for n in s):
        raise RuntimeError(f"broadcast_shapes: sizes must be >= 0, got {sizes}")
    return Size(common_shape(*sizes)) if sizes else Size(())


def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """All tensors expanded to their common shape: views."""
    if len(tensors) == 1 and not isinstance(tensors[0], TensorCore):
        tensors = tuple(tensors[0])
    for x in tensors:
        if not isinstance(x, TensorCore):
            raise TypeError(f"broadcast_tensors takes tensors, got {type(x).__name__}")
    if not tensors:
        return ()
    shape = common_shape(*[x._view.shape for x in tensors])
    return tuple([expand(x, shape) for x in tensors])


def sum_to_size(input: Tensor, *size: Any) -> Tensor:
    """Sums over the axes along which ``size`` would broadcast to the shape of ``input``.

    Raises:
        RuntimeError: it would not.
    """
    want = size_of(size)
    if not want:  # PyTorch's sum of everything, which makes integers int64
        return sum(input)
    if len(want) > input.dim() or any(
        s not in (1, n) for s, n in zip(reversed(want), reversed(input._view.shape), strict=False)
    ):
        raise RuntimeError(f"size {want} is not expandable to size {tuple(input.shape)}")
    return sum_to_shape(input, want)


# -- copies ------------------------------------------------------------------------------------------------
@primitive("copy")
def _copy(node: Node, grad: Any) -> tuple[Any]:
    return (grad,)


_LAST = {"channels_last": 4, "channels_last_3d": 5}  # memory format -> number of axes


def format_strides(shape: Any, memory_format: Any) -> Any:
    """The strides of a dense tensor in a memory format; None where that is the format of no tensor at all.

    Raises:
        RuntimeError: channels last, of a tensor with another number of axes.
        ValueError: there is no such format.
    """
    name = str(getattr(memory_format, "name", memory_format)).rpartition(".")[2]
    if name in ("None", "contiguous_format"):
        return contiguous_strides(shape)
    if name == "preserve_format":
        return None
    if name not in _LAST:
        raise ValueError(f"there is no memory format {memory_format!r}")
    if len(shape) != _LAST[name]:
        raise RuntimeError(f"required rank {_LAST[name]} tensor to use {name} format, got {len(shape)}")
    strides = contiguous_strides((shape[0], *shape[2:], shape[1]))
    return (strides[0], strides[-1], *strides[1:-1])


def clone(input: Tensor, *, memory_format: Any = None) -> Tensor:
    """A copy with its own memory; gradients flow through it.

    ``memory_format``: row by row unless it is ``channels_last`` or ``channels_last_3d``, which lay the
    channels of one place side by side.
    """
    if memory_format is None:
        return _copy.wrap(input._copy_view(), (input,))
    shape = input._view.shape
    strides = format_strides(shape, memory_format)
    if strides is None or strides == contiguous_strides(shape):
        return _copy.wrap(input._copy_view(), (input,))
    device = input._view.buffer.device
    out = device.backend.empty(shape, input._view.dtype, device).like(shape, strides)
    if out.size:
        device.backend.map(INPUT, out, input._view)
    return _copy.wrap(out, (input,))


def contiguous(input: Tensor, memory_format: Any = None) -> Tensor:
    """``input`` itself if its elements lie in row-major order (or ``memory_format``), else such a copy."""
    if memory_format is None:
        return input if input._view.contiguous else clone(input)
    if is_contiguous(input, memory_format):
        return input
    return clone(input, memory_format=memory_format)


def is_contiguous(x: Any, memory_format: Any = None) -> bool:
    """True when the elements lie in row-major order without gaps, or in another memory format."""
    view = x._view
    if memory_format is None:
        return bool(view.contiguous)
    strides = format_strides(view.shape, memory_format)
    if strides is None:
        raise RuntimeError("preserve memory format is unsupported by the contiguous operator")
    axes = zip(view.shape, view.strides, strides, strict=True)
    return not view.size or all(n == 1 or s == t for n, s, t in axes)
