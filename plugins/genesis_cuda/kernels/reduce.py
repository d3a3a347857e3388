"""``reduce``: sums, products, extremes and where they are, always added up in the same order."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from genesis.backend import Shape, View, arg, cast
from genesis_cuda import _walk
from genesis_cuda._copies import empty
from genesis_cuda._driver import Unit
from genesis_cuda._kernel import Kernel, blocks_for
from genesis_cuda._memory import address, handle
from genesis_cuda._sizes import MANY, THREADS
from genesis_cuda.kernels import _reductions
from genesis_cuda.kernels import map as elementwise

_LIMIT = 2048  # plans kept
_SHORT = 32  # elements of an output that one thread does
_CHAIN = 1024  # that it does at most: a long chain of additions rounds too often
_RESIDENT = 2048  # threads that a multiprocessor holds


class _Plan(NamedTuple):
    kernel: Kernel
    blocks: int
    words: tuple[int, ...]
    parts: int


_plans: dict[Any, _Plan] = {}
_kernels: dict[Any, Kernel] = {}
#: what was compiled in this process: the operation, and which kernel
used: set[tuple[str, str]] = set()


def run(op: str, out: View, x: View) -> None:
    """``Backend.reduce``."""
    if not out.size:
        return
    target = handle(out)
    unit = target.unit
    key = (unit, op, out.dtype, out.shape, out.strides, x.dtype, x.shape, x.strides)
    found = _plans.get(key)
    if found is None:
        axes = [i for i, (a, b) in enumerate(zip(x.shape, out.shape, strict=True)) if a != b]
        if not x.size:
            elementwise.run(cast(arg(0), out.dtype), out, (1 if op == "prod" else 0,))
            return
        if not axes:
            value = arg(1) if op.startswith("arg") else arg(0)
            elementwise.run(cast(value, out.dtype), out, (x, 0))
            return
        if len(_plans) >= _LIMIT:
            _plans.clear()
        found = _plans[key] = _plan(unit, op, out, x, axes)
    target.bounds = None
    if found.parts == 1:
        found.kernel(unit, found.blocks, (*found.words, address(out), address(x)))
        return
    partial = empty((found.parts, *out.shape), out.dtype, out.buffer.device)
    found.kernel(unit, found.blocks, (*found.words, address(partial), address(x)))
    run(op, out.unsqueeze(0), partial)


def _plan(unit: Unit, op: str, out: View, x: View, axes: list[int]) -> _Plan:
    kept = [i for i in range(x.ndim) if i not in axes]
    outputs, length = out.size, math.prod(x.shape[i] for i in axes)
    neighbours = any(x.strides[i] == 1 and x.shape[i] > 1 for i in kept)
    by_thread = length <= _SHORT or (neighbours and outputs >= THREADS // 8)
    parts = _parts(unit, op, outputs, length, by_thread)
    chunk = -(-length // parts)
    parts = -(-length // chunk)  # none of them is empty
    strides = out.strides if parts == 1 else _row_major(out.shape)
    sizes, (ins, outs) = _walk.collapse(
        [x.shape[i] for i in kept], [[x.strides[i] for i in kept], [strides[i] for i in kept]]
    )
    # the position counts for an argument, so its axes keep their order (there is one)
    lengths, (steps,) = _walk.collapse(
        [x.shape[i] for i in axes], [[x.strides[i] for i in axes]], keep_order=op.startswith("arg")
    )
    wide = x.size >= 1 << 31
    form = _reductions.Form(op, out.dtype, x.dtype, len(sizes), len(lengths), wide)
    kind = "thread" if by_thread else "block"
    kernel = _kernels.get((form, kind))
    if kernel is None:
        used.add((op, kind))
        text = getattr(_reductions, kind)(form)
        kernel = _kernels[form, kind] = Kernel(f"reduce_{kind}", text, form.parameters)
    words = (outputs, parts, chunk, outputs, *sizes[1:], *outs, *ins, length, *lengths[1:], *steps)
    items = outputs * parts
    blocks = blocks_for(unit, items) if by_thread else min(items, MANY * unit.processors)
    return _Plan(kernel, blocks, words, parts)


def _parts(unit: Unit, op: str, outputs: int, length: int, by_thread: bool) -> int:
    """In how many parts to reduce an output, so that there is work for the whole GPU."""
    if op.startswith("arg"):
        return 1
    if by_thread:
        wanted = max(_RESIDENT * unit.processors // outputs, -(-length // _CHAIN))
        return max(1, min(wanted, length // 64))
    return max(1, min(MANY * unit.processors // outputs, length // (4 * THREADS)))


def _row_major(shape: Shape) -> Shape:
    strides: list[int] = []
    n = 1
    for s in reversed(shape):
        strides.insert(0, n)
        n *= s
    return tuple(strides)
