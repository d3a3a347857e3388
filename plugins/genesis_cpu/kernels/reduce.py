"""``reduce``."""

from __future__ import annotations

import numpy as np

from genesis.backend import View
from genesis_cpu._memory import array

_REDUCERS = {"sum": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum}


def run(op: str, out: View, x: View) -> None:
    """``Backend.reduce``."""
    axes = tuple(i for i, (a, b) in enumerate(zip(x.shape, out.shape, strict=True)) if a != b)
    source, target = array(x), array(out)
    if op in _REDUCERS:
        wide = "float64" if out.dtype.name == "float32" and op in ("sum", "prod") else out.dtype.name
        with np.errstate(all="ignore"):
            result = _REDUCERS[op].reduce(source, axis=axes, dtype=wide, keepdims=True)
            target[...] = result
    else:
        function = np.argmax if op == "argmax" else np.argmin
        target[...] = function(source, axis=axes[0], keepdims=True) if axes else 0
