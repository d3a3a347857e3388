"""Data sets, their parts, and what becomes of their samples in a batch."""

from __future__ import annotations

import collections

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import genesis
from genesis.data import (
    ConcatDataset,
    DataLoader,
    Dataset,
    Subset,
    TensorDataset,
    default_collate,
    random_split,
)


class Squares(Dataset[int]):
    def __init__(self, n: int) -> None:
        self.n = n

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index: int) -> int:
        return index * index


def rows(n: int) -> TensorDataset:
    return TensorDataset(
        genesis.from_numpy(np.arange(2 * n, dtype=np.float32).reshape(n, 2)), genesis.arange(n)
    )


def test_a_tensor_dataset_gives_one_row_of_each_tensor() -> None:
    data = rows(5)
    x, y = data[3]
    assert (x.tolist(), y.item(), len(data)) == ([6.0, 7.0], 3, 5)
    x, y = data[-1]
    assert (x.tolist(), y.item()) == ([8.0, 9.0], 4)


@pytest.mark.parametrize("shape", [(4,), (3, 5), ()])
def test_tensors_of_different_lengths_are_refused_with_their_shapes(shape: tuple[int, ...]) -> None:
    with pytest.raises(genesis.ShapeError, match=r"\(5, 2\), \(" + ", ".join(map(str, shape))):
        TensorDataset(genesis.zeros(5, 2), genesis.zeros(*shape) if shape else genesis.tensor(1.0))


def test_what_is_not_a_tensor_is_refused() -> None:
    with pytest.raises(TypeError, match=r"got ndarray; see genesis\.from_numpy"):
        TensorDataset(np.zeros(3))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least one tensor"):
        TensorDataset()


def test_a_subset_of_a_subset_picks_from_the_whole() -> None:
    part = Subset(Subset(Squares(10), [9, 7, 5, 3]), [1, 3])
    assert (part[0], part[1], len(part)) == (49, 9, 2)


def test_a_batch_of_a_subset_of_tensors_is_the_same_as_its_samples() -> None:
    part = Subset(Subset(rows(10), [9, 7, 5, 3]), [3, 0, 3])
    (batch,) = DataLoader(part, batch_size=3)
    assert batch[0].tolist() == [[6, 7], [18, 19], [6, 7]]
    assert batch[1].tolist() == [3, 9, 3]


def test_concatenation_goes_through_the_parts_in_order() -> None:
    both = ConcatDataset([Squares(3), Squares(0), Squares(2)])
    assert [both[i] for i in range(len(both))] == [0, 1, 4, 0, 1]
    assert [both[i] for i in range(-5, 0)] == [0, 1, 4, 0, 1]
    assert [(Squares(2) + Squares(3))[i] for i in range(5)] == [0, 1, 0, 1, 4]
    for index in (5, -6):
        with pytest.raises(IndexError, match=rf"index {index} is out of range for 5 samples"):
            both[index]
    with pytest.raises(ValueError, match="at least one data set"):
        ConcatDataset([])


# random_split


@pytest.mark.parametrize(
    ("n", "lengths", "sizes"),
    [
        (10, [3, 7], [3, 7]),
        (10, [0.3, 0.7], [3, 7]),
        (11, [0.5, 0.5], [6, 5]),  # floor gives 5 and 5; the one left over goes to the first
        (10, [1 / 3, 1 / 3, 1 / 3], [4, 3, 3]),
        (5, [0.9, 0.05, 0.05], [5, 0, 0]),  # floor gives 4, 0, 0
        (7, [0.25, 0.25, 0.25, 0.25], [2, 2, 2, 1]),
        (1, [1], [1]),
    ],
)
@pytest.mark.filterwarnings("ignore:part . of random_split is empty")
def test_the_sizes_of_a_random_split(n: int, lengths: list[float], sizes: list[int]) -> None:
    assert [len(part) for part in random_split(Squares(n), lengths)] == sizes


@pytest.mark.filterwarnings("ignore:part . of random_split is empty")  # 0 and 1 are read as fractions
@settings(deadline=None)
@given(st.lists(st.integers(0, 8), min_size=1, max_size=5).filter(sum), st.integers(0, 2**32))
def test_the_parts_of_a_split_are_the_whole_without_overlap(sizes: list[int], seed: int) -> None:
    parts = random_split(range(sum(sizes)), sizes, generator=genesis.Generator().manual_seed(seed))
    assert sorted(sample for part in parts for sample in part) == list(range(sum(sizes)))
    assert [len(part) for part in parts] == sizes or sum(sizes) == 1


def test_a_split_follows_its_generator_or_the_global_seed() -> None:
    def split(generator: genesis.Generator | None = None) -> list[int]:
        return random_split(Squares(50), [25, 25], generator=generator)[0].indices  # type: ignore[return-value]

    assert split(genesis.Generator().manual_seed(3)) == split(genesis.Generator().manual_seed(3))
    assert split(genesis.Generator().manual_seed(3)) != split(genesis.Generator().manual_seed(4))
    genesis.manual_seed(7)
    first, second = split(), split()
    genesis.manual_seed(7)
    assert split() == first != second


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([3, 3], r"add up to 6, but the data set has 10 samples"),
        ([0.5, 0.4], r"add up to 0\.9, but the data set has 10"),
        ([1.5, -0.5], r"fraction 0 is 1\.5, but fractions are between 0 and 1"),
        ([12, -2], "not negative"),
        ([2.5, 7.5], "whole numbers"),
    ],
)
def test_lengths_that_do_not_add_up_are_refused(lengths: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        random_split(Squares(10), lengths)


def test_an_empty_part_of_fractions_is_worth_a_warning() -> None:
    with pytest.warns(UserWarning, match=r"part 1 of random_split is empty: 0\.01 of 5"):
        random_split(Squares(5), [0.99, 0.01])


# collation


def test_numbers_become_tensors_of_the_type_they_have() -> None:
    assert default_collate([1, 2]).dtype is genesis.int64
    assert default_collate([1.5, 2.0]).dtype is genesis.float64
    assert default_collate([True, False]).dtype is genesis.bool
    assert default_collate([np.float32(1.5), np.float32(2)]).dtype is genesis.float32
    assert default_collate([1.5, 2.0]).tolist() == [1.5, 2.0]


def test_tensors_and_arrays_are_stacked() -> None:
    assert default_collate([genesis.zeros(2, 3), genesis.ones(2, 3)]).shape == (2, 2, 3)
    stacked = default_collate([np.arange(3).reshape(3, 1).T, np.arange(3, 6).reshape(1, 3)])
    assert stacked.tolist() == [[[0, 1, 2]], [[3, 4, 5]]]


def test_the_structure_of_a_sample_is_kept() -> None:
    Point = collections.namedtuple("Point", "x y")
    batch = default_collate(
        [{"p": Point(1, [2.0, "a"]), "t": (1, b"u")}, {"p": Point(3, [4.0, "b"]), "t": (2, b"v")}]
    )
    assert type(batch["p"]) is Point
    assert batch["p"].x.tolist() == [1, 3]
    assert batch["p"].y[0].tolist() == [2.0, 4.0]
    assert batch["p"].y[1] == ("a", "b")
    assert isinstance(batch["t"], list)
    assert (batch["t"][0].tolist(), batch["t"][1]) == ([1, 2], (b"u", b"v"))


def test_samples_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(genesis.ShapeError, match=r"equal shapes, got \(2,\), \(3,\)"):
        default_collate([genesis.zeros(3), genesis.zeros(2)])
    with pytest.raises(genesis.ShapeError, match=r"equally many fields, got \[1, 2\]"):
        default_collate([[1, 2], [1]])
    with pytest.raises(TypeError, match=r"got <class 'object'>; pass a collate_fn"):
        default_collate([object()])
    with pytest.raises(TypeError, match="array of <U1"):
        default_collate([np.array(["a"])])
