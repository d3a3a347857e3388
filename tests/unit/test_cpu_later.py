"""The step of an optimizer may return before its kernel is over: nobody may notice but by the clock."""

from __future__ import annotations

import ctypes
import gc
import math
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import genesis
from genesis import optim

pytest.importorskip("genesis_cpu")

#: elements that keep a thread busy for milliseconds
MANY = 4_000_000
EYE = genesis.eye(64)


class Descent:
    """A parameter of ones, a gradient of ones, and SGD, whose step takes a half off everywhere."""

    def __init__(self, n: int = MANY) -> None:
        self.p = genesis.ones(n).requires_grad_()
        self.p.grad = genesis.ones(n)
        self.optimizer = optim.SGD([self.p], lr=0.5)


@pytest.fixture(autouse=True)
def _three_threads() -> Any:
    before = genesis.get_num_threads()
    genesis.set_num_threads(3)
    yield
    genesis.set_num_threads(before)


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows with each step of SGD that may not be over when it returns."""
    from genesis_cpu import _threads
    from genesis_cpu.fused.optimizer import sgd

    genesis.ones(2).exp()
    Descent(100_000).optimizer.step()  # the launchers are loaded
    seen: list[int] = []
    launch = _threads.later

    def later(*words: int) -> Any:
        if words[1] == sgd():
            seen.append(words[2])
        return launch(*words)

    monkeypatch.setattr(_threads, "later", later)
    return seen


def _numpy(x: genesis.Tensor) -> Any:
    return x.detach().numpy()


def _address(x: genesis.Tensor) -> Any:
    return np.ctypeslib.as_array((ctypes.c_float * x.numel()).from_address(x.data_ptr()))


READERS: dict[str, Callable[[genesis.Tensor], Any]] = {
    "numpy": _numpy,
    "tolist": lambda p: np.array(p[::7].tolist()),
    "dlpack": lambda p: np.from_dlpack(p.detach()),
    "address": _address,
    "handle": lambda p: p._view.buffer.handle.view("float32")[: p.numel()],
    "operation": lambda p: (p + 0).detach().numpy(),
    "operation in parallel on the end": lambda p: (p.detach()[-100_000:] + 0).numpy(),
    "operation on the end": lambda p: p.detach()[-2000:].sum(0, keepdim=True).numpy() / 2000,
    "product with the end": lambda p: (p.detach()[-64:].reshape(1, 64) @ EYE)[0].numpy(),
    "item": lambda p: np.array([p[0].item(), p[-1].item(), p[p.numel() // 2].item()]),
    "copy": lambda p: p.detach().clone().numpy(),
    "array": lambda p: np.asarray(p.detach()),
    "reduction": lambda p: np.array([p.detach().min().item(), p.detach().max().item()]),
}


@pytest.mark.parametrize("reader", READERS)
def test_whoever_reads_sees_the_whole_step(reader: str, late: list[int]) -> None:
    READERS[reader](genesis.ones(MANY))  # what it needs is compiled
    descent = Descent()
    descent.optimizer.step()
    assert late == [MANY]
    found = READERS[reader](descent.p)
    assert found[-1] == 0.5  # which is written last
    np.testing.assert_array_equal(found, 0.5)


@pytest.mark.parametrize("shown", [_numpy, _address, lambda x: np.from_dlpack(x.detach())])
def test_memory_that_others_know_is_written_before_the_step_returns(shown: Any, late: list[int]) -> None:
    descent = Descent()
    known = shown(descent.p)
    descent.optimizer.step()
    last = known[-1], known[0], known[MANY // 2]  # nothing of genesis is asked in between
    assert last == (0.5, 0.5, 0.5)
    np.testing.assert_array_equal(known, 0.5)
    assert not late


def test_what_was_saved_printed_and_checked_may_run_on(late: list[int], tmp_path: Path) -> None:
    descent = Descent()
    for count in (1, 2):
        descent.optimizer.step()
        assert late == [MANY] * count
        state = {"p": descent.p.detach(), "optimizer": descent.optimizer.state_dict()}
        for name in ("ours", "torch.pt"):
            genesis.save(state, tmp_path / name)
            np.testing.assert_array_equal(genesis.load(tmp_path / name)["p"].numpy(), 1 - 0.5 * count)
        assert repr(descent.p).count(str(1 - 0.5 * count).rstrip("0")) == 6


def test_memory_that_another_thread_asks_for_just_then(monkeypatch: pytest.MonkeyPatch) -> None:
    from genesis_cpu import _threads

    Descent(100_000).optimizer.step()
    descent, launch, known = Descent(), _threads.later, []

    def later(*words: int) -> Any:
        known.append(descent.p.detach().numpy())
        return launch(*words)

    monkeypatch.setattr(_threads, "later", later)
    descent.optimizer.step()
    assert known[0][-1] == 0.5
    np.testing.assert_array_equal(known[0], 0.5)


def test_memory_that_others_know_is_read_before_the_step_returns(late: list[int]) -> None:
    host = np.ones(MANY, "float32")
    descent = Descent()
    descent.p.grad = genesis.from_numpy(host)
    descent.optimizer.step()
    host[:] = np.nan
    np.testing.assert_array_equal(descent.p.detach().numpy(), 0.5)
    lent = genesis.ones(MANY)
    mine = lent.numpy()
    other = Descent()
    other.p.grad = lent
    other.optimizer.step()
    mine[:] = np.nan
    np.testing.assert_array_equal(other.p.detach().numpy(), 0.5)
    assert not late


def test_memory_of_a_gradient_is_not_used_again_too_early(late: list[int]) -> None:
    descent = Descent()
    for count in range(1, 9):
        descent.p.grad = genesis.ones(MANY)
        descent.optimizer.step()
        assert len(late) == count
        descent.p.grad = None
        filled = genesis.tensor(np.full(MANY, np.nan, "float32"))  # in the place of the gradient
        assert filled.isnan().all()
        del filled
    np.testing.assert_array_equal(descent.p.detach().numpy(), 1 - 0.5 * 8)


def test_a_number_is_not_written_where_a_gradient_is_still_read(late: list[int]) -> None:
    p, q = genesis.ones(MANY).requires_grad_(), genesis.tensor(1.0, requires_grad=True)
    optimizer = optim.SGD([p, q], lr=0.5)
    for _ in range(5):
        p.grad, q.grad = genesis.ones(MANY), genesis.tensor(1.0)
        optimizer.step()
        q.grad = None
        kept = [genesis.tensor(math.nan) for _ in range(3)]  # one of them in its place
        del kept
    assert len(late) == 5
    assert q.item() == 1 - 0.5 * 5


def test_memory_of_a_gradient_is_not_given_back_too_early(late: list[int]) -> None:
    descent = Descent()
    descent.optimizer.step()
    descent.p.grad = None
    genesis.accelerator.empty_cache("cpu")
    assert late
    np.testing.assert_array_equal(descent.p.detach().numpy(), 0.5)


def test_an_optimizer_that_is_gone_finishes_its_step(late: list[int]) -> None:
    descent = Descent()
    p = descent.p
    descent.optimizer.step()
    del descent
    p.grad = None
    gc.collect()
    assert late
    np.testing.assert_array_equal(p.detach().numpy(), 0.5)


def test_many_groups_and_many_steps(late: list[int]) -> None:
    """Each launch has arguments of its own, however many of them follow one another."""
    params = [genesis.ones(50_000 + i).requires_grad_() for i in range(12)]
    optimizer = optim.SGD([{"params": [p], "lr": 2.0**-i} for i, p in enumerate(params)], lr=1.0)
    for _ in range(3):
        for p in params:
            p.grad = genesis.ones(p.numel())
        optimizer.step()
    assert len(late) == 36
    for i, p in enumerate(params):
        np.testing.assert_array_equal(p.detach().numpy(), 1 - 3 * 2.0**-i)


def test_clipping_and_a_step_by_turns(late: list[int]) -> None:
    """The norm and the step write their arguments to the same places by turns."""
    p = genesis.zeros(400_000).requires_grad_()
    optimizer = optim.SGD([p], lr=1.0)
    for _ in range(5):
        p.grad = genesis.full((400_000,), 3.0)
        norm = optimizer.clip_grad_norm_(1.0)
        assert norm.item() == pytest.approx(3 * 400_000**0.5, rel=1e-6)
        optimizer.step()
    assert len(late) == 5
    np.testing.assert_allclose(p.detach().numpy(), -5 / 400_000**0.5, rtol=1e-5)


def test_arguments_are_not_overwritten_by_those_of_launches_that_never_come(late: list[int]) -> None:
    from genesis_cpu.fused.optimizer import pack

    descent = Descent()
    descent.optimizer.step()
    for _ in range(3):
        pack([0] * 8)
    assert late
    np.testing.assert_array_equal(descent.p.detach().numpy(), 0.5)


def test_threads_of_python_step_together() -> None:
    """Each with an optimizer of its own; a thread may end right after its step."""
    descents = [Descent(300_000 + i) for i in range(8)]

    def work(descent: Descent) -> None:
        for _ in range(30):
            descent.p.grad = genesis.ones(descent.p.numel())
            descent.optimizer.step()

    for _ in range(3):
        threads = [threading.Thread(target=work, args=(descent,)) for descent in descents]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for descent in descents:
        np.testing.assert_array_equal(descent.p.detach().numpy(), 1 - 0.5 * 90)


def _run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)


BEGIN = """
import os, sys, warnings, genesis
warnings.simplefilter("ignore", DeprecationWarning)  # Python's own about forks and threads
genesis.set_num_threads(3)
p = genesis.ones(20_000_000).requires_grad_()
p.grad = genesis.ones(20_000_000)
optimizer = genesis.optim.SGD([p], lr=0.5)
optimizer.step()
"""


def test_a_program_may_end_after_a_step() -> None:
    done = _run(BEGIN)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_child_process_sees_the_whole_step() -> None:
    done = _run(
        BEGIN
        + """
pid = os.fork()
good = bool((p == 0.5).all())
optimizer.step()
good = good and bool((p == 0).all())
if not pid:
    os._exit(0 if good else 1)
print(good, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    )
    assert done.stdout.split() == ["True", "0"], done.stderr


def test_synchronize_waits_for_a_step(late: list[int]) -> None:
    descent = Descent()
    place = descent.p._view.native or descent.p._view.buffer.block.native
    known = np.ctypeslib.as_array((ctypes.c_float * MANY).from_address(place[0]))  # nobody was told
    descent.optimizer.step()
    genesis.accelerator.synchronize("cpu")
    assert late
    np.testing.assert_array_equal(known, 0.5)
