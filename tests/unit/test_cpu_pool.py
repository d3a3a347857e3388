"""Large buffers of the CPU device come back: never while anybody can see them, always when nobody can."""

from __future__ import annotations

import numpy as np
import pytest

import genesis
from genesis.backend import arg

cpu = pytest.importorskip("genesis_cpu._pool")
N = 100_000


def test_a_warm_loop_allocates_nothing() -> None:
    device = genesis.device("cpu")
    x = device.backend.empty((N,), genesis.float32, device)
    device.backend.write(x, np.ones(N, "float32"))

    def step() -> None:
        y = device.backend.empty((N,), genesis.float32, device)
        device.backend.map(arg(0) * arg(0) + 1.0, y, x)
        z = device.backend.empty((N,), genesis.float32, device)
        device.backend.map(arg(0) * 2.0, z, y)

    step()
    made, used = cpu.pool.made, cpu.pool.used
    for _ in range(50):
        step()
    assert (cpu.pool.made, cpu.pool.used) == (made, used)


def test_memory_that_numpy_can_see_is_not_handed_out_again() -> None:
    device = genesis.device("cpu")
    x = device.backend.empty((N,), genesis.float32, device)
    device.backend.write(x, np.full(N, 7, "float32"))
    part = device.backend.as_numpy(x)[10:].reshape(-1, 2)[::3]
    del x
    others = [device.backend.empty((N,), genesis.float32, device) for _ in range(4)]
    for other in others:
        device.backend.write(other, np.zeros(N, "float32"))
    assert (part == 7).all()
    used = cpu.pool.used
    del part
    assert cpu.pool.used < used


def test_blocks_are_aligned_and_large_enough() -> None:
    for nbytes in (0, 1, 64, 65, 4000, 100_001, 3_000_000):
        block = cpu.pool.take(nbytes)
        assert nbytes <= block.handle.nbytes <= max(nbytes * 9 // 8, nbytes + 4096)
        assert block.native[0] % 64 == 0
        assert block.native[0] == block.handle.ctypes.data
        block.handle[:] = 1


def test_what_lies_unused_is_bounded() -> None:
    pool = cpu.Pool()
    for size in range(1, 60):  # ever new sizes, none of them asked for twice
        block = pool.take(size << 20)
        block.shelf.append(block)
        assert pool.used == 0
    # a new size may add itself once to what the bound allows
    assert pool.kept <= cpu.SPARE + (60 << 20)
    pool.trim(0)
    assert pool.kept == 0


@pytest.mark.parametrize("nbytes", [300, 2 << 20])
def test_blocks_of_a_loop_stay_when_others_lie_unused(nbytes: int) -> None:
    """A program that once had many tensors must not lose those of its loop at each new one."""
    pool = cpu.Pool()

    def borrowed(sizes: list[int]) -> None:
        for block in [pool.take(size) for size in sizes]:
            block.shelf.append(block)

    loop = [64, 128, 1000, 64, 5000]
    borrowed(loop)
    borrowed([nbytes] * (5 * cpu.SPARE // 4 // (nbytes + cpu._OVERHEAD)))
    for i in range(20):
        borrowed(loop)
        borrowed([64 * i])
    made = pool.made
    for i in range(200):
        borrowed(loop)
        borrowed([64 * (i % 20)])
    assert pool.made == made
