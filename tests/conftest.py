"""Tests that run beside each other (`pytest -n`) use one thread each: two pools would wait for each other.

Nothing is left to NumPy until a kernel would pay.
"""

from __future__ import annotations

import os

if "PYTEST_XDIST_WORKER" in os.environ:
    import genesis

    genesis.set_num_threads(1)

try:
    from genesis_cpu.kernels import sorting
except ImportError:
    pass
else:
    sorting._sorted = sorting._FIRST  # so that small tests sort with the kernel, too
