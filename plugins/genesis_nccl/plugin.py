"""What this plugin declares; importing it imports no NCCL."""

from __future__ import annotations

from genesis.plugin import CommunicatorSpec, hookimpl


@hookimpl
def genesis_communicators() -> list[CommunicatorSpec]:
    """Declare the communicators."""
    return [CommunicatorSpec("nccl", "genesis_nccl.communicator:NCCL", "NCCL, by nccl4py: between GPUs.")]
