"""How many threads there are, and how kernels are launched on them.

Everything that runs in parallel here, products included, runs on one team of threads: two pools on the same
cores fight (a product and a loop in turn took 40 times as long as either).
"""

# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

import atexit
import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what the launchers find in their file
    from genesis_cpu._names import block, call, share
    from genesis_cpu._names import member as life

_lock = threading.RLock()
_count = 0
#: most threads that a launch can use
MOST = 65535
#: the address of the team's memory, 0 before the first launch in parallel
team = 0
#: how many threads the team has, the launching one included
hired = 1
_members: list[threading.Thread] = []
_memory: _Memory | None = None
#: whether ``address`` is compiled: before the first kernel nothing may load Numba
ready = False


def get_num_threads() -> int:
    """How many threads a kernel may use.

    At first ``NUMBA_NUM_THREADS``, or else ``OMP_NUM_THREADS``, or else one for each core of this process.
    """
    global _count
    if not _count:
        _count = _initial()
    return _count


def set_num_threads(n: int) -> None:
    """Use ``n`` threads from now on.

    Raises:
        ValueError: ``n`` is not between 1 and 65535.
    """
    global _count
    if not isinstance(n, int) or isinstance(n, bool) or not 1 <= n <= MOST:
        raise ValueError(f"the number of threads must be a whole number from 1 to {MOST}, got {n!r}")
    _count = n


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
        _memory.stop()
        for thread in _members:
            thread.join(1.0)
        _forget()


def _forget() -> None:
    global team, hired, _memory
    team, hired, _memory = 0, 1, None
    _members.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)  # the threads stay with the parent


# -- launching ---------------------------------------------------------------------------------------------
# These are compiled by Numba; ``call`` and ``block`` are names of _pointers, ``share`` and so on of _team.
def _serial(function, n, a, b, c, d, e, f, g, h, x, y):
    call(function, block((a, b, c, d, e, f, g, h), x, y), 0, n)


def _parallel(team, function, n, parts, a, b, c, d, e, f, g, h, x, y):
    share(team, function, n, parts, block((a, b, c, d, e, f, g, h), x, y))


def _serial16(function, n, a, b, c, d, e, f, g, h, i, j, k, m, o, p, q, r, x, y):
    call(function, block((a, b, c, d, e, f, g, h, i, j, k, m, o, p, q, r), x, y), 0, n)


def _parallel16(team, function, n, parts, a, b, c, d, e, f, g, h, i, j, k, m, o, p, q, r, x, y):
    share(team, function, n, parts, block((a, b, c, d, e, f, g, h, i, j, k, m, o, p, q, r), x, y))


def _packed(team, function, n, parts, args):
    share(team, function, n, parts, args)


def _packed_serial(function, n, args):
    call(function, args, 0, n)


def _address(array):
    return array.ctypes.data


def _member(team):
    life(team)


class _Lazy:
    """Compiles a launcher at its first call and then puts itself out of the way."""

    def __init__(self, name: str, function: Any, signature: str, imports: str = "") -> None:
        self.name, self.function, self.signature, self.imports = name, function, signature, imports

    def prepare(self) -> Any:
        """Compile it, and let the module's name stand for what was compiled."""
        global ready
        with _lock:
            launcher = globals()[self.name]
            if launcher is self:
                from numba import njit

                from genesis_cpu._cache import compiled, source

                launcher = compiled(
                    f"{self.imports}\n{source(self.function)}",
                    self.function.__name__,
                    lambda cache: njit(self.signature, cache=cache, nogil=True),
                )
                globals()[self.name] = launcher
                ready = ready or self.name == "address"
        return launcher

    def __call__(self, *args: Any) -> Any:
        return self.prepare()(*args)


_WORDS, _WORDS16 = (",".join(["int64"] * k + ["float64"] * 2) for k in (8, 16))
_TEAM = "from genesis_cpu._team import "
serial: Any = _Lazy("serial", _serial, f"void(int64,int64,{_WORDS})")
parallel: Any = _Lazy("parallel", _parallel, f"void(int64,int64,int64,int64,{_WORDS})", f"{_TEAM}share")
serial16: Any = _Lazy("serial16", _serial16, f"void(int64,int64,{_WORDS16})")
parallel16: Any = _Lazy(
    "parallel16", _parallel16, f"void(int64,int64,int64,int64,{_WORDS16})", f"{_TEAM}share"
)
packed: Any = _Lazy("packed", _packed, "void(int64,int64,int64,int64,int64)", f"{_TEAM}share")
packed_serial: Any = _Lazy("packed_serial", _packed_serial, "void(int64,int64,int64)")
address: Any = _Lazy("address", _address, "int64(uint8[::1])")
member: Any = _Lazy("member", _member, "void(int64)", f"{_TEAM}member as life")
