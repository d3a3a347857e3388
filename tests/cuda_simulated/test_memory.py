"""Memory of a GPU: it comes back, it is counted, and where there is none left, that is said."""

from __future__ import annotations

import gc

import numpy as np
import pytest

import genesis
from genesis_cuda import _memory
from genesis_cuda._driver import api, call, unit


@pytest.fixture
def pool() -> _memory.Pool:
    found = _memory.Pool(unit(0))
    return found


@pytest.mark.parametrize("nbytes", [0, 1, 511, 512, 513, 1000, 5000, 1 << 20, (1 << 20) + 1, 123_456_789])
def test_sizes_are_rounded_by_an_eighth_at_most(nbytes: int) -> None:
    size = _memory.rounded(nbytes)
    assert size >= max(nbytes, 1)
    assert size % 512 == 0
    assert size <= max(512 + nbytes, nbytes * 1.125)
    assert _memory.rounded(size) == size


def test_blocks_come_back(pool: _memory.Pool) -> None:
    block = pool.take(1000)
    address = block.address
    assert pool.calls == 1
    assert (pool.used, pool.asked) == (1024, 1000)
    pool.give(block, 1000)
    assert pool.used == pool.asked == 0
    assert pool.take(1020).address == address  # of nearly the same size
    assert pool.take(1020).address != address  # in use
    assert pool.calls == 1, "small blocks share a segment"
    assert pool.peak == 2048


def test_large_blocks_have_a_segment_each(pool: _memory.Pool) -> None:
    first, second = pool.take(3 << 20), pool.take(3 << 20)
    assert pool.calls == 2
    pool.give(first, 3 << 20)
    pool.give(second, 3 << 20)
    pool.take(3 << 20)
    assert pool.calls == 2
    assert pool.kept == 3 << 20


@pytest.mark.simulated
def test_trimming_gives_back_whole_segments(pool: _memory.Pool) -> None:
    before = api().used
    small, large = pool.take(100), pool.take(5 << 20)
    pool.give(large, 5 << 20)
    pool.trim()
    assert api().used == before + (2 << 20), "the segment of the small block is still in use"
    pool.give(small, 100)
    pool.trim()
    assert api().used == before
    assert pool.kept == 0


@pytest.mark.simulated
def test_what_others_keep_is_given_back_before_memory_runs_out(
    pool: _memory.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api(), "room", api().used + (8 << 20))
    kept = pool.take(6 << 20)
    pool.give(kept, 6 << 20)
    pool.take(7 << 20)
    assert pool.retries == 1


@pytest.mark.simulated
def test_out_of_memory_says_what_was_asked_and_what_is_free(
    pool: _memory.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api(), "room", api().used + (8 << 20))
    held = pool.take(3 << 20)
    with pytest.raises(genesis.OutOfMemoryError) as caught:
        pool.take(1 << 30)
    text = str(caught.value)
    assert "cuda:0 is out of memory: 1.0 GiB are asked for, and 5.0 MiB of" in text
    assert "Tensors of this process have 3.0 MiB" in text
    pool.give(held, 3 << 20)


def test_the_statistics_of_the_device() -> None:
    backend = genesis.device("cuda").backend
    assert genesis.zeros(1, device="cuda").item() == 0
    gc.collect()
    before = backend.memory_stats()["requested_bytes.all.current"]
    x = genesis.zeros(1000, device="cuda")
    stats = backend.memory_stats()
    assert stats["requested_bytes.all.current"] == before + 4000
    assert stats["reserved_bytes.all.current"] >= stats["allocated_bytes.all.current"] >= before + 4000
    del x
    assert backend.memory_stats()["requested_bytes.all.current"] == before
    backend.empty_cache()
    assert genesis.ones(3, device="cuda").tolist() == [1, 1, 1]


def test_a_warm_step_asks_for_no_memory() -> None:
    layer = genesis.nn.Linear(5, 3, device="cuda")
    x = genesis.randn(4, 5, device="cuda")
    backend = genesis.device("cuda").backend
    calls = set()
    for _ in range(3):
        layer.zero_grad()
        layer(x).sum().backward()
        calls.add(backend.memory_stats()["num_device_alloc"])
    assert len(calls) == 1


def test_pinned_memory() -> None:
    host = _memory.pinned((3, 4), "float32")
    host[...] = np.arange(12).reshape(3, 4)
    assert _memory.is_pinned(host)
    assert _memory.is_pinned(host[1])
    assert not _memory.is_pinned(np.ones(3))
    x = genesis.tensor(host, device="cuda")
    host[...] = 0
    assert x.sum().item() == 66
    start = host.ctypes.data
    del host
    gc.collect()
    assert start not in _memory._pinned


@pytest.mark.simulated
def test_a_kernel_may_not_leave_its_memory() -> None:
    from genesis_cuda.kernels.random import _fills

    memory = _memory.Memory(_memory.pool(0), 16)
    with pytest.raises(IndexError, match="element 4 of a block of 4 float32"):
        _fills["uniform"]("float32")(unit(0), 1, (memory.address, 5, 2, 0, 0, 1, 2))


@pytest.mark.simulated
def test_several_devices() -> None:
    x = genesis.arange(6.0, device="cuda:1").reshape(2, 3)
    y = x.T.to("cuda:0")
    assert str(x.device) == "cuda:1"
    assert y.tolist() == [[0, 3], [1, 4], [2, 5]]
    with pytest.raises(genesis.DeviceError, match="cuda:2"):
        genesis.ones(1, device="cuda:2")
    with pytest.raises(genesis.DeviceError):
        x + y.T
    with pytest.raises(genesis.DeviceError, match="cuMemFree"):
        call("cuMemFree", 12345)


@pytest.mark.simulated
def test_what_scripts_ask_of_genesis_cuda() -> None:
    x = genesis.zeros(1 << 10, device="cuda")
    assert genesis.cuda.memory_allocated() >= 4096
    assert genesis.cuda.max_memory_allocated() >= genesis.cuda.memory_allocated()
    assert genesis.cuda.max_memory_reserved() >= genesis.cuda.memory_reserved() >= 4096
    assert genesis.cuda.memory_stats()["num_device_alloc"] >= 1
    assert genesis.cuda.get_device_name() == "simulated"
    assert genesis.cuda.get_device_capability(1) == (9, 0)
    before = genesis.cuda.memory_reserved()
    del x
    genesis.cuda.empty_cache()
    assert genesis.cuda.memory_reserved() <= before
    with pytest.raises(genesis.DeviceError, match="cuda:2"):
        genesis.cuda.get_device_name(2)
