"""Parts of a tensor: ranges, single indices, sections, windows.  All are views."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from genesis.autograd.grad_mode import state
from genesis.autograd.graph import PART, Node, TensorCore, edges_of, new, replay
from genesis.ops._op import primitive
from genesis.ops._view import size_of, take_view, tie, whole, zeros_of
from genesis.ops.reduction import axis_of

if TYPE_CHECKING:
    from genesis._tensor import Tensor


def _some_axis(name: str, x: Any, dim: int) -> int:
    """An axis of a tensor that has some.

    Raises:
        RuntimeError: ``x`` is zero-dimensional.
    """
    if not x._view.shape:
        raise RuntimeError(f"{name}() cannot be applied to a 0-dim tensor")
    return axis_of(dim, x.dim())


def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """``length`` indices of axis ``dim`` from ``start`` (an int or a 0-d tensor): a view."""
    axis = _some_axis("narrow", input, dim)
    if isinstance(start, TensorCore) and (start._view.shape or start._view.dtype.kind not in "iu"):
        raise RuntimeError("narrow(): start must be a whole number or a 0-d tensor of integers")
    size, first, length = input._view.shape[axis], whole(start, "start"), whole(length, "length")
    if length < 0:
        raise RuntimeError(f"narrow(): length must be non-negative, got {length}")
    if not -size <= first <= size:
        raise IndexError(f"narrow: start out of range (expected to be in [{-size}, {size}], but got {first})")
    begin = first + size if first < 0 else first
    if begin + length > size:
        raise RuntimeError(f"narrow: start ({first}) + length ({length}) exceeds dimension size ({size})")
    return take_view(input, (("narrow", (axis, begin, length)),))


def narrow_copy(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """``narrow`` as a copy; PyTorch's error for an axis that is not there is another one."""
    if dim >= input.dim():
        raise RuntimeError(f"narrow_copy: there is no axis {dim} in shape {tuple(input.shape)}")
    return narrow(input, dim, start, length).clone()


def select(input: Tensor, dim: int, index: int) -> Tensor:
    """One index of axis ``dim``, which goes away: a view."""
    if not input.dim():
        raise IndexError("select() cannot be applied to a 0-dim tensor")
    axis = axis_of(dim, input.dim())
    size, index = input._view.shape[axis], whole(index, "an index")
    if not -size <= index < size:
        raise IndexError(f"index {index} is out of range for dimension {dim} with size {size}")
    return take_view(input, (("select", (axis, index % size)),))


def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """All indices of axis ``dim``, each a view without it."""
    if not input.dim():
        raise IndexError("unbind: dimension specified as 0 but tensor has no dimensions")
    axis = axis_of(dim, input.dim())
    steps = [(("select", (axis, i)),) for i in range(input._view.shape[axis])]
    return _pieces(_unbind, input, axis, steps)


@primitive("unbind")
def _unbind(node: Node, grad: Any) -> tuple[Any]:
    from genesis.ops.joining import stack

    axis, shapes = node.options
    return (stack(_given(grad, shapes), axis),)


@primitive("split")
def _split(node: Node, grad: Any) -> tuple[Any]:
    from genesis.ops.joining import _join, cat

    axis, shapes = node.options
    given = _given(grad, shapes)
    if state.enabled:
        return (cat(given, axis),)
    first = given[0]._view
    size = sum([s[axis] for s in shapes])
    device = first.buffer.device
    out = device.backend.empty((*first.shape[:axis], size, *first.shape[axis + 1 :]), first.dtype, device)
    _join(out, given, axis)
    return (new(out),)


def _pieces(rule: Any, x: Any, axis: int, steps: list[Any]) -> tuple[Any, ...]:
    """The views that cover ``x`` along an axis: outputs of one node, which puts their gradients together."""
    edges = edges_of((x,)) if len(steps) > 1 else None
    if edges is None:
        return tuple([take_view(x, s) for s in steps])
    views = [replay(x._view, s) for s in steps]
    node = Node(rule, edges, (), (axis, [v.shape for v in views]))
    pieces: list[Any] = []
    for i, (view, s) in enumerate(zip(views, steps, strict=True)):
        out: Any = new(view)
        out._node, out._tracked = Node(PART, (node,), (), i), True
        tie(out, x, s)
        pieces.append(out)
    return tuple(pieces)


def _given(grad: Any, shapes: list[Any]) -> list[Any]:
    """The gradient of each piece, zeros where there is none."""
    grads = grad.grads
    if len(grads) == len(shapes):
        return [grads[i] for i in range(len(shapes))]
    zero = zeros_of((), next(iter(grads.values())))._view
    found = [grads.get(i) for i in range(len(shapes))]
    return [new(zero.expand(s)) if g is None else g for g, s in zip(found, shapes, strict=True)]


# -- sections ----------------------------------------------------------------------------------------------
def split(tensor: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Parts of the given size (the last may be smaller), or of the given sizes, along ``dim``: views."""
    if not isinstance(split_size_or_sections, int):
        return split_with_sizes(tensor, split_size_or_sections, dim)
    axis = _some_axis("split", tensor, dim)
    size, step = tensor._view.shape[axis], split_size_or_sections
    if step < 0 or (step == 0 and size):
        raise RuntimeError(f"split expects a positive size, got {step}")
    sections = [min(step, size - i) for i in range(0, size, step)] if size else [0]
    return _sections(tensor, sections, axis)


def split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Parts of the given sizes, which add up to that of the axis ``dim``: views."""
    axis = _some_axis("split_with_sizes", input, dim)
    size, sections = input._view.shape[axis], list(size_of((split_sizes,)))
    if sum(sections) != size or any(s < 0 for s in sections):
        raise RuntimeError(f"split sizes {sections} add up to {sum(sections)}, the axis has {size}")
    return _sections(input, sections, axis)


def _sections(x: Tensor, sections: list[int], axis: int) -> tuple[Tensor, ...]:
    starts = accumulate(sections, initial=0)
    steps = [(("narrow", (axis, s, n)),) for s, n in zip(starts, sections, strict=False)]
    return _pieces(_split, x, axis, steps)


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most ``chunks`` parts of equal size along ``dim``; the last may be smaller."""
    axis = _some_axis("chunk", input, dim)
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    size = input._view.shape[axis]
    if not size:
        return _sections(input, [0] * chunks, axis)
    return split(input, max(1, -(-size // chunks)), axis)


unsafe_chunk = chunk
unsafe_split = split
unsafe_split_with_sizes = split_with_sizes


def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """A number of parts whose sizes differ by at most one, or parts that start at the given indices: views.

    Args:
        indices_or_sections: a number, or positions (a sequence of ints, or a tensor) counted as slices count.

    Raises:
        RuntimeError: the number of parts is not positive, or ``input`` has no axis.
    """
    axis = _some_axis("tensor_split", input, dim)
    size = input._view.shape[axis]
    if isinstance(indices_or_sections, TensorCore):
        t: Any = indices_or_sections
        if t.dim() > 1 or t.dtype.kind != "i" or t.dtype.itemsize != 8:
            raise RuntimeError(
                f"tensor_split expected an int64 tensor of at most one dimension, got {t.dtype} {t.shape}"
            )
        indices_or_sections = t.tolist()
    if isinstance(indices_or_sections, int):
        count = indices_or_sections
        if count <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {count}")
        small, larger = divmod(size, count)
        return _sections(input, [small + 1] * larger + [small] * (count - larger), axis)
    parts, begin = [], 0
    cuts = [*size_of((indices_or_sections,)), size]
    for cut in cuts:
        first, last, _ = slice(begin, cut).indices(size)
        parts.append(take_view(input, (("narrow", (axis, first, max(0, last - first))),)))
        begin = cut
    return tuple(parts)


def _equal_parts(name: str, x: Any, sections: Any, least: int, axis: int) -> tuple[Tensor, ...]:
    if x.dim() < least:
        raise RuntimeError(f"{name} requires a tensor with at least {least} dimension(s), got {x.dim()}")
    size = x._view.shape[axis]
    if isinstance(sections, int) and (sections <= 0 or size % sections):
        raise RuntimeError(
            f"{name}: dimension {axis} of size {size} is not divisible by the number of sections {sections}"
        )
    return tensor_split(x, sections, axis)


def hsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """``tensor_split`` along axis 1 (0 of a vector); a number must divide the axis."""
    return _equal_parts("hsplit", input, indices_or_sections, 1, 0 if input.dim() == 1 else 1)


def vsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """``tensor_split`` along axis 0 of a tensor with two axes or more; a number must divide the axis."""
    return _equal_parts("vsplit", input, indices_or_sections, 2, 0)


def dsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """``tensor_split`` along axis 2 of a tensor with three axes or more; a number must divide the axis."""
    return _equal_parts("dsplit", input, indices_or_sections, 3, 2)


# -- windows and diagonals ---------------------------------------------------------------------------------
def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """All windows of ``size`` elements along ``dimension``, ``step`` apart, as a new last axis: a view.

    The gradients of windows that overlap add up.

    Raises:
        RuntimeError: the axis is shorter than a window, or ``step`` is not positive.
    """
    x: Any = input
    axis = axis_of(dimension, x.dim())
    length = x._view.shape[axis] if x.dim() else 1
    if size > length:
        raise RuntimeError(
            f"maximum size for tensor at dimension {axis} is {length} but size is {size} (unfold)"
        )
    if size < 0 or step <= 0:
        raise RuntimeError(f"unfold: size must be >= 0 and step > 0, got {size} and {step}")
    if not x.dim():
        return take_view(x, (("unsqueeze", (0,)), ("narrow", (0, 0, size))))
    return take_view(x, (("unfold", (axis, size, step)),))


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The diagonal of axes ``dim1`` and ``dim2``, as a new last axis: a view.

    Args:
        offset: 0 for the main diagonal, above it where positive, below where negative.

    Raises:
        RuntimeError: the two axes are one.
    """
    first, second = axis_of(dim1, input.dim()), axis_of(dim2, input.dim())
    if not input.dim():
        raise IndexError("diagonal: a 0-d tensor has no dimensions")
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return take_view(input, (("diagonal", (offset, first, second)),))


# -- copies with a part replaced ---------------------------------------------------------------------------
def _with_part(name: str, input: Any, src: Any, part: Any) -> Any:
    out = input.clone()
    place = part(out)
    if place._view.shape != src._view.shape:
        raise RuntimeError(
            f"{name}: expected src to have a size equal to the slice of self, {tuple(place.shape)}; "
            f"got {tuple(src.shape)}"
        )
    place.copy_(src)
    return out


def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """A copy of ``input`` with ``src`` in place of ``select(dim, index)``."""
    out: Tensor = _with_part("select_scatter", input, src, lambda x: select(x, dim, index))
    return out


def slice_scatter(
    input: Tensor,
    src: Tensor,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
) -> Tensor:
    """A copy of ``input`` with ``src`` in place of ``start:end:step`` along ``dim``."""
    axis = axis_of(dim, input.dim())
    if step <= 0:
        raise RuntimeError(f"slice_scatter: step must be positive, got {step}")
    key = (*(slice(None),) * axis, slice(start, end, step))
    out: Tensor = _with_part("slice_scatter", input, src, lambda x: x[key])
    return out


def diagonal_scatter(input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """A copy of ``input`` with ``src`` in place of its ``diagonal``."""
    out: Tensor = _with_part("diagonal_scatter", input, src, lambda x: diagonal(x, offset, dim1, dim2))
    return out
