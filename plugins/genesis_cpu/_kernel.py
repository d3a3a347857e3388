"""Kernels: compiled at first use, launched over a range on one thread or on all."""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from genesis_cpu import _threads
from genesis_cpu._cache import compiled, source

INTS, WIDE, FLOATS = 8, 16, 2  # what a launch can pass by itself
ALONE = 49152  # additions below which a second thread costs more than it brings
SIGNATURE = "void(int64,int64,int64)"

_lock = threading.RLock()
_alive: list[Any] = []  # machine code goes away with the object that owns it


def compile_text(text: str, name: str = "kernel") -> int:
    """The address of the kernel that ``text`` defines."""
    from numba import cfunc

    def decorator(cache: bool) -> Any:
        return cfunc(SIGNATURE, cache=cache, error_model="numpy", nogil=True)

    with _lock:
        function = compiled(text, name, decorator)
        _alive.append(function)
        return int(function.address)


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


def parts(work: float, n: int, least: int = ALONE) -> int:
    """Into how many parts to cut a range of ``n``: one where ``work`` (in additions) is little."""
    if work < least:
        return 1
    return min(_threads.get_num_threads(), n)


def even(length: int, most: int) -> tuple[int, int]:
    """Into how many pieces of at most ``most`` to cut a length, and their size; the last may be smaller."""
    count = -(-length // most)
    return count, -(-length // count)


def launch(function: int, n: int, cut: int, words: Sequence[int], floats: Sequence[float] = ()) -> None:
    """Run a kernel over 0 … n - 1 in ``cut`` parts, with its argument block: ``words``, then ``floats``.

    The floats begin at ``float_place(len(words), len(floats))``.
    """
    k = len(words)
    more = len(floats)
    if cut > _threads.hired:
        _threads.hire(cut)
    if more <= FLOATS and k <= WIDE:
        few = k <= INTS
        given = (*words, *ZEROS[(INTS if few else WIDE) - k], *floats, *_NOTHING[more])
        if cut == 1:
            (_threads.serial if few else _threads.serial16)(function, n, *given)
        else:
            (_threads.parallel if few else _threads.parallel16)(_threads.team, function, n, cut, *given)
        return
    memory = bytearray(struct.pack(f"{k}q{more}d", *words, *floats))
    place = _threads.address(np.frombuffer(memory, np.uint8))
    if cut == 1:
        _threads.packed_serial(function, n, place)
    else:
        _threads.packed(_threads.team, function, n, cut, place)


def float_place(words: int, floats: int) -> int:
    """Where in the argument block the floats begin: at 8 or 16 if they are few, else after the words."""
    if floats <= FLOATS:
        if words <= INTS:
            return INTS
        if words <= WIDE:
            return WIDE
    return words


ZEROS = [(0,) * k for k in range(WIDE + 1)]
_NOTHING = [(0.0,) * (FLOATS - k) for k in range(FLOATS + 1)]
