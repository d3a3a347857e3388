"""A device with NumPy arrays at both ends, and the layouts of memory that views may have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import genesis
from genesis._device import device as Device
from genesis.backend import Backend, Expr, Number, Shape, View
from genesis.backend.dispatch import run_map
from genesis.testing.backend_checks._agree import agree

Array = np.ndarray[Any, Any]

FLOATS = ("float32", "float64")
INTEGERS = ("uint8", "int8", "int16", "int32", "int64")
DTYPES = ("bool", *INTEGERS, *FLOATS)


class Layout(NamedTuple):
    """How elements lie in a larger block: the shape of the block, and the way to them in views and arrays."""

    block: Callable[[Shape], Shape]
    view: Callable[[View, Shape], View]
    array: Callable[[Array, Shape], Array]
    meaning: str


def _last(v: View | Array) -> int:
    return v.ndim - 1


#: every layout is for arrays of one axis or more
LAYOUTS: dict[str, Layout] = {
    "contiguous": Layout(lambda s: s, lambda v, s: v, lambda a, s: a, "row-major, from offset 0"),
    "transposed": Layout(
        lambda s: s[::-1],
        lambda v, s: v.permute(tuple(reversed(range(v.ndim)))),
        lambda a, s: a.transpose(),
        "the axes in reverse order: strides that grow from left to right",
    ),
    "step": Layout(
        lambda s: (*s[:-1], 2 * s[-1] + 1),
        lambda v, s: v.narrow(_last(v), 1, s[-1], 2),
        lambda a, s: a[..., 1::2],
        "every second element of the last axis, from the second one: stride 2, offset 1",
    ),
    "rows": Layout(
        lambda s: (2 * s[0] + 1, *s[1:]),
        lambda v, s: v.narrow(0, s[0], s[0]),
        lambda a, s: a[s[0] : 2 * s[0]],
        "the middle part of a larger array: contiguous, but with an offset",
    ),
    "columns": Layout(
        lambda s: (*s[:-1], s[-1] + 3),
        lambda v, s: v.narrow(_last(v), 2, s[-1]),
        lambda a, s: a[..., 2:-1],
        "some columns of a wider array: an offset, and gaps between the rows",
    ),
    "reversed": Layout(
        lambda s: s,
        lambda v, s: v.flip(tuple(range(v.ndim))),
        lambda a, s: a[(slice(None, None, -1),) * a.ndim],
        "all axes backwards: negative strides, and an offset at the far end",
    ),
}


def filler(dtype: str) -> Any:
    """What lies in memory before a device writes to it, and what has to stay around a view."""
    return True if dtype == "bool" else 77


class Placed:
    """An array in some layout on a device: the view, the block around it, and both on the host."""

    def __init__(self, bench: Bench, layout: str, array: Array) -> None:
        self.bench, self.layout = bench, layout
        how = LAYOUTS[layout]
        shape = array.shape
        self.block: Array = np.full(how.block(shape), filler(array.dtype.name), array.dtype)
        self.part: Array = how.array(self.block, shape)
        self.part[...] = array
        self.whole = bench.put(self.block)
        self.view = how.view(self.whole, shape)

    def after(self, want: Array) -> Array:
        """The block as it should be when the view has got new elements."""
        block = self.block.copy()
        LAYOUTS[self.layout].array(block, self.view.shape)[...] = want
        return block

    def inner(self, block: Array) -> Array:
        """The elements of the view, out of the block."""
        return LAYOUTS[self.layout].array(block, self.view.shape)

    def misread(self) -> Array:
        """What a kernel sees that ignores the strides (and, with an offset alone, the offset)."""
        start = self._wrong_start()
        return self.block.reshape(-1)[start : start + self.view.size].reshape(self.view.shape)

    def miswritten(self, want: Array) -> Array:
        """What the view holds after a kernel that ignores the strides has written ``want``."""
        flat = self.block.copy().reshape(-1)
        start = self._wrong_start()
        flat[start : start + self.view.size] = want.reshape(-1)
        return self.inner(flat.reshape(self.block.shape))

    def _wrong_start(self) -> int:
        if self.view.contiguous:
            return 0
        return max(0, min(self.view.offset, self.block.size - self.view.size))

    def expect(self, want: Array, what: str, guesses: dict[str, Any] | None = None, **options: Any) -> None:
        """Check that the view holds ``want``, and that the memory around it is as before."""
        block = self.bench.read(self.whole)
        found = {ignored(self.view, "output"): lambda: self.miswritten(want), **(guesses or {})}
        inner = self.inner(block)
        agree(inner, want, what, guesses=found if self.layout != "contiguous" else guesses, **options)
        rest = "nothing: only the elements of the view may be written"
        agree(block, self.after(inner), f"{what}: memory outside of the output", why=rest)


def ignored(view: View, role: str) -> str:
    """The sentence that names the mistake of a kernel that takes a view for a plain array."""
    if view.contiguous:
        return (
            f"the offset of the {role} is ignored: it says, in elements, where element (0, 0, ...) of the "
            "view lies in the buffer"
        )
    verb = "read" if role == "input" else "written"
    return (
        f"the strides of the {role} are ignored: its memory is {verb} in order. Element (i, j) of a view "
        "lies at offset + i * strides[0] + j * strides[1], in elements"
    )


class Bench:
    """A device under test.

    Args:
        device: its name, or a subclass of ``Backend`` that is not declared anywhere.

    Raises:
        Exception: whatever went wrong while it was imported, made or probed.
    """

    def __init__(self, device: str | type[Backend]) -> None:
        self.device = genesis.device(device) if isinstance(device, str) else undeclared(device)
        self.backend: Backend = self.device.backend
        self.index = self.device.index or 0

    @property
    def name(self) -> str:
        return str(self.device)

    def empty(self, shape: Shape, dtype: str) -> View:
        """A view of new memory, as the core makes it."""
        return self.backend.empty(tuple(shape), getattr(genesis, dtype), self.device)

    def put(self, array: Array) -> View:
        """A contiguous view that holds the array."""
        array = np.asarray(array)
        view = self.empty(array.shape, array.dtype.name)
        self.backend.write(view, np.ascontiguousarray(array).reshape(array.shape))
        return view

    def place(self, array: Array, layout: str = "contiguous") -> Placed:
        return Placed(self, layout, np.asarray(array))

    def read(self, view: View) -> Array:
        return self.backend.read(view)

    def map(self, expr: Expr, out: View, *inputs: View | Number) -> None:
        """Evaluate an expression as the core does: whole on a device that fuses, else name by name."""
        run_map(self.backend, expr, out, *inputs)


def undeclared(backend: type[Backend]) -> Any:
    """A ``genesis.device`` for a class of which the registry knows nothing."""
    made = backend()
    available = made.probe()
    if not available.ok:
        raise genesis.DeviceError(f"device {made.name!r} cannot be used here: {available.reason}")
    device: Any = object.__new__(Device)
    device.type, device.index, device._backend = made.name, None, made
    return device
