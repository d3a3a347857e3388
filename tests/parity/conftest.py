"""Parity tests compare with torch; a skipped comparison proves nothing, so it counts as a failure."""

from __future__ import annotations

from collections.abc import Generator

import pytest
import torch

import genesis

# One thread each: tests that run beside each other would wait for each other's threads.
torch.set_num_threads(1)
genesis.set_num_threads(1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"parity tests may not be skipped: {report.longrepr}"
    return report
