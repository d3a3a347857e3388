"""Data sets, samplers and the loader beside torch.utils.data: the same calls, the same results or errors."""

from __future__ import annotations

import collections
import sys
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.utils.data

import genesis
import genesis.utils.data

sys.path.insert(0, str(Path(__file__).parent))  # the files of tests are not a package
import data_samples
from data_samples import Both, Items, Marking, Told, Whose

pytestmark = [
    pytest.mark.parity,
    # A loader of torch that goes away closes the pipes of its queues while threads still feed them; now and
    # then one of both finds a pipe closed. Our loader has no queues.
    pytest.mark.filterwarnings("ignore:Exception in thread QueueFeederThread"),
    pytest.mark.filterwarnings("ignore:Exception ignored in. <function _ConnectionBase.__del__"),
]

LIBRARIES = (torch, genesis)
Point = collections.namedtuple("Point", "x y")
Case = Callable[[Any, Any], Any]  # of the library and its utils.data


class TorchNumbers(Both, torch.utils.data.IterableDataset):
    def __init__(self, end: int, how: str = "stride") -> None:
        super().__init__(end, how, torch.utils.data.get_worker_info)


class TorchTold(Told, torch.utils.data.IterableDataset):
    def __init__(self, end: int, how: str = "stride") -> None:
        super().__init__(end, how, torch.utils.data.get_worker_info)


def iterable(library: Any, end: int, how: str = "stride", told: bool = False) -> Any:
    if library is torch:
        return (TorchTold if told else TorchNumbers)(end, how)
    from data_samples_genesis import GenesisNumbers, GenesisTold

    return (GenesisTold if told else GenesisNumbers)(end, how)


def plain(value: Any) -> Any:
    """A result without the library's types: tensors as their type, shape and values."""
    if isinstance(value, torch.Tensor | genesis.Tensor):
        return "tensor", str(value.dtype).split(".")[-1], tuple(value.shape), value.tolist()
    if isinstance(value, dict | types.MappingProxyType):
        return type(value).__name__, [(key, plain(item)) for key, item in value.items()]
    if isinstance(value, list | tuple | collections.UserList):
        return type(value).__name__, [plain(item) for item in value]
    return type(value).__name__, str(value)


def outcome(case: Case, library: Any) -> tuple[Any, BaseException | None]:
    library.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, about the number of processors
        try:
            return plain(case(library, library.utils.data)), None
        except Exception as error:
            return None, error


def agree(case: Case) -> Any:
    """The same result in both libraries, or an error of the same kind."""
    (theirs, their_error), (ours, our_error) = (outcome(case, library) for library in LIBRARIES)
    if their_error is None and our_error is not None:
        raise our_error
    if their_error is not None:
        assert isinstance(our_error, type(their_error)), (type(our_error), our_error, their_error, ours)
    assert ours == theirs
    return ours


def named(cases: dict[str, Case]) -> Any:
    return pytest.mark.parametrize("case", list(cases.values()), ids=list(cases))


# collation: a function of the library gives the samples

SAMPLES: dict[str, Case] = {
    "int": lambda t, u: [1, 2],
    "bool": lambda t, u: [True, False],
    "bool int": lambda t, u: [True, 2],
    "float": lambda t, u: [1.5, 2.0],
    "float int": lambda t, u: [1.5, 2],
    "int float": lambda t, u: [1, 2.5],
    "str": lambda t, u: ["a", "b"],
    "bytes": lambda t, u: [b"a", b"b"],
    "None": lambda t, u: [None, None],
    "float None": lambda t, u: [1.0, None],
    "int None": lambda t, u: [1, None],
    "float str": lambda t, u: [1.0, "2"],
    "int str": lambda t, u: [1, "2"],
    "huge": lambda t, u: [2**63, 1],
    "object": lambda t, u: [object()],
    "set": lambda t, u: [{1}, {2}],
    "tensor": lambda t, u: [t.zeros(2, 3), t.ones(2, 3)],
    "tensor int": lambda t, u: [t.tensor([1, 2]), t.tensor([3, 4])],
    "tensor 0d": lambda t, u: [t.tensor(1.0), t.tensor(2.0)],
    "tensor types": lambda t, u: [t.tensor([1, 2]), t.tensor([3.0, 4.0])],
    "tensor shapes": lambda t, u: [t.zeros(2), t.zeros(3)],
    "tensor empty": lambda t, u: [t.zeros(0, 3), t.zeros(0, 3)],
    "tensor None": lambda t, u: [t.zeros(2), None],
    "array shapes": lambda t, u: [np.zeros(2), np.zeros(3)],
    "array types": lambda t, u: [np.int64([1]), np.float32([2])],
    "array 0d": lambda t, u: [np.array(1.5), np.array(2.5)],
    "array str": lambda t, u: [np.array(["a"]), np.array(["b"])],
    "array object": lambda t, u: [np.array([{}], object)],
    "array read-only": lambda t, u: [np.broadcast_to(np.float32(1), (2, 2))] * 2,
    "array backwards": lambda t, u: [np.arange(4).reshape(2, 2)[:, ::1].T] * 2,
    "scalar types": lambda t, u: [np.float32(1), np.float64(2)],
    "scalar bool": lambda t, u: [np.bool_(True), np.bool_(False)],
    "scalar str": lambda t, u: [np.str_("a"), np.str_("b")],
    "tuple": lambda t, u: [(1, 2.0, "a"), (3, 4.0, "b")],
    "tuple empty": lambda t, u: [(), ()],
    "list": lambda t, u: [[1, "a"], [2, "b"]],
    "lengths": lambda t, u: [[1, 2], [1]],
    "tuple lengths": lambda t, u: [(1,), (1, 2)],
    "list tuple": lambda t, u: [[1, 2], (3, 4)],
    "range": lambda t, u: [range(2), range(2, 4)],
    "dict": lambda t, u: [{"a": 1, "b": "x"}, {"b": "y", "a": 2}],
    "dict more": lambda t, u: [{"a": 1}, {"a": 2, "b": 3}],
    "dict less": lambda t, u: [{"a": 1, "b": 3}, {"a": 2}],
    "ordered": lambda t, u: [collections.OrderedDict(a=1, b=2)] * 2,
    "counter": lambda t, u: [collections.Counter("aab")] * 2,
    "default": lambda t, u: [collections.defaultdict(list, a=[1])] * 2,
    "proxy": lambda t, u: [types.MappingProxyType({"a": 1})] * 2,
    "user list": lambda t, u: [collections.UserList([1, 2])] * 2,
    "named": lambda t, u: [Point(1, "a"), Point(2, "b")],
    "nested": lambda t, u: [
        {"p": Point(i, [2.0 * i, ("a", b"b", t.ones(2) * i)]), "q": ({"r": np.int32(i)},)} for i in range(3)
    ],
    "nested None": lambda t, u: [{"a": (1, None)}] * 2,
    "empty": lambda t, u: [],
    "one": lambda t, u: [(np.ones((1, 2), np.float32), 7)],
} | {
    f"array {kind}": lambda t, u, kind=kind: [np.array([[0, 1]], kind), np.array([[1, 0]], kind)]
    for kind in ("bool", "int8", "uint8", "int16", "int32", "int64", "float32", "float64")
} | {
    f"scalar {kind}": lambda t, u, kind=kind: [np.dtype(kind).type(1), np.dtype(kind).type(0)]
    for kind in ("int8", "uint8", "int32", "int64", "float32", "float64")
}  # fmt: skip


@named(SAMPLES)
def test_collation(case: Case) -> None:
    agree(lambda library, utils: utils.default_collate(case(library, utils)))


@named(SAMPLES)
def test_conversion_of_a_sample(case: Case) -> None:
    agree(lambda library, utils: utils.default_convert(tuple(case(library, utils))))


# data sets


def tensors(library: Any, utils: Any, n: int = 5) -> Any:
    return utils.TensorDataset(library.arange(2 * n).reshape(n, 2), library.arange(n) * 0.5)


DATA_SETS: dict[str, Case] = {
    "tensors": lambda t, u: [tensors(t, u)[i] for i in (0, -1, 4)],
    "tensors slice": lambda t, u: tensors(t, u)[1:3],
    "tensors list": lambda t, u: tensors(t, u)[[0, 3]],
    "tensors past the end": lambda t, u: tensors(t, u)[5],
    "tensors sizes": lambda t, u: u.TensorDataset(t.zeros(3), t.zeros(4)),
    "tensors 0d": lambda t, u: u.TensorDataset(t.tensor(1.0)),
    "tensors len": lambda t, u: len(tensors(t, u)),
    "subset": lambda t, u: [u.Subset(range(10), [3, 1])[i] for i in (0, 1, -1)],
    "subset past the end": lambda t, u: u.Subset(range(10), [3, 1])[2],
    "subset outside": lambda t, u: u.Subset(range(10), [10])[0],
    "subset of tensors": lambda t, u: u.Subset(tensors(t, u), [3, 1])[[0, 1]],
    "subset tensor": lambda t, u: u.Subset(list(range(10)), t.tensor([4, 2]))[1],
    "subset override": lambda t, u: type("S", (u.Subset,), {"__getitem__": lambda s, i: 0})([1], [0]),
    "concat": lambda t, u: [u.ConcatDataset([range(3), range(2)])[i] for i in range(-5, 5)],
    "concat sizes": lambda t, u: u.ConcatDataset([range(3), [], range(2)]).cumulative_sizes,
    "concat past the end": lambda t, u: u.ConcatDataset([range(3), range(2)])[5],
    "concat before the start": lambda t, u: u.ConcatDataset([range(3), range(2)])[-6],
    "concat none": lambda t, u: u.ConcatDataset([]),
    "concat iterable": lambda t, u: u.ConcatDataset([iterable(t, 3)]),
    "concat generator": lambda t, u: list(u.ConcatDataset(range(i) for i in (2, 3))),
    "concat no length": lambda t, u: u.ConcatDataset([iter([])]),
    "add": lambda t, u: [(tensors(t, u) + tensors(t, u, 3))[i] for i in (4, 5)],
    "add iterable": lambda t, u: list(iterable(t, 3) + iterable(t, 2)),
    "chain": lambda t, u: list(u.ChainDataset([iterable(t, 3), iterable(t, 2)])),
    "chain len": lambda t, u: len(u.ChainDataset([iterable(t, 3, told=True), iterable(t, 2, told=True)])),
    "chain no len": lambda t, u: len(u.ChainDataset([iterable(t, 3)])),
    "chain of lists": lambda t, u: list(u.ChainDataset([[1]])),
    "chain len of lists": lambda t, u: len(u.ChainDataset([[1]])),
    "stack": lambda t, u: [u.StackDataset(range(3), "abc")[i] for i in (0, 2, -1)],
    "stack names": lambda t, u: u.StackDataset(a=range(3), b="abc")[1],
    "stack items": lambda t, u: u.StackDataset(range(3), "abc").__getitems__([2, 0]),
    "stack items names": lambda t, u: u.StackDataset(a=range(3), b="abc").__getitems__([2, 0]),
    "stack len": lambda t, u: len(u.StackDataset(range(3), "abc")),
    "stack sizes": lambda t, u: u.StackDataset(range(3), "ab"),
    "stack names sizes": lambda t, u: u.StackDataset(a=range(3), b="ab"),
    "stack both": lambda t, u: u.StackDataset(range(3), b="abc"),
    "stack none": lambda t, u: u.StackDataset(),
    "base item": lambda t, u: u.Dataset()[0],
    "base len": lambda t, u: len(u.Dataset()),
    "base iter": lambda t, u: next(iter(u.IterableDataset())),
}


@named(DATA_SETS)
def test_data_sets(case: Case) -> None:
    agree(case)


@pytest.mark.parametrize("n", [0, 1, 7, 10])
@pytest.mark.parametrize(
    "lengths", [[3, 4], [7], [10], [0, 7], [0.5, 0.5], [1 / 3] * 3, [0.9, 0.1], [1.0], [1], [0.25, 0.75, 0.0],
                [0.5, 0.4], [1.5, -0.5], [8, -1], []]
)  # fmt: skip
def test_the_sizes_of_a_random_split(n: int, lengths: list[float]) -> None:
    if lengths == [8, -1]:
        with pytest.raises(ValueError, match="not negative" if n == 7 else "add up"):
            genesis.utils.data.random_split(range(n), lengths)  # torch takes the negative length
        return
    agree(lambda t, u: [len(part) for part in u.random_split(range(n), lengths)])
    agree(lambda t, u: sorted(i for part in u.random_split(range(n), lengths) for i in part.indices))


# samplers


def counts(drawn: Any, n: int) -> Any:
    return np.bincount(np.array(list(drawn)), minlength=n)


SAMPLERS: dict[str, Case] = {
    "sequential": lambda t, u: list(u.SequentialSampler(range(4))),
    "sequential empty": lambda t, u: list(u.SequentialSampler([])),
    "sequential len": lambda t, u: len(u.SequentialSampler(range(4))),
    "random": lambda t, u: sorted(u.RandomSampler(range(40))),
    "random len": lambda t, u: len(u.RandomSampler(range(40), num_samples=90)),
    "random again": lambda t, u: sorted(list(u.RandomSampler(range(10), num_samples=25))[:20]),
    "random fewer": lambda t, u: len(set(u.RandomSampler(range(10), num_samples=4))),
    "replacement": lambda t, u: sorted(set(u.RandomSampler(range(6), True, 300))),
    "replacement len": lambda t, u: len(list(u.RandomSampler(range(6), True))),
    "random 0": lambda t, u: u.RandomSampler(range(6), num_samples=0),
    "random -1": lambda t, u: u.RandomSampler(range(6), num_samples=-1),
    "random 1.5": lambda t, u: u.RandomSampler(range(6), num_samples=1.5),
    "random 1": lambda t, u: u.RandomSampler(range(6), replacement=1),
    "subset": lambda t, u: sorted(u.SubsetRandomSampler([5, 7, 9, 7])),
    "subset empty": lambda t, u: list(u.SubsetRandomSampler([])),
    "subset len": lambda t, u: len(u.SubsetRandomSampler([5, 7, 9])),
    "subset words": lambda t, u: sorted(u.SubsetRandomSampler(["a", "b"])),
    "weighted without": lambda t, u: sorted(u.WeightedRandomSampler([1, 0, 2.0, 3], 3, False)),
    "weighted too many": lambda t, u: list(u.WeightedRandomSampler([1.0, 2.0], 3, False)),
    "weighted len": lambda t, u: len(u.WeightedRandomSampler([1.0, 2.0], 3)),
    "weighted weights": lambda t, u: u.WeightedRandomSampler(np.float32([1, 2]), 3).weights,
    "weighted 0": lambda t, u: u.WeightedRandomSampler([1.0], 0),
    "weighted True": lambda t, u: u.WeightedRandomSampler([1.0], True),
    "weighted 1.0": lambda t, u: u.WeightedRandomSampler([1.0], 1.0),
    "weighted replacement": lambda t, u: u.WeightedRandomSampler([1.0], 1, replacement=0),
    "weighted 2d": lambda t, u: u.WeightedRandomSampler([[1.0]], 1),
    "weighted negative": lambda t, u: list(u.WeightedRandomSampler([1.0, -1.0], 1)),
    "weighted zeros": lambda t, u: list(u.WeightedRandomSampler([0.0, 0.0], 1)),
    "batch": lambda t, u: [list(u.BatchSampler(range(7), 3, drop)) for drop in (False, True)],
    "batch exact": lambda t, u: [list(u.BatchSampler(range(6), 3, drop)) for drop in (False, True)],
    "batch len": lambda t, u: [len(u.BatchSampler(range(7), 3, drop)) for drop in (False, True)],
    "batch iterator": lambda t, u: list(u.BatchSampler(iter("abc"), 2, False)),
    "batch no len": lambda t, u: len(u.BatchSampler(iter("abc"), 2, False)),
    "batch 0": lambda t, u: u.BatchSampler([1], 0, False),
    "batch True": lambda t, u: u.BatchSampler([1], True, False),
    "batch 1.0": lambda t, u: u.BatchSampler([1], 1.0, False),
    "batch drop": lambda t, u: u.BatchSampler([1], 1, 0),
    "base": lambda t, u: iter(u.Sampler()),
    "base len": lambda t, u: len(u.Sampler()),
}


@named(SAMPLERS)
def test_samplers(case: Case) -> None:
    agree(case)


@pytest.mark.parametrize("library", LIBRARIES, ids=["torch", "genesis"])
def test_weights_are_probabilities(library: Any) -> None:
    library.manual_seed(1)
    weights = np.array([1.0, 0.0, 2.0, 5.0])
    drawn = library.utils.data.WeightedRandomSampler(weights.tolist(), 8000)
    expected = 8000 * weights / weights.sum()
    # chi-square with two degrees of freedom: 13.8 is passed once in a thousand seeds
    found = counts(drawn, 4)
    assert found[1] == 0
    assert sum((found - expected)[[0, 2, 3]] ** 2 / expected[[0, 2, 3]]) < 13.8


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize(("n", "replicas"), [(10, 3), (9, 3), (2, 5), (11, 4)])
def test_the_shares_of_processes(n: int, replicas: int, drop_last: bool, shuffle: bool) -> None:
    def shares(library: Any, utils: Any) -> Any:
        samplers = [
            utils.distributed.DistributedSampler(range(n), replicas, rank, shuffle, drop_last=drop_last)
            for rank in range(replicas)
        ]
        drawn = [list(sampler) for sampler in samplers]
        assert [len(part) for part in drawn] == [len(sampler) for sampler in samplers]
        if not shuffle:
            return drawn
        # which ones are repeated or left out is chance
        return [len(part) for part in drawn], len({i for part in drawn for i in part})

    agree(shares)


# the loader


class NoLength:
    def __getitem__(self, index: int) -> int:
        return index


OPTIONS: dict[str, dict[str, Any]] = {
    "default": {},
    "batch": {"batch_size": 4},
    "drop": {"batch_size": 4, "drop_last": True},
    "too large": {"batch_size": 40},
    "too large, drop": {"batch_size": 40, "drop_last": True},
    "exact": {"batch_size": 5},
    "no batches": {"batch_size": None},
    "sampler": {"batch_size": 3, "sampler": [9, 0, 0, 4]},
    "sampler, no batches": {"batch_size": None, "sampler": [9, 0]},
    "batch sampler": {"batch_sampler": [[1, 2, 3], [], [0]][::2]},
    "no batches of lists": {"batch_size": None, "sampler": ["2", "3"]},
    "collate": {"batch_size": 4, "collate_fn": data_samples.numbers},
    "pinned": {"batch_size": 4, "pin_memory": True},
    "shuffle False": {"shuffle": False},
    "outside": {"sampler": [10]},
    # options that exclude each other, and wrong ones
    "shuffle and sampler": {"shuffle": True, "sampler": [0]},
    "batch sampler and size": {"batch_sampler": [[0]], "batch_size": 2},
    "batch sampler and shuffle": {"batch_sampler": [[0]], "shuffle": True},
    "batch sampler and sampler": {"batch_sampler": [[0]], "sampler": [0]},
    "batch sampler and drop": {"batch_sampler": [[0]], "drop_last": True},
    "no batches and drop": {"batch_size": None, "drop_last": True},
    "size 0": {"batch_size": 0},
    "size -1": {"batch_size": -1},
    "size 1.5": {"batch_size": 1.5},
    "size True": {"batch_size": True},
    "drop 1": {"drop_last": 1},
    "workers -1": {"num_workers": -1},
    "timeout -1": {"timeout": -1},
    "timeout alone": {"timeout": 5},
    "prefetch alone": {"prefetch_factor": 2},
    "prefetch negative": {"prefetch_factor": -1, "num_workers": 1},
    "persistent alone": {"persistent_workers": True},
    "context alone": {"multiprocessing_context": "spawn"},
    "context name": {"multiprocessing_context": "thread", "num_workers": 1},
    "context type": {"multiprocessing_context": 3, "num_workers": 1},
    "positions": {"unknown": 1},
}
WORKERS = [name for name, options in OPTIONS.items() if "num_workers" not in options][:15]


def loaded(options: dict[str, Any], data: Any = None) -> Case:
    def case(library: Any, utils: Any) -> Any:
        loader = utils.DataLoader(Items(10) if data is None else data(library, utils), **options)
        batches = list(loader)
        try:
            told = len(loader)
        except TypeError:
            told = -1
        return batches, told

    return case


@pytest.mark.parametrize("name", OPTIONS)
def test_options(name: str) -> None:
    agree(loaded(OPTIONS[name]))


@pytest.mark.parametrize("name", WORKERS)
def test_options_with_workers(name: str) -> None:
    agree(loaded(OPTIONS[name] | {"num_workers": 2}))


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("how", ["copies", "stride", "blocks"])
@pytest.mark.parametrize("options", [{"batch_size": 3}, {"batch_size": 3, "drop_last": True},
                                     {"batch_size": None}], ids=str)  # fmt: skip
def test_iterable_data_is_shared_in_the_same_order(how: str, options: dict[str, Any], workers: int) -> None:
    agree(loaded({"num_workers": workers, **options}, lambda t, u: iterable(t, 11, how)))


ITERABLE: dict[str, Case] = {
    "told": lambda t, u: len(u.DataLoader(iterable(t, 11, told=True), batch_size=3)),
    "told, drop": lambda t, u: len(u.DataLoader(iterable(t, 11, told=True), batch_size=3, drop_last=True)),
    "told, single": lambda t, u: len(u.DataLoader(iterable(t, 11, told=True), batch_size=None)),
    "not told": lambda t, u: len(u.DataLoader(iterable(t, 11))),
    "shuffle": lambda t, u: u.DataLoader(iterable(t, 11), shuffle=True),
    "shuffle False": lambda t, u: len(list(u.DataLoader(iterable(t, 11), shuffle=False))),
    "sampler": lambda t, u: u.DataLoader(iterable(t, 11), sampler=[1]),
    "batch sampler": lambda t, u: u.DataLoader(iterable(t, 11), batch_sampler=[[1]]),
    "chain": lambda t, u: list(u.DataLoader(u.ChainDataset([iterable(t, 3), iterable(t, 4)]), batch_size=2)),
    "no length": lambda t, u: len(u.DataLoader(NoLength())),
    "sampler no length": lambda t, u: len(u.DataLoader(NoLength(), sampler=iter([1]))),
    "sampler of no length": lambda t, u: list(u.DataLoader(NoLength(), sampler=iter([1, 5]))),
    "fixed": lambda t, u: setattr(u.DataLoader([1]), "batch_size", 2),
    "not fixed": lambda t, u: setattr(u.DataLoader([1]), "num_workers", 1),
}  # fmt: skip


@named(ITERABLE)
def test_lengths_and_iterable_data(case: Case) -> None:
    agree(case)


@pytest.mark.parametrize("workers", [0, 2])
def test_tensors_and_their_parts(workers: int) -> None:
    for wrap in (
        lambda u, data: data,
        lambda u, data: u.Subset(data, [8, 3, 3, 1, 0]),
        lambda u, data: u.ConcatDataset([data, data]),
        lambda u, data: u.StackDataset(x=data, y=data),
    ):
        agree(
            loaded(
                {"batch_size": 4, "num_workers": workers}, lambda t, u, wrap=wrap: wrap(u, tensors(t, u, 9))
            )
        )


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(
    "options", [{}, {"generator": 5}, {"sampler": "subset"}, {"sampler": "repeat"}], ids=str
)
def test_a_random_order_has_the_same_samples(options: dict[str, Any], workers: int) -> None:
    def case(library: Any, utils: Any) -> Any:
        passes = []
        options_ = {"shuffle": True, **options}
        if "generator" in options:
            options_["generator"] = library.Generator().manual_seed(5)
        if (kind := options.get("sampler")) is not None:
            options_["shuffle"] = False
            options_["sampler"] = (
                utils.SubsetRandomSampler(range(9))
                if kind == "subset"
                else utils.RandomSampler(range(10), num_samples=20)
            )
        loader = utils.DataLoader(Items(10), batch_size=3, num_workers=workers, **options_)
        for _ in range(2):
            passes.append([n for batch in loader for n in batch["number"].tolist()])
        return [sorted(one) for one in passes], [len(one) for one in passes], passes[0] != passes[1]

    agree(case)


@pytest.mark.parametrize("persistent", [False, True])
def test_what_a_worker_knows(persistent: bool) -> None:
    def case(library: Any, utils: Any) -> Any:
        info = utils.get_worker_info
        loader = utils.DataLoader(
            Whose(info), batch_size=2, num_workers=2, worker_init_fn=Marking(info),
            prefetch_factor=1, persistent_workers=persistent,
        )  # fmt: skip
        return list(loader), list(loader), info() is None

    agree(case)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(
    "error", [ValueError, KeyError, IndexError, FileNotFoundError, UnicodeError, StopIteration]
)
def test_errors_of_a_data_set(error: type[Exception], workers: int) -> None:
    if error is StopIteration and workers:
        pytest.xfail("torch raises the StopIteration of a worker, which ends the loop in silence")
    agree(loaded({"batch_size": 2, "num_workers": workers}, lambda t, u: Items(6, 3, error)))


def test_errors_of_workers() -> None:
    agree(loaded({"num_workers": 1, "worker_init_fn": data_samples.failing}))
    agree(loaded({"num_workers": 1, "timeout": 1, "collate_fn": data_samples.slow}))


def test_an_iterator_goes_on_after_an_error() -> None:
    def case(library: Any, utils: Any) -> Any:
        running, found = iter(utils.DataLoader(Items(5, 2))), []
        for _ in range(6):
            try:
                found.append(next(running)["number"].tolist())
            except (ValueError, StopIteration) as error:
                found.append(type(error).__name__)
        return found

    agree(case)


@pytest.mark.parametrize("library", LIBRARIES, ids=["torch", "genesis"])
def test_the_seed_counts_when_the_first_index_is_asked_for(library: Any) -> None:
    utils = library.utils.data
    for sampler in (
        utils.RandomSampler(range(10), num_samples=5, replacement=True),
        utils.RandomSampler(range(10)),
        utils.WeightedRandomSampler([1.0] * 10, 5),
        utils.SubsetRandomSampler(range(10)),
        utils.BatchSampler(utils.RandomSampler(range(10)), 2, False),
    ):
        orders: list[list[Any]] = [[], []]
        running = iter(sampler), iter(sampler)
        for i in range(len(sampler)):
            for order, one in zip(orders, running, strict=True):
                if i == 0:
                    library.manual_seed(0)
                order.append(next(one))
        assert orders[0] == orders[1]


def test_messages_begin_as_those_of_torch() -> None:
    for case, start in (
        (lambda u: u.StackDataset(), "At least one dataset should be passed"),
        (lambda u: u.StackDataset(range(3), range(4)), "Size mismatch between datasets"),
        (lambda u: u.ConcatDataset([]), "datasets should not be an empty iterable"),
        (lambda u: list(u.ChainDataset([[1]])), "ChainDataset only supports IterableDataset"),
        (lambda u: u.random_split(range(3), [1, 1]), "Sum of input lengths does not equal the length of the"),
        (lambda u: u.default_collate([[1], [1, 2]]), "each element in list of batch should be of equal size"),
        (
            lambda u: u.default_collate([object()]),
            "default_collate: batch must contain tensors, numpy arrays, ",
        ),
        (lambda u: u.DataLoader([1], num_workers=-1), "num_workers option should be non-negative"),
        (lambda u: u.DataLoader([1], shuffle=True, sampler=[0]), "sampler option is mutually exclusive with"),
    ):
        for library in LIBRARIES:
            with pytest.raises(Exception, match=start):
                case(library.utils.data)
