"""Changes of shape.  Most are views: algebra on strides, with a gradient that undoes it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from operator import index
from typing import TYPE_CHECKING, Any

from genesis._dtypes import ALL, result_type
from genesis._errors import DeviceError, ShapeError
from genesis.autograd.graph import GraphError, Node, TensorCore, new, replay
from genesis.backend.dispatch import run_map
from genesis.backend.expr import INPUT, cast
from genesis.backend.view import Shape, View, resolve_shape
from genesis.ops._op import Primitive, primitive
from genesis.ops.reduction import axes_of, axis_of, sum_to_shape

if TYPE_CHECKING:
    from genesis._tensor import Tensor

#: how a view is taken: methods of ``View`` and their arguments
Steps = tuple[tuple[str, tuple[Any, ...]], ...]


def _take(rule: Primitive, x: Any, steps: Steps, options: Any = None, view: View | None = None) -> Tensor:
    """A view of ``x`` by steps of view algebra, tied to its base for in-place operations.

    ``view``: the result of the steps, where the caller has it.
    """
    out = rule.wrap(replay(x._view, steps) if view is None else view, (x,), (), options)
    base = x if x._base is None else x._base
    out._base, out._base_node, out._steps = base, base._node, x._steps + steps
    return out


def _dims(dims: Any, ndim: int) -> tuple[int, ...]:
    """Sorted, non-negative axes; none stays none."""
    return () if not isinstance(dims, int) and not len(dims) else axes_of(dims, ndim)


def size_of(shape: tuple[Any, ...]) -> tuple[int, ...]:
    """Sizes given one by one or as a sequence."""
    if len(shape) == 1 and not isinstance(shape[0], int) and hasattr(shape[0], "__iter__"):
        shape = tuple(shape[0])
    return tuple([s if type(s) is int else _whole(s) for s in shape])


def _whole(size: Any) -> int:
    try:
        return index(size)
    except TypeError:
        raise TypeError(f"a size is a whole number, got {size!r} of type {type(size).__name__}") from None


# -- reshape -----------------------------------------------------------------------------------------------
@primitive("reshape")
def _reshape(node: Node, grad: Any) -> tuple[Any]:
    return (reshape(grad, node.options),)


def view(x: Tensor, *shape: Any) -> Tensor:
    """The same elements under another shape, without a copy; one size may be -1.

    Raises:
        RuntimeError: the elements do not lie so that this is possible (use ``reshape``), or the sizes do not
            fit.
    """
    want = resolve_shape(size_of(shape), x._view.size)
    view = x._view.reshape(want)
    if view is None:
        raise ShapeError(
            f"view of shape {want} is not possible without a copy: the tensor has shape {x._view.shape} and "
            f"strides {x._view.strides}; use .reshape(...)"
        )
    return _take(_reshape, x, (("reshape", (want,)),), x._view.shape, view)


def reshape(x: Tensor, *shape: Any) -> Tensor:
    """The same elements under another shape: a view where possible, else a copy; one size may be -1."""
    want = resolve_shape(size_of(shape), x._view.size)
    if want == x._view.shape:
        return x
    view = x._view.reshape(want)
    if view is None:
        x = contiguous(x)
    return _take(_reshape, x, (("reshape", (want,)),), x._view.shape, view)


def flatten(x: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Merge the axes start_dim … end_dim into one."""
    first, last = axis_of(start_dim, x.dim()), axis_of(end_dim, x.dim())
    if first > last:
        raise RuntimeError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
    shape = x._view.shape
    if not shape:
        return reshape(x, (1,))
    return reshape(x, (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :]))


def unflatten(x: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """Split axis ``dim`` into ``sizes`` (one may be -1)."""
    axis = axis_of(dim, x.dim())
    shape = x._view.shape
    return reshape(x, (*shape[:axis], *resolve_shape(tuple(sizes), shape[axis]), *shape[axis + 1 :]))


def squeeze(x: Tensor, dim: Any = None) -> Tensor:
    """Drop axes of length 1: all, or those of ``dim`` that have it."""
    axes = [i for i in (range(x.dim()) if dim is None else _dims(dim, x.dim())) if x._view.shape[i] == 1]
    return _take(_reshape, x, (("squeeze", (tuple(axes),)),), x._view.shape)


def unsqueeze(x: Tensor, dim: int) -> Tensor:
    """A new axis of length 1 at position ``dim``."""
    return _take(_reshape, x, (("unsqueeze", (axis_of(dim, x.dim() + 1),)),), x._view.shape)


# -- order of axes -----------------------------------------------------------------------------------------
@primitive("permute")
def _permute(node: Node, grad: Any) -> tuple[Any]:
    order = node.options
    inverse = [0] * len(order)
    for new_axis, old in enumerate(order):
        inverse[old] = new_axis
    return (permute(grad, inverse),)


def permute(x: Tensor, *dims: Any) -> Tensor:
    """Axes in another order."""
    order = tuple([axis_of(d, x.dim()) for d in size_of(dims)])
    if sorted(order) != list(range(x.dim())):
        raise RuntimeError(f"permute needs each of the {x.dim()} axes once, got {size_of(dims)}")
    return _take(_permute, x, (("permute", (order,)),), order)


def transpose(x: Tensor, dim0: int, dim1: int) -> Tensor:
    """Swap two axes."""
    if not x.dim():
        axis_of(dim0, 0), axis_of(dim1, 0)
        return permute(x, ())
    order = list(range(x.dim()))
    a, b = axis_of(dim0, x.dim()), axis_of(dim1, x.dim())
    order[a], order[b] = b, a
    return permute(x, order)


def t(x: Tensor) -> Tensor:
    """Transpose of a matrix; tensors of fewer axes stay."""
    if x.dim() > 2:
        raise RuntimeError(
            f"t() expects a tensor with at most 2 dimensions, got {x.dim()}; use .mT or transpose"
        )
    return transpose(x, 0, 1) if x.dim() == 2 else x


def movedim(x: Tensor, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """Move axes to other positions; the rest keep their order."""
    src = [axis_of(d, x.dim()) for d in ([source] if isinstance(source, int) else source)]
    dst = [axis_of(d, x.dim()) for d in ([destination] if isinstance(destination, int) else destination)]
    rest = iter([i for i in range(x.dim()) if i not in src])
    return permute(x, [src[dst.index(i)] if i in dst else next(rest) for i in range(x.dim())])


# -- broadcasting ------------------------------------------------------------------------------------------
@primitive("expand")
def _expand(node: Node, grad: Any) -> tuple[Any]:
    return (sum_to_shape(grad, node.options),)


def expand(x: Tensor, *shape: Any) -> Tensor:
    """Repeat axes of length 1 without a copy; -1 keeps a size."""
    want = size_of(shape)
    lead = len(want) - x.dim()
    want = tuple([x._view.shape[i - lead] if s == -1 and i >= lead else s for i, s in enumerate(want)])
    if min(want, default=0) < 0:
        raise ShapeError(
            f"expand: sizes {size_of(shape)} for shape {x._view.shape}: only an existing axis can be -1"
        )
    return _take(_expand, x, (("expand", (want,)),), x._view.shape)


# -- parts -------------------------------------------------------------------------------------------------


@primitive("slice")
def _slice(node: Node, grad: Any) -> tuple[Any]:
    shape, steps = node.options
    return (embed_view(grad, shape, steps),)


def take_view(x: Any, steps: Steps) -> Tensor:
    """The part of ``x`` that the steps select: a view."""
    return _take(_slice, x, steps, (x._view.shape, steps))


def take_part(x: Any, steps: Steps) -> Tensor:
    """The same, of a copy if the elements of ``x`` do not lie so that the steps are possible."""
    try:
        return take_view(x, steps)
    except GraphError:
        return take_view(contiguous(x), steps)


@primitive("embed")
def _embed(node: Node, grad: Any) -> tuple[Any]:
    return (take_part(grad, node.options),)


def embed_view(grad: Any, shape: Shape, steps: Steps) -> Tensor:
    """Zeros of ``shape`` with ``grad`` in the part that the steps select; repeated elements add up."""
    device = grad._view.buffer.device
    out = zeros_view(shape, grad._view.dtype, device)
    part = replay(out, steps)
    source = grad._view
    for i, stride in enumerate(part.strides):  # an expanded axis: its gradients belong to one element
        if stride == 0 and part.shape[i] > 1:
            total: View = device.backend.empty(
                tuple([1 if j == i else s for j, s in enumerate(source.shape)]), source.dtype, device
            )
            device.backend.reduce("sum", total, source)
            source, part = total, part.narrow(i, 0, 1)
    device.backend.map(INPUT, part, source)
    return _embed.wrap(out, (grad,), (), steps)


@primitive("clear")
def _clear(node: Node, grad: Any) -> tuple[Any]:
    return (clear_view(grad, node.options),)


def clear_view(x: Any, steps: Steps) -> Tensor:
    """A copy of ``x`` with zeros in the part that the steps select."""
    copy = new(x._view)._copy_view()
    part = replay(copy, steps)
    device = copy.buffer.device
    zero = device.backend.empty((), part.dtype, device)
    fill_view(zero, 0)
    device.backend.map(INPUT, part, zero.expand(part.shape))
    return _clear.wrap(copy, (x,), (), steps)


_fills = {d: cast(INPUT, d) for d in ALL}


def fill_view(v: View, value: Any) -> None:
    """Write one number into every element."""
    run_map(v.buffer.device.backend, _fills[v.dtype], v, value)


def zeros_view(shape: Shape, dtype: Any, device: Any) -> View:
    v: View = device.backend.empty(shape, dtype, device)
    fill_view(v, 0)
    return v


def narrow(x: Tensor, dim: int, start: int, length: int) -> Tensor:
    """``length`` indices of axis ``dim`` from ``start``: a view."""
    axis = axis_of(dim, x.dim())
    size = x._view.shape[axis]
    begin = start + size if start < 0 else start
    if not 0 <= begin <= begin + length <= size:
        raise RuntimeError(f"narrow: start ({start}) + length ({length}) exceeds dimension size ({size})")
    return take_view(x, (("narrow", (axis, begin, length)),))


def select(x: Tensor, dim: int, index: int) -> Tensor:
    """One index of axis ``dim``, which goes away: a view."""
    axis = axis_of(dim, x.dim())
    size = x._view.shape[axis] if x.dim() else 0
    if not -size <= index < size:
        raise IndexError(f"index {index} is out of range for dimension {dim} with size {size}")
    return take_view(x, (("select", (axis, index % size)),))


def unbind(x: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """All indices of axis ``dim``, each a view without it."""
    axis = axis_of(dim, x.dim())
    return tuple([select(x, axis, i) for i in range(x._view.shape[axis])])


def split(x: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Parts of the given size (the last may be smaller), or of the given sizes, along ``dim``."""
    axis = axis_of(dim, x.dim())
    size = x._view.shape[axis]
    if isinstance(split_size_or_sections, int):
        step = split_size_or_sections
        if step <= 0:
            raise RuntimeError(f"split expects a positive size, got {step}")
        sections = [min(step, size - i) for i in range(0, size, step)] or [0]
    else:
        sections = [int(s) for s in split_size_or_sections]
        if sum(sections) != size:
            raise RuntimeError(f"split sizes {sections} add up to {sum(sections)}, the axis has {size}")
    starts = accumulate(sections, initial=0)
    return tuple([narrow(x, axis, s, n) for s, n in zip(starts, sections, strict=False)])


def chunk(x: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most ``chunks`` parts of equal size along ``dim``; the last may be smaller."""
    if chunks <= 0:
        raise RuntimeError(f"chunk expects a positive number of chunks, got {chunks}")
    size = x._view.shape[axis_of(dim, x.dim())]
    return split(x, max(1, -(-size // chunks)), dim)


# -- copies ------------------------------------------------------------------------------------------------
@primitive("copy")
def _copy(node: Node, grad: Any) -> tuple[Any]:
    return (grad,)


def clone(x: Tensor) -> Tensor:
    """A copy with its own memory; gradients flow through it."""
    return _copy.wrap(x._copy_view(), (x,))


def contiguous(x: Tensor) -> Tensor:
    """``x`` itself if its elements lie in row-major order, else a copy that does."""
    return x if x._view.contiguous else clone(x)


@primitive("flip")
def _flip(node: Node, grad: Any) -> tuple[Any]:
    return (flip(grad, node.options),)


def flip(x: Tensor, *dims: Any) -> Tensor:
    """A copy with the order along ``dims`` reversed."""
    axes = _dims(size_of(dims), x.dim())
    return _flip.wrap(new(x._view.flip(axes))._copy_view(), (x,), (), axes)


@primitive("cat")
def _cat(node: Node, grad: Any) -> tuple[Any, ...]:
    axis, sizes = node.options
    starts = accumulate(sizes, initial=0)
    return tuple(
        [
            narrow(grad, axis, s, n) if e is not None else None
            for e, s, n in zip(node.edges, starts, sizes, strict=False)
        ]
    )


def _tensors(name: str, tensors: Sequence[Tensor]) -> list[Tensor]:
    """A list of tensors on one device."""
    found = list(tensors)
    if not found:
        raise ValueError(f"{name} expects a non-empty list of tensors")
    for x in found:
        if not isinstance(x, TensorCore):
            raise TypeError(f"{name} expects tensors, got {type(x).__name__}")
    if any(x._view.buffer.device is not found[0]._view.buffer.device for x in found):
        places = " and ".join(str(x.device) for x in found)
        raise DeviceError(
            f"{name}: all tensors must be on one device, got {places}; move them with .to(device)"
        )
    return found


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors one after another along ``dim``; all other sizes must agree.

    Raises:
        ValueError: no tensors are given.
        RuntimeError: shapes that do not fit (all are named).
    """
    tensors = _tensors("cat", tensors)
    # PyTorch lets an empty one-dimensional tensor join anything
    tensors = [x for x in tensors if x._view.shape != (0,)] or tensors[:1]
    first = tensors[0]._view
    axis = axis_of(dim, first.ndim)
    for x in tensors:
        s = x._view.shape
        if len(s) != first.ndim or s[:axis] + s[axis + 1 :] != first.shape[:axis] + first.shape[axis + 1 :]:
            shapes = ", ".join(str(x._view.shape) for x in tensors)
            raise ShapeError(f"cat: sizes must match except in dimension {axis}, got {shapes}")
    dtype = result_type([(x.dtype, 1) for x in tensors], [])
    tensors = [x.to(dtype) for x in tensors]
    sizes = [x._view.shape[axis] for x in tensors]
    device = first.buffer.device
    out = device.backend.empty((*first.shape[:axis], sum(sizes), *first.shape[axis + 1 :]), dtype, device)
    start = 0
    for x, n in zip(tensors, sizes, strict=True):
        if x._view.size:
            device.backend.map(INPUT, out.narrow(axis, start, n), x._view)
        start += n
    return _cat.wrap(out, tensors, (), (axis, sizes))


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors of one shape along a new axis at ``dim``."""
    tensors = _tensors("stack", tensors)
    if any(x._view.shape != tensors[0]._view.shape for x in tensors):
        shapes = ", ".join(str(x._view.shape) for x in tensors)
        raise ShapeError(f"stack expects each tensor to be equal size, got {shapes}")
    return cat([unsqueeze(x, dim) for x in tensors], axis_of(dim, tensors[0].dim() + 1))


def repeat(x: Tensor, *sizes: Any) -> Tensor:
    """Tile ``x``: ``sizes[i]`` copies along axis i; extra sizes add axes in front."""
    times = size_of(sizes)
    lead = len(times) - x.dim()
    if lead < 0:
        raise RuntimeError(f"repeat needs at least {x.dim()} sizes, got {times}")
    shape = (1,) * lead + x._view.shape
    pairs = [n for pair in zip((1,) * len(shape), shape, strict=True) for n in pair]
    wide = [n for pair in zip(times, shape, strict=True) for n in pair]
    out = [n * s for n, s in zip(times, shape, strict=True)]
    return reshape(clone(expand(reshape(x, pairs), wide)), out)


def repeat_interleave(x: Tensor, repeats: int, dim: int | None = None) -> Tensor:
    """Each element ``repeats`` times in a row along ``dim`` (or of the flattened tensor)."""
    if dim is None:
        x, dim = reshape(x, -1), 0
    axis = axis_of(dim, x.dim())
    s = x._view.shape
    wide = expand(unsqueeze(x, axis + 1), (*s[: axis + 1], repeats, *s[axis + 1 :]))
    return reshape(clone(wide), (*s[:axis], s[axis] * repeats, *s[axis + 1 :]))


def roll(x: Tensor, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None) -> Tensor:
    """Elements shifted along ``dims``, those that fall off come in at the other end."""
    if dims is None:
        return reshape(roll(reshape(x, -1), shifts, 0), x._view.shape)
    pairs = zip(
        [shifts] if isinstance(shifts, int) else shifts,
        [dims] if isinstance(dims, int) else dims,
        strict=True,
    )
    for shift, dim in pairs:
        n = x._view.shape[axis_of(dim, x.dim())]
        k = shift % n if n else 0
        if k:
            x = cat([narrow(x, dim, n - k, k), narrow(x, dim, 0, n - k)], dim)
    return x
