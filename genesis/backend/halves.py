"""float16 and bfloat16 on any device: kept in 16 bits, computed with in float32.

A device that has them (``Backend.halves``) keeps their elements, and converts them in ``map``. What else it
is asked for, it is asked for in float32, by the functions here, and the result is rounded once; what only
moves elements is asked for in int16.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genesis._dtypes import dtype, float32, int16
from genesis.backend.base import Backend
from genesis.backend.dispatch import kernel, run_map
from genesis.backend.expr import INPUT, call, cast
from genesis.backend.view import View

_WIDEN = cast(INPUT, float32)
_BELOW_ONE = {
    "float16": call("min", INPUT, 1 - 2.0**-11),
    "bfloat16": call("min", INPUT, 1 - 2.0**-8),
}


def widened(x: View) -> View:
    """A copy in float32."""
    device = x.buffer.device
    backend: Backend = device.backend
    out = backend.empty(x.shape, float32, device)
    if out.size:
        backend.map(_WIDEN, out, x)
    return out


def rounded(x: View, to: dtype) -> View:
    """A copy in a half type, rounded to the nearest, to even in the middle."""
    device = x.buffer.device
    out: View = device.backend.empty(x.shape, to, device)
    round_into(device.backend, out, x)
    return out


def round_into(backend: Backend, out: View, x: View) -> None:
    """Write float32 elements into a view of a half type."""
    if out.size:
        backend.map(cast(INPUT, out.dtype), out, x)


def bits(x: View) -> View:
    """The same elements as whole numbers, for operations that only move them."""
    return View(x.buffer, int16, x.shape, x.strides, x.offset)


def _room(backend: Backend, out: View) -> View:
    return backend.empty(out.shape, float32, out.buffer.device)


def reduce(backend: Backend, op: str, out: View, x: View) -> None:
    """``Backend.reduce``; positions, which are whole numbers, are not rounded."""
    if not out.dtype.is_half:
        backend.reduce(op, out, widened(x) if x.dtype.is_half else x)
        return
    total = _room(backend, out)
    backend.reduce(op, total, widened(x) if x.dtype.is_half else x)
    round_into(backend, out, total)


def matmul(backend: Backend, out: View, a: View, b: View) -> None:
    """``Backend.matmul``: sums in float32, rounded at the end; a device may have a kernel ``half_matmul``."""
    own = kernel(backend, "half_matmul")
    if own is not None and own(backend, out, a, b) is not NotImplemented:
        return
    total = _room(backend, out)
    backend.matmul(total, widened(a), widened(b))
    round_into(backend, out, total)


def gather(backend: Backend, out: View, x: View, index: View, axis: int) -> None:
    """``Backend.gather``."""
    backend.gather(bits(out), bits(x), index, axis)


def scatter(backend: Backend, op: str, out: View, index: View, source: View, axis: int) -> None:
    """``Backend.scatter``; what meets at one place is added in float32."""
    if op == "set":
        backend.scatter(op, bits(out), index, bits(source), axis)
        return
    total = widened(out)
    backend.scatter(op, total, index, widened(source), axis)
    round_into(backend, out, total)


def scan(backend: Backend, op: str, out: View, x: View, axis: int) -> None:
    """``Backend.scan``: running totals in float32, each of them rounded."""
    total = _room(backend, out)
    backend.scan(op, total, widened(x), axis)
    round_into(backend, out, total)


def sort(backend: Backend, values: View, indices: View, x: View, descending: bool) -> None:
    """``Backend.sort``."""
    found = _room(backend, values)
    backend.sort(found, indices, widened(x), descending)
    round_into(backend, values, found)


def random(backend: Backend, kind: str, out: View, seed: int, offset: int) -> None:
    """``Backend.random``: the numbers of float32, rounded, but none of the uniform ones up to 1."""
    drawn = _room(backend, out)
    backend.random(kind, drawn, seed, offset)
    if kind == "uniform":
        run_map(backend, _BELOW_ONE[out.dtype.name], drawn, drawn)
    round_into(backend, out, drawn)


def join(backend: Backend, out: View, parts: Sequence[View], axis: int) -> None:
    """``Backend.join``."""
    backend.join(bits(out), [bits(x) for x in parts], axis)


def host(x: Any) -> Any:
    """The elements of a view on the host, halves as float32: NumPy computes with them as with its own."""
    backend = x.buffer.device.backend
    return backend.read(widened(x) if x.dtype.is_half else x)
