"""In the place of nccl4py, for machines without a GPU."""
