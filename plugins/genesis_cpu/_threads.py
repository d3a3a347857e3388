"""One pool of threads, and how kernels are launched on it.

Everything that runs in parallel here, products included, runs on Numba's threads: two pools on the same cores
fight (a product and a loop in turn took 40 times as long as either).
"""

# mypy: disable-error-code="no-untyped-def"
from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what the launchers find in their file
    from genesis_cpu._names import block, call, prange

# A waiting OpenMP thread spins before it sleeps. By default it spins for milliseconds: when another process
# needs the core, every kernel waits for the spinner, and a training step takes 20 times as long. With short
# spins a busy machine costs what the cores cannot give; on an idle one small steps take about a sixth longer.
# Read when the library is loaded, so it stands here, before Numba; what the user has set is left alone.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")

_lock = threading.RLock()
_count = 0
#: held during a parallel launch: its threads are the whole machine anyway, and Numba's workqueue layer aborts
#: the process when two Python threads launch at once
pool = threading.Lock()
#: whether ``address`` is compiled: before the first kernel nothing may load Numba
ready = False


def get_num_threads() -> int:
    """How many threads a kernel may use: ``NUMBA_NUM_THREADS``, else one per core this process may run on."""
    global _count
    if not _count:
        _count = _pool_size()
    return _count


def set_num_threads(n: int) -> None:
    """Use ``n`` threads from now on.

    Raises:
        ValueError: ``n`` is not between 1 and the size of Numba's pool, fixed when the process starts.
    """
    global _count
    size = _pool_size()
    if not isinstance(n, int) or isinstance(n, bool) or not 1 <= n <= size:
        raise ValueError(
            f"the number of threads must be a whole number from 1 to {size}, got {n!r}; "
            "set NUMBA_NUM_THREADS before the process starts for a larger pool"
        )
    _count = n


def _pool_size() -> int:
    text = os.environ.get("NUMBA_NUM_THREADS", "")
    if text.isdigit() and int(text) > 0:
        return int(text)
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        return os.cpu_count() or 1


# -- launching ---------------------------------------------------------------------------------------------
# These are compiled by Numba; ``call`` and ``block`` are names of _pointers.
def _serial(function, n, a, b, c, d, e, f, g, h, x, y):
    call(function, block((a, b, c, d, e, f, g, h), x, y), 0, n)


def _parallel(function, n, parts, a, b, c, d, e, f, g, h, x, y):
    args = block((a, b, c, d, e, f, g, h), x, y)
    for t in prange(parts):
        call(function, args, n * t // parts, n * (t + 1) // parts)


def _serial16(function, n, a, b, c, d, e, f, g, h, i, j, k, m, o, p, q, r, x, y):
    call(function, block((a, b, c, d, e, f, g, h, i, j, k, m, o, p, q, r), x, y), 0, n)


def _packed(function, n, parts, args):
    for t in prange(parts):
        call(function, args, n * t // parts, n * (t + 1) // parts)


def _packed_serial(function, n, args):
    call(function, args, 0, n)


def _address(array):
    return array.ctypes.data


class _Lazy:
    """Compiles a launcher at its first call and then puts itself out of the way."""

    def __init__(self, name: str, function: Any, signature: str, **options: Any) -> None:
        self.name, self.function, self.signature, self.options = name, function, signature, options

    def __call__(self, *args: Any) -> Any:
        global ready
        with _lock:
            launcher = globals()[self.name]
            if launcher is self:
                from numba import njit

                from genesis_cpu._cache import compiled, source

                launcher = compiled(
                    source(self.function),
                    self.function.__name__,
                    lambda cache: njit(self.signature, cache=cache, **self.options),
                )
                globals()[self.name] = launcher
                ready = ready or self.name == "address"
        return launcher(*args)


_WORDS, _WORDS16 = (",".join(["int64"] * k + ["float64"] * 2) for k in (8, 16))
serial: Any = _Lazy("serial", _serial, f"void(int64,int64,{_WORDS})", nogil=True)
parallel: Any = _Lazy("parallel", _parallel, f"void(int64,int64,int64,{_WORDS})", parallel=True)
serial16: Any = _Lazy("serial16", _serial16, f"void(int64,int64,{_WORDS16})", nogil=True)
packed: Any = _Lazy("packed", _packed, "void(int64,int64,int64,int64)", parallel=True)
packed_serial: Any = _Lazy("packed_serial", _packed_serial, "void(int64,int64,int64)", nogil=True)
address: Any = _Lazy("address", _address, "int64(uint8[::1])")
