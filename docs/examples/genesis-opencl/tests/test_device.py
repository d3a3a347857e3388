"""What the kit does not ask: choosing devices, memory that comes back, vectors, indices from the device."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from genesis_opencl._memory import Pool
from genesis_opencl._unit import units

import genesis


def run(code: str, **environment: str) -> str:
    """What a fresh Python prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# -- choosing ----------------------------------------------------------------------------------------------
PROBE = """
import genesis
from genesis_opencl.backend import OpenCLBackend
print(OpenCLBackend().probe())
try:
    genesis.ones(2, device="opencl")
except genesis.DeviceError as error:
    print(error)
"""


def test_without_pyopencl_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "pyopencl.py").write_text("raise ImportError('not here')")
    said = run(f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{PROBE}")
    assert "ok=False" in said
    assert said.count("pip install pyopencl") == 2


def test_an_unknown_platform_is_answered_with_those_that_there_are() -> None:
    said = run(PROBE, GENESIS_OPENCL_PLATFORM="nonesuch")
    assert "ok=False" in said
    assert "'nonesuch'" in said
    assert units()[0].device.platform.name in said


@pytest.mark.parametrize("chosen", ["GENESIS_OPENCL_PLATFORM", "PYOPENCL_CTX"])
def test_a_platform_is_chosen_by_number(chosen: str) -> None:
    assert "3.0" in run("import genesis; print(genesis.ones(3, device='cl').sum().item())", **{chosen: "0"})


def test_several_devices() -> None:
    said = run(
        """
import genesis
from genesis_opencl._unit import units
if len(units()) < 2:
    print("only one")
else:
    x = genesis.arange(6.0, device="opencl:1").reshape(2, 3)
    y = x.to("opencl:0")
    z = x.T.to("opencl:0")
    assert (x + 1).to("cpu").tolist() == (y + 1).to("cpu").tolist() == [[1, 2, 3], [4, 5, 6]]
    assert z.tolist() == [[0, 3], [1, 4], [2, 5]]
    assert str(y.device) == "opencl:0" and str((x @ x.T).device) == "opencl:1"
    try:
        x + y
    except genesis.DeviceError as error:
        print(error)
try:
    genesis.ones(1, device="opencl:99")
except genesis.DeviceError as error:
    print(error)
""",
        POCL_DEVICES="pthread pthread",
    )
    assert "there is no device opencl:99; this machine has opencl:0 (" in said
    assert "only one" in said or "opencl:1 and opencl:0" in said


# -- memory ------------------------------------------------------------------------------------------------
def test_memory_comes_back() -> None:
    pool = Pool(units()[0])
    buffer, size = pool.take(1000)
    assert size >= 1000
    pool.give(buffer, size)
    assert pool.take(990)[0] is buffer  # of nearly the same size
    assert pool.take(990)[0] is not buffer  # in use
    pool.give(buffer, size)
    pool.clear()
    assert pool.take(1000)[0] is not buffer


def test_memory_that_came_back_is_not_written_by_those_who_had_it() -> None:
    kept = []
    for i in range(50):
        x = genesis.full((1000,), float(i), device="opencl")
        kept.append((x * 2 + 1).sum())
        del x
    assert [k.item() for k in kept] == [1000 * (2.0 * i + 1) for i in range(50)]


# -- kernels -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [1, 3, 4, 7, 8, 9, 31, 10001])
def test_vectors_end_where_the_tensor_ends(dtype: str, n: int) -> None:
    host = np.linspace(-2, 2, n + 20).astype(dtype)
    x, out = genesis.tensor(host, device="opencl"), genesis.full((n + 20,), 9.0, dtype=dtype, device="opencl")
    middle = x[10 : 10 + n]
    out[10 : 10 + n] = genesis.where(middle > 0, middle.exp(), middle.tanh() * 2)
    want = np.full(n + 20, 9.0, dtype)
    part = host[10 : 10 + n]
    want[10 : 10 + n] = np.where(part > 0, np.exp(part), np.tanh(part) * 2)
    # exp and tanh differ from NumPy's in the last digit
    np.testing.assert_allclose(out.numpy(), want, rtol=4 * np.finfo(dtype).eps)


def test_numbers_compile_nothing() -> None:
    unit, x = units()[0], genesis.ones(5, device="opencl")
    x * 2.5 + 1
    before = len(unit._kernels)
    assert (x * 3.5 + 2).tolist() == [5.5] * 5
    assert (genesis.ones(77, device="opencl") * 0.5 + 3).sum().item() == 77 * 3.5
    genesis.full((3,), 4.0, device="opencl")
    before_fill = len(unit._kernels)
    genesis.full((9,), -7.0, device="opencl")
    assert len(unit._kernels) <= before_fill
    assert before_fill - before <= 2  # the sum, and the fill


def test_a_long_sum_is_exact() -> None:
    x = genesis.full((2**20 + 64,), 0.1, device="opencl")
    want = (2**20 + 64) * float(np.float32(0.1))
    # one rounding to float32 for each part, and one at the end
    assert abs(x.sum().item() - want) <= 2 * want * np.finfo("float32").eps
    assert x.reshape(64, -1).T.sum((0, 1)).item() == x.sum().item()


def test_indices_that_the_device_changed_are_looked_at_again() -> None:
    x = genesis.arange(3.0, device="opencl")
    index = genesis.tensor([0, 2], device="opencl")
    assert x[index].tolist() == [0, 2]
    index.add_(1)
    with pytest.raises(IndexError, match="3"):
        x[index]
    index[...] = genesis.tensor([1, 1], device="opencl")
    assert x[index].tolist() == [1, 1]
    assert genesis.zeros(3, device="opencl").scatter_add(0, index, x[index]).tolist() == [0, 2, 0]


def test_a_recipe_trains(tmp_path: Path) -> None:
    command = "from genesis.cli import main; main()"
    arguments = [
        "train",
        "fashion-mnist",
        "--device",
        "opencl",
        "--epochs",
        "1",
        "--out",
        str(tmp_path / "run"),
    ]
    done = subprocess.run(
        [sys.executable, "-c", command, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    metrics = (tmp_path / "run" / "metrics.csv").read_text()
    header, *_, last = metrics.strip().splitlines()
    accuracy = float(dict(zip(header.split(","), last.split(","), strict=True))["test_accuracy"])
    assert accuracy > 0.7  # the device cpu has 0.75 after one epoch
