"""The CPU device: Numba kernels for the host."""
