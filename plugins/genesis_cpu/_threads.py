"""How many threads there are, and how kernels are launched on them.

Everything that runs in parallel here, products included, runs on one team of threads: two pools on the same
cores fight (a product and a loop in turn took 40 times as long as either).
"""

from __future__ import annotations

import atexit
import os
import threading
from contextlib import suppress
from typing import Any

from genesis_cpu._uninterrupted import uninterrupted

_lock = threading.RLock()
#: how many threads a kernel may use; 0 until somebody has asked
count = 0
#: most threads that a launch can use
MOST = 65535
#: the address of the team's memory, 0 before the first launch in parallel
team = 0
#: how many threads the team has, the launching one included
hired = 1
_members: list[threading.Thread] = []
_memory: _Memory | None = None
#: whether the launchers are loaded: before the first kernel nothing may load LLVM
ready = False


def get_num_threads() -> int:
    """How many threads a kernel may use.

    At first ``NUMBA_NUM_THREADS``, or else ``OMP_NUM_THREADS``, or else one for each core of this process.
    """
    global count
    if not count:
        count = _initial()
    return count


def set_num_threads(n: int) -> None:
    """Use ``n`` threads from now on.

    Raises:
        ValueError: ``n`` is not between 1 and 65535.
    """
    global count
    if not isinstance(n, int) or isinstance(n, bool) or not 1 <= n <= MOST:
        raise ValueError(f"the number of threads must be a whole number from 1 to {MOST}, got {n!r}")
    count = n


def _initial() -> int:
    for name in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS"):
        text = os.environ.get(name, "").split(",")[0].strip()  # OpenMP takes one for each level
        if text.isdigit() and int(text) > 0:
            return min(int(text), MOST)
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        return os.cpu_count() or 1


# -- the team ----------------------------------------------------------------------------------------------
class _Memory:
    """What the threads of a team share; its address never changes."""

    def __init__(self) -> None:
        import ctypes

        import numpy as np

        from genesis_cpu import _team

        self._owner = np.zeros(_team.BYTES + 64, np.uint8)
        self.address = -(-int(self._owner.ctypes.data) // 64) * 64
        self._stopped = ctypes.c_int64.from_address(self.address + _team.STOP)
        self._mutex, self._condition = (
            ctypes.c_void_p(self.address + place) for place in (_team.MUTEX, _team.CONDITION)
        )
        self._system = None if os.name == "nt" else ctypes.CDLL(None)
        if self._system:
            self._system.pthread_mutex_init(self._mutex, None)
            self._system.pthread_cond_init(self._condition, None)

    def stop(self) -> None:
        """Send the threads home."""
        self._stopped.value = 1
        if self._system:
            self._system.pthread_mutex_lock(self._mutex)
            self._system.pthread_cond_broadcast(self._condition)
            self._system.pthread_mutex_unlock(self._mutex)


def hire(n: int) -> None:
    """Let the team have ``n`` threads, or as many as the system gives."""
    uninterrupted(lambda: _hire(n))  # the start of a `threading.Thread` does not stand an interrupt


def _hire(n: int) -> None:
    global team, hired, _memory
    with _lock:
        if _memory is None:
            _memory = _Memory()
            team = _memory.address
            atexit.register(dismiss)
        for i in range(hired, n):
            thread = threading.Thread(target=_live, args=(team,), name=f"genesis-cpu-{i}", daemon=True)
            with suppress(RuntimeError):  # no more threads: those that are there do the work
                thread.start()
                _members.append(thread)
        hired = max(hired, n)


def _live(team: int) -> None:
    member(team)


def dismiss() -> None:
    """End the threads of the team; machine code must not go away under them."""
    if _memory is not None:
        settle()
        _memory.stop()
        for thread in _members:
            thread.join(1.0)
        _forget()


def _forget() -> None:
    global team, hired, _memory
    team, hired, _memory = 0, 1, None
    _members.clear()
    if ready:
        forget()


if hasattr(os, "register_at_fork"):  # the threads stay with the parent
    os.register_at_fork(before=lambda: settle(), after_in_child=_forget)


# -- launching ---------------------------------------------------------------------------------------------
def settle(number: int = -1) -> None:
    """See the launches through that have returned before they were over: all, or those up to a number."""


class _Lazy:
    """Loads the launchers at the first call of one, which take the places of their names in this module."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, *args: Any) -> Any:
        return prepare(self.name)(*args)


def prepare(name: str) -> Any:
    """Load the launchers; the one that is called so."""
    global ready
    from genesis_cpu import _cache, _launchers, _team
    from genesis_cpu._machine import callable_at

    names = _launchers.NAMES
    with _lock:
        if not ready:
            for known, place in zip(names, _cache.assembled(_team.text(), names), strict=True):
                globals()[known] = callable_at(place, known)
            ready = True
    return globals()[name]


#: ``serial(kernel, n, *arguments)``: run a kernel over 0 ... n - 1
serial: Any = _Lazy("serial")
#: ``parallel(team, kernel, n, parts, *arguments)``: the same in parts, by all threads of the team
parallel: Any = _Lazy("parallel")
#: ``later(team, kernel, n, parts, *arguments)``: as ``parallel``, but it may return before the kernel is
#: over, and then gives the number of the launch, else 0. Other launches come after it, and so must all else
#: that reads or writes the memory of such a kernel, or frees it: ``settle()``. A kernel of one part is only
#: left where others are, and with a negative number of parts no sleeping thread is called
later: Any = _Lazy("later")
#: ``member(team)``: what a thread of the team does
member: Any = _Lazy("member")
#: ``forget()``: what was not over is another process's
forget: Any = _Lazy("forget")
#: ``put(address, size, number)``: write a float of 4 or 8 bytes
put: Any = _Lazy("put")
#: ``address(array)``: where the elements of a contiguous array lie
address: Any = _Lazy("address")
