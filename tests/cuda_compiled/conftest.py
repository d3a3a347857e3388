"""Compiling for GPUs without one; needs `pip install "genesis-dl[cuda-test]"`.

Run as `pytest tests/cuda_compiled`, in a process of its own, and not in Numba's simulator.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.pop("NUMBA_ENABLE_CUDASIM", None)
sys.path.insert(0, str(Path(__file__).parent))

import numba.cuda.dispatcher


class _Device:
    compute_capability = (8, 0)


# functions that kernels call ask the current device for its architecture, which is then not used
numba.cuda.dispatcher.get_current_device = _Device
