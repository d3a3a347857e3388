"""Memory of the host that the GPU reads by itself: of tensors, of batches, and again."""

from __future__ import annotations

import gc
from collections import OrderedDict, namedtuple

import pytest

import genesis
from genesis.data import DataLoader, IterableDataset, TensorDataset
from genesis_cuda import _memory

Pair = namedtuple("Pair", ["x", "y"])


class Own:
    def __init__(self, x: genesis.Tensor) -> None:
        self.x = x

    def pin_memory(self, *args: object) -> Own:
        assert not args
        return Own(self.x.pin_memory())


class Steps(IterableDataset):
    def __iter__(self):
        return iter([genesis.full((2,), i) for i in range(3)])


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16", "int64", "bool"])
def test_a_pinned_tensor_has_the_same_elements(dtype: str) -> None:
    x = genesis.arange(12).reshape(3, 4).to(getattr(genesis, dtype))
    for view in (x, x.T, x[:, ::2], x[1:, 1:], x[0].expand(5, 4), x[2, 3]):
        pinned = view.pin_memory()
        assert (pinned.shape, pinned.dtype) == (view.shape, view.dtype)
        assert pinned.is_contiguous()
        assert pinned.tolist() == view.tolist()
        assert pinned.is_pinned()
        assert not view.is_pinned()
        assert pinned.pin_memory() is pinned
    assert x[:0].pin_memory().shape == (0, 4)


def test_batches_are_pinned() -> None:
    x, y = genesis.randn(6, 3), genesis.arange(6)
    loader = DataLoader(TensorDataset(x, y), batch_size=2, pin_memory=True)
    for i, (a, b) in enumerate(loader):
        assert a.is_pinned()
        assert b.is_pinned()
        assert a.to("cuda", non_blocking=True).tolist() == x[2 * i : 2 * i + 2].tolist()
    assert all(batch.is_pinned() for batch in DataLoader(Steps(), batch_size=2, pin_memory=True))
    assert not any(batch[0].is_pinned() for batch in DataLoader(TensorDataset(x)))


def test_what_is_nested_keeps_its_type() -> None:
    one = genesis.ones(2)
    batch = {"a": one, "b": [one, (one, "text", 3)], "c": Pair(one, OrderedDict(z=one)), "d": Own(one)}
    (got,) = DataLoader([batch], batch_size=None, pin_memory=True, collate_fn=lambda x: x)
    assert not one.is_pinned()
    assert got["a"].is_pinned()
    assert type(got["b"]) is list
    assert got["b"][0].is_pinned()
    assert type(got["b"][1]) is tuple
    assert got["b"][1][0].is_pinned()
    assert got["b"][1][1:] == ("text", 3)
    assert type(got["c"]) is Pair
    assert got["c"].x.is_pinned()
    assert type(got["c"].y) is OrderedDict
    assert got["c"].y["z"].is_pinned()
    assert type(got["d"]) is Own
    assert got["d"].x.is_pinned()


def test_a_device_of_the_loader_is_a_warning() -> None:
    loader = DataLoader([1, 2], pin_memory=True, pin_memory_device="cuda")
    with pytest.warns(UserWarning, match="pin_memory_device is deprecated") as caught:
        assert all(batch.is_pinned() for batch in loader)
    assert caught[0].filename == __file__


def test_what_is_on_a_gpu_cannot_be_pinned() -> None:
    with pytest.raises(RuntimeError, match="cannot pin"):
        next(iter(DataLoader([genesis.ones(2, device="cuda")], pin_memory=True)))


def test_new_tensors_in_pinned_memory() -> None:
    assert genesis.zeros(3, pin_memory=True).is_pinned()
    x = genesis.tensor([1.0, 2.0], pin_memory=True, requires_grad=True)
    assert x.is_pinned()
    assert x.requires_grad
    assert x.is_leaf
    assert genesis.ones(2).new_empty((2, 2), pin_memory=True).is_pinned()
    with pytest.raises(RuntimeError, match="on the CPU"):
        genesis.zeros(3, pin_memory=True, device="cuda")


def test_what_is_saved_for_the_backward_pass() -> None:
    kept = []
    x = genesis.ones(3, device="cuda", requires_grad=True)
    hooks = genesis.autograd.graph.save_on_cpu(pin_memory=True)
    pack = hooks.pack_hook
    hooks.pack_hook = lambda t: kept.append(pack(t)) or kept[-1]
    with hooks:
        y = (x * x).sum()
    assert kept
    assert all(host.is_pinned() for _, host in kept)
    y.backward()
    assert x.grad.tolist() == [2, 2, 2]


def test_memory_is_used_again() -> None:
    gc.collect()
    genesis.device("cuda").backend.empty_cache()
    assert not any(_memory._spare.values())
    places = set()
    for _ in range(4):
        (batch,) = DataLoader(TensorDataset(genesis.ones(8, 5)), batch_size=8, pin_memory=True)
        places.add(batch[0].data_ptr())
        del batch
    assert len(places) <= 2, "the loop has one batch while the next is made"
    genesis.device("cuda").backend.empty_cache()
    assert not any(_memory._spare.values())
