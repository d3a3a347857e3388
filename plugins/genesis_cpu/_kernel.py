"""Kernels: compiled at first use, launched over a range on one thread or on all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from genesis.backend import Number, View
from genesis_cpu import _threads
from genesis_cpu._cache import machine_code, source
from genesis_cpu._launchers import MOST
from genesis_cpu._pool import Loan, pool

INTS, WIDE = 8, 16  # where floats begin in an argument block, if there is room
ALONE = 49152  # additions below which a second thread costs more than it brings

CALL = 2 * ALONE  # and below which nobody is called who sleeps, if that is not necessary

_lock = threading.RLock()
#: whether a launch may be pending: only behind others is a kernel of one part left
_left = False


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


def launch(
    function: int,
    n: int,
    cut: int,
    words: Sequence[int],
    floats: Sequence[float] = (),
    views: Sequence[View | Number | None] | None = None,
) -> None:
    """Run a kernel over 0 … n - 1 in ``cut`` parts, with its argument block: ``words``, then ``floats``.

    The floats begin at ``float_place(len(words))``.

    Args:
        views: all tensors that the kernel reads or writes, and perhaps numbers; what else it reads must be of
            the pool, too, as ``scratch`` and ``table`` are. Then this may return before the kernel is over,
            where nobody knows that memory who would not ask: whoever looks at memory from Python calls
            ``_threads.settle``.
    """
    global _left
    if floats:
        floats = [float(x) for x in floats]  # a whole number would be taken for a word
    if cut == 1 and not _left:
        _threads.serial(function, n, *words, *floats)
        return
    if cut > _threads.hired:
        _hire(cut)
    shown = pool.shown
    if views is not None and float_place(len(words)) + len(floats) <= MOST and _unknown(views):
        _left = True
        _leave(function, n, cut, (*words, *floats), shown)
        return
    if cut == 1:
        _threads.serial(function, n, *words, *floats)
    else:
        _threads.parallel(_threads.team, function, n, cut, *words, *floats)
    _left = False


def _hire(cut: int) -> None:
    """Let the team have a thread for each of so many parts, but not more than kernels may use."""
    most = min(cut, _threads.get_num_threads())
    if most > _threads.hired:
        _threads.hire(most)


def _unknown(views: Sequence[View | Number | None]) -> bool:
    """Whether nobody knows this memory who would not ask before he looks at it."""
    return all([not isinstance(v, View) or type(v.buffer) is Loan for v in views])


def launch_later(function: int, n: int, cut: int, words: Sequence[int], shown: int, work: float) -> int:
    """As ``launch`` with views that nobody knew when ``pool.shown`` was that; with at least two parts.

    Args:
        work: in additions; for little of it sleeping threads are not called.

    Returns:
        the number of the launch, for ``_threads.settle``, or 0 if it is over.
    """
    if cut > _threads.hired:
        _hire(cut)
    return _leave(function, n, cut if work > CALL else -cut, words, shown)


def _leave(function: int, n: int, cut: int, arguments: Sequence[int | float], shown: int) -> int:
    """Queue a launch whose memory nobody knew when ``pool.shown`` was that; its number, 0 if it is over."""
    number: int = _threads.later(_threads.team, function, n, cut, *arguments)
    if pool.shown != shown:  # by another thread, just now: perhaps some of it
        _threads.settle()
    return number


def float_place(words: int) -> int:
    """Where in the argument block the floats begin: at 8 or 16 if the words are fewer, else after them."""
    if words <= INTS:
        return INTS
    return WIDE if words <= WIDE else words
