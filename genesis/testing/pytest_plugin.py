"""A pytest plugin that runs device tests on any device.

``pytest -p genesis.testing.pytest_plugin --genesis-device=acme`` runs them on ``acme``.

Tests that take the ``device`` fixture run once on each chosen device, which is the default device meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--genesis-device",
        action="append",
        default=[],
        metavar="NAME",
        help="run device tests on this device (may be repeated; default: ref and cpu)",
    )


def pytest_sessionstart(session: pytest.Session) -> None:
    """Refuse a device that is unknown, or cannot be used here, before any test is collected."""
    names = session.config.getoption("--genesis-device")
    if not names:
        return
    import genesis

    for name in names:
        try:
            genesis.device(name).backend  # noqa: B018 - loaded on first use
        except Exception as error:
            raise pytest.UsageError(f"--genesis-device={name}: {type(error).__name__}: {error}") from error


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "device" in metafunc.fixturenames:
        names = metafunc.config.getoption("--genesis-device") or ["ref", "cpu"]
        metafunc.parametrize("device", names, indirect=True)


@pytest.fixture
def device(request: pytest.FixtureRequest) -> Iterator[str]:
    """Name of the device under test; it is the default device for the length of the test."""
    import genesis

    before = genesis.get_default_device()
    genesis.set_default_device(request.param)
    genesis.manual_seed(0)
    yield request.param
    genesis.set_default_device(before)
