"""Training steps on the CPU device leave nothing behind: no buffer, no object, no cycle."""

from __future__ import annotations

import gc
import math
import tracemalloc
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

import genesis
from genesis import nn, optim
from genesis.nn import functional as F

pytest.importorskip("genesis_cpu")
Step = Callable[..., Any]
#: steps until the lists of free objects that Python itself keeps are full: 2000 tuples of each length, and
#: those of twenty are never used again in Python 3.11
WARM = 1000


def network(inputs: int, hidden: int, batch: int) -> tuple[nn.Module, Step]:
    """A step of an MLP with cross-entropy, AdamW and a schedule; it takes other batches, too."""
    genesis.manual_seed(0)
    model = nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, 10))
    optimizer = optim.AdamW(model.parameters(), lr=1e-3)
    scheduler = optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.5 * (1 + math.cos(step / 1e4)))
    given = genesis.randn(batch, inputs), genesis.randint(0, 10, (batch,))

    def step(x: Any = given[0], y: Any = given[1]) -> Any:
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        return loss

    return model, step


def stats() -> dict[str, int]:
    return genesis.accelerator.memory_stats("cpu")


def resident() -> int:
    """Bytes of memory that the process holds; 0 where the system does not say so."""
    path = Path("/proc/self/statm")
    return int(path.read_text().split()[1]) * 4096 if path.exists() else 0


@contextmanager
def without_collector() -> Iterator[None]:
    """What is freed here is freed because nobody refers to it any more."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def test_a_warm_step_allocates_nothing_but_small_objects() -> None:
    _, step = network(784, 256, 64)
    with without_collector():
        for _ in range(WARM):
            step()
        before = stats()
        tracemalloc.start()
        try:
            for _ in range(20):
                step()
            start = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            for _ in range(100):
                step()
            end, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert stats() == before
    assert peak - start < 48_000  # the smallest of its buffers of activations has 64 kB, the gradients 800 kB
    assert end - start < 8_000


def test_a_step_frees_its_graph_by_itself() -> None:
    model, step = network(8, 4, 2)
    for _ in range(300):  # until all of its kernels are compiled: that is later than the first use
        step()
    with without_collector():
        loss = step()
        parts = [weakref.ref(loss), weakref.ref(loss.grad_fn)]
        objects = len(gc.get_objects())
        del loss
        assert [part() for part in parts] == [None, None]
        for _ in range(100):
            step()
        assert len(gc.get_objects()) < objects + 10
        gc.set_debug(gc.DEBUG_SAVEALL)
        try:
            step()
            assert gc.collect() == 0, gc.garbage[:20]
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
    assert model[0].weight.grad is not None


def test_nothing_grows_over_ten_thousand_steps() -> None:
    model, step = network(16, 16, 8)
    inputs = genesis.randn(8, 16)
    batches = [(genesis.randn(n, 16), genesis.randint(0, 10, (n,))) for n in range(1, 17)]
    wrong = genesis.full((8,), 99)

    def train(steps: int) -> None:
        for i in range(steps):
            step()
            if i % 50 == 0:  # other things that happen in a training
                step(*batches[i // 50 % 16])
                with genesis.no_grad():
                    model(inputs).argmax(1)
                with suppress(IndexError, RuntimeError):
                    step(inputs, wrong)
                with suppress(ZeroDivisionError):
                    (model(inputs) * (1 / (i * 0))).sum().backward()
                model(inputs)  # a graph that nobody goes back through

    with without_collector():
        train(WARM)
        stats()  # imports what it needs
        tracemalloc.start()
        train(100)
        objects, python, memory, before = (
            len(gc.get_objects()),
            tracemalloc.get_traced_memory()[0],
            resident(),
            stats(),
        )
        train(500)
        grown = tracemalloc.get_traced_memory()[0] - python
        tracemalloc.stop()
        train(9000)
        now = stats()
        # an operation that NumPy did at first takes its blocks in another order once it is compiled
        assert now["num_device_alloc"] - before["num_device_alloc"] <= 4
        assert now["reserved_bytes.all.current"] - before["reserved_bytes.all.current"] <= 16384
        assert now["allocated_bytes.all.current"] == before["allocated_bytes.all.current"]
        assert len(gc.get_objects()) < objects + 100
        assert grown < 20_000
        assert resident() < memory + (4 << 20)
        assert gc.collect() < 100


def test_ever_new_sizes_keep_a_bounded_amount() -> None:
    _, step = network(64, 32, 8)
    genesis.accelerator.empty_cache("cpu")
    start = stats()["reserved_bytes.all.current"]
    for n in range(100, 2100, 7):
        step(genesis.randn(n, 64), genesis.randint(0, 10, (n,)))
    now = stats()
    assert now["reserved_bytes.all.current"] - start < 80 << 20
    genesis.accelerator.empty_cache("cpu")
    assert genesis.accelerator.memory_reserved("cpu") - genesis.accelerator.memory_allocated("cpu") < 1 << 20


def test_what_is_counted() -> None:
    before = genesis.accelerator.memory_allocated("cpu")
    x = genesis.ones(1 << 20)
    assert 4 << 20 <= genesis.accelerator.memory_allocated("cpu") - before < 5 << 20
    del x
    assert genesis.accelerator.memory_allocated("cpu") == before
    assert genesis.accelerator.memory_reserved("cpu") >= before
    assert genesis.accelerator.memory_stats("ref") == {}
