"""Kernels with the types that Numba gives them, in full size, on the kit's questions."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from genesis.testing import Check, check_backend, parametrize
from genesis.testing.backend_checks import _expressions, _map
from genesis_cuda import _fake_driver

sys.path.insert(0, str(Path(__file__).parent))
import typed

pytestmark = pytest.mark.simulated

CHECKS = [
    check
    for check in check_backend("cuda")
    if check.name.startswith(("map/", "expression/", "gather/", "scatter/", "random/", "reduce/"))
]


@pytest.fixture(autouse=True)
def compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_fake_driver.FakeDriver, "cuLaunchKernel", typed.launch)
    monkeypatch.setattr(_map, "LARGE", 70_003)
    monkeypatch.setattr(_expressions, "LARGE", 70_003)


@parametrize(CHECKS)
def test_typed(check: Check) -> None:
    check()


def test_these_ran_compiled() -> None:
    wanted = {"map_kernel", "gather_kernel", "scatter_kernel", "check_kernel", "reduce_thread"}
    assert wanted | {"random_fill_normal_float32"} <= typed.ran
