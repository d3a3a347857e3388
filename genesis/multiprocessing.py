"""Python's ``multiprocessing``. Tensors are pickled, that is copied, from process to process."""

from __future__ import annotations

import multiprocessing as _standard
from multiprocessing import *  # noqa: F403
from typing import Any

from genesis._lazy import missing

__all__ = [*_standard.__all__, "get_all_sharing_strategies", "get_sharing_strategy", "set_sharing_strategy"]


def get_all_sharing_strategies() -> set[str]:
    """The one way in which tensors go to another process: they are copied."""
    return {"copy"}


def get_sharing_strategy() -> str:
    """``"copy"``."""
    return "copy"


def set_sharing_strategy(new_strategy: str) -> None:
    """Accepted: tensors are copied."""


def spawn(
    fn: Any, args: tuple[Any, ...] = (), nprocs: int = 1, join: bool = True, daemon: bool = False,
    start_method: str = "spawn",
) -> Any:  # fmt: skip
    """Run ``fn(i, *args)`` in ``nprocs`` processes.

    Args:
        fn: a function of a module.
        args: further arguments.
        nprocs: how many.
        join: wait for them; otherwise return the list of processes.
        daemon: they end with this one.
        start_method: as in ``multiprocessing``.

    Raises:
        RuntimeError: a process failed.
    """
    context: Any = _standard.get_context(start_method)
    processes = [context.Process(target=fn, args=(i, *args), daemon=daemon) for i in range(nprocs)]
    for process in processes:
        process.start()
    if not join:
        return processes
    for process in processes:
        process.join()
    failed = [(i, p.exitcode) for i, p in enumerate(processes) if p.exitcode]
    if failed:
        raise RuntimeError(f"process {failed[0][0]} terminated with exit code {failed[0][1]}")
    return None


TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
    __path__ = []  # a package to Python: for a name that is not here it asks genesis._lazy.Finder
