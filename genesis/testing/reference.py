"""The device ``ref``: NumPy, the eight required methods, and nothing else.

It is the executable specification of a backend and the oracle that others are checked against.
"""

from __future__ import annotations

from collections.abc import Callable
from math import erf
from typing import Any

import numpy as np

from genesis import OutOfMemoryError
from genesis.backend import Backend, Expr, Number, View

Array = np.ndarray[Any, Any]


def native(v: View) -> Array:
    """The NumPy array that walks the same elements as ``v``; its buffer is a flat array of bytes."""
    if v.native is None:
        size = v.dtype.itemsize
        if v.size:
            # a region that covers negative strides too: the offset is where element (0, 0, …) lies
            strides = tuple(s * size for s in v.strides)
            v.native = np.ndarray(v.shape, v.dtype.name, v.buffer.handle, v.offset * size, strides)
        else:  # its offset may lie behind the end
            v.native = np.empty(v.shape, v.dtype.name)
    array: Array = v.native
    return array


def _erf(x: Array, out: Array, casting: Any) -> None:
    out[...] = np.vectorize(erf, otypes=[out.dtype])(x) if out.size else out


def _pow(x: Any, y: Any, out: Array, casting: Any) -> None:
    """NumPy refuses negative powers of integers; here they are what is left of the number: 1, -1 or 0."""
    if out.dtype.kind == "f":
        np.power(x, y, out=out, casting=casting)
        return
    x, y = np.asarray(x), np.asarray(y)
    negative = np.where(np.abs(x) == 1, np.power(x, np.abs(y)), 0)
    np.copyto(out, np.where(y < 0, negative, np.power(x, np.maximum(y, 0))), casting=casting)


UFUNCS: dict[str, Callable[..., Any]] = {
    "neg": np.negative, "abs": np.abs, "sign": np.sign, "floor": np.floor, "ceil": np.ceil, "round": np.rint,
    "exp": np.exp, "expm1": np.expm1, "log": np.log, "log1p": np.log1p, "sqrt": np.sqrt, "sin": np.sin,
    "cos": np.cos, "tanh": np.tanh, "erf": _erf, "not": np.invert, "add": np.add, "sub": np.subtract,
    "mul": np.multiply, "div": np.true_divide, "pow": _pow, "floordiv": np.floor_divide,
    "mod": np.remainder, "max": np.maximum, "min": np.minimum, "eq": np.equal, "ne": np.not_equal,
    "lt": np.less, "le": np.less_equal, "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor,
    "shl": np.left_shift, "shr": np.right_shift,
}  # fmt: skip
REDUCERS = {"sum": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum}
FINDERS: dict[str, Callable[..., Any]] = {"argmax": np.argmax, "argmin": np.argmin}


class RefBackend(Backend):
    """NumPy on the host, one name at a time."""

    name = "ref"
    halves = True

    def allocate(self, nbytes: int, index: int) -> Array:
        try:
            return np.empty(nbytes, np.uint8)
        except (MemoryError, ValueError, OverflowError):
            raise OutOfMemoryError.of(self.name, nbytes) from None

    def write(self, out: View, source: Array) -> None:
        native(out)[...] = source

    def read(self, x: View) -> Array:
        return native(x).copy()

    def map(self, expr: Expr, out: View, *inputs: View | Number) -> None:
        target = native(out)
        operands = [native(x) if isinstance(x, View) else x for x in inputs]
        with np.errstate(all="ignore"):
            if expr.name == "const":
                target[...] = expr.value
            elif expr.name == "index":
                target[...] = np.arange(target.size).reshape(target.shape)
            elif expr.name in ("cast", "arg"):
                source = np.asarray(operands[0])
                if out.dtype.is_half and source.dtype == np.float64:  # as others round: to float32 first
                    source = source.astype(np.float32)
                target[...] = source.astype(target.dtype)
            elif expr.name == "where":
                target[...] = np.where(*operands)
            else:
                UFUNCS[expr.name](
                    *operands, out=target, casting="unsafe"
                )  # for operands that are all numbers

    def reduce(self, op: str, out: View, x: View) -> None:
        axes = tuple(i for i, (a, b) in enumerate(zip(x.shape, out.shape, strict=True)) if a != b)
        source = native(x)
        if min(x.strides, default=0) < 0:  # NumPy before 2.3 finds a wrong maximum there, now and then
            source = source.copy()
        if op in REDUCERS:
            with np.errstate(all="ignore"):
                REDUCERS[op].reduce(source, axis=axes, dtype=out.dtype.name, out=native(out), keepdims=True)
        else:
            native(out)[...] = FINDERS[op](source, axis=axes[0], keepdims=True) if axes else 0

    def matmul(self, out: View, a: View, b: View) -> None:
        np.matmul(native(a), native(b), out=native(out))

    def gather(self, out: View, x: View, index: View, axis: int) -> None:
        i = self._positions(index, axis, x.shape[axis])
        native(out)[...] = native(x)[i]

    def scatter(self, op: str, out: View, index: View, source: View, axis: int) -> None:
        i = self._positions(index, axis, out.shape[axis])
        if op == "add":
            np.add.at(native(out), i, native(source))
        else:
            native(out)[i] = native(source)

    @staticmethod
    def _positions(index: View, axis: int, length: int) -> tuple[Array, ...]:
        i = native(index)
        if i.size and (i.min() < 0 or i.max() >= length):
            bad = i[(i < 0) | (i >= length)].flat[0]
            raise IndexError(f"index {bad} is out of range for an axis of length {length}")
        grid = list(np.ogrid[tuple(slice(n) for n in i.shape)])
        grid[axis] = i
        return tuple(grid)
