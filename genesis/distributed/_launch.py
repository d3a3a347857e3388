"""What a launcher tells its processes, in the words of ``torchrun``."""

from __future__ import annotations

import os

#: the variables of launchers: rank, size, and the same among the processes of one machine
_LAUNCHERS = (
    tuple(f"OMPI_COMM_WORLD_{name}" for name in ("RANK", "SIZE", "LOCAL_RANK", "LOCAL_SIZE")),
    ("PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"),
)
_OURS = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")


def launched() -> tuple[int, int] | None:
    """The rank and the size that an MPI launcher gave this process, or None if there was none."""
    for rank, size, *_ in _LAUNCHERS:
        if rank in os.environ and size in os.environ:
            return int(os.environ[rank]), int(os.environ[size])
    return None


def set_environment() -> None:
    """Set RANK, WORLD_SIZE, LOCAL_RANK and LOCAL_WORLD_SIZE as ``torchrun`` does, where an MPI launcher ran.

    What is set already stays. MASTER_ADDR and MASTER_PORT get values that scripts may read; nobody listens.
    """
    for names in _LAUNCHERS:
        if names[0] not in os.environ or names[1] not in os.environ:
            continue
        for ours, theirs in zip(_OURS, names, strict=True):
            value = os.environ.get(theirs)
            if value is not None:
                os.environ.setdefault(ours, value)
        os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
        os.environ.setdefault("MASTER_PORT", "29500")
        return
