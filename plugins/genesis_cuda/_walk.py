"""Walks: strided operands of one shape as few axes as memory allows, and the text that finds an element.

A thread is given the number of an element in the walk. Where an operand lies in that order it needs no more;
for the others the number is divided by the sizes of the axes, from the last one on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from genesis import backend

_NARROW = 1 << 31  # so many elements are numbered with 32 bits, whose division is cheap


def collapse(
    shape: Sequence[int], strides: Sequence[Sequence[int]], keep_order: bool = False
) -> tuple[list[int], list[list[int]]]:
    """As ``genesis.backend.collapse``, with at least one axis."""
    sizes, merged = backend.collapse(shape, strides, keep_order)
    return (sizes, merged) if sizes else ([1], [[1] for _ in strides])


class Walk(NamedTuple):
    """How operands are walked.

    Attributes:
        size: elements.
        axes: how many axes are left.
        patterns: of each operand ``"c"`` (in the order of the walk), ``"0"`` (one element for all), ``"s"``.
        words: the sizes of all axes but the first, then the strides of each operand that needs them.
        wide: 32 bits do not number the elements.
    """

    size: int
    axes: int
    patterns: tuple[str, ...]
    words: tuple[int, ...]
    wide: bool


def walk(shape: Sequence[int], strides: Sequence[Sequence[int]], keep_order: bool = False) -> Walk:
    """Plan a walk over operands of one shape."""
    sizes, merged = collapse(shape, strides, keep_order)
    size = math.prod(sizes)
    row_major: list[int] = []
    n = 1
    for s in reversed(sizes):
        row_major.insert(0, n)
        n *= s
    patterns: list[str] = []
    words = list(sizes[1:])
    for own in merged:
        if own == row_major:
            patterns.append("c")
        elif not any(own):
            patterns.append("0")
        else:
            patterns.append("s")
            words += own
    if "s" not in patterns:
        return Walk(size, 1, tuple(patterns), (), size >= _NARROW)
    return Walk(size, len(sizes), tuple(patterns), tuple(words), size >= _NARROW)


class Text(NamedTuple):
    """Pieces of a kernel: its parameters, lines that split ``i``, and where the operands' elements lie."""

    parameters: list[str]
    lines: list[str]
    places: list[str]


def text(plan: Walk) -> Text:
    """The text for a walk; the number of the element is ``i``."""
    axes = plan.axes
    parameters = [f"n{d}" for d in range(1, axes)]
    lines: list[str] = []
    rest = "i"
    for d in range(axes - 1, 0, -1):
        if plan.wide:
            lines += [f"j{d} = {rest} % n{d}", f"k{d} = {rest} // n{d}"]
        else:
            lines += [f"j{d} = umod({rest}, n{d})", f"k{d} = udiv({rest}, n{d})"]
        rest = f"k{d}"
    lines.append(f"j0 = {rest}")
    places: list[str] = []
    for k, pattern in enumerate(plan.patterns):
        if pattern == "s":
            parameters += [f"s{k}_{d}" for d in range(axes)]
            places.append(" + ".join(f"j{d} * s{k}_{d}" for d in range(axes)))
        else:
            places.append("i" if pattern == "c" else "0")
    return Text(parameters, lines if axes > 1 or "s" in plan.patterns else [], places)
