"""``gather`` and ``scatter``, which look at every index before anything is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from genesis.backend import View
from genesis_cuda import _walk
from genesis_cuda._driver import Unit, call
from genesis_cuda._kernel import Kernel, blocks_for
from genesis_cuda._memory import Memory, address, handle, pool

_MOVES = {1: "uint8", 2: "int16", 4: "int32", 8: "int64"}  # moving an element needs only its size
_LIMIT = 2048  # plans kept


class _Plan(NamedTuple):
    kernel: Kernel
    blocks: int
    words: tuple[int, ...]


_plans: dict[Any, _Plan] = {}
_kernels: dict[Any, Kernel] = {}
_flags: dict[int, Memory] = {}  # of each GPU, where a kernel leaves a wrong index


def _kernel(name: str, text: str, parameters: Sequence[str]) -> Kernel:
    key = (text, *parameters)
    found = _kernels.get(key)
    if found is None:
        found = _kernels[key] = Kernel(name, text, tuple(parameters))
    return found


def _remember(key: Any, plan: _Plan) -> _Plan:
    if len(_plans) >= _LIMIT:
        _plans.clear()
    _plans[key] = plan
    return plan


def _text(
    name: str, piece: _walk.Text, more: Sequence[str], pointers: Sequence[str], body: Sequence[str]
) -> str:
    lines = [
        f"def {name}({', '.join(['n', *piece.parameters, *more, *pointers])}):",
        "    i = cuda.grid(1)",
        "    step = cuda.gridsize(1)",
        "    while i < n:",
        *[f"        {line}" for line in (*piece.lines, *body)],
        "        i += step",
    ]
    return "\n".join(lines) + "\n"


# -- gather ------------------------------------------------------------------------------------------------
def gather(out: View, x: View, index: View, axis: int) -> None:
    """``Backend.gather``: a thread for each element."""
    if not out.size:
        return
    check(index, x.shape[axis])
    target = handle(out)
    key = (target.unit, "gather", out.dtype, out.shape, out.strides, x.strides, index.strides, axis)
    found = _plans.get(key) or _remember(key, _plan(target.unit, gather_kernel(out, x, index, axis)))
    target.bounds = None
    places = (address(out), address(index), address(x))
    found.kernel(target.unit, found.blocks, (*found.words, x.strides[axis], *places))


def _plan(unit: Unit, made: tuple[Kernel, _walk.Walk]) -> _Plan:
    kernel, walk = made
    return _Plan(kernel, blocks_for(unit, walk.size), (walk.size, *walk.words))


def gather_kernel(out: View, x: View, index: View, axis: int) -> tuple[Kernel, _walk.Walk]:
    """The kernel for such views, and how it walks."""
    fixed = list(x.strides)
    fixed[axis] = 0  # the index says where along this axis
    walk = _walk.walk(out.shape, [out.strides, index.strides, fixed])
    piece = _walk.text(walk)
    at, row, start = piece.places
    body = [f"out[{at}] = x[{start} + index[{row}] * jump]"]
    text = _text("gather_kernel", piece, ["jump"], ["out", "index", "x"], body)
    kind = _MOVES[out.dtype.itemsize]
    parameters = [*["int64"] * (2 + len(piece.parameters)), f"{kind}*", "int64*", f"{kind}*"]
    return _kernel("gather_kernel", text, parameters), walk


# -- scatter -----------------------------------------------------------------------------------------------
def scatter(op: str, out: View, index: View, source: View, axis: int) -> None:
    """``Backend.scatter``: threads share the other axes; each goes along ``axis`` in order."""
    if not index.size:
        return
    check(index, out.shape[axis])
    target = handle(out)
    key = (target.unit, op, out.dtype, index.shape, out.strides, source.strides, index.strides, axis)
    found = _plans.get(key) or _remember(
        key, _plan(target.unit, scatter_kernel(op, out, index, source, axis))
    )
    target.bounds = None
    along = (index.shape[axis], out.strides[axis], index.strides[axis], source.strides[axis])
    places = (address(out), address(index), address(source))
    found.kernel(target.unit, found.blocks, (*found.words, *along, *places))


def scatter_kernel(op: str, out: View, index: View, source: View, axis: int) -> tuple[Kernel, _walk.Walk]:
    """The kernel for such views, and how it walks."""
    others = [i for i in range(len(index.shape)) if i != axis]
    walk = _walk.walk(
        [index.shape[i] for i in others],
        [[v.strides[i] for i in others] for v in (out, index, source)],
    )
    piece = _walk.text(walk)
    at, row, start = piece.places
    kind = out.dtype.name if op == "add" and out.dtype.kind != "b" else _MOVES[out.dtype.itemsize]
    target = f"out[{at} + index[{row} + k * by] * jump]"
    value = f"source[{start} + k * move]"
    if op == "set":
        write = f"{target} = {value}"
    elif out.dtype.kind == "b":
        write = f"{target} |= {value}"
    else:
        write = f"{target} = {kind}({target} + {value})"
    body = ["k = 0", "while k < length:", f"    {write}", "    k += 1"]
    more = ["length", "jump", "by", "move"]
    text = _text("scatter_kernel", piece, more, ["out", "index", "source"], body)
    parameters = [*["int64"] * (5 + len(piece.parameters)), f"{kind}*", "int64*", f"{kind}*"]
    return _kernel("scatter_kernel", text, parameters), walk


# -- wrong indices -----------------------------------------------------------------------------------------
def check_kernel(index: View) -> tuple[Kernel, _walk.Walk]:
    """The kernel that looks at such an index, and how it walks."""
    shape = [1 if t == 0 else s for s, t in zip(index.shape, index.strides, strict=True)]
    walk = _walk.walk(shape, [index.strides])
    piece = _walk.text(walk)
    body = [
        f"v = index[{piece.places[0]}]",
        "if (v < 0 or v >= length) and v != ignore:",
        "    bad[0] = 1",
        "    bad[1] = v",
    ]
    text = _text("check_kernel", piece, ["length", "ignore"], ["index", "bad"], body)
    parameters = [*["int64"] * (3 + len(piece.parameters)), "int64*", "int64*"]
    return _kernel("check_kernel", text, parameters), walk


def wrong(index: View, length: int, ignore: int | None = None) -> int | None:
    """Look at all indices.

    Those that came from the host are known to fit: their bounds were taken on the way. Others are looked at
    by a kernel, and the stream is waited for.

    Returns:
        One that lies outside [0, length) and is not ``ignore``, or None.
    """
    memory = handle(index)
    bounds = memory.bounds
    if bounds is not None and bounds[0] >= 0 and bounds[1] < length:
        return None
    kernel, walk = check_kernel(index)
    unit = memory.unit
    with unit.lock:
        flag = _flags.get(unit.index)
        if flag is None:
            flag = _flags[unit.index] = Memory(pool(unit.index), 16)
        found = np.zeros(2, np.int64)
        unit.enter()
        call("cuMemcpyHtoDAsync", flag.address, found.ctypes.data, 16, unit.stream)
        spared = 0 if ignore is None or 0 <= ignore < length else ignore
        words = (walk.size, *walk.words, length, spared, address(index), flag.address)
        kernel(unit, blocks_for(unit, walk.size), words)
        call("cuMemcpyDtoHAsync", found.ctypes.data, flag.address, 16, unit.stream)
        unit.synchronize()
    return int(found[1]) if found[0] else None


def check(index: View, length: int) -> None:
    """Look at all indices.

    Raises:
        IndexError: one lies outside [0, length).
    """
    if (bad := wrong(index, length)) is not None:
        raise IndexError(f"index {bad} is out of range for an axis of length {length}")
