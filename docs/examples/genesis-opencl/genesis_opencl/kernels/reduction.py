"""`reduce`: sums, products, extremes and where they are.

Three kernels, of `_reductions`. On a CPU a work item goes along the elements of one output after the other,
or of a block of outputs at once where these are neighbours in the input. On a GPU a group of work items
shares one output and joins in local memory what each has found; many outputs have a work item each.
"""

from __future__ import annotations

import math
from typing import Any

from genesis.backend import Shape, View, arg, cast
from genesis_opencl import _walk
from genesis_opencl._memory import memory
from genesis_opencl._unit import Kernel, Unit
from genesis_opencl.kernels import _reductions, elementwise

_LONG = 1 << 16  # elements of one output that are worth being reduced in parts
_SHORT = 64  # elements of one output that a single work item of a GPU does
_LIMIT = 2048  # plans kept

_plans: dict[Any, tuple[Kernel, tuple[int, ...], tuple[int, ...], tuple[int, ...]]] = {}


def in_parts(unit: Unit, op: str, out: View, x: View) -> tuple[View, Shape] | None:
    """Where few outputs of many elements would leave workers idle: `x` with its longest axis divided.

    Returns:
        (divided, shape): a view with one axis more, and the shape of its reduction; the parts, along the last
        axis of that, are still to be reduced. None where it is best done at once.
    """
    if op.startswith("arg") or out.size >= unit.workers or x.size < _LONG * max(1, out.size):
        return None
    axis = max((i for i, n in enumerate(out.shape) if n == 1), key=lambda i: x.shape[i])
    length, stride = x.shape[axis], x.strides[axis]
    most = min(unit.workers if unit.serial else 16 * unit.workers, length // 64)
    parts = next((n for n in range(most, 1, -1) if length % n == 0), 1)
    if parts == 1:
        return None
    each = length // parts
    shape = (*x.shape[:axis], each, *x.shape[axis + 1 :], parts)
    return x.like(shape, (*x.strides, stride * each)), (*out.shape, parts)


def run(unit: Unit, op: str, out: View, x: View) -> None:
    """`Backend.reduce`."""
    if not out.size:
        return
    memory(out).bounds = None
    key = (unit, op, out.dtype, out.shape, out.strides, x.dtype, x.shape, x.strides)
    found = _plans.get(key)
    if found is None:
        axes = [i for i, (a, b) in enumerate(zip(x.shape, out.shape, strict=True)) if a != b]
        if not x.size:
            elementwise.run(unit, cast(arg(0), out.dtype), out, (1 if op == "prod" else 0,))
            return
        if not axes:
            value = arg(1) if op.startswith("arg") else arg(0)
            elementwise.run(unit, cast(value, out.dtype), out, (x, 0))
            return
        if len(_plans) >= _LIMIT:
            _plans.clear()
        found = _plans[key] = _plan(unit, op, out, x, axes)
    kernel, groups, local, words = found
    kernel(groups, local, (memory(out).buffer, memory(x).buffer), (*words, out.offset, x.offset))


def _plan(unit: Unit, op: str, out: View, x: View, axes: list[int]) -> Any:
    kept = [i for i in range(len(x.shape)) if i not in axes]
    sizes, (out_strides, in_strides) = _walk.collapse(
        [x.shape[i] for i in kept], [[v.strides[i] for i in kept] for v in (out, x)]
    )
    reduced, (steps,) = _walk.collapse([x.shape[i] for i in axes], [[x.strides[i] for i in axes]])
    outputs, length = math.prod(sizes), math.prod(reduced)
    room, depth = max(3, len(sizes)), max(3, len(reduced))  # few numbers make few texts
    words = [outputs, len(sizes), length, len(reduced), reduced[-1], steps[-1], sizes[-1], out_strides[-1]]
    for row, space in zip(
        (sizes, out_strides, in_strides, reduced, steps), [room] * 3 + [depth] * 2, strict=True
    ):
        words += [*reversed(row), *[1] * (space - len(row))]
    parts = _reductions.Parts(op, out.dtype, x.dtype, room, depth, unit.fp64)
    neighbours = outputs > 1 and in_strides[-1] == 1
    per = 1
    if unit.serial and neighbours and steps[-1] != 1 and not parts.finds:
        items = -(-sizes[-1] // _reductions.BLOCK) * (outputs // sizes[-1])
        text = _reductions.columns(parts)
    elif unit.serial or length <= _SHORT or (neighbours and outputs >= 64 * unit.workers):
        if unit.serial:
            per = -(-outputs // min(unit.workers * 4, max(1, x.size // _walk.GRAIN)))
        items = -(-outputs // per)
        text = _reductions.rows(parts, adjacent=steps[-1] == 1)
    else:
        text = _reductions.group(parts, unit.local)
        return unit.kernel(text), (outputs,), (unit.local,), (*words, outputs, per)
    return unit.kernel(text), *_walk.launch_size(unit, items), (*words, items, per)
