"""Kernels: compiled at first use, launched over a range on one thread or on all."""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Sequence
from typing import Any

from genesis_cpu import _threads
from genesis_cpu._cache import build, source

INTS, FLOATS = 8, 2  # what a launch can pass by itself; see _pointers.block
SIGNATURE = "void(int64,int64,int64)"

_lock = threading.RLock()
_alive: list[Any] = []  # machine code goes away with the object that owns it


def compile_text(text: str, name: str = "kernel") -> int:
    """The address of the kernel that ``text`` defines."""
    from numba import cfunc

    with _lock:
        function, cached = build(text, name)
        compiled = cfunc(SIGNATURE, cache=cached, error_model="numpy", nogil=True)(function)
        _alive.append(compiled)
        return int(compiled.address)


class Kernel:
    """A kernel written in this package; ``kernel("float32")`` is its address for that type.

    Inside it, ``real`` is the type and ``reals`` makes a pointer to it.
    """

    def __init__(self, function: Callable[[int, int, int], None], imports: str = "") -> None:
        self.function, self.imports = function, imports
        self.__doc__ = function.__doc__
        self._addresses: dict[str, int] = {}

    def __call__(self, real: str = "float32") -> int:
        found = self._addresses.get(real)
        if found is None:
            with _lock:
                text = self.imports + "\n" + source(self.function, real=real, reals=f"{real}_pointer")
                found = self._addresses[real] = compile_text(text, self.function.__name__)
        return found


def parts(work: float, n: int, least: int = 32768) -> int:
    """Into how many parts to cut a range of ``n``: one where ``work`` (in additions) does not pay for a launch."""
    if work < least:
        return 1
    return min(_threads.get_num_threads(), n)


def launch(function: int, n: int, cut: int, words: Sequence[int], floats: Sequence[float] = ()) -> None:
    """Run a kernel over 0 … n - 1 in ``cut`` parts, with its argument block: ``words``, then ``floats``.

    Up to eight words and two floats go in registers; the floats then lie at places 8 and 9.  With more, the
    floats follow the words directly: ``float_place`` says where.
    """
    k = len(words)
    if k <= INTS and len(floats) <= FLOATS:
        if cut == 1:
            _threads.serial(function, n, *words, *_ZEROS[k], *floats, *_NOTHING[len(floats)])
        else:
            _threads.parallel(function, n, cut, *words, *_ZEROS[k], *floats, *_NOTHING[len(floats)])
        return
    memory = bytearray(struct.pack(f"{k}q{len(floats)}d", *words, *floats))
    import numpy as np

    place = _threads.address(np.frombuffer(memory, np.uint8))
    if cut == 1:
        _threads.packed_serial(function, n, place)
    else:
        _threads.packed(function, n, cut, place)


def float_place(words: int, floats: int) -> int:
    """Where in the argument block the floats begin."""
    return INTS if words <= INTS and floats <= FLOATS else words


_ZEROS = [(0,) * (INTS - k) for k in range(INTS + 1)]
_NOTHING = [(0.0,) * (FLOATS - k) for k in range(FLOATS + 1)]
