"""Where PyTorch's older scripts find the functions that make batches."""

from genesis.data._utils import collate, pin_memory, worker

__all__ = ["collate", "pin_memory", "worker"]
