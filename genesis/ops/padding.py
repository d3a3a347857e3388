"""Padding: elements added to the borders of a tensor, or taken away where a width is negative."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import TYPE_CHECKING, Any

from genesis._dtypes import bool_
from genesis._errors import ShapeError
from genesis.autograd.graph import Node
from genesis.backend.expr import INPUT
from genesis.backend.view import View
from genesis.ops._autocast import in_full_on_cpu
from genesis.ops._op import primitive
from genesis.ops._view import fill_view
from genesis.ops.joining import cat
from genesis.ops.parts import narrow
from genesis.ops.rearranging import flip
from genesis.ops.shape import clone, expand

if TYPE_CHECKING:
    from genesis._tensor import Tensor

#: (before, after) of each axis
Widths = tuple[tuple[int, int], ...]

MODES = ("constant", "reflect", "replicate", "circular")


@primitive("constant_pad")
def _constant_pad(node: Node, grad: Any) -> tuple[Any]:
    return (_padded(grad, tuple([(-a, -b) for a, b in node.options]), 0.0),)


def _padded(x: Any, widths: Widths, value: Any) -> Tensor:
    """``x`` between ``value``; its gradient is the same with the widths negated."""
    source: View = x._view
    shape = tuple([n + a + b for n, (a, b) in zip(source.shape, widths, strict=True)])
    backend = source.buffer.device.backend
    out = backend.empty(shape, source.dtype, source.buffer.device)
    if any(a > 0 or b > 0 for a, b in widths):
        fill_view(out, value)
    part = out
    for axis, (a, b) in enumerate(widths):
        length = source.shape[axis] + min(a, 0) + min(b, 0)
        if length <= 0:
            return _constant_pad.wrap(out, (x,), (), widths)
        source = source.narrow(axis, max(-a, 0), length)
        part = part.narrow(axis, max(a, 0), length)
    if part.size:
        backend.map(INPUT, part, source)
    return _constant_pad.wrap(out, (x,), (), widths)


def _sizes(pad: Any) -> tuple[int, ...]:
    if not isinstance(pad, Sequence) or isinstance(pad, str):
        raise TypeError(
            f"pad: the widths are a tuple of ints (left, right, top, bottom, …), got {type(pad).__name__} "
            f"{pad!r}"
        )
    try:
        widths = tuple([index(p) for p in pad])
    except TypeError:
        raise TypeError(f"pad: the widths are a tuple of ints, got {tuple(pad)!r}") from None
    if len(widths) % 2:
        raise RuntimeError(f"padding length must be divisible by 2, got the {len(widths)} widths {widths}")
    return widths


def pad(x: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """Add elements before and after the last axes of ``x``, or take some away.

    Args:
        x: any shape for ``constant``; else ``(C, …)`` or ``(N, C, …)`` with 1 to 3 axes to pad.
        pad: ``(left, right, top, bottom, front, back, …)``, the last axis first; negative widths crop.
        mode: ``"constant"``; ``"reflect"`` (without repeating the border); ``"replicate"`` the border;
            ``"circular"``: what falls off comes in at the other end.
        value: what ``constant`` fills with, 0 unless given.

    Raises:
        RuntimeError: an odd number of widths, more than the axes, or larger than the axis allows.
        NotImplementedError: an unknown mode, or axes that a mode does not pad.
    """
    widths = _sizes(pad)
    ndim = x.dim()
    if len(widths) > 2 * ndim:
        raise RuntimeError(
            "padding length should be less than or equal to two times the input dimension but got padding "
            f"length {len(widths)} and input of dimension {ndim}"
        )
    if mode == "constant":
        return constant_pad_nd(x, widths, 0 if value is None else value)
    if value:
        raise RuntimeError(f'padding mode "{mode}" doesn\'t take in a value, got {value}')
    if mode not in MODES:
        raise NotImplementedError(f"unrecognised padding mode {mode!r}; use one of {', '.join(MODES)}")
    axes = len(widths) // 2
    if not 1 <= axes <= 3 or ndim not in (axes + 1, axes + 2):
        raise NotImplementedError(
            f"{mode} padding of size {len(widths)} is not supported for {ndim}D input tensor; it pads the "
            "last 1 to 3 axes of (C, …) or (N, C, …)"
        )
    if mode != "circular":
        if x.dtype is bool_:
            raise NotImplementedError(f"{mode} padding is not implemented for bool; convert with .byte()")
        if 0 in x.shape[ndim - axes - 1 :]:
            raise ShapeError(
                f"{mode} padding expects an input with non-zero sizes (only the batch may be empty), got "
                f"{tuple(x.shape)}"
            )
    for i in range(axes):
        before, after = widths[2 * i : 2 * i + 2]
        if before or after:
            x = _AXIS[mode](x, ndim - 1 - i, before, after)
    return x if any(widths) else clone(x)


def constant_pad_nd(x: Tensor, pad: Sequence[int], value: float = 0) -> Tensor:
    """``pad`` of mode ``constant``."""
    widths = _sizes(pad)
    ndim = x.dim()
    if len(widths) > 2 * ndim:
        raise RuntimeError(f"constant_pad_nd: {len(widths)} widths for an input of dimension {ndim}")
    pairs = [(0, 0)] * ndim
    for i in range(len(widths) // 2):
        pairs[ndim - 1 - i] = (widths[2 * i], widths[2 * i + 1])
    for axis, (before, after) in enumerate(pairs):
        n = x._view.shape[axis]
        if n + before + after < 0 or n + min(before, 0) < 0 or n + min(after, 0) < 0:
            raise ShapeError(
                f"pad: the input size {n} plus negative padding {before} and {after} results in a negative "
                f"size, which is invalid; check dimension {axis} of your input"
            )
    return _padded(x, tuple(pairs), value)


def _cropped(x: Any, axis: int, before: int, after: int, mode: str) -> Any:
    """Without what negative widths take away."""
    length = x.shape[axis] + min(before, 0) + min(after, 0)
    if length < (0 if mode == "circular" else 1):
        raise ShapeError(
            f"{mode} padding: the size {x.shape[axis]} of axis {axis} with padding {(before, after)} leaves "
            f"{length} elements"
        )
    return narrow(x, axis, max(-before, 0), length) if length < x.shape[axis] else x


@in_full_on_cpu
def _reflect(x: Any, axis: int, before: int, after: int) -> Any:
    n = x.shape[axis]
    if before >= n or after >= n:
        raise ShapeError(
            "padding size should be less than the corresponding input dimension, but got: padding "
            f"{(before, after)} at dimension {axis} of input {list(x.shape)}"
        )
    parts = [x]
    if before > 0:
        parts.insert(0, flip(narrow(x, axis, 1, before), axis))
    if after > 0:
        parts.append(flip(narrow(x, axis, n - 1 - after, after), axis))
    x = cat(parts, axis) if len(parts) > 1 else x
    return _cropped(x, axis, min(before, 0), min(after, 0), "reflect")


@in_full_on_cpu
def _replicate(x: Any, axis: int, before: int, after: int) -> Any:
    n = x.shape[axis]
    parts = [x]
    for width, place, at in ((before, 0, 0), (after, n - 1, 2)):
        if width > 0:
            shape = list(x.shape)
            shape[axis] = width
            parts.insert(at, expand(narrow(x, axis, place, 1), shape))
    return _cropped(
        cat(parts, axis) if len(parts) > 1 else x, axis, min(before, 0), min(after, 0), "replicate"
    )


def _circular(x: Any, axis: int, before: int, after: int) -> Any:
    n = x.shape[axis]
    x = _cropped(x, axis, before, after, "circular")
    left = x.shape[axis]
    if max(before, after) > (n if left == n else left):
        raise ShapeError(
            f"padding value causes wrapping around more than once: {(before, after)} at dimension {axis} of "
            f"size {left}"
        )
    parts = [x]
    if before > 0:
        parts.insert(0, narrow(x, axis, left - before, before))
    if after > 0:
        parts.append(narrow(x, axis, 0, after))
    return cat(parts, axis) if len(parts) > 1 else x


_AXIS = {"reflect": _reflect, "replicate": _replicate, "circular": _circular}
