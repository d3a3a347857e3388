"""Where the elements of a convolution lie: tables of distances, made once for each geometry.

The three maps of a convolution are products of the same kind.  A row and an off (a column of the left factor)
meet at the element ``rows[i] + offs[t]`` of the source:

    forward    rows: places of the result                  offs: channels and taps
    backward   rows: places with one remainder mod stride  offs: channels and the taps that fit the remainder
    weight     rows: channels and taps                     offs: places of the result

Where the source has a border, rows may be cut into phases whose rows meet the same offs inside the source, so
that nothing is multiplied by the zeros of the border.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Literal

import numpy as np

Ints = tuple[int, ...]
Table = np.ndarray[tuple[int], np.dtype[np.int64]]
Kind = Literal["forward", "backward", "weight"]

#: rows behind the last one, so that the last tile may be cut short
SPARE = 32


@dataclass(frozen=True)
class Axis:
    """Rows and offs along one axis: coordinates in the source, and which they are."""

    rows: Table
    row_ids: Table
    offs: Table
    off_ids: Table

    def cut(self, length: int) -> list[Axis]:
        """Parts whose rows meet the same offs within the source."""
        inside = np.add.outer(self.rows, self.offs)
        inside = (inside >= 0) & (inside < length)
        kinds, which = np.unique(inside, axis=0, return_inverse=True)
        which = which.reshape(-1)
        return [
            Axis(self.rows[which == i], self.row_ids[which == i], self.offs[kind], self.off_ids[kind])
            for i, kind in enumerate(kinds)
        ]


@dataclass(frozen=True)
class Phase:
    """A product: ``rows`` and ``offs`` in bytes; the ids count places of an image, or (channel, tap)."""

    rows: Table
    row_ids: Table
    offs: Table
    off_ids: Table


@dataclass(frozen=True)
class Layout:
    """All products of one map, and the box with a border that the source is copied into if ``padded``.

    Attributes:
        box: the shape of a channel of the source as it is walked (three axes).
        inside: three lengths: the part of the source that is copied.
        source_start, box_start: where that part begins, in elements of one channel.
        source: the shape of a channel of the source.
    """

    phases: tuple[Phase, ...]
    padded: bool
    box: Ints
    inside: Ints
    source_start: int
    box_start: int
    source: Ints


def forward_axis(size: int, kernel: int, stride: int, padding: int, dilation: int) -> list[Axis]:
    """``i = o * stride - padding + k * dilation``."""
    steps, places = np.arange(kernel, dtype=np.int64), np.arange(size, dtype=np.int64)
    return [Axis(places * stride, places, steps * dilation - padding, steps)]


def weight_axis(size: int, kernel: int, stride: int, padding: int, dilation: int) -> list[Axis]:
    """The same with rows and offs exchanged; ``size`` is that of the convolution's result."""
    return [
        Axis(a.offs, a.off_ids, a.rows, a.row_ids)
        for a in forward_axis(size, kernel, stride, padding, dilation)
    ]


def backward_axis(size: int, kernel: int, stride: int, padding: int, dilation: int) -> list[Axis]:
    """``o = (i + padding - k * dilation) / stride`` for the places i of each remainder."""
    found = []
    steps = np.arange(kernel, dtype=np.int64)
    for r in range(stride):
        places = np.arange((r - padding) % stride, size, stride, dtype=np.int64)
        if len(places):
            mine = steps[steps * dilation % stride == r]
            found.append(
                Axis((places + padding - r) // stride, places, -(mine * dilation - r) // stride, mine)
            )
    return found


def three(values: Ints, fill: int) -> Ints:
    """Three axes for fewer."""
    return (fill,) * (3 - len(values)) + tuple(values)


def _sum(parts: list[Table], strides: Ints) -> Table:
    """Every combination of coordinates of the axes, as one distance each."""
    total = np.zeros((), np.int64)
    for axis, stride in zip(parts, strides, strict=True):
        total = np.add.outer(total, axis * stride)
    return np.ascontiguousarray(total.reshape(-1))


def _with_channels(table: Table, channels: int, each: int) -> Table:
    return np.add.outer(np.arange(channels, dtype=np.int64) * each, table).reshape(-1)


def _extent(axes: list[list[Axis]]) -> tuple[Ints, Ints]:
    """The smallest and the largest coordinate of each axis."""
    low, high = [0, 0, 0], [0, 0, 0]
    for i, phases in enumerate(axes):
        met = [a for a in phases if len(a.offs)]
        if met:
            low[i] = min(int(a.rows.min() + a.offs.min()) for a in met)
            high[i] = max(int(a.rows.max() + a.offs.max()) for a in met)
    return tuple(low), tuple(high)


@lru_cache(32)
def layout(
    kind: Kind,
    cut: int,
    source: Ints,
    kernel: Ints,
    size: Ints,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    channels: int,
    itemsize: int,
) -> Layout:
    """The tables of one map.

    Args:
        cut: 0: rows are not cut, 1: along all axes but the last, 2: along all.
        source, kernel, size: lengths of the axes of the source, of the kernel and of the result (for
            ``weight`` that of the convolution).
        channels: of one group of the source.
    """
    source, kernel, size = three(source, 1), three(kernel, 1), three(size, 1)
    stride, padding, dilation = three(stride, 1), three(padding, 0), three(dilation, 1)
    make = {"forward": forward_axis, "backward": backward_axis, "weight": weight_axis}[kind]
    axes = [make(*numbers) for numbers in zip(size, kernel, stride, padding, dilation, strict=True)]
    for i in range((0, 2, 3)[cut]):
        axes[i] = [part for a in axes[i] for part in a.cut(source[i])]
    low, high = _extent(axes)
    padded = min(low) < 0 or any(h >= s for h, s in zip(high, source, strict=True))
    if padded:
        box = tuple(h - n + 1 for n, h in zip(low, high, strict=True))
    else:
        box, low = source, (0, 0, 0)
    steps = (box[1] * box[2], box[2], 1)
    start = sum(n * s for n, s in zip(low, steps, strict=True))
    plane, taps = math.prod(box), math.prod(kernel)
    by_place, by_tap = (size[1] * size[2], size[2], 1), (kernel[1] * kernel[2], kernel[2], 1)
    made = []
    for parts in product(*axes):
        rows, offs = _sum([a.rows for a in parts], steps), _sum([a.offs for a in parts], steps)
        weight = kind == "weight"
        row_ids = _sum([a.row_ids for a in parts], by_tap if weight else by_place)
        off_ids = _sum([a.off_ids for a in parts], by_place if weight else by_tap)
        if weight:
            rows, row_ids = _with_channels(rows, channels, plane), _with_channels(row_ids, channels, taps)
        else:
            offs, off_ids = _with_channels(offs, channels, plane), _with_channels(off_ids, channels, taps)
        made.append(Phase((rows - start) * itemsize, row_ids, offs * itemsize, off_ids))
    begin = [max(0, n) for n in low]
    inside = tuple(max(0, min(s, h + 1) - b) for s, h, b in zip(source, high, begin, strict=True))
    return Layout(
        tuple(made),
        padded,
        box,
        inside,
        (begin[0] * source[1] + begin[1]) * source[2] + begin[2],
        ((begin[0] - low[0]) * box[1] + begin[1] - low[1]) * box[2] + begin[2] - low[2],
        source,
    )
