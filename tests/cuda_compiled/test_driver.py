"""The way to a GPU, all but the GPU: a stand-in for `libcuda` takes what the bindings make of calls."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent

HEAD = """
import ctypes, json
import genesis
from genesis_cuda import _kernel
import genesis.nn.functional as F

answer, launches, entries = {}, [], {}
compile_it = _kernel.Kernel.compile

def remember(self, architecture):
    made = compile_it(self, architecture)
    entries[made[0]] = self
    answer.setdefault("architectures", []).append(architecture)
    return made

def hook(name, sizes, parameters):
    kernel = entries.get(name.decode())
    if kernel is None:
        launches.append(["kept", list(sizes[:7]), []])
        return
    kinds = [ctypes.c_double if k == "float64" else ctypes.c_int64 for k in kernel.parameters]
    values = [kind.from_address(parameters[i]).value for i, kind in enumerate(kinds)]
    launches.append([kernel.name, list(sizes[:7]), values])

_kernel.Kernel.compile = remember
hook_type = ctypes.CFUNCTYPE(
    None, ctypes.c_char_p, ctypes.POINTER(ctypes.c_uint), ctypes.POINTER(ctypes.c_void_p)
)
keep = hook_type(hook)
ctypes.CDLL("libcuda.so.1").set_hook(keep)
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("driver")
    target = folder / "libcuda.so.1"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", target, HERE / "driver.c", "-ldl"], check=True)
    return folder


def ask(library: Path, code: str, cache: Path) -> dict:
    environment = {**os.environ, "LD_LIBRARY_PATH": str(library), "GENESIS_CACHE_DIR": str(cache)}
    program = f"{HEAD}\n{code}\nanswer['launches'] = launches\nprint(json.dumps(answer))"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_it_is_there_and_copies(library: Path, tmp_path: Path) -> None:
    found = ask(
        library,
        """
answer["count"] = genesis.cuda.device_count()
x = genesis.tensor([[1.0, 2.0], [3.0, 4.0]], device="cuda:1")
answer["x"], answer["y"] = x.tolist(), x.to("cuda:0").tolist()
answer["integers"] = genesis.tensor([1, 2, 3], device="cuda").tolist()
from genesis_cuda import _memory
host = _memory.pinned((3,), "float32")
host[:] = 5
answer["pinned"] = genesis.tensor(host, device="cuda").tolist()
try:
    genesis.zeros(1 << 30, device="cuda")
except genesis.OutOfMemoryError as error:
    answer["error"] = str(error)
genesis.device("cuda").backend.empty_cache()
genesis.cuda.synchronize()
""",
        tmp_path,
    )
    assert found["count"] == 2
    assert found["x"] == found["y"] == [[1, 2], [3, 4]]
    assert found["integers"] == [1, 2, 3]
    assert found["pinned"] == [5, 5, 5]
    assert "4.0 GiB are asked for, and 1.0 GiB of 2.0 GiB are free" in found["error"]


def test_arguments_of_a_launch(library: Path, tmp_path: Path) -> None:
    code = """
x = genesis.arange(1000.0, device="cuda")
launches.clear()
y = x[:800] * 2.5
answer["places"] = [v._view.buffer.handle.address for v in (y, x)]
"""
    found = ask(library, code, tmp_path)
    (launch,) = found["launches"]
    name, sizes, values = launch
    assert name == "map_kernel"
    assert sizes == [4, 1, 1, 256, 1, 1, 0]
    assert values == [800, *found["places"], 2.5]
    assert set(found["architectures"]) == {"sm_90"}
    again = ask(library, code, tmp_path)
    assert "architectures" not in again, "the second process finds its kernels on disk"
    assert again["launches"] == [["kept", sizes, []]]


def test_streams_events_and_copies_that_are_not_waited_for(library: Path, tmp_path: Path) -> None:
    found = ask(
        library,
        """
x = genesis.arange(6.0, device="cuda")
stream, urgent = genesis.cuda.Stream(), genesis.cuda.Stream(priority=-1)
first, start, end = genesis.cuda.current_stream(), *[genesis.cuda.Event(True) for _ in range(2)]
answer["numbers"] = [s.cuda_stream for s in (first, stream, urgent)]
start.record()
with genesis.cuda.stream(stream):
    answer["current"] = genesis.cuda.current_stream().cuda_stream
    y = x + 1
    y.record_stream(first)
    end.record()
urgent.wait_event(end)
urgent.wait_stream(stream)
del y
answer["done"] = [stream.query(), end.query()]
for each in (stream, end, genesis.cuda):
    each.synchronize()
answer["elapsed"] = start.elapsed_time(end)
host = genesis.arange(5.0).pin_memory()
answer["pinned"] = [host.is_pinned(), host.to("cuda", non_blocking=True).tolist()]
genesis.cuda.empty_cache()
""",
        tmp_path,
    )
    assert len(set(found["numbers"])) == 3
    assert found["current"] == found["numbers"][1]
    assert found["done"] == [True, True]
    assert found["elapsed"] == 1.5
    assert found["pinned"] == [True, [0, 1, 2, 3, 4]]


def test_a_training_step_goes_through(library: Path, tmp_path: Path) -> None:
    found = ask(
        library,
        """
model = genesis.nn.Sequential(
    genesis.nn.Embedding(10, 8), genesis.nn.LayerNorm(8), genesis.nn.Linear(8, 10)
).to("cuda")
optimizer = genesis.optim.AdamW(model.parameters())
index = genesis.tensor([1, 2, 3], device="cuda")
for _ in range(2):
    launches.clear()
    optimizer.zero_grad()
    F.cross_entropy(model(index), index).backward()
    optimizer.step()
""",
        tmp_path,
    )
    names = [name for name, *_ in found["launches"]]
    assert names.count("adam_float32") == 1
    assert {"embedding_float32", "normalize_layer_warp_float32", "losses_warp_float32"} <= set(names)
    assert all(sizes[3] <= 256 for _, sizes, _ in found["launches"])


def test_the_numbers_of_cublas_are_those_of_its_bindings() -> None:
    from nvmath import CudaDataType
    from nvmath.bindings import cublas

    from genesis_cuda import _gemm

    assert _gemm.library() is cublas
    assert _gemm._TYPES == {
        "float32": CudaDataType.CUDA_R_32F,
        "float64": CudaDataType.CUDA_R_64F,
        "float16": CudaDataType.CUDA_R_16F,
        "bfloat16": CudaDataType.CUDA_R_16BF,
    }
    kinds = cublas.ComputeType
    assert {
        name: kinds.COMPUTE_64F if name == "float64" else kinds.COMPUTE_32F for name in _gemm._TYPES
    } == _gemm._COMPUTE
    assert cublas.Math.DISALLOW_REDUCED_PRECISION_REDUCTION == _gemm._EXACT
    assert callable(cublas.set_math_mode)
    assert cublas.Operation.T == _gemm._TRANSPOSED
    wanted = "(intptr_t handle, int transa, int transb, int m, int n, int k, intptr_t alpha, intptr_t a, "
    assert wanted in cublas.gemm_strided_batched_ex.__doc__
