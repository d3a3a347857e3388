"""The loader: batches, their order, and going on in the middle of a pass."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import genesis
from genesis.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    Subset,
    TensorDataset,
)


def numbers(n: int) -> TensorDataset:
    return TensorDataset(genesis.arange(n))


def values(batches: Any) -> list[list[int]]:
    return [batch[0].tolist() for batch in batches]


def seeded(seed: int) -> genesis.Generator:
    return genesis.Generator().manual_seed(seed)


def test_batches_in_order() -> None:
    assert values(DataLoader(numbers(5), batch_size=2)) == [[0, 1], [2, 3], [4]]
    assert values(DataLoader(numbers(5), batch_size=2, drop_last=True)) == [[0, 1], [2, 3]]
    assert values(DataLoader(numbers(0), batch_size=2)) == []
    assert [len(DataLoader(numbers(5), batch_size=2, drop_last=drop)) for drop in (False, True)] == [3, 2]
    assert values(DataLoader(numbers(2))) == [[0], [1]]


@settings(deadline=None)
@given(
    n=st.integers(0, 40),
    batch_size=st.integers(1, 9),
    drop_last=st.booleans(),
    seed=st.integers(0, 2**63 - 1),
)
def test_a_shuffled_pass_has_every_sample_once(n: int, batch_size: int, drop_last: bool, seed: int) -> None:
    loader = DataLoader(numbers(n), batch_size, shuffle=True, drop_last=drop_last, generator=seeded(seed))
    batches = values(loader)
    given_out = [value for batch in batches for value in batch]
    assert len(batches) == len(loader)
    assert len(set(given_out)) == len(given_out) == (n // batch_size * batch_size if drop_last else n)
    assert all(len(batch) == batch_size for batch in (batches if drop_last else batches[:-1]))


def test_the_order_follows_the_generator_and_changes_from_pass_to_pass() -> None:
    first, again = (DataLoader(numbers(100), 10, shuffle=True, generator=seeded(5)) for _ in range(2))
    passes = [values(first) for _ in range(3)]
    assert passes == [values(again) for _ in range(3)]
    assert passes[0] != passes[1] != passes[2]
    assert passes[0] != values(DataLoader(numbers(100), 10, shuffle=True, generator=seeded(6)))


def test_without_a_generator_the_global_seed_fixes_the_order() -> None:
    loader = DataLoader(numbers(100), 10, shuffle=True)
    genesis.manual_seed(1)
    passes = [values(loader), values(loader)]
    genesis.manual_seed(1)
    assert [values(loader), values(loader)] == passes
    assert passes[0] != passes[1]


def test_random_numbers_drawn_in_the_loop_do_not_change_the_order_of_the_pass() -> None:
    loader = DataLoader(numbers(100), 10, shuffle=True)
    genesis.manual_seed(1)
    quiet = values(loader)
    genesis.manual_seed(1)
    busy = []
    for batch in loader:
        genesis.randn(3)
        busy.append(batch[0].tolist())
    assert busy == quiet


def test_a_batch_of_tensors_is_one_list_with_a_tensor_for_each_field() -> None:
    x = genesis.from_numpy(np.arange(24, dtype=np.float32).reshape(6, 2, 2))
    loader = DataLoader(TensorDataset(x, genesis.arange(6)), batch_size=4, sampler=[5, 0, 5, 2, 1])
    first, second = loader
    assert isinstance(first, list)
    np.testing.assert_array_equal(first[0].numpy(), x.numpy()[[5, 0, 5, 2]])
    assert first[1].tolist() == [5, 0, 5, 2]
    assert second[0].shape == (1, 2, 2)
    assert first[0].dtype is genesis.float32


class Counting(Dataset[Any]):
    """Says what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> int:
        self.asked.append(index)
        return index


class AtOnce(Counting):
    def __getitems__(self, indices: Sequence[int]) -> list[int]:
        self.asked.append(list(indices))
        return list(indices)


def test_a_data_set_is_asked_for_a_whole_batch_where_it_can_answer() -> None:
    one_by_one, at_once = Counting(), AtOnce()
    for data in (one_by_one, at_once, Subset(at_once, [3, 2])):
        list(DataLoader(data, batch_size=2))
    assert one_by_one.asked == [0, 1, 2, 3]
    assert at_once.asked == [[0, 1], [2, 3], [3, 2]]


def test_a_tensor_dataset_is_never_cut_into_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(self: TensorDataset, index: int) -> None:
        raise AssertionError("one sample was asked for")

    monkeypatch.setattr(TensorDataset, "__getitem__", forbidden)
    assert values(DataLoader(Subset(numbers(9), range(4)), batch_size=2)) == [[0, 1], [2, 3]]


def test_a_collate_function_gets_the_samples_of_a_batch() -> None:
    def collate(samples: Sequence[tuple[Any, ...]]) -> list[int]:
        assert len(samples) == len(list(samples))
        return [sample[0].item() * 10 for sample in samples] + [samples[-1][0].item()]

    assert list(DataLoader(numbers(3), batch_size=2, collate_fn=collate)) == [[0, 10, 1], [20, 2]]


def test_without_batches_samples_come_one_by_one() -> None:
    assert list(DataLoader([3, 4, 5], batch_size=None)) == [3, 4, 5]
    (sample,) = DataLoader([(np.float32([1, 2]), "a")], batch_size=None)
    assert (sample[0].tolist(), sample[1]) == ([1.0, 2.0], "a")


def test_plain_lists_are_data_sets() -> None:
    assert [batch.tolist() for batch in DataLoader([1, 2, 3], batch_size=2)] == [[1, 2], [3]]


# samplers


def test_samplers_by_themselves() -> None:
    assert list(SequentialSampler(range(3))) == [0, 1, 2]
    assert sorted(RandomSampler(range(30), generator=seeded(0))) == list(range(30))
    assert list(BatchSampler([4, 3, 2, 1], 3, drop_last=False)) == [[4, 3, 2], [1]]
    repeats = list(RandomSampler(range(5), num_samples=12, generator=seeded(0)))
    assert sorted(repeats[:5]) == sorted(repeats[5:10]) == list(range(5))
    assert len(repeats) == 12
    assert list(RandomSampler([])) == []


def test_with_replacement_samples_repeat_and_every_one_can_come() -> None:
    drawn = list(RandomSampler(range(4), replacement=True, num_samples=400, generator=seeded(0)))
    assert len(drawn) == 400
    assert set(drawn) == {0, 1, 2, 3}
    assert drawn[:4] != drawn[4:8] or drawn[8:12] != drawn[4:8]


def test_a_custom_batch_sampler_sets_the_batches() -> None:
    loader = DataLoader(numbers(6), batch_sampler=[[5, 1], [2], [0, 3, 4]])
    assert values(loader) == [[5, 1], [2], [0, 3, 4]]
    assert len(loader) == 3


# resuming


@settings(deadline=None)
@given(
    n=st.integers(1, 30),
    batch_size=st.integers(1, 7),
    drop_last=st.booleans(),
    own_generator=st.booleans(),
    stop=st.integers(0, 40),
)
def test_a_new_loader_goes_on_where_the_state_was_taken(
    n: int, batch_size: int, drop_last: bool, own_generator: bool, stop: int
) -> None:
    """Three passes in one go, and three passes cut after any batch: the same batches, and the same global
    state."""

    def make(seed: int) -> DataLoader:
        generator = seeded(seed) if own_generator else None
        return DataLoader(numbers(n), batch_size, shuffle=True, drop_last=drop_last, generator=generator)

    def run(loader: DataLoader, first: int, stop: int) -> tuple[list[Any], int, Any]:
        """Train until ``stop`` batches are done, then save."""
        done: list[Any] = []
        for epoch in range(first, 3):
            for batch in loader:
                done.append(batch[0].tolist())
                genesis.randn(2)  # as dropout does
                if len(done) == stop:
                    return done, epoch, {"loader": loader.state_dict(), "rng": genesis.get_rng_state()}
        return done, 3, {"loader": loader.state_dict(), "rng": genesis.get_rng_state()}

    genesis.manual_seed(11)
    whole, _, end = run(make(3), 0, -1)
    genesis.manual_seed(11)
    before, epoch, state = run(make(3), 0, stop)
    genesis.manual_seed(99)
    loader = make(98)
    loader.load_state_dict(state["loader"])
    genesis.set_rng_state(state["rng"])
    after, _, end_again = run(loader, epoch, -1)
    assert before + after == whole
    assert end["rng"].tolist() == end_again["rng"].tolist()


def test_a_state_between_passes_begins_a_new_pass() -> None:
    loader = DataLoader(numbers(20), 6, shuffle=True, generator=seeded(1))
    start = loader.state_dict()
    passes = [values(loader)]
    between = loader.state_dict()
    passes.append(values(loader))
    for state, expected in ((start, passes), (between, passes[1:])):
        other = DataLoader(numbers(20), 6, shuffle=True, generator=seeded(2))
        other.load_state_dict(state)
        assert [values(other) for _ in expected] == expected


def test_a_state_taken_before_the_first_batch_repeats_the_pass() -> None:
    loader = DataLoader(numbers(20), 6, shuffle=True, generator=seeded(1))
    list(loader)
    batches = iter(loader)
    state = loader.state_dict()
    other = DataLoader(numbers(20), 6, shuffle=True, generator=seeded(2))
    other.load_state_dict(state)
    assert other.state_dict()["batches_served"] == 0
    assert values(other) == values(batches)


def test_skipped_batches_are_not_loaded() -> None:
    loader = DataLoader(Counting(), batch_size=1)
    next(batches := iter(loader))
    next(batches)
    data = Counting()
    other = DataLoader(data, batch_size=1)
    other.load_state_dict(loader.state_dict())
    assert [batch.tolist() for batch in other] == [[2], [3]]
    assert data.asked == [2, 3]
    assert len(values([[batch] for batch in other])) == 4


def test_the_state_goes_through_a_checkpoint(tmp_path: Path) -> None:
    loader = DataLoader(numbers(20), 3, shuffle=True, generator=seeded(1))
    batches = iter(loader)
    next(batches)
    genesis.checkpoint.save_checkpoint(loader.state_dict(), tmp_path / "loader.pth")
    other = DataLoader(numbers(20), 3, shuffle=True, generator=seeded(8))
    other.load_state_dict(genesis.checkpoint.load_checkpoint(tmp_path / "loader.pth"))
    assert values(other) == values(batches)
    assert values(other) == values(loader)


class Countdown(Sampler[int]):
    """A sampler with a state of its own: every pass begins one lower."""

    def __init__(self) -> None:
        self.top = 5

    def __iter__(self) -> Iterator[int]:
        self.top -= 1
        return iter(range(self.top, -1, -1))

    def __len__(self) -> int:
        return 4

    def state_dict(self, resume: bool) -> int:
        return self.top + 1 if resume else self.top

    def load_state_dict(self, state: int) -> None:
        self.top = state


def test_the_state_of_a_custom_sampler_is_kept() -> None:
    loader = DataLoader(numbers(9), 2, sampler=Countdown())
    list(loader)
    batches = iter(loader)
    next(batches)
    other = DataLoader(numbers(9), 2, sampler=Countdown())
    other.load_state_dict(loader.state_dict())
    assert values(other) == values(batches) == [[1, 0]]
    assert values(other) == [[2, 1], [0]]


def test_the_newest_of_two_passes_counts() -> None:
    loader = DataLoader(numbers(6), 2)
    old, new = iter(loader), iter(loader)
    list(itertools.islice(old, 2))
    next(new)
    assert loader.state_dict()["batches_served"] == 1
    list(old)
    assert loader.state_dict()["batches_served"] == 1


def test_a_state_of_another_loader_is_refused() -> None:
    shuffled = DataLoader(numbers(10), 2, shuffle=True)
    state = shuffled.state_dict()
    with pytest.raises(ValueError, match="5 batches a pass, this one has 4; make it with the same data"):
        DataLoader(numbers(8), 2, shuffle=True).load_state_dict(state)
    with pytest.raises(ValueError, match="with a random order, and this one uses SequentialSampler"):
        DataLoader(numbers(10), 2).load_state_dict(state)
    with pytest.raises(ValueError, match="had no generator of its own, this has one"):
        DataLoader(numbers(10), 2, shuffle=True, generator=seeded(0)).load_state_dict(state)
    with pytest.raises(ValueError, match="without a random order, and this one uses RandomSampler"):
        shuffled.load_state_dict(DataLoader(numbers(10), 2).state_dict())
    with pytest.raises(ValueError, match=r"not the state of a DataLoader: it has the keys \['epoch'\]"):
        shuffled.load_state_dict({"epoch": 1})


# wrong options


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"batch_size": 0}, ValueError, "batch_size should be a positive integer, got 0"),
        ({"batch_size": 2.5}, ValueError, "batch_size should be a positive integer, got 2.5"),
        ({"batch_size": True}, ValueError, "batch_size should be a positive integer, got True"),
        ({"num_workers": 2, "prefetch_factor": 0}, ValueError, "prefetch_factor option should be a positive"),
        ({"num_workers": -1}, ValueError, "num_workers should be 0"),
        ({"timeout": -1}, ValueError, "timeout should not be negative"),
        ({"prefetch_factor": 2}, ValueError, "need num_workers > 0"),
        ({"persistent_workers": True}, ValueError, "need num_workers > 0"),
        ({"sampler": [0], "shuffle": True}, ValueError, "sampler and shuffle exclude each other"),
        ({"batch_sampler": [[0]], "batch_size": 2}, ValueError, "batch_sampler excludes"),
        ({"batch_sampler": [[0]], "drop_last": True}, ValueError, "batch_sampler excludes"),
        ({"batch_size": None, "drop_last": True}, ValueError, "drop_last needs batches"),
        ({"drop_last": "yes"}, ValueError, "drop_last should be a bool"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        DataLoader(numbers(4), **options)


def test_samplers_refuse_what_makes_no_sense() -> None:
    with pytest.raises(ValueError, match="num_samples should be a positive integer or None, got 0"):
        RandomSampler(range(3), num_samples=0)
    with pytest.raises(TypeError, match="replacement should be a bool, got 3"):
        RandomSampler(range(3), 3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="has no __getitem__"):
        DataLoader(iter([1, 2]))


def test_a_loader_does_not_silently_ignore_a_new_batch_size() -> None:
    loader = DataLoader(numbers(4), batch_size=2)
    with pytest.raises(ValueError, match="batch_size of a DataLoader cannot be changed"):
        loader.batch_size = 4


def test_pinned_memory_without_an_accelerator_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genesis.data._pin.current", lambda: None)
    loader = DataLoader([1, 2], pin_memory=True)
    with pytest.warns(UserWarning, match="no accelerator is found") as caught:
        assert [batch.item() for batch in loader] == [1, 2]
    assert caught[0].filename == __file__
