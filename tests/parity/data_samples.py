"""Data sets and functions for test_data_torch.py that a worker process imports: no torch here."""

from __future__ import annotations

from typing import Any

import numpy as np


class Items:
    """Items 0, 1, 2, ...; item i is (i, 2.5 i, "i"). Number ``bad`` raises ``error``."""

    def __init__(self, n: int, bad: int = -1, error: type[Exception] = ValueError) -> None:
        self.n, self.bad, self.error = n, bad, error

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < self.n:
            raise IndexError(index)
        if index == self.bad:
            raise self.error(f"item {index} is bad")
        return {"number": index, "pair": (2.5 * index, np.float32([index, -index])), "name": str(index)}


class Both:
    """For an iterable data set: the numbers below ``end``; among workers by ``how``."""

    def __init__(self, end: int, how: str, info: Any) -> None:
        self.end, self.how, self.info = end, how, info

    def __iter__(self) -> Any:
        info = self.info()
        if info is None or self.how == "copies":
            return iter(range(self.end))
        if self.how == "stride":
            return iter(range(info.id, self.end, info.num_workers))
        share = -(-self.end // info.num_workers)
        return iter(range(info.id * share, min(self.end, (info.id + 1) * share)))


class Told(Both):
    """The same, and it says how many it has."""

    def __len__(self) -> int:
        return self.end


class Whose:
    """Item i tells which worker made it and what that worker knows."""

    def __init__(self, info: Any) -> None:
        self.info, self.mark = info, 0

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> Any:
        info = self.info()
        if info is None:
            return -1, 0, 0, self.mark
        return info.id, info.num_workers, int(info.dataset is self), self.mark


class Marking:
    """A ``worker_init_fn`` that marks the worker's copy."""

    def __init__(self, info: Any) -> None:
        self.info = info

    def __call__(self, worker: int) -> None:
        info = self.info()
        assert info.id == worker
        info.dataset.mark = 10 + worker


def failing(worker: int) -> None:
    """A ``worker_init_fn`` that fails."""
    raise LookupError(f"worker {worker} does not begin")


def slow(samples: Any) -> Any:
    """A ``collate_fn`` that takes longer than anybody waits."""
    import time

    time.sleep(3)
    return samples


def numbers(samples: Any) -> Any:
    """A ``collate_fn`` of one's own."""
    return [sample["number"] for sample in samples]
