"""Walks: one kernel text for strided operands of one shape, however their axes lie in memory.

The axes are merged where all operands allow it. The last one left is the inner axis; the others are outer,
and a row is one position in them. A work item does a block of rows and a part of the inner axis: a large
block on a CPU, one element on a GPU.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from genesis import backend
from genesis_opencl._unit import Unit, words_text

GRAIN = 16384  # additions that are worth another work item of a CPU
SMALL = 4096  # below so many elements, a kernel of its own for a layout is not worth its compilation


def collapse(
    shape: Sequence[int], strides: Sequence[Sequence[int]], keep_order: bool = False
) -> tuple[list[int], list[list[int]]]:
    """As ``genesis.backend.collapse``, with at least one axis."""
    sizes, merged = backend.collapse(shape, strides, keep_order)
    return (sizes, merged) if sizes else ([1], [[1] for _ in strides])


class Layout(NamedTuple):
    """What of a walk the text of a kernel depends on.

    Attributes:
        patterns: for each operand the stride of the inner axis: "1", "0" or "s" (any); or "=": the operand
            is the first one once more.
        outer: room for so many outer axes.
        wide: positions need 64 bits.
    """

    patterns: tuple[str, ...]
    outer: int
    wide: bool


class Walk(NamedTuple):
    """One walk: its layout, into how many work items it is divided, and the words that a launch needs."""

    layout: Layout
    items: int
    words: tuple[int, ...]


def plan(
    unit: Unit,
    sizes: Sequence[int],
    strides: Sequence[Sequence[int]],
    same: Sequence[bool] = (),
    weight: float = 1.0,
) -> Walk:
    """Divide a walk among work items.

    Args:
        sizes, strides: as `collapse` returns them.
        same: which operands are the first one once more.
        weight: what an element costs, in additions.
    """
    *outer, inner = sizes
    rows = math.prod(outer)
    total = rows * inner
    patterns: list[str] = []
    for k, s in enumerate(strides):
        if same and same[k]:
            patterns.append("=")
        elif outer and total < SMALL:
            patterns.append("s")
        else:
            patterns.append(str(s[-1]) if s[-1] in (0, 1) else "s")
    block, part = split(unit, rows, inner, weight)
    parts = -(-inner // part)
    items = -(-rows // block) * parts
    words = [items, inner, rows, part, parts, block, len(outer), *[s[-1] for s in strides]]
    room = next(n for n in (0, 3, 7, len(outer)) if n >= len(outer))  # few numbers make few texts
    for row in (outer, *[s[:-1] for s in strides]):
        words += [*reversed(row), *[0] * (room - len(row))]
    return Walk(Layout(tuple(patterns), room, total >= 1 << 31), items, tuple(words))


def split(unit: Unit, rows: int, inner: int, weight: float) -> tuple[int, int]:
    """Rows, and elements of a row, for one work item."""
    if not unit.serial:
        return 1, 1
    pieces = int(min(unit.workers * 4, max(1, rows * inner * weight // GRAIN)))
    if rows >= pieces:
        return -(-rows // pieces), inner
    pieces = max(1, pieces // rows)
    return 1, -(-inner // pieces // 64) * 64 or inner


def launch_size(unit: Unit, items: int) -> tuple[tuple[int], tuple[int]]:
    """Groups and their size for so many independent work items."""
    if unit.serial:
        return (items,), (1,)
    return (-(-items // unit.local),), (unit.local,)


_HEAD = 7  # words before the strides


def words_before(layout: Layout) -> int:
    """Where a launch's own words begin: the offset of each operand, and then what the caller adds."""
    count = len(layout.patterns)
    return _HEAD + count + layout.outer * (1 + count)


def text(
    layout: Layout,
    types: Sequence[str],
    extra: int,
    body: Callable[[Sequence[str]], Sequence[str]],
    functions: str = "",
    *,
    once: Sequence[str] = (),
    hoisted: Sequence[str] = (),
    around: tuple[str, str] = ("", ""),
    step: int = 1,
    also: Sequence[str] = (),
) -> str:
    """The kernel that walks.

    Args:
        types: of each operand in OpenCL C, with `const` before those that are only read.
        extra: words that the caller adds after the offsets of the operands.
        body: from the texts of the operands' elements to the lines for one element.
        functions: what the lines call.
        once, hoisted: lines at the beginning, and before each inner loop.
        around: what opens and closes a loop around the inner one.
        step: elements that the body does at a time.
        also: further parameters, after the operands.
    """
    patterns, room, wide = layout
    count = len(patterns)
    operands = [k for k in range(count) if patterns[k] != "="]
    own = words_before(layout)
    lines = [
        "const long item = get_global_id(0);",
        "if (item >= m.w[0]) return;",
        "const long inner = m.w[1];",
        "const long first = item % m.w[4] * m.w[3], last = min(first + m.w[3], inner);",
        *[f"const long s{k} = m.w[{_HEAD + k}];" for k in operands if patterns[k] == "s"],
        *once,
    ]
    if room:
        sizes, position = _HEAD + count, "ulong" if wide else "uint"
        lines += [
            "const long row0 = item / m.w[4] * m.w[5], row1 = min(row0 + m.w[5], m.w[2]);",
            "for (long row = row0; row < row1; row++) {",
            *[f"long o{k} = m.w[{own + k}];" for k in operands],
            f"{position} rest = ({position})row;",
            "for (int d = 0; d < (int)m.w[6]; d++) {",
            f"const {position} size = ({position})m.w[{sizes} + d];",
            "const long j = rest % size; rest /= size;",
            *[f"o{k} += j * m.w[{sizes + room * (1 + k)} + d];" for k in operands],
            "}",
        ]
    else:
        lines += ["const long row = 0;", "{", *[f"const long o{k} = m.w[{own + k}];" for k in operands]]
    inner = {"1": " + i", "0": "", "s": " + i * s{k}", "=": ""}
    elements = [f"p{k}[o{k}{inner[p].format(k=k)}]" for k, p in enumerate(patterns)]
    lines += [
        around[0],
        *hoisted,
        f"for (long i = first; i < last; i += {step}) {{",
        *body(elements),
        "}",
        around[1],
        "}",
    ]
    parameters = [*[f"__global {types[k]}* p{k}" for k in operands], *also, "const Words m"]
    content = "\n  ".join(line for line in lines if line)
    head = words_text(own + count + extra) + functions
    return f"{head}__kernel void run({', '.join(parameters)}) {{\n  {content}\n}}\n"
