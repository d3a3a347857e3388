"""The device `cuda` in Numba's simulator: every thread of a kernel is a Python function on the host.

Run as `pytest tests/cuda_simulated`, in a process of its own: the simulator is chosen when Numba is imported.
"""

from __future__ import annotations

import os
import sys

os.environ["NUMBA_ENABLE_CUDASIM"] = "1"
sys.setswitchinterval(1e-4)  # threads that wait for each other are then woken sooner

from genesis.testing.backend_checks import _expressions, _map, _matmul, _memory  # noqa: E402

# enough for several blocks, and no multiple of anything; a simulated thread takes microseconds for an element
_map.LARGE = _expressions.LARGE = _memory.LARGE = 1003
_matmul.SIZES = ((1, 1, 1), (3, 17, 5), (1, 30, 7), (9, 1, 7), (7, 9, 1), (8, 8, 8), (9, 5, 13))
_matmul.LARGE = (19, 23, 17)
_matmul.PLACED, _matmul.MANY, _matmul.AGAIN = ((5, 7, 6), (9, 11, 10)), (3, 5, 6, 7), 15
