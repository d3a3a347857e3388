"""The device `cuda` where there is no GPU: it says what is missing, and costs nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from genesis_cuda import _available

NO_DRIVER = "no NVIDIA driver"


class Driver:
    """The few calls that are made to find out, answered."""

    def __init__(self, init: int = 0, version: int = 13050, count: int = 1) -> None:
        self.init, self.version, self.count = init, version, count

    def cuInit(self, flags):
        return self.init

    def cuDriverGetVersion(self, version):
        version._obj.value = self.version
        return 0

    def cuDeviceGetCount(self, count):
        count._obj.value = self.count
        return 0

    def cuGetErrorName(self, code, text):
        text._obj.value = b"CUDA_ERROR_NO_DEVICE"
        return 0


@pytest.fixture(autouse=True)
def real(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NUMBA_ENABLE_CUDASIM", raising=False)


def answer(monkeypatch: pytest.MonkeyPatch, driver: object, missing: str = "") -> tuple[int, str]:
    monkeypatch.setattr(_available, "_library", lambda: driver)
    monkeypatch.setattr(_available, "_missing", lambda: missing)
    return _available.devices()


def test_no_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    count, reason = answer(monkeypatch, None)
    assert count == 0
    assert NO_DRIVER in reason
    assert "580" in reason
    assert 'pip install "genesis-dl[cuda]"' in reason


def test_a_driver_without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    count, reason = answer(monkeypatch, Driver(init=100))
    assert count == 0
    assert "CUDA_ERROR_NO_DEVICE" in reason
    assert "nvidia-smi" in reason
    count, reason = answer(monkeypatch, Driver(count=0))
    assert count == 0
    assert "CUDA_VISIBLE_DEVICES" in reason


def test_an_old_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    count, reason = answer(monkeypatch, Driver(version=12040))
    assert count == 0
    assert "CUDA 12.4" in reason
    assert "580" in reason


def test_a_gpu_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    count, reason = answer(monkeypatch, Driver(), "numba-cuda")
    assert count == 0
    assert "numba-cuda is not installed" in reason
    assert 'pip install "genesis-dl[cuda]"' in reason


def test_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    assert answer(monkeypatch, Driver(count=3)) == (3, "")


def test_asking_does_not_import_numba() -> None:
    code = (
        "import sys; from genesis_cuda.backend import CudaBackend\n"
        "found = CudaBackend().probe()\n"
        "packages = {m.split('.')[0] for m in sys.modules}\n"
        "print(found.ok or found.reason, sorted(packages & {'numba', 'llvmlite'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")
    assert not done.stderr
