"""Sliding blocks as columns, and back: what convolutions are made of, and ``unfold`` and ``fold`` themselves.

Both directions have the same geometry, for any number of spatial axes.  Position ``o`` of the windows and
position ``k`` inside a window belong to the element ``o * stride - padding + k * dilation`` of ``source``;
where that lies outside, a column has 0, and the way back drops the value.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import index
from typing import Any

from genesis._errors import ShapeError
from genesis.autograd.graph import new
from genesis.backend.dispatch import run_map
from genesis.backend.expr import INPUT, arg, call
from genesis.backend.view import Shape, View
from genesis.ops._op import op
from genesis.ops._view import zeros_view

_ADD = call("add", arg(0), arg(1))


def _reach(kernel: Shape, stride: Shape, dilation: Shape, size: Shape) -> Shape:
    """How far the windows reach along each axis, from the first element to the last."""
    return tuple(
        (o - 1) * s + (k - 1) * d + 1 for k, s, d, o in zip(kernel, stride, dilation, size, strict=True)
    )


def _part(v: View, starts: Sequence[int], lengths: Sequence[int], steps: Sequence[int] | None = None) -> View:
    """A box of the spatial axes."""
    for i, (start, length) in enumerate(zip(starts, lengths, strict=True)):
        v = v.narrow(2 + i, start, length, 1 if steps is None else steps[i])
    return v


def _windows(v: View, kernel: Shape, stride: Shape, dilation: Shape, size: Shape) -> View:
    """(N, C, *kernel, *size): what lies under each window; windows may overlap."""
    steps = v.strides[2:]
    within = [d * t for d, t in zip(dilation, steps, strict=True)]
    between = [s * t for s, t in zip(stride, steps, strict=True)]
    return v.like((*v.shape[:2], *kernel, *size), (*v.strides[:2], *within, *between))


@op()
def _im2col(
    x: Any, *, kernel: Shape, stride: Shape, padding: Shape, dilation: Shape, size: Shape, source: Shape
) -> Any:
    v: View = x._view
    device = v.buffer.device
    batch, channels = v.shape[:2]
    reach = _reach(kernel, stride, dilation, size)
    if any(padding) or any(r > s for r, s in zip(reach, source, strict=True)):
        wide = zeros_view((batch, channels, *reach), v.dtype, device)
        inside = tuple(min(s, r - p) for s, r, p in zip(source, reach, padding, strict=True))
        if v.size and min(inside) > 0:
            target = _part(wide, padding, inside)
            device.backend.map(INPUT, target, _part(v, [0] * len(inside), inside))
        v = wide
    out: View = device.backend.empty((batch, channels, *kernel, *size), v.dtype, device)
    if out.size:
        device.backend.map(INPUT, out, _windows(v, kernel, stride, dilation, size))
    flat = out.reshape((batch, channels * math.prod(kernel), math.prod(size)))
    assert flat is not None
    return new(flat)


def _add_up(total: View, v: View, kernel: Shape, stride: Shape, dilation: Shape, size: Shape) -> None:
    """Add the columns to their places, one element of the window after the other."""
    backend = total.buffer.device.backend
    count = math.prod(kernel)
    place = [0] * len(kernel)
    for k in range(count):
        rest = k
        for i in reversed(range(len(kernel))):
            rest, place[i] = divmod(rest, kernel[i])
        starts = [p * d for p, d in zip(place, dilation, strict=True)]
        target = _part(total, starts, size, stride)
        part = v.narrow(1, k, total.shape[1], count)
        columns = part.reshape(target.shape)
        if columns is None:
            copy = backend.empty(part.shape, v.dtype, v.buffer.device)
            backend.map(INPUT, copy, part)
            columns = copy.reshape(target.shape)
        run_map(backend, _ADD, target, target, columns)


@op()
def _col2im(
    x: Any, *, kernel: Shape, stride: Shape, padding: Shape, dilation: Shape, size: Shape, source: Shape
) -> Any:
    v: View = x._view
    backend, device = v.buffer.device.backend, v.buffer.device
    batch = v.shape[0]
    channels = v.shape[1] // math.prod(kernel)
    # the whole reach of the windows and all of the source, so that every window adds to one box
    whole = tuple(
        max(r, s + p) for r, s, p in zip(_reach(kernel, stride, dilation, size), source, padding, strict=True)
    )
    total = zeros_view((batch, channels, *whole), v.dtype, device)
    apart = all(s > d * (k - 1) for k, s, d in zip(kernel, stride, dilation, strict=True))
    columns = v.reshape((batch, channels, *kernel, *size))
    if v.size and apart and columns is not None:  # no two windows meet: one copy
        backend.map(INPUT, _windows(total, kernel, stride, dilation, size), columns)
    elif v.size:
        _add_up(total, v, kernel, stride, dilation, size)
    if whole == source:
        return new(total)
    out: View = backend.empty((batch, channels, *source), v.dtype, device)
    if out.size:
        backend.map(INPUT, out, _part(total, padding, source))
    return new(out)


@_im2col.backward_rule
def _im2col_backward(needs: Any, grad: Any, **geometry: Any) -> tuple[Any]:
    return (_col2im(grad, **geometry),)


@_col2im.backward_rule
def _col2im_backward(needs: Any, grad: Any, **geometry: Any) -> tuple[Any]:
    return (_im2col(grad, **geometry),)


# -- two spatial axes, with PyTorch's arguments ------------------------------------------------------------
def whole_numbers(value: Any, count: int, name: str, least: int, what: str) -> Shape:
    """``count`` whole numbers from one number, or from a sequence of one or ``count``.

    Raises:
        TypeError: they are no whole numbers.
        ShapeError: there are too few or too many, or one is less than ``least``.
    """
    given = tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else (value,)
    try:
        if any(isinstance(v, bool) for v in given):
            raise TypeError
        numbers = tuple([index(v) for v in given])
    except TypeError:
        raise TypeError(f"{what}: {name} must be an int or {count} ints, got {value!r}") from None
    if len(numbers) == 1:
        numbers *= count
    if len(numbers) != count:
        raise ShapeError(f"{what}: {name} must be an int or {count} ints, got {len(numbers)}: {value!r}")
    if min(numbers) < least:
        word = "negative" if least == 0 else "non-positive"
        raise ShapeError(f"{what}: {word} {name} is not supported, got {value!r}")
    return numbers


def _blocks(
    name: str, source: Shape, kernel_size: Any, dilation: Any, padding: Any, stride: Any
) -> dict[str, Shape]:
    """The geometry, after checks."""
    kernel = whole_numbers(kernel_size, 2, "kernel_size", 1, name)
    dilation = whole_numbers(dilation, 2, "dilation", 1, name)
    padding = whole_numbers(padding, 2, "padding", 0, name)
    stride = whole_numbers(stride, 2, "stride", 1, name)
    size = tuple(
        (s + 2 * p - d * (k - 1) - 1) // t + 1
        for s, p, d, k, t in zip(source, padding, dilation, kernel, stride, strict=True)
    )
    if min(size) < 1:
        raise ShapeError(
            f"{name}: a spatial size of {source} with kernel_size={kernel}, dilation={dilation}, "
            f"padding={padding} and stride={stride} has {size} blocks; there must be at least one each way"
        )
    return {
        "kernel": kernel,
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "size": size,
        "source": source,
    }


def im2col(x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """The blocks that a window passes over, as columns: (N, C, H, W) to (N, C * kh * kw, blocks).

    PyTorch's ``nn.functional.unfold``.  Row ``(c * kh + i) * kw + j`` of column ``(oh, ow)`` has the element
    ``x[n, c, oh * stride - padding + i * dilation, ow * stride - padding + j * dilation]``, 0 outside.

    Raises:
        RuntimeError: the input has not 3 or 4 axes, the window does not fit, or an argument is out of range.
    """
    shape = x._view.shape
    if len(shape) not in (3, 4) or 0 in shape[-3:]:
        raise ShapeError(
            "unfold: expected an input (C, H, W) or (N, C, H, W) whose sizes are not 0, but for the batch; "
            f"got {shape}"
        )
    geometry = _blocks("unfold", shape[-2:], kernel_size, dilation, padding, stride)
    return _im2col(x, **geometry) if len(shape) == 4 else _im2col(x.unsqueeze(0), **geometry).squeeze(0)


def col2im(
    x: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Any:
    """Add columns back to the places they were taken from: (N, C * kh * kw, blocks) to (N, C, H, W).

    PyTorch's ``nn.functional.fold``; it is the transpose of ``im2col``, not its inverse, since elements of
    several blocks add up.

    Raises:
        RuntimeError: the input has not 2 or 3 axes or does not fit the sizes, or an argument is out of range.
    """
    shape = x._view.shape
    if len(shape) not in (2, 3) or 0 in shape[-2:]:
        raise ShapeError(
            "fold: expected an input (C * kernel, blocks) or (N, C * kernel, blocks) whose sizes are not 0, "
            f"but for the batch; got {shape}"
        )
    source = whole_numbers(output_size, 2, "output_size", 1, "fold")
    geometry = _blocks("fold", source, kernel_size, dilation, padding, stride)
    count = math.prod(geometry["kernel"])
    if shape[-2] % count:
        raise ShapeError(
            f"fold: dimension {len(shape) - 2} of the input must be divisible by the {count} elements of "
            f"kernel_size={geometry['kernel']}, got {shape[-2]}"
        )
    if shape[-1] != math.prod(geometry["size"]):
        raise ShapeError(
            f"fold: output_size={source} has {' x '.join(map(str, geometry['size']))} = "
            f"{math.prod(geometry['size'])} blocks, but the input has {shape[-1]}: {shape}"
        )
    return _col2im(x, **geometry) if len(shape) == 3 else _col2im(x.unsqueeze(0), **geometry).squeeze(0)
