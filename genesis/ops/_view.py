"""Views and their gradients: taking a part of a tensor, putting one back, a tensor's own shape."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from operator import index
from typing import TYPE_CHECKING, Any

from genesis._dtypes import ALL, fitting, int64
from genesis.autograd.grad_mode import state
from genesis.autograd.graph import GraphError, Node, TensorCore, new, replay, tracked
from genesis.backend import halves
from genesis.backend.dispatch import run_map
from genesis.backend.expr import INDEX, INPUT, cast
from genesis.backend.view import Shape, View, contiguous_strides, repeats_itself
from genesis.ops._op import Primitive, primitive
from genesis.ops.reduction import axes_of

if TYPE_CHECKING:
    from genesis._tensor import Tensor

#: how a view is taken: methods of ``View`` and their arguments
Steps = tuple[tuple[str, tuple[Any, ...]], ...]


def take(rule: Primitive, x: Any, steps: Steps, options: Any = None, view: View | None = None) -> Tensor:
    """A view of ``x`` by steps of view algebra, tied to its base for in-place operations.

    ``view``: the result of the steps, where the caller has it.
    """
    out: Any = new(replay(x._view, steps) if view is None else view)
    if state.enabled and tracked(x):
        out._node, out._tracked = Node(rule, (x if x._node is None else x._node,), (), options), True
    tie(out, x, steps)
    return out  # type: ignore[no-any-return]


def tie(out: Any, x: Any, steps: Steps) -> None:
    """Note that ``out`` is a view of ``x``."""
    base = x._base
    if base is None:
        out._base, out._base_node, out._steps = x, x._node, steps
    else:
        out._base, out._base_node, out._steps = base, base._node, x._steps + steps


# -- arguments ---------------------------------------------------------------------------------------------
def some_axes(dims: Any, ndim: int) -> tuple[int, ...]:
    """Sorted, non-negative axes; none stays none."""
    return () if not isinstance(dims, int) and not len(dims) else axes_of(dims, ndim)


def size_of(shape: tuple[Any, ...]) -> tuple[int, ...]:
    """Sizes given one by one or as a sequence."""
    if len(shape) == 1 and not isinstance(shape[0], int) and hasattr(shape[0], "__iter__"):
        first = shape[0]
        if not (isinstance(first, TensorCore) and not first._view.shape):
            shape = tuple(first)
    return tuple([s if type(s) is int else whole(s) for s in shape])


def whole(size: Any, what: str = "a size") -> int:
    """A size, shift or position as an int; anything with ``__index__`` is one.

    Raises:
        TypeError: it is none.
    """
    try:
        return index(size)
    except TypeError:
        raise TypeError(f"{what} is a whole number, got {size!r} of type {type(size).__name__}") from None


# -- parts -------------------------------------------------------------------------------------------------
@primitive("slice")
def _slice(node: Node, grad: Any) -> tuple[Any]:
    shape, steps = node.options
    return (embed_view(grad, shape, steps),)


def _add_part(node: Node, grad: Any, total: Any) -> bool:
    part = replay(total._view, node.options[1])
    if repeats_itself(part):
        return False
    new(part)._accumulate(grad)
    return True


_slice.add = _add_part


def take_view(x: Any, steps: Steps) -> Tensor:
    """The part of ``x`` that the steps select: a view."""
    return take(_slice, x, steps, (x._view.shape, steps))


def take_part(x: Any, steps: Steps) -> Tensor:
    """The same, of a copy if the elements of ``x`` do not lie so that the steps are possible."""
    try:
        return take_view(x, steps)
    except GraphError:
        return take_view(x.clone(), steps)


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
            (partial(halves.reduce, device.backend) if total.dtype.is_half else device.backend.reduce)(
                "sum", total, source
            )
            source, part = total, part.narrow(i, 0, 1)
    if not source.size:
        return _embed.wrap(out, (grad,), (), steps)
    if repeats_itself(part):  # windows that overlap
        flat = out.like((out.size,), (1,))
        where = flatten_view(replay(positions(shape, device), steps_of(part, out)))
        add = partial(halves.scatter, device.backend) if out.dtype.is_half else device.backend.scatter
        add("add", flat, where, flatten_view(source), 0)
    else:
        device.backend.map(INPUT, part, source)
    return _embed.wrap(out, (grad,), (), steps)


def steps_of(part: View, out: View) -> Steps:
    """The walk of ``part``, for another view that lies as ``out`` does."""
    return (("as_strided", (part.shape, part.strides, part.offset - out.offset, out.strides)),)


def positions(shape: Shape, device: Any) -> View:
    """The row-major position of each element, int64."""
    out: View = device.backend.empty(shape, int64, device)
    if out.size:
        run_map(device.backend, INDEX, out)
    return out


def flatten_view(v: View) -> View:
    """The elements of a view as a vector; a copy where they do not lie so."""
    flat = v.reshape((v.size,))
    return new(v)._copy_view().like((v.size,), (1,)) if flat is None else flat


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
    if value and (v.dtype.kind in "iu" or v.dtype.is_half):
        value = fitting(value, v.dtype)
    run_map(v.buffer.device.backend, _fills[v.dtype], v, value)


def zeros_view(shape: Shape, dtype: Any, device: Any) -> View:
    """A new view with zeros."""
    v: View = device.backend.empty(shape, dtype, device)
    fill_view(v, 0)
    return v


def zeros_of(shape: Shape, like: Any) -> Tensor:
    """A tensor of zeros with the type and device of ``like``."""
    return new(zeros_view(shape, like._view.dtype, like._view.buffer.device))


# -- a tensor's own shape ----------------------------------------------------------------------------------
def become(x: Any, out: Any) -> Any:
    """Give ``x`` the shape and history of ``out``, which is a view of it: ``t_``, ``squeeze_`` and the like.

    Raises:
        RuntimeError: ``x`` is a leaf that requires a gradient.
    """
    if state.enabled and tracked(x) and x._node is None:
        raise GraphError(
            "a leaf tensor that requires grad is being used in an in-place operation; "
            "do it under genesis.no_grad(), or on a clone()"
        )
    x._view = out._view
    if x._base is not None:
        x._base_node, x._steps = out._base_node, out._steps
    if out._tracked:
        x._node, x._tracked = out._node, True
    return x


def resize_(x: Any, *sizes: Any, memory_format: Any = None) -> Any:
    """Another shape, in place; elements keep their order, new ones are not initialised.

    A tensor that becomes larger than its memory gets new memory, which its views do not share.

    Raises:
        RuntimeError: ``x`` requires a gradient.
    """
    if tracked(x):
        raise RuntimeError("cannot resize variables that require grad")
    shape = size_of(sizes)
    if any(s < 0 for s in shape):
        raise RuntimeError(f"resize_ expects sizes >= 0, got {shape}")
    view = x._view
    wide = view.like(shape, contiguous_strides(shape))
    if wide.size and (wide.size + view.offset) * view.dtype.itemsize > view.buffer.nbytes:
        device = view.buffer.device
        bigger = device.backend.empty(shape, view.dtype, device)
        kept = min(bigger.size, view.buffer.nbytes // view.dtype.itemsize - view.offset)
        if kept > 0:
            source = view.like((kept,), (1,))
            device.backend.map(INPUT, bigger.like((kept,), (1,)), source)
        wide = bigger
        x._base, x._steps = None, ()
    x._view = wide
    return x


def sizes_given(sizes: Sequence[Any], named: Any) -> tuple[Any, ...]:
    """Sizes that were given one by one, as a sequence, or by name."""
    return size_of(tuple(sizes) if named is None else (named,))
