"""What this plugin declares; importing it imports no kernel."""

from __future__ import annotations

from genesis.plugin import BackendSpec, hookimpl


@hookimpl
def genesis_backends() -> list[BackendSpec]:
    """Declare the device `cuda`."""
    return [BackendSpec("cuda", "genesis_cuda.backend:CudaBackend", "GPUs of NVIDIA: kernels in Numba CUDA.")]
