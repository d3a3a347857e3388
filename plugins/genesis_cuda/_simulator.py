"""Without a GPU: kernels as Python functions, their threads as threads of the host, their pointers checked.

Numba's simulator supplies what kernels ask of CUDA (``NUMBA_ENABLE_CUDASIM=1``). Three things are done here
instead: threads wait for each other without polling, which is ten times faster; shuffles between the threads
of a warp, which that simulator lacks; and pointers, which it does not know. A pointer finds the block of
memory that it lies in, and an access outside of that block is an ``IndexError``.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
from __future__ import annotations

import bisect
import ctypes
import math as _math
import operator
import random
import sys
import threading
import weakref
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
from numba.cuda.simulator.kernelapi import Dim3, FakeCUDAModule

# -- what kernels are written with -------------------------------------------------------------------------


def _wrapping(name: str) -> Callable[[Any], Any]:
    kind = np.dtype(name)
    unsigned = np.dtype(f"u{kind.itemsize}")

    def cast(value):
        """As a processor does it: the low bits count."""
        number = int(value) if value == value and abs(value) != _math.inf else -(1 << 63)
        return unsigned.type(number & ((1 << 8 * kind.itemsize) - 1)).view(kind)

    return cast


casts: dict[str, Any] = {name: _wrapping(name) for name in ("uint8", "int8", "uint16", "int16", "int32")}
casts |= {name: getattr(np, name) for name in ("int64", "uint64", "float32", "float64")}


def like(x, value):
    """``value`` in the type of ``x``."""
    if not isinstance(x, np.generic):
        return type(x)(value)
    return casts[x.dtype.name](value) if isinstance(value, (int, float)) else value.astype(x.dtype)


def _pow(x, y):
    return np.power(np.array([x]), np.array([y]))[0]  # of scalars, NumPy takes a short cut for some powers


def _erf(x):
    return type(x)(_math.erf(x)) if isinstance(x, np.generic) else _math.erf(x)


_FUNCTIONS = ("copysign", "cos", "exp", "expm1", "fabs", "log", "log1p", "sin", "sqrt", "tanh")
math = SimpleNamespace(**{name: getattr(np, name) for name in _FUNCTIONS}, pow=_pow, erf=_erf)


class Pointer:
    """An address as a kernel sees it: elements of one type in one block of memory."""

    __slots__ = ("at", "elements")

    def __init__(self, elements: np.ndarray[Any, Any], at: int) -> None:
        self.elements, self.at = elements, at

    def __getitem__(self, index):
        return self.elements[self._place(index)]

    def __setitem__(self, index, value):
        self.elements[self._place(index)] = value

    def _place(self, index):
        at = self.at + int(index)
        if not 0 <= at < self.elements.size:
            raise IndexError(
                f"a kernel accesses element {at} of a block of {self.elements.size} {self.elements.dtype}"
            )
        return at


class _Memory:
    """The blocks that are in use, by their addresses."""

    def __init__(self) -> None:
        self.starts: list[int] = []
        self.blocks: dict[int, np.ndarray[Any, Any]] = {}

    def lend(self, address: int, nbytes: int) -> None:
        if nbytes:
            raw = (ctypes.c_uint8 * nbytes).from_address(address)
            self.blocks[address] = np.ctypeslib.as_array(raw)
            bisect.insort(self.starts, address)

    def give_back(self, address: int) -> None:
        if self.blocks.pop(address, None) is not None:
            del self.starts[bisect.bisect_left(self.starts, address)]

    def borrow(self, holder: Any, nbytes: int) -> None:
        """Lend what another library owns, for as long as ``holder`` lives, unless it is ours."""
        start, block = self._block(holder.address)
        if block is None or holder.address >= start + block.size:
            self.lend(holder.address, nbytes)
            weakref.finalize(holder, self.give_back, holder.address)

    def _block(self, address: int) -> tuple[int, np.ndarray[Any, Any] | None]:
        """The block that may have this address, and where it starts."""
        at = bisect.bisect_right(self.starts, address) - 1
        start = self.starts[at] if at >= 0 else 0
        return start, self.blocks.get(start)

    def pointer(self, address: int, kind: str) -> Pointer:
        start, block = self._block(address)
        if block is None or address > start + block.size:
            return Pointer(np.empty(0, kind), 0)  # of something empty; using it is an error
        size = np.dtype(kind).itemsize
        if (address - start) % size:
            raise ValueError(f"a pointer to {kind} at an odd address")
        return Pointer(block[: block.size // size * size].view(kind), (address - start) // size)


def _wide_bfloat16(bits):
    return np.uint32(int(bits) << 16).view(np.float32)


def _narrow_bfloat16(x):
    if x != x:
        return np.uint16(0x7FC0)
    bits = int(np.float32(x).view(np.uint32))
    return np.uint16((bits + (bits >> 16 & 1) + 0x7FFF) >> 16 & 0xFFFF)


def _wide_float16(bits):
    return np.float32(np.uint16(bits).view(np.float16))


def _narrow_float16(x):
    with np.errstate(all="ignore"):
        return np.float32(x).astype(np.float16).view(np.uint16)


#: what ``_typed`` has for halves; they are elements of uint16 here, too
_conversions = {
    "wide_float16": _wide_float16,
    "narrow_float16": _narrow_float16,
    "float16": lambda x: _wide_float16(_narrow_float16(x)),
    "wide_bfloat16": _wide_bfloat16,
    "narrow_bfloat16": _narrow_bfloat16,
    "bfloat16": lambda x: _wide_bfloat16(_narrow_bfloat16(x)),
}


memory = _Memory()
typed: dict[str, Any] = {
    f"{name}_pointer": (lambda address, name=name: memory.pointer(int(address), name)) for name in casts
}
typed |= _conversions
typed |= {"floor": np.floor, "ceil": np.ceil, "rint": np.rint, "fmod": np.fmod, "like": like}
typed |= {"times_float32": operator.mul, "times_float64": operator.mul}
typed |= {"udiv": lambda a, b: int(a) // int(b), "umod": lambda a, b: int(a) % int(b)}


class _Current:
    """``cuda`` of the launch that is running."""

    def __getattr__(self, name: str) -> Any:
        return getattr(_launch[-1], name)


_launch: list[Any] = []
cuda: Any = _Current()


# -- threads -----------------------------------------------------------------------------------------------
def device(function):
    """A function that kernels call."""
    return function


class _Shared:
    """Shared memory of a block: an array for each line that asks for one."""

    def __init__(self) -> None:
        self.arrays: dict[tuple[str, int], np.ndarray[Any, Any]] = {}
        self.lock = threading.Lock()

    def array(self, shape, dtype):
        frame = sys._getframe(1)
        key = (frame.f_code.co_filename, frame.f_lineno)
        with self.lock:  # the first of the threads makes it
            found = self.arrays.get(key)
            if found is None:
                found = self.arrays[key] = np.full(shape, 77, dtype)
            return found


class _Cuda(FakeCUDAModule):
    """What Numba's simulator offers to kernels, and shuffles."""

    def __init__(self, grid: tuple[int, ...], block: tuple[int, ...], warp: int) -> None:
        super().__init__(grid, block, 0)
        self.warp = warp

    def shfl_xor_sync(self, mask, value, lane_mask):
        me: Any = threading.current_thread()
        return me.crew.exchange(me, me.thread_id ^ int(lane_mask), value)

    def shfl_sync(self, mask, value, lane):
        me: Any = threading.current_thread()
        return me.crew.exchange(me, me.thread_id // self.warp * self.warp + int(lane), value)

    def shfl_up_sync(self, mask, value, delta):
        me: Any = threading.current_thread()
        there = me.thread_id - int(delta)
        inside = there >= 0 and there // self.warp == me.thread_id // self.warp
        return me.crew.exchange(me, there if inside else me.thread_id, value)

    def shfl_down_sync(self, mask, value, delta):
        me: Any = threading.current_thread()
        there = me.thread_id + int(delta)
        inside = there // self.warp == me.thread_id // self.warp
        return me.crew.exchange(me, there if inside else me.thread_id, value)


class _Member(threading.Thread):
    """A thread of the host that plays threads of kernels, as long as the process lives."""

    def __init__(self, crew: _Crew, number: int) -> None:
        super().__init__(daemon=True)
        self.crew, self.thread_id, self.exchanges = crew, number, 0
        self.blockIdx = self.threadIdx = Dim3(0, 0, 0)
        self.go = threading.Lock()
        self.go.acquire()
        self.start()

    def run(self) -> None:
        np.seterr(all="ignore")
        while True:
            self.go.acquire()
            try:
                self.crew.function(*self.crew.args)
            except _Abandoned:
                pass
            except BaseException as error:
                self.crew.error = self.crew.error or error
            self.crew.leave(self)

    def syncthreads(self) -> None:
        self.crew.wait(self)


class _Abandoned(Exception):
    """Another thread of the block has failed."""


class _Crew:
    """The threads of one block. One of them runs at a time, until it waits or ends; then another one does.

    The order changes from one meeting to the next, so that a missing ``syncthreads`` shows.
    """

    def __init__(self) -> None:
        self.members: list[_Member] = []
        self.order: list[_Member] = []  # those that have not yet come to the next meeting
        self.waiting: list[_Member] = []
        self.values: dict[tuple[int, int], Any] = {}
        self.function: Callable[..., None] = print
        self.args: Sequence[Any] = ()
        self.error: BaseException | None = None
        self.random = random.Random(0)
        self.done = threading.Lock()
        self.done.acquire()

    def play(self, function, args, block_at, places) -> None:
        """Run all threads of a block."""
        while len(self.members) < len(places):
            self.members.append(_Member(self, len(self.members)))
        self.function, self.args, self.error = function, args, None
        for member, at in zip(self.members, places, strict=False):
            member.blockIdx, member.threadIdx, member.exchanges = Dim3(*block_at), Dim3(*at), 0
        self.order, self.waiting = self.members[: len(places)], []
        self._next()
        try:
            self.done.acquire()
        except BaseException:  # interrupted: nobody knows what these threads wait for
            global _crew
            _crew = _Crew()
            raise
        if self.error is not None:
            raise self.error

    def _next(self) -> None:
        if not self.order:
            self.order, self.waiting = self.waiting, []
            self.random.shuffle(self.order)
        if self.order:
            self.order.pop().go.release()
        else:
            self.done.release()

    def wait(self, member: _Member) -> None:
        self.waiting.append(member)
        self._next()
        member.go.acquire()
        if self.error is not None:
            raise _Abandoned

    def leave(self, member: _Member) -> None:
        self._next()

    def exchange(self, member: _Member, other: int, value: Any) -> Any:
        # two places in turn: one may be written again while the other is still read
        member.exchanges ^= 1
        turn = member.exchanges
        self.values[turn, member.thread_id] = value
        self.wait(member)
        return self.values[turn, other]


_crew = _Crew()
_lock = threading.RLock()


def run(
    function: Callable[..., None],
    syncs: bool,
    grid: tuple[int, ...],
    block: tuple[int, ...],
    warp: int,
    args: Sequence[Any],
) -> None:
    """One launch: the blocks one after the other. ``syncs``: the threads of a block wait for each other."""
    with _lock:
        current: Any = _Cuda(grid, block, warp)
        _launch.append(current)
        try:
            for at in np.ndindex(*reversed(grid)):
                current._shared = _Shared()
                _run_block(function, syncs, tuple(reversed(at)), block, args)
        finally:
            _launch.pop()


def _run_block(function, syncs, block_at, shape, args) -> None:
    places = [tuple(reversed(at)) for at in np.ndindex(*reversed(shape))]
    if not syncs:  # one thread of the host plays all of them, one after the other
        me: Any = threading.current_thread()
        me.blockIdx = Dim3(*block_at)
        with np.errstate(all="ignore"):
            for number, at in enumerate(places):
                me.threadIdx, me.thread_id = Dim3(*at), number
                function(*args)
        return
    _crew.play(function, args, block_at, places)
