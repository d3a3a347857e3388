"""NCCL without a GPU: a stand-in for the library, on the memory of Numba's simulator.

The kit asks the plugin everything; each call that it makes of the library is one that nccl4py has, with its
arguments. What this cannot show: that NCCL's kernels run, that streams keep their order, how fast it is.
"""

from __future__ import annotations

import importlib.util
import inspect
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from genesis.distributed import is_mpi_available
from genesis.plugin import registry
from genesis.testing import Check, check_communicator, parametrize

HERE = Path(__file__).parent
STAND_IN = HERE / "stand_in"
ENVIRONMENT = {
    "NUMBA_ENABLE_CUDASIM": "1",
    "PYTHONPATH": os.pathsep.join([str(STAND_IN), *filter(None, [os.environ.get("PYTHONPATH")])]),
}
more = pytest.mark.skipif(os.environ.get("GENESIS_TEST_ALL") != "1", reason="needs GENESIS_TEST_ALL=1")
mpi = pytest.mark.skipif(not is_mpi_available(), reason="needs the extra `mpi`")
declared = bool(registry("communicators").contributions("nccl"))
CHECKS = check_communicator("nccl", environment=ENVIRONMENT) if declared else []
# the simulator has two GPUs; here each process takes its first
SHARED = ENVIRONMENT | {"LOCAL_RANK": "0"}
MORE_CHECKS = check_communicator("nccl", processes=3, environment=SHARED) if declared else []


@more
@mpi
@parametrize(CHECKS)
def test_nccl(check: Check) -> None:
    check()


@more
@mpi
@parametrize(MORE_CHECKS)
def test_nccl_with_three_processes(check: Check) -> None:
    check()


@more
@mpi
def test_calls_streams_and_errors() -> None:
    mpiexec = Path(sys.executable).with_name("mpiexec")
    done = subprocess.run(
        [str(mpiexec), "-n", "2", sys.executable, "-m", "mpi4py", str(HERE / "scripts" / "nccl_calls.py")],
        env={**os.environ, **ENVIRONMENT, "NUMBA_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    assert done.stdout.count("is done") == 2


def test_without_a_driver_the_probe_says_what_is_missing() -> None:
    from genesis_nccl.communicator import NCCL

    found = NCCL.probe()
    if found.ok:
        pytest.skip("there is a GPU and NCCL")
    assert "driver" in found.reason or "GPU" in found.reason or "genesis-dl[nccl]" in found.reason


def stand_in() -> Any:
    spec = importlib.util.spec_from_file_location("nccl_stand_in", STAND_IN / "nccl" / "core.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_stand_in_has_the_names_and_arguments_of_nccl4py() -> None:
    real = pytest.importorskip("nccl.core", exc_type=ImportError)
    ours = stand_in()

    def arguments(function: Any) -> list[Any]:
        return [(p.name, p.kind, p.default) for p in inspect.signature(function).parameters.values()]

    for name in ("get_unique_id", "get_version", "group"):
        assert arguments(getattr(ours, name)) == arguments(getattr(real, name)), name
    for name, function in vars(ours.Communicator).items():
        if inspect.isfunction(function) and not name.startswith("_"):
            assert arguments(function) == arguments(getattr(real.Communicator, name)), name
    assert arguments(ours.Communicator.init) == arguments(real.Communicator.init)
    assert {op.name: op.value for op in ours.NcclRedOp} == {op.name: op.value for op in real.NcclRedOp}
    assert len(bytes(real.get_unique_id(empty=True))) == len(bytes(ours.get_unique_id(empty=True)))
    for name in ours._KNOWN:
        if name != "bfloat16":
            assert real.NcclDataType(name).numpy_dtype == name
