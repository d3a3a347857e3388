"""The primitives of the CUDA device."""
