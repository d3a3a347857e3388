"""`gather` and `scatter`, which look at every index before anything is written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyopencl as cl

from genesis.backend import View
from genesis_opencl import _walk
from genesis_opencl._memory import memory
from genesis_opencl._scalar import MOVES
from genesis_opencl._unit import Kernel, Unit

_ADD = {"bool": "uchar", "uint8": "uchar", "int8": "uchar", "int16": "ushort", "int32": "uint",
        "int64": "ulong", "float32": "float", "float64": "double"}  # fmt: skip
_LIMIT = 2048  # plans kept

_plans: dict[Any, tuple[Kernel, tuple[tuple[int], tuple[int]], tuple[int, ...]]] = {}


def gather(unit: Unit, out: View, x: View, index: View, axis: int) -> None:
    """`Backend.gather`."""
    if not out.size:
        return
    _check(unit, index, x.shape[axis])
    key = (unit, "gather", out.dtype, out.shape, out.strides, x.strides, index.strides, axis)
    found = _plans.get(key) or _remember(key, _gather_plan(unit, out, x, index, axis))
    kernel, (groups, local), words = found
    memory(out).bounds = None
    buffers = (memory(out).buffer, memory(index).buffer, memory(x).buffer)
    kernel(groups, local, buffers, (*words, out.offset, index.offset, x.offset, x.strides[axis]))


def _gather_plan(unit: Unit, out: View, x: View, index: View, axis: int) -> Any:
    fixed = list(x.strides)
    fixed[axis] = 0  # the index says where along this axis
    sizes, strides = _walk.collapse(out.shape, [out.strides, index.strides, fixed])
    walk = _walk.plan(unit, sizes, strides, weight=2)
    stride = f"m.w[{_walk.words_before(walk.layout) + 3}]"
    for_a_row = walk.layout.patterns[1] == "0"  # one index for all of it

    def body(element: Any) -> list[str]:
        jump = "jump" if for_a_row else f"{element[1]} * {stride}"
        return [f"{element[0]} = {_moved(element[2], jump)};"]

    c = MOVES[out.dtype.itemsize]
    text = _walk.text(
        walk.layout, [c, "const long", f"const {c}"], 1, body,
        hoisted=[f"const long jump = p1[o1] * {stride};"] if for_a_row else [],
    )  # fmt: skip
    return unit.kernel(text), _walk.launch_size(unit, walk.items), walk.words


def _moved(element: str, by: str) -> str:
    """Text of the element that lies `by` further on."""
    return f"{element[:-1]} + {by}]"


def scatter(unit: Unit, op: str, out: View, index: View, source: View, axis: int) -> None:
    """`Backend.scatter`: work items share the other axes; each goes along `axis` in order."""
    if not index.size:
        return
    _check(unit, index, out.shape[axis])
    key = (unit, op, out.dtype, index.shape, out.strides, source.strides, index.strides, axis)
    found = _plans.get(key) or _remember(key, _scatter_plan(unit, op, out, index, source, axis))
    kernel, (groups, local), words = found
    memory(out).bounds = None
    buffers = (memory(out).buffer, memory(index).buffer, memory(source).buffer)
    along = (out.strides[axis], index.strides[axis], source.strides[axis])
    kernel(
        groups, local, buffers, (*words, out.offset, index.offset, source.offset, index.shape[axis], *along)
    )


def _scatter_plan(unit: Unit, op: str, out: View, index: View, source: View, axis: int) -> Any:
    others = [i for i in range(len(index.shape)) if i != axis]
    sizes, strides = _walk.collapse(
        [index.shape[i] for i in others], [[v.strides[i] for i in others] for v in (out, index, source)]
    )
    walk = _walk.plan(unit, sizes, strides, weight=4 * index.shape[axis])
    word = _walk.words_before(walk.layout) + 3
    c = _ADD[out.dtype.name] if op == "add" else MOVES[out.dtype.itemsize]

    def body(element: Any) -> list[str]:
        row = _moved(element[1], f"n * m.w[{word + 2}]")
        target = _moved(element[0], f"{row} * m.w[{word + 1}]")
        value = _moved(element[2], f"n * m.w[{word + 3}]")
        if op == "set":
            return [f"{target} = {value};"]
        return [f"{target} = ({c})({target} {'|' if out.dtype.kind == 'b' else '+'} {value});"]

    text = _walk.text(
        walk.layout, [c, "const long", f"const {c}"], 4, body,
        around=(f"for (long n = 0; n < m.w[{word}]; n++) {{", "}"),
    )  # fmt: skip
    return unit.kernel(text), _walk.launch_size(unit, walk.items), walk.words


def _remember(key: Any, plan: Any) -> Any:
    if len(_plans) >= _LIMIT:
        _plans.clear()
    _plans[key] = plan
    return plan


# -- wrong indices -----------------------------------------------------------------------------------------
def _check(unit: Unit, index: View, length: int) -> None:
    """Raise IndexError if an index lies outside [0, length).

    Indices that came from the host are known to fit: their bounds were taken on the way. Others are looked at
    by a kernel, and the queue is waited for.
    """
    bounds = memory(index).bounds
    if bounds is not None and bounds[0] >= 0 and bounds[1] < length:
        return
    with unit.lock:
        if unit.flag is None:
            unit.flag = cl.Buffer(unit.context, cl.mem_flags.READ_WRITE, 16)
            cl.enqueue_copy(unit.queue, unit.flag, np.zeros(2, np.int64))
    shape = [1 if t == 0 else s for s, t in zip(index.shape, index.strides, strict=True)]
    walk = _walk.plan(unit, *_walk.collapse(shape, [index.strides]))
    end = f"m.w[{_walk.words_before(walk.layout) + 1}]"

    def body(element: Any) -> list[str]:
        return [f"const long v = {element[0]};", f"if (v < 0 || v >= {end}) {{ bad[0] = 1; bad[1] = v; }}"]

    text = _walk.text(walk.layout, ["const long"], 1, body, also=["__global long* bad"])
    size = _walk.launch_size(unit, walk.items)
    found = np.empty(2, np.int64)
    with unit.lock:
        unit.kernel(text)(*size, (memory(index).buffer, unit.flag), (*walk.words, index.offset, length))
        cl.enqueue_copy(unit.queue, found, unit.flag)
        if found[0]:
            cl.enqueue_copy(unit.queue, unit.flag, np.zeros(2, np.int64))
    if found[0]:
        raise IndexError(f"index {found[1]} is out of range for an axis of length {length}")


def bounds_of(array: np.ndarray[Any, Any]) -> tuple[int, int] | None:
    """Smallest and largest element of integers on the host, where finding them costs little."""
    if array.dtype != np.int64 or not 0 < array.size <= 1 << 16:
        return None
    return int(array.min()), int(array.max())
