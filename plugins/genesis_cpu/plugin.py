"""What this plugin declares; importing it imports no kernel."""

from __future__ import annotations

from genesis.plugin import BackendSpec, hookimpl


@hookimpl
def genesis_backends() -> list[BackendSpec]:
    """Declare the device `cpu`."""
    return [
        BackendSpec(
            "cpu", "genesis_cpu.backend:CpuBackend", "The host: Numba kernels, and BLAS for products."
        )
    ]
