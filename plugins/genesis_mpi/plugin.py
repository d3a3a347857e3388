"""What this plugin declares; importing it imports no MPI."""

from __future__ import annotations

from genesis.plugin import CommunicatorSpec, hookimpl


@hookimpl
def genesis_communicators() -> list[CommunicatorSpec]:
    """Declare the communicators."""
    return [CommunicatorSpec("mpi", "genesis_mpi.communicator:MPI", "MPI, by mpi4py: one machine or many.")]
