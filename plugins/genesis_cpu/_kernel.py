"""Kernels: compiled at first use, launched over a range on one thread or on all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from genesis_cpu import _threads
from genesis_cpu._cache import machine_code, source

INTS, WIDE = 8, 16  # where floats begin in an argument block, if there is room
ALONE = 49152  # additions below which a second thread costs more than it brings

CALL = 2 * ALONE  # and below which nobody is called who sleeps, if that is not necessary

_lock = threading.RLock()


def compile_text(text: str, name: str = "kernel") -> int:
    """The address of the kernel that ``text`` defines."""
    return machine_code(text, name)


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

    The floats begin at ``float_place(len(words))``.
    """
    if floats:
        floats = [float(x) for x in floats]  # a whole number would be taken for a word
    if cut == 1:
        _threads.serial(function, n, *words, *floats)
        return
    if cut > _threads.hired:
        _threads.hire(cut)
    _threads.parallel(_threads.team, function, n, cut, *words, *floats)


def launch_later(function: int, n: int, cut: int, words: Sequence[int], work: float) -> None:
    """As ``launch`` with at least two parts, but it may return before the kernel is over.

    The threads of the team begin, and whoever launches the next kernel, or looks at memory from Python,
    helps them to finish first (``_threads.settle``). So the memory of the kernel must be of the pool, and
    nobody may know it who does not ask there (``Loan``).

    Args:
        work: in additions; for little of it sleeping threads are not called.
    """
    most = _threads.get_num_threads()
    if most > _threads.hired:
        _threads.hire(most)
    _threads.later(_threads.team, function, n, cut if work > CALL else -cut, *words)


def float_place(words: int) -> int:
    """Where in the argument block the floats begin: at 8 or 16 if the words are fewer, else after them."""
    if words <= INTS:
        return INTS
    return WIDE if words <= WIDE else words
