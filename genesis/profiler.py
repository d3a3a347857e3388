"""The profiler at the address that PyTorch has for it."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any

from genesis._lazy import missing
from genesis.autograd.profiler import profile, record_function, schedule


class ProfilerActivity(Enum):
    """What PyTorch's profiler looks at; here it is the named parts in any case."""

    CPU = 0
    CUDA = 1
    XPU = 2


def tensorboard_trace_handler(
    dir_name: str, worker_name: str | None = None, use_gzip: bool = False
) -> Callable[[Any], None]:
    """What to do with a trace: write it into a folder, for chrome://tracing."""

    def handler(p: Any) -> None:
        folder = Path(dir_name)
        folder.mkdir(parents=True, exist_ok=True)
        p.export_chrome_trace(folder / f"{worker_name or 'trace'}.{p.step_num}.pt.trace.json")

    return handler


__all__ = ["ProfilerActivity", "profile", "record_function", "schedule", "tensorboard_trace_handler"]

TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
    __path__ = []  # a package to Python: for a name that is not here it asks genesis._lazy.Finder
