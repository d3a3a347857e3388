"""Streams and events: what the driver is asked for, and that memory knows its stream."""

from __future__ import annotations

import gc
import threading

import pytest

import genesis
from genesis_cuda import _memory
from genesis_cuda._driver import api, unit


@pytest.fixture
def launches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The streams of launches."""
    found: list[int] = []
    driver = type(api())
    launch = driver.cuLaunchKernel

    def noted(self, kernel, gx, gy, gz, bx, by, bz, shared, stream, *rest):
        found.append(stream)
        return launch(self, kernel, gx, gy, gz, bx, by, bz, shared, stream, *rest)

    monkeypatch.setattr(driver, "cuLaunchKernel", noted)
    return found


@pytest.mark.simulated
def test_work_goes_where_it_is_told(launches: list[int]) -> None:
    x = genesis.ones(3, device="cuda")
    first, other = genesis.cuda.current_stream(), genesis.cuda.Stream()
    assert first == genesis.cuda.default_stream() != other
    launches.clear()
    with genesis.cuda.stream(other):
        assert genesis.cuda.current_stream() == other
        y = x + 1
        with other, genesis.cuda.stream(None), genesis.cuda.Stream():
            x + 2
        x + 3
    z = x + 4
    assert launches[0] == launches[2] == other.cuda_stream
    assert launches[1] not in (launches[0], launches[3])
    assert launches[3] == first.cuda_stream
    assert (y.tolist(), z.tolist()) == ([2] * 3, [5] * 3)
    genesis.cuda.set_stream(other)
    try:
        assert genesis.cuda.current_stream() == other
        seen = []
        thread = threading.Thread(target=lambda: seen.append(genesis.cuda.current_stream()))
        thread.start()
        thread.join()
        assert seen == [first], "another thread works in the default stream"
    finally:
        genesis.cuda.set_stream(first)
    assert genesis.cuda.current_stream(1).device == genesis.device("cuda:1")
    assert {first, genesis.cuda.default_stream(), other} == {first, other}
    assert "Stream device=cuda" in repr(other)


@pytest.mark.simulated
def test_streams_wait_for_each_other() -> None:
    one, two = genesis.cuda.Stream(), genesis.cuda.Stream(priority=-1)
    api().waits.clear()
    event = one.record_event()
    two.wait_event(event)
    two.wait_stream(one)
    event.wait(two)
    assert [stream for stream, _ in api().waits] == [two.cuda_stream] * 3
    assert api().waits[0][1] == event.cuda_event
    assert one.query()
    one.synchronize()
    genesis.cuda.Event().wait(two)  # there is no mark to wait for
    assert len(api().waits) == 3


def test_time_between_events() -> None:
    start, end = genesis.cuda.Event(enable_timing=True), genesis.cuda.Event(True, blocking=True)
    assert start.query()
    with pytest.raises(ValueError, match="must be recorded"):
        start.elapsed_time(end)
    start.record()
    (genesis.ones(5, device="cuda") + 1).sum()
    end.record(genesis.cuda.current_stream())
    end.synchronize()
    assert 0 < start.elapsed_time(end) < 10_000
    with pytest.raises(ValueError, match="enable_timing=True"):
        start.elapsed_time(genesis.cuda.Event())
    with pytest.raises(NotImplementedError, match="interprocess"):
        genesis.cuda.Event(interprocess=True)


def test_there_are_so_many_streams() -> None:
    streams = [genesis.cuda.Stream() for _ in range(70)]
    assert len({s.cuda_stream for s in streams}) == 32


def test_memory_comes_back_to_its_stream() -> None:
    stream = genesis.cuda.Stream()
    x = genesis.empty(300, device="cuda")
    start = x._view.buffer.handle.address
    del x
    gc.collect()
    with genesis.cuda.stream(stream):
        y = genesis.empty(300, device="cuda")
        assert y._view.buffer.handle.address != start
    assert genesis.empty(300, device="cuda")._view.buffer.handle.address == start


@pytest.mark.simulated
def test_a_tensor_that_another_stream_uses() -> None:
    stream = genesis.cuda.Stream()
    x = genesis.ones(300, device="cuda")
    x.record_stream(stream)
    x.record_stream(genesis.cuda.current_stream())
    api().waits.clear()
    del x
    gc.collect()
    assert [s for s, _ in api().waits] == [int(unit(0).main)], "its own stream waits, for the other one"


@pytest.mark.simulated
def test_pinned_memory_and_copies_that_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    x = genesis.arange(6.0).reshape(2, 3)
    assert not x.is_pinned()
    pinned = x.T.pin_memory()
    assert pinned.is_pinned()
    assert pinned.pin_memory() is pinned
    assert pinned.tolist() == x.T.tolist()
    assert not pinned.is_cuda
    with pytest.raises(RuntimeError, match="cannot pin"):
        x.to("cuda").pin_memory()
    waited = []
    driver = type(api())
    monkeypatch.setattr(driver, "cuStreamSynchronize", lambda self, s: (waited.append(s), (0,))[1])
    for move in (
        lambda: pinned.to("cuda", non_blocking=True),
        lambda: pinned.to("cuda", genesis.float32, True),
        lambda: pinned.cuda(non_blocking=True),
        lambda: genesis.empty(3, 2, device="cuda").copy_(pinned, non_blocking=True),
    ):
        waited.clear()
        moved = move()
        assert not waited
        assert moved.tolist() == x.T.tolist()
    waited.clear()
    pinned.to("cuda")
    assert waited
    assert len(_memory._under_way) == 1, "what was copied is let go"


@pytest.mark.simulated
def test_the_general_names() -> None:
    stream, event = genesis.Stream("cuda:1"), genesis.Event("cuda:1", enable_timing=True)
    assert stream.device == genesis.device("cuda:1")
    with stream:
        event.record()
        assert genesis.accelerator.current_stream("cuda:1") == stream
    assert genesis.accelerator.current_stream("cuda:1") != stream
    assert genesis.accelerator.current_stream() == genesis.cuda.default_stream()
    with pytest.raises(NotImplementedError, match="one stream"):
        genesis.Stream("cpu")
    with pytest.raises(NotImplementedError, match="no events"):
        genesis.Event("cpu").record(genesis.Stream._of(genesis.device("cpu"), None))
    with pytest.raises(ValueError, match="'cuda'"):
        genesis.cuda.Stream("cpu")


def test_products_work_in_the_current_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    from genesis_cuda import _gemm

    asked = []

    class Library:
        def create(self):
            return 7

        def set_math_mode(self, handle, mode):
            pass

        def set_stream(self, handle, stream):
            asked.append(stream)

    monkeypatch.setattr(_gemm, "library", Library)
    monkeypatch.setattr(_gemm, "_handles", {})
    monkeypatch.setattr(_gemm, "_streams", {})
    stream = genesis.cuda.Stream()
    for _ in range(2):
        _gemm._handle(unit(0))
    with stream:
        _gemm._handle(unit(0))
    assert asked == [int(unit(0).main), stream.cuda_stream]
