"""Backend: what a device implements.  Eight methods; the rest has correct defaults."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from genesis._dtypes import DtypeError, dtype
from genesis.backend.expr import INPUT, Expr, Number
from genesis.backend.view import Buffer, Shape, View, contiguous_strides

if TYPE_CHECKING:
    from genesis._device import device


class Availability(NamedTuple):
    """Whether a device can be used here: ``ok`` and how many ``devices`` there are, or the ``reason``."""

    ok: bool
    devices: int = 1
    reason: str = ""


class Backend(ABC):
    """A device.  Subclass it, implement the eight abstract methods, and declare the class in a plugin.

    Every method gets views whose shapes the core has already checked.  Strides are in elements, may be 0
    (broadcast) or negative, and ``out`` never has a stride of 0; any view may be empty.  A method returns
    when its result may be used by the next call on the same device (a device with a queue need not wait for
    the work).  Calls may come from several threads.  ``docs/plugins/device.md`` is the manual.

    Attributes:
        name: the device's name, as in ``genesis.device("acme")``.
        fuses: True when ``map`` accepts whole expressions.  Otherwise the core splits them, and ``map`` only
            ever gets one name over plain inputs.
        halves: True when the device keeps elements of float16 and bfloat16, and ``map`` computes with them
            in float32 and rounds what it writes. The core asks for nothing else in these types, see
            ``genesis.backend.halves``.
        kernels: optional fast paths, operation name -> ``"module:function"``, imported on first use.
            A kernel gets ``(backend, *arguments)`` with views in place of tensors.  It may return
            ``NotImplemented`` before it has written anything; the operation then runs as its composite.
    """

    name: ClassVar[str]
    fuses: ClassVar[bool] = False
    halves: ClassVar[bool] = False
    kernels: ClassVar[Mapping[str, str]] = {}

    _table: dict[str, Callable[..., Any] | None]
    _known_as: str

    def __new__(cls, *args: Any, **options: Any) -> Backend:
        self = super().__new__(cls)  # not in __init__, which a subclass may replace
        self._table, self._known_as = {}, ""
        return self

    def probe(self) -> Availability:
        """Say whether the device can be used on this machine, without raising."""
        return Availability(True)

    # -- required ------------------------------------------------------------------------------------
    @abstractmethod
    def allocate(self, nbytes: int, index: int) -> Any:
        """Return a handle to ``nbytes`` of uninitialised memory on device number ``index``."""

    @abstractmethod
    def write(self, out: View, source: np.ndarray) -> None:
        """Copy a host array of the same shape and type into ``out``."""

    @abstractmethod
    def read(self, x: View) -> np.ndarray:
        """Return a fresh host array with the elements of ``x`` (row-major)."""

    @abstractmethod
    def map(self, expr: Expr, out: View, *inputs: View | Number) -> None:
        """Evaluate ``expr`` for every element of ``out``.

        Each input is a view of exactly the shape of ``out`` (broadcast by stride 0), or a Python number.
        Types are explicit in the expression: operands of one name agree, except for constants.  An input may
        be the same view as ``out``; it is never a different view that overlaps it.
        """

    @abstractmethod
    def reduce(self, op: str, out: View, x: View) -> None:
        """Reduce by ``op`` of ``REDUCTIONS`` over the axes that have length 1 in ``out`` and not in ``x``.

        ``sum`` and ``prod`` have the type of ``out``, ``max`` and ``min`` that of ``x``; ``argmax`` and
        ``argmin`` reduce exactly one axis and give the int64 position of the first extreme (a nan wins).
        A reduced axis of length 0 gives 0 for sum, 1 for prod.
        """

    @abstractmethod
    def matmul(self, out: View, a: View, b: View) -> None:
        """``out[..., i, j] = sum_k a[..., i, k] b[..., k, j]``; all three have equal leading axes.

        Over an inner axis of length 0 the sums are 0.
        """

    @abstractmethod
    def gather(self, out: View, x: View, index: View, axis: int) -> None:
        """``out[..., i, ...] = x[..., index[..., i, ...], ...]`` along ``axis``.

        ``index`` is int64 with the shape of ``out``.  All axes but ``axis`` of ``x`` are at least as long as
        those of ``out``.

        Raises:
            IndexError: an index lies outside [0, x.shape[axis]).
        """

    @abstractmethod
    def scatter(self, op: str, out: View, index: View, source: View, axis: int) -> None:
        """The converse of gather: ``out[..., index[..., i, ...], ...] = source[..., i, ...]``, or ``+=``.

        Args:
            op: ``"set"`` or ``"add"``.

        Repeated indices: ``add`` accumulates all, in order along ``axis``; ``set`` keeps the last.

        Raises:
            IndexError: an index lies outside [0, out.shape[axis]).
        """

    # -- optional, with a correct default ------------------------------------------------------------
    def empty(self, shape: Shape, dtype: dtype, device: device) -> View:
        """A new contiguous view with uninitialised elements.

        Raises:
            TypeError: the device does not keep elements of this type.
        """
        if dtype.is_half and not self.halves:
            raise DtypeError(f"the device {self.name!r} has no {dtype.name}; use float32 on it")
        strides = contiguous_strides(shape)
        n = 1
        for s in shape:
            n *= s
        nbytes = n * dtype.itemsize
        handle = self.allocate(nbytes, device.index or 0)
        return View(Buffer(handle, nbytes, device), dtype, shape, strides)

    def prepare_map(self, expr: Expr, out: dtype, kinds: tuple[Any, ...]) -> Callable[..., View] | None:
        """A short cut for ``empty`` and ``map`` of one formula, or None (the default) where there is none.

        Args:
            out: the type of the result.
            kinds: of each operand: its ``dtype``, or ``float`` for a number.

        Returns:
            A function of (device, shape, *operands) that returns the result in a new contiguous view. It is
            only called with views that are contiguous and have all this shape. Small networks spend as much
            time on the way to a kernel as in it; this is for devices where that shows.
        """
        return None

    def prepare_walk(
        self, expr: Expr, out: dtype, shape: Shape, layouts: tuple[Any, ...]
    ) -> Callable[..., View] | None:
        """``prepare_map`` for operands of other shapes and strides, or None (the default).

        Args:
            out, shape: the type and the shape of the result.
            layouts: of each operand: its ``dtype`` and its strides once it is expanded to ``shape``, or
                ``float`` for a number.

        Returns:
            A function of (device, *operands) that returns the result in a new contiguous view. The operands
            have not been expanded.
        """
        return None

    def from_numpy(self, array: np.ndarray, device: device) -> View | None:
        """A view of the host array's own memory, or None (the default): it is then copied."""
        return None

    def as_numpy(self, x: View) -> np.ndarray | None:
        """A host array over the memory of ``x``, or None (the default): it is then copied."""
        return None

    def look(self, x: View) -> np.ndarray | None:
        """``as_numpy`` for who reads at once and keeps nothing, neither the array nor its address.

        Default: ``as_numpy(x)``. A device may be freer afterwards than after that.
        """
        return self.as_numpy(x)

    def export(self, x: View) -> Any:
        """An object with ``__dlpack__`` over the memory of ``x``, for memory that the host cannot reach.

        Default: None, and the host's copy is what others get.
        """
        return None

    def address(self, x: View) -> int:
        """Where the first element of ``x`` is, in bytes.

        Default: its place in the memory of the host, and 0 where ``as_numpy`` has none.
        """
        host = self.as_numpy(x)
        return 0 if host is None else int(host.ctypes.data)

    def adopt(self, source: Any, device: device) -> View | None:
        """A view of the memory of another library's array on this kind of device.  Default: None, none."""
        return None

    def synchronize(self) -> None:  # noqa: B027 - optional
        """Wait until all work given to the device is done.  Default: nothing to wait for."""

    # A stream is a line of work; most devices have one, and need none of this. Streams are objects with
    # ``number``, ``query()``, ``synchronize()`` and ``wait(event)``, events with ``record(stream)``,
    # ``query()``, ``synchronize()``, ``elapsed(end)`` in milliseconds and ``number``.
    def new_stream(self, index: int, priority: int) -> Any:
        """A stream of device number ``index``; a negative ``priority`` goes before others.

        Default: there are none to choose from.

        Raises:
            NotImplementedError: so it is.
        """
        raise NotImplementedError(f"the device {self.name!r} has one stream; the nearest is synchronize()")

    def new_event(self, index: int, timing: bool, blocking: bool) -> Any:
        """A mark in a stream.  Default: as ``new_stream``.

        Raises:
            NotImplementedError: there are none.
        """
        raise NotImplementedError(f"the device {self.name!r} has no events; the nearest is synchronize()")

    def current_stream(self, index: int) -> Any:
        """The stream that this thread works in.  Default: as ``new_stream``."""
        return self.new_stream(index, 0)

    def default_stream(self, index: int) -> Any:
        """The stream of work that is given to no other.  Default: as ``new_stream``."""
        return self.new_stream(index, 0)

    def set_stream(self, index: int, stream: Any) -> None:
        """Let this thread work in a stream.  Default: as ``new_stream``."""
        self.new_stream(index, 0)

    def record_stream(self, x: View, stream: Any) -> None:  # noqa: B027 - optional
        """The memory of ``x`` may be used again only after what ``stream`` has been given by then.

        Default: nothing to do, where there is one stream.
        """

    def write_later(self, out: View, source: np.ndarray) -> None:
        """As ``write``, but ``source`` may be read after it returns, if it is ``pinned``.  Default: not."""
        self.write(out, source)

    def pinned(self, shape: Shape, dtype: str) -> np.ndarray | None:
        """An array in memory of the host that the device reads by itself.  Default: None, there is none."""
        return None

    def is_pinned(self, array: np.ndarray) -> bool:
        """Whether an array lies in such memory.  Default: False."""
        return False

    def get_num_threads(self) -> int:
        """How many threads of the host the device computes with.  Default: 1."""
        return 1

    def set_num_threads(self, n: int) -> None:  # noqa: B027 - optional
        """Compute with at most ``n`` threads of the host.  Default: nothing to set."""

    def memory_stats(self) -> dict[str, int]:
        """Count the memory of the device, with PyTorch's names for what is counted.

        ``allocated_bytes.all.current`` is what tensors use, ``reserved_bytes.all.current`` that and what is
        kept for tensors to come, ``num_device_alloc`` how often new memory was asked for.  Default: nothing
        is counted.
        """
        return {}

    def empty_cache(self) -> None:  # noqa: B027 - optional
        """Give back the memory that is kept for tensors to come.  Default: nothing is kept."""

    def properties(self, index: int) -> dict[str, Any]:
        """``name``, ``capability`` and ``total_memory`` of a device.  Default: nothing is known."""
        return {}

    def watch_kernels(  # noqa: B027 - optional
        self, watcher: Callable[[str, bool, float], None] | None
    ) -> None:
        """Call ``watcher(name, compiled, seconds)`` whenever this process gets a kernel; None ends it.

        ``compiled`` is False where it was kept from earlier.  Default: a device that compiles nothing.
        """

    def kernel_folder(self) -> str | None:
        """Where compiled kernels are kept.  Default: nowhere."""
        return None

    def random(self, kind: str, out: View, seed: int, offset: int) -> None:
        """Fill ``out`` with ``"uniform"`` [0, 1), ``"normal"`` (0, 1), or ``"bits"`` (int64 in [0, 2**32)).

        The numbers are a function of (seed, offset + position) alone: Philox 4x32-10, as
        ``genesis.backend.philox`` defines it, so that every device draws the same.
        Default: computed on the host and written.
        """
        from genesis.backend import philox

        self.write(out, philox.fill(kind, out.shape, out.dtype.name, seed, offset))

    def sort(self, values: View, indices: View, x: View, descending: bool) -> None:
        """Stable sort along the last axis; ``indices`` are int64.  Default: on the host."""
        host = self.read(x)
        # negating would overflow the smallest integer; reversing and mirroring keeps equal elements in order
        if descending:
            order = host.shape[-1] - 1 - np.argsort(host[..., ::-1], axis=-1, kind="stable")[..., ::-1]
        else:
            order = np.argsort(host, axis=-1, kind="stable")
        self.write(indices, np.ascontiguousarray(order))
        self.write(values, np.take_along_axis(host, order, -1))

    def leading(self, indices: View, x: View, largest: bool) -> None:
        """Positions (int64) of the largest, or smallest, elements along the last axis, in order.

        As many as ``indices`` has room for, fewer than there are; nan is the largest of all. Which of equal
        elements are found is not said; those that are come in their order.  Default: on the host.
        """
        host, k = self.read(x), indices.shape[-1]
        n = host.shape[-1]
        if largest:
            found = np.argpartition(host, n - k, axis=-1)[..., n - k :]
        else:
            found = np.argpartition(host, k, axis=-1)[..., :k]
        found = np.sort(found, axis=-1)
        values = np.take_along_axis(host, found, -1)
        if largest:
            order = k - 1 - np.argsort(values[..., ::-1], axis=-1, kind="stable")[..., ::-1]
        else:
            order = np.argsort(values, axis=-1, kind="stable")
        self.write(indices, np.take_along_axis(found, order, -1).astype(np.int64))

    def scan(self, op: str, out: View, x: View, axis: int) -> None:
        """Running ``"sum"`` or ``"prod"`` along an axis.  Default: on the host."""
        ufunc = {"sum": np.add, "prod": np.multiply}[op]
        self.write(out, ufunc.accumulate(self.read(x), axis=axis, dtype=out.dtype.name))

    def join(self, out: View, parts: Sequence[View], axis: int) -> None:
        """Write parts, of the type of ``out``, one after another along an axis.

        A part has the axes of ``out``, or all but ``axis``: its length there is 1.  Default: part by part.
        """
        start = 0
        for x in parts:
            if x.ndim < out.ndim:
                x = x.unsqueeze(axis)
            n = x.shape[axis]
            if x.size:
                self.map(INPUT, out.narrow(axis, start, n), x)
            start += n

    def merge_indices(self, out: View, indices: Sequence[View], lengths: Sequence[int]) -> None:
        """One index for several, as into an axis that axes of these lengths were merged to; int64.

        ``indices`` have the shape of ``out``; negative ones count from the end.  Default: on the host.

        Raises:
            IndexError: an index lies outside [-length, length).
        """
        total = np.zeros(out.shape, np.int64)
        for index, length in zip(map(self.read, indices), lengths, strict=True):
            wrong = (index < -length) | (index >= length)
            if wrong.any():
                raise IndexError(f"index {index[wrong][0]} is out of range for an axis of length {length}")
            total = total * length + np.where(index < 0, index + length, index)
        self.write(out, total)

    def nonzero(self, x: View) -> np.ndarray | View:
        """Positions of the non-zero elements, int64 of shape (count, ndim): on the host, or on the device.

        Default: on the host.
        """
        return np.argwhere(self.read(x)).astype(np.int64)

    def transfer(self, out: View, x: View) -> None:
        """Copy between two devices of this backend.  Default: through the host."""
        self.write(out, self.read(x))
