"""Threads of the CPU device: how many, and that results do not depend on chance."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

import genesis
from genesis.backend import View, arg, call

f32 = genesis.float32


def put(x: np.ndarray) -> View:
    device = genesis.device("cpu")
    out = device.backend.empty(x.shape, getattr(genesis, x.dtype.name), device)
    device.backend.write(out, x)
    return out


def results(threads: int) -> list[np.ndarray]:
    """One of each kind of parallel kernel, large enough for two threads."""
    device = genesis.device("cpu")
    backend = device.backend
    before = backend.get_num_threads()
    backend.set_num_threads(threads)
    try:
        rng = np.random.default_rng(0)
        x = put(rng.standard_normal((700, 300)).astype("float32"))
        w = put(rng.standard_normal((300, 300)).astype("float32"))
        out = []
        views = [backend.empty(s, f32, device) for s in ((700, 300), (1, 300), (700, 1), (1, 1), (700, 300))]
        backend.map(call("exp", arg(0)) * arg(0), views[0], x)
        for view in views[1:4]:
            backend.reduce("sum", view, x)
        backend.random("normal", views[4], 3, 1)
        out = [backend.read(v) for v in views]
        out.append(backend.empty((700, 300), f32, device))
        backend.matmul(out[-1], x, w)
        out[-1] = backend.read(out[-1])
        return out
    finally:
        backend.set_num_threads(before)


def test_the_number_of_threads_can_be_set() -> None:
    backend = genesis.device("cpu").backend
    before = backend.get_num_threads()
    assert before >= 1
    backend.set_num_threads(1)
    assert backend.get_num_threads() == 1
    backend.set_num_threads(before)
    for bad in (0, -1, 10**6, 1.5, True):
        with pytest.raises(ValueError, match="number of threads"):
            backend.set_num_threads(bad)  # type: ignore[arg-type]
    assert backend.get_num_threads() == before


def test_the_same_bits_every_time() -> None:
    backend = genesis.device("cpu").backend
    most = backend.get_num_threads()
    for a, b in zip(results(most), results(most), strict=True):
        np.testing.assert_array_equal(a, b)
    # all but products are cut by shape alone
    for a, b in zip(results(1)[:-1], results(most)[:-1], strict=True):
        np.testing.assert_array_equal(a, b)


def test_threads_of_python_may_launch_together() -> None:
    code = """
import threading, numpy as np, genesis
from genesis.backend import arg, call
d = genesis.device("cpu")
x = d.backend.empty((200000,), genesis.float32, d)
d.backend.write(x, np.linspace(0, 1, 200000, dtype="float32"))
good = []
def work():
    for _ in range(20):
        out = d.backend.empty((200000,), genesis.float32, d)
        d.backend.map(call("exp", arg(0)) + 1.0, out, x)
        total = d.backend.empty((1,), genesis.float32, d)
        d.backend.reduce("sum", total, out)
    good.append(float(d.backend.read(total)[0]))
ts = [threading.Thread(target=work) for _ in range(4)]
[t.start() for t in ts]; [t.join() for t in ts]
assert len(good) == 4 and len(set(good)) == 1, good
"""
    environment = {**os.environ, "NUMBA_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr


def test_more_threads_than_cores_and_one() -> None:
    code = (
        "import genesis; x = genesis.ones(300, 300)\n"
        "print(genesis.device('cpu').backend.get_num_threads(), float(x.matmul(x).sum()))"
    )
    for n in ("1", "5"):
        environment = {**os.environ, "NUMBA_NUM_THREADS": n}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120
        )
        assert done.stdout.split() == [n, "27000000.0"], done.stderr


def test_products_leave_the_threads_of_numpy_alone() -> None:
    x = put(np.ones((400, 400), "float32"))
    device = genesis.device("cpu")
    out = device.backend.empty((400, 400), f32, device)
    before = os.environ.get("OPENBLAS_NUM_THREADS")
    device.backend.matmul(out, x, x)
    assert os.environ.get("OPENBLAS_NUM_THREADS") == before
    np.testing.assert_array_equal(device.backend.read(out), np.full((400, 400), 400.0))


def test_a_child_process_computes_after_a_fork() -> None:
    code = """
import os, warnings, genesis
warnings.simplefilter("ignore", DeprecationWarning)  # Python's own about forks and threads
genesis.set_num_threads(3)
x = genesis.ones(500, 500)
total = float((x @ x).sum())
for _ in range(3):
    pid = os.fork()
    if not pid:
        code = 7 if float((x @ x).sum()) == total else 1
        if not os.fork():
            os._exit(0 if float((x @ x).sum()) == total else 1)
        os._exit(code if os.waitstatus_to_exitcode(os.wait()[1]) == 0 else 2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
print(float((x @ x).sum()) == total)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["True"], done.stderr


def test_a_team_sleeps_is_called_and_grows() -> None:
    code = """
import time, genesis
x = genesis.ones(300, 300)
for n in (2, 5, 1, 3):
    genesis.set_num_threads(n)
    for _ in range(3):
        assert float((x @ x).sum()) == 27e6
        time.sleep(0.02)
used = time.process_time()
time.sleep(0.3)
print(time.process_time() - used < 0.1)  # nobody spins for long
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["True"], done.stderr
