"""Where PyTorch's older scripts find the functions that make batches."""

from genesis.data._utils import collate, worker

__all__ = ["collate", "worker"]
