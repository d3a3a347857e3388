"""The memory of a training step: the most that a process holds at once.

First a small model of the same kind is trained, so that libraries are loaded, kernels compiled and pools
begun: what the process holds then is not counted, nor what it held for a moment while it compiled. Then the
workload is made and five steps are taken; the most held at any moment of that, above what was held before,
are its parameters, gradients, optimizer state and activations. The second figure is the most that the whole
process ever held.
"""

from __future__ import annotations

import gc
import resource
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workloads import Workload, make

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def _status(name: str) -> int:
    """A line of /proc/self/status in bytes."""
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024


def peak(framework: str, workload: Workload, options: Mapping[str, Any]) -> tuple[int, int] | None:
    """Bytes of a step, and of the whole process; None where the system does not tell."""
    small = make(framework, workload, options, tiny=True)
    for _ in range(3):
        small()
    del small
    gc.collect()
    try:
        before = _status("VmRSS")
        most = _most()
        _CLEAR.write_text("5")  # the most held so far is forgotten
        step = make(framework, workload, options)
        for _ in range(5):
            step()
        return _status("VmHWM") - before, max(most, _status("VmHWM"))
    except OSError:  # not Linux
        return None


def _most() -> int:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
