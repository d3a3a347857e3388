"""What this package declares; importing it imports no OpenCL."""

from __future__ import annotations

from genesis.plugin import BackendSpec, hookimpl


@hookimpl
def genesis_backends() -> list[BackendSpec]:
    """Declare the device `opencl`."""
    return [
        BackendSpec(
            "opencl",
            "genesis_opencl.backend:OpenCLBackend",
            "GPUs and CPUs that have an OpenCL driver.",
            aliases=("cl",),
        )
    ]
