"""Numbers that go wrong: who made the first nan, the same bits again, large indices, denormals, no memory."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import genesis
from genesis import autograd, nn
from genesis.nn import functional as F


# -- the first nan -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "run"),
    [
        ("log", lambda: genesis.tensor([1.0, -1.0, 0.0]).log()),
        ("div", lambda: genesis.zeros(3) / genesis.zeros(3)),
        ("sub", lambda: genesis.tensor(1000.0).exp() - genesis.tensor(1000.0).exp()),
        ("sqrt", lambda: genesis.ones(2).neg_().sqrt_()),
    ],
)
def test_the_operation_that_made_the_first_nan(device: str, name: str, run: Callable[[], Any]) -> None:
    message = rf"the operation '{name}' made the first nan: .* in <lambda>"
    with genesis.device(device):
        run()  # outside nobody looks
        with (
            pytest.raises(RuntimeError, match=message) as error,
            autograd.set_detect_anomaly(True, forward=True),
        ):
            run()
        assert f"{__file__}:" in str(error.value)
        run()
    assert type(genesis.device(device).backend).__name__ != "Watched"


def test_the_first_operation_of_a_program_is_looked_at() -> None:
    code = "import genesis\nwith genesis.autograd.set_detect_anomaly(True, forward=True):\n"
    code += "    genesis.tensor([-1.0]).log()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert "the operation 'log' made the first nan" in done.stderr


def test_infinities_count_on_demand_and_nan_that_were_there_do_not() -> None:
    x = genesis.tensor([float("nan"), 1.0])
    with autograd.set_detect_anomaly(True, forward=True):
        (x * 2 + genesis.tensor(1000.0).exp()).sum()
    with (
        pytest.raises(RuntimeError, match="'exp' made the first inf: 1 of 1 elements"),
        autograd.set_detect_anomaly(True, forward=True, check_inf=True),
    ):
        genesis.tensor(1000.0).exp()


def test_the_first_nan_of_a_backward_pass_names_the_forward_call() -> None:
    x = genesis.zeros(1, requires_grad=True)
    with (
        pytest.raises(RuntimeError, match="made the first nan"),
        pytest.warns(UserWarning, match=r"Error detected in SqrtBackward0(.|\n)*x\.sqrt\(\)"),
        autograd.set_detect_anomaly(True, forward=True),
    ):
        (x.sqrt() * 0).backward()


def test_a_training_without_nan_is_the_same_in_anomaly_mode() -> None:
    def train() -> list[float]:
        genesis.manual_seed(0)
        model = nn.Sequential(nn.Linear(3, 8), nn.LayerNorm(8), nn.GELU(), nn.Linear(8, 4))
        optimizer = genesis.optim.AdamW(model.parameters(), lr=0.1)
        losses = []
        for _ in range(3):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(genesis.ones(5, 3)), genesis.arange(5) % 4)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
        return losses

    wanted = train()
    with (
        autograd.set_detect_anomaly(True, forward=True, check_inf=True),
        autograd.set_detect_anomaly(True, forward=True),
    ):
        np.testing.assert_allclose(train(), wanted, rtol=1e-5)
    assert train() == wanted


# -- the same bits -----------------------------------------------------------------------------------------
TRAINING = """
import hashlib, threading, genesis
from genesis import nn
from genesis.nn import functional as F
genesis.use_deterministic_algorithms(True)
genesis.set_num_threads(3)
genesis.manual_seed(0)

class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(50, 32)
        self.layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
        self.conv = nn.Conv1d(32, 64, 3, padding=1)
        self.norm = nn.BatchNorm1d(64)
        self.lstm = nn.LSTM(64, 32, batch_first=True)
        self.head = nn.Linear(32, 50)
    def forward(self, x):
        x = self.norm(self.conv(self.layer(self.words(x)).transpose(1, 2))).transpose(1, 2)
        return self.head(self.lstm(F.dropout(x, 0.1, self.training))[0])

model = Model()
optimizer = genesis.optim.AdamW(model.parameters(), lr=1e-2)
for _ in range(2):
    x = genesis.randint(0, 50, (16, 24))
    loss = F.cross_entropy(model(x).flatten(0, 1), x.roll(1, 1).flatten())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
digest = hashlib.sha256()
for value in model.state_dict().values():
    digest.update(value.numpy().tobytes())
"""


def test_the_same_bits_at_the_same_number_of_threads() -> None:
    here: dict[str, Any] = {}
    before = genesis.get_num_threads()
    digests = set()
    try:
        for _ in range(2):
            exec(TRAINING, here)
            digests.add(here["digest"].hexdigest())
    finally:
        genesis.set_num_threads(before)
        genesis.use_deterministic_algorithms(False)
    busy = "import threading\nstop = []\ndef spin():\n    while not stop: sum(range(1000))\n"
    busy += "threads = [threading.Thread(target=spin) for _ in range(1)]\n[t.start() for t in threads]\n"
    code = busy + TRAINING + "print(digest.hexdigest())\nstop.append(1)\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=200)
    digests.add(done.stdout.strip())
    assert len(digests) == 1, done.stderr
    assert len(next(iter(digests))) == len(hashlib.sha256().hexdigest())


# -- indices beyond 32 bits --------------------------------------------------------------------------------
LONG = 2**31 + 5


def test_more_elements_than_32_bits_count(device: str) -> None:
    """Of one element, seen as more than 2^31."""
    tracemalloc.start()
    try:
        x = genesis.tensor([3], dtype=genesis.int8, device=device).expand(LONG)
        far = genesis.tensor([0, 2**31, LONG - 1], device=device)
        assert (x.numel(), len(x)) == (LONG, LONG)
        assert x[LONG - 1].item() == x[-1].item() == 3
        assert x[2**31 :].tolist() == [3] * 5
        assert x[:: 2**30].tolist() == [3] * 3
        assert x.narrow(0, 2**31, 3).contiguous().tolist() == [3] * 3
        assert x[: 2**31].reshape(2**16, 2**15)[-1, -1].item() == 3
        assert x.index_select(0, far).tolist() == x[far].tolist() == x.gather(0, far).tolist() == [3] * 3
        assert genesis.take(x, far).tolist() == [3] * 3
        with pytest.raises(IndexError):
            x.index_select(0, far + 1)
        assert genesis.arange(2**31 - 1, 2**31 + 2, device=device).tolist() == [2**31 - 1, 2**31, 2**31 + 1]
        table = genesis.tensor([[1.0, 2.0]], device=device).expand(LONG, 2)
        assert table[far[1:]].tolist() == [[1.0, 2.0]] * 2
        # a copy would take 2 GiB; compiling a kernel, where none was kept, takes some MiB
        assert tracemalloc.get_traced_memory()[1] < 1 << 28
    finally:
        tracemalloc.stop()


@pytest.mark.skipif(os.environ.get("GENESIS_TEST_ALL") != "1", reason="takes ten seconds")
def test_loops_over_more_elements_than_32_bits_count() -> None:
    x = genesis.tensor([1.0]).expand(LONG)
    assert x.sum().item() == LONG // 128 * 128 or abs(x.sum().item() - LONG) < 256
    assert x.max().item() == 1
    last = genesis.tensor([4], dtype=genesis.int8)
    assert genesis.searchsorted(genesis.tensor([3], dtype=genesis.int8).expand(LONG), last).item() == LONG


# -- memory ------------------------------------------------------------------------------------------------
def test_a_result_that_no_memory_holds(device: str) -> None:
    x = genesis.tensor([1.0], device=device).expand(2**45)
    for run in (
        lambda: x + 1,
        lambda: genesis.zeros(2**45, device=device),
        lambda: genesis.empty(2**62, 4, device=device),
    ):
        with pytest.raises(genesis.OutOfMemoryError, match=rf"'{device}' cannot allocate \d+ bytes") as error:
            run()
        assert isinstance(error.value, RuntimeError)
        assert isinstance(error.value, MemoryError)
    assert (genesis.ones(3, device=device) + 1).tolist() == [2, 2, 2]


def test_recurrent_operations_write_nowhere_else() -> None:
    """Shapes that do not belong together, which the layers never pass on."""
    for gates, op, states, options in (
        (3, genesis.ops.gru, 1, {"keep": False}),
        (4, genesis.ops.lstm, 2, {"keep": False}),
        (1, genesis.ops.rnn, 1, {"nonlinearity": "tanh"}),
    ):
        x, w = genesis.ones(3, 1), genesis.ones(gates, 1)
        h = [genesis.ones(1, 1)] * states
        bias = {3: (None, None), 4: (None, None), 1: (None,)}[gates]
        with pytest.raises((RuntimeError, ValueError, IndexError)):
            op(x, *h, w, w, *bias, batch_sizes=(2, 1), reverse=True, **options)


@pytest.mark.parametrize("dim", [None, 0, 1, -1, (0, 2), [1, 2]])
def test_sums_of_many_small_integers_are_made_in_pieces(monkeypatch: pytest.MonkeyPatch, dim: Any) -> None:
    monkeypatch.setattr("genesis.ops.reduction._MANY", 60)
    array = np.random.default_rng(0).integers(-100, 100, (3, 4, 37)).astype(np.int8)
    axes = tuple(dim) if isinstance(dim, list) else dim
    for x, values in ((genesis.tensor(array), array), (genesis.tensor(array).mT, array.swapaxes(1, 2))):
        found = x.sum() if dim is None else x.sum(dim, keepdim=True)
        wanted = values.sum(axes, dtype=np.int64, keepdims=dim is not None)
        assert found.dtype == genesis.int64
        np.testing.assert_array_equal(found.numpy(), wanted)


@pytest.mark.skipif(os.environ.get("GENESIS_TEST_ALL") != "1", reason="takes five seconds")
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="asks Linux for the peak of memory")
def test_a_sum_of_more_elements_than_32_bits_count() -> None:
    code = f"""
import genesis
assert genesis.tensor([3], dtype=genesis.int8).expand({LONG}).sum().item() == {3 * LONG}
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 2_000_000  # kB; as int64 at once they would be 16 GB


# -- denormals ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_near_zero_keep_their_digits(dtype: str) -> None:
    assert genesis.set_flush_denormal(True) is False
    tiny = np.finfo(dtype).tiny
    array = np.tile((np.array([1e-3, 0.25, 0.5, 1, 1.5, -0.75, -1e-5]) * tiny).astype(dtype), 9)
    x, three = genesis.tensor(array), np.asarray(3, dtype)
    small = np.array([-100, -740], dtype)
    pairs = {
        "add": (x + x, array + array), "sub": (x - x / 2, array - array / np.asarray(2, dtype)),
        "mul": (x * 0.5, array * np.asarray(0.5, dtype)), "div": (x / 3, array / three),
        "abs": (x.abs(), abs(array)), "sqrt": (x.abs().sqrt(), np.sqrt(abs(array))),
        "log": (x.abs().log(), np.log(abs(array))),
        "sin": (x.sin(), np.sin(array)), "tanh": (x.tanh(), np.tanh(array)),
        "expm1": (x.expm1(), np.expm1(array)), "relu": (F.relu(x), np.maximum(array, 0)),
        "where": (genesis.where(x > 0, x, -x), abs(array)), "sign": (x.sign(), np.sign(array)),
        "sum": (x.sum(), array.sum()), "max": (x.max(), array.max()), "min": (x.min(), array.min()),
        "sort": (x.sort().values, np.sort(array)), "cumsum": (x.cumsum(0), array.cumsum()),
        "matmul": (x.reshape(7, 9) @ genesis.eye(9, dtype=x.dtype), array.reshape(7, 9)),
        "exp": (genesis.tensor(small).exp(), np.exp(small)),
    }  # fmt: skip
    for name, (ours, wanted) in pairs.items():
        np.testing.assert_allclose(ours.numpy(), wanted, rtol=1e-5, atol=0, err_msg=name)
