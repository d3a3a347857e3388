"""Parity tests compare with torch; a skipped comparison proves nothing, so it counts as a failure."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
import torch

import genesis
from genesis.nn import _hooks

# One thread each: tests that run beside each other would wait for each other's threads.
torch.set_num_threads(1)
genesis.set_num_threads(1)


HOOKS: dict[Any, list[Any]] = {
    torch: [
        v for n, v in vars(torch.nn.modules.module).items() if n.startswith("_global") and isinstance(v, dict)
    ],
    genesis: [_hooks.everywhere, _hooks.on_registration],
}


def settings(library: Any) -> dict[str, Any]:
    """What a test could leave behind that the next one would see."""
    return {
        "default type": library.get_default_dtype(),
        "default device": library.get_default_device(),
        "gradients": library.is_grad_enabled(),
        "inference mode": library.is_inference_mode_enabled(),
        "anomaly mode": library.is_anomaly_enabled(),
        "autocast": library.is_autocast_enabled("cpu"),
        "deterministic algorithms": library.are_deterministic_algorithms_enabled(),
        "threads": library.get_num_threads(),
        "hooks of all modules": [len(found) for found in HOOKS[library]],
    }


@pytest.fixture(autouse=True, scope="module")
def nothing_is_left_behind() -> Generator[None, None, None]:
    """A module of tests leaves the settings of both libraries as they were."""
    before = [settings(library) for library in (torch, genesis)]
    yield
    assert [settings(library) for library in (torch, genesis)] == before


@pytest.fixture(autouse=True)
def arguments_of_distributions_are_checked() -> None:
    """``torch.compile`` switches PyTorch's checks off for the rest of the process."""
    torch.distributions.Distribution.set_default_validate_args(True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"parity tests may not be skipped: {report.longrepr}"
    return report
