"""Names and indices of devices that plugins supply."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import genesis
from genesis.backend import Availability
from genesis.plugin import BackendSpec, UnknownNameError, hookimpl, isolated, register
from genesis.testing.reference import RefBackend


class Two(RefBackend):
    """Two devices."""

    name = "pair"

    def probe(self) -> Availability:
        return Availability(True, 2)


class OtherCpu(RefBackend):
    """A device with the name of a built-in one."""

    name = "cpu"

    def __init__(self, anything: int = 0) -> None:  # does not call the one above, which nobody has to know
        self.anything = anything


class Plugin:
    @hookimpl
    def genesis_backends(self) -> list[BackendSpec]:
        return [
            BackendSpec("pair", f"{__name__}:Two", "Two of them."),
            BackendSpec("cpu", f"{__name__}:OtherCpu", "Another cpu."),
        ]


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    with isolated():
        register(Plugin(), "acme")
        yield


def test_an_index_beyond_the_devices_is_refused_at_the_first_use() -> None:
    assert str(genesis.ones(2, device="pair:1").device) == "pair:1"
    with pytest.raises(genesis.DeviceError, match="no device 'pair:2': 'pair' has 2 here, numbers 0 to 1"):
        genesis.ones(2, device="pair:2")
    with pytest.raises(genesis.DeviceError, match="no device 'cpu:7': 'cpu' has 1 here, number 0"):
        genesis.ones(2, device="cpu:7")


def test_a_shadowed_device_has_a_qualified_name() -> None:
    x = genesis.ones(2, device="acme:cpu:0")
    assert (x.device.type, x.device.index) == ("acme:cpu", 0)
    assert type(x.device.backend) is OtherCpu
    assert (x + 1).tolist() == [2, 2]
    assert genesis.device("cpu") is not genesis.device("acme:cpu")
    assert genesis.ones(2, device="genesis-dl:cpu").device == "cpu"


@pytest.mark.parametrize("text", ["cpu:first", "pair:", "acme:nothing"])
def test_what_stands_after_a_colon_has_to_make_sense(text: str) -> None:
    with pytest.raises(ValueError, match=f"invalid device '{text}'"):
        genesis.device(text)


def test_an_index_is_given_once() -> None:
    with pytest.raises(ValueError, match="leave one out"):
        genesis.device("pair:1", 1)
    with pytest.raises(UnknownNameError):
        genesis.device("nothing", 1)
