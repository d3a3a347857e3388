"""``matmul``."""

from __future__ import annotations

import numpy as np

from genesis.backend import View
from genesis_cpu._memory import array


def run(out: View, a: View, b: View) -> None:
    """``Backend.matmul``."""
    np.matmul(array(a), array(b), out=array(out))
