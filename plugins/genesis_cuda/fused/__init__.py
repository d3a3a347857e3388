"""Whole operations of the CUDA device, each in one kernel or two."""
