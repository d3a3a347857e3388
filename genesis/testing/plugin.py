"""The reference device, declared as any other plugin declares its own."""

from __future__ import annotations

from genesis.plugin import BackendSpec, hookimpl


@hookimpl
def genesis_backends() -> list[BackendSpec]:
    """Declare the device `ref`."""
    return [
        BackendSpec(
            "ref", "genesis.testing.reference:RefBackend", "Plain NumPy, slow and exact: the reference."
        )
    ]
