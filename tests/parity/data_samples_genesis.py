"""The iterable data sets of data_samples.py for Genesis; a worker process imports this."""

from __future__ import annotations

from data_samples import Both, Told

from genesis.utils.data import IterableDataset, get_worker_info


class GenesisNumbers(Both, IterableDataset):
    def __init__(self, end: int, how: str = "stride") -> None:
        super().__init__(end, how, get_worker_info)


class GenesisTold(Told, IterableDataset):
    def __init__(self, end: int, how: str = "stride") -> None:
        super().__init__(end, how, get_worker_info)
