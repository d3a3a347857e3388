"""The same elements in another order, or several times: flip, roll, rotate, tile, repeat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from genesis._dtypes import int32, int64
from genesis.autograd.graph import Node, TensorCore, new
from genesis.ops._op import primitive
from genesis.ops._view import size_of, sizes_given, some_axes, take_view
from genesis.ops.joining import cat
from genesis.ops.reduction import axis_of
from genesis.ops.shape import clone, expand, reshape, transpose, unsqueeze

if TYPE_CHECKING:
    from genesis._tensor import Tensor


@primitive("flip")
def _flip(node: Node, grad: Any) -> tuple[Any]:
    return (flip(grad, node.options),)


def flip(input: Tensor, *args: Any, dims: Any = None) -> Tensor:
    """A copy with the order along some axes reversed, given one by one, as a sequence, or as ``dims``."""
    axes = tuple([i for i in some_axes(sizes_given(args, dims), input.dim()) if i < input.dim()])
    return _flip.wrap(new(input._view.flip(axes))._copy_view(), (input,), (), axes)


def fliplr(input: Tensor) -> Tensor:
    """A copy with the order along axis 1 reversed."""
    if input.dim() < 2:
        raise RuntimeError(f"fliplr: input must be >= 2-d, got {input.dim()}-d")
    return flip(input, 1)


def flipud(input: Tensor) -> Tensor:
    """A copy with the order along axis 0 reversed."""
    if input.dim() < 1:
        raise RuntimeError("flipud: input must be >= 1-d, got 0-d")
    return flip(input, 0)


def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """A copy turned by ``k`` quarters, from the first of ``dims`` towards the second.

    Raises:
        RuntimeError: ``dims`` are not two different axes.
    """
    if len(dims) != 2 or input.dim() < 2:
        raise RuntimeError(f"rot90 needs 2 axes of a tensor with 2 or more, got {dims} for {input.dim()}-d")
    first, second = axis_of(dims[0], input.dim()), axis_of(dims[1], input.dim())
    if first == second:
        raise RuntimeError(f"rot90: rotation dims must be different, got {tuple(dims)}")
    k %= 4
    if k == 2:
        return flip(input, first, second)
    if k == 0:
        return clone(input)
    return flip(transpose(input, first, second), first if k == 1 else second)


def roll(input: Tensor, shifts: Any, dims: Any = ()) -> Tensor:
    """Elements shifted along ``dims``, those that fall off come in at the other end.

    Without ``dims``, the flattened tensor is rolled.

    Raises:
        RuntimeError: the numbers of shifts and of axes differ.
    """
    steps = size_of((shifts,))
    axes = () if dims is None else size_of((dims,))
    if not steps:
        raise RuntimeError("roll: `shifts` required")
    if not axes and len(steps) == 1:
        return reshape(roll(reshape(input, -1), steps, 0), input._view.shape)
    if len(steps) != len(axes):
        raise RuntimeError(f"roll: shifts and dimensions must align; shifts: {len(steps)}, dims: {len(axes)}")
    x = input
    for shift, dim in zip(steps, axes, strict=True):
        if not x.dim():
            raise IndexError(f"dimension specified as {dim} but the tensor has no dimensions")
        axis = axis_of(dim, x.dim())
        n = x._view.shape[axis]
        k = shift % n if n else 0
        if k:
            parts = (("narrow", (axis, n - k, k)),), (("narrow", (axis, 0, n - k)),)
            x = cat([take_view(x, part) for part in parts], axis)
    return clone(x) if x is input else x


def repeat(input: Tensor, *repeats: Any) -> Tensor:
    """Tile ``input``: ``repeats[i]`` copies along axis i; extra numbers add axes in front."""
    times = size_of(repeats)
    lead = len(times) - input.dim()
    if lead < 0:
        raise RuntimeError(
            f"number of dimensions of repeat dims can not be smaller than that of the tensor: needs at least "
            f"{input.dim()} sizes, got {times}"
        )
    if any(n < 0 for n in times):
        raise RuntimeError(f"repeat: numbers must be >= 0, got {times}")
    shape = (1,) * lead + input._view.shape
    pairs = [n for pair in zip((1,) * len(shape), shape, strict=True) for n in pair]
    wide = [n for pair in zip(times, shape, strict=True) for n in pair]
    out = [n * s for n, s in zip(times, shape, strict=True)]
    return reshape(clone(expand(reshape(input, pairs), wide)), out)


def tile(input: Tensor, *args: Any, dims: Any = None) -> Tensor:
    """``repeat`` as NumPy's ``tile``: missing numbers are 1, in front."""
    times = sizes_given(args, dims)
    return repeat(input, (1,) * (input.dim() - len(times)) + times)


def repeat_interleave(
    input: Tensor, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Each element ``repeats`` times in a row along ``dim`` (or of the flattened tensor).

    Args:
        repeats: a number, or an integer tensor with a number for each index of the axis. Where only one
            tensor is given, it is ``repeats``, and the result its indices, each so many times.
        output_size: the length of the result along ``dim``, where it is known.

    Raises:
        RuntimeError: a number is negative, or there are not as many as indices.
    """
    if repeats is None:
        _check_counts(input)
        if input.dim() != 1:
            raise RuntimeError(f"repeat_interleave only accepts 1D vector as repeats, got {input.dim()}-D")
        return _sources(input, output_size)
    if dim is None:
        input, dim = reshape(input, -1), 0
    if not input.dim():
        input = reshape(input, 1)
    axis = axis_of(dim, input.dim())
    s = input._view.shape
    if isinstance(repeats, list | tuple):
        from genesis.ops.creation import tensor

        repeats = tensor(repeats, dtype=int64, device=input.device)
    if isinstance(repeats, TensorCore):
        counts: Any = repeats
        _check_counts(counts)
        if counts.dim() > 1:
            raise RuntimeError("repeats must be 0-dim or 1-dim tensor")
        if counts.numel() != 1 or (counts.dim() and s[axis] == 1):
            if counts.numel() != s[axis]:
                raise RuntimeError(
                    f"repeats must have the same size as input along dim, got {counts.numel()} and {s[axis]}"
                )
            from genesis.ops.indexing import index_select

            return index_select(input, axis, _sources(counts, output_size))
        repeats = int(counts.item())
    if repeats < 0:
        raise RuntimeError(f"repeats has to be non-negative, got {repeats}")
    if output_size is not None and output_size != s[axis] * repeats:
        raise RuntimeError(f"output_size {output_size} is not the size of the result, {s[axis] * repeats}")
    wide = expand(unsqueeze(input, axis + 1), (*s[: axis + 1], repeats, *s[axis + 1 :]))
    return reshape(clone(wide), (*s[:axis], s[axis] * repeats, *s[axis + 1 :]))


def _check_counts(counts: Any) -> None:
    if counts.dtype not in (int32, int64):
        raise NotImplementedError(f"repeats has to be an int64 or int32 tensor, got {counts.dtype}")
    if counts.numel() and int(counts.min().item()) < 0:
        raise RuntimeError("repeats can not be negative")


def _sources(counts: Any, output_size: int | None) -> Tensor:
    """The index that each element of the result comes from."""
    import numpy as np

    from genesis.ops.creation import from_host

    host = counts._view.buffer.device.backend.read(counts._view)
    out = np.repeat(np.arange(len(host), dtype=host.dtype), host)
    if output_size is not None and output_size != len(out):
        raise RuntimeError(f"allocated size does not match required size: {output_size} and {len(out)}")
    return from_host(out, counts.device)
