"""``scan``: running sums, products, extremes and sums of logarithms along an axis, from either end.

A line is cut into parts, so that there is work for the whole GPU. Each is scanned by itself: by a block,
``THREADS`` elements at a time, or by a thread where neighbouring lines lie side by side. Where there are
several, what comes before each is found from their last elements, and joined to all elements in a second
pass. What is joined of float32 is kept in float64.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from genesis import float64 as _float64
from genesis import int64 as _int64
from genesis.backend import Backend, Expr, View, arg, call, cast
from genesis_cuda._copies import contiguous, empty
from genesis_cuda._driver import Unit
from genesis_cuda._kernel import Template, blocks_for
from genesis_cuda._memory import address, handle
from genesis_cuda._rows import RowKernel
from genesis_cuda._sizes import MANY
from genesis_cuda._sizes import THREADS as _THREADS
from genesis_cuda.kernels import map as elementwise

if TYPE_CHECKING:  # what kernels find in their module
    from genesis_cuda._names import (
        GROUP,
        NEUTRAL,
        THREADS,
        WARPS,
        cuda,
        int32,
        join,
        real,
        row_last,
        row_scan,
        udiv,
        umod,
        wide,
    )

_LIMIT = 1 << 32
_TYPES = ("float32", "float64", "int64")


def _parts(items, lines, chunk, n, step, back, out, x):
    """Items are parts of lines: of ``n`` elements, ``step`` apart, each takes ``chunk``."""
    shared = cuda.shared.array(WARPS, wide)
    me = cuda.threadIdx.x % GROUP
    item = (cuda.blockIdx.x * THREADS + cuda.threadIdx.x) // GROUP
    if item < items:
        part = udiv(item, lines)
        line = item - part * lines
        at = line + udiv(line, step) * (n - 1) * step
        move = -step if back != 0 else step
        if back != 0:
            at += (n - 1) * step
        start = part * chunk
        at += start * move
        end = int32(min(chunk, n - start))  # counted with one register
        before = wide(NEUTRAL)
        i = int32(0)
        while i < end:
            k = int32(i + me)
            place = at + k * move
            v = wide(NEUTRAL)
            if k < end:
                v = wide(x[place])
            v = join(before, row_scan(v, shared, wide(NEUTRAL)))
            if k < end:
                out[place] = real(v)
            before = row_last(v, shared)
            i = int32(i + GROUP)


def _before(lines, parts, chunk, n, step, back, befores, out):
    """A thread for each line: what comes before each of its parts."""
    line = cuda.grid(1)
    while line < lines:
        at = line + udiv(line, step) * (n - 1) * step
        before = wide(NEUTRAL)
        for part in range(parts):
            befores[part * lines + line] = before
            k = min((part + 1) * chunk, n) - 1
            last = wide(out[at + (n - 1 - k if back != 0 else k) * step])
            before = join(before, last)
        line += cuda.gridsize(1)


def _join(count, lines, chunk, n, step, back, befores, out):
    """A thread for each element."""
    i = cuda.grid(1)
    while i < count:
        q = udiv(i, step)
        outer = udiv(q, n)
        k = n - 1 - (q - outer * n) if back != 0 else q - outer * n
        part = udiv(k, chunk)
        if part > 0:
            before = befores[part * lines + outer * step + umod(i, step)]
            out[i] = real(join(before, wide(out[i])))
        i += cuda.gridsize(1)


class _Scan(NamedTuple):
    """The kernels of one operation."""

    parts: RowKernel
    before: Template
    join: Template


def _made(op: str, neutral: str, types: tuple[str, ...]) -> _Scan:
    more: dict[str, Any] = {"types": types, "exact": True, "NEUTRAL": neutral, "join": f"join_{op}"}
    forms, words = ("thread", "block"), "int64 " * 6 + "wide* real*"
    scan = f"{{of}}_scan_{op}"
    return _Scan(
        RowKernel(_parts, "int64 int64 int64 int64 real* real*", op, forms, row_scan=scan, **more),
        Template(_before, words, variant=op, **more),
        Template(_join, words, variant=op, **more),
    )


_FLOATS, _INTEGERS = ("float32", "float64"), ("int64",)
#: by operation, and whether it is one of floats
_scans = {
    ("sum", True): _made("sum", "0", _FLOATS),
    ("sum", False): _made("sum", "0", _INTEGERS),
    ("prod", True): _made("prod", "1", _FLOATS),
    ("prod", False): _made("prod", "1", _INTEGERS),
    ("max", True): _made("max", "-inf", _FLOATS),
    ("max", False): _made("max", str(-(1 << 63)), _INTEGERS),
    ("min", True): _made("min", "inf", _FLOATS),
    ("min", False): _made("min", str((1 << 63) - 1), _INTEGERS),
    ("logs", True): _made("logs", "-inf", _FLOATS),
}


def run(op: str, out: View, x: View, axis: int, back: bool = False) -> bool:
    """``Backend.scan``, also for ``"max"``, ``"min"`` and ``"logs"``; False where it is not done."""
    if x.dtype is not out.dtype or not x.ndim or x.size >= _LIMIT:
        return False
    if not x.size:
        return True
    if x.dtype.name not in _TYPES:
        if x.dtype.kind not in "iu":
            return False
        wide = empty(x.shape, _int64, x.buffer.device)
        elementwise.run(cast(arg(0), _int64), wide, (x,))
        run(op, wide, wide, axis, back)
        elementwise.run(cast(arg(0), out.dtype), out, (wide,))
        return True
    target = out if out.contiguous else empty(out.shape, out.dtype, out.buffer.device)
    _scan(op, target, contiguous(x), axis, back)
    if target is not out:
        elementwise.run(arg(0), out, (target,))
    return True


def _scan(op: str, out: View, x: View, axis: int, back: bool) -> None:
    unit, name = handle(out).unit, out.dtype.name
    kernels = _scans[op, name in _FLOATS]
    n, step = x.shape[axis], math.prod(x.shape[axis + 1 :])
    lines = x.size // n
    form = "thread" if step > 1 else "block"
    count = _cut(unit, form, lines, n)
    chunk = -(-n // count)
    count = -(-n // chunk)  # none of them is empty
    handle(out).bounds = None
    words = (chunk, n, step, int(back))
    kernels.parts.launch(
        form, unit, name, count * lines, (count * lines, lines, *words, address(out), address(x))
    )
    if count > 1:
        kind = _int64 if name == "int64" else _float64
        befores = empty((count, lines), kind, out.buffer.device)
        places = (address(befores), address(out))
        kernels.before(name)(unit, blocks_for(unit, lines), (lines, count, *words, *places))
        kernels.join(name)(unit, blocks_for(unit, out.size), (out.size, lines, *words, *places))


def _cut(unit: Unit, form: str, lines: int, n: int) -> int:
    """In how many parts to scan a line."""
    if form == "thread":
        return max(1, min(8 * _THREADS * unit.processors // lines, n // 64))
    return max(1, min(MANY * unit.processors // lines, n // (8 * _THREADS)))


def running_sum(backend: Backend, x: View, *, axis: int, back: bool) -> Any:
    """The running sums, from either end."""
    if not x.ndim or x.dtype.kind == "b":
        return NotImplemented
    out = empty(x.shape, x.dtype, x.buffer.device)
    return out if run("sum", out, x, axis, back) else NotImplemented


def running_sum_backward(
    backend: Backend, needs: Sequence[bool], grad: View, *, axis: int, back: bool
) -> Any:
    """The running sums of the gradient from the other end."""
    out = running_sum(backend, grad, axis=axis, back=not back)
    return out if out is NotImplemented else (out,)


def running_extreme(backend: Backend, x: View, *, axis: int, largest: bool) -> Any:
    """Where the largest (or smallest) element up to each one is: the last of equal ones, and the last nan.

    The extremes are scanned first, then the positions of the elements that are equal to them.
    """
    if not 0 < x.size < _LIMIT or x.dtype.name in ("float16", "bfloat16"):
        return NotImplemented
    n, step, device = x.shape[axis], math.prod(x.shape[axis + 1 :]), x.buffer.device
    kind = x.dtype if x.dtype.name in _TYPES else _int64
    if x.dtype is not kind:
        wide = empty(x.shape, kind, device)
        elementwise.run(cast(arg(0), kind), wide, (x,))
        x = wide
    best, places = empty(x.shape, kind, device), empty(x.shape, _int64, device)
    run("max" if largest else "min", best, x, axis)
    position = call("mod", call("floordiv", Expr("index"), cast(arg(2), _int64)), cast(arg(3), _int64))
    zero = cast(arg(4), _int64)
    hit = call("where", call("eq", arg(0), arg(1)), position, zero)
    if kind is not _int64:
        hit = call("where", call("ne", arg(0), arg(0)), position, hit)
    elementwise.run(hit, places, (x, best, step, n, 0))
    run("max", places, places, axis)
    handle(places).bounds = (0, n - 1)  # they need no check when they are used
    return places


def logcumsumexp(backend: Backend, x: View, *, axis: int) -> Any:
    """``log(cumsum(exp(x)))`` along an axis, without overflow."""
    if not 0 < x.size < _LIMIT or x.dtype.name not in _FLOATS:
        return NotImplemented
    out = empty(x.shape, x.dtype, x.buffer.device)
    run("logs", out, x, axis)
    return out
