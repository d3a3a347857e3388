"""Loaders with worker processes, iterable data sets and weighted samplers."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import genesis
from genesis.data import (
    ChainDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    SubsetRandomSampler,
    WeightedRandomSampler,
    get_worker_info,
)


class Squares(Dataset[Any]):
    """Item i is i squared, and who made it; item 13 cannot be made if ``broken``."""

    def __init__(self, length: int, broken: bool = False) -> None:
        self.length, self.broken = length, broken

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Any:
        if self.broken and index == 13:
            raise KeyError("thirteen has no square")
        info = get_worker_info()
        return np.float32(index * index), -1 if info is None else info.id


class Counting(IterableDataset[int]):
    """The numbers below ``end``, shared among the workers."""

    def __init__(self, end: int) -> None:
        self.end = end

    def __iter__(self) -> Iterator[int]:
        info = get_worker_info()
        first, step = (0, 1) if info is None else (info.id, info.num_workers)
        return iter(range(first, self.end, step))


def values(loader: Any) -> list[list[float]]:
    return [batch[0].tolist() for batch in loader]


@pytest.mark.timeout(120)
def test_workers_change_nothing_but_who_does_it() -> None:
    genesis.manual_seed(3)
    alone = values(DataLoader(Squares(50), batch_size=8, shuffle=True))
    genesis.manual_seed(3)
    loader = DataLoader(Squares(50), batch_size=8, shuffle=True, num_workers=2, persistent_workers=True)
    batches = list(loader)
    assert [b[0].tolist() for b in batches] == alone
    assert {who for b in batches for who in b[1].tolist()} == {0, 1}
    assert sorted(v for b in values(loader) for v in b) == [float(i * i) for i in range(50)]


@pytest.mark.timeout(120)
def test_an_error_in_a_worker_reaches_the_loop_with_its_place() -> None:
    loader = DataLoader(Squares(20, broken=True), batch_size=4, num_workers=1)
    with pytest.raises(KeyError, match="thirteen has no square") as caught:
        list(loader)
    assert "__getitem__" in str(caught.value), "the traceback of the worker is part of the message"


@pytest.mark.timeout(120)
def test_workers_share_an_iterable_data_set() -> None:
    batches = list(DataLoader(Counting(10), batch_size=2, num_workers=2))
    assert sorted(v for b in batches for v in b.tolist()) == list(range(10))
    assert [b.tolist() for b in batches][:2] == [[0, 2], [1, 3]], "one worker after the other"


def test_an_iterable_data_set_needs_no_workers() -> None:
    loader = DataLoader(ChainDataset([Counting(3), Counting(2)]), batch_size=2)
    assert [b.tolist() for b in loader] == [[0, 1], [2, 0], [1]]
    assert [b.tolist() for b in DataLoader(Counting(3), batch_size=2, drop_last=True)] == [[0, 1]]
    with pytest.raises(ValueError, match="shuffle"):
        DataLoader(Counting(3), shuffle=True)


def test_a_pass_with_workers_goes_on_where_it_was() -> None:
    genesis.manual_seed(0)
    whole = values(DataLoader(Squares(30), batch_size=4, shuffle=True))
    genesis.manual_seed(0)
    loader = DataLoader(Squares(30), batch_size=4, shuffle=True)
    running = iter(loader)
    first = [next(running)[0].tolist() for _ in range(3)]
    other = DataLoader(Squares(30), batch_size=4, shuffle=True)
    other.load_state_dict(loader.state_dict())
    assert first + values(other) == whole


def test_weights_say_how_often() -> None:
    genesis.manual_seed(0)
    drawn = list(WeightedRandomSampler([0.0, 1.0, 3.0], 4000))
    assert len(drawn) == 4000
    counts = np.bincount(drawn, minlength=3)
    assert counts[0] == 0
    # three standard deviations of a share of a quarter in 4000 draws
    assert abs(counts[1] / 4000 - 0.25) < 3 * (0.25 * 0.75 / 4000) ** 0.5
    assert sorted(WeightedRandomSampler([1.0, 1.0, 1.0], 3, replacement=False)) == [0, 1, 2]
    assert sorted(SubsetRandomSampler([5, 7, 9])) == [5, 7, 9]


class Drawing(Dataset[Any]):
    """Item i is i and random numbers of three kinds."""

    def __len__(self) -> int:
        return 12

    def __getitem__(self, index: int) -> Any:
        return index, genesis.rand(1).item(), random.random(), np.random.random()


def start_python_only(worker: int) -> None:
    random.seed(5)
    genesis.manual_seed(6)


@pytest.mark.timeout(120)
def test_random_numbers_of_a_batch_are_the_same_after_a_restart() -> None:
    def make() -> DataLoader:
        return DataLoader(
            Drawing(), 2, shuffle=True, num_workers=2, persistent_workers=True,
            generator=genesis.Generator().manual_seed(3),
        )  # fmt: skip

    def plain(batch: Any) -> list[Any]:
        return [column.tolist() for column in batch]

    whole = make()
    first = [plain(batch) for batch in whole]
    running = iter(whole)
    begun = [plain(next(running)) for _ in range(3)]
    state = whole.state_dict()
    rest = [plain(batch) for batch in running]
    again = make()
    again.load_state_dict(state)
    assert [plain(batch) for batch in again] == rest
    drawn = [number for batch in (*first, *begun, *rest) for column in batch[1:] for number in column]
    assert len(set(drawn)) == len(drawn)


@pytest.mark.timeout(120)
def test_seeds_of_ones_own_stay() -> None:
    loader = DataLoader(Drawing(), 1, num_workers=1, worker_init_fn=start_python_only)
    expected, generator = random.Random(5), genesis.Generator().manual_seed(6)
    for _, ours, python, _ in loader:
        assert python.item() == expected.random()
        assert ours.item() == genesis.rand(1, generator=generator).item()


@pytest.mark.timeout(120)
def test_an_interrupt_in_the_middle_of_an_answer_ends_these_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of the answer would be taken for the next one."""
    from genesis.data._transport import Link

    loader = DataLoader(Squares(24), batch_size=4, num_workers=1, persistent_workers=True)
    wanted = values(loader)

    def interrupted(link: Link) -> None:
        link.connection.recv_bytes()
        raise KeyboardInterrupt

    running = iter(loader)
    with monkeypatch.context() as patch:
        patch.setattr(Link, "receive", interrupted)
        with pytest.raises(KeyboardInterrupt):
            next(running)
    with pytest.raises(StopIteration):
        next(running)
    assert values(loader) == wanted
