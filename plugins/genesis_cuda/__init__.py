"""The CUDA device: GPUs of NVIDIA, programmed in Python through Numba."""
