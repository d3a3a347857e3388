"""Where the elements of a convolution lie: tables of distances, made once for each geometry.

A gathering is what forward convolutions and their transposes have in common: result ``p`` is the sum over
taps ``t`` of the source at ``pixel[p] + tap[t]`` times a weight.  A transpose with stride s is s gatherings
for each axis, one for each remainder of the place in the result, with those taps that meet a source element.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np

Ints = tuple[int, ...]
Table = np.ndarray[tuple[int], np.dtype[np.int64]]

#: taps behind the last one, so that a tile of taps may be cut short
SPARE = 32


@dataclass(frozen=True)
class Axis:
    """One axis of one phase: coordinates in the source, which taps they are, and places in the result."""

    pixels: Table
    taps: Table
    kernel: Table
    target: Table


@dataclass(frozen=True)
class Phase:
    """A part of the result whose elements have the same taps.

    Attributes:
        taps: distance in bytes for each channel of a group and tap, ``SPARE`` more behind.
        count: how many there are.
        pixels: distance in bytes for each result of one image.
        weights: for each of ``taps``: which element of the weight, without that of the result's channel.
        target: for each result its place in the image, or None where they follow one another.
    """

    taps: Table
    count: int
    pixels: Table
    weights: Table
    target: Table | None


@dataclass(frozen=True)
class Gathering:
    """A whole result.

    Attributes:
        phases: its parts.
        padded: whether the source has to be copied into a box with a border.
        box: the shape of a channel of the source as it is walked (three axes).
        inside: three lengths: the part of the source that is copied.
        source_start, box_start: where that part begins, in elements of one channel.
        source: the shape of a channel of the source.
        wide: whether the weights of one result follow one another in the order of the taps.
    """

    phases: tuple[Phase, ...]
    padded: bool
    box: Ints
    inside: Ints
    source_start: int
    box_start: int
    source: Ints
    wide: bool


def _forward(size: int, kernel: int, stride: int, padding: int, dilation: int) -> list[Axis]:
    steps = np.arange(kernel, dtype=np.int64)
    places = np.arange(size, dtype=np.int64)
    return [Axis(places * stride, steps * dilation - padding, steps, places)]


def backward_axis(size: int, kernel: int, stride: int, padding: int, dilation: int) -> list[Axis]:
    """``i + padding = o * stride + k * dilation`` for the places i of each remainder."""
    found = []
    steps = np.arange(kernel, dtype=np.int64)
    for r in range(stride):
        first = (r - padding) % stride
        places = np.arange(first, size, stride, dtype=np.int64)
        if len(places):
            mine = steps[steps * dilation % stride == r]
            found.append(
                Axis((places + padding - r) // stride, -(mine * dilation - r) // stride, mine, places)
            )
    return found


def three(values: Ints, fill: int) -> Ints:
    return (fill,) * (3 - len(values)) + tuple(values)


def _sum(parts: list[Table], strides: Ints) -> Table:
    """Every combination of coordinates of the axes, as one distance each."""
    total = np.zeros((), np.int64)
    for axis, stride in zip(parts, strides, strict=True):
        total = np.add.outer(total, axis * stride)
    return np.ascontiguousarray(total.reshape(-1))


@lru_cache(512)
def gathering(
    transposed: bool,
    source: Ints,
    kernel: Ints,
    size: Ints,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    channels: int,
    results: int,
    itemsize: int,
) -> Gathering:
    """The tables of a convolution, or of a transpose.

    Args:
        source, kernel, size: lengths of the axes of the source, of the kernel and of the result.
        channels, results: of one group, of the source and of the result.
    """
    source, kernel, size = three(source, 1), three(kernel, 1), three(size, 1)
    stride, padding, dilation = three(stride, 1), three(padding, 0), three(dilation, 1)
    make = backward_axis if transposed else _forward
    axes = [make(*numbers) for numbers in zip(size, kernel, stride, padding, dilation, strict=True)]
    low, high = [0, 0, 0], [0, 0, 0]
    for i, phases in enumerate(axes):
        spans = [
            (int(a.pixels[0] + a.taps.min()), int(a.pixels[-1] + a.taps.max())) for a in phases if len(a.taps)
        ]
        if spans:
            low[i], high[i] = min(s[0] for s in spans), max(s[1] for s in spans)
    padded = min(low) < 0 or any(h >= s for h, s in zip(high, source, strict=True))
    if padded:
        box = tuple(h - n + 1 for n, h in zip(low, high, strict=True))
    else:
        box, low = source, [0, 0, 0]
    steps = (box[1] * box[2], box[2], 1)
    plane = math.prod(box)
    whole = math.prod(kernel)
    walk = (kernel[1] * kernel[2], kernel[2], 1)
    made = []
    for combination in product(*axes):
        # a phase without taps has results, too: the bias alone
        taps = _sum([a.taps for a in combination], steps)
        offsets = np.add.outer(np.arange(channels) * plane, taps).reshape(-1) - _sum(
            [np.array([n]) for n in low], steps
        )
        spare = offsets[-1:] if len(offsets) else np.zeros(1, np.int64)
        per_channel = results * whole if transposed else whole
        weights = np.add.outer(
            np.arange(channels) * per_channel, _sum([a.kernel for a in combination], walk)
        ).reshape(-1)
        target = None
        if any(len(a) > 1 for a in axes):
            target = _sum([a.target for a in combination], (size[1] * size[2], size[2], 1))
        made.append(
            Phase(
                np.concatenate([offsets, np.repeat(spare, SPARE)]) * itemsize,
                len(offsets),
                _sum([a.pixels for a in combination], steps) * itemsize,
                weights,
                target,
            )
        )
    begin = [max(0, n) for n in low]
    inside = tuple(max(0, min(s, h + 1) - b) for s, h, b in zip(source, high, begin, strict=True))
    return Gathering(
        tuple(made),
        padded,
        box,
        inside,
        (begin[0] * source[1] + begin[1]) * source[2] + begin[2],
        ((begin[0] - low[0]) * box[1] + begin[1] - low[1]) * box[2] + begin[2] - low[2],
        source,
        not transposed,
    )
