"""NCCL by nccl4py: what GPUs send each other."""
