"""Models that several processes train together, at PyTorch's address."""

from __future__ import annotations

from genesis._lazy import missing
from genesis.nn.parallel.data_parallel import DataParallel, data_parallel
from genesis.nn.parallel.distributed import DistributedDataParallel

__all__ = ["DataParallel", "DistributedDataParallel", "data_parallel"]

TYPE_CHECKING = False
if not TYPE_CHECKING:
    __getattr__ = missing(__name__)
